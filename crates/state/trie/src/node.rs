//! Nodes: immutable, shared, each with the version that wrote it.

use std::sync::{Arc, OnceLock};

use quil_bls48581::G1Affine;
use quil_kzg::{Commitment, EMPTY_SLOT, Slot};
use quil_types::{Bounded, Bytes, Canonical, DecodeError, canonical};

use crate::key::{ARITY, KEY_NIBBLES, Key, Nibbles, SetId};
use crate::slot::{LeafValue, branch_slot, leaf_slot};

/// Largest encoded branch: 64 leaves of 104 bytes with their framing, prefix, commitment.
pub const NODE_BYTES_MAX: usize = 8 * 1024;

/// A leaf as readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its key.
    pub key: Key,
    /// What its slot binds.
    pub value: LeafValue,
    /// The value bytes, while they are held in memory; never hashed or encoded here.
    pub payload: Option<Arc<[u8]>>,
}

/// Leaves and bytes below a node; not committed, recomputed from the leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of leaves.
    pub leaves: u64,
    /// Sum of their sizes.
    pub bytes: u128,
}

impl Totals {
    pub(crate) fn add(self, other: Self) -> Self {
        // 2^64 leaves of 2^64 bytes fit.
        Self {
            leaves: self.leaves.saturating_add(other.leaves),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct LeafChild {
    pub(crate) leaf: Leaf,
    pub(crate) slot: Slot,
}

impl LeafChild {
    pub(crate) fn new(set: &SetId, leaf: Leaf) -> Self {
        let slot = leaf_slot(set, &leaf.key, &leaf.value);
        Self { leaf, slot }
    }

    /// The leaf whose value is in the store only.
    pub(crate) const fn without_payload(&self) -> Self {
        let leaf = Leaf {
            key: self.leaf.key,
            value: self.leaf.value,
            payload: None,
        };
        Self {
            leaf,
            slot: self.slot,
        }
    }
}

/// A branch seen from its parent. Its node is in memory, or is loaded on first use.
#[derive(Clone, Debug)]
pub(crate) struct BranchChild {
    pub(crate) slot: Slot,
    pub(crate) totals: Totals,
    pub(crate) version: u64,
    pub(crate) node: OnceLock<Arc<Branch>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Child {
    Leaf(LeafChild),
    Branch(BranchChild),
}

impl Child {
    pub(crate) fn slot(&self) -> Slot {
        match self {
            Self::Leaf(leaf) => leaf.slot,
            Self::Branch(branch) => branch.slot,
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        match self {
            Self::Leaf(leaf) => Totals {
                leaves: 1,
                bytes: u128::from(leaf.leaf.value.size),
            },
            Self::Branch(branch) => branch.totals,
        }
    }
}

/// A committed branch: prefix, two to 64 children, commitment of their slots.
#[derive(Debug)]
pub struct Branch {
    pub(crate) prefix: Nibbles,
    pub(crate) version: u64,
    pub(crate) commitment: Commitment,
    pub(crate) point: OnceLock<G1Affine>,
    /// Ascending by index.
    pub(crate) children: Vec<(u8, Child)>,
}

impl Branch {
    pub(crate) fn child(&self, index: u8) -> Option<&Child> {
        let at = self
            .children
            .binary_search_by_key(&index, |(i, _)| *i)
            .ok()?;
        self.children.get(at).map(|(_, c)| c)
    }

    /// The child index of a key below this branch, which hangs at nibble `depth`, and the depth of that child;
    /// `None` if the prefix leads elsewhere.
    pub(crate) fn step(&self, key: &Key, depth: usize) -> Option<(u8, usize)> {
        let at = depth.saturating_add(self.prefix.len());
        let index = key.nibble(at)?;
        (self.prefix.matching(key, depth) == self.prefix.len())
            .then_some((index, at.saturating_add(1)))
    }

    pub(crate) fn slots(&self) -> [Slot; ARITY] {
        slots_of(self.children.iter().map(|(i, c)| (*i, c.slot())))
    }

    pub(crate) fn totals(&self) -> Totals {
        self.children
            .iter()
            .fold(Totals::default(), |t, (_, c)| t.add(c.totals()))
    }

    /// The commitment's point; decompressed once.
    pub(crate) fn point(&self) -> Option<G1Affine> {
        if let Some(p) = self.point.get() {
            return Some(*p);
        }
        let p = self.commitment.point()?;
        Some(*self.point.get_or_init(|| p))
    }

    /// The record of the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let children = self
            .children
            .iter()
            .map(|(index, child)| ChildRecord {
                index: *index,
                kind: child.record(),
            })
            .collect::<Vec<_>>();
        NodeRecord {
            // A branch's prefix has at most 85 nibbles, its children are at most 64: both always fit.
            prefix: Bytes::from_slice(self.prefix.as_slice()).unwrap_or_default(),
            commitment: self.commitment,
            children: Bounded::try_from(children).unwrap_or_default(),
        }
        .encode()
    }

    /// Reads a record of `version` that hangs at `path`.
    ///
    /// # Errors
    /// [`NodeError`], one variant per rule.
    pub(crate) fn decode(
        bytes: &[u8],
        set: &SetId,
        path: &Nibbles,
        version: u64,
    ) -> Result<Self, NodeError> {
        let record = NodeRecord::decode(bytes, NODE_BYTES_MAX)?;
        let prefix = Nibbles::from_slice(&record.prefix).ok_or(NodeError::Nibble)?;
        let full = path.join(&prefix);
        if full.len() != path.len().saturating_add(prefix.len()) || full.len() >= KEY_NIBBLES {
            return Err(NodeError::Depth);
        }
        if record.children.len() < 2 {
            return Err(NodeError::Children);
        }
        if !record.children.is_sorted_by(|a, b| a.index < b.index)
            || record
                .children
                .iter()
                .any(|c| usize::from(c.index) >= ARITY)
        {
            return Err(NodeError::Order);
        }
        let children = record
            .children
            .into_iter()
            .map(|c| {
                Ok((
                    c.index,
                    c.kind.into_child(set, &full.with(c.index), version)?,
                ))
            })
            .collect::<Result<Vec<_>, NodeError>>()?;
        Ok(Self {
            prefix,
            version,
            commitment: record.commitment,
            point: OnceLock::new(),
            children,
        })
    }

    pub(crate) fn slot(&self, set: &SetId) -> Slot {
        branch_slot(set, &self.prefix, &self.commitment)
    }
}

pub(crate) fn slots_of(children: impl Iterator<Item = (u8, Slot)>) -> [Slot; ARITY] {
    let mut out = [EMPTY_SLOT; ARITY];
    for (i, slot) in children {
        if let Some(place) = out.get_mut(usize::from(i)) {
            *place = slot;
        }
    }
    out
}

/// Why stored bytes are not a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The record does not decode.
    #[error("{0}")]
    Codec(#[from] DecodeError),
    /// A prefix value above 63.
    #[error("nibble above 63")]
    Nibble,
    /// Path, prefix and index are longer than a key.
    #[error("deeper than a key")]
    Depth,
    /// Fewer than two children.
    #[error("a branch has at least two children")]
    Children,
    /// Children out of order, repeated, or with an index above 63.
    #[error("children not strictly ascending below 64")]
    Order,
    /// A leaf whose key does not lead to its place.
    #[error("leaf key does not lead here")]
    LeafPath,
    /// A child newer than its parent.
    #[error("child newer than its parent")]
    Version,
    /// The zero slot stands for no child.
    #[error("empty slot as child")]
    EmptyChild,
}

canonical! {
    #[derive(Clone, Debug)]
    struct NodeRecord {
        prefix: Bytes<85>,
        commitment: Commitment,
        children: Bounded<ChildRecord, ARITY>,
    }
}

canonical! {
    #[derive(Clone, Debug)]
    struct ChildRecord {
        index: u8,
        kind: KindRecord,
    }
}

canonical! {
    /// A child as stored: slots of leaves are recomputed, those of branches kept.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) enum KindRecord {
        Leaf(Key, LeafValue) = 0,
        Branch(BranchRecord) = 1,
    }
}

canonical! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct BranchRecord {
        slot: Slot,
        version: u64,
        leaves: u64,
        bytes: u128,
    }
}

impl Child {
    pub(crate) fn record(&self) -> KindRecord {
        match self {
            Self::Leaf(c) => KindRecord::Leaf(c.leaf.key, c.leaf.value),
            Self::Branch(b) => KindRecord::Branch(BranchRecord {
                slot: b.slot,
                version: b.version,
                leaves: b.totals.leaves,
                bytes: b.totals.bytes,
            }),
        }
    }
}

impl KindRecord {
    /// A child at `path`, written by a parent of `version`.
    pub(crate) fn into_child(
        self,
        set: &SetId,
        path: &Nibbles,
        version: u64,
    ) -> Result<Child, NodeError> {
        match self {
            Self::Leaf(key, value) => {
                if key.nibbles(0, path.len()) != *path {
                    return Err(NodeError::LeafPath);
                }
                Ok(Child::Leaf(LeafChild::new(
                    set,
                    Leaf {
                        key,
                        value,
                        payload: None,
                    },
                )))
            }
            Self::Branch(b) => {
                if b.version > version {
                    return Err(NodeError::Version);
                }
                if b.slot == EMPTY_SLOT {
                    return Err(NodeError::EmptyChild);
                }
                let totals = Totals {
                    leaves: b.leaves,
                    bytes: b.bytes,
                };
                Ok(Child::Branch(BranchChild {
                    slot: b.slot,
                    totals,
                    version: b.version,
                    node: OnceLock::new(),
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quil_types::ShardAddr;

    use super::*;

    const SET: SetId = SetId {
        addr: ShardAddr([1; 32]),
        phase: 0,
    };

    fn record(prefix: &[u8], children: Vec<ChildRecord>) -> Vec<u8> {
        NodeRecord {
            prefix: Bytes::from_slice(prefix).unwrap(),
            commitment: Commitment::from_bytes([2; 74]),
            children: children.try_into().unwrap(),
        }
        .encode()
    }

    fn branch(index: u8) -> ChildRecord {
        let kind = KindRecord::Branch(BranchRecord {
            slot: [1; 64],
            version: 4,
            leaves: 2,
            bytes: 9,
        });
        ChildRecord { index, kind }
    }

    fn leaf(index: u8, key: Key) -> ChildRecord {
        ChildRecord {
            index,
            kind: KindRecord::Leaf(
                key,
                LeafValue {
                    size: 3,
                    content: [4; 32],
                },
            ),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Branch, NodeError> {
        Branch::decode(bytes, &SET, &Nibbles::from_slice(&[0]).unwrap(), 5)
    }

    #[test]
    fn records_round_trip() {
        let bytes = record(&[0, 0], vec![leaf(0, Key([0; 64])), branch(1), branch(63)]);
        let node = decode(&bytes).unwrap();
        assert_eq!(node.encode(), bytes);
        assert_eq!(
            node.totals(),
            Totals {
                leaves: 5,
                bytes: 21
            }
        );
        assert_eq!(node.child(63).unwrap().slot(), [1; 64]);
        assert!(node.child(2).is_none());
        let full = (0..64).map(|i| {
            leaf(i, {
                let mut k = Key([0; 64]);
                k.0[0] = i >> 4;
                k.0[1] = i << 4;
                k.0[0] = 0;
                k.0[1] = i >> 2;
                k.0[2] = i << 6;
                k
            })
        });
        let bytes = record(&[0], full.collect());
        assert!(bytes.len() <= NODE_BYTES_MAX, "{}", bytes.len());
        assert_eq!(decode(&bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn each_malformed_record_has_its_error() {
        let key = Key([0; 64]);
        assert_eq!(
            decode(&record(&[64], vec![branch(0), branch(1)])).err(),
            Some(NodeError::Nibble)
        );
        assert_eq!(
            decode(&record(&[0; 85], vec![branch(0), branch(1)])).err(),
            Some(NodeError::Depth)
        );
        assert_eq!(
            decode(&record(&[], vec![branch(0)])).err(),
            Some(NodeError::Children)
        );
        assert_eq!(
            decode(&record(&[], vec![branch(1), branch(1)])).err(),
            Some(NodeError::Order)
        );
        assert_eq!(
            decode(&record(&[], vec![branch(1), branch(0)])).err(),
            Some(NodeError::Order)
        );
        assert_eq!(
            decode(&record(&[], vec![branch(1), branch(64)])).err(),
            Some(NodeError::Order)
        );
        assert_eq!(
            decode(&record(&[], vec![branch(0), leaf(1, key)])).err(),
            Some(NodeError::LeafPath)
        );
        let mut newer = branch(1);
        newer.kind = KindRecord::Branch(BranchRecord {
            slot: [1; 64],
            version: 6,
            leaves: 2,
            bytes: 9,
        });
        assert_eq!(
            decode(&record(&[], vec![branch(0), newer])).err(),
            Some(NodeError::Version)
        );
        let mut empty = branch(1);
        empty.kind = KindRecord::Branch(BranchRecord {
            slot: [0; 64],
            version: 1,
            leaves: 2,
            bytes: 9,
        });
        assert_eq!(
            decode(&record(&[], vec![branch(0), empty])).err(),
            Some(NodeError::EmptyChild)
        );
        let mut long = record(&[], vec![branch(0), branch(1)]);
        long.push(0);
        assert!(matches!(
            decode(&long),
            Err(NodeError::Codec(DecodeError::Trailing(1)))
        ));
        assert!(matches!(decode(&long[..40]), Err(NodeError::Codec(_))));
    }
}
