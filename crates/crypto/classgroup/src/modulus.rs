//! 256-bit primes and arithmetic modulo them: what a challenge of a proof of exponentiation needs.

use crate::{limbs, mont::Mont, prime};

/// A prime of exactly 256 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Prime256 {
    mont: Mont<4>,
}

/// A residue modulo a [`Prime256`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residue([u64; 4]);

impl Prime256 {
    /// Sets the top and the lowest bit of big-endian bytes and tests the result.
    #[must_use]
    pub fn from_candidate(bytes: &[u8; 32]) -> Option<Self> {
        let mut n = [0; 4];
        limbs::from_be(&mut n, bytes);
        n[0] |= 1;
        n[3] |= 1 << 63;
        if !prime::is_prime(&n) {
            return None;
        }
        Mont::new(&n).map(|mont| Self { mont })
    }

    /// The prime, little-endian limbs.
    #[must_use]
    pub const fn limbs(&self) -> &[u64; 4] {
        &self.mont.n
    }

    /// The prime, big-endian.
    #[must_use]
    pub fn to_be_bytes(&self) -> [u8; 32] {
        let mut out = [0; 32];
        limbs::to_be(&mut out, &self.mont.n);
        out
    }

    pub(crate) const fn mont(&self) -> &Mont<4> {
        &self.mont
    }

    /// `2^exponent`.
    #[must_use]
    pub fn pow2(&self, exponent: u64) -> Residue {
        Residue(self.mont.leave(&self.mont.pow_two(&[exponent])))
    }

    /// The product.
    #[must_use]
    pub fn mul(&self, a: Residue, b: Residue) -> Residue {
        Residue(self.mont.mul(&self.mont.enter(&a.0), &b.0))
    }

    /// `(floor(2^bits r / l), 2^bits r mod l)` for this prime `l` and at most 32 bits.
    #[must_use]
    pub fn shift_div(&self, r: Residue, bits: u32) -> (u32, Residue) {
        let (mut x, mut quotient) = (r.0, 0u32);
        for _ in 0..bits.min(32) {
            let carry = x[3] >> 63 == 1;
            limbs::shl_assign(&mut x, 1);
            let take = carry || limbs::cmp(&x, &self.mont.n).is_ge();
            if take {
                limbs::sub_assign(&mut x, &self.mont.n);
            }
            quotient = quotient << 1 | u32::from(take);
        }
        (quotient, Residue(x))
    }

    /// Whether twice the residue exceeds the prime.
    #[must_use]
    pub fn is_upper_half(&self, r: Residue) -> bool {
        let mut x = r.0;
        let carry = x[3] >> 63 == 1;
        limbs::shl_assign(&mut x, 1);
        carry || limbs::cmp(&x, &self.mont.n).is_gt()
    }
}

impl Residue {
    /// The representative in `0..l`, little-endian limbs.
    #[must_use]
    pub const fn limbs(&self) -> &[u64; 4] {
        &self.0
    }
}

impl core::fmt::Debug for Prime256 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d] = self.mont.n;
        write!(f, "Prime256({d:016x}{c:016x}{b:016x}{a:016x})")
    }
}
