//! Messages: cheap rules first, then the checks that they need, then their effect.

use std::cmp::Ordering;
use std::sync::Arc;

use quil_types::{
    ConsensusMessage, Epoch, FrameId, Justify, MemberIndex, Millis, PeerKey, Proposal, Qc, Rank,
    Timeout, Vote,
};

use super::{Core, Cx, Source};
use crate::held::{CheckKey, Incoming};
use crate::io::Output;
use crate::jobs::Task;
use crate::limits::{
    ANSWERERS, EARLY_MESSAGES_PER_MEMBER, PROPOSALS_PER_RANK_MAX, RANKS_AHEAD_MAX,
    RANKS_BEHIND_MAX, REBROADCAST_MS,
};
use crate::proposal::{ProposalError, check_shape};
use crate::reject::Reject;
use crate::safety::Outgoing;
use crate::scheme::Scheme;
use crate::verify::Verified;
use crate::{timeouts, votes};

/// A vote or timeout of the next epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Early {
    source: Source,
    incoming: Incoming,
}

impl Incoming {
    fn of(message: ConsensusMessage) -> Self {
        match message {
            ConsensusMessage::Proposal(p) => Self::Proposal {
                proposal: Arc::new(*p),
                checked: false,
            },
            ConsensusMessage::Vote(v) => Self::Vote(v),
            ConsensusMessage::Timeout(t) => Self::Timeout(t),
            ConsensusMessage::Qc(q) => Self::Qc(q),
            ConsensusMessage::Tc(t) => Self::Tc(t),
            ConsensusMessage::EpochProof(p) => Self::EpochProof(p),
        }
    }

    fn position(&self) -> (Epoch, Rank) {
        match self {
            Self::Proposal { proposal, .. } => (proposal.header.epoch, proposal.header.rank),
            Self::Vote(v) => (v.epoch, v.rank),
            Self::Timeout(t) => (t.epoch, t.rank),
            Self::Qc(q) => (q.epoch, q.rank),
            Self::Tc(t) => (t.epoch, t.rank),
            Self::EpochProof(p) => (p.tip.epoch, p.tip.rank),
        }
    }

    /// The author that the message itself names.
    fn author(&self) -> Option<MemberIndex> {
        match self {
            Self::Proposal { proposal, .. } => Some(proposal.vote.member),
            Self::Vote(v) => Some(v.member),
            Self::Timeout(t) => Some(t.member),
            Self::Qc(_) | Self::Tc(_) | Self::EpochProof(_) => None,
        }
    }
}

impl<S: Scheme> Core<S> {
    pub(super) fn on_message(
        &mut self,
        cx: &mut Cx<'_>,
        author: MemberIndex,
        message: ConsensusMessage,
    ) {
        let (chain, epoch, _) = message.position();
        let Some(peer) = self
            .rosters
            .get(&epoch)
            .and_then(|r| r.member(author))
            .map(|m| m.peer)
        else {
            return;
        };
        if chain != self.config.chain {
            return Self::penalise(cx, peer, Reject::WrongChain);
        }
        let incoming = Incoming::of(message);
        if incoming.author().is_some_and(|inner| inner != author) {
            return Self::penalise(cx, peer, Reject::AuthorMismatch);
        }
        self.receive(
            cx,
            Source {
                peer,
                member: Some(author),
            },
            incoming,
        );
    }

    pub(super) fn on_fetched(&mut self, cx: &mut Cx<'_>, peer: PeerKey, proposals: Vec<Proposal>) {
        for proposal in proposals {
            // A leader that lost its signature in a crash cannot give its own frame away; that is no offence.
            let signed = !proposal.vote.signature.is_empty();
            if signed && self.fetches.wants(&proposal.header.id()) {
                let incoming = Incoming::Proposal {
                    proposal: Arc::new(proposal),
                    checked: false,
                };
                self.receive(cx, Source { peer, member: None }, incoming);
            }
        }
    }

