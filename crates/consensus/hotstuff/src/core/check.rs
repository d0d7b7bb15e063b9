//! Checks: what they are for, how their outcome is used.

use quil_types::{Digest, EpochProof, FrameId, MemberIndex, Qc, Rank, Tc};

use super::{Core, Cx, Source};
use crate::certs::content_key;
use crate::held::{CheckKey, Incoming};
use crate::io::Output;
use crate::jobs::{Aggregated, JobOutcome, Task, TaskResult};
use crate::reject::Reject;
use crate::scheme::{Scheme, SchemeError};
use crate::verify::{Verified, VerifyError};

impl<S: Scheme> Core<S> {
    /// Learns a certificate: from memory, or by a check for which `again` waits. `None` while it runs or when the
    /// certificate is refused.
    pub(super) fn learn_qc(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        qc: &Qc,
        again: Incoming,
    ) -> Option<Verified<Qc>> {
        if let Err(error) = self.qc_position(qc) {
            Self::penalise(cx, source.peer, error);
            return None;
        }
        if let Some(known) = self.certs.qc(qc.rank, &qc.id) {
            return Some(known.clone());
        }
        let content = content_key(qc);
        if let Some(error) = self.certs.refused(&content) {
            Self::penalise(cx, source.peer, error);
            return None;
        }
        let check = (
            CheckKey::Qc(qc.rank, qc.id),
            Some(content),
            Task::Qc(qc.clone()),
        );
        self.hold(cx, check, (source, again));
        None
    }

    fn qc_position(&self, qc: &Qc) -> Result<(), VerifyError> {
        let (expected, got) = (self.term.epoch, qc.epoch);
        if qc.chain != self.term.chain {
            Err(VerifyError::WrongChain)
        } else if got != expected {
            Err(VerifyError::WrongEpoch { expected, got })
        } else if qc.rank == Rank::ZERO {
            Err(VerifyError::RankZero)
        } else {
            Ok(())
        }
    }

    pub(super) fn learn_tc(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        tc: &Tc,
        again: Incoming,
    ) -> Option<Verified<Tc>> {
        let high = match &tc.high_qc {
            None => self.epoch_root_qc(),
            Some(qc) => self.learn_qc(cx, source, qc, again.clone())?,
        };
        if tc.epoch != self.term.epoch || !self.open() {
            return None;
        }
        let content = content_key(tc);
        if let Some(tc) = self.certs.tc(content).cloned() {
            self.on_tc(cx, tc.clone());
            return Some(tc);
        }
        if let Some(error) = self.certs.refused(&content) {
            Self::penalise(cx, source.peer, error);
            return None;
        }
        let task = Task::Tc {
            tc: Box::new(tc.clone()),
            high,
        };
        self.hold(
            cx,
            (CheckKey::Tc(content), Some(content), task),
            (source, again),
        );
        None
    }

    pub(super) fn check_epoch_proof(
        &mut self,
        cx: &mut Cx<'_>,
        source: Source,
        proof: &EpochProof,
        again: Incoming,
    ) {
        let content = content_key(proof);
        if let Some(error) = self.certs.refused(&content) {
            return Self::penalise(cx, source.peer, error);
        }
        if self.closing.is_some() {
            // The way to the next epoch is known, only frames are missing.
            return;
        }
        let task = Task::EpochProof(Box::new(proof.clone()));
        self.hold(
            cx,
            (CheckKey::EpochProof(content), Some(content), task),
            (source, again),
        );
    }

    pub(super) fn hold(
        &mut self,
        cx: &mut Cx<'_>,
        check: (CheckKey, Option<Digest>, Task),
        message: (Source, Incoming),
    ) {
        if let Some(job) = self.held.wait(&self.term, check, message) {
            cx.out.push(Output::Verify(job));
        }
    }

    pub(super) fn on_checked(&mut self, cx: &mut Cx<'_>, outcome: JobOutcome) {
        let Some(check) = self.held.finish(outcome.id) else {
            return;
        };
        let mut waiting = check.waiting;
        match outcome.result {
            TaskResult::Qc(Ok(qc)) => self.on_qc(cx, qc),
            TaskResult::Tc(Ok(tc)) => {
                if let Some(content) = check.content {
                    self.certs.insert_tc(content, tc.clone());
                }
                self.on_tc(cx, tc);
            }
            TaskResult::EpochProof(Ok(proof)) => self.adopt_epoch_proof(cx, *proof),
            TaskResult::Qc(Err(e)) | TaskResult::Tc(Err(e)) | TaskResult::EpochProof(Err(e)) => {
                if let Some(content) = check.content {
                    self.certs.refuse(content, e.clone());
                }
                self.blame_first(cx, &mut waiting, e);
            }
            TaskResult::Proposal(Ok(())) => keep_checked(&mut waiting),
            TaskResult::Proposal(Err(e)) => self.blame_first(cx, &mut waiting, e),
            TaskResult::Votes { rank, id, result } => self.on_votes_checked(cx, rank, id, result),
            TaskResult::Timeouts { rank, result } => self.on_timeouts_checked(cx, rank, result),
            TaskResult::Equivocation(Ok(evidence)) => cx.out.push(Output::Evidence(evidence)),
            TaskResult::Equivocation(Err(_)) => {}
        }
        for (source, incoming) in waiting {
            self.receive(cx, source, incoming);
        }
    }

    /// Blames the sender whose copy was checked; the others are looked at again, their copies may differ.
    fn blame_first(
        &mut self,
        cx: &mut Cx<'_>,
        waiting: &mut Vec<(Source, Incoming)>,
        reason: impl Into<Reject>,
    ) {
        if !waiting.is_empty() {
            let (source, _) = waiting.remove(0);
            Self::penalise(cx, source.peer, reason);
        }
    }

    fn on_votes_checked(
        &mut self,
        cx: &mut Cx<'_>,
        rank: Rank,
        id: FrameId,
        result: Aggregated<Qc>,
    ) {
        self.votes.end_check(rank, id, &result.bad);
        self.penalise_members(cx, &result.bad);
        match result.certificate {
            Some(qc) => self.on_qc(cx, qc),
            None => self.try_certify(cx, rank, id),
        }
    }

    fn on_timeouts_checked(&mut self, cx: &mut Cx<'_>, rank: Rank, result: Aggregated<Tc>) {
        self.timeouts.end_check(rank, &result.bad);
        self.penalise_members(cx, &result.bad);
        match result.certificate {
            Some(tc) => {
                self.certs.insert_tc(content_key(&*tc), tc.clone());
                self.on_tc(cx, tc);
            }
            None => self.try_timeout_certificate(cx, rank),
        }
    }

    fn penalise_members(&mut self, cx: &mut Cx<'_>, members: &[MemberIndex]) {
        for member in members {
            if let Some(member) = self.term.roster.member(*member) {
                let error = VerifyError::Signature(SchemeError::Mismatch);
                Self::penalise(cx, member.peer, error);
            }
        }
    }
}

/// Keeps the copy that was checked: another one with the same identity may carry another body or signature.
fn keep_checked(waiting: &mut Vec<(Source, Incoming)>) {
    waiting.truncate(1);
    if let Some((_, Incoming::Proposal { checked, .. })) = waiting.first_mut() {
        *checked = true;
    }
}
