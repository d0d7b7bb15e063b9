//! Finality and the change of epochs (C1, C2, C3).

use std::sync::Arc;

use quil_types::{Committee, Epoch, EpochProof, FrameId, Header, Proposal, Qc, Rank};

use super::{Core, Cx};
use crate::certs::Certs;
use crate::epoch::Place;
use crate::forest::{Forest, Opinion, Root, Vertex};
use crate::io::{CaughtUp, Finality, Halt, Output};
use crate::leader::{Leaders, genesis_leader_seed, leader_seed};
use crate::limits::{CLOSED_EPOCHS_MAX, EPOCHS_AHEAD_MAX};
use crate::reject::Reject;
use crate::roster::{Roster, Term};
use crate::scheme::Scheme;
use crate::timeouts::TimeoutPool;
use crate::verify::{Verified, VerifyError, epoch_proof_over, finality_over};
use crate::votes::VotePool;

impl<S: Scheme> Core<S> {
    /// Makes the frames of `path` final because `tip`, a child of the last of them, is certified one rank above it.
    pub(super) fn finalise(
        &mut self,
        cx: &mut Cx<'_>,
        path: &[FrameId],
        tip: &Header,
        qc: &Verified<Qc>,
    ) {
        let vertices: Vec<&Vertex> = path.iter().filter_map(|id| self.forest.get(id)).collect();
        if let Some(reason) = first_invalid(&vertices) {
            let qc = Box::new((**qc).clone());
            return self.halt(cx, Halt::CertifiedInvalid { qc, reason });
        }
        let frames: Vec<Arc<Proposal>> = vertices.iter().map(|v| Arc::clone(&v.proposal)).collect();
        let delays: Vec<u64> = vertices.iter().filter_map(|v| v.delay).collect();
        let closing = frames
            .iter()
            .position(|p| self.term.rule.place(&p.header) == Place::Closing);
        self.pace.finalised(delays.into_iter());
        self.fetches.progressed();
        match closing {
            None => self.finalise_frames(cx, frames, tip, qc),
            Some(at) => self.finalise_epoch(cx, frames, at, (tip, qc)),
        }
    }

    fn finalise_frames(
        &mut self,
        cx: &mut Cx<'_>,
        frames: Vec<Arc<Proposal>>,
        tip: &Header,
        qc: &Verified<Qc>,
    ) {
        let Some(last) = frames.last().map(|p| p.header.clone()) else {
            return;
        };
        let Ok(proof) = finality_over(&self.term, tip.clone(), qc) else {
            return;
        };
        let finality = Finality::Child(Box::new(proof));
        cx.out.push(Output::Finalised {
            frames,
            finality: finality.clone(),
        });
        self.move_root(cx, last, finality);
    }

    fn move_root(&mut self, cx: &mut Cx<'_>, header: Header, finality: Finality) {
        self.finality = Some(finality);
        self.certs.prune(header.rank);
        self.fetches.prune(header.rank);
        let root = Root {
            id: header.id(),
            rank: header.rank,
            header: Arc::new(header),
        };
        let connected = self.forest.reroot(root);
        self.on_connected(cx, &connected);
    }

    fn finalise_epoch(
        &mut self,
        cx: &mut Cx<'_>,
        mut frames: Vec<Arc<Proposal>>,
        at: usize,
        (tip, qc): (&Header, &Verified<Qc>),
    ) {
        let behind = frames.split_off(at.saturating_add(1));
        let Some(closing) = frames.last().map(|p| p.header.clone()) else {
            return;
        };
        let between: Vec<Header> = behind.iter().map(|p| p.header.clone()).collect();
        if let Some(proof) = self.prove_closing(closing, between, tip, qc) {
            self.close_epoch(cx, frames, proof);
        }
    }

    fn prove_closing(
        &self,
        closing: Header,
        between: Vec<Header>,
        tip: &Header,
        qc: &Verified<Qc>,
    ) -> Option<Verified<EpochProof>> {
        let proof = EpochProof {
            closing,
            between: between.try_into().ok()?,
            tip: tip.clone(),
            qc: (**qc).clone(),
        };
        epoch_proof_over(&self.term, proof, qc).ok()
    }

