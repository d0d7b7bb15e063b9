//! Votes and timeouts: wish, durable record, signature, send (C4, C8).

use std::sync::Arc;

use quil_types::{Bytes, Epoch, FrameId, Proposal, Rank, Timeout, TimeoutStatement, Vote};

use super::{Core, Cx, Record, Source};
use crate::forest::{Opinion, Vertex};
use crate::io::{Draft, Output, RecordId, Verdict};
use crate::proposal::check_shape;
use crate::reject::Reject;
use crate::safety::{Intent, Permit, SafetyRecord, Step};
use crate::scheme::Scheme;

impl<S: Scheme> Core<S> {
    pub(super) fn on_built(&mut self, cx: &mut Cx<'_>, draft: Draft) {
        let rank = self.pace.rank();
        let expected = draft.header.epoch == self.term.epoch && draft.header.rank == rank;
        let Some(me) = self.me.filter(|_| {
            expected && self.open() && self.building == Some(rank) && !self.pace.has_expired()
        }) else {
            return;
        };
        let id = draft.header.id();
        let vote = Vote {
            chain: self.term.chain,
            epoch: self.term.epoch,
            rank,
            id,
            member: me,
            signature: Bytes::new(),
        };
        let proposal = Proposal {
            header: draft.header,
            body: draft.body,
            beacon: draft.beacon,
            justify: draft.justify,
            tc: draft.tc,
            vote,
        };
        if let Err(e) = check_shape(&self.term, Some(me), &proposal) {
            return cx.out.push(Output::DraftRefused(e));
        }
        let vertex = Vertex {
            id,
            proposal: Arc::new(proposal),
            own: true,
            connected: false,
            durable: false,
            opinion: Opinion::Unknown,
            arrived: Some(cx.now),
            certified: false,
            delay: None,
        };
        self.plant(cx, vertex, None);
    }

    pub(super) fn on_verdict(&mut self, cx: &mut Cx<'_>, id: FrameId, verdict: Verdict) {
        let Some(vertex) = self
            .forest
            .get_mut(&id)
            .filter(|v| v.opinion == Opinion::Asked)
        else {
            return;
        };
        vertex.opinion = match verdict {
            Verdict::Vote => Opinion::Vote,
            Verdict::ParkUntil(until) => Opinion::Parked(until),
            Verdict::Abstain => Opinion::Abstain,
            Verdict::Invalid(why) => Opinion::Invalid(Reject::Body(why)),
        };
        let leader = vertex.proposal.vote.member;
        match verdict {
            Verdict::Vote => self.try_vote(cx, &id),
            Verdict::Invalid(why) => {
                Self::penalise(cx, self.peer_of(leader), Reject::Body(why));
            }
            Verdict::ParkUntil(_) | Verdict::Abstain => {}
        }
    }

    /// Votes when everything that C4 asks for holds.
    pub(super) fn try_vote(&mut self, cx: &mut Cx<'_>, id: &FrameId) {
        if self.me.is_none() || self.keyring.0.is_none() || !self.open() {
            return;
        }
        let Some(vertex) = self.forest.get(id) else {
            return;
        };
        let header = vertex.header();
        let ready = vertex.connected && vertex.durable && vertex.opinion == Opinion::Vote;
        if !ready || header.rank != self.pace.rank() {
            return;
        }
        if self.next_committee_fits(header) != Some(true) {
            return;
        }
        let (epoch, rank, parent_rank) = (header.epoch, header.rank, header.parent_rank);
        match self.safety.vote(epoch, rank, *id, parent_rank) {
            Ok(Step::Persist(record)) => {
                self.persist_safety(
                    cx,
                    *record,
                    Intent::Vote {
                        epoch,
                        rank,
                        id: *id,
                    },
                );
            }
            // Sent when it became durable; sent again only after a restart.
            Ok(Step::Again(_)) | Err(_) => {}
        }
    }

