//! What a node that does not vote shows and applies (R6).
//!
//! Final frames only are applied. The head shown is the highest certified frame by (epoch, rank) that extends
//! the final one. Two certified frames at one (epoch, rank), or two conflicting finality proofs, prove that more
//! than a third of the weight is Byzantine: the follower stops and keeps the evidence. No work score, no distance.

use std::collections::BTreeMap;

use quil_types::{Epoch, FinalityProof, FrameId, FrameNumber, Rank};

/// Certified frames kept above the final one; older ones go first.
pub(crate) const CERTIFIED_KEPT: usize = 256;

/// Proof that the chain's committee broke its promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "conflicting certificates at epoch {epoch}, rank {rank}: the committee has more than a third of Byzantine weight"
)]
pub struct Conflict {
    /// Epoch of the two.
    pub epoch: Epoch,
    /// Rank of the two.
    pub rank: Rank,
    /// The evidence: two certified headers.
    pub evidence: Box<(FinalityProof, FinalityProof)>,
}

/// See the module documentation. Feed it only with verified certificates.
#[derive(Clone, Debug)]
pub struct Follower {
    certified: BTreeMap<(Epoch, Rank), FinalityProof>,
    final_number: FrameNumber,
    final_id: FrameId,
    final_proof: Option<FinalityProof>,
}

impl Follower {
    /// Starts from a final frame: genesis, a checkpoint, or the store's last one.
    #[must_use]
    pub const fn new(number: FrameNumber, id: FrameId) -> Self {
        Self {
            certified: BTreeMap::new(),
            final_number: number,
            final_id: id,
            final_proof: None,
        }
    }

    /// The last final frame.
    #[must_use]
    pub const fn last_final(&self) -> (FrameNumber, FrameId) {
        (self.final_number, self.final_id)
    }

    /// Why it is final; `None` for the frame that this follower started from.
    #[must_use]
    pub const fn final_proof(&self) -> Option<&FinalityProof> {
        self.final_proof.as_ref()
    }

    /// Takes a verified certificate with its header. Returns the number and identity of a frame that it makes
    /// final, when that is above the last final one.
    ///
    /// # Errors
    /// [`Conflict`] with the evidence; the caller stops.
    pub fn certify(
        &mut self,
        proof: FinalityProof,
    ) -> Result<Option<(FrameNumber, FrameId)>, Conflict> {
        let at = (proof.header.epoch, proof.header.rank);
        if let Some(other) = self.certified.get(&at) {
            if other.header.id() != proof.header.id() {
                return Err(conflict(at, other, &proof));
            }
            return Ok(None);
        }
        let newly = self.newly_final(&proof)?;
        self.certified.insert(at, proof);
        while self.certified.len() > CERTIFIED_KEPT {
            self.certified.pop_first();
        }
        Ok(newly)
    }

    fn newly_final(
        &mut self,
        proof: &FinalityProof,
    ) -> Result<Option<(FrameNumber, FrameId)>, Conflict> {
        let header = &proof.header;
        let Some(parent) = header.number.prev().filter(|_| header.commits_parent()) else {
            return Ok(None);
        };
        if parent == self.final_number && header.parent != self.final_id {
            let known = self.final_proof.as_ref().unwrap_or(proof);
            return Err(conflict((header.epoch, header.rank), known, proof));
        }
        if parent <= self.final_number {
            return Ok(None);
        }
        self.final_number = parent;
        self.final_id = header.parent;
        self.final_proof = Some(proof.clone());
        Ok(Some((parent, header.parent)))
    }

    /// The highest certified frame by (epoch, rank) that extends the final one through known certified frames.
    #[must_use]
    pub fn head(&self) -> Option<&FinalityProof> {
        self.certified
            .values()
            .rev()
            .find(|p| self.extends_final(p))
    }

    fn extends_final(&self, proof: &FinalityProof) -> bool {
        let mut parent = proof.header.parent;
        if proof.header.id() == self.final_id || parent == self.final_id {
            return true;
        }
        for below in self
            .certified
            .range(..(proof.header.epoch, proof.header.rank))
            .rev()
            .map(|(_, p)| p)
        {
            if below.header.id() == parent {
                parent = below.header.parent;
                if parent == self.final_id {
                    return true;
                }
            }
        }
        false
    }
}

fn conflict(at: (Epoch, Rank), a: &FinalityProof, b: &FinalityProof) -> Conflict {
    Conflict {
        epoch: at.0,
        rank: at.1,
        evidence: Box::new((a.clone(), b.clone())),
    }
}
