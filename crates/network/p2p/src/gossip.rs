//! Carries a BlossomSub router over libp2p connections.
//!
//! Every side opens one stream to every peer and only writes on it; streams of the peer are only read. At most one frame
//! per peer is on its way to the connection at any time: what waits stays in the router's queue, where it is ordered by
//! priority, replaced and cancelled. When two connections to a peer exist (both dialled at once), each side may write on
//! another one; as soon as one that carries a stream ends, all end, so that both routers start afresh together.

mod framing;
mod handler;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    task::{Context, Poll},
};

use bytes::Bytes;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{ConnectedPoint, Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    },
};
use quil_blossomsub::{
    DeliveryReport, Direction, Input, Mask, MessageId, Outbox, Output, PublishError, Router,
    SubscribeError,
};
use quil_types::PeerKey;
use tokio::time::Instant;

use crate::{
    identity::{peer_id, peer_key},
    limits::{BAN_MS, BANS_MAX},
};
use handler::{FromHandler, Handler, ToHandler};

/// What the gossip behaviour reports to the host.
#[derive(Debug)]
pub(crate) enum GossipEvent {
    /// A message waits for its verdict.
    Message {
        id: MessageId,
        mask: Mask,
        data: Bytes,
        from: PeerKey,
    },
    /// A peer was graylisted and is being disconnected.
    Banned(PeerKey),
    /// A peer does not speak our protocol: another network, or no node at all.
    Unsupported(PeerKey),
}

/// Connections of one peer.
#[derive(Debug)]
struct Link {
    peer: PeerId,
    connections: Vec<ConnectionId>,
    /// Where our stream is.
    outbound: ConnectionId,
    /// Where the peer's stream is.
    inbound: Option<ConnectionId>,
    /// Our stream is open and idle.
    ready: bool,
    /// Not to be used any more; the connections are being closed.
    dead: bool,
}

/// A refused connection to a banned peer.
#[derive(Debug, thiserror::Error)]
#[error("peer is banned")]
struct Banned;

/// A refused connection to a peer without an Ed25519 key.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 peer id")]
struct NotEd25519;

pub(crate) struct Gossip {
    router: Router,
    protocol: StreamProtocol,
    started: Instant,
    links: BTreeMap<PeerKey, Link>,
    bans: BTreeMap<PeerKey, u64>,
    /// Bounded: one frame in flight per peer, and as many messages as the router lets wait for a verdict.
    actions: VecDeque<ToSwarm<GossipEvent, ToHandler>>,
}

impl Gossip {
    pub(crate) fn new(router: Router, protocol: StreamProtocol, started: Instant) -> Self {
        Self {
            router,
            protocol,
            started,
            links: BTreeMap::new(),
            bans: BTreeMap::new(),
            actions: VecDeque::new(),
        }
    }

    pub(crate) const fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The instant of a router time.
    pub(crate) fn at(&self, ms: u64) -> Instant {
        // A day ahead at most: instants near the end of time overflow.
        self.started
            + std::time::Duration::from_millis(ms.min(self.now_ms().saturating_add(86_400_000)))
    }

    /// Gives the router an input and carries out what it answers.
    pub(crate) fn give(&mut self, input: Input) -> Option<Result<DeliveryReport, PublishError>> {
        self.apply(input).0
    }

    /// The same for a subscription, with its refusal.
    pub(crate) fn subscribe(&mut self, mask: Mask) -> Result<(), SubscribeError> {
        self.apply(Input::Subscribe(mask)).1.map_or(Ok(()), Err)
    }

    fn apply(
        &mut self,
        input: Input,
    ) -> (
        Option<Result<DeliveryReport, PublishError>>,
        Option<SubscribeError>,
    ) {
        let mut out = Outbox::default();
        self.router.handle(self.now_ms(), input, &mut out);
        let mut answer = (None, None);
        for output in out.drain() {
            match output {
                Output::Wake(peer) => self.pump(peer),
                Output::Validate {
                    id,
                    mask,
                    data,
                    from,
                } => {
                    self.actions
                        .push_back(ToSwarm::GenerateEvent(GossipEvent::Message {
                            id,
                            mask,
                            data,
                            from,
                        }));
                }
                Output::Published(report) => answer.0 = Some(report),
                Output::SubscribeRefused(error) => answer.1 = Some(error),
                Output::Graylisted(peer) => self.ban(peer),
            }
        }
        answer
    }

