//! The evaluation domain: the 64 roots of unity of order 64 in `Fr`.
//!
//! `r - 1` is divisible by `2^10` only, so no domain is larger than 1024; the trie's arity fixes 64.
#![expect(
    clippy::indexing_slicing,
    reason = "indices run over 0..64 of arrays of 64"
)]

use std::sync::OnceLock;

use quil_bls48581::Fr;

/// Points of the domain, and slots of a committed vector.
pub const DOMAIN_SIZE: usize = 64;
/// Its base-2 logarithm.
pub(crate) const DOMAIN_LOG: usize = 6;

/// Roots of unity with the inverses that openings need.
#[derive(Debug)]
pub(crate) struct Domain {
    /// `omega^i`.
    pub(crate) roots: [Fr; DOMAIN_SIZE],
    /// `1 / (omega^d - 1)` for d in 1..64; entry 0 is unused and zero.
    gap_inverses: [Fr; DOMAIN_SIZE],
    /// `1 / 64`.
    pub(crate) size_inverse: Fr,
}

/// The domain; computed on first use.
pub(crate) fn domain() -> &'static Domain {
    static DOMAIN: OnceLock<Domain> = OnceLock::new();
    DOMAIN.get_or_init(Domain::compute)
}

impl Domain {
    fn compute() -> Self {
        let omega = omega();
        let mut roots = [Fr::ONE; DOMAIN_SIZE];
        for i in 1..DOMAIN_SIZE {
            roots[i] = roots[i - 1] * omega;
        }
        let mut gaps = [Fr::ZERO; DOMAIN_SIZE];
        for d in 1..DOMAIN_SIZE {
            gaps[d] = roots[d] - Fr::ONE;
        }
        Fr::batch_invert(&mut gaps[1..]);
        let mut size_inverse = [Fr::from_u64(64)];
        Fr::batch_invert(&mut size_inverse);
        Self {
            roots,
            gap_inverses: gaps,
            size_inverse: size_inverse[0],
        }
    }

    /// `1 / (omega^j - omega^i)` for `i != j`.
    pub(crate) fn difference_inverse(&self, j: usize, i: usize) -> Fr {
        // omega^j - omega^i = omega^i (omega^(j-i) - 1)
        let back = (DOMAIN_SIZE - i) % DOMAIN_SIZE;
        let d = (j + DOMAIN_SIZE - i) % DOMAIN_SIZE;
        self.roots[back] * self.gap_inverses[d]
    }

    /// `omega^(j - i)`.
    pub(crate) fn root_ratio(&self, j: usize, i: usize) -> Fr {
        self.roots[(j + DOMAIN_SIZE - i) % DOMAIN_SIZE]
    }

    /// Evaluations of `(f - f(omega^i)) / (X - omega^i)` from those of `f`.
    pub(crate) fn quotient(&self, f: &[Fr; DOMAIN_SIZE], i: usize) -> [Fr; DOMAIN_SIZE] {
        let mut q = [Fr::ZERO; DOMAIN_SIZE];
        let mut at_i = Fr::ZERO;
        for j in (0..DOMAIN_SIZE).filter(|&j| j != i) {
            q[j] = (f[j] - f[i]) * self.difference_inverse(j, i);
            at_i -= q[j] * self.root_ratio(j, i);
        }
        q[i] = at_i;
        q
    }
}

/// `37^((r-1)/64)`: the generator of the domain.
fn omega() -> Fr {
    // 2^6 divides r - 1.
    Fr::root_of_unity(6).unwrap_or(Fr::ONE)
}

/// A 64-byte slot as a scalar: big-endian, below `r` without reduction because `2^512 < r`.
#[must_use]
pub fn slot_scalar(slot: &[u8; 64]) -> Fr {
    Fr::from_be_bytes_wide(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_have_order_sixty_four() {
        let d = domain();
        assert_eq!(d.roots[63] * d.roots[1], Fr::ONE);
        assert_eq!(d.roots[32], -Fr::ONE);
        assert_eq!(d.size_inverse * Fr::from_u64(64), Fr::ONE);
    }

    #[test]
    fn difference_inverses_invert_differences() {
        let d = domain();
        for (j, i) in [(0, 1), (1, 0), (63, 5), (5, 63), (32, 0)] {
            assert_eq!(
                d.difference_inverse(j, i) * (d.roots[j] - d.roots[i]),
                Fr::ONE
            );
        }
    }

    /// Evaluates by Horner from coefficients: the slow twin of the quotient.
    fn eval(coefficients: &[Fr], x: Fr) -> Fr {
        coefficients
            .iter()
            .rev()
            .fold(Fr::ZERO, |acc, c| acc * x + *c)
    }

    #[test]
    fn quotient_equals_synthetic_division() {
        let d = domain();
        let coefficients: Vec<Fr> = (0..64u64).map(|k| Fr::from_u64(k * k + 3)).collect();
        let f: [Fr; 64] = core::array::from_fn(|i| eval(&coefficients, d.roots[i]));
        for i in [0, 1, 17, 63] {
            let z = d.roots[i];
            let mut q = vec![Fr::ZERO; 63];
            let mut carry = Fr::ZERO;
            for k in (0..63).rev() {
                carry = carry * z + coefficients[k + 1];
                q[k] = carry;
            }
            let got = d.quotient(&f, i);
            for (j, value) in got.iter().enumerate() {
                assert_eq!(*value, eval(&q, d.roots[j]), "i {i} j {j}");
            }
        }
    }
}
