//! Products in GF(p): loose limbs in (below 2^60), tight limbs out.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: fixed-size limb arrays, constant indices, truncation to a limb is the point"
)]

use super::MASK;

type Limbs = [u64; 8];

/// a b. Column by column, so that the working set stays small.
#[inline(always)]
pub(super) fn product(a: &Limbs, b: &Limbs) -> Limbs {
    let (a, b) = (Halves::of(a), Halves::of(b));
    let mut c = Carry::default();
    c.push::<0>(product_column::<0>(&a, &b));
    c.push::<1>(product_column::<1>(&a, &b));
    c.push::<2>(product_column::<2>(&a, &b));
    c.push::<3>(product_column::<3>(&a, &b));
    c.finish()
}

/// a^2. Powers are chains of squares, so this is built for latency: all coefficients at once, all carries at once.
#[inline(always)]
pub(super) fn square(a: &Limbs) -> Limbs {
    let a = Halves::of(a);
    fold(sqr4(a.low), sqr4(a.high), sqr4(a.sum))
}

/// a w.
#[inline(always)]
pub(super) fn product_small(a: &Limbs, w: u32) -> Limbs {
    let term = |i: usize| (mul(a[i], u64::from(w)), mul(a[i + 4], u64::from(w)));
    let mut c = Carry::default();
    c.push::<0>(term(0));
    c.push::<1>(term(1));
    c.push::<2>(term(2));
    c.push::<3>(term(3));
    c.finish()
}

#[inline(always)]
fn mul(a: u64, b: u64) -> u128 {
    u128::from(a).wrapping_mul(u128::from(b))
}

/// a + b * c, modulo 2^128.
#[inline(always)]
fn mac(a: u128, b: u64, c: u64) -> u128 {
    a.wrapping_add(mul(b, c))
}

/// The operands of a product: low halves, high halves and their sums.
struct Halves {
    low: [u64; 4],
    high: [u64; 4],
    sum: [u64; 4],
}

impl Halves {
    #[inline(always)]
    fn of(a: &Limbs) -> Self {
        let (low, high) = ([a[0], a[1], a[2], a[3]], [a[4], a[5], a[6], a[7]]);
        Self {
            low,
            high,
            sum: add4(low, high),
        }
    }
}

/// Column sums at position i: products of limbs whose indices add up to i (`*_low`) or to i + 4 (`*_high`).
struct Column {
    low: u128,
    /// high_low - low_high
    high_less: u128,
    /// sum_low + high_high
    sum_plus: u128,
    sum_high: u128,
}

impl Column {
    /// With L, H, S the products of low halves, high halves and sums, Karatsuba and phi^2 = phi + 1 give
    /// c_i = L_i + H_i + S_{i+4} - L_{i+4} and c_{i+4} = S_i - L_i + S_{i+4} + H_{i+4}.
    #[inline(always)]
    fn coefficients(&self) -> (u128, u128) {
        (
            self.high_less
                .wrapping_add(self.low)
                .wrapping_add(self.sum_high),
            self.sum_plus
                .wrapping_add(self.sum_high)
                .wrapping_sub(self.low),
        )
    }
}

/// One column at a time keeps the working set within the registers.
#[inline(always)]
fn product_column<const I: usize>(a: &Halves, b: &Halves) -> (u128, u128) {
    let mut c = Column {
        low: 0,
        high_less: 0,
        sum_plus: 0,
        sum_high: 0,
    };
    for j in 0..=I {
        let k = I - j;
        c.low = mac(c.low, a.low[j], b.low[k]);
        c.high_less = mac(c.high_less, a.high[j], b.high[k]);
        c.sum_plus = mac(c.sum_plus, a.sum[j], b.sum[k]);
    }
    for j in I + 1..4 {
        let k = I + 4 - j;
        c.high_less = c.high_less.wrapping_sub(mul(a.low[j], b.low[k]));
        c.sum_plus = mac(c.sum_plus, a.high[j], b.high[k]);
        c.sum_high = mac(c.sum_high, a.sum[j], b.sum[k]);
    }
    c.coefficients()
}

