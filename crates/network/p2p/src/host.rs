//! The task that owns the swarm.

mod events;
mod requests;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use futures::StreamExt as _;
use libp2p::{
    Multiaddr, Swarm, SwarmBuilder, connection_limits, identify,
    multiaddr::Protocol,
    noise, ping,
    request_response::{self as rr, ProtocolSupport},
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use quil_blossomsub::{Input, ParamsError, Router};
use quil_types::PeerKey;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    config::{HostConfig, network_tag},
    dialer::Dialer,
    gossip::{Gossip, ip_of},
    handle::{Command, HostEvents, HostHandle, HostStats, PeerStatus},
    identity::peer_key,
    limits::{COMMANDS_MAX, CONNECTION_STREAMS_MAX, EVENTS_MAX, RECORD_DIAL_MS},
    records::Records,
    rpc::Opaque,
};
use requests::Requests;

/// Time for every listener to bind.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for connections to close at shutdown.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection nobody uses is closed after so long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Two connections per peer exist when both sides dial at once.
const CONNECTIONS_PER_PEER: u32 = 2;

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Contradicting gossip parameters.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A transport could not be built.
    #[error("transport: {0}")]
    Transport(String),
    /// An address could not be bound.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the transport said.
        reason: String,
    },
}

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    gossip: Gossip,
    rpc: rr::Behaviour<Opaque>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// What the host knows about a connected peer beside its score.
#[derive(Debug)]
struct Known {
    status: PeerStatus,
    ping_failures: u32,
}

/// A running libp2p host. See [`Host::spawn`].
pub struct Host {
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<crate::HostEvent>,
    dialer: Dialer,
    records: Records,
    peers: BTreeMap<PeerKey, Known>,
    requests: Requests,
    stats: HostStats,
    network: String,
    wanted_peers: usize,
    record_dial_ms: u64,
    draws: u64,
}

impl core::fmt::Debug for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Host")
            .field("peers", &self.peers.len())
            .finish_non_exhaustive()
    }
}

impl Host {
    /// Builds the transports, binds every listen address, starts to dial, and leaves a task running that ends with its
    /// handles. Must be called inside a Tokio runtime with time and IO.
    ///
    /// # Errors
    /// [`HostError`]; nothing is left running then.
    pub async fn spawn(config: HostConfig) -> Result<(HostHandle, HostEvents), HostError> {
        let (identity, listen) = (config.identity.clone(), config.listen.clone());
        let (command_tx, commands) = mpsc::channel(COMMANDS_MAX);
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let mut host = Self::build(config, commands, events)?;
        for address in listen {
            host.listen(address).await?;
        }
        tokio::spawn(host.run());
        let handle = HostHandle {
            commands: command_tx,
            key: identity.key(),
            peer_id: identity.peer_id(),
        };
        Ok((handle, HostEvents { receiver }))
    }

    fn build(
        config: HostConfig,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<crate::HostEvent>,
    ) -> Result<Self, HostError> {
        let router = Router::new(config.gossip.clone(), config.seed, 0)?;
        let swarm = swarm(&config, router)?;
        let mut records = Records::new(config.identity.key(), config.gossip.devnet);
        for bytes in &config.records {
            if let Err(error) = records.add(bytes) {
                tracing::debug!(%error, "peer record of an earlier run");
            }
        }
        let draws = u64::from_le_bytes(config.seed.first_chunk().copied().unwrap_or_default());
        Ok(Self {
            swarm,
            commands,
            events,
            dialer: Dialer::new(&config.bootstrap, draws),
            records,
            peers: BTreeMap::new(),
            requests: Requests::default(),
            stats: HostStats::default(),
            network: format!("/quil/{}/1", network_tag(&config.genesis)),
            wanted_peers: config.connections.wanted,
            record_dial_ms: 0,
            draws,
        })
    }

