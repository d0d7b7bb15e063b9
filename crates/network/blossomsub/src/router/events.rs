//! What goes into a router and what comes out.

use std::net::IpAddr;

use bytes::Bytes;
use quil_types::PeerKey;

use crate::{
    id::MessageId,
    mask::Mask,
    seen::Verdict,
    wire::{Message, Rpc},
};

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer.
    Inbound,
    /// This node.
    Outbound,
}

/// Everything that can happen to a router.
#[derive(Clone, Debug)]
pub enum Input {
    /// A peer that speaks the protocol is connected. Further connections of a connected peer are not reported.
    Connected {
        /// Who.
        peer: PeerKey,
        /// Who dialled.
        direction: Direction,
        /// Remote address, if it has an IP address.
        ip: Option<IpAddr>,
    },
    /// The last connection of a peer is gone.
    Disconnected {
        /// Who.
        peer: PeerKey,
    },
    /// A peer proved which operator it belongs to; peers of one operator count once per address.
    Operator {
        /// Who.
        peer: PeerKey,
        /// Key of the operator.
        operator: [u8; 32],
    },
    /// A frame, still encoded.
    Frame {
        /// Sender.
        peer: PeerKey,
        /// Bytes of the frame without the length of the transport.
        bytes: Bytes,
    },
    /// A frame the driver decoded elsewhere by [`Rpc::decode`].
    Rpc {
        /// Sender.
        peer: PeerKey,
        /// The frame.
        rpc: Rpc,
    },
    /// A frame the driver could not decode, or one too long to read.
    Malformed {
        /// Sender.
        peer: PeerKey,
    },
    /// Take part in a topic. Refusal is [`Output::SubscribeRefused`].
    Subscribe(Mask),
    /// Leave a topic.
    Unsubscribe(Mask),
    /// Send an own message; answered by [`Output::Published`]. It is not delivered to this node.
    Publish {
        /// Hashed by the caller, so that the driver of the router need not.
        message: Message,
        /// Send it although it was sent or seen before.
        again: bool,
    },
    /// The verdict on a message of [`Output::Validate`].
    Validated {
        /// Which message.
        id: MessageId,
        /// The verdict.
        verdict: Verdict,
    },
    /// The application lowers the score of a peer.
    Penalise {
        /// Who.
        peer: PeerKey,
        /// By how many points; 2500 graylist it.
        points: u32,
    },
    /// The time of [`crate::Router::deadline_ms`] has come. Earlier ticks do nothing.
    Tick,
}

/// What the driver must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Output {
    /// Take frames of this peer by [`crate::Router::next_frame`] as the transport can send them.
    Wake(PeerKey),
    /// Validate a message and answer by [`Input::Validated`]; an accepted one is also the application's.
    Validate {
        /// Id for the answer.
        id: MessageId,
        /// Full mask.
        mask: Mask,
        /// Payload.
        data: Bytes,
        /// First sender.
        from: PeerKey,
    },
    /// Result of [`Input::Publish`].
    Published(Result<DeliveryReport, PublishError>),
    /// [`Input::Subscribe`] was refused.
    SubscribeRefused(SubscribeError),
    /// The peer fell below the graylist threshold: close its connections. Nothing it sends is read any more.
    Graylisted(PeerKey),
}

/// Collects outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox(Vec<Output>);

impl Outbox {
    pub(crate) fn push(&mut self, output: Output) {
        self.0.push(output);
    }

    /// Takes the outputs in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Output> + '_ {
        self.0.drain(..)
    }

    /// No outputs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What became of an own message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Its id.
    pub id: MessageId,
    /// Peers it was meant for: mesh, fan-out and flood together.
    pub targets: usize,
    /// Of these, queued.
    pub queued: usize,
    /// Of these, not queued because their queue was full.
    pub dropped: usize,
}

impl DeliveryReport {
    /// Nobody was there to send to: try again when a peer has come.
    #[must_use]
    pub const fn is_lonely(&self) -> bool {
        self.targets == 0
    }
}

/// Why an own message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// No payload.
    #[error("empty payload")]
    Empty,
    /// Payload above the cap of its class.
    #[error("{len} bytes, at most {max} allowed for this mask")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Cap of the class.
        max: usize,
    },
    /// Sent or seen before; set `again` to send it anyway.
    #[error("already published or seen")]
    Duplicate,
}

/// Why a subscription was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// [`crate::limits::LOCAL_MASKS_MAX`] masks.
    #[error("too many masks")]
    Masks,
    /// [`crate::limits::LOCAL_SLICES_MAX`] slices.
    #[error("too many slices")]
    Slices,
}

/// Counters since construction; the last five are sizes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames received and read.
    pub frames_in: u64,
    /// Frames handed to the driver.
    pub frames_out: u64,
    /// Payloads in them.
    pub payloads_out: u64,
    /// Payloads received the first time and given to the validator.
    pub payloads_in: u64,
    /// Payloads received again.
    pub duplicates: u64,
    /// Payloads nobody here subscribed to.
    pub unwanted: u64,
    /// Payloads dropped because too many wait for a verdict.
    pub pending_refused: u64,
    /// Messages without a verdict in time.
    pub overdue: u64,
    /// Messages accepted.
    pub accepted: u64,
    /// Messages ignored.
    pub ignored: u64,
    /// Messages rejected.
    pub rejected: u64,
    /// Frames that could not be decoded.
    pub malformed: u64,
    /// Frames beyond a peer's budget or from a graylisted peer, dropped unread.
    pub frames_refused: u64,
    /// Misbehaviours counted, over all peers.
    pub misbehaviours: u64,
    /// Promises broken, over all peers.
    pub broken_promises: u64,
    /// Times a peer was graylisted.
    pub graylisted: u64,
    /// Connected peers.
    pub peers: usize,
    /// Messages under validation.
    pub pending: usize,
    /// Entries of the seen cache.
    pub seen: usize,
    /// Entries of the back-off table.
    pub backoffs: usize,
    /// Scores kept for peers that left.
    pub retained_scores: usize,
}
