//! Making proofs.

use std::sync::Arc;

use quil_kzg::{Commitment, EMPTY_SLOT, Kzg, Opening, OpeningError, Slot, Witness};
use quil_types::{Bounded, Bytes};

use crate::error::TrieError;
use crate::key::{ARITY, Key, Nibbles};
use crate::node::{Branch, Child, Leaf};
use crate::proof::{CLAIMS_MAX, End, Expectation, Path, Proof, Step, distinct};
use crate::trie::Trie;

/// Branches passed, with the index taken in each, and what hangs below the last.
struct Descent {
    branches: Vec<(Arc<Branch>, u8)>,
    end: Option<Child>,
}

/// Proves presence or absence, whichever holds, of each key in its trie: one multi-opening for all. Returns the
/// leaves found, in the order of the queries.
///
/// # Errors
/// [`TrieError::TooManyClaims`], [`TrieError::Opening`] for more than 128 distinct openings, or a loading error.
pub fn prove_many(
    kzg: &Kzg,
    queries: &[(&Trie, Key)],
) -> Result<(Vec<Option<Leaf>>, Proof), TrieError> {
    if queries.is_empty() {
        return Err(OpeningError::Empty.into());
    }
    if queries.len() > CLAIMS_MAX {
        return Err(TrieError::TooManyClaims(queries.len()));
    }
    let mut found = Vec::with_capacity(queries.len());
    let mut paths = Vec::with_capacity(queries.len());
    let mut openings: Vec<Opening> = Vec::new();
    let mut vectors: Vec<(Commitment, [Slot; ARITY])> = Vec::new();
    for (trie, key) in queries {
        let descent = trie.descend(key)?;
        for (branch, index) in &descent.branches {
            let slots = branch.slots();
            let value = slots
                .get(usize::from(*index))
                .copied()
                .unwrap_or(EMPTY_SLOT);
            openings.push(Opening {
                commitment: branch.commitment,
                index: *index,
                value,
            });
            vectors.push((branch.commitment, slots));
        }
        let (leaf, end) = trie.end_of(key, &descent)?;
        found.push(leaf);
        paths.push(Path {
            steps: steps(&descent.branches),
            end,
        });
    }
    let openings = distinct(openings);
    let witnesses: Vec<Witness<'_>> = openings
        .iter()
        .filter_map(|o| {
            let (_, slots) = vectors.iter().find(|(c, _)| *c == o.commitment)?;
            Some(Witness {
                commitment: o.commitment,
                slots,
                index: o.index,
            })
        })
        .collect();
    let opening = if witnesses.is_empty() {
        None
    } else {
        Some(kzg.open_multi(&witnesses)?.1)
    };
    let paths = Bounded::try_from(paths).map_err(|e| TrieError::TooManyClaims(e.len))?;
    Ok((found, Proof { paths, opening }))
}

fn steps(branches: &[(Arc<Branch>, u8)]) -> Bounded<Step, { crate::proof::STEPS_MAX }> {
    let steps: Vec<Step> = branches
        .iter()
        .map(|(b, _)| Step {
            prefix: prefix_bytes(&b.prefix),
            commitment: b.commitment,
        })
        .collect();
    // A path has at most one branch per nibble.
    Bounded::try_from(steps).unwrap_or_default()
}

/// A branch's prefix has at most 85 nibbles.
fn prefix_bytes(prefix: &Nibbles) -> Bytes<85> {
    Bytes::from_slice(prefix.as_slice()).unwrap_or_default()
}

impl Trie {
    /// Proves presence or absence of one key; see [`prove_many`].
    ///
    /// # Errors
    /// As [`prove_many`].
    pub fn prove(&self, kzg: &Kzg, key: &Key) -> Result<(Expectation, Proof), TrieError> {
        let (found, proof) = prove_many(kzg, &[(self, *key)])?;
        let leaf = found.into_iter().next().flatten();
        Ok((
            leaf.map_or(Expectation::Absent, |l| Expectation::Present(l.value)),
            proof,
        ))
    }

    fn descend(&self, key: &Key) -> Result<Descent, TrieError> {
        let mut branches = Vec::new();
        let end = self.pass(self.root.as_ref(), 0, key, &mut branches)?;
        Ok(Descent { branches, end })
    }

    /// Collects the branches that lead to the key; returns what hangs below the last.
    fn pass(
        &self,
        child: Option<&Child>,
        depth: usize,
        key: &Key,
        branches: &mut Vec<(Arc<Branch>, u8)>,
    ) -> Result<Option<Child>, TrieError> {
        let Some(Child::Branch(inner)) = child else {
            return Ok(child.cloned());
        };
        let branch = self.load(inner, &key.nibbles(0, depth))?;
        let Some((index, next)) = branch.step(key, depth) else {
            return Ok(child.cloned());
        };
        branches.push((Arc::clone(&branch), index));
        self.pass(branch.child(index), next, key, branches)
    }

    fn end_of(&self, key: &Key, descent: &Descent) -> Result<(Option<Leaf>, End), TrieError> {
        match &descent.end {
            None => Ok((None, End::Empty)),
            Some(Child::Leaf(c)) if c.leaf.key == *key => Ok((Some(c.leaf.clone()), End::Leaf)),
            Some(Child::Leaf(c)) => Ok((
                None,
                End::OtherLeaf {
                    key: c.leaf.key,
                    value: c.leaf.value,
                },
            )),
            Some(Child::Branch(c)) => {
                let depth: usize = descent.branches.iter().fold(0, |d, (b, _)| {
                    d.saturating_add(b.prefix.len()).saturating_add(1)
                });
                let branch = self.load(c, &key.nibbles(0, depth))?;
                Ok((
                    None,
                    End::OtherBranch {
                        prefix: prefix_bytes(&branch.prefix),
                        commitment: branch.commitment,
                    },
                ))
            }
        }
    }
}