    /// A proof that the current epoch is closed came from somebody else.
    pub(super) fn adopt_epoch_proof(&mut self, cx: &mut Cx<'_>, proof: Verified<EpochProof>) {
        if self.open() && proof.closing.epoch == self.term.epoch && self.closing.is_none() {
            let (id, rank) = (proof.closing.id(), proof.closing.rank);
            self.closing = Some(proof);
            if self.forest.path(id).is_err() {
                self.fetches.want(cx.now, id, rank, None);
            }
            self.try_pending_close(cx);
        }
    }

    /// Closes the epoch by a proof once the frames up to the closing one are here.
    pub(super) fn try_pending_close(&mut self, cx: &mut Cx<'_>) {
        let Some(proof) = self.closing.clone() else {
            return;
        };
        let Ok(path) = self.forest.path(proof.closing.id()) else {
            return;
        };
        let vertices: Vec<&Vertex> = path.iter().filter_map(|id| self.forest.get(id)).collect();
        if let Some(reason) = first_invalid(&vertices) {
            let qc = Box::new(proof.qc.clone());
            return self.halt(cx, Halt::CertifiedInvalid { qc, reason });
        }
        let frames = vertices.iter().map(|v| Arc::clone(&v.proposal)).collect();
        self.close_epoch(cx, frames, proof);
    }

    /// Leaves the epoch: its closing frame is final.
    fn close_epoch(
        &mut self,
        cx: &mut Cx<'_>,
        frames: Vec<Arc<Proposal>>,
        proof: Verified<EpochProof>,
    ) {
        let finality = Finality::Closed(Box::new(proof.clone()));
        if !frames.is_empty() {
            cx.out.push(Output::Finalised {
                frames,
                finality: finality.clone(),
            });
        }
        cx.out.push(Output::EpochClosed(Box::new(proof.clone())));
        self.finality = Some(finality);
        self.leave_epoch(proof);
        self.try_enter(cx);
    }

    /// Forgets everything of the current epoch but its committee and proof.
    fn leave_epoch(&mut self, proof: Verified<EpochProof>) {
        let header = Arc::new(proof.closing.clone());
        self.forest = Forest::new(Root {
            id: header.id(),
            rank: Rank::ZERO,
            header,
        });
        self.closed.insert(proof.closing.epoch, proof);
        while self.closed.len() > CLOSED_EPOCHS_MAX {
            self.closed.pop_first();
        }
        self.closing = None;
        self.waiting = true;
        self.building = None;
        self.votes = VotePool::default();
        self.timeouts = TimeoutPool::default();
        self.held.clear();
        self.fetches.clear();
    }

    /// Enters the epoch behind the last closed one, when its committee is known.
    pub(super) fn try_enter(&mut self, cx: &mut Cx<'_>) {
        let Some((epoch, proof)) = self
            .closed
            .last_key_value()
            .map(|(e, p)| (e.next(), p.clone()))
        else {
            return;
        };
        let Some(roster) = self.rosters.get(&epoch).cloned() else {
            return cx.out.push(Output::NeedCommittee { epoch });
        };
        if roster.root() != proof.closing.next_committee_root {
            let reason = Reject::Verify(VerifyError::NextCommittee);
            let qc = Box::new(proof.qc.clone());
            return self.halt(cx, Halt::CertifiedInvalid { qc, reason });
        }
        self.set_term(epoch, roster, Some(&proof));
        self.certs = Certs::new(self.epoch_root_qc());
        self.pace.restart(cx.now, Rank::new(1));
        self.waiting = false;
        cx.out.push(Output::EnteredEpoch {
            epoch,
            member: self.me,
        });
        self.announce_rank(cx);
        self.propose(cx);
        self.replay_early(cx);
    }

