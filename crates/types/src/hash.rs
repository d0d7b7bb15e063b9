//! `H` and its relatives: every input is `u8 len(tag) || tag || borsh(value)`.

use sha3::{Digest as _, Sha3_256, Sha3_512};
use shake::digest::{ExtendableOutput, Update, XofReader};

use crate::{Canonical, tags::Tag};

/// Bytes that a signature under `tag` covers, and that every hash reads: `u8 len(tag) || tag || borsh(value)`.
pub fn tagged<T: Canonical>(tag: Tag, value: &T) -> Vec<u8> {
    let mut out = tag.prefix();
    let written = value.serialize(&mut out);
    debug_assert!(written.is_ok(), "encoding into memory is total");
    out
}

/// `H(tag, value)`: SHA3-256.
pub fn h<T: Canonical>(tag: Tag, value: &T) -> [u8; 32] {
    Sha3_256::digest(tagged(tag, value)).into()
}

/// `H(tag, bytes)` where the value is a byte sequence (u32 little-endian length, then the bytes).
#[must_use]
pub fn h_bytes(tag: Tag, bytes: &[u8]) -> [u8; 32] {
    Sha3_256::digest(tagged_bytes(tag, bytes)).into()
}

/// As [`tagged`] for a byte sequence: the same bytes as `tagged(tag, &Bounded::<u8, _>)`.
#[must_use]
pub fn tagged_bytes(tag: Tag, bytes: &[u8]) -> Vec<u8> {
    let mut out = tag.prefix();
    // Every caller's bytes are bounded by a message cap far below 4 GiB; a longer input is still unambiguous.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

/// SHA3-512 of the tagged value: challenges that are reduced into a scalar field (K4).
pub fn h512<T: Canonical>(tag: Tag, value: &T) -> [u8; 64] {
    Sha3_512::digest(tagged(tag, value)).into()
}

/// SHAKE256 of the tagged value as a stream.
pub fn xof<T: Canonical>(tag: Tag, value: &T) -> Xof {
    let mut hasher = shake::Shake256::default();
    hasher.update(&tagged(tag, value));
    Xof(hasher.finalize_xof())
}

/// A SHAKE256 output stream.
pub struct Xof(<shake::Shake256 as ExtendableOutput>::Reader);

impl core::fmt::Debug for Xof {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Xof(..)")
    }
}

impl Xof {
    /// The next bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.read(out);
    }

    /// The next eight bytes as a little-endian number.
    pub fn next_u64(&mut self) -> u64 {
        let mut b = [0; 8];
        self.fill(&mut b);
        u64::from_le_bytes(b)
    }

    /// A uniform number in `0..n` by rejection (C5); 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let Some(rest) = (u64::MAX % n.max(1)).checked_add(1).map(|r| r % n.max(1)) else {
            return 0;
        };
        loop {
            let v = self.next_u64();
            if v <= u64::MAX.wrapping_sub(rest) {
                return v % n.max(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bytes, tags};

    #[test]
    fn hash_is_sha3_of_length_tag_and_borsh() {
        let mut m = vec![2];
        m.extend_from_slice(b"tx");
        m.extend_from_slice(&7u64.to_le_bytes());
        assert_eq!(h(tags::TX, &7u64), <[u8; 32]>::from(Sha3_256::digest(&m)));
    }

    #[test]
    fn byte_form_equals_bounded_form() {
        let b = Bytes::<9>::from_slice(b"hello").unwrap();
        assert_eq!(h(tags::TX, &b), h_bytes(tags::TX, b"hello"));
    }

    #[test]
    fn below_is_in_range_and_covers() {
        let mut x = xof(tags::LEADER, &1u64);
        let mut seen = [0u32; 7];
        for _ in 0..7000 {
            seen[usize::try_from(x.below(7)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|c| (800..1200).contains(c)), "{seen:?}");
        assert_eq!(x.below(1), 0);
        assert_eq!(x.below(0), 0);
    }
}