    fn pump(&mut self, key: PeerKey) {
        let Some(link) = self.links.get_mut(&key).filter(|l| l.ready && !l.dead) else {
            return;
        };
        let Some(frame) = self.router.next_frame(&key) else {
            return;
        };
        link.ready = false;
        let handler = NotifyHandler::One(link.outbound);
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id: link.peer,
            handler,
            event: ToHandler::Write(frame),
        });
    }

    fn ban(&mut self, key: PeerKey) {
        let now = self.now_ms();
        self.bans.retain(|_, until| *until > now);
        if self.bans.len() >= BANS_MAX
            && let Some(first) = self
                .bans
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(k, _)| *k)
        {
            self.bans.remove(&first);
        }
        self.bans.insert(key, now.saturating_add(BAN_MS));
        self.close(key);
        self.actions
            .push_back(ToSwarm::GenerateEvent(GossipEvent::Banned(key)));
    }

    pub(crate) fn is_banned(&self, key: &PeerKey) -> bool {
        self.bans
            .get(key)
            .is_some_and(|until| *until > self.now_ms())
    }

    /// Closes every connection of a peer.
    pub(crate) fn close(&mut self, key: PeerKey) {
        let Some(link) = self.links.get_mut(&key) else {
            return;
        };
        link.dead = true;
        let (peer_id, connection) = (link.peer, CloseConnection::All);
        self.actions.push_back(ToSwarm::CloseConnection {
            peer_id,
            connection,
        });
    }

    fn admit(&self, peer: &PeerId) -> Result<Handler, ConnectionDenied> {
        let key = peer_key(peer).ok_or_else(|| ConnectionDenied::new(NotEd25519))?;
        if self.is_banned(&key) {
            return Err(ConnectionDenied::new(Banned));
        }
        Ok(Handler::new(self.protocol.clone()))
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(key) = peer_key(&peer) else { return };
        if let Some(link) = self.links.get_mut(&key) {
            link.connections.push(connection);
            return;
        }
        let link = Link {
            peer,
            connections: vec![connection],
            outbound: connection,
            inbound: None,
            ready: false,
            dead: false,
        };
        self.links.insert(key, link);
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: ToHandler::Open,
        });
        let direction = if endpoint.is_dialer() {
            Direction::Outbound
        } else {
            Direction::Inbound
        };
        self.give(Input::Connected {
            peer: key,
            direction,
            ip: ip_of(endpoint.get_remote_address()),
        });
    }

    fn closed(&mut self, peer: &PeerId, connection: ConnectionId) {
        let Some(key) = peer_key(peer) else { return };
        let Some(link) = self.links.get_mut(&key) else {
            return;
        };
        link.connections.retain(|c| *c != connection);
        if link.connections.is_empty() {
            self.links.remove(&key);
            self.give(Input::Disconnected { peer: key });
        } else if link.outbound == connection || link.inbound == Some(connection) {
            self.close(key);
        }
    }

    fn heard(&mut self, key: PeerKey, connection: ConnectionId, event: FromHandler) {
        let Some(link) = self.links.get_mut(&key).filter(|l| !l.dead) else {
            return;
        };
        match event {
            FromHandler::Ready => {
                link.ready = true;
                self.pump(key);
            }
            FromHandler::Read(rpc) => {
                link.inbound = Some(connection);
                self.give(Input::Rpc {
                    peer: key,
                    rpc: *rpc,
                });
            }
            FromHandler::Malformed => {
                self.give(Input::Malformed { peer: key });
            }
            FromHandler::Unsupported => {
                self.actions
                    .push_back(ToSwarm::GenerateEvent(GossipEvent::Unsupported(key)));
                self.close(key);
            }
            FromHandler::Broken => self.close(key),
        }
    }
}

/// The IP address in front of a multiaddress.
pub(crate) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

impl NetworkBehaviour for Gossip {
    type ConnectionHandler = Handler;
    type ToSwarm = GossipEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        match peer {
            Some(peer) => self.admit(&peer).map(|_| Vec::new()),
            None => Ok(Vec::new()),
        }
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(c) => {
                self.established(c.peer_id, c.connection_id, c.endpoint)
            }
            FromSwarm::ConnectionClosed(c) => self.closed(&c.peer_id, c.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        if let Some(key) = peer_key(&peer) {
            self.heard(key, connection, event);
        }
    }

    /// No waker: everything that fills `actions` runs inside the task that polls the swarm next.
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Peer ids of connected peers, for the host.
impl Gossip {
    pub(crate) fn is_linked(&self, key: &PeerKey) -> bool {
        self.links.get(key).is_some_and(|l| !l.dead)
    }

    pub(crate) fn peer_id(&self, key: &PeerKey) -> Option<PeerId> {
        self.links.get(key).map(|l| l.peer).or_else(|| peer_id(key))
    }
}
