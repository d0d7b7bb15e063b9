//! What the swarm reports.

use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    identify, ping,
    swarm::{ConnectionId, SwarmEvent},
};
use quil_blossomsub::{Direction, Drops, Input, Verdict};

use super::{BehaviourEvent, Host, Known};
use crate::{
    gossip::GossipEvent,
    handle::{HostEvent, PeerStatus},
    identity::peer_key,
    limits::{BAN_MS, EVENTS_RESERVED, PING_FAILURES_MAX},
};

impl Host {
    pub(super) fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.gossip_event(event),
            SwarmEvent::Behaviour(BehaviourEvent::Rpc(event)) => self.rpc_event(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.identified(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.pinged(&event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                num_established,
                ..
            } => {
                self.dialer.connected(connection_id, peer_id);
                if num_established.get() == 1 {
                    self.peer_connected(peer_id, &endpoint);
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => self.peer_disconnected(&peer_id),
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                tracing::debug!(%error, "dial failed");
                self.dial_failed(connection_id, peer_id.as_ref());
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            SwarmEvent::ListenerClosed { addresses, .. } => {
                tracing::error!(?addresses, "listener closed")
            }
            _ => {}
        }
    }

    /// `false`: the node's queue is full and the event was dropped.
    pub(super) fn emit(&mut self, event: HostEvent) -> bool {
        let sent = self.events.try_send(event).is_ok();
        self.stats.events_dropped = self.stats.events_dropped.saturating_add(u64::from(!sent));
        sent
    }

    fn gossip_event(&mut self, event: GossipEvent) {
        match event {
            GossipEvent::Message {
                id,
                mask,
                data,
                from,
            } => {
                let room = self.events.capacity() > EVENTS_RESERVED;
                if !room
                    || !self.emit(HostEvent::Message {
                        id,
                        mask,
                        data,
                        from,
                    })
                {
                    self.stats.messages_dropped = self.stats.messages_dropped.saturating_add(1);
                    self.gossip().give(Input::Validated {
                        id,
                        verdict: Verdict::Ignore,
                    });
                }
            }
            GossipEvent::Banned(peer) => {
                tracing::info!(%peer, "graylisted");
                let until = self.now_ms().saturating_add(BAN_MS);
                if let Some(id) = self.gossip().peer_id(&peer) {
                    self.dialer.postpone(&id, until);
                }
                self.emit(HostEvent::PeerBanned { peer });
            }
            GossipEvent::Unsupported(peer) => {
                tracing::debug!(%peer, "does not speak the gossip protocol of this network");
                self.foreign(&peer);
            }
        }
    }

    fn foreign(&mut self, peer: &quil_types::PeerKey) {
        self.stats.foreign_peers = self.stats.foreign_peers.saturating_add(1);
        let until = self.now_ms().saturating_add(BAN_MS);
        if let Some(id) = self.gossip().peer_id(peer) {
            self.dialer.postpone(&id, until);
        }
        self.gossip().close(*peer);
    }

    fn identified(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else {
            return;
        };
        if info.protocol_version != self.network {
            if let Some(peer) = peer_key(&peer_id) {
                self.foreign(&peer);
            }
            return;
        }
        if let Some(envelope) = info.signed_peer_record
            && let Err(error) = self.records.add(&envelope.into_protobuf_encoding())
        {
            tracing::trace!(%error, "peer record");
        }
    }

    fn pinged(&mut self, event: &ping::Event) {
        let Some(known) = self.known(&event.peer) else {
            return;
        };
        match &event.result {
            Ok(rtt) => {
                known.ping_failures = 0;
                known.status.rtt_ms = u64::try_from(rtt.as_millis()).ok();
            }
            Err(ping::Failure::Unsupported) => {}
            Err(_) => {
                known.ping_failures = known.ping_failures.saturating_add(1);
                if known.ping_failures >= PING_FAILURES_MAX {
                    let peer = known.status.peer;
                    self.gossip().close(peer);
                }
            }
        }
    }

    fn peer_connected(&mut self, id: PeerId, endpoint: &ConnectedPoint) {
        let Some(peer) = peer_key(&id) else { return };
        let address: Multiaddr = endpoint.get_remote_address().clone();
        let direction = if endpoint.is_dialer() {
            Direction::Outbound
        } else {
            Direction::Inbound
        };
        self.records.succeeded(&peer);
        let status = PeerStatus {
            peer,
            address: address.clone(),
            direction,
            score: 0,
            rtt_ms: None,
            drops: Drops::default(),
        };
        self.peers.insert(
            peer,
            Known {
                status,
                ping_failures: 0,
            },
        );
        self.emit(HostEvent::PeerConnected {
            peer,
            address,
            direction,
        });
    }

    fn peer_disconnected(&mut self, id: &PeerId) {
        let now = self.now_ms();
        self.dialer.disconnected(id, now);
        let Some(peer) = peer_key(id) else { return };
        if self.peers.remove(&peer).is_some() {
            self.emit(HostEvent::PeerDisconnected { peer });
        }
    }

    fn dial_failed(&mut self, connection: ConnectionId, peer: Option<&PeerId>) {
        let now = self.now_ms();
        self.dialer.failed(connection, now);
        if let Some(peer) = peer.and_then(peer_key) {
            self.records.failed(&peer, now);
        }
    }
}
