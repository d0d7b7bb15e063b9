//! Eight elements one after the other: element `i` is words `10 i .. 10 i + 10` (`20 i .. 20 i + 20` of a product).
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "constant bounds over arrays of fixed length"
)]

use super::{LANES, WIDE_WORDS, WORDS};
use crate::fp::{Fp, FpWide};
use crate::kernel;

type Words = [u64; WORDS];
type Wide = [u64; WIDE_WORDS];

#[inline(always)]
fn get(words: &Words, lane: usize) -> Fp {
    let mut limbs = [0; 10];
    limbs.copy_from_slice(&words[10 * lane..10 * lane + 10]);
    Fp(limbs)
}

#[inline(always)]
fn set(words: &mut Words, lane: usize, v: &Fp) {
    words[10 * lane..10 * lane + 10].copy_from_slice(&v.0);
}

#[inline(always)]
fn get_wide(words: &Wide, lane: usize) -> FpWide {
    let mut limbs = [0; 20];
    limbs.copy_from_slice(&words[20 * lane..20 * lane + 20]);
    FpWide(limbs)
}

#[inline(always)]
fn set_wide(words: &mut Wide, lane: usize, v: &FpWide) {
    words[20 * lane..20 * lane + 20].copy_from_slice(&v.0);
}

#[inline(always)]
fn map2(a: &Words, b: &Words, out: &mut Words, f: impl Fn(&Fp, &Fp) -> Fp) {
    for lane in 0..LANES {
        set(out, lane, &f(&get(a, lane), &get(b, lane)));
    }
}

pub(crate) fn from_array(values: &[Fp; LANES], out: &mut Words) {
    for (lane, v) in values.iter().enumerate() {
        set(out, lane, v);
    }
}

pub(crate) fn to_array(a: &Words) -> [Fp; LANES] {
    core::array::from_fn(|lane| get(a, lane))
}

pub(crate) fn add(a: &Words, b: &Words, out: &mut Words) {
    map2(a, b, out, Fp::add);
}

pub(crate) fn sub(a: &Words, b: &Words, out: &mut Words) {
    map2(a, b, out, Fp::sub);
}

pub(crate) fn add_lazy(a: &Words, b: &Words, out: &mut Words) {
    map2(a, b, out, Fp::add_lazy);
}

pub(crate) fn sub_lazy(a: &Words, b: &Words, out: &mut Words) {
    map2(a, b, out, Fp::sub_lazy);
}

pub(crate) fn mul(a: &Words, b: &Words, out: &mut Words) {
    map2(a, b, out, Fp::mul);
}

pub(crate) fn neg(a: &Words, out: &mut Words) {
    map2(a, a, out, |v, _| v.neg());
}

pub(crate) fn square(a: &Words, out: &mut Words) {
    map2(a, a, out, |v, _| v.square());
}

pub(crate) fn select(a: &Words, b: &Words, mask: u8, out: &mut Words) {
    for lane in 0..LANES {
        let bit = u64::from((mask >> lane) & 1).wrapping_neg();
        let v = kernel::select(&get(a, lane).0, &get(b, lane).0, bit);
        set(out, lane, &Fp(v));
    }
}

pub(crate) fn zero_lanes(a: &Words) -> u8 {
    (0..LANES).fold(0, |mask, lane| {
        mask | (u8::from(get(a, lane).is_zero()) << lane)
    })
}

pub(crate) fn mul_wide(a: &Words, b: &Words, out: &mut Wide) {
    for lane in 0..LANES {
        set_wide(out, lane, &get(a, lane).mul_wide(&get(b, lane)));
    }
}

pub(crate) fn sqr_wide(a: &Words, out: &mut Wide) {
    for lane in 0..LANES {
        set_wide(out, lane, &get(a, lane).sqr_wide());
    }
}

pub(crate) fn wide_add_assign(a: &mut Wide, b: &Wide) {
    for lane in 0..LANES {
        let mut sum = get_wide(a, lane);
        sum.add_assign(&get_wide(b, lane));
        set_wide(a, lane, &sum);
    }
}

pub(crate) fn wide_sub_assign(a: &mut Wide, b: &Wide) {
    for lane in 0..LANES {
        let mut sum = get_wide(a, lane);
        sum.sub_assign(&get_wide(b, lane));
        set_wide(a, lane, &sum);
    }
}

pub(crate) fn reduce(a: &Wide, out: &mut Words) {
    for lane in 0..LANES {
        set(out, lane, &get_wide(a, lane).reduce());
    }
}