    /// Gives up the current rank, or says so again.
    pub(super) fn send_timeout(&mut self, cx: &mut Cx<'_>) {
        let (Some(me), Some(signer)) = (self.me, self.keyring.0.clone()) else {
            return;
        };
        let (epoch, rank) = (self.term.epoch, self.pace.rank());
        let high = self.certs.high();
        let sign = || {
            let statement = TimeoutStatement {
                genesis: self.term.genesis,
                chain: self.term.chain,
                epoch,
                rank,
                qc_rank: high.rank,
            };
            Timeout {
                chain: self.term.chain,
                epoch,
                rank,
                high_qc: high.to_wire(),
                member: me,
                signature: self.scheme.sign(&signer, &statement.signed_bytes()),
            }
        };
        let tc = self.pace.tc().map(|tc| (**tc).clone());
        match self.safety.timeout(epoch, rank, high.rank, tc, sign) {
            Ok(Step::Persist(record)) => {
                if let Some(timeout) = record.last_timeout.clone() {
                    self.persist_safety(cx, *record, Intent::Timeout(Box::new(timeout)));
                }
            }
            Ok(Step::Again(permit)) => {
                if let Some((_, message)) = permit.timeout() {
                    cx.out.push(Output::Rebroadcast(message));
                }
            }
            Err(_) => {}
        }
    }

    fn persist_safety(&mut self, cx: &mut Cx<'_>, safety: SafetyRecord, intent: Intent) {
        let record = self.record(Record::Safety);
        self.safety.submitted(record, safety.clone(), intent);
        cx.out.push(Output::PersistSafety {
            record,
            safety: Box::new(safety),
        });
    }

    pub(super) fn on_persisted(&mut self, cx: &mut Cx<'_>, record: RecordId) {
        match self.records.remove(&record) {
            Some(Record::Candidate(id)) => {
                if let Some(vertex) = self.forest.get_mut(&id) {
                    vertex.durable = true;
                    self.try_vote(cx, &id);
                }
            }
            Some(Record::Safety) => {
                if let Some(permit) = self.safety.persisted(record) {
                    self.release(cx, permit);
                }
            }
            None => {}
        }
    }

    /// Sends what a durable record permits, unless its epoch is over: then nobody needs it.
    pub(super) fn release(&mut self, cx: &mut Cx<'_>, permit: Permit) {
        match permit.intent().clone() {
            Intent::Vote { epoch, rank, id } => self.release_vote(cx, permit, (epoch, rank, id)),
            Intent::Timeout(timeout) => {
                if timeout.epoch != self.term.epoch || !self.open() {
                    return;
                }
                let Some((timeout, message)) = permit.timeout() else {
                    return;
                };
                cx.out.push(Output::Broadcast(message));
                self.count_own_timeout(cx, timeout);
            }
        }
    }

    fn release_vote(
        &mut self,
        cx: &mut Cx<'_>,
        permit: Permit,
        (epoch, rank, id): (Epoch, Rank, FrameId),
    ) {
        let (Some(me), Some(signer)) = (self.me, self.keyring.0.clone()) else {
            return;
        };
        if epoch != self.term.epoch || !self.open() {
            return;
        }
        let bytes = self.term.vote_bytes(rank, id);
        let vote = Vote {
            chain: self.term.chain,
            epoch,
            rank,
            id,
            member: me,
            signature: self.scheme.sign(&signer, &bytes),
        };
        let message = match self.forest.get_mut(&id).filter(|v| v.own) {
            Some(vertex) => {
                let proposal = Arc::make_mut(&mut vertex.proposal);
                proposal.vote = vote.clone();
                permit.proposal(proposal)
            }
            None => permit.vote(vote.clone()),
        };
        if let Some(message) = message {
            cx.out.push(Output::Broadcast(message));
            let source = Source {
                peer: self.peer_of(me),
                member: Some(me),
            };
            self.count_vote(cx, source, vote);
        }
    }

    pub(super) fn count_own_timeout(&mut self, cx: &mut Cx<'_>, timeout: Timeout) {
        let high = match &timeout.high_qc {
            None => Some(self.epoch_root_qc()),
            Some(qc) => self.certs.qc(qc.rank, &qc.id).cloned(),
        };
        if let Some(high) = high {
            let source = Source {
                peer: self.peer_of(timeout.member),
                member: Some(timeout.member),
            };
            self.count_timeout(cx, source, timeout, high);
        }
    }
}
