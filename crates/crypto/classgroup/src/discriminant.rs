//! Discriminants: the only parameter of a class group.

mod search;

pub use search::Candidate;

use crate::{
    error::{DiscriminantError, Exhausted},
    form::{Form, Group},
    int::{FULL, Int, Nat},
    limbs, prime,
};

/// Smallest supported size, bits. Small groups exist for tests; the sieve needs candidates above its primes.
pub const BITS_MIN: usize = 32;
/// Largest supported size, bits: what the arithmetic has room for.
pub const BITS_MAX: usize = 2048;

/// A negative prime discriminant `D` with `|D| = 7 mod 8`.
///
/// A prime `|D|` makes the class number odd, every form primitive, and `2` split.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Discriminant {
    abs: Nat<FULL>,
    bits: usize,
}

impl Discriminant {
    /// `Disc(seed)`: the discriminant of `bits` bits that a seed determines.
    ///
    /// SHA-256 of the seed with a 16-bit counter gives `bits` bits with the top one set and two more bytes that choose
    /// a residue modulo 8 * 3 * 5 * 7 * 11 * 13 which is 7 modulo 8 and coprime to the rest; the first prime in that
    /// progression is `|D|`. Mean cost at 2048 bits: see the bench `vdf.discriminant_2048`.
    ///
    /// # Errors
    /// [`DiscriminantError::Bits`] outside [`BITS_MIN`]`..=`[`BITS_MAX`]; [`DiscriminantError::Exhausted`] when the
    /// progression leaves the size before a prime (small sizes only).
    pub fn derive(seed: &[u8], bits: usize) -> Result<Self, DiscriminantError> {
        Self::derive_with(seed, bits, Candidate::first_prime)
    }

    /// [`Self::derive`] with the tests of candidates left to the caller, who may run them in parallel.
    ///
    /// `first_prime` returns the position of the first prime of a list, if there is one; another position gives a
    /// useless discriminant. It is called more than once only if a list holds no prime.
    ///
    /// # Errors
    /// As [`Self::derive`].
    pub fn derive_with(
        seed: &[u8],
        bits: usize,
        first_prime: impl FnMut(&[Candidate]) -> Option<usize>,
    ) -> Result<Self, DiscriminantError> {
        check_bits(bits)?;
        let abs = search::run(seed, bits, first_prime).ok_or(DiscriminantError::Exhausted)?;
        Ok(Self { abs, bits })
    }

    /// Reads `|D|`, big-endian without leading zeros, and tests everything: use it for configured values.
    ///
    /// # Errors
    /// [`DiscriminantError`], one variant per rule.
    pub fn from_be_bytes(abs: &[u8]) -> Result<Self, DiscriminantError> {
        // One byte more than allowed already has too many bits.
        check_bits(abs.len().min(BITS_MAX / 8 + 1) * 8)?;
        if abs.first() == Some(&0) {
            return Err(DiscriminantError::LeadingZero);
        }
        let mut x = [0; FULL];
        limbs::from_be(&mut x, abs);
        let bits = limbs::bit_len(&x);
        check_bits(bits)?;
        if x[0] & 7 != 7 {
            return Err(DiscriminantError::Residue);
        }
        if !prime::is_prime(&x) {
            return Err(DiscriminantError::NotPrime);
        }
        Ok(Self {
            abs: Nat::from_limbs(&x),
            bits,
        })
    }

    /// `|D|`, big-endian, `ceil(bits / 8)` bytes.
    #[must_use]
    pub fn to_be_bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.bits.div_ceil(8)];
        limbs::to_be(&mut out, self.abs.as_limbs());
        out
    }

    /// Bits of `|D|`.
    #[must_use]
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// Bytes of an encoded form.
    #[must_use]
    pub const fn form_len(&self) -> usize {
        2 * crate::codec::coefficient_len(self.bits)
    }

    /// A form that `seed` determines and whose relation to other seeds' forms nobody knows (R1).
    ///
    /// Candidates are `SHAKE256(u8 len(tag) || tag || u32 len(|D|) || |D| || seed || u32 counter)`, integers
    /// little-endian, `|D|` and the 32 bytes drawn big-endian, top and low bit set. The first prime `q` with `(D/q) = 1`
    /// gives `(q, b, (b^2 - D) / 4q)` with the odd root `b` of `D` modulo `q`, then reduced. `tag` is cut at 255 bytes.
    ///
    /// # Errors
    /// [`Exhausted`] after 2^20 candidates: the expected number is 180.
    pub fn hash_to_form(&self, tag: &[u8], seed: &[u8; 32]) -> Result<Form, Exhausted> {
        crate::hash::hash_to_form(self, tag, seed)
    }

    pub(crate) const fn abs(&self) -> &Nat<FULL> {
        &self.abs
    }

    pub(crate) fn group(&self) -> Group {
        Group {
            low: self.abs.as_limbs().first().copied().unwrap_or(0),
            bits: self.bits,
        }
    }

    /// `1 - D`.
    pub(crate) fn one_minus_d(&self) -> Int<FULL> {
        Int::new(false, self.abs).add(&Int::<1>::ONE)
    }
}

const fn check_bits(bits: usize) -> Result<(), DiscriminantError> {
    if bits < BITS_MIN || bits > BITS_MAX {
        return Err(DiscriminantError::Bits {
            bits,
            min: BITS_MIN,
            max: BITS_MAX,
        });
    }
    Ok(())
}

impl core::fmt::Debug for Discriminant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let low = self.group().low;
        write!(f, "Discriminant({} bits, ..{low:016x})", self.bits)
    }
}
