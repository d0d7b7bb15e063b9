//! A master process: the global chain, its worker processes, and the public API.
//!
//! Order of the end: the API stops taking calls, the workers are asked to stop and reaped, then the own engine. Killed
//! instead, nothing final is lost, and the workers end by themselves when their link ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quil_p2p::ipc::{IpcServer, IpcSession, ServerConfig, Timing, WorkerCert};
use quil_p2p::{HostHandle, Identity};
use quil_store::Store;
use quil_types::{Chain, GenesisHash, PeerKey, ShardAddr, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use crate::link::run_master_link;
use crate::process::{Process, ProcessError, Setup, report_file_limit};
use crate::seats::Seat;
use crate::service::{Service, Sources};
use crate::spawner::{Launch, Spawner, Tickets};
use crate::switchboard::{Line, SwitchError};
use crate::ticket::Ticket;

/// A worker must have connected so long after its start, milliseconds; its certificate is void later.
const CERT_MS: u64 = 60_000;
/// Calls under way when the node stops get so long.
const API_GRACE: Duration = Duration::from_secs(2);
/// Pause after a failed accept: no file handles, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a master ended, other than by being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] ProcessError),
    /// A listener cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The API ended.
    #[error("API: {0}")]
    Api(String),
    /// The engine or the host ended.
    #[error(transparent)]
    Ended(#[from] SwitchError),
}

impl MasterError {
    /// The code that the process exits with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start(e) => e.exit_code(),
            Self::Ended(e) => e.exit_code(),
            _ => 1,
        }
    }
}

/// The parts of a running master that its tasks share.
struct Master {
    line: Line,
    state: Arc<dyn Store>,
    host: HostHandle,
    seats: Vec<Seat>,
}

/// Runs until `stop` or a fault.
///
/// # Errors
/// [`MasterError`], unless it was asked to stop.
pub async fn run_master(
    setup: &Setup,
    launch: Launch,
    accept_lost_safety: bool,
    stop: impl Future<Output = ()>,
) -> Result<(), MasterError> {
    report_file_limit();
    let seats = seats(setup)?;
    let mut process = Process::start(setup, 0, accept_lost_safety).await?;
    let master = Arc::new(Master {
        line: process.line.clone(),
        state: Arc::clone(&process.state),
        host: process.host.clone(),
        seats,
    });
    let ended = tokio::select! {
        ended = serve(setup, launch, &master, stop) => ended,
        ended = process.ended() => ended.map_err(MasterError::from),
    };
    info!("master stops");
    drop(master);
    process.stop().await;
    ended
}

/// A seat per configured worker, with the shard that the genesis gives it.
fn seats(setup: &Setup) -> Result<Vec<Seat>, ProcessError> {
    let seat = |core| match setup.boot(core, false)?.chain {
        Chain::Shard(shard) => Ok(Seat::new(core, shard)),
        Chain::Global => Ok(Seat::new(core, ShardAddr::ZERO)),
    };
    (1..=setup.config.workers.count).map(seat).collect()
}

/// Workers, their links and the API, until `stop`.
async fn serve(
    setup: &Setup,
    launch: Launch,
    master: &Arc<Master>,
    stop: impl Future<Output = ()>,
) -> Result<(), MasterError> {
    let identity = setup.peer_identity(0)?;
    let genesis = setup.network.hash();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = ServerConfig {
        identity: identity.clone(),
        genesis,
        listen,
        timing: Timing::default(),
    };
    let bound = |source| MasterError::Listen {
        address: listen,
        source,
    };
    let server = IpcServer::bind(config).await.map_err(bound)?;
    let address = server.local_addr().map_err(bound)?;
    let (stopping, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for seat in &master.seats {
        let worker = setup.peer(seat.core())?.public();
        let spawner = Spawner {
            seat: seat.clone(),
            launch: launch.clone(),
            tickets: tickets(identity.clone(), genesis, worker, seat.core(), address),
            stop: stopped.clone(),
            grace_ms: setup.config.workers.stop_ms,
        };
        workers.spawn(spawner.run());
    }
    let ended = match api(setup, master, stopped.clone()).await {
        Ok(api) => {
            // In a task, so that calls under way end orderly after `stop`.
            let mut api = tokio::spawn(api);
            let ended = tokio::select! {
                () = accept(server, master) => Ok(()),
                () = stop => Ok(()),
                ended = &mut api => ended.unwrap_or(Ok(())),
            };
            stopping.send_replace(true);
            if !api.is_finished() && timeout(API_GRACE, &mut api).await.is_err() {
                debug!("calls of the API were cut");
                api.abort();
            }
            ended
        }
        Err(e) => Err(e),
    };
    stopping.send_replace(true);
    while workers.join_next().await.is_some() {}
    ended
}

/// Binds the public API; the future serves it.
async fn api(
    setup: &Setup,
    master: &Arc<Master>,
    mut stopped: watch::Receiver<bool>,
) -> Result<impl Future<Output = Result<(), MasterError>> + use<>, MasterError> {
    let address = setup.config.rpc.listen;
    let bound = move |source| MasterError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(bound)?;
    info!(%address, "API listens");
    let service = Service::new(Sources {
        line: master.line.clone(),
        store: Arc::clone(&master.state),
        host: master.host.clone(),
        network: Arc::clone(&setup.network),
        seats: master.seats.clone(),
        peer_id: setup.peer_identity(0)?.peer_id().to_string(),
    });
    let stop = async move {
        // An error means that the master is gone: stop as well.
        let _asked = stopped.wait_for(|stop| *stop).await;
    };
    Ok(async move {
        let served = quil_api::serve(listener, Arc::new(service), stop).await;
        served.map_err(|e| MasterError::Api(e.to_string()))
    })
}

fn tickets(
    identity: Identity,
    genesis: GenesisHash,
    worker: PeerKey,
    core: u16,
    address: SocketAddr,
) -> Tickets {
    Box::new(move || {
        let expires = Timestamp::new(now_ms().saturating_add(CERT_MS));
        let ticket = Ticket {
            master: identity.key(),
            pid: std::process::id(),
            address,
            cert: WorkerCert::issue(&identity, genesis, worker, core, expires),
        };
        ticket.to_text().ok()
    })
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Takes workers for ever. Links end with the set they are in.
async fn accept(mut server: IpcServer, master: &Arc<Master>) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = server.accept() => match accepted {
                Ok(session) => {
                    let master = Arc::clone(master);
                    links.spawn(async move { link(session, &master).await });
                }
                Err(e) => {
                    warn!(%e, "a worker was not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = links.join_next() => {}
        }
    }
}

async fn link(session: IpcSession, master: &Master) {
    let core = session.cert().core;
    let Some(seat) = master.seats.iter().find(|s| s.core() == core) else {
        warn!(core, "a worker of no core of this node");
        return;
    };
    let ended = run_master_link(session, &master.line, &master.state, seat).await;
    debug!(core, %ended, "the link to a worker ended");
}
