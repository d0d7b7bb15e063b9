//! What goes into a chain engine and what comes out.
//!
//! An engine is a state machine: the driver calls [`handle`](crate::ChainEngine::handle) with one [`Input`] and
//! carries out the [`Output`]s in order. It reads no clock, opens no file and spawns nothing, so that whole
//! networks run in one deterministic process.

use std::sync::Arc;

use quil_types::{
    Bundle, Chain, Code, Epoch, Equivocation, FinalityProof, FrameId, FrameNumber, FramesRequest,
    FramesResponse, Header, Millis, PeerKey, Rank, ShardAddr, ShardRow, Timestamp, TxId,
};

use crate::error::LocalFault;
use crate::jobs::{Job, JobOutcome};
use crate::snapshot::Snapshot;

/// Names a gossip message until its verdict is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GossipToken(pub u64);
/// Names a request of the driver until its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestToken(pub u64);
/// Names a durable batch until it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId(pub u64);

/// Message classes; the driver maps them to gossip masks (W2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Consensus envelopes of a chain.
    Consensus(Chain),
    /// Final frames of a chain.
    FinalFrame(Chain),
    /// Shard updates and beacons of the global chain.
    Settlement,
    /// Bundles for a shard.
    Bundle(Chain),
}

/// The time, given with every input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic; deadlines are in it.
    pub tick: Millis,
    /// Wall clock; only timestamps of headers are compared with it (R4).
    pub wall: Timestamp,
}

/// Everything that can happen to an engine.
#[derive(Debug)]
pub enum Input {
    /// First input after construction.
    Start,
    /// A gossip message, within the size cap of its class.
    Gossip {
        /// For the verdict.
        token: GossipToken,
        /// The neighbour that delivered it.
        from: PeerKey,
        /// Its class.
        class: Class,
        /// The message.
        data: Vec<u8>,
    },
    /// A bundle from a client.
    Submit {
        /// For the answer.
        token: RequestToken,
        /// The encoded bundle.
        data: Vec<u8>,
    },
    /// A job ended.
    Done(JobOutcome),
    /// A batch is on disk.
    Persisted(BatchId),
    /// The deadline last asked for has passed; an earlier one is harmless.
    Deadline,
    /// The answer to [`Output::Fetch`]; `None` when nobody answered.
    Fetched {
        /// Who answered.
        from: Option<PeerKey>,
        /// The request's token.
        token: RequestToken,
        /// The answer.
        response: Option<FramesResponse>,
    },
    /// A final global frame with its proof, for the engines of shards (R5). Consecutive.
    GlobalFinal(Box<Header>),
}

impl Input {
    /// A fixed word for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Gossip { .. } => "gossip",
            Self::Submit { .. } => "submit",
            Self::Done(_) => "done",
            Self::Persisted(_) => "persisted",
            Self::Deadline => "deadline",
            Self::Fetched { .. } => "fetched",
            Self::GlobalFinal(_) => "global_final",
        }
    }
}

/// Where a batch goes (section C4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// Votes and timeouts.
    Safety,
    /// Everything else.
    State,
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: crate::tables::Table,
    /// The key, ordered as bytes.
    pub key: Vec<u8>,
    /// The value; `None` deletes.
    pub value: Option<Vec<u8>>,
}

/// What a neighbour deserves for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Forward it.
    Accept,
    /// Do not forward it; nobody's fault.
    Ignore,
    /// Do not forward it and lower the sender's score.
    Reject,
}

/// Why a submitted bundle was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The network's rules forbid it (T8).
    #[error("{0}")]
    Rejected(Code),
    /// It does not decode.
    #[error("not a bundle")]
    Malformed,
    /// The mempool or the verification queue is full; try again.
    #[error("busy, try again")]
    Busy,
    /// The chain is not caught up yet.
    #[error("not synced yet")]
    NotReady,
}

