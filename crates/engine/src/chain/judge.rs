//! From a proposal to the core's verdict: execute it, then ask the clock (C4, R4, R5).

use std::sync::Arc;

use quil_hotstuff::{Input as CoreInput, Place, Scheme, Verdict};
use quil_reel::{
    AnchorError, ClockVerdict, SolverInput, check_anchor, check_anchor_age, clock_verdict,
};
use quil_types::{Chain, FrameId, Header, Millis, Proposal};

use super::ChainEngine;
use crate::error::LocalFault;
use crate::io::{Halt, Now, Output};
use crate::jobs::{Job, Judge, JudgeError};
use crate::snapshot::Snapshot;

/// A shard frame whose anchor is not final here yet is looked at again after this long, milliseconds: the master
/// hears of it within a network delay.
const ANCHOR_RETRY_MS: u64 = 100;

/// A proposal on its way to a verdict.
#[derive(Clone, Debug)]
pub(super) struct Judging {
    proposal: Arc<Proposal>,
    /// Whether its job runs; otherwise it waits for its parent's state.
    running: bool,
    /// Whether the core waits for a verdict.
    asked: bool,
    /// Whether the frame is final: then a quorum vouches for its place, and nothing may keep it from being executed.
    settled: bool,
}

impl<S: Scheme> ChainEngine<S> {
    pub(super) fn on_validate(&mut self, now: Now, proposal: Arc<Proposal>, out: &mut Vec<Output>) {
        let id = proposal.header.id();
        if let Some(snapshot) = self.ledger.get(&id).cloned() {
            self.answer(now, &snapshot);
            return;
        }
        let judging = Judging {
            proposal,
            running: false,
            asked: true,
            settled: false,
        };
        self.judging
            .entry(id)
            .and_modify(|j| j.asked = true)
            .or_insert(judging);
        self.try_judge(now, id, out);
    }

    /// Executes a frame without being asked for a vote: it is final and has no state here yet.
    pub(super) fn judge_final(
        &mut self,
        now: Now,
        id: FrameId,
        proposal: Arc<Proposal>,
        out: &mut Vec<Output>,
    ) {
        let judging = Judging {
            proposal,
            running: false,
            asked: false,
            settled: true,
        };
        self.judging
            .entry(id)
            .and_modify(|j| j.settled = true)
            .or_insert(judging);
        self.try_judge(now, id, out);
    }

    fn try_judge(&mut self, now: Now, id: FrameId, out: &mut Vec<Output>) {
        let Some(judging) = self.judging.get(&id).filter(|j| !j.running) else {
            return;
        };
        let proposal = Arc::clone(&judging.proposal);
        let Some(parent) = self.ledger.get(&proposal.header.parent).cloned() else {
            return;
        };
        let place = if judging.settled {
            Ok(None)
        } else {
            self.place(now, &proposal, parent.header())
        };
        let step = match place {
            Ok(step) => step,
            Err(verdict) => return self.give(id, verdict),
        };
        if let Some(judging) = self.judging.get_mut(&id) {
            judging.running = true;
        }
        let ancestors = self.ledger.ancestors(parent.id());
        out.push(Output::Run(Job::Judge(Box::new(Judge {
            id,
            proposal,
            parent,
            step,
            ancestors,
        }))));
    }

    /// Anchor and beacon (R1, R5): the step whose witness is still unchecked, or a verdict at once.
    fn place(
        &self,
        now: Now,
        proposal: &Proposal,
        parent: &Header,
    ) -> Result<Option<quil_reel::Step>, Verdict> {
        match self.chain {
            Chain::Global => self.place_global(proposal, parent),
            Chain::Shard(_) => self
                .place_shard(now, &proposal.header, parent)
                .map(|()| None),
        }
    }

    fn place_global(
        &self,
        proposal: &Proposal,
        parent: &Header,
    ) -> Result<Option<quil_reel::Step>, Verdict> {
        let header = &proposal.header;
        if header.anchor.is_some() {
            return Err(Verdict::Invalid("anchor"));
        }
        if self.rule.place(header) == Place::Descendant {
            let repeats = header.beacon == parent.beacon && proposal.beacon.is_none();
            return if repeats {
                Ok(None)
            } else {
                Err(Verdict::Invalid("beacon"))
            };
        }
        let beacons = self.beacons.as_ref().ok_or(Verdict::Abstain)?;
        let step = beacons
            .step_after(parent, header.epoch)
            .ok_or(Verdict::Abstain)?;
        let witness = proposal.beacon.as_ref().ok_or(Verdict::Invalid("beacon"))?;
        let named =
            witness.number == header.number && quil_reel::Step::beacon(witness) == header.beacon;
        if !named {
            return Err(Verdict::Invalid("beacon"));
        }
        // A witness with the same y was checked; another proof of the same y is checked by itself.
        Ok((beacons.witness(&step) != Some(witness)).then_some(step))
    }

