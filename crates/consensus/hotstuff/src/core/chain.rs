//! Frames and certificates: what they make certified and final.

use std::sync::Arc;

use quil_types::{FrameId, Header, Justify, MemberIndex, PeerKey, Proposal, Qc, Rank, Tc};

use super::{Core, Cx, Record, Source};
use crate::epoch::Place;
use crate::forest::{Gap, Opinion, Refused, Vertex};
use crate::io::{Halt, Output};
use crate::limits::FETCH_GAP_MAX;
use crate::pacemaker::Entry;
use crate::proposal::{ProposalError, check_child};
use crate::reject::Reject;
use crate::scheme::Scheme;
use crate::verify::Verified;

impl<S: Scheme> Core<S> {
    pub(super) fn epoch_root_qc(&self) -> Verified<Qc> {
        let root = self.closed.values().next_back().map(|p| p.closing.id());
        let root = root.filter(|_| self.term.epoch.prev().is_some());
        Verified::epoch_root(
            self.term.chain,
            self.term.epoch,
            root.unwrap_or(self.genesis_id),
        )
    }

    /// Whether a frame is the root of the current epoch.
    pub(super) fn is_epoch_root(&self, id: &FrameId) -> bool {
        self.epoch_root_qc().id == *id
    }

    /// What justifies a child of the epoch root.
    pub(super) fn root_justify(&self) -> Justify {
        let proof = self.term.epoch.prev().and_then(|e| self.closed.get(&e));
        proof.map_or(Justify::Genesis, |p| {
            Justify::Epoch(Box::new((**p).clone()))
        })
    }

    /// Takes a proposal whose signatures were checked.
    pub(super) fn accept(
        &mut self,
        cx: &mut Cx<'_>,
        from: Option<PeerKey>,
        proposal: Arc<Proposal>,
    ) {
        let in_time = proposal.header.rank >= self.pace.rank();
        let vertex = Vertex {
            id: proposal.header.id(),
            own: false,
            connected: false,
            durable: false,
            opinion: Opinion::Unknown,
            arrived: in_time.then_some(cx.now),
            certified: false,
            delay: None,
            proposal,
        };
        self.plant(cx, vertex, from);
    }

    /// Puts a frame into the forest and follows up.
    pub(super) fn plant(&mut self, cx: &mut Cx<'_>, vertex: Vertex, from: Option<PeerKey>) {
        let (id, proposal) = (vertex.id, Arc::clone(&vertex.proposal));
        let certs = &self.certs;
        let keep = |v: &Vertex| certs.qc(v.rank(), &v.id).is_some();
        match self.forest.insert(vertex, keep) {
            Ok(()) => self.fetches.found(&id),
            Err(Refused::Conflict) => return self.refuse_conflict(cx, id, &proposal.header, from),
            Err(Refused::Known | Refused::Stale | Refused::Full) => return,
        }
        self.note_certified(cx, proposal.header.rank, id);
        let connected = self.forest.connect(&id);
        self.on_connected(cx, &connected);
        if connected.is_empty() {
            self.want_ancestor(cx, id, from);
        }
        if !proposal.vote.signature.is_empty() {
            let member = Some(proposal.vote.member);
            let source = Source {
                peer: self.peer_of(proposal.vote.member),
                member,
            };
            self.count_vote(cx, source, proposal.vote.clone());
        }
        self.advance(cx);
        self.propose(cx);
    }

    pub(super) fn peer_of(&self, member: MemberIndex) -> PeerKey {
        self.term
            .roster
            .member(member)
            .map_or(PeerKey::ZERO, |m| m.peer)
    }

    /// A frame that leaves the final one out: blame for its leader, or proof of a broken committee.
    fn refuse_conflict(
        &mut self,
        cx: &mut Cx<'_>,
        id: FrameId,
        header: &Header,
        from: Option<PeerKey>,
    ) {
        self.fetches.found(&id);
        match self.certs.qc(header.rank, &id).cloned() {
            Some(qc) => self.halt_conflict(cx, &qc, header),
            None => {
                if let Some(peer) = from {
                    Self::penalise(cx, peer, ProposalError::Conflict);
                }
            }
        }
    }

    fn halt_conflict(&mut self, cx: &mut Cx<'_>, qc: &Verified<Qc>, header: &Header) {
        let halt = Halt::ConflictingFinality {
            last: self.forest.root().id,
            finality: self.finality.clone().map(Box::new),
            other: Box::new((**qc).clone()),
            header: Box::new(header.clone()),
        };
        self.halt(cx, halt);
    }

    /// Asks for the lowest missing ancestor of a frame, or for final frames when the gap is wide.
    fn want_ancestor(&mut self, cx: &Cx<'_>, id: FrameId, hint: Option<PeerKey>) {
        let Some(header) = self.forest.get(&id).map(|v| v.proposal.header.clone()) else {
            return;
        };
        let reach = self
            .forest
            .root()
            .header
            .number
            .get()
            .saturating_add(FETCH_GAP_MAX);
        if header.number.get() > reach {
            self.fetches.lag_now(cx.now, hint);
        } else if let Err(Gap::Missing(missing)) = self.forest.path(id) {
            self.fetches.want(cx.now, missing, header.rank, hint);
        }
    }

    /// Frames that now hang together with the final one, parents first: check them against their parents, store
    /// them, have them executed.
    pub(super) fn on_connected(&mut self, cx: &mut Cx<'_>, ids: &[FrameId]) {
        for id in ids {
            let Some(vertex) = self.forest.get(id) else {
                continue;
            };
            let header = vertex.header().clone();
            let Some((parent, parent_rank)) = self.forest.base(&header.parent) else {
                continue;
            };
            if let Err(e) = check_child(self.term.rule, &parent, parent_rank, &header) {
                self.refuse_frame(cx, *id, e.into());
                continue;
            }
            if self.next_committee_fits(&header) == Some(false) {
                self.refuse_frame(cx, *id, ProposalError::NextCommitteeRoot.into());
                continue;
            }
            self.store_and_validate(cx, *id);
            self.try_vote(cx, id);
        }
    }

