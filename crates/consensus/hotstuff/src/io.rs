//! What goes into the core and what comes out of it.
//!
//! The driver feeds [`Input`]s one at a time and carries out the [`Output`]s of each step **in order**. Time is the
//! driver's monotonic [`Millis`]; wall-clock [`Timestamp`]s only pass through.

use std::sync::Arc;

use quil_types::{
    Anchor, Beacon, BeaconWitness, Body, Committee, ConsensusMessage, Digest, Epoch, EpochProof,
    Equivocation, FinalityProof, FrameId, FrameNumber, Header, Justify, MemberIndex, Millis,
    PeerKey, Proposal, Qc, Rank, StateRoots, Tc, Timestamp,
};

use crate::epoch::Place;
use crate::jobs::{Job, JobOutcome};
use crate::proposal::ProposalError;
use crate::reject::Reject;
use crate::safety::{Outgoing, SafetyRecord};
use crate::verify::Verified;

/// Names one durable write of this process's life. Not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(pub u64);

/// Everything that can happen to the core.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The driver is ready. Must be the first input; repeats do nothing.
    Start,
    /// A message that passed [`Admission`](crate::Admission): `author` is bound to a member of the committee of the
    /// message's epoch. A message for which admission said `Conflict` is given too; it may hold evidence.
    Message {
        /// Its author.
        author: MemberIndex,
        /// The message.
        message: ConsensusMessage,
    },
    /// An answer to [`Output::Fetch`]. `from` is who to blame.
    Proposals {
        /// The peer that answered.
        from: PeerKey,
        /// What it sent; proposals that were not asked for are ignored.
        proposals: Vec<Proposal>,
    },
    /// The frame that [`Output::Build`] asked for. The driver has executed it on its overlay.
    Built(Box<Draft>),
    /// The answer to [`Output::Validate`].
    Validated {
        /// The frame.
        id: FrameId,
        /// The driver's decision.
        verdict: Verdict,
    },
    /// A write of [`Output::PersistCandidate`] or [`Output::PersistSafety`] is durable.
    Persisted(RecordId),
    /// The answer to [`Output::Verify`].
    Checked(Box<JobOutcome>),
    /// The time last asked for by [`Output::SetDeadline`] has come. Early or stale ones are harmless.
    Deadline,
    /// The frozen committee of an epoch, from final state (C2). Give the committees of the current and of the next
    /// epoch as soon as final state holds them; repeats are ignored.
    Committee {
        /// The epoch.
        epoch: Epoch,
        /// Its members.
        committee: Box<Committee>,
    },
    /// Catch-up brought final frames, the driver executed and stored them.
    CaughtUp(Box<CaughtUp>),
}

/// Why a frame is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finality {
    /// `proof.header.parent` is the frame (C3).
    Child(Box<Verified<FinalityProof>>),
    /// The frame closed its epoch: `proof.closing` is the frame (C1).
    Closed(Box<Verified<EpochProof>>),
}

/// The last final frame of a catch-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Its header. The driver has executed it.
    pub head: Header,
    /// Why it is final.
    pub finality: Finality,
    /// The proof that opened the epoch of `head`; needed when the core is in an earlier epoch.
    pub opened: Option<Box<Verified<EpochProof>>>,
}

/// What the driver thinks of a proposal after executing its body on the parent's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything holds, R4 included, and the body is applied to an overlay that is kept (C4).
    Vote,
    /// Valid but not yet (R4: its timestamp lies ahead). The core asks again at that time.
    ParkUntil(Millis),
    /// Valid, but a voting rule can never hold (R4 spacing, R5 age of the anchor): no vote, no blame.
    Abstain,
    /// Not valid: no vote, the leader is blamed. The text is a label for logs and metrics.
    Invalid(&'static str),
}

/// What a leader is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildKind {
    /// A frame with a body. On a shard, taking an anchor at or after `boundary` makes it the closing frame; the
    /// core's [`BuildRequest::seal`] then sets the committee root.
    Normal,
    /// The global closing frame: as `Normal`, and the next committee's root is set.
    Closing,
    /// A descendant of the closing frame: empty body, beacon and anchor of the parent, no reel step (C1).
    ClosingDescendant,
}

