//! Reduction of forms that are nearly reduced.

#![expect(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: all slices are cut to the common length"
)]

use core::cmp::Ordering;

use crate::{
    form::{Form, Group},
    int::{Int, Nat, WORK},
    limbs,
};

/// Coefficients on a common number of limbs.
struct Coefficients {
    a: [u64; WORK],
    b: [u64; WORK],
    c: [u64; WORK],
    /// Sign of `b`.
    neg: bool,
    /// Limbs in use.
    n: usize,
}

/// The reduced form equivalent to `(a, b, c)` with `a, c > 0`; `b` is (sign, magnitude).
pub(super) fn reduce(a: &[u64], b: (bool, &[u64]), c: &[u64], group: Group) -> Form {
    let n = a.len().max(b.1.len()).max(c.len());
    let mut f = Coefficients {
        a: [0; WORK],
        b: [0; WORK],
        c: [0; WORK],
        neg: b.0,
        n,
    };
    f.a[..a.len()].copy_from_slice(a);
    f.b[..b.1.len()].copy_from_slice(b.1);
    f.c[..c.len()].copy_from_slice(c);
    f.run();
    Form {
        a: Nat::from_limbs(&f.a[..f.n]),
        b: Int::new(f.neg, Nat::from_limbs(&f.b[..f.n])),
        c: Nat::from_limbs(&f.c[..f.n]),
        group,
    }
}

impl Coefficients {
    fn run(&mut self) {
        loop {
            let n = self.n;
            let mut order = limbs::cmp(&self.a[..n], &self.c[..n]);
            if order == Ordering::Greater {
                core::mem::swap(&mut self.a, &mut self.c);
                self.neg = !self.neg;
                order = Ordering::Less;
            }
            let width = limbs::cmp(&self.b[..n], &self.a[..n]);
            if width != Ordering::Greater {
                self.neg &= width == Ordering::Less && order == Ordering::Less;
                return;
            }
            self.translate();
        }
    }

    /// `b <- b - 2 q a` for `q` near `b / 2a` and never above its rounding, which keeps `(b + b') / 2` positive.
    /// Every such step with `|b| > a` makes `|b|` smaller.
    fn translate(&mut self) {
        let n = self.n;
        let bits = limbs::bit_len(&self.b[..n]);
        let shift = bits.saturating_sub(62);
        let (hb, ha) = (window(&self.b[..n], shift), window(&self.a[..n], shift));
        let q = if shift == 0 {
            (hb + ha) / (2 * ha).max(1)
        } else if ha >> 16 == 0 {
            return self.translate_far();
        } else {
            (hb + ha) / (2 * (ha + 1))
        };
        let q = q.max(1);
        let (a, b, c) = (&self.a[..n], &mut self.b[..n], &mut self.c[..n]);
        // b' = b - 2qa and c' = c - q (b + b') / 2, the magnitude of b taken positive.
        limbs::sub_mul(b, a, q);
        limbs::sub_mul(c, b, q);
        if limbs::sub_mul(b, a, q) != 0 {
            limbs::negate(b);
            self.neg = !self.neg;
        }
    }

    /// The same for a quotient of many limbs.
    #[cold]
    fn translate_far(&mut self) {
        let n = self.n;
        let len = limbs::significant(&self.a[..n]);
        let (mut twice, mut rest, mut quo) = ([0; WORK], self.b, [0; WORK]);
        twice[..len].copy_from_slice(&self.a[..len]);
        limbs::shl_assign(&mut twice[..=len], 1);
        let len2 = limbs::significant(&twice);
        // The quotient is rounded down: b' is positive and below 2a.
        limbs::div_rem(&mut rest[..n], &twice[..len2], Some(&mut quo[..n]));
        let mut sum = rest;
        limbs::add_assign(&mut sum, &self.b[..n]);
        limbs::shr_assign(&mut sum, 1);
        let mut product = [0; WORK];
        limbs::mul_low(&mut product, &quo[..n], &sum[..n]);
        limbs::sub_assign(&mut self.c, &product);
        self.b = rest;
    }
}

/// 64 bits of `x` from bit `shift` on.
fn window(x: &[u64], shift: usize) -> u64 {
    let (i, bits) = (shift / limbs::BITS, shift % limbs::BITS);
    let at = |i: usize| x.get(i).copied().unwrap_or(0);
    if bits == 0 {
        at(i)
    } else {
        at(i) >> bits | at(i + 1) << (limbs::BITS - bits)
    }
}