    pub(super) fn receive(&mut self, cx: &mut Cx<'_>, source: Source, incoming: Incoming) {
        if self.halted {
            return;
        }
        let (epoch, _) = incoming.position();
        match epoch.cmp(&self.term.epoch) {
            Ordering::Less => self.answer_closed(cx, source, &incoming, epoch),
            Ordering::Greater => self.receive_early(cx, source, incoming),
            Ordering::Equal if self.waiting => {
                self.answer_closed(cx, source, &incoming, epoch);
            }
            Ordering::Equal => match incoming {
                Incoming::Proposal { proposal, checked } => {
                    self.on_proposal(cx, source, proposal, checked);
                }
                Incoming::Vote(vote) => self.on_vote(cx, source, vote),
                Incoming::Timeout(timeout) => self.on_timeout(cx, source, timeout),
                Incoming::Qc(qc) => {
                    let _known = self.learn_qc(cx, source, &qc, Incoming::Qc(qc.clone()));
                }
                Incoming::Tc(tc) if tc.rank.next() < self.pace.rank() => {}
                Incoming::Tc(tc) => {
                    let _known = self.learn_tc(cx, source, &tc, Incoming::Tc(tc.clone()));
                }
                Incoming::EpochProof(proof) => {
                    let again = Incoming::EpochProof(proof.clone());
                    self.check_epoch_proof(cx, source, &proof, again);
                }
            },
        }
    }

    /// Early votes and timeouts wait; the first proposal of the next epoch carries the proof that opens it.
    fn receive_early(&mut self, cx: &mut Cx<'_>, source: Source, incoming: Incoming) {
        let (epoch, rank) = incoming.position();
        let next = epoch == self.term.epoch.next();
        match &incoming {
            Incoming::Proposal { proposal, .. } if next && !self.waiting => {
                if let Justify::Epoch(proof) = &proposal.justify
                    && proof.closing.epoch == self.term.epoch
                {
                    let proof = proof.clone();
                    return self.check_epoch_proof(cx, source, &proof, incoming);
                }
                self.fetches.lag(cx.now, source.peer);
            }
            Incoming::Vote(_) | Incoming::Timeout(_) if next => {
                let kind = u8::from(matches!(incoming, Incoming::Timeout(_)));
                let Some(member) = source.member else { return };
                let own = (member, Rank::ZERO, 0)..=(member, Rank::new(u64::MAX), u8::MAX);
                if self.early.range(own).count() < EARLY_MESSAGES_PER_MEMBER {
                    self.early
                        .insert((member, rank, kind), Early { source, incoming });
                }
                self.fetches.lag(cx.now, source.peer);
            }
            _ => self.fetches.lag(cx.now, source.peer),
        }
    }

    /// Replays what came before its epoch was entered.
    pub(super) fn replay_early(&mut self, cx: &mut Cx<'_>) {
        for (_, early) in core::mem::take(&mut self.early) {
            self.receive(cx, early.source, early.incoming);
        }
    }

    /// A member that still works in a closed epoch is told how it ended (C1). Votes in flight need no answer.
    fn answer_closed(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        incoming: &Incoming,
        epoch: Epoch,
    ) {
        if !matches!(incoming, Incoming::Timeout(_)) || source.member.is_none() {
            return;
        }
        // Only a member of that epoch has a voice in it.
        let key = self.config.key.as_ref();
        let spoke = self
            .rosters
            .get(&epoch)
            .zip(key)
            .and_then(|(r, key)| r.position(key));
        if let Some(proof) = self.closed.get(&epoch).filter(|_| spoke.is_some()) {
            let message = Outgoing::epoch_proof(proof);
            self.answer(cx, source, message);
        }
    }

    /// Sends an answer to a late member, at most one per interval, and not from everybody in a large committee.
    fn answer(&mut self, cx: &mut Cx<'_>, source: Source, message: Outgoing) {
        let recent = |at: &Millis| cx.now.since(*at) < REBROADCAST_MS.div_euclid(2);
        if self.answered.get(&source.peer).is_some_and(recent) || !self.my_turn(cx.now, source) {
            return;
        }
        self.answered
            .retain(|_, at| cx.now.since(*at) < REBROADCAST_MS);
        self.answered.insert(source.peer, cx.now);
        cx.out.push(Output::SendTo {
            peer: source.peer,
            message,
        });
    }

