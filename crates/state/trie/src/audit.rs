//! Comparing commitments with a full recomputation (K5).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_kzg::{Commitment, EMPTY_SLOT, Kzg, Slot};
use quil_types::hash::{Xof, xof};
use quil_types::tags;
use rayon::prelude::*;

use crate::error::TrieError;
use crate::key::Nibbles;
use crate::node::{Branch, BranchChild, Child, slots_of};
use crate::slot::leaf_slot;
use crate::trie::Trie;

impl Trie {
    /// Recomputes every slot, commitment and total from the leaves, in parallel, and compares. Loads the whole trie.
    ///
    /// # Errors
    /// [`TrieError::Commitment`] with the place of a node that differs, or a loading error.
    pub fn recommit(&self, kzg: &Kzg) -> Result<Slot, TrieError> {
        self.root.as_ref().map_or(Ok(EMPTY_SLOT), |root| {
            self.recommit_child(kzg, root, &Nibbles::EMPTY)
        })
    }

    fn recommit_child(&self, kzg: &Kzg, child: &Child, path: &Nibbles) -> Result<Slot, TrieError> {
        let wrong = || TrieError::Commitment(*path);
        match child {
            Child::Leaf(c) => {
                let slot = leaf_slot(&self.set, &c.leaf.key, &c.leaf.value);
                if slot == c.slot {
                    Ok(slot)
                } else {
                    Err(wrong())
                }
            }
            Child::Branch(c) => {
                let branch = self.load(c, path)?;
                let full = path.join(&branch.prefix);
                branch.children.par_iter().try_for_each(|(i, child)| {
                    self.recommit_child(kzg, child, &full.with(*i)).map(drop)
                })?;
                self.check(kzg, c, &branch, path)?;
                Ok(c.slot)
            }
        }
    }

    /// Whether a branch commits to the slots of its children, and hashes to its own.
    fn check(
        &self,
        kzg: &Kzg,
        child: &BranchChild,
        branch: &Branch,
        path: &Nibbles,
    ) -> Result<(), TrieError> {
        let slots = slots_of(branch.children.iter().map(|(i, c)| (*i, c.slot())));
        let good = Commitment::from(&kzg.commit_slots(&slots)) == branch.commitment
            && branch.slot(&self.set) == child.slot
            && branch.totals() == child.totals;
        if good {
            Ok(())
        } else {
            Err(TrieError::Commitment(*path))
        }
    }

    /// Recomputes up to `samples` branches on random ways down from `seed`, each of them once; at start of a node 64
    /// (K5). Returns how many.
    ///
    /// Cost: one commitment per branch, in parallel.
    ///
    /// # Errors
    /// As [`Self::recommit`].
    pub fn audit(&self, kzg: &Kzg, seed: [u8; 32], samples: usize) -> Result<usize, TrieError> {
        let mut stream = xof(tags::BATCH, &seed);
        let mut chosen = BTreeMap::new();
        for _ in 0..samples {
            if chosen.len() >= samples {
                break;
            }
            if let Some(root) = &self.root {
                self.sample(root, samples, &mut stream, &mut chosen)?;
            }
        }
        chosen
            .par_iter()
            .try_for_each(|(path, (child, branch))| self.check(kzg, child, branch, path))?;
        Ok(chosen.len())
    }

    /// Adds the branches of one random way down.
    fn sample(
        &self,
        root: &Child,
        max: usize,
        stream: &mut Xof,
        chosen: &mut BTreeMap<Nibbles, (BranchChild, Arc<Branch>)>,
    ) -> Result<(), TrieError> {
        let mut at = root.clone();
        let mut path = Nibbles::EMPTY;
        while let Child::Branch(child) = at {
            let branch = self.load(&child, &path)?;
            chosen
                .entry(path)
                .or_insert_with(|| (child, Arc::clone(&branch)));
            if chosen.len() >= max {
                return Ok(());
            }
            let below = branch.children.iter();
            let below: Vec<_> = below
                .filter(|(_, c)| matches!(c, Child::Branch(_)))
                .collect();
            let pick = stream.below(u64::try_from(below.len()).unwrap_or(0));
            let picked = usize::try_from(pick).ok().and_then(|i| below.get(i));
            let Some((index, next)) = picked else {
                return Ok(());
            };
            path = path.join(&branch.prefix).with(*index);
            at = next.clone();
        }
        Ok(())
    }
}
