//! Eight exponentiations side by side: AVX-512 with products of 52-bit limbs (IFMA), one number per lane.
//!
//! Numbers are rows of vectors, row `i` holding limb `i` of all eight. A Montgomery square is built from tiles of 8 by
//! 8 limbs whose sums stay in registers: 15 tiles for the square (off-diagonal ones once, then doubled) and 25 for the
//! reduction at 40 limbs. Sums collect at most 320 terms below `2^52`, so carries are settled once per square.
#![allow(
    unsafe_code,
    reason = "loads and stores of vectors, and calls of functions that need instructions detected at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::absurd_extreme_comparisons,
    reason = "arithmetic kernel: constant indexes into rows of constant length, tiles end at multiples of 8"
)]

use core::arch::x86_64::{
    __m512i, _mm_cvtsi64_si128, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_sllv_epi64, _mm512_srl_epi64, _mm512_srli_epi64, _mm512_storeu_si512,
};

use super::LANES;
use crate::limbs::{self, DIV_MAX};

/// Bits of a limb.
const LIMB: usize = 52;
/// Limbs of a tile.
const TILE: usize = 8;
const MASK: u64 = (1 << LIMB) - 1;
/// Bits of the exponent that the first power takes at once.
const HEAD: usize = 11;
/// Limbs for moduli of up to 1216 and 2048 bits: 32 bits of head-room, so that nothing is ever subtracted.
const SMALL: usize = 24;
const LARGE: usize = 40;

/// Limb `i` of eight numbers.
type Row = [u64; LANES];

