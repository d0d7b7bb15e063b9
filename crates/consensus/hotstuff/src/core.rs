//! The state machine of one chain.

mod chain;
mod check;
mod close;
mod fetch;
mod receive;
mod recover;
mod sign;
mod turn;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{
    Chain, Epoch, EpochProof, FrameId, FrameNumber, GenesisHash, MemberIndex, Millis, PeerKey,
    Proposal, Qc, Rank, limits::G2_BYTES,
};

use crate::certs::Certs;
use crate::epoch::EpochRule;
use crate::forest::Forest;
use crate::held::Held;
use crate::io::{Finality, Halt, Input, Outbox, Output, RecordId};
use crate::leader::Leaders;
use crate::pacemaker::Pacemaker;
use crate::reject::Reject;
use crate::roster::{Roster, Term};
use crate::safety::{Safety, SafetyRecord};
use crate::scheme::Scheme;
use crate::timeouts::TimeoutPool;
use crate::verify::Verified;
use crate::votes::VotePool;
use fetch::Fetches;

pub use recover::{RecoverError, Recovered};

/// What does not change while a chain runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The network.
    pub genesis: GenesisHash,
    /// The chain.
    pub chain: Chain,
    /// Where epochs end.
    pub rule: EpochRule,
    /// Frame interval `I`, milliseconds.
    pub interval_ms: u64,
    /// Least milliseconds between the timestamps of parent and child.
    pub min_spacing_ms: u64,
    /// Our consensus key as committees list it; `None` for an observer.
    pub key: Option<[u8; G2_BYTES]>,
}

/// Now and where outputs go.
pub(crate) struct Cx<'a> {
    now: Millis,
    out: &'a mut Outbox,
}

/// A secret key that does not print.
struct Keyring<S: Scheme>(Option<Arc<S::Signer>>);

impl<S: Scheme> Clone for Keyring<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Scheme> fmt::Debug for Keyring<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Keyring(..)"
        } else {
            "Keyring(none)"
        })
    }
}

/// What a durable write was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    Candidate(FrameId),
    Safety,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Who to blame and to answer.
    pub(crate) peer: PeerKey,
    /// The author's place; `None` for a fetched proposal.
    pub(crate) member: Option<MemberIndex>,
}

/// Where the core stands, for metrics and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Current epoch.
    pub epoch: Epoch,
    /// Current rank.
    pub rank: Rank,
    /// Highest certificate of the epoch.
    pub high_rank: Rank,
    /// Last final frame.
    pub final_number: FrameNumber,
    /// Its identity.
    pub final_id: FrameId,
    /// Our place in the committee.
    pub member: Option<MemberIndex>,
    /// Frames above the final one.
    pub forest: usize,
    /// Checks under way.
    pub jobs: usize,
    /// Whether the core has stopped with evidence.
    pub halted: bool,
}

/// 2-chain HotStuff for one chain: feed it [`Input`]s, carry out its [`Output`]s in order.
///
/// Nothing that comes from the network is fatal: bad input gives [`Output::Penalise`] and changes nothing. The core
/// stops only with [`Output::SafetyHalt`], which carries proof.
pub struct Core<S: Scheme> {
    config: Config,
    scheme: S,
    keyring: Keyring<S>,
    started: bool,
    halted: bool,
    /// Candidates to replay at the start.
    candidates: Vec<Proposal>,
    rosters: BTreeMap<Epoch, Arc<Roster>>,
    term: Term,
    leaders: Leaders,
    me: Option<MemberIndex>,
    /// The epoch is closed and the next committee is not known yet.
    waiting: bool,
    /// Proof of the epoch that is being left, until the frames up to its closing frame are here.
    closing: Option<Verified<EpochProof>>,
    closed: BTreeMap<Epoch, Verified<EpochProof>>,
    /// Root of epoch 0, while the core is in it from the start.
    genesis_id: FrameId,
    forest: Forest,
    finality: Option<Finality>,
    certs: Certs,
    pace: Pacemaker,
    /// The rank for which a frame was asked for.
    building: Option<Rank>,
    votes: VotePool,
    timeouts: TimeoutPool,
    safety: Safety,
    held: Held,
    early: BTreeMap<(MemberIndex, Rank, u8), receive::Early>,
    records: BTreeMap<RecordId, Record>,
    next_record: u64,
    fetches: Fetches,
    answered: BTreeMap<PeerKey, Millis>,
    deadline: Option<Millis>,
}

impl<S: Scheme + Clone> Clone for Core<S> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            scheme: self.scheme.clone(),
            keyring: self.keyring.clone(),
            candidates: self.candidates.clone(),
            rosters: self.rosters.clone(),
            term: self.term.clone(),
            leaders: self.leaders.clone(),
            closing: self.closing.clone(),
            closed: self.closed.clone(),
            forest: self.forest.clone(),
            finality: self.finality.clone(),
            certs: self.certs.clone(),
            pace: self.pace.clone(),
            votes: self.votes.clone(),
            timeouts: self.timeouts.clone(),
            safety: self.safety.clone(),
            held: self.held.clone(),
            early: self.early.clone(),
            records: self.records.clone(),
            fetches: self.fetches.clone(),
            answered: self.answered.clone(),
            ..*self
        }
    }
}