    fn my_turn(&self, now: Millis, source: Source) -> bool {
        let (Some(me), Some(them)) = (self.me, source.member) else {
            return true;
        };
        let n = self.term.roster.len();
        if n <= ANSWERERS.saturating_mul(2) {
            return true;
        }
        // The members that answer change with every interval, so silent ones do not matter for long.
        let shift = usize::try_from(now.get().div_euclid(REBROADCAST_MS)).unwrap_or_default();
        let turn = me.get().wrapping_add(shift).wrapping_sub(them.get());
        turn.checked_rem(n).is_some_and(|t| t < ANSWERERS)
    }

    fn on_proposal(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        proposal: Arc<Proposal>,
        checked: bool,
    ) {
        let id = proposal.header.id();
        let (rank, root) = (proposal.header.rank, self.forest.root().rank);
        if rank <= root || self.forest.get(&id).is_some() {
            return;
        }
        let leader = self.leaders.leader(rank);
        if let Err(e) = check_shape(&self.term, leader, &proposal) {
            return Self::penalise(cx, source.peer, e);
        }
        // A late frame matters only when it is certified; if that happens later, it is fetched.
        let certified = self.certs.qc(rank, &id).is_some();
        let late = rank < self.pace.rank();
        if !certified && (self.is_second(cx, source, &proposal) || late) {
            return;
        }
        let again = Incoming::Proposal {
            proposal: Arc::clone(&proposal),
            checked,
        };
        let Some(justified) = self.learn_justify(cx, source, &proposal, again) else {
            return;
        };
        if justified.header.epoch != self.term.epoch || !self.open() {
            return;
        }
        if checked {
            return self.accept(cx, Some(source.peer), justified);
        }
        let task = Task::Proposal(Arc::clone(&justified));
        let again = Incoming::Proposal {
            proposal: justified,
            checked,
        };
        self.hold(cx, (CheckKey::Proposal(id), None, task), (source, again));
    }

    /// A leader has one proposal per rank; another one is evidence through its votes, and is taken only when a quorum
    /// certifies it.
    fn is_second(&mut self, cx: &mut Cx<'_>, source: Source, proposal: &Arc<Proposal>) -> bool {
        let rank = proposal.header.rank;
        let known: Vec<Vote> = self
            .forest
            .at_rank(rank)
            .map(|v| v.proposal.vote.clone())
            .collect();
        if known.is_empty() {
            return false;
        }
        if source.member.is_some() {
            self.count_vote(cx, source, proposal.vote.clone());
        }
        source.member.is_some() || known.len() >= PROPOSALS_PER_RANK_MAX
    }

    /// Learns the certificates of a proposal. Returns the proposal with our own copies of them; `None` while a check
    /// runs or when one is refused.
    fn learn_justify(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        proposal: &Arc<Proposal>,
        again: Incoming,
    ) -> Option<Arc<Proposal>> {
        let mut own = Proposal::clone(proposal);
        match &proposal.justify {
            Justify::Genesis if self.is_epoch_root(&proposal.header.parent) => {}
            Justify::Epoch(_) if self.is_epoch_root(&proposal.header.parent) => {
                own.justify = self.root_justify();
            }
            Justify::Qc(qc) => {
                let qc = self.learn_qc(cx, source, qc, again.clone())?;
                own.justify = Justify::Qc(qc.into_inner());
            }
            Justify::Genesis | Justify::Epoch(_) => {
                Self::penalise(cx, source.peer, ProposalError::Justify);
                return None;
            }
        }
        // The quorum that certified a late frame has checked how its rank was entered.
        if let Some(tc) = proposal
            .tc
            .as_ref()
            .filter(|_| proposal.header.rank >= self.pace.rank())
        {
            own.tc = Some(self.learn_tc(cx, source, tc, again)?.into_inner());
        }
        Some(Arc::new(own))
    }

