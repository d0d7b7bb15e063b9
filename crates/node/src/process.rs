//! From a home folder to a running process: engine, host and switchboard.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use quil_bls48581::SecretKey;
use quil_engine::{Identity, Network, NetworkError};
use quil_hotstuff::BlsScheme;
use quil_keys::{EntryError, KeyStore, Passphrase, PeerKeypair};
use quil_kzg::TableBits;
use quil_p2p::blossomsub::Params;
use quil_p2p::{
    Connections, Host, HostConfig, HostError, HostHandle, Identity as PeerIdentity, Multiaddr,
};
use quil_store::Store;
use quil_types::genesis::ProverEntry;
use quil_types::{Chain, ProverId};
use tokio::task::JoinHandle;

use crate::boot::{Boot, BootError};
use crate::config::Config;
use crate::drive::{Driver, EngineHandle, spawn};
use crate::home::{Home, HomeError, alias};
use crate::recent::Recent;
use crate::switchboard::{Line, SwitchError, Switchboard, Wiring, port};
use crate::threads::JobThreads;

/// Time for a request to a peer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The genesis document breaks a rule.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A key is missing or of the wrong kind.
    #[error("keys: {0}")]
    Key(#[from] EntryError),
    /// The key of a worker is in no committee of the genesis.
    #[error("worker {0} is in no shard of this network")]
    NoShard(u16),
    /// The genesis lists another network identity beside the consensus key, so that nobody would take our messages.
    #[error("the genesis lists another peer key for core {0}")]
    WrongPeer(u16),
    /// Not a multiaddress.
    #[error("not a multiaddress: {0}")]
    Address(String),
    /// The engine.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The switchboard.
    #[error(transparent)]
    Switch(#[from] SwitchError),
    /// The operating system gives no threads or random bytes.
    #[error("system: {0}")]
    System(String),
}

impl ProcessError {
    /// The code that the process exits with: what the store says for its faults, 78 for what no restart will repair.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Home(HomeError::Store(e)) | Self::Boot(BootError::Store(e)) => e.exit_code(),
            Self::Switch(e) => e.exit_code(),
            Self::Home(HomeError::Io { .. }) | Self::Boot(_) | Self::Host(_) | Self::System(_) => 1,
            Self::Home(_)
            | Self::Network(_)
            | Self::Key(_)
            | Self::NoShard(_)
            | Self::WrongPeer(_)
            | Self::Address(_) => EXIT_CONFIG,
        }
    }
}

/// Exit code of a configuration that no restart will repair.
const EXIT_CONFIG: u8 = 78;

fn system(e: impl core::fmt::Display) -> ProcessError {
    ProcessError::System(e.to_string())
}

/// What the processes of a node share.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The folder.
    pub home: Home,
    /// The configuration.
    pub config: Config,
    /// The network.
    pub network: Arc<Network>,
    /// The keys.
    pub keys: Arc<KeyStore>,
}

