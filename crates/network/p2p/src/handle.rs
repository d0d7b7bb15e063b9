//! The node's side of a host: calls and events.

use bytes::Bytes;
use libp2p::{Multiaddr, PeerId, request_response::ResponseChannel};
use quil_blossomsub::{
    DeliveryReport, Direction, Drops, Mask, Message, MessageId, PublishError, Stats,
    SubscribeError, Verdict,
};
use quil_types::PeerKey;
use tokio::sync::{mpsc, oneshot};

use crate::{
    limits::{OFFLOAD_BYTES_MIN, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX},
    records::RecordError,
};

/// What a host tells its node.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostEvent {
    /// A gossip message: validate it and answer by [`HostHandle::report_validation`]. It is forwarded only after `Accept`.
    Message {
        /// Id for the answer.
        id: MessageId,
        /// Topic.
        mask: Mask,
        /// Payload, within the cap of its class.
        data: Bytes,
        /// Who sent it to us; says nothing about its author.
        from: PeerKey,
    },
    /// A catch-up request: answer by [`HostHandle::respond`]. Dropping `reply` refuses it.
    Request {
        /// Who asks.
        peer: PeerKey,
        /// The request, not empty, at most [`REQUEST_BYTES_MAX`] bytes.
        data: Bytes,
        /// Where the answer goes.
        reply: Reply,
    },
    /// First connection of a peer.
    PeerConnected {
        /// Who.
        peer: PeerKey,
        /// Remote address.
        address: Multiaddr,
        /// Who dialled.
        direction: Direction,
    },
    /// Last connection of a peer ended.
    PeerDisconnected {
        /// Who.
        peer: PeerKey,
    },
    /// A peer fell below the graylist threshold; it is disconnected and kept away for a while.
    PeerBanned {
        /// Who.
        peer: PeerKey,
    },
}

/// The right to answer one request, once.
#[derive(Debug)]
pub struct Reply {
    pub(crate) channel: ResponseChannel<Bytes>,
}

/// Events of a host, in order.
///
/// The queue holds [`crate::limits::EVENTS_MAX`]. When it fills up, messages are dropped first (as ignored: they may come
/// again), later requests (the peer sees a refusal) and news about peers; [`HostHandle::peers`] is always true.
#[derive(Debug)]
pub struct HostEvents {
    pub(crate) receiver: mpsc::Receiver<HostEvent>,
}

impl HostEvents {
    /// The next event; `None` when the host has ended. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<HostEvent> {
        self.receiver.recv().await
    }
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who.
    pub peer: PeerKey,
    /// Remote address of its first connection.
    pub address: Multiaddr,
    /// Who dialled it.
    pub direction: Direction,
    /// Score in units; a point is 1000.
    pub score: i64,
    /// Last round trip measured, milliseconds.
    pub rtt_ms: Option<u64>,
    /// What its gossip queue dropped.
    pub drops: Drops,
}

/// Counters of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Of the router.
    pub gossip: Stats,
    /// Messages dropped because the node's event queue was full.
    pub messages_dropped: u64,
    /// Other events dropped for the same reason.
    pub events_dropped: u64,
    /// Requests of peers refused by rate or number.
    pub requests_refused: u64,
    /// Peers connected that speak another network's protocols.
    pub foreign_peers: u64,
    /// Peer records known.
    pub records: usize,
}

/// Why a peer is penalised by the node. Rejected messages are penalised by their verdict already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Penalty {
    /// A response that is malformed or proves nothing.
    BadResponse,
    /// A request that is malformed.
    BadRequest,
    /// Did not answer in time.
    Slow,
    /// Certified wrongdoing: out at once.
    Malicious,
}

impl Penalty {
    /// Points taken from the score; 2500 below zero is the graylist threshold.
    #[must_use]
    pub const fn points(self) -> u32 {
        match self {
            Self::BadResponse => 500,
            Self::BadRequest => 100,
            Self::Slow => 10,
            Self::Malicious => 5000,
        }
    }
}

/// The host has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the p2p host has ended")]
pub struct Ended;

