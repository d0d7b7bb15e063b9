//! Ranks: entering, leading, giving up.

use quil_types::{Chain, MemberIndex, Rank, Timestamp};

use super::{Core, Cx};
use crate::epoch::Place;
use crate::forest::Opinion;
use crate::io::{BuildKind, BuildRequest, Output};
use crate::limits::RANKS_BEHIND_MAX;
use crate::pacemaker::{Due, Entry};
use crate::scheme::Scheme;

impl<S: Scheme> Core<S> {
    pub(super) fn enter_rank(&mut self, cx: &mut Cx<'_>, rank: Rank, entry: Entry) {
        self.pace.enter(cx.now, rank, entry);
        self.building = None;
        let behind = Rank::new(rank.get().saturating_sub(RANKS_BEHIND_MAX));
        self.votes.prune(behind);
        self.timeouts.prune(rank);
        self.announce_rank(cx);
        self.take_turn(cx);
    }

    pub(super) fn announce_rank(&mut self, cx: &mut Cx<'_>) {
        let rank = self.pace.rank();
        if let Some(leader) = self.leaders.leader(rank) {
            cx.out.push(Output::EnteredRank {
                epoch: self.term.epoch,
                rank,
                leader,
            });
        }
    }

    /// What can be done in the current rank: lead it, or vote for a frame that is already here.
    pub(super) fn take_turn(&mut self, cx: &mut Cx<'_>) {
        self.propose(cx);
        let here: Vec<_> = self
            .forest
            .at_rank(self.pace.rank())
            .map(|v| v.id)
            .collect();
        for id in here {
            self.try_vote(cx, &id);
        }
    }

    /// Asks for a frame when we lead the rank and may build on the highest certificate (C6).
    pub(super) fn propose(&mut self, cx: &mut Cx<'_>) {
        let rank = self.pace.rank();
        let Some(me) = self.me.filter(|_| self.open() && self.keyring.0.is_some()) else {
            return;
        };
        if self.pace.has_expired() || self.building == Some(rank) || self.signed_in(rank) {
            return;
        }
        if self.leaders.leader(rank) != Some(me) {
            return;
        }
        if let Some(request) = self.build_request(me, rank) {
            self.building = Some(rank);
            cx.out.push(Output::Build(Box::new(request)));
        }
    }

    /// Whether this key signed something in a rank or beyond it.
    fn signed_in(&self, rank: Rank) -> bool {
        let record = self.safety.record();
        record.epoch > self.term.epoch || (record.epoch == self.term.epoch && record.rank() >= rank)
    }

    fn build_request(&self, me: MemberIndex, rank: Rank) -> Option<BuildRequest> {
        let high = self.certs.high();
        let skipped = high.rank.next() != rank;
        let tc = self.pace.tc().filter(|_| skipped);
        if skipped && tc.is_none() {
            return None;
        }
        let (parent, parent_rank) = self.forest.base(&high.id)?;
        let invalid = |o: &Opinion| matches!(o, Opinion::Invalid(_));
        if self
            .forest
            .get(&high.id)
            .is_some_and(|v| invalid(&v.opinion))
        {
            return None;
        }
        let boundary = self.term.rule.boundary(self.term.epoch);
        let behind = parent_rank != Rank::ZERO && self.term.rule.place(&parent) != Place::Normal;
        let kind = match self.term.chain {
            _ if behind => BuildKind::ClosingDescendant,
            Chain::Global if parent.number.next() == boundary => BuildKind::Closing,
            Chain::Global | Chain::Shard(_) => BuildKind::Normal,
        };
        let next = self.rosters.get(&self.term.epoch.next()).map(|r| r.root());
        let may_close = match self.term.chain {
            Chain::Global => kind == BuildKind::Closing,
            Chain::Shard(_) => kind == BuildKind::Normal,
        };
        if may_close && next.is_none() {
            return None;
        }
        let spaced = parent
            .timestamp
            .get()
            .saturating_add(self.config.min_spacing_ms);
        Some(BuildRequest {
            epoch: self.term.epoch,
            rank,
            kind,
            parent_id: high.id,
            parent_rank,
            depth: self.forest.depth(high.id).saturating_add(1),
            not_before: Timestamp::new(spaced),
            boundary,
            member: me,
            proposer: self.term.roster.prover(me)?,
            committee_root: self.term.roster.root(),
            next_committee_root: next,
            justify: high
                .to_wire()
                .map_or_else(|| self.root_justify(), quil_types::Justify::Qc),
            tc: tc.map(|tc| (**tc).clone()),
            parent,
        })
    }

    pub(super) fn on_deadline(&mut self, cx: &mut Cx<'_>) {
        self.unpark(cx);
        if self.open() && self.me.is_some() {
            match self.pace.due(cx.now) {
                Due::Nothing => {}
                Due::Expired => self.give_up(cx),
                Due::Repeat => self.send_timeout(cx),
            }
        }
        self.fetch_due(cx);
    }

    /// Frames whose time has come are given to the driver again (R4), as long as their rank lasts.
    fn unpark(&mut self, cx: &mut Cx<'_>) {
        let rank = self.pace.rank();
        let due: Vec<_> = self
            .forest
            .iter()
            .filter(|v| matches!(v.opinion, Opinion::Parked(until) if until <= cx.now))
            .map(|v| v.id)
            .collect();
        for id in due {
            let Some(vertex) = self.forest.get_mut(&id) else {
                continue;
            };
            if vertex.rank() < rank {
                vertex.opinion = Opinion::Abstain;
            } else {
                vertex.opinion = Opinion::Asked;
                cx.out
                    .push(Output::Validate(std::sync::Arc::clone(&vertex.proposal)));
            }
        }
    }

    fn give_up(&mut self, cx: &mut Cx<'_>) {
        cx.out.push(Output::RankTimedOut {
            epoch: self.term.epoch,
            rank: self.pace.rank(),
        });
        self.send_timeout(cx);
    }

    /// More than a third of the members have given up our rank or a later one: join them.
    pub(super) fn amplify(&mut self, cx: &mut Cx<'_>) {
        let weight = self.term.roster.committee().amplification();
        let Some(rank) = self.timeouts.given_up_by(weight) else {
            return;
        };
        if !self.open() || rank < self.pace.rank() {
            return;
        }
        if rank > self.pace.rank() {
            self.enter_rank(cx, rank, Entry::Amplified);
        }
        if self.me.is_some() && self.pace.rank() == rank && !self.pace.has_expired() {
            self.pace.expire(cx.now);
            self.give_up(cx);
        }
    }
}