    async fn listen(&mut self, address: Multiaddr) -> Result<(), HostError> {
        let fail = |reason: String| HostError::Listen {
            address: address.clone(),
            reason,
        };
        if let Some(socket) = tcp_socket(&address) {
            // The transport shares ports between processes: a second node on one port must be an error, not a lottery.
            TcpListener::bind(socket).map_err(|e| fail(e.to_string()))?;
        }
        let listener = self
            .swarm
            .listen_on(address.clone())
            .map_err(|e| fail(e.to_string()))?;
        let bound = async {
            loop {
                match self.swarm.select_next_some().await {
                    SwarmEvent::NewListenAddr { listener_id, .. } if listener_id == listener => {
                        return Ok(());
                    }
                    SwarmEvent::ListenerClosed {
                        listener_id,
                        reason,
                        ..
                    } if listener_id == listener => {
                        let never_bound = io::Error::from(io::ErrorKind::AddrNotAvailable);
                        return Err(reason.err().unwrap_or(never_bound));
                    }
                    event => self.event(event),
                }
            }
        };
        let bound: io::Result<()> = timeout(LISTEN_TIMEOUT, bound)
            .await
            .map_err(|e| fail(e.to_string()))?;
        bound.map_err(|e| fail(e.to_string()))
    }

    /// Not `biased`: neither a busy network nor a busy node may starve the other.
    async fn run(mut self) {
        let ended = loop {
            let deadline = self.deadline();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Shutdown(answer)) => break Some(answer),
                    Some(command) => self.command(command),
                    None => break None,
                },
                event = self.swarm.select_next_some() => self.event(event),
                () = sleep_until(deadline) => self.tick(),
            }
        };
        self.close().await;
        drop(self);
        if let Some(answer) = ended {
            // Whoever asked may have stopped waiting.
            let _gone = answer.send(());
        }
    }

    async fn close(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // Not connected any more is fine.
            let _gone = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::debug!("connections did not close in time");
        }
    }

    pub(crate) fn gossip(&mut self) -> &mut Gossip {
        &mut self.swarm.behaviour_mut().gossip
    }

    /// An input without an answer.
    fn input(&mut self, input: Input) {
        let _none = self.gossip().give(input);
    }

    fn now_ms(&self) -> u64 {
        self.swarm.behaviour().gossip.now_ms()
    }

    fn deadline(&self) -> Instant {
        let gossip = &self.swarm.behaviour().gossip;
        let router = gossip.router().deadline_ms();
        let next = self
            .dialer
            .deadline_ms()
            .map_or(router, |d| d.min(router))
            .min(self.record_dial_ms.max(1));
        gossip.at(next)
    }

    fn tick(&mut self) {
        self.gossip().give(Input::Tick);
        let now = self.now_ms();
        for (target, address, peer) in self.dialer.due(now) {
            let opts = match peer {
                Some(peer) => DialOpts::peer_id(peer).addresses(vec![address]).build(),
                None => DialOpts::unknown_peer_id().address(address).build(),
            };
            let connection = opts.connection_id();
            self.dialer.dialing(target, connection);
            if self.swarm.dial(opts).is_err() {
                self.dialer.refused(target, now);
            }
        }
        if now >= self.record_dial_ms {
            self.record_dial_ms = now.saturating_add(RECORD_DIAL_MS);
            self.dial_records(now);
        }
    }

    /// Dials a few known peers while there are fewer than wanted.
    fn dial_records(&mut self, now: u64) {
        let missing = self.wanted_peers.saturating_sub(self.peers.len());
        let mut due = self.records.due(now, |p| {
            self.peers.contains_key(p) || self.swarm.behaviour().gossip.is_banned(p)
        });
        for _ in 0..missing.min(2) {
            if due.is_empty() {
                break;
            }
            // Any spread will do; an attacker who fills the records gains nothing from the order.
            self.draws = self
                .draws
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(self.draws >> 33).unwrap_or(0) % due.len();
            let (peer, addresses) = due.swap_remove(at);
            let begun = crate::identity::peer_id(&peer).is_some_and(|id| {
                self.swarm
                    .dial(DialOpts::peer_id(id).addresses(addresses).build())
                    .is_ok()
            });
            if !begun {
                self.records.failed(&peer, now);
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Publish(message, again, answer) => {
                if let Some(report) = self.gossip().give(Input::Publish { message, again }) {
                    reply(answer, report);
                }
            }
            Command::Subscribe(mask, answer) => reply(answer, self.gossip().subscribe(mask)),
            Command::Unsubscribe(mask) => self.input(Input::Unsubscribe(mask)),
            Command::Verdict(id, verdict) => self.input(Input::Validated { id, verdict }),
            Command::Penalise(peer, points) => self.input(Input::Penalise { peer, points }),
            Command::Operator(peer, operator) => self.input(Input::Operator { peer, operator }),
            Command::Request(peer, data, answer) => self.request(peer, data, answer),
            Command::Respond(to, data, answer) => self.respond(to, data, answer),
            Command::Peers(answer) => reply(answer, self.statuses()),
            Command::Listening(answer) => reply(answer, self.listening()),
            Command::Dial(address, answer) => reply(answer, self.swarm.dial(address).is_ok()),
            Command::Disconnect(peer) => self.gossip().close(peer),
            Command::AddRecord(bytes, answer) => reply(answer, self.records.add(&bytes)),
            Command::Records(answer) => reply(answer, self.records.export()),
            Command::Stats(answer) => reply(answer, self.counters()),
            // Taken by `run`.
            Command::Shutdown(answer) => reply(answer, ()),
        }
    }

    fn statuses(&self) -> Vec<PeerStatus> {
        let router = self.swarm.behaviour().gossip.router();
        let status = |(peer, known): (&PeerKey, &Known)| PeerStatus {
            score: router.score(peer),
            drops: router.drops(peer),
            ..known.status.clone()
        };
        self.peers.iter().map(status).collect()
    }

    fn listening(&self) -> Vec<Multiaddr> {
        let me = *self.swarm.local_peer_id();
        self.swarm
            .listeners()
            .map(|a| a.clone().with(Protocol::P2p(me)))
            .collect()
    }

    fn counters(&self) -> HostStats {
        HostStats {
            gossip: self.swarm.behaviour().gossip.router().stats(),
            records: self.records.len(),
            ..self.stats
        }
    }

    fn known(&mut self, peer: &libp2p::PeerId) -> Option<&mut Known> {
        self.peers.get_mut(&peer_key(peer)?)
    }
}

