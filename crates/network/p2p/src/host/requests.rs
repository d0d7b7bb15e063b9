//! Requests in both directions: who waits for what, and how many may.

use std::collections::BTreeMap;

use bytes::Bytes;
use libp2p::request_response::{
    Event, InboundRequestId, Message, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use quil_blossomsub::Input;
use quil_types::PeerKey;
use tokio::sync::oneshot;

use super::{Host, reply};
use crate::{
    handle::{HostEvent, Reply, RequestError},
    identity::peer_key,
    limits::{
        INBOUND_REQUESTS_MAX, OUTBOUND_REQUESTS_MAX, PEER_OUTBOUND_REQUESTS_MAX,
        REQUEST_FLOOD_POINTS,
    },
    rpc::Rates,
};

#[derive(Debug, Default)]
pub(super) struct Requests {
    outbound: BTreeMap<OutboundRequestId, (PeerKey, oneshot::Sender<Result<Bytes, RequestError>>)>,
    inbound: BTreeMap<InboundRequestId, ()>,
    rates: Rates,
}

impl Host {
    pub(super) fn request(
        &mut self,
        peer: PeerKey,
        data: Bytes,
        answer: oneshot::Sender<Result<Bytes, RequestError>>,
    ) {
        let waiting = &mut self.requests.outbound;
        waiting.retain(|_, (_, a)| !a.is_closed());
        let same = waiting.values().filter(|(p, _)| *p == peer).count();
        if waiting.len() >= OUTBOUND_REQUESTS_MAX || same >= PEER_OUTBOUND_REQUESTS_MAX {
            return reply(answer, Err(RequestError::Busy));
        }
        let behaviour = self.swarm.behaviour_mut();
        let id = behaviour
            .gossip
            .peer_id(&peer)
            .filter(|_| behaviour.gossip.is_linked(&peer));
        let Some(id) = id else {
            return reply(answer, Err(RequestError::NotConnected));
        };
        let request = behaviour.rpc.send_request(&id, data);
        self.requests.outbound.insert(request, (peer, answer));
    }

    pub(super) fn respond(&mut self, to: Reply, data: Bytes, answer: oneshot::Sender<bool>) {
        let sent = self
            .swarm
            .behaviour_mut()
            .rpc
            .send_response(to.channel, data)
            .is_ok();
        reply(answer, sent);
    }

    pub(super) fn rpc_event(&mut self, event: Event<Bytes, Bytes>) {
        match event {
            Event::Message {
                peer,
                message:
                    Message::Request {
                        request_id,
                        request,
                        channel,
                    },
                ..
            } => {
                if let Some(peer) = peer_key(&peer) {
                    self.asked(peer, request_id, request, channel);
                }
            }
            Event::Message {
                message:
                    Message::Response {
                        request_id,
                        response,
                    },
                ..
            } => {
                self.answered(request_id, Ok(response));
            }
            Event::OutboundFailure {
                request_id, error, ..
            } => self.answered(request_id, Err(failure(&error))),
            Event::InboundFailure { request_id, .. } | Event::ResponseSent { request_id, .. } => {
                self.requests.inbound.remove(&request_id);
            }
        }
    }

    /// Dropping the channel refuses the request.
    fn asked(
        &mut self,
        peer: PeerKey,
        id: InboundRequestId,
        data: Bytes,
        channel: ResponseChannel<Bytes>,
    ) {
        let now = self.now_ms();
        let within_rate = self.requests.rates.take(peer, now);
        if !within_rate {
            self.gossip().give(Input::Penalise {
                peer,
                points: REQUEST_FLOOD_POINTS,
            });
        }
        if !within_rate || self.requests.inbound.len() >= INBOUND_REQUESTS_MAX {
            self.stats.requests_refused = self.stats.requests_refused.saturating_add(1);
            return;
        }
        if self.emit(HostEvent::Request {
            peer,
            data,
            reply: Reply { channel },
        }) {
            self.requests.inbound.insert(id, ());
        }
    }

    fn answered(&mut self, id: OutboundRequestId, result: Result<Bytes, RequestError>) {
        if let Some((_, answer)) = self.requests.outbound.remove(&id) {
            reply(answer, result);
        }
    }
}

const fn failure(error: &OutboundFailure) -> RequestError {
    match error {
        OutboundFailure::DialFailure => RequestError::NotConnected,
        OutboundFailure::Timeout => RequestError::Timeout,
        OutboundFailure::ConnectionClosed => RequestError::Disconnected,
        OutboundFailure::UnsupportedProtocols | OutboundFailure::Io(_) => RequestError::Refused,
    }
}