/// Why a message was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Refused by a rule.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// No host.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// Why a subscription failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Refused by a rule.
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
    /// No host.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// Why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Empty, or above [`REQUEST_BYTES_MAX`].
    #[error("request of {0} bytes")]
    Size(usize),
    /// The peer is not connected.
    #[error("peer is not connected")]
    NotConnected,
    /// Too many requests under way, to this peer or at all.
    #[error("too many requests under way")]
    Busy,
    /// The peer did not answer in time.
    #[error("no response in time")]
    Timeout,
    /// The peer refused, does not know the protocol, or sent nothing or too much.
    #[error("refused by the peer")]
    Refused,
    /// The connection ended.
    #[error("connection ended")]
    Disconnected,
    /// No host.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// Why a response was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RespondError {
    /// Empty, or above [`RESPONSE_BYTES_MAX`].
    #[error("response of {0} bytes")]
    Size(usize),
    /// The peer does not wait any more.
    #[error("the request has ended")]
    Late,
    /// No host.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// Why an address was not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Limits, a ban, or an address no transport can dial.
    #[error("the dial was refused")]
    Refused,
    /// No host.
    #[error(transparent)]
    Ended(#[from] Ended),
}

type Answer<T> = oneshot::Sender<T>;

/// A call of the node.
#[derive(Debug)]
pub(crate) enum Command {
    Publish(Message, bool, Answer<Result<DeliveryReport, PublishError>>),
    Subscribe(Mask, Answer<Result<(), SubscribeError>>),
    Unsubscribe(Mask),
    Verdict(MessageId, Verdict),
    Penalise(PeerKey, u32),
    Operator(PeerKey, [u8; 32]),
    Request(PeerKey, Bytes, Answer<Result<Bytes, RequestError>>),
    Respond(Reply, Bytes, Answer<bool>),
    Peers(Answer<Vec<PeerStatus>>),
    Listening(Answer<Vec<Multiaddr>>),
    Dial(Multiaddr, Answer<bool>),
    Disconnect(PeerKey),
    AddRecord(Bytes, Answer<Result<PeerKey, RecordError>>),
    Records(Answer<Vec<Bytes>>),
    Stats(Answer<HostStats>),
    Shutdown(Answer<()>),
}

/// Calls a host. Cheap to clone; the host ends when the last clone is dropped or after [`Self::shutdown`].
///
/// The queue of calls is bounded; a full one makes the caller wait. Cancel safety of every call: a dropped future either
/// had no effect or its full effect, and only the answer is lost. Calls of one task take effect in their order.
#[derive(Clone, Debug)]
pub struct HostHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) key: PeerKey,
    pub(crate) peer_id: PeerId,
}

impl HostHandle {
    /// Key of this host.
    #[must_use]
    pub const fn key(&self) -> PeerKey {
        self.key
    }

    /// Peer id of this host.
    #[must_use]
    pub const fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    async fn tell(&self, command: Command) -> Result<(), Ended> {
        self.commands.send(command).await.map_err(|_| Ended)
    }

    async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, Ended> {
        let (answer, wait) = oneshot::channel();
        self.tell(command(answer)).await?;
        wait.await.map_err(|_| Ended)
    }

    /// Publishes an own message; it is not delivered back. The report says to how many peers it was queued.
    ///
    /// # Errors
    /// [`PublishError`]; [`PublishError::Duplicate`] if it was sent or seen before.
    pub async fn publish(&self, mask: Mask, data: Bytes) -> Result<DeliveryReport, SendError> {
        self.send(mask, data, false).await
    }