/// Two cores are equal when they will do the same; keys and caches of the scheme do not count.
impl<S: Scheme> PartialEq for Core<S> {
    fn eq(&self, other: &Self) -> bool {
        let scalars = |c: &Self| {
            (
                c.started,
                c.halted,
                c.me,
                c.waiting,
                c.genesis_id,
                c.building,
                c.next_record,
                c.deadline,
            )
        };
        scalars(self) == scalars(other)
            && self.config == other.config
            && self.candidates == other.candidates
            && self.rosters == other.rosters
            && self.term == other.term
            && self.closing == other.closing
            && self.closed == other.closed
            && self.forest == other.forest
            && self.finality == other.finality
            && self.certs == other.certs
            && self.pace == other.pace
            && self.votes == other.votes
            && self.timeouts == other.timeouts
            && self.safety == other.safety
            && self.held == other.held
            && self.early == other.early
            && self.records == other.records
            && self.fetches == other.fetches
            && self.answered == other.answered
    }
}

impl<S: Scheme> fmt::Debug for Core<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl<S: Scheme> Core<S> {
    /// Takes one step. `out` receives what the driver must do, in order.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Outbox) {
        if self.halted
            || (!self.started && !matches!(input, Input::Start | Input::Committee { .. }))
        {
            return;
        }
        let cx = &mut Cx { now, out };
        match input {
            Input::Start => self.start(cx),
            Input::Message { author, message } => self.on_message(cx, author, message),
            Input::Proposals { from, proposals } => self.on_fetched(cx, from, proposals),
            Input::Built(draft) => self.on_built(cx, *draft),
            Input::Validated { id, verdict } => self.on_verdict(cx, id, verdict),
            Input::Persisted(record) => self.on_persisted(cx, record),
            Input::Checked(outcome) => self.on_checked(cx, *outcome),
            Input::Deadline => self.on_deadline(cx),
            Input::Committee { epoch, committee } => self.on_committee(cx, epoch, *committee),
            Input::CaughtUp(caught_up) => self.on_caught_up(cx, *caught_up),
        }
        self.set_deadline(cx);
    }

    /// Where the core stands.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            epoch: self.term.epoch,
            rank: self.pace.rank(),
            high_rank: self.certs.high().rank,
            final_number: self.forest.root().header.number,
            final_id: self.forest.root().id,
            member: self.me,
            forest: self.forest.len(),
            jobs: self.held.jobs(),
            halted: self.halted,
        }
    }

    /// A frame above the final one, to answer others' fetches. An own frame is given only when its vote is out.
    #[must_use]
    pub fn proposal(&self, id: &FrameId) -> Option<&Arc<Proposal>> {
        let vertex = self.forest.get(id).filter(|v| v.connected)?;
        (!vertex.proposal.vote.signature.is_empty()).then_some(&vertex.proposal)
    }

    /// The highest checked certificate of the current epoch; rank 0 stands for the epoch root.
    #[must_use]
    pub const fn high_qc(&self) -> &Verified<Qc> {
        self.certs.high()
    }

    /// The record of what this key has signed, as last handed to the driver.
    #[must_use]
    pub const fn safety_record(&self) -> &SafetyRecord {
        self.safety.record()
    }

    /// The leader of a rank of the current epoch.
    pub fn leader(&mut self, rank: Rank) -> Option<MemberIndex> {
        self.leaders.leader(rank)
    }

    fn record(&mut self, record: Record) -> RecordId {
        let id = RecordId(self.next_record);
        self.next_record = self.next_record.saturating_add(1);
        self.records.insert(id, record);
        id
    }

    fn penalise(cx: &mut Cx<'_>, peer: PeerKey, reason: impl Into<Reject>) {
        cx.out.push(Output::Penalise {
            peer,
            reason: reason.into(),
        });
    }

    fn halt(&mut self, cx: &mut Cx<'_>, halt: Halt) {
        if !self.halted {
            self.halted = true;
            cx.out.push(Output::SafetyHalt(Box::new(halt)));
        }
    }

    /// Whether messages of the current epoch mean anything.
    const fn open(&self) -> bool {
        self.started && !self.waiting && !self.halted
    }

    fn set_deadline(&mut self, cx: &mut Cx<'_>) {
        let parked = self.forest.iter().filter_map(|v| match v.opinion {
            crate::forest::Opinion::Parked(until) => Some(until),
            _ => None,
        });
        let timer = (self.open() && self.me.is_some()).then(|| self.pace.deadline());
        let next = parked.chain(timer).chain(self.fetches.deadline()).min();
        let next = next.filter(|_| !self.halted);
        if next != self.deadline {
            self.deadline = next;
            cx.out.push(Output::SetDeadline(next));
        }
    }
}
