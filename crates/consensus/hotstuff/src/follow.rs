//! What a node that does not vote may show and must trust (R6, C2).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{Committee, Epoch, EpochProof, FrameId, Header, Qc, Rank};

use crate::limits::FORK_VIEW_MAX;
use crate::roster::{Roster, Term};
use crate::scheme::Scheme;
use crate::verify::{Certified, Verified, VerifyError, verify_epoch_proof};

/// Two certificates of one (epoch, rank): more than a third of the committee is Byzantine. Stop with this evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two certified frames at epoch {epoch}, rank {rank}")]
pub struct Conflict {
    /// Their epoch.
    pub epoch: Epoch,
    /// Their rank.
    pub rank: Rank,
    /// Their certificates.
    pub evidence: Box<(Qc, Qc)>,
}

/// Certified headers above the final frame. The head is the highest one by (epoch, rank) that extends it; no weights,
/// no distances. At the bound the lowest header is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkView {
    last: (Epoch, Rank, FrameId),
    certified: BTreeMap<(Epoch, Rank), Verified<Certified>>,
}

impl ForkView {
    /// Starts at a final frame, or at the genesis frame.
    #[must_use]
    pub fn new(last: &Header) -> Self {
        Self {
            last: (last.epoch, last.rank, last.id()),
            certified: BTreeMap::new(),
        }
    }

    /// Learns a certified header.
    ///
    /// # Errors
    /// [`Conflict`] when another frame is certified at the same place: stop with the evidence.
    pub fn observe(&mut self, certified: Verified<Certified>) -> Result<(), Conflict> {
        let at = (certified.header.epoch, certified.header.rank);
        if at <= (self.last.0, self.last.1) {
            return Ok(());
        }
        if let Some(known) = self.certified.get(&at) {
            if known.qc.id == certified.qc.id {
                return Ok(());
            }
            let evidence = Box::new((known.qc.clone(), certified.qc.clone()));
            return Err(Conflict {
                epoch: at.0,
                rank: at.1,
                evidence,
            });
        }
        self.certified.insert(at, certified);
        while self.certified.len() > FORK_VIEW_MAX {
            self.certified.pop_first();
        }
        Ok(())
    }

    /// Moves to a later final frame.
    pub fn finalise(&mut self, last: &Header) {
        if (last.epoch, last.rank) > (self.last.0, self.last.1) {
            self.last = (last.epoch, last.rank, last.id());
            self.certified.retain(|at, _| *at > (last.epoch, last.rank));
        }
    }

    /// The highest certified header whose ancestors, as far as they are known here, lead to the final frame; `None`
    /// when the final frame itself is the head.
    #[must_use]
    pub fn head(&self) -> Option<&Verified<Certified>> {
        self.certified
            .values()
            .rev()
            .find(|c| self.extends(&c.header))
    }

    fn extends(&self, header: &Header) -> bool {
        let mut at = header;
        loop {
            if at.parent == self.last.2 {
                return true;
            }
            // The parent of a first frame of an epoch is the closing frame of the one before, which is final.
            let parent = self.certified.get(&(at.epoch, at.parent_rank));
            match parent.filter(|p| p.qc.id == at.parent) {
                Some(parent) => at = &parent.header,
                None => return false,
            }
        }
    }
}

/// Follows a chain from a committee that is trusted (genesis or checkpoint) through its epoch proofs: one signature
/// check per epoch (C2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochWalk {
    term: Term,
    root: Option<FrameId>,
}

impl EpochWalk {
    /// Starts with a trusted term.
    #[must_use]
    pub const fn new(term: Term) -> Self {
        Self { term, root: None }
    }

    /// The current term: finality proofs of its epoch are checked against it.
    #[must_use]
    pub const fn term(&self) -> &Term {
        &self.term
    }

    /// The root of the current epoch, unless it is the starting one.
    #[must_use]
    pub const fn root(&self) -> Option<FrameId> {
        self.root
    }

    /// Takes the proof that the current epoch was closed, with the members that its closing frame names.
    ///
    /// # Errors
    /// [`VerifyError`]; nothing changes.
    pub fn advance<S: Scheme>(
        &mut self,
        scheme: &S,
        proof: EpochProof,
        next: Committee,
    ) -> Result<Verified<EpochProof>, VerifyError> {
        let proof = verify_epoch_proof(scheme, &self.term, proof)?;
        let roster = Roster::new(next);
        if roster.root() != proof.closing.next_committee_root {
            return Err(VerifyError::NextCommittee);
        }
        self.term.epoch = self.term.epoch.next();
        self.term.roster = Arc::new(roster);
        self.root = Some(proof.closing.id());
        Ok(proof)
    }
}