impl Setup {
    /// Opens the key store and checks the genesis document in full. Blocks for some seconds with large committees.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn load(home: Home, config: Config, passphrase: &Passphrase) -> Result<Self, ProcessError> {
        let keys = Arc::new(home.keys(passphrase)?);
        let network = Arc::new(Network::open(home.genesis(&config)?, TableBits::default())?);
        Ok(Self {
            home,
            config,
            network,
            keys,
        })
    }

    /// Network identity of a process.
    ///
    /// # Errors
    /// [`ProcessError::Key`].
    pub fn peer(&self, core: u16) -> Result<&PeerKeypair, ProcessError> {
        let name = alias::peer(core).ok_or_else(|| system("alias"))?;
        Ok(self.keys.peer(&name)?)
    }

    /// The same, for a host or a link.
    ///
    /// # Errors
    /// [`ProcessError::Key`].
    pub fn peer_identity(&self, core: u16) -> Result<PeerIdentity, ProcessError> {
        Ok(PeerIdentity::from_secret(
            &mut self.peer(core)?.expose_seed(),
        ))
    }

    /// What the engine of a process is made of. A master without a prover key observes; so does one whose key is not in
    /// the committee.
    ///
    /// # Errors
    /// [`ProcessError::Key`], [`ProcessError::NoShard`], [`ProcessError::WrongPeer`].
    pub fn boot(&self, core: u16, accept_lost_safety: bool) -> Result<Boot, ProcessError> {
        let peer = self.peer(core)?;
        let role = if core == 0 {
            self.master()?
        } else {
            self.worker(core)?
        };
        if role.entry.as_ref().is_some_and(|e| e.peer != peer.public()) {
            return Err(ProcessError::WrongPeer(core));
        }
        let key = role.signer.as_ref().map(|s| s.public_key().to_bytes());
        Ok(Boot {
            network: Arc::clone(&self.network),
            chain: role.chain,
            identity: Identity::new(&peer.expose_seed(), key, role.prover),
            signer: role.signer.map(Arc::new),
            accept_lost_safety,
        })
    }

    fn master(&self) -> Result<Role, ProcessError> {
        let name = alias::prover().ok_or_else(|| system("alias"))?;
        let key = match self.keys.prover(&name) {
            Ok(key) => key,
            Err(EntryError::NotFound(_)) => return Ok(Role::observer()),
            Err(e) => return Err(e.into()),
        };
        let committee = &self.network.genesis().committee;
        Ok(Role {
            chain: Chain::Global,
            prover: key.id(),
            signer: Some(signer(key.key())?),
            entry: committee.iter().find(|p| p.id() == key.id()).cloned(),
        })
    }

    fn worker(&self, core: u16) -> Result<Role, ProcessError> {
        let name = alias::worker(core).ok_or_else(|| system("alias"))?;
        let key = self.keys.worker(&name)?.key();
        let public = key.public_bytes();
        let shards = self.network.genesis().shards.iter();
        let mut members = shards.flat_map(|s| s.members.iter().map(move |m| (s.addr, m)));
        let (addr, member) = members
            .find(|(_, m)| m.worker.key == public)
            .ok_or(ProcessError::NoShard(core))?;
        Ok(Role {
            chain: Chain::Shard(addr),
            prover: member.prover,
            signer: Some(signer(key)?),
            entry: Some(member.worker.clone()),
        })
    }

    fn host(&self, core: u16) -> Result<HostConfig, ProcessError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(system)?;
        let p2p = &self.config.p2p;
        let inbound_max = p2p.max_connections.saturating_mul(3) / 4;
        let identity = self.peer_identity(core)?;
        // The processes of a node share one list, in which they may stand themselves.
        let own = format!("/p2p/{}", identity.peer_id());
        let others = p2p.peers.iter().filter(|p| !p.ends_with(&own)).cloned();
        Ok(HostConfig {
            identity,
            genesis: self.network.hash(),
            listen: addresses(&listen(&self.config, core))?,
            bootstrap: addresses(&others.collect::<Vec<_>>())?,
            records: Vec::new(),
            seed,
            gossip: Params {
                devnet: self.network.genesis().devnet,
                ..Params::default()
            },
            connections: Connections {
                inbound_max,
                outbound_max: p2p.max_connections.saturating_sub(inbound_max),
                ..Connections::default()
            },
            request_timeout: REQUEST_TIMEOUT,
        })
    }
}

struct Role {
    chain: Chain,
    prover: ProverId,
    signer: Option<SecretKey>,
    entry: Option<ProverEntry>,
}

impl Role {
    const fn observer() -> Self {
        Self {
            chain: Chain::Global,
            prover: ProverId::ZERO,
            signer: None,
            entry: None,
        }
    }
}

fn signer(key: &quil_keys::BlsKey) -> Result<SecretKey, ProcessError> {
    SecretKey::from_bytes(&key.expose_bytes()).map_err(system)
}

fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, ProcessError> {
    let parse = |t: &String| t.parse().map_err(|_| ProcessError::Address(t.clone()));
    texts.iter().map(parse).collect()
}