/// Runs the body with a constant from 0 to 7.
macro_rules! each8 {
    ($i:ident, $body:block) => {{
        {
            const $i: usize = 0;
            $body
        }
        {
            const $i: usize = 1;
            $body
        }
        {
            const $i: usize = 2;
            $body
        }
        {
            const $i: usize = 3;
            $body
        }
        {
            const $i: usize = 4;
            $body
        }
        {
            const $i: usize = 5;
            $body
        }
        {
            const $i: usize = 6;
            $body
        }
        {
            const $i: usize = 7;
            $body
        }
    }};
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(row: &Row) -> __m512i {
    // SAFETY: a row is 64 readable bytes and the load has no alignment demand.
    unsafe { _mm512_loadu_si512(core::ptr::from_ref(row).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(row: &mut Row, value: __m512i) {
    // SAFETY: a row is 64 writable bytes, and the store has no alignment demand.
    unsafe { _mm512_storeu_si512(core::ptr::from_mut(row).cast(), value) }
}

/// Moduli and what belongs to them.
struct Moduli<const L: usize> {
    n: [Row; L],
    /// `-1 / n` modulo `2^52`.
    neg_inv: Row,
}

/// Bit `i` says whether `2^floor(n_i / 2)` is 1 or -1 modulo the odd number `n_i`. All have `bits` bits.
///
/// # Panics
/// Never: `bits` is at most 2048, as the callers see to.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn euler(n: &[&[u64]; LANES], bits: usize) -> u8 {
    if bits + 32 <= SMALL * LIMB {
        run::<SMALL>(n, bits)
    } else {
        run::<LARGE>(n, bits)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn run<const L: usize>(numbers: &[&[u64]; LANES], bits: usize) -> u8 {
    let mut m = Moduli {
        n: [[0; LANES]; L],
        neg_inv: [0; LANES],
    };
    let mut x = [[0; LANES]; L];
    // The exponent is n without its lowest bit: its top bits are those of n.
    let length = bits - 1;
    let head = HEAD.min(length);
    for (lane, n) in numbers.iter().enumerate() {
        scatter(&mut m.n, lane, n);
        m.neg_inv[lane] = limbs::inv_limb(n[0]).wrapping_neg() & MASK;
        let top = window(n, bits - head) & ((1 << head) - 1);
        let mut power = [0u64; DIV_MAX];
        let position = L * LIMB + top as usize;
        power[position / limbs::BITS] = 1 << (position % limbs::BITS);
        limbs::div_rem(&mut power, &n[..limbs::significant(n)], None);
        scatter(&mut x, lane, &power);
    }
    for i in (1..=length - head).rev() {
        square::<L>(&mut x, &m, i);
    }
    leave::<L>(&mut x, &m);
    verdict(&x, &m.n)
}

/// 64 bits of `x` from bit `at` on.
fn window(x: &[u64], at: usize) -> u64 {
    let word = |i: usize| x.get(i).copied().unwrap_or(0);
    let (i, shift) = (at / limbs::BITS, at % limbs::BITS);
    word(i) >> shift
        | if shift == 0 {
            0
        } else {
            word(i + 1) << (limbs::BITS - shift)
        }
}

fn scatter<const L: usize>(rows: &mut [Row; L], lane: usize, x: &[u64]) {
    for (i, row) in rows.iter_mut().enumerate() {
        row[lane] = window(x, i * LIMB) & MASK;
    }
}

fn verdict<const L: usize>(x: &[Row; L], n: &[Row; L]) -> u8 {
    (0..LANES).fold(0, |verdict, lane| {
        let plus = x[0][lane] == 1 && x[1..].iter().all(|row| row[lane] == 0);
        let minus = x[0][lane] == n[0][lane] & !1
            && x[1..].iter().zip(&n[1..]).all(|(x, n)| x[lane] == n[lane]);
        verdict | u8::from(plus || minus) << lane
    })
}

/// `x^2 / 2^(52 L)`, doubled where bit `bit` of the modulus is set; at most a little above twice the modulus.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn square<const L: usize>(x: &mut [Row; L], m: &Moduli<L>, bit: usize) {
    // Twice the length of the widest number: constant expressions of L are not to be had.
    let mut acc = [[0; LANES]; 2 * LARGE];
    for k in (0..L - TILE).step_by(TILE) {
        let a = tile(&x[k..]);
        rows(&mut acc[2 * k + TILE..], &a, &x[k + TILE..]);
    }
    for k in (0..L).step_by(TILE) {
        diagonal(&mut acc[2 * k..], &x[k..]);
    }
    reduce::<L>(&mut acc, m);
    let shift = _mm_cvtsi64_si128((bit % LIMB) as i64);
    let one = _mm512_set1_epi64(1);
    let double = _mm512_and_si512(_mm512_srl_epi64(load(&m.n[bit / LIMB]), shift), one);
    settle(x, &acc[L..2 * L], double);
}

/// `x / 2^(52 L)`, at most the modulus.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn leave<const L: usize>(x: &mut [Row; L], m: &Moduli<L>) {
    let mut acc = [[0; LANES]; 2 * LARGE];
    acc[..L].copy_from_slice(x);
    reduce::<L>(&mut acc, m);
    settle(x, &acc[L..2 * L], _mm512_setzero_si512());
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn reduce<const L: usize>(acc: &mut [Row; 2 * LARGE], m: &Moduli<L>) {
    for k in (0..L).step_by(TILE) {
        let q = triangle(&mut acc[k..], &m.n, &m.neg_inv);
        rows(&mut acc[k + TILE..], &q, &m.n[TILE..]);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn tile(x: &[Row]) -> [__m512i; TILE] {
    let mut a = [_mm512_setzero_si512(); TILE];
    each8!(I, {
        a[I] = load(&x[I]);
    });
    a
}

/// `acc += a b` for a tile `a` and `b` of a multiple of 8 limbs.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn rows(acc: &mut [Row], a: &[__m512i; TILE], b: &[Row]) {
    let mut low = tile(acc);
    for (j, b) in b.chunks_exact(TILE).enumerate() {
        let acc = &mut acc[j * TILE..j * TILE + 2 * TILE];
        let mut w = [_mm512_setzero_si512(); 2 * TILE];
        each8!(I, {
            w[I] = low[I];
            w[I + TILE] = load(&acc[I + TILE]);
        });
        each8!(J, {
            let y = load(&b[J]);
            each8!(I, {
                w[I + J] = _mm512_madd52lo_epu64(w[I + J], a[I], y);
            });
            each8!(I, {
                w[I + J + 1] = _mm512_madd52hi_epu64(w[I + J + 1], a[I], y);
            });
        });
        each8!(I, {
            store(&mut acc[I], w[I]);
            low[I] = w[I + TILE];
        });
    }
    let end = b.len();
    each8!(I, {
        store(&mut acc[end + I], low[I]);
    });
}

/// `acc = 2 acc + x^2` for a tile `x`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn diagonal(acc: &mut [Row], x: &[Row]) {
    let acc = &mut acc[..2 * TILE];
    let a = tile(x);
    let mut w = [_mm512_setzero_si512(); 2 * TILE];
    each8!(I, {
        w[I] = load(&acc[I]);
        w[I + TILE] = load(&acc[I + TILE]);
    });
    each8!(J, {
        each8!(I, {
            if I < J {
                w[I + J] = _mm512_madd52lo_epu64(w[I + J], a[I], a[J]);
            }
        });
        each8!(I, {
            if I < J {
                w[I + J + 1] = _mm512_madd52hi_epu64(w[I + J + 1], a[I], a[J]);
            }
        });
    });
    each8!(I, {
        let (lo, hi) = (
            _mm512_add_epi64(w[2 * I], w[2 * I]),
            _mm512_add_epi64(w[2 * I + 1], w[2 * I + 1]),
        );
        store(&mut acc[2 * I], _mm512_madd52lo_epu64(lo, a[I], a[I]));
        store(&mut acc[2 * I + 1], _mm512_madd52hi_epu64(hi, a[I], a[I]));
    });
}

/// Adds the multiple `q` of the modulus that clears the lowest 8 limbs, as far as the lowest 8 limbs of the modulus
/// contribute.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn triangle(acc: &mut [Row], n: &[Row], neg_inv: &Row) -> [__m512i; TILE] {
    let acc = &mut acc[..2 * TILE];
    let (zero, neg_inv) = (_mm512_setzero_si512(), load(neg_inv));
    let mut q = [zero; TILE];
    let mut w = [zero; 2 * TILE];
    each8!(I, {
        w[I] = load(&acc[I]);
        w[I + TILE] = load(&acc[I + TILE]);
    });
    let n = &n[..TILE];
    each8!(I, {
        let y = _mm512_madd52lo_epu64(zero, w[I], neg_inv);
        q[I] = y;
        each8!(J, {
            w[I + J] = _mm512_madd52lo_epu64(w[I + J], y, load(&n[J]));
        });
        each8!(J, {
            w[I + J + 1] = _mm512_madd52hi_epu64(w[I + J + 1], y, load(&n[J]));
        });
        w[I + 1] = _mm512_add_epi64(w[I + 1], _mm512_srli_epi64::<{ LIMB as u32 }>(w[I]));
    });
    each8!(I, {
        store(&mut acc[I], w[I]);
        store(&mut acc[I + TILE], w[I + TILE]);
    });
    q
}

/// Writes sums as limbs, shifted left by `double`.
#[inline]
#[target_feature(enable = "avx512f")]
fn settle(x: &mut [Row], sums: &[Row], double: __m512i) {
    let mask = _mm512_set1_epi64(MASK as i64);
    let mut carry = _mm512_setzero_si512();
    for (x, sum) in x.iter_mut().zip(sums) {
        let v = _mm512_add_epi64(_mm512_sllv_epi64(load(sum), double), carry);
        store(x, _mm512_and_si512(v, mask));
        carry = _mm512_srli_epi64::<{ LIMB as u32 }>(v);
    }
}
