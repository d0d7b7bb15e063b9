//! Membership and absence proofs: one verifier for both (K1).
//!
//! A path lists, from the top, each branch by prefix and commitment, and how it ends. Everything else follows from
//! the claim: the opened index is the key's next nibble, the opened value is the slot of the next element, and the
//! first element's slot is the root. All slots of all paths are opened in one multi-opening (K4).

use std::collections::BTreeSet;

use quil_kzg::{
    Commitment, EMPTY_SLOT, MultiProof, OPENINGS_MAX, Opening, OpeningError, Slot, Verifier,
};
use quil_types::{Bounded, Bytes, Canonical, DecodeError, canonical};

use crate::key::{KEY_NIBBLES, Key, Nibbles, SetId};
use crate::slot::{LeafValue, branch_slot, leaf_slot};

/// Most claims in one proof.
pub const CLAIMS_MAX: usize = 64;
/// Most branches on a path: one per nibble.
pub const STEPS_MAX: usize = KEY_NIBBLES;
/// Largest encoded proof: 128 openings with average prefixes, and 64 exhibits.
pub const PROOF_BYTES_MAX: usize = 64 * 1024;

canonical! {
    /// A branch on the path.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Step {
        /// Its prefix: the key's nibbles at this depth.
        pub prefix: Bytes<85>,
        /// Its commitment.
        pub commitment: Commitment,
    }
}

canonical! {
    /// How a path ends.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum End {
        /// At the leaf of the claim's key; its value is in the claim.
        Leaf = 0,
        /// At an empty slot, or at an empty root.
        Empty = 1,
        /// At the leaf of another key.
        OtherLeaf {
            /// The other key.
            key: Key,
            /// What it binds.
            value: LeafValue,
        } = 2,
        /// At a branch whose prefix leads elsewhere.
        OtherBranch {
            /// Its prefix.
            prefix: Bytes<85>,
            /// Its commitment.
            commitment: Commitment,
        } = 3,
    }
}

canonical! {
    /// One claim's way through its trie.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Path {
        /// Branches, top first.
        pub steps: Bounded<Step, STEPS_MAX>,
        /// Where it ends.
        pub end: End,
    }
}

canonical! {
    /// Proof of one or more claims, in the same or in several tries.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Proof {
        /// One path per claim, in the claims' order.
        pub paths: Bounded<Path, CLAIMS_MAX>,
        /// All openings; absent iff no path has a branch.
        pub opening: Option<MultiProof>,
    }
}

impl Proof {
    /// Reads a proof from the wire.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes, PROOF_BYTES_MAX)
    }

    /// The wire form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }
}

/// What a claim says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The key's leaf binds this value.
    Present(LeafValue),
    /// The trie has no leaf of this key.
    Absent,
}

/// A statement about one key under one trusted root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Root of the trie.
    pub root: Slot,
    /// Its set.
    pub set: SetId,
    /// The key.
    pub key: Key,
    /// What is claimed.
    pub expect: Expectation,
}

/// Which rule a proof breaks. Indices name the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// There is nothing to prove.
    #[error("no claims")]
    NoClaims,
    /// More than [`CLAIMS_MAX`] claims.
    #[error("{0} claims, at most {CLAIMS_MAX} allowed")]
    TooManyClaims(usize),
    /// Not one path per claim: one is missing or unused.
    #[error("{paths} paths for {claims} claims")]
    PathCount {
        /// Paths in the proof.
        paths: usize,
        /// Claims.
        claims: usize,
    },
    /// A path goes on after the key's last nibble.
    #[error("claim {0}: path longer than the key")]
    PathLength(usize),
    /// A branch's prefix is not the key's nibbles at its depth.
    #[error("claim {0}: prefix is not the key's")]
    Prefix(usize),
    /// A presence claim does not end at the key's leaf.
    #[error("claim {0}: path does not end at the leaf")]
    NotMember(usize),
    /// An absence claim ends at the key's leaf.
    #[error("claim {0}: path ends at the leaf of an absent key")]
    NotAbsent(usize),
    /// The exhibited other leaf has the claim's key.
    #[error("claim {0}: exhibited leaf has the same key")]
    SameKey(usize),
    /// The exhibited other leaf cannot stand where the path ends.
    #[error("claim {0}: exhibited leaf does not lie on the path")]
    LeafOffPath(usize),
    /// A value above 63 in the exhibited prefix, or a prefix that leaves no room for an index.
    #[error("claim {0}: exhibited prefix is not one")]
    ExhibitPrefix(usize),
    /// The exhibited branch does lead to the key.
    #[error("claim {0}: exhibited branch leads to the key")]
    BranchMatches(usize),
    /// The path does not begin at the root.
    #[error("claim {0}: path does not begin at the root")]
    Root(usize),
    /// Paths have branches, but there is no opening.
    #[error("opening is missing")]
    OpeningMissing,
    /// No path has a branch, but there is an opening.
    #[error("opening is unused")]
    OpeningUnused,
    /// The openings do not verify.
    #[error("{0}")]
    Opening(#[from] OpeningError),
}

