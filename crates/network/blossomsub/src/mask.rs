//! Masks: byte strings that name topics, and the algebra of their slices.
//!
//! The length is part of a mask: masks of different length never meet. A mask with set bits is the union of its
//! *slices*, the masks of equal length with exactly one of those bits; a mask of zeros is its own only slice.

use core::fmt;

use quil_types::ShardAddr;
use sha3::{Digest as _, Sha3_256};

use crate::limits::{
    MASK_BYTES_MAX, NARROW_SLICES_MAX, PAYLOAD_BYTES_MAX, SMALL_PAYLOAD_BYTES_MAX,
};

/// Bits of a shard filter, normally: `bloom(addr, 256, 3)`.
const FILTER_BITS: u32 = 3;
/// Rounds after which a filter is left with fewer bits.
const FILTER_ROUNDS: usize = 8;

/// A topic: 1 to [`MASK_BYTES_MAX`] bytes. Ordered by length, then bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask {
    len: u8,
    /// Zero from `len` on, so that derived equality and order are those of the mask.
    bytes: [u8; MASK_BYTES_MAX],
}

/// Bytes that are no mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mask has 1 to {MASK_BYTES_MAX} bytes, not {0}")]
pub struct MaskError(pub usize);

/// What a mask is used for; decides size cap, priority and score counters (rule W2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// `00`: proposals, votes and timeouts of the global chain.
    GlobalConsensus = 0,
    /// `0000`: final global frames.
    GlobalFrames = 1,
    /// `000000`: shard updates and beacons.
    GlobalUpdates = 2,
    /// `00 || F`: proposals, votes and timeouts of a shard.
    ShardConsensus = 3,
    /// `F`: final frames of a shard.
    ShardFrames = 4,
    /// `000000 || F`: bundles for a shard.
    ShardRequests = 5,
    /// Any other mask.
    Other = 6,
}

/// Number of classes.
pub(crate) const CLASSES: usize = 7;

/// Order in which a peer's queue is sent and, reversed, in which it gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// Consensus.
    High = 0,
    /// Frames, updates, beacons.
    Normal = 1,
    /// Bundles and the rest.
    Low = 2,
}

impl Class {
    /// Largest payload, bytes. The finer caps (votes and timeouts 2 KiB) belong to the validators, which know the kind.
    #[must_use]
    pub const fn payload_bytes_max(self) -> usize {
        match self {
            Self::GlobalConsensus
            | Self::GlobalFrames
            | Self::ShardConsensus
            | Self::ShardFrames => PAYLOAD_BYTES_MAX,
            Self::GlobalUpdates | Self::ShardRequests | Self::Other => SMALL_PAYLOAD_BYTES_MAX,
        }
    }

    /// Priority in outbound queues.
    #[must_use]
    pub const fn priority(self) -> Priority {
        match self {
            Self::GlobalConsensus | Self::ShardConsensus => Priority::High,
            Self::GlobalFrames | Self::GlobalUpdates | Self::ShardFrames => Priority::Normal,
            Self::ShardRequests | Self::Other => Priority::Low,
        }
    }
}

impl Mask {
    /// `00`.
    pub const GLOBAL_CONSENSUS: Self = Self {
        len: 1,
        bytes: [0; MASK_BYTES_MAX],
    };
    /// `0000`.
    pub const GLOBAL_FRAMES: Self = Self {
        len: 2,
        bytes: [0; MASK_BYTES_MAX],
    };
    /// `000000`.
    pub const GLOBAL_UPDATES: Self = Self {
        len: 3,
        bytes: [0; MASK_BYTES_MAX],
    };