/// The socket of a TCP listen address with a fixed port.
fn tcp_socket(address: &Multiaddr) -> Option<SocketAddr> {
    let port = address.iter().find_map(|p| match p {
        Protocol::Tcp(port) if port != 0 => Some(port),
        _ => None,
    })?;
    ip_of(address).map(|ip| (ip, port).into())
}

/// Answers a call; its caller may have stopped waiting.
fn reply<T>(answer: oneshot::Sender<T>, value: T) {
    let _gone = answer.send(value);
}

fn swarm(config: &HostConfig, router: Router) -> Result<Swarm<Behaviour>, HostError> {
    let fail = |what: &str| HostError::Transport(what.to_owned());
    let gossip_id = config
        .protocol("blossomsub/1")
        .ok_or_else(|| fail("protocol id"))?;
    let frames_id = config
        .protocol("frames/1")
        .ok_or_else(|| fail("protocol id"))?;
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(config.connections.pending_max))
        .with_max_pending_outgoing(Some(config.connections.pending_max))
        .with_max_established_incoming(Some(config.connections.inbound_max))
        .with_max_established_outgoing(Some(config.connections.outbound_max))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER));
    let identify_config = identify::Config::new_with_signed_peer_record(
        format!("/quil/{}/1", network_tag(&config.genesis)),
        config.identity.keypair(),
    )
    .with_agent_version(concat!("quil/", env!("CARGO_PKG_VERSION")).to_owned())
    .with_push_listen_addr_updates(true)
    .with_cache_size(0);
    let rpc = rr::Behaviour::with_codec(
        Opaque,
        [(frames_id, ProtocolSupport::Full)],
        rr::Config::default()
            .with_request_timeout(config.request_timeout)
            .with_max_concurrent_streams(CONNECTION_STREAMS_MAX),
    );
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        gossip: Gossip::new(router, gossip_id, Instant::now()),
        rpc,
        identify: identify::Behaviour::new(identify_config),
        ping: ping::Behaviour::default(),
    };
    let swarm = SwarmBuilder::with_existing_identity(config.identity.keypair().clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|e| fail(&e.to_string()))?
        .with_quic()
        .with_behaviour(|_| behaviour)
        .map_err(|_| fail("behaviour"))?
        .with_swarm_config(|c| c.with_idle_connection_timeout(IDLE_TIMEOUT))
        .build();
    Ok(swarm)
}