/// Carries along both halves while the columns arrive.
#[derive(Default)]
struct Carry {
    limbs: [u64; 8],
    low: u128,
    high: u128,
}

impl Carry {
    #[inline(always)]
    fn push<const I: usize>(&mut self, (low, high): (u128, u128)) {
        let (low, high) = (low.wrapping_add(self.low), high.wrapping_add(self.high));
        self.limbs[I] = (low as u64) & MASK;
        self.limbs[I + 4] = (high as u64) & MASK;
        (self.low, self.high) = (low >> 56, high >> 56);
    }

    /// 2^448 = phi + 1: what leaves at the top enters both halves.
    #[inline(always)]
    fn finish(self) -> Limbs {
        let mut r = self.limbs;
        let low = self.high.wrapping_add(u128::from(r[0]));
        let high = self
            .high
            .wrapping_add(self.low)
            .wrapping_add(u128::from(r[4]));
        r[0] = (low as u64) & MASK;
        r[1] = r[1].wrapping_add((low >> 56) as u64);
        r[4] = (high as u64) & MASK;
        r[5] = r[5].wrapping_add((high >> 56) as u64);
        r
    }
}

/// Coefficients of the square of a four-limb half (limbs below 2^61, so doubling a limb cannot overflow).
#[inline(always)]
fn sqr4(a: [u64; 4]) -> [u128; 7] {
    let add = u128::wrapping_add;
    let (d0, d1, d2) = (a[0] << 1, a[1] << 1, a[2] << 1);
    [
        mul(a[0], a[0]),
        mul(d0, a[1]),
        add(mul(d0, a[2]), mul(a[1], a[1])),
        add(mul(d0, a[3]), mul(d1, a[2])),
        add(mul(d1, a[3]), mul(a[2], a[2])),
        mul(d2, a[3]),
        mul(a[3], a[3]),
    ]
}

/// lo + phi * hi' with phi^2 = phi + 1, from the three Karatsuba products.
#[inline(always)]
fn fold(l: [u128; 7], h: [u128; 7], m: [u128; 7]) -> Limbs {
    let add = u128::wrapping_add;
    let sub = u128::wrapping_sub;
    carry_wide([
        add(add(l[0], h[0]), sub(m[4], l[4])),
        add(add(l[1], h[1]), sub(m[5], l[5])),
        add(add(l[2], h[2]), sub(m[6], l[6])),
        add(l[3], h[3]),
        add(add(h[4], m[4]), sub(m[0], l[0])),
        add(add(h[5], m[5]), sub(m[1], l[1])),
        add(add(h[6], m[6]), sub(m[2], l[2])),
        sub(m[3], l[3]),
    ])
}

/// Carries wide coefficients (below 2^126) into a tight element.
///
/// All carries move at once: each coefficient is cut into pieces of 56 bits that are added to the limbs they belong to.
/// A ripple from limb to limb would be a chain of eight dependent steps.
#[inline(always)]
fn carry_wide(c: [u128; 8]) -> Limbs {
    let lo = |i: usize| (c[i] as u64) & MASK;
    let mid = |i: usize| ((c[i] >> 56) as u64) & MASK;
    let hi = |i: usize| (c[i] >> 112) as u64;
    let add = |a: u64, b: u64, d: u64| a.wrapping_add(b).wrapping_add(d);
    // 2^448 = phi + 1: what leaves at the top enters both halves.
    [
        add(lo(0), mid(7), hi(6)),
        add(lo(1), mid(0), hi(7)),
        add(lo(2), mid(1), hi(0)),
        add(lo(3), mid(2), hi(1)),
        add(lo(4), mid(3), hi(2))
            .wrapping_add(mid(7))
            .wrapping_add(hi(6)),
        add(lo(5), mid(4), hi(3)).wrapping_add(hi(7)),
        add(lo(6), mid(5), hi(4)),
        add(lo(7), mid(6), hi(5)),
    ]
}

#[inline(always)]
fn add4(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    [
        a[0].wrapping_add(b[0]),
        a[1].wrapping_add(b[1]),
        a[2].wrapping_add(b[2]),
        a[3].wrapping_add(b[3]),
    ]
}