    fn on_vote(&mut self, cx: &mut Cx<'_>, source: Source, vote: Vote) {
        let rank = self.pace.rank().get();
        let late = vote.rank.get().saturating_add(RANKS_BEHIND_MAX) < rank;
        let far = vote.rank.get() > rank.saturating_add(RANKS_AHEAD_MAX);
        if vote.rank == Rank::ZERO || late || vote.rank <= self.forest.root().rank {
            return;
        }
        if far {
            return self.fetches.lag(cx.now, source.peer);
        }
        self.count_vote(cx, source, vote);
    }

    pub(super) fn count_vote(&mut self, cx: &mut Cx<'_>, source: Source, vote: Vote) {
        let (rank, id) = (vote.rank, vote.id);
        match self.votes.add(vote) {
            votes::Counted::New => self.try_certify(cx, rank, id),
            votes::Counted::Ignored => {}
            votes::Counted::Conflict(pair) => {
                Self::penalise(cx, source.peer, Reject::SecondVote);
                let job = self.held.start(&self.term, Task::Equivocation(pair));
                cx.out.push(Output::Verify(job));
            }
        }
    }

    /// Late votes, those for ranks that a higher certificate has passed, are not checked (C7).
    pub(super) fn try_certify(&mut self, cx: &mut Cx<'_>, rank: Rank, id: FrameId) {
        if rank <= self.certs.high().rank {
            return;
        }
        let quorum = self.term.roster.committee().quorum();
        if let Some(votes) = self.votes.start_check(rank, id, quorum) {
            let job = self.held.start(&self.term, Task::Votes { rank, id, votes });
            cx.out.push(Output::Verify(job));
        }
    }

    fn on_timeout(&mut self, cx: &mut Cx<'_>, source: Source, timeout: Timeout) {
        let fits = timeout.high_qc.as_ref().is_none_or(|qc| {
            qc.chain == timeout.chain
                && qc.epoch == timeout.epoch
                && qc.rank != Rank::ZERO
                && qc.rank < timeout.rank
        });
        if !fits || timeout.rank == Rank::ZERO {
            return Self::penalise(cx, source.peer, Reject::TimeoutCertificate);
        }
        let high = match &timeout.high_qc {
            None => self.epoch_root_qc(),
            Some(qc) => {
                let again = Incoming::Timeout(timeout.clone());
                let Some(qc) = self.learn_qc(cx, source, qc, again) else {
                    return;
                };
                qc
            }
        };
        if timeout.epoch != self.term.epoch || !self.open() {
            return;
        }
        if timeout.rank < self.pace.rank() {
            return self.answer_late(cx, source, &timeout);
        }
        self.count_timeout(cx, source, timeout, high);
    }

    /// A member in a rank that we have left gets the certificate that leads out of it.
    fn answer_late(&mut self, cx: &mut Cx<'_>, source: Source, timeout: &Timeout) {
        let high = self.certs.high();
        let message = if high.rank >= timeout.rank {
            Outgoing::qc(high)
        } else {
            self.pace.tc().map(Outgoing::tc)
        };
        if let Some(message) = message.filter(|_| self.me.is_some()) {
            self.answer(cx, source, message);
        }
    }

    pub(super) fn count_timeout(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        timeout: Timeout,
        high: Verified<Qc>,
    ) {
        let rank = timeout.rank;
        match self.timeouts.add(timeout, high) {
            timeouts::Counted::New => {}
            timeouts::Counted::Ignored => return,
            timeouts::Counted::Second => {
                return Self::penalise(cx, source.peer, Reject::SecondTimeout);
            }
        }
        self.try_timeout_certificate(cx, rank);
        self.amplify(cx);
    }

    pub(super) fn try_timeout_certificate(&mut self, cx: &mut Cx<'_>, rank: Rank) {
        if rank < self.pace.rank() {
            return;
        }
        let quorum = self.term.roster.committee().quorum();
        if let Some(ready) = self.timeouts.start_check(rank, quorum) {
            let task = Task::Timeouts {
                rank,
                high: ready.high,
                parts: ready.parts,
            };
            let job = self.held.start(&self.term, task);
            cx.out.push(Output::Verify(job));
        }
    }
}
