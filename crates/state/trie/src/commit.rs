//! Commitments of changed branches: `C' = C + sum (new_i - old_i) L_i`, deepest level first (K5).

use std::sync::Arc;

use quil_bls48581::{Fr, G1Affine};
use quil_kzg::{Commitment, EMPTY_SLOT, Kzg, Slot, slot_scalar};
use rayon::prelude::*;

use crate::error::TrieError;
use crate::key::{ARITY, Nibbles, SetId};
use crate::node::{Branch, BranchChild, Child, slots_of};
use crate::source::NodeKey;
use crate::update::{OpenBranch, Work};

/// An open branch with the place that waits for it.
struct Job {
    path: Nibbles,
    branch: OpenBranch,
    /// Position of the parent in the level above, and index of the child.
    parent: (usize, u8),
}

/// A branch and what its parent stores about it.
type Finished = (NodeKey, Arc<Branch>, BranchChild);
/// A known commitment and the slots that change.
type Delta = (G1Affine, Vec<(u8, Fr)>);
/// New nodes by key.
pub(crate) type Writes = Vec<(NodeKey, Arc<Branch>)>;

/// Commits everything open below `root`.
pub(crate) fn commit(
    kzg: &Kzg,
    set: &SetId,
    version: u64,
    root: Option<Work>,
) -> Result<(Option<Child>, Writes), TrieError> {
    let top = match root {
        None | Some(Work::Taken) => return Ok((None, Vec::new())),
        Some(Work::Leaf(leaf)) => return Ok((Some(Child::Leaf(leaf)), Vec::new())),
        Some(Work::Clean(child)) => return Ok((Some(Child::Branch(child)), Vec::new())),
        Some(Work::Open(branch)) => *branch,
    };
    let mut levels = levels(top);
    let mut writes = Vec::new();
    let mut root = None;
    while let Some(level) = levels.pop() {
        let parents: Vec<(usize, u8)> = level.iter().map(|job| job.parent).collect();
        let finished = finish_level(kzg, set, version, level)?;
        for ((key, node, child), (parent, index)) in finished.into_iter().zip(parents) {
            writes.push((key, node));
            match levels.last_mut().and_then(|above| above.get_mut(parent)) {
                Some(job) => fill(&mut job.branch, index, child),
                None => root = Some(Child::Branch(child)),
            }
        }
    }
    Ok((root, writes))
}

fn fill(branch: &mut OpenBranch, index: u8, child: BranchChild) {
    if let Some(place) = branch.children.iter_mut().find(|(i, _)| *i == index) {
        place.1 = Work::Clean(child);
    }
}

/// Takes the open branches out of their parents, level by level.
fn levels(top: OpenBranch) -> Vec<Vec<Job>> {
    let mut levels = Vec::new();
    let mut current = vec![Job {
        path: Nibbles::EMPTY,
        branch: top,
        parent: (0, 0),
    }];
    while !current.is_empty() {
        let mut next = Vec::new();
        for (parent, job) in current.iter_mut().enumerate() {
            let full = job.path.join(&job.branch.prefix);
            for (index, work) in &mut job.branch.children {
                if let Work::Open(_) = work
                    && let Work::Open(branch) = std::mem::replace(work, Work::Taken)
                {
                    next.push(Job {
                        path: full.with(*index),
                        branch: *branch,
                        parent: (parent, *index),
                    });
                }
            }
        }
        levels.push(std::mem::replace(&mut current, next));
    }
    levels
}

fn finish_level(
    kzg: &Kzg,
    set: &SetId,
    version: u64,
    level: Vec<Job>,
) -> Result<Vec<Finished>, TrieError> {
    let deltas: Vec<Delta> = level.par_iter().map(delta).collect::<Result<_, _>>()?;
    let points = kzg.update_many(&deltas);
    Ok(level
        .into_par_iter()
        .zip(points)
        .map(|(job, point)| finish(set, version, job, &point))
        .collect())
}

fn slot_of(work: &Work) -> Slot {
    match work {
        Work::Leaf(leaf) => leaf.slot,
        Work::Clean(branch) => branch.slot,
        Work::Open(_) | Work::Taken => EMPTY_SLOT,
    }
}

/// What turns a known commitment into that of a branch whose children are all finished.
fn delta(job: &Job) -> Result<Delta, TrieError> {
    let new = slots_of(job.branch.children.iter().map(|(i, w)| (*i, slot_of(w))));
    let old = job
        .branch
        .base
        .as_ref()
        .map_or([EMPTY_SLOT; ARITY], |b| b.slots());
    let changed: Vec<(u8, Fr)> = (0u8..)
        .zip(old.iter().zip(&new))
        .filter(|(_, (old, new))| old != new)
        .map(|(i, (old, new))| (i, slot_scalar(new) - slot_scalar(old)))
        .collect();
    if let Some(base) = job
        .branch
        .base
        .as_ref()
        .filter(|_| changed.len() <= job.branch.children.len())
    {
        return Ok((base.point().ok_or(TrieError::Point(job.path))?, changed));
    }
    // Nothing to build on, or starting over is less work.
    let all = (0u8..)
        .zip(&new)
        .filter(|(_, s)| **s != EMPTY_SLOT)
        .map(|(i, s)| (i, slot_scalar(s)));
    Ok((G1Affine::identity(), all.collect()))
}

fn finish(set: &SetId, version: u64, job: Job, point: &G1Affine) -> Finished {
    let children = job
        .branch
        .children
        .into_iter()
        .filter_map(|(i, work)| match work {
            Work::Leaf(leaf) => Some((i, Child::Leaf(leaf))),
            Work::Clean(branch) => Some((i, Child::Branch(branch))),
            Work::Open(_) | Work::Taken => None,
        })
        .collect();
    let branch = Branch {
        prefix: job.branch.prefix,
        version,
        commitment: Commitment::from_point(point),
        point: (*point).into(),
        children,
    };
    let (slot, totals) = (branch.slot(set), branch.totals());
    let node = Arc::new(branch);
    let child = BranchChild {
        slot,
        totals,
        version,
        node: Arc::clone(&node).into(),
    };
    (
        NodeKey {
            path: job.path,
            version,
        },
        node,
        child,
    )
}