    fn place_shard(&self, now: Now, header: &Header, parent: &Header) -> Result<(), Verdict> {
        // The first frame's parent is the genesis frame, whose anchor is the global genesis frame.
        match check_anchor(header, parent, &self.globals) {
            Ok(_) => Ok(()),
            Err(AnchorError::NotFinal(_)) => {
                Err(Verdict::ParkUntil(now.tick.after(ANCHOR_RETRY_MS)))
            }
            Err(_) => Err(Verdict::Invalid("anchor")),
        }
    }

    pub(super) fn on_judged(
        &mut self,
        now: Now,
        id: FrameId,
        result: Result<Arc<Snapshot>, JudgeError>,
        out: &mut Vec<Output>,
    ) {
        let Some(judging) = self.judging.remove(&id) else {
            return;
        };
        match result {
            Ok(snapshot) => {
                if let Some(witness) = judging.proposal.beacon.clone() {
                    self.solver(
                        now,
                        SolverInput::Checked {
                            witness,
                            valid: true,
                        },
                        out,
                    );
                }
                self.ledger.insert(Arc::clone(&snapshot));
                if judging.asked {
                    self.answer(now, &snapshot);
                }
                self.on_new_state(now, &snapshot, out);
            }
            Err(JudgeError::Local(e)) => self.halt(LocalFault::from(e).into(), out),
            Err(reason) if judging.asked && !judging.settled => {
                self.pending.push_back(CoreInput::Validated {
                    id,
                    verdict: Verdict::Invalid(reason.label()),
                });
            }
            // Final for the network and wrong here: this node's state is not the network's.
            Err(_) => self.halt(Halt::StateMismatch(judging.proposal.header.number), out),
        }
    }

    /// A frame has a state: commit it, continue with what waited for it.
    pub(super) fn on_new_state(
        &mut self,
        now: Now,
        snapshot: &Arc<Snapshot>,
        out: &mut Vec<Output>,
    ) {
        Self::commit_soon(snapshot, out);
        let id = snapshot.id();
        let children = self
            .judging
            .iter()
            .filter(|(_, j)| j.proposal.header.parent == id);
        let children: Vec<FrameId> = children.map(|(c, _)| *c).collect();
        for child in children {
            self.try_judge(now, child, out);
        }
        self.aim_reel(now, out);
        self.try_build(now, out);
        self.try_seal(now, out);
    }

    /// Applies the voting rules to a frame that is valid (R4, R5).
    fn answer(&mut self, now: Now, snapshot: &Arc<Snapshot>) {
        let header = snapshot.header();
        let verdict = match self.ledger.get(&header.parent) {
            Some(parent) => self.voting_rules(now, header, parent.header()),
            // The parent's state is gone because a later frame is final: this one cannot win any more.
            None => Verdict::Abstain,
        };
        self.pending.push_back(CoreInput::Validated {
            id: snapshot.id(),
            verdict,
        });
    }

    fn voting_rules(&self, now: Now, header: &Header, parent: &Header) -> Verdict {
        if let Some(anchor) = &header.anchor {
            let head = quil_reel::FinalGlobal::head(&self.globals);
            let max = self.network.genesis().limits.anchor_age;
            if self.rule.place(header) != Place::Descendant
                && check_anchor_age(anchor, head, max).is_err()
            {
                return Verdict::Abstain;
            }
        }
        match clock_verdict(
            &self.network.genesis().pacing,
            parent.timestamp,
            header.timestamp,
            now.wall,
        ) {
            ClockVerdict::Vote => Verdict::Vote,
            ClockVerdict::TooEarly { .. } => Verdict::Abstain,
            ClockVerdict::ParkUntil(at) => {
                let wait = at.get().saturating_sub(now.wall.get()).max(1);
                Verdict::ParkUntil(Millis::new(now.tick.get().saturating_add(wait)))
            }
        }
    }

    fn give(&mut self, id: FrameId, verdict: Verdict) {
        if self.judging.remove(&id).is_some_and(|j| j.asked) {
            self.pending.push_back(CoreInput::Validated { id, verdict });
        }
    }
}
