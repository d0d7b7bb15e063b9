//! The SHA3-256 binary Merkle tree that commits requests and receipts (D3).
//!
//! Leaves and inner nodes have their own tags and the root binds the number of leaves, so neither a second
//! pre-image by re-reading an inner node as a leaf nor padding is possible. An odd node moves up unchanged.

use crate::hash::{h, h_bytes};
use crate::{Bounded, Canonical, Digest, canonical, tags};

/// Deepest path: 2^20 leaves, far above any body.
pub const DEPTH_MAX: usize = 20;

canonical! {
    /// Path from one leaf to the root.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MerklePath {
        /// Position of the leaf.
        pub index: u32,
        /// Number of leaves.
        pub count: u32,
        /// Siblings, bottom first; levels where the node has none are skipped.
        pub siblings: Bounded<[u8; 32], DEPTH_MAX>,
    }
}

fn leaf(value: &impl Canonical) -> [u8; 32] {
    h_bytes(tags::MERKLE_LEAF, &value.encode())
}

fn inner(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    h(tags::MERKLE_INNER, &(*left, *right))
}

fn bind(count: u32, top: [u8; 32]) -> Digest {
    Digest(h(tags::MERKLE_ROOT, &(count, top)))
}

fn level_up(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [l, r] => inner(l, r),
            [single, ..] => *single,
            [] => [0; 32],
        })
        .collect()
}

fn count_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Root of a list of values. Cost: about two hashes per value.
pub fn root<T: Canonical>(values: &[T]) -> Digest {
    let mut level: Vec<_> = values.iter().map(leaf).collect();
    while level.len() > 1 {
        level = level_up(&level);
    }
    bind(
        count_of(values.len()),
        level.first().copied().unwrap_or_default(),
    )
}

/// Path of the value at `index`; `None` when there is no such value or the list is too long.
pub fn path<T: Canonical>(values: &[T], index: usize) -> Option<MerklePath> {
    if index >= values.len() {
        return None;
    }
    let mut level: Vec<_> = values.iter().map(leaf).collect();
    let mut siblings = Bounded::new();
    let mut at = index;
    while level.len() > 1 {
        if let Some(s) = level.get(at ^ 1) {
            siblings.try_push(*s).ok()?;
        }
        level = level_up(&level);
        at /= 2;
    }
    Some(MerklePath {
        index: u32::try_from(index).ok()?,
        count: u32::try_from(values.len()).ok()?,
        siblings,
    })
}

/// Whether `value` stands at `path.index` of the list with this root.
pub fn verify<T: Canonical>(root: &Digest, value: &T, path: &MerklePath) -> bool {
    if path.index >= path.count {
        return false;
    }
    let (mut node, mut at, mut width) = (leaf(value), path.index, path.count);
    let mut siblings = path.siblings.iter();
    while width > 1 {
        if at ^ 1 < width {
            let Some(s) = siblings.next() else {
                return false;
            };
            node = if at & 1 == 0 {
                inner(&node, s)
            } else {
                inner(s, &node)
            };
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    siblings.next().is_none() && bind(path.count, node) == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_verifies_and_only_for_its_value_index_and_count() {
        for n in 0..18u64 {
            let values: Vec<u64> = (0..n).collect();
            let r = root(&values);
            assert_eq!(path(&values, values.len()), None);
            for (i, v) in values.iter().enumerate() {
                let p = path(&values, i).unwrap();
                assert!(verify(&r, v, &p));
                assert!(!verify(&r, &(v + 1), &p));
                assert!(!verify(
                    &r,
                    v,
                    &MerklePath {
                        count: p.count + 1,
                        ..p.clone()
                    }
                ));
                assert!(!verify(
                    &r,
                    v,
                    &MerklePath {
                        index: p.index ^ 1,
                        ..p.clone()
                    }
                ));
                let mut longer = p.siblings.clone().into_vec();
                longer.push([0; 32]);
                assert!(!verify(
                    &r,
                    v,
                    &MerklePath {
                        siblings: longer.try_into().unwrap(),
                        ..p.clone()
                    }
                ));
                if !p.siblings.is_empty() {
                    let mut bent = p.siblings.clone().into_vec();
                    bent[0][0] ^= 1;
                    assert!(!verify(
                        &r,
                        v,
                        &MerklePath {
                            siblings: bent.try_into().unwrap(),
                            ..p
                        }
                    ));
                }
            }
        }
    }

    #[test]
    fn root_binds_count_and_order() {
        assert_ne!(root(&[1u64, 2]), root(&[2u64, 1]));
        assert_ne!(root::<u64>(&[]), root(&[0u64]));
        assert_ne!(root(&[1u64, 2, 2]), root(&[1u64, 2]));
    }
}