    fn store_and_validate(&mut self, cx: &mut Cx<'_>, id: FrameId) {
        let Some(vertex) = self.forest.get_mut(&id) else {
            return;
        };
        let (own, durable, proposal) = (vertex.own, vertex.durable, Arc::clone(&vertex.proposal));
        vertex.opinion = if own { Opinion::Vote } else { Opinion::Asked };
        if !durable {
            let record = self.record(Record::Candidate(id));
            cx.out.push(Output::PersistCandidate {
                record,
                proposal: Arc::clone(&proposal),
            });
        }
        if !own {
            cx.out.push(Output::Validate(proposal));
        }
    }

    /// Whether a closing frame names the committee that final state gives; `None` when that is not known yet.
    pub(super) fn next_committee_fits(&self, header: &Header) -> Option<bool> {
        if self.term.rule.place(header) != Place::Closing {
            return Some(true);
        }
        let next = self.rosters.get(&self.term.epoch.next())?;
        Some(next.root() == header.next_committee_root)
    }

    /// Drops a frame that breaks a rule, with everything above it.
    pub(super) fn refuse_frame(&mut self, cx: &mut Cx<'_>, id: FrameId, reason: Reject) {
        let Some(vertex) = self.forest.get(&id) else {
            return;
        };
        let (rank, leader) = (vertex.rank(), vertex.proposal.vote.member);
        if let Some(qc) = self.certs.qc(rank, &id).cloned() {
            let qc = Box::new(qc.into_inner());
            return self.halt(cx, Halt::CertifiedInvalid { qc, reason });
        }
        Self::penalise(cx, self.peer_of(leader), reason);
        self.forest.remove(&id);
    }

    /// A checked certificate.
    pub(super) fn on_qc(&mut self, cx: &mut Cx<'_>, qc: Verified<Qc>) {
        if !self.open() || qc.epoch != self.term.epoch || qc.is_epoch_root() {
            return;
        }
        let root = self.forest.root();
        if qc.rank < root.rank {
            return self.certs.insert_old(qc);
        }
        if qc.rank == root.rank && qc.id != root.id {
            let header = Header::clone(&root.header);
            return self.halt_conflict(cx, &qc, &header);
        }
        match self.certs.insert(qc.clone()) {
            Ok(true) => {}
            Ok(false) => return,
            Err(other) => {
                let (a, b) = (Box::new(other.into_inner()), Box::new(qc.into_inner()));
                return self.halt(cx, Halt::ConflictingCertificates { a, b });
            }
        }
        self.note_certified(cx, qc.rank, qc.id);
        if qc.rank > self.forest.root().rank && self.forest.get(&qc.id).is_none() {
            self.fetches.want(cx.now, qc.id, qc.rank, None);
        }
        self.advance(cx);
        if self.open() && qc.epoch == self.term.epoch && qc.rank >= self.pace.rank() {
            self.enter_rank(cx, qc.rank.next(), Entry::Plain);
        } else {
            self.propose(cx);
        }
    }

    fn note_certified(&mut self, cx: &mut Cx<'_>, rank: Rank, id: FrameId) {
        let Some(qc) = self.certs.qc(rank, &id).cloned() else {
            return;
        };
        // Only what was certified in its own rank tells how long that takes; the rest tells about outages.
        let in_rank = rank == self.pace.rank() && !self.pace.has_expired();
        if let Some(vertex) = self.forest.get_mut(&id).filter(|v| !v.certified) {
            vertex.certified = true;
            vertex.delay = vertex
                .arrived
                .filter(|_| in_rank)
                .map(|at| cx.now.since(at));
            cx.out.push(Output::Certified {
                id,
                qc: Box::new(qc),
            });
        }
    }

    /// A checked timeout certificate.
    pub(super) fn on_tc(&mut self, cx: &mut Cx<'_>, tc: Verified<Tc>) {
        if !self.open() || tc.epoch != self.term.epoch {
            return;
        }
        if tc.rank >= self.pace.rank() {
            self.enter_rank(cx, tc.rank.next(), Entry::Timeout(Box::new(tc)));
        } else {
            self.pace.justify(tc);
            self.propose(cx);
        }
    }

    /// The commit rule: a certified frame one rank above its parent makes the parent final (C3).
    pub(super) fn advance(&mut self, cx: &mut Cx<'_>) {
        if !self.open() {
            return;
        }
        let root = self.forest.root().rank;
        let committing: Vec<Verified<Qc>> = self
            .certs
            .descending()
            .take_while(|qc| qc.rank > root)
            .filter(|qc| {
                self.forest
                    .get(&qc.id)
                    .is_some_and(|v| v.header().commits_parent() && v.header().parent_rank > root)
            })
            .cloned()
            .collect();
        for qc in committing {
            let Some(vertex) = self.forest.get(&qc.id) else {
                continue;
            };
            let (parent, header) = (vertex.header().parent, vertex.header().clone());
            match self.forest.path(parent) {
                Ok(path) => {
                    self.finalise(cx, &path, &header, &qc);
                    break;
                }
                Err(Gap::Conflict) => return self.halt_conflict(cx, &qc, &header),
                Err(Gap::Missing(_)) => self.want_ancestor(cx, qc.id, None),
            }
        }
        self.try_pending_close(cx);
    }
}
