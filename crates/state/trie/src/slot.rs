//! Slot hashes: the only place where they are computed (K1).

use quil_kzg::{Commitment, EMPTY_SLOT, Slot};
use quil_types::canonical;
use quil_types::hash::h_bytes;
use quil_types::tags;
use sha2::{Digest as _, Sha512};

use crate::key::{Key, Nibbles, SetId};

canonical! {
    /// What a leaf commits to besides its key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct LeafValue {
        /// Bytes of state that the record stands for.
        pub size: u64,
        /// `H("content", value)`.
        pub content: [u8; 32],
    }
}

impl LeafValue {
    /// Commits to `value`, whose own length is the size.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        Self {
            size: u64::try_from(value.len()).unwrap_or(u64::MAX),
            content: content_hash(value),
        }
    }
}

/// `H("content", value)` (K1).
#[must_use]
pub fn content_hash(value: &[u8]) -> [u8; 32] {
    h_bytes(tags::CONTENT, value)
}

fn set_hasher(kind: u8, set: &SetId) -> Sha512 {
    let mut hasher = Sha512::new();
    hasher.update([kind]);
    hasher.update(set.addr.0);
    hasher.update([set.phase]);
    hasher
}

/// `SHA512(0x00 || set || key || size || content)`.
#[must_use]
pub fn leaf_slot(set: &SetId, key: &Key, value: &LeafValue) -> Slot {
    let mut hasher = set_hasher(0, set);
    hasher.update(key.0);
    hasher.update(value.size.to_le_bytes());
    hasher.update(value.content);
    nonzero(hasher.finalize().into())
}

/// `SHA512(0x01 || set || u8 n || n nibbles || C)`.
#[must_use]
pub fn branch_slot(set: &SetId, prefix: &Nibbles, commitment: &Commitment) -> Slot {
    let mut hasher = set_hasher(1, set);
    hasher.update([u8::try_from(prefix.len()).unwrap_or(u8::MAX)]);
    hasher.update(prefix.as_slice());
    hasher.update(commitment.as_bytes());
    nonzero(hasher.finalize().into())
}

/// The zero slot means "empty"; no hash is ever zero.
fn nonzero(slot: Slot) -> Slot {
    debug_assert!(slot != EMPTY_SLOT, "a SHA-512 preimage of zero");
    slot
}

#[cfg(test)]
mod tests {
    use quil_types::ShardAddr;

    use super::*;

    #[test]
    fn hashes_are_over_the_exact_bytes() {
        let set = SetId {
            addr: ShardAddr([9; 32]),
            phase: 2,
        };
        let key = Key([5; 64]);
        let value = LeafValue {
            size: 0x0102,
            content: [7; 32],
        };
        let mut bytes = vec![0];
        bytes.extend([9; 32]);
        bytes.push(2);
        bytes.extend([5; 64]);
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend([7; 32]);
        assert_eq!(
            leaf_slot(&set, &key, &value),
            <Slot>::from(Sha512::digest(&bytes))
        );

        let prefix = Nibbles::from_slice(&[63, 1]).unwrap();
        let c = Commitment::from_bytes([3; 74]);
        let mut bytes = vec![1];
        bytes.extend([9; 32]);
        bytes.push(2);
        bytes.extend([2, 63, 1]);
        bytes.extend([3; 74]);
        assert_eq!(
            branch_slot(&set, &prefix, &c),
            <Slot>::from(Sha512::digest(&bytes))
        );
    }

    #[test]
    fn content_is_the_tagged_hash_of_length_and_bytes() {
        assert_eq!(LeafValue::of(b"abc").size, 3);
        assert_eq!(
            LeafValue::of(b"abc").content,
            h_bytes(tags::CONTENT, b"abc")
        );
    }
}
