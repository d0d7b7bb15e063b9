//! Scalars in base of an endomorphism eigenvalue.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: constant bounds, truncation to limbs"
)]

use crate::fr::Fr;
use crate::kernel;

/// A digit of at most 259 bits, little-endian limbs.
pub(crate) type HalfScalar = [u64; 5];

/// `|x|`, absolute value of the curve parameter.
pub(crate) const X_ABS: u64 = 0x1_4000_0381;

/// `x^8`, 259 bits: the eigenvalue on G1.
const X8: [u64; 5] =
    kernel::limbs_from_hex("5f5e185a9dabf5d25c7952c3a07710955f32a19a7daad3d00e23ff25bc2571c01");
/// `floor(2^576 / x^8)`, 318 bits.
const X8_RECIPROCAL: [u64; 5] = kernel::limbs_from_hex(
    "2af31a013bcc61ec8e3fb7a7200bbba04656534f950c10ecc9d52392c8917f13e7c5b13adbd7a8ad",
);

/// `(k mod x^8, k div x^8)` by multiplication with the reciprocal. Constant time.
pub(crate) fn split_by_eigenvalue(k: &Fr) -> [HalfScalar; 2] {
    let k = k.to_limbs();
    // The estimate is at most two too small because k < 2^576 and the reciprocal is rounded down.
    let mut wide = [0u64; 14];
    for i in 0..9 {
        let mut c = 0;
        for j in 0..5 {
            (wide[i + j], c) = kernel::mac(wide[i + j], k[i], X8_RECIPROCAL[j], c);
        }
        wide[i + 5] = c;
    }
    let mut q: HalfScalar = [wide[9], wide[10], wide[11], wide[12], wide[13]];
    let product: [u64; 10] = kernel::mul_wide(&q, &X8);
    let low = |a: &[u64]| -> HalfScalar { [a[0], a[1], a[2], a[3], a[4]] };
    let (mut rem, _) = kernel::sub(&low(&k), &low(&product));
    for _ in 0..2 {
        let (reduced, borrow) = kernel::sub(&rem, &X8);
        let keep = borrow.wrapping_neg();
        rem = kernel::select(&reduced, &rem, keep);
        let mut bump = [0; 5];
        bump[0] = 1 - borrow;
        q = kernel::add(&q, &bump);
    }
    [rem, q]
}

/// `ceil(2^96 / |x|)`: multiplies a 63-bit number to its exact quotient by `|x|`.
const X_RECIPROCAL: u64 = ((1u128 << 96) / (X_ABS as u128) + 1) as u64;

/// Digits of `k` in base `|x|`, least significant first; `k < r < x^16`. Constant time.
pub(crate) fn split_by_x(k: &Fr) -> [u64; 16] {
    const STEP: usize = 30;
    const STEPS: usize = 18;
    let limbs = k.to_limbs();
    let mut words = [0u64; STEPS];
    for (i, w) in words.iter_mut().enumerate() {
        let (word, shift) = (STEP * i / 64, STEP * i % 64);
        let high = if word < 8 { limbs[word + 1] } else { 0 };
        let pair = u128::from(limbs[word]) | (u128::from(high) << 64);
        *w = ((pair >> shift) as u64) & ((1 << STEP) - 1);
    }
    let mut digits = [0; 16];
    for d in &mut digits {
        let mut rem = 0u64;
        for w in words.iter_mut().rev() {
            // rem < 2^33, so the dividend has at most 63 bits and the error of the reciprocal stays below 1/|x|.
            let dividend = (rem << STEP) | *w;
            let quotient = ((u128::from(dividend) * u128::from(X_RECIPROCAL)) >> 96) as u64;
            rem = dividend - quotient * X_ABS;
            *w = quotient;
        }
        *d = rem;
    }
    digits
}

/// Signed digits of `w` bits, in `[-2^(w-1), 2^(w-1)]`, least significant first, such that `k = sum d_i 2^(w i)`.
/// `count w` must exceed the bit length of `k`. Constant time.
pub(crate) fn signed_windows(k: &HalfScalar, w: usize, count: usize) -> Vec<i8> {
    (0..count)
        .map(|i| {
            // Booth: window bits plus the bit below, minus the top bit's weight.
            let low = i * w;
            let below = if low == 0 { 0 } else { bits_at(k, low - 1, 1) };
            let digit = bits_at(k, low, w);
            let top = digit >> (w - 1);
            (digit as i8)
                .wrapping_add(below as i8)
                .wrapping_sub(((top << w) as i16) as i8)
        })
        .collect()
}

/// `n < 64` bits from position `pos`, zero beyond the end.
pub(crate) fn bits_at(k: &HalfScalar, pos: usize, n: usize) -> u64 {
    let (word, shift) = (pos / 64, pos % 64);
    let at = |i: usize| if i < 5 { k[i] } else { 0 };
    let pair = u128::from(at(word)) | (u128::from(at(word + 1)) << 64);
    ((pair >> shift) as u64) & ((1 << n) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recombine(parts: [HalfScalar; 2]) -> Fr {
        let to_fr = |h: HalfScalar| {
            let mut l = [0; 9];
            l[..5].copy_from_slice(&h);
            Fr::from_limbs_reduced(l)
        };
        to_fr(parts[0]) + to_fr(parts[1]) * to_fr(X8)
    }

    fn samples() -> Vec<Fr> {
        let mut v = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_u64(X_ABS)];
        for i in 0..200u64 {
            v.push(Fr::from_u64(i + 7).pow_vartime(&[0x1234_5678_9abc + 977 * i, i]));
        }
        v
    }

    #[test]
    fn split_recombines_and_digits_are_short() {
        for k in samples() {
            let parts = split_by_eigenvalue(&k);
            assert_eq!(recombine(parts), k);
            for part in parts {
                assert_eq!(part[4] >> 3, 0);
                assert_eq!(kernel::sub(&part, &X8).1, 1);
            }
        }
    }

    #[test]
    fn base_x_digits_recombine_and_are_digits() {
        for k in samples() {
            let digits = split_by_x(&k);
            assert!(digits.iter().all(|&d| d < X_ABS));
            let sum = digits.iter().rev().fold(Fr::ZERO, |acc, &d| {
                acc * Fr::from_u64(X_ABS) + Fr::from_u64(d)
            });
            assert_eq!(sum, k);
        }
    }

    #[test]
    fn signed_windows_recombine() {
        for k in samples() {
            for (w, count) in [(4, 66), (5, 53), (6, 44)] {
                let half = split_by_eigenvalue(&k)[0];
                let digits = signed_windows(&half, w, count);
                let sum = digits.iter().rev().fold(Fr::ZERO, |acc, &d| {
                    let m = Fr::from_u64(u64::from(d.unsigned_abs()));
                    assert!(d.unsigned_abs() <= 1 << (w - 1));
                    acc * Fr::from_u64(1 << w) + if d < 0 { -m } else { m }
                });
                assert_eq!(sum, recombine([half, [0; 5]]));
            }
        }
    }
}