/// Checks one claim; see [`verify_many`].
///
/// # Errors
/// [`ProofError`], one variant per rule.
pub fn verify(
    verifier: &Verifier,
    root: &Slot,
    set: &SetId,
    key: &Key,
    expect: Expectation,
    proof: &Proof,
) -> Result<(), ProofError> {
    verify_many(
        verifier,
        &[Claim {
            root: *root,
            set: *set,
            key: *key,
            expect,
        }],
        proof,
    )
}

/// Checks all claims against one proof. Claims may be about several tries; roots must be trusted, or be bound by
/// an earlier claim of the same proof.
///
/// Order of work: counts, shapes, hashes, then one multi-opening.
///
/// # Errors
/// [`ProofError`], one variant per rule, with the first claim that breaks it.
pub fn verify_many(verifier: &Verifier, claims: &[Claim], proof: &Proof) -> Result<(), ProofError> {
    let openings = openings(claims, proof)?;
    match (&proof.opening, openings.is_empty()) {
        (None, true) => Ok(()),
        (None, false) => Err(ProofError::OpeningMissing),
        (Some(_), true) => Err(ProofError::OpeningUnused),
        (Some(multi), false) => Ok(verifier.verify_multi(&openings, multi)?),
    }
}

/// The openings that a proof must make for these claims, repetitions removed; all checks except the opening.
fn openings(claims: &[Claim], proof: &Proof) -> Result<Vec<Opening>, ProofError> {
    if claims.is_empty() {
        return Err(ProofError::NoClaims);
    }
    if claims.len() > CLAIMS_MAX {
        return Err(ProofError::TooManyClaims(claims.len()));
    }
    if claims.len() != proof.paths.len() {
        return Err(ProofError::PathCount {
            paths: proof.paths.len(),
            claims: claims.len(),
        });
    }
    let mut all = Vec::new();
    for (i, (claim, path)) in claims.iter().zip(&proof.paths).enumerate() {
        walk(i, claim, path, &mut all)?;
    }
    let openings = distinct(all);
    if openings.len() > OPENINGS_MAX {
        return Err(OpeningError::TooMany(openings.len()).into());
    }
    Ok(openings)
}

/// First occurrences, in order. Prover and verifier drop repetitions alike.
pub(crate) fn distinct(openings: Vec<Opening>) -> Vec<Opening> {
    let mut seen = BTreeSet::new();
    openings.into_iter().filter(|o| seen.insert(*o)).collect()
}

/// Checks one path's shape and hash links and appends its openings, top first.
fn walk(i: usize, claim: &Claim, path: &Path, all: &mut Vec<Opening>) -> Result<(), ProofError> {
    let mut depth = 0usize;
    let mut branches: Vec<(Nibbles, u8)> = Vec::with_capacity(path.steps.len());
    for step in &path.steps {
        let prefix = Nibbles::from_slice(&step.prefix).ok_or(ProofError::Prefix(i))?;
        let at = depth.saturating_add(prefix.len());
        let index = claim.key.nibble(at).ok_or(ProofError::PathLength(i))?;
        if prefix.matching(&claim.key, depth) != prefix.len() {
            return Err(ProofError::Prefix(i));
        }
        branches.push((prefix, index));
        depth = at.saturating_add(1);
    }
    let mut below = end_slot(i, claim, &path.end, depth)?;
    let first = all.len();
    for (step, (prefix, index)) in path.steps.iter().zip(&branches).rev() {
        all.push(Opening {
            commitment: step.commitment,
            index: *index,
            value: below,
        });
        below = branch_slot(&claim.set, prefix, &step.commitment);
    }
    if let Some(ours) = all.get_mut(first..) {
        ours.reverse();
    }
    if below == claim.root {
        Ok(())
    } else {
        Err(ProofError::Root(i))
    }
}

/// The slot in which a path ends after `depth` nibbles, if such an end proves the expectation.
fn end_slot(i: usize, claim: &Claim, end: &End, depth: usize) -> Result<Slot, ProofError> {
    match (claim.expect, end) {
        (Expectation::Present(value), End::Leaf) => Ok(leaf_slot(&claim.set, &claim.key, &value)),
        (Expectation::Present(_), _) => Err(ProofError::NotMember(i)),
        (Expectation::Absent, End::Leaf) => Err(ProofError::NotAbsent(i)),
        (Expectation::Absent, End::Empty) => Ok(EMPTY_SLOT),
        (Expectation::Absent, End::OtherLeaf { key, value }) => {
            if *key == claim.key {
                return Err(ProofError::SameKey(i));
            }
            if key
                .first_difference(&claim.key, 0)
                .is_some_and(|at| at < depth)
            {
                return Err(ProofError::LeafOffPath(i));
            }
            Ok(leaf_slot(&claim.set, key, value))
        }
        (Expectation::Absent, End::OtherBranch { prefix, commitment }) => {
            let prefix = Nibbles::from_slice(prefix)
                .filter(|p| depth.saturating_add(p.len()) < KEY_NIBBLES)
                .ok_or(ProofError::ExhibitPrefix(i))?;
            if prefix.matching(&claim.key, depth) == prefix.len() {
                return Err(ProofError::BranchMatches(i));
            }
            Ok(branch_slot(&claim.set, &prefix, commitment))
        }
    }
}
