//! The arithmetic of the hot loops: AES-128 with one key or with one key per block, carry-less products, transposition.
//!
//! Every function exists in portable constant-time form; machines with AES instructions use them after detection at run
//! time. All forms give the same bits, which the tests check form against form and against independent code.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod gates;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use core::fmt;

use quil_simd::Features;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::block::Block;

/// Table of one AND gate: the garbler's row and the evaluator's.
pub type Rows = [[u8; Block::BYTES]; 2];

/// Keys of the tweaked hash of consecutive half gates: `seed ^ tweak`, `seed ^ (tweak + 1)`, and so on.
#[derive(Clone, Copy, Debug)]
pub struct HashKeys {
    /// Public session value.
    pub seed: Block,
    /// Tweak of the first hash.
    pub tweak: u64,
}

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
    #[cfg(target_arch = "aarch64")]
    NeonAes,
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => Self(aarch64::expand(key)),
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

    /// All forms this process may use, slowest first: what the machine has, or the portable one alone if `quil_simd` is
    /// told so.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::with(Features::get())
    }

    /// All forms that need no more than these features of this machine, slowest first.
    fn with(features: Features) -> Vec<Self> {
        let mut list = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if features.aes && x86::has_aesni() {
                list.push(Self(Kind::AesNi));
            }
            if features.vaes && x86::has_vaes512() {
                list.push(Self(Kind::Vaes512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if features.aes && aarch64::has_neon_aes() {
            list.push(Self(Kind::NeonAes));
        }
        list
    }

    /// All forms this machine has, slowest first, whatever the process is told: for tests that compare them.
    #[must_use]
    pub fn of_machine() -> Vec<Self> {
        Self::with(Features::of_machine())
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => "neon-aes",
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => aarch64::encrypt(&key.0, blocks),
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => aarch64::hash(seed, tweak, blocks),
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => aarch64::hash_both(seed, tweak, offset, plain, shifted),
        }
    }

    /// Garbles AND gates with half-gates (2014/756): zero-labels of both inputs in, rows and zero-labels of the outputs
    /// out. Gate `i` hashes under the keys `2 i` and `2 i + 1`. Works on the shortest length.
    pub fn garble_ands(
        self,
        keys: HashKeys,
        offset: Block,
        inputs: &[[Block; 2]],
        rows: &mut [Rows],
        outs: &mut [Block],
    ) {
        let len = inputs.len().min(rows.len()).min(outs.len());
        let (Some(inputs), Some(rows), Some(outs)) =
            (inputs.get(..len), rows.get_mut(..len), outs.get_mut(..len))
        else {
            return;
        };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::garble_512(keys, offset, inputs, rows, outs),
            _ => gates::garble(self, keys, offset, inputs, rows, outs),
        }
    }

    /// Evaluates AND gates garbled by [`garble_ands`](Self::garble_ands): labels of both inputs and rows in, labels of the
    /// outputs out. Works on the shortest length.
    pub fn evaluate_ands(
        self,
        keys: HashKeys,
        inputs: &[[Block; 2]],
        rows: &[Rows],
        outs: &mut [Block],
    ) {
        let len = inputs.len().min(rows.len()).min(outs.len());
        let (Some(inputs), Some(rows), Some(outs)) =
            (inputs.get(..len), rows.get(..len), outs.get_mut(..len))
        else {
            return;
        };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes512 => x86::evaluate_512(keys, inputs, rows, outs),
            _ => gates::evaluate(self, keys, inputs, rows, outs),
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
            #[cfg(target_arch = "aarch64")]
            Kind::NeonAes => aarch64::products(a, b),
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
            #[cfg(target_arch = "aarch64")]
            // NEON belongs to every machine of this kind: the portable form is compiled with it.
            Kind::NeonAes => portable::transpose(matrix),
        }
    }
}
