//! The arithmetic of the hot loops: AES-128 with one key or with one key per block, carry-less products, transposition.
//!
//! Every function exists in portable constant-time form; machines with AES instructions use them after detection at run
//! time. All forms give the same bits, which the tests check form against form and against independent code.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::block::Block;

/// Which instructions a machine offers. A value exists only where its instructions do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    AesNi,
    #[cfg(target_arch = "x86_64")]
    Vaes512,
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An expanded AES-128 key: eleven round keys.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AesKey([Block; 11]);

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(..)")
    }
}

impl AesKey {
    /// Expands a key (FIPS 197). Constant time.
    #[must_use]
    pub fn new(isa: Isa, key: Block) -> Self {
        match isa.0 {
            Kind::Portable => Self(portable::expand(key)),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi | Kind::Vaes512 => Self(x86::expand(key)),
        }
    }
}

impl Isa {
    /// The constant-time code without special instructions.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The fastest form this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::PORTABLE)
    }

    /// All forms this machine has, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut list = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if x86::has_aesni() {
                list.push(Self(Kind::AesNi));
            }
            if x86::has_vaes512() {
                list.push(Self(Kind::Vaes512));
            }
        }
        list
    }

    /// Name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => "aes-ni",
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => "vaes-512",
        }
    }

    /// Encrypts every block in place under one key.
    pub fn encrypt(self, key: &AesKey, blocks: &mut [Block]) {
        match self.0 {
            Kind::Portable => portable::encrypt(&key.0, blocks),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => x86::encrypt_128(&key.0, blocks),
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::encrypt_512(&key.0, blocks),
        }
    }

    /// Fills `out` with the key stream `AES_key(start), AES_key(start + 1), ..`.
    pub fn key_stream(self, key: &AesKey, start: u64, out: &mut [Block]) {
        for (block, count) in out.iter_mut().zip(start..) {
            *block = Block::new(u128::from(count));
        }
        self.encrypt(key, out);
    }

    /// The tweaked hash of garbling and correlations, one key per block, in place: block `i` becomes
    /// `H(x, tweak + i)` with `H(x, j) = AES_{seed ^ j}(sigma(x)) ^ sigma(x)` (multi-instance form of Guo, Katz, Wang,
    /// Weng, Yu 2019/1168).
    pub fn hash(self, seed: Block, tweak: u64, blocks: &mut [Block]) {
        match self.0 {
            Kind::Portable => portable::hash(seed, tweak, blocks),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => x86::hash_128(seed, tweak, blocks),
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::hash_512(seed, tweak, blocks),
        }
    }

    /// The same hash of `x` and of `x ^ offset` under the same tweak: `plain[i] = H(plain[i], tweak + i)` and
    /// `shifted[i] = H(plain[i] ^ offset, tweak + i)`. Positions beyond the shorter slice stay as they are.
    pub fn hash_both(
        self,
        seed: Block,
        tweak: u64,
        offset: Block,
        plain: &mut [Block],
        shifted: &mut [Block],
    ) {
        let len = plain.len().min(shifted.len());
        let (Some(plain), Some(shifted)) = (plain.get_mut(..len), shifted.get_mut(..len)) else {
            return;
        };
        match self.0 {
            Kind::Portable => portable::hash_both(seed, tweak, offset, plain, shifted),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => x86::hash_both_128(seed, tweak, offset, plain, shifted),
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::hash_both_512(seed, tweak, offset, plain, shifted),
        }
    }

    /// `sum a[i] * b[i]` in GF(2^128) modulo `x^128 + x^7 + x^2 + x + 1`, over the shorter length.
    #[must_use]
    pub fn inner_product(self, a: &[Block], b: &[Block]) -> Block {
        let len = a.len().min(b.len());
        let (Some(a), Some(b)) = (a.get(..len), b.get(..len)) else {
            return Block::ZERO;
        };
        let (low, high) = match self.0 {
            Kind::Portable => portable::products(a, b),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => x86::products_128(a, b),
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::products_512(a, b),
        };
        portable::reduce(low, high)
    }

    /// Product of two field elements.
    #[must_use]
    pub fn multiply(self, a: Block, b: Block) -> Block {
        self.inner_product(&[a], &[b])
    }

    /// Transposes a 128 x 128 bit matrix: bit `j` of block `i` changes places with bit `i` of block `j`.
    pub fn transpose(self, matrix: &mut [Block; 128]) {
        match self.0 {
            Kind::Portable => portable::transpose(matrix),
            #[cfg(target_arch = "x86_64")]
            Kind::AesNi => x86::transpose_128(matrix),
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::transpose_512(matrix),
        }
    }
}