    /// A mask of these bytes.
    ///
    /// # Errors
    /// No byte, or more than [`MASK_BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> Result<Self, MaskError> {
        let bad = || MaskError(bytes.len());
        let len = u8::try_from(bytes.len()).map_err(|_| bad())?;
        let mut out = Self {
            len,
            bytes: [0; MASK_BYTES_MAX],
        };
        if bytes.is_empty() {
            return Err(bad());
        }
        out.bytes
            .get_mut(..bytes.len())
            .ok_or_else(bad)?
            .copy_from_slice(bytes);
        Ok(out)
    }

    /// `F`: final frames of a shard.
    #[must_use]
    pub fn shard_frames(shard: &ShardAddr) -> Self {
        Self::prefixed(0, &filter(shard.as_bytes()))
    }

    /// `00 || F`: consensus of a shard.
    #[must_use]
    pub fn shard_consensus(shard: &ShardAddr) -> Self {
        Self::prefixed(1, &filter(shard.as_bytes()))
    }

    /// `000000 || F`: bundles for a shard.
    #[must_use]
    pub fn shard_requests(shard: &ShardAddr) -> Self {
        Self::prefixed(3, &filter(shard.as_bytes()))
    }

    fn prefixed(zeros: u8, filter: &[u8; 32]) -> Self {
        let mut bytes = [0; MASK_BYTES_MAX];
        for (to, from) in bytes.iter_mut().skip(usize::from(zeros)).zip(filter) {
            *to = *from;
        }
        Self {
            len: zeros.saturating_add(32),
            bytes,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.len))
            .unwrap_or(&self.bytes)
    }

    /// No bit is set.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.bytes.iter().all(|b| *b == 0)
    }

    fn ones(&self) -> u32 {
        self.bytes.iter().map(|b| b.count_ones()).sum()
    }

    /// The mask is its own only slice.
    #[must_use]
    pub fn is_slice(&self) -> bool {
        self.ones() <= 1
    }

    /// More than [`NARROW_SLICES_MAX`] slices: a subscription to it takes every mask it covers.
    #[must_use]
    pub fn is_broad(&self) -> bool {
        usize::try_from(self.ones()).is_ok_and(|n| n > NARROW_SLICES_MAX)
    }

    /// The slices, by byte ascending and bit descending within a byte.
    #[must_use]
    pub fn slices(&self) -> Vec<Self> {
        if self.is_zero() {
            return vec![*self];
        }
        let mut out = Vec::new();
        for (at, byte) in self.bytes.iter().enumerate() {
            for bit in (0..8).rev().map(|b| 1u8 << b).filter(|bit| byte & bit != 0) {
                let mut slice = Self {
                    len: self.len,
                    bytes: [0; MASK_BYTES_MAX],
                };
                if let Some(b) = slice.bytes.get_mut(at) {
                    *b = bit;
                }
                out.push(slice);
            }
        }
        out
    }

    /// Every slice of `other` is a slice of this mask.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other
            || (self.len == other.len
                && !other.is_zero()
                && self
                    .bytes
                    .iter()
                    .zip(&other.bytes)
                    .all(|(mine, theirs)| theirs & !mine == 0))
    }

    /// A subscription to this mask takes messages of `other`: the same mask, or one covered by a broad mask.
    #[must_use]
    pub fn accepts(&self, other: &Self) -> bool {
        self == other || (self.is_broad() && self.covers(other))
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> Class {
        let leading = self.bytes.iter().take_while(|b| **b == 0).count();
        match (self.len, self.is_zero()) {
            (1, true) => Class::GlobalConsensus,
            (2, true) => Class::GlobalFrames,
            (3, true) => Class::GlobalUpdates,
            (32, false) => Class::ShardFrames,
            (33, false) if leading >= 1 => Class::ShardConsensus,
            (35, false) if leading >= 3 => Class::ShardRequests,
            _ => Class::Other,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({self})")
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// The shard filter `F = bloom(address, 256, 3)`: three of 256 bits chosen by SHA3-256 of the address.
///
/// Round `i` takes byte `i` of the digest from its end, bits reversed, as the position; a position already set costs a
/// round, at most eight. Position 0 is the last bit of the result. The address is hashed without a tag (rule W2).
#[must_use]
pub fn filter(address: &[u8]) -> [u8; 32] {
    let digest: [u8; 32] = Sha3_256::digest(address).into();
    let mut out = [0u8; 32];
    let mut set = 0;
    for byte in digest.iter().rev().take(FILTER_ROUNDS) {
        if set == FILTER_BITS {
            break;
        }
        let p = byte.reverse_bits();
        let bit = 1u8 << (p % 8);
        if let Some(b) = out.iter_mut().rev().nth(usize::from(p / 8)) {
            set += u32::from(*b & bit == 0);
            *b |= bit;
        }
    }
    out
}

#[cfg(test)]
mod tests;