/// Why an engine stops for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Two conflicting finality proofs: more than a third of the weight is Byzantine (R6).
    #[error(
        "two conflicting frames are proven final: more than a third of the committee is Byzantine"
    )]
    Conflict,
    /// The safety record is missing although the chain has data (C8).
    #[error("the safety record is missing; refusing to sign until --accept-lost-safety")]
    LostSafety,
    /// A final frame does not execute here: this node's state differs from the network's.
    #[error("final frame {0} gives other roots here: the local state is damaged")]
    StateMismatch(FrameNumber),
    /// The local store or state cannot answer. Nothing was said that depends on the missing answer.
    #[error("{0}")]
    Local(#[from] LocalFault),
}

/// What happened, for users, metrics and other engines.
#[derive(Clone, Debug)]
pub enum Event {
    /// A frame was proposed, voted or certified.
    Head {
        /// Its number.
        number: FrameNumber,
        /// Its epoch.
        epoch: Epoch,
        /// Its rank.
        rank: Rank,
        /// Its identity.
        id: FrameId,
    },
    /// A frame is final and on disk.
    Final {
        /// Its header.
        header: Box<Header>,
        /// Why it is final, when it has a proof of its own; else the proof of a later frame covers it.
        proof: Option<Box<FinalityProof>>,
        /// The state after it, with its receipts.
        snapshot: Arc<Snapshot>,
    },
    /// A shard frame is recorded in a final global frame (S2).
    Settled {
        /// The shard.
        shard: ShardAddr,
        /// Its row.
        row: Box<ShardRow>,
    },
    /// A bundle stands in a certified or proposed frame.
    Included {
        /// The bundle.
        tx: TxId,
        /// The frame.
        number: FrameNumber,
    },
    /// A rank ended by timeouts.
    RankFailed {
        /// Which.
        rank: Rank,
    },
    /// A member signed two frames of one rank (C10).
    Equivocation(Box<Equivocation>),
    /// A vote of this node left the process.
    Voted {
        /// Epoch of the vote.
        epoch: Epoch,
        /// Rank of the vote.
        rank: Rank,
        /// The frame.
        id: FrameId,
    },
}

/// What the driver must do, in order.
#[derive(Debug)]
#[must_use]
pub enum Output {
    /// Write one batch durably; answer with [`Input::Persisted`]. A failure stops the process.
    Persist {
        /// Its name.
        id: BatchId,
        /// Which file.
        file: File,
        /// The changes.
        writes: Vec<Write>,
    },
    /// Publish to everybody interested.
    Publish {
        /// The class.
        class: Class,
        /// The message.
        data: Vec<u8>,
    },
    /// What to do with a gossip message.
    Verdict {
        /// Which.
        token: GossipToken,
        /// What.
        verdict: Verdict,
    },
    /// Run on a CPU pool; answer with [`Input::Done`].
    Run(Job),
    /// The running reel evaluation is not needed any more.
    CancelSolve,
    /// Call with [`Input::Deadline`] at this time; replaces an earlier deadline.
    Deadline(Millis),
    /// Ask a peer that keeps this chain; answer with [`Input::Fetched`].
    Fetch {
        /// For the answer.
        token: RequestToken,
        /// The question.
        request: FramesRequest,
        /// Somebody who should know.
        hint: Option<PeerKey>,
    },
    /// A peer broke a rule.
    Penalise {
        /// Who.
        peer: PeerKey,
        /// How, from a fixed set of words: a metric label.
        reason: &'static str,
        /// For the log.
        detail: String,
    },
    /// The answer to [`Input::Submit`].
    Submitted {
        /// The request's token.
        token: RequestToken,
        /// Its identity, or why not.
        result: Result<TxId, SubmitError>,
    },
    /// Something happened.
    Event(Event),
    /// Stop this engine.
    Halt(Halt),
}

/// A bundle whose identity is computed once.
#[derive(Clone, Debug)]
pub struct NamedBundle {
    /// Identity.
    pub id: TxId,
    /// The bundle.
    pub bundle: Bundle,
}
