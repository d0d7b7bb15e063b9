//! The 128-bit block: labels, correlations, seeds and field elements.

use core::fmt;
use core::ops::{BitAnd, BitXor, BitXorAssign};

use zeroize::Zeroize;

/// 128 bits. As bytes it is little-endian, as a polynomial bit `i` is the coefficient of `x^i`, and its *select bit*
/// is bit 0.
///
/// A block is `Copy` because protocols move millions of them; owners of secret blocks wipe their buffers. `Debug`
/// prints no bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Block(u128);

impl Block {
    /// All bits zero.
    pub const ZERO: Self = Self(0);
    /// Only the select bit set.
    pub const ONE: Self = Self(1);
    /// Bytes of one block.
    pub const BYTES: usize = 16;

    /// The block with this integer value.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The integer value.
    #[must_use]
    pub const fn value(self) -> u128 {
        self.0
    }

    /// From 16 little-endian bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// As 16 little-endian bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// Bit 0.
    #[must_use]
    pub const fn select(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same block with bit 0 set to `bit`.
    #[must_use]
    pub const fn with_select(self, bit: bool) -> Self {
        Self((self.0 & !1) | bit as u128)
    }

    /// All ones for `true`, all zeros for `false`, without a branch.
    #[must_use]
    pub const fn mask(bit: bool) -> Self {
        Self((bit as u128).wrapping_neg())
    }

    /// All ones where the select bit is set, all zeros otherwise.
    #[must_use]
    pub const fn select_mask(self) -> Self {
        Self((self.0 & 1).wrapping_neg())
    }

    /// A uniform block.
    pub fn random(rng: &mut impl rand_core::CryptoRng) -> Self {
        let mut bytes = [0_u8; 16];
        rng.fill_bytes(&mut bytes);
        let block = Self::from_bytes(bytes);
        bytes.zeroize();
        block
    }

    /// `sigma(hi || lo) = (hi ^ lo) || hi`: the linear orthomorphism of circular correlation robust hashing
    /// (Guo, Katz, Wang, Yu 2019/074).
    #[must_use]
    pub const fn sigma(self) -> Self {
        let lo = self.0 & u64::MAX as u128;
        let hi = self.0 >> 64;
        Self(((hi ^ lo) << 64) | hi)
    }
}

impl zeroize::DefaultIsZeroes for Block {}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Block(..)")
    }
}

impl BitXor for Block {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl BitXorAssign for Block {
    fn bitxor_assign(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

impl BitAnd for Block {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Appends blocks as bytes.
pub fn put_blocks(out: &mut Vec<u8>, blocks: &[Block]) {
    let start = out.len();
    out.resize(
        start.saturating_add(blocks.len().saturating_mul(Block::BYTES)),
        0,
    );
    let tail = out.get_mut(start..).unwrap_or_default();
    for (bytes, block) in tail.as_chunks_mut::<16>().0.iter_mut().zip(blocks) {
        *bytes = block.to_bytes();
    }
}

/// Blocks of a byte string whose length must be a multiple of 16; `None` otherwise.
#[must_use]
pub fn get_blocks(bytes: &[u8]) -> Option<Vec<Block>> {
    let (chunks, rest) = bytes.as_chunks::<16>();
    rest.is_empty().then(|| {
        chunks
            .iter()
            .map(|chunk| Block::from_bytes(*chunk))
            .collect()
    })
}