/// Asks the driver to build a frame (C4, R2). Answer with [`Input::Built`] unless the rank has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRequest {
    /// Epoch of the frame.
    pub epoch: Epoch,
    /// Rank that we lead.
    pub rank: Rank,
    /// What to build.
    pub kind: BuildKind,
    /// Header of the parent, whose state the frame builds on.
    pub parent: Arc<Header>,
    /// Its identity.
    pub parent_id: FrameId,
    /// Its rank in this epoch; 0 for the epoch root.
    pub parent_rank: Rank,
    /// Frames between the last final one and the new one. Above 8 the driver should build an empty body (K6).
    pub depth: u64,
    /// The frame's timestamp must not be earlier, and the frame must not be returned earlier (R4).
    pub not_before: Timestamp,
    /// From this anchor (shards) or at this number (global) the epoch closes.
    pub boundary: FrameNumber,
    /// Our index in the committee.
    pub member: MemberIndex,
    pub(crate) proposer: quil_types::ProverId,
    pub(crate) committee_root: Digest,
    pub(crate) next_committee_root: Option<Digest>,
    pub(crate) justify: Justify,
    pub(crate) tc: Option<Tc>,
}

/// What the driver decides about a frame; the core decides the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameContent {
    /// The version that the epoch demands (D3).
    pub version: u16,
    /// Wall clock at the leader.
    pub timestamp: Timestamp,
    /// Root of the parent's receipts.
    pub receipts_root: Digest,
    /// Fee multiplier.
    pub multiplier: u64,
    /// Roots after executing the parent.
    pub state_roots: StateRoots,
    /// Shard table after executing the parent; zero on shards.
    pub shards_root: quil_types::Root,
    /// Reel output of this frame or of its anchor; ignored for a descendant.
    pub beacon: Beacon,
    /// Final global frame; shards only; ignored for a descendant.
    pub anchor: Option<Anchor>,
    /// What the frame orders; ignored for a descendant.
    pub body: Body,
    /// Reel witness; global frames only; ignored for a descendant.
    pub witness: Option<BeaconWitness>,
}

/// A built frame before its leader's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The header.
    pub header: Header,
    /// The body.
    pub body: Body,
    /// Reel witness.
    pub beacon: Option<BeaconWitness>,
    pub(crate) justify: Justify,
    pub(crate) tc: Option<Tc>,
}

/// Proof that more than a third of a committee is Byzantine, or that this node executes differently from a quorum.
/// The core signs nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Two certificates of one rank for different frames.
    ConflictingCertificates {
        /// One of them.
        a: Box<Qc>,
        /// The other.
        b: Box<Qc>,
    },
    /// A certified frame that does not extend the last final frame.
    ConflictingFinality {
        /// The last final frame.
        last: FrameId,
        /// Why it is final, when it is not the root of the chain's life in this process.
        finality: Option<Box<Finality>>,
        /// The certificate of the frame that leaves it out.
        other: Box<Qc>,
        /// Header of that frame.
        header: Box<Header>,
    },
    /// A quorum certified what this node found invalid.
    CertifiedInvalid {
        /// The certificate.
        qc: Box<Qc>,
        /// Why it is invalid here.
        reason: Reject,
    },
}

