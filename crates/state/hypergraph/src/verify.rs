//! Checking proofs about records: visibility (K2), and settled records from a global root (S4).

use quil_kzg::Verifier;
use quil_trie::{Claim, Expectation, LeafValue, Proof, ProofError, SetId, Slot, verify_many};
use quil_types::{Canonical as _, ShardAddr, ShardRow, StateRoots};

use crate::address::{AtomId, Family, Phase};
use crate::shards::row_key;

/// A shard with the roots of its four sets: what claims about its records are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardRoots {
    /// The shard.
    pub shard: ShardAddr,
    /// Its roots, trusted or bound by another claim of the same proof.
    pub roots: StateRoots,
}

impl ShardRoots {
    /// The claim about one record.
    #[must_use]
    pub fn record(&self, phase: Phase, atom: &AtomId, expect: Expectation) -> Claim {
        let [a, b, c, d] = self.roots;
        let root = match phase {
            Phase::VertexAdds => a,
            Phase::VertexRemoves => b,
            Phase::HyperedgeAdds => c,
            Phase::HyperedgeRemoves => d,
        };
        Claim {
            root,
            set: phase.set(self.shard),
            key: atom.key(),
            expect,
        }
    }

    /// The two claims that make an atom visible: member of adds, absent from removes (K2).
    #[must_use]
    pub fn visible(&self, family: Family, atom: &AtomId, value: LeafValue) -> [Claim; 2] {
        [
            self.record(family.adds(), atom, Expectation::Present(value)),
            self.record(family.removes(), atom, Expectation::Absent),
        ]
    }
}

/// Checks that an atom is visible with this value: one multi-opening for both sets.
///
/// # Errors
/// [`ProofError`]; claim 0 is the adds set, claim 1 the removes set.
pub fn verify_visible(
    verifier: &Verifier,
    roots: &ShardRoots,
    family: Family,
    atom: &AtomId,
    value: LeafValue,
    proof: &Proof,
) -> Result<(), ProofError> {
    verify_many(verifier, &roots.visible(family, atom, value), proof)
}

/// The claim that `shards_root` records `row` for a shard.
#[must_use]
pub fn row_claim(shards_root: &Slot, shard: &ShardAddr, row: &ShardRow) -> Claim {
    let expect = Expectation::Present(LeafValue::of(&row.encode()));
    Claim {
        root: *shards_root,
        set: SetId::SHARDS,
        key: row_key(shard),
        expect,
    }
}

/// Checks a row, and records under the roots that it holds, together (S4). Only `shards_root` is trusted.
///
/// # Errors
/// [`ProofError`]; claim 0 is the row.
pub fn verify_settled(
    verifier: &Verifier,
    shards_root: &Slot,
    shard: &ShardAddr,
    row: &ShardRow,
    records: &[(Phase, AtomId, Expectation)],
    proof: &Proof,
) -> Result<(), ProofError> {
    let roots = ShardRoots {
        shard: *shard,
        roots: row.roots,
    };
    let mut claims = vec![row_claim(shards_root, shard, row)];
    claims.extend(
        records
            .iter()
            .map(|(phase, atom, expect)| roots.record(*phase, atom, *expect)),
    );
    verify_many(verifier, &claims, proof)
}