/// Addresses of a process: the master's, a worker's own, or the master's on free ports.
fn listen(config: &Config, core: u16) -> Vec<String> {
    let Some(at) = usize::from(core).checked_sub(1) else {
        return config.p2p.listen.clone();
    };
    match config.p2p.worker_listen.get(at) {
        Some(own) => vec![own.clone()],
        None => config.p2p.listen.iter().map(|a| on_free_port(a)).collect(),
    }
}

fn on_free_port(address: &str) -> String {
    let mut port = false;
    let parts = address.split('/').map(|part| {
        let shown = if port { "0" } else { part };
        port = matches!(part, "tcp" | "udp");
        shown
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Lets a write beyond the file size limit (`ulimit -f`) fail like one to a full disk: unhandled, the signal that comes
/// with it ends the process without a word. For the life of the process; call it inside the runtime.
pub(crate) fn report_file_limit() {
    let number = rustix::process::Signal::XFSZ.as_raw();
    let kind = tokio::signal::unix::SignalKind::from_raw(number);
    // The handler stays when the listener is dropped; without it the process ends by the signal.
    if let Err(e) = tokio::signal::unix::signal(kind) {
        tracing::warn!(%e, "a file size limit would end this process by a signal");
    }
}

/// A running process, without its links to others of the node.
#[derive(Debug)]
pub struct Process {
    /// Calls its switchboard.
    pub line: Line,
    /// Its host.
    pub host: HostHandle,
    /// Its engine.
    pub engine: EngineHandle,
    /// Its state, for readers.
    pub state: Arc<dyn Store>,
    /// The switchboard, until its end was seen.
    run: Option<JoinHandle<Result<(), SwitchError>>>,
    thread: thread::JoinHandle<()>,
}

impl Process {
    /// Locks the files of a process, recovers its engine and starts everything. Recovery blocks: call it before other
    /// tasks need the thread.
    ///
    /// # Errors
    /// [`ProcessError`]; nothing is left running then.
    pub async fn start(
        setup: &Setup,
        core: u16,
        accept_lost_safety: bool,
    ) -> Result<Self, ProcessError> {
        let boot = setup.boot(core, accept_lost_safety)?;
        let (network, chain) = (Arc::clone(&boot.network), boot.chain);
        let files = setup.home.open_files(&setup.config, core, chain)?;
        let scheme = BlsScheme::new();
        let engine = boot.start(scheme.clone(), &files)?;
        let (state, recent) = (
            files.state(),
            Recent::new(Arc::clone(engine.ledger().last())),
        );
        let threads = JobThreads::start().map_err(system)?;
        let (host, events) = Host::spawn(setup.host(core)?).await?;
        let (port, socket) = port();
        let driver = Driver {
            engine,
            network: Arc::clone(&network),
            scheme: Arc::new(scheme),
            files,
            threads,
            outside: Box::new(port),
        };
        let (engine, thread) = spawn(driver).map_err(system)?;
        let wiring = Wiring {
            network,
            chain,
            engine: engine.clone(),
            socket,
            host: host.clone(),
            events,
            state: Arc::clone(&state),
            recent,
        };
        let connected = Switchboard::connect(wiring).await;
        let (board, line) = connected.inspect_err(|_| engine.stop())?;
        Ok(Self {
            line,
            host,
            engine,
            state,
            run: Some(tokio::spawn(board.run())),
            thread,
        })
    }

    /// Waits until the engine or the host has ended. Cancel safe.
    ///
    /// # Errors
    /// Why it ended by itself.
    pub async fn ended(&mut self) -> Result<(), SwitchError> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        // The task is neither aborted nor does it panic.
        let ended = run.await.unwrap_or(Ok(()));
        self.run = None;
        ended
    }

    /// Stops the engine after the input at hand, then the host. The files are free when this returns.
    pub async fn stop(self) {
        self.engine.stop();
        // It ends when the switchboard takes what it still has to say.
        let thread = self.thread;
        let _joined = tokio::task::spawn_blocking(move || thread.join()).await;
        self.host.shutdown().await;
        if let Some(run) = self.run {
            let _ended = run.await;
        }
    }
}