/// Everything that the driver must do, in order.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Output {
    /// Make the frame durable in the state file, then answer [`Input::Persisted`]. An own frame has no leader's
    /// signature yet. Candidates at or below the final rank may be deleted after [`Output::Finalised`].
    PersistCandidate {
        /// To be named in the answer.
        record: RecordId,
        /// The frame with its certificates.
        proposal: Arc<Proposal>,
    },
    /// Make the record durable in the safety file, replacing the chain's previous one, then answer
    /// [`Input::Persisted`]. Records must become durable in the order given.
    PersistSafety {
        /// To be named in the answer.
        record: RecordId,
        /// What to store.
        safety: Box<SafetyRecord>,
    },
    /// Send to all members and observers.
    Broadcast(Outgoing),
    /// Send again the very bytes that were broadcast before; must reach members in spite of duplicate suppression.
    Rebroadcast(Outgoing),
    /// Send to one peer.
    SendTo {
        /// The peer.
        peer: PeerKey,
        /// The message.
        message: Outgoing,
    },
    /// Give [`Input::Deadline`] at this time. Replaces the previous deadline; `None` clears it.
    SetDeadline(Option<Millis>),
    /// We lead: build a frame. A newer request replaces an older one.
    Build(Box<BuildRequest>),
    /// Check and execute this frame; parents come before children. Answer [`Input::Validated`]. The core itself
    /// checked: leader, certificates, requests root, numbering, committee roots, epoch closing.
    Validate(Arc<Proposal>),
    /// Run [`Job::run`] in a pool and answer [`Input::Checked`].
    Verify(Job),
    /// A frame is certified: followers may be shown it, it is not final.
    Certified {
        /// The frame.
        id: FrameId,
        /// Its certificate.
        qc: Box<Verified<Qc>>,
    },
    /// These frames are final, oldest first, all above the previous final frame. Descendants of a closing frame are
    /// never among them.
    Finalised {
        /// The frames.
        frames: Vec<Arc<Proposal>>,
        /// Why the last one is final.
        finality: Finality,
    },
    /// The epoch is closed; store the proof for late members and light clients.
    EpochClosed(Box<Verified<EpochProof>>),
    /// The committee of this epoch is needed before anything else can happen.
    NeedCommittee {
        /// The epoch.
        epoch: Epoch,
    },
    /// Messages of this epoch are handled from now on.
    EnteredEpoch {
        /// The epoch.
        epoch: Epoch,
        /// Our place in its committee.
        member: Option<MemberIndex>,
    },
    /// The pacemaker moved. Unfinished builds of earlier ranks are void.
    EnteredRank {
        /// The epoch.
        epoch: Epoch,
        /// The rank.
        rank: Rank,
        /// Its leader.
        leader: MemberIndex,
    },
    /// The timer of a rank fired (R2: all members solve the beacon then).
    RankTimedOut {
        /// The epoch.
        epoch: Epoch,
        /// The rank.
        rank: Rank,
    },
    /// Ask members for these proposals, `hint` first.
    Fetch {
        /// What is missing.
        ids: Vec<FrameId>,
        /// Who should have them.
        hint: Option<PeerKey>,
    },
    /// Final frames from this number on are missing; answer [`Input::CaughtUp`].
    NeedCatchUp {
        /// First missing frame.
        from: FrameNumber,
        /// Who should have them.
        hint: Option<PeerKey>,
    },
    /// The driver's own frame breaks a rule and is dropped: a local fault, to be logged.
    DraftRefused(ProposalError),
    /// Evidence for the registry (C10); both votes are verified.
    Evidence(Box<Verified<Equivocation>>),
    /// A peer broke a rule.
    Penalise {
        /// The peer.
        peer: PeerKey,
        /// The rule.
        reason: Reject,
    },
    /// Stop this chain with evidence and tell the operator.
    SafetyHalt(Box<Halt>),
}

/// Collects the outputs of one step.
pub type Outbox = Vec<Output>;

impl BuildRequest {
    /// Makes the frame: fills in what the core decides and hashes the body.
    #[must_use]
    pub fn seal(&self, content: FrameContent) -> Draft {
        let chain = self.parent.chain;
        let descendant = self.kind == BuildKind::ClosingDescendant;
        let (body, beacon, anchor, witness) = if descendant {
            (
                Body::empty(chain),
                self.parent.beacon,
                self.parent.anchor,
                None,
            )
        } else {
            (
                content.body,
                content.beacon,
                content.anchor,
                content.witness,
            )
        };
        let closes = match self.kind {
            BuildKind::Closing => true,
            BuildKind::ClosingDescendant => false,
            BuildKind::Normal => anchor.is_some_and(|a| a.number >= self.boundary),
        };
        let next = self.next_committee_root.filter(|_| closes);
        let header = Header {
            version: content.version,
            chain,
            epoch: self.epoch,
            rank: self.rank,
            parent_rank: self.parent_rank,
            number: self.parent.number.next(),
            timestamp: content.timestamp.max(self.not_before),
            parent: self.parent_id,
            proposer: self.proposer,
            requests_root: body.requests_root(),
            receipts_root: content.receipts_root,
            multiplier: content.multiplier,
            committee_root: self.committee_root,
            next_committee_root: next.unwrap_or_default(),
            state_roots: content.state_roots,
            shards_root: content.shards_root,
            beacon,
            anchor,
        };
        Draft {
            header,
            body,
            beacon: witness,
            justify: self.justify.clone(),
            tc: self.tc.clone(),
        }
    }

    /// Whether the frame that this content makes would be normal, closing or a descendant.
    #[must_use]
    pub fn place(&self, anchor: Option<Anchor>) -> Place {
        match self.kind {
            BuildKind::ClosingDescendant => Place::Descendant,
            BuildKind::Closing => Place::Closing,
            BuildKind::Normal if anchor.is_some_and(|a| a.number >= self.boundary) => {
                Place::Closing
            }
            BuildKind::Normal => Place::Normal,
        }
    }
}