    pub(super) fn set_term(
        &mut self,
        epoch: Epoch,
        roster: Arc<Roster>,
        opened: Option<&EpochProof>,
    ) {
        // R_0 and R_1 come from genesis, R_{e+1} from the beacon of B_e (C5).
        let seed = match opened.filter(|p| p.closing.epoch.prev().is_some()) {
            Some(proof) => leader_seed(proof.closing.beacon, self.config.chain),
            None => genesis_leader_seed(self.config.genesis, self.config.chain),
        };
        let members = u16::try_from(roster.len()).unwrap_or(u16::MAX);
        self.leaders = Leaders::new(seed, members);
        self.me = self
            .config
            .key
            .as_ref()
            .and_then(|key| roster.position(key));
        self.term = Term {
            epoch,
            roster,
            ..self.term.clone()
        };
        let kept = epoch
            .get()
            .saturating_sub(u64::try_from(CLOSED_EPOCHS_MAX).unwrap_or(0));
        self.rosters = self.rosters.split_off(&Epoch::new(kept));
    }

    pub(super) fn on_committee(&mut self, cx: &mut Cx<'_>, epoch: Epoch, committee: Committee) {
        let ahead = self.term.epoch.get().saturating_add(EPOCHS_AHEAD_MAX);
        let wanted = committee.is_empty() || (self.started && epoch.get() > ahead);
        if wanted || self.rosters.contains_key(&epoch) {
            return;
        }
        self.rosters.insert(epoch, Arc::new(Roster::new(committee)));
        if self.waiting && self.started {
            self.try_enter(cx);
        } else if self.open() {
            self.take_turn(cx);
        }
    }

    pub(super) fn on_caught_up(&mut self, cx: &mut Cx<'_>, caught_up: CaughtUp) {
        let CaughtUp {
            head,
            finality,
            opened,
        } = caught_up;
        let known = head.number <= self.forest.root().header.number;
        if head.chain != self.config.chain || known {
            return;
        }
        if let Some(opened) = opened.filter(|p| p.closing.epoch.next() == head.epoch)
            && (head.epoch > self.term.epoch.next()
                || (head.epoch == self.term.epoch.next() && !self.waiting))
        {
            self.jump(cx, *opened);
        }
        if head.epoch != self.term.epoch || !self.open() {
            return;
        }
        self.fetches.progressed();
        match finality {
            Finality::Closed(proof) if proof.closing.id() == head.id() => {
                self.close_epoch(cx, Vec::new(), *proof);
            }
            Finality::Child(proof) if proof.header.parent == head.id() => {
                self.rise(cx, head, &proof);
            }
            Finality::Closed(_) | Finality::Child(_) => {}
        }
    }

    /// Skips to the epoch that a proof opens.
    fn jump(&mut self, cx: &mut Cx<'_>, opened: Verified<EpochProof>) {
        if !self.rosters.contains_key(&opened.closing.epoch.next()) {
            let epoch = opened.closing.epoch.next();
            return cx.out.push(Output::NeedCommittee { epoch });
        }
        self.finality = Some(Finality::Closed(Box::new(opened.clone())));
        self.leave_epoch(opened);
        self.early.clear();
        self.try_enter(cx);
    }

    /// Moves the final frame up within the epoch.
    fn rise(&mut self, cx: &mut Cx<'_>, head: Header, proof: &Verified<quil_types::FinalityProof>) {
        let qc = proof.qc();
        if self.term.rule.place(&head) == Place::Closing {
            if let Some(proof) = self.prove_closing(head, Vec::new(), &proof.header, &qc) {
                self.close_epoch(cx, Vec::new(), proof);
            }
            return;
        }
        self.pace.finalised(core::iter::empty());
        self.move_root(cx, head, Finality::Child(Box::new(proof.clone())));
        self.on_qc(cx, qc);
        self.advance(cx);
    }
}

fn first_invalid(vertices: &[&Vertex]) -> Option<Reject> {
    vertices.iter().find_map(|v| match &v.opinion {
        Opinion::Invalid(reason) => Some(reason.clone()),
        _ => None,
    })
}