    /// Publishes a message although it was sent or seen before, for peers that came later.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn republish(&self, mask: Mask, data: Bytes) -> Result<DeliveryReport, SendError> {
        self.send(mask, data, true).await
    }

    async fn send(
        &self,
        mask: Mask,
        data: Bytes,
        again: bool,
    ) -> Result<DeliveryReport, SendError> {
        // Hashing megabytes takes milliseconds: not on an async thread.
        let message = if data.len() < OFFLOAD_BYTES_MIN {
            Message::try_new(mask, data)?
        } else {
            tokio::task::spawn_blocking(move || Message::try_new(mask, data))
                .await
                .map_err(|_| Ended)??
        };
        Ok(self
            .ask(|answer| Command::Publish(message, again, answer))
            .await??)
    }

    /// Takes part in a topic.
    ///
    /// # Errors
    /// Too many masks or slices.
    pub async fn subscribe(&self, mask: Mask) -> Result<(), JoinError> {
        Ok(self
            .ask(|answer| Command::Subscribe(mask, answer))
            .await??)
    }

    /// Leaves a topic.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn unsubscribe(&self, mask: Mask) -> Result<(), Ended> {
        self.tell(Command::Unsubscribe(mask)).await
    }

    /// Gives the verdict on a [`HostEvent::Message`]. Unknown or late ids are ignored.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn report_validation(&self, id: MessageId, verdict: Verdict) -> Result<(), Ended> {
        self.tell(Command::Verdict(id, verdict)).await
    }

    /// Lowers the score of a peer.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn penalise(&self, peer: PeerKey, penalty: Penalty) -> Result<(), Ended> {
        self.tell(Command::Penalise(peer, penalty.points())).await
    }

    /// Notes which operator a peer belongs to, once the node has checked a certificate that says so: peers of one
    /// operator on one address are not scored as many.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn set_operator(&self, peer: PeerKey, operator: [u8; 32]) -> Result<(), Ended> {
        self.tell(Command::Operator(peer, operator)).await
    }

    /// Asks a connected peer (W3) and waits for its response, at most [`RESPONSE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request(&self, peer: PeerKey, data: Bytes) -> Result<Bytes, RequestError> {
        if data.is_empty() || data.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::Size(data.len()));
        }
        self.ask(|answer| Command::Request(peer, data, answer))
            .await?
    }

    /// Answers a [`HostEvent::Request`].
    ///
    /// # Errors
    /// [`RespondError`].
    pub async fn respond(&self, reply: Reply, data: Bytes) -> Result<(), RespondError> {
        if data.is_empty() || data.len() > RESPONSE_BYTES_MAX {
            return Err(RespondError::Size(data.len()));
        }
        let sent = self
            .ask(|answer| Command::Respond(reply, data, answer))
            .await?;
        if sent {
            Ok(())
        } else {
            Err(RespondError::Late)
        }
    }

    /// Connected peers, by key.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn peers(&self) -> Result<Vec<PeerStatus>, Ended> {
        self.ask(Command::Peers).await
    }

    /// Addresses bound, with their real ports and this host's peer id at the end.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn listen_addrs(&self) -> Result<Vec<Multiaddr>, Ended> {
        self.ask(Command::Listening).await
    }

    /// Begins to dial an address. Success shows as [`HostEvent::PeerConnected`].
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn dial(&self, address: Multiaddr) -> Result<(), DialError> {
        let begun = self.ask(|answer| Command::Dial(address, answer)).await?;
        if begun {
            Ok(())
        } else {
            Err(DialError::Refused)
        }
    }

    /// Closes the connections of a peer.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn disconnect(&self, peer: PeerKey) -> Result<(), Ended> {
        self.tell(Command::Disconnect(peer)).await
    }

    /// Adds a signed peer record that came some other way; `Ok(Err(_))` says why it was not taken.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn add_record(&self, bytes: Bytes) -> Result<Result<PeerKey, RecordError>, Ended> {
        self.ask(|answer| Command::AddRecord(bytes, answer)).await
    }

    /// Signed peer records known, to be persisted and given to [`crate::HostConfig::records`] at the next start.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn records(&self) -> Result<Vec<Bytes>, Ended> {
        self.ask(Command::Records).await
    }

    /// Counters.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn stats(&self) -> Result<HostStats, Ended> {
        self.ask(Command::Stats).await
    }

    /// Ends the host: connections are closed, events end. Waits until it has happened; fine to call twice.
    pub async fn shutdown(&self) {
        // An error means that it has ended already.
        let _ended = self.ask(Command::Shutdown).await;
    }
}
