//! Rows of products with two carry chains: BMI2 and ADX.
//!
//! `mulx` leaves the flags alone, `adcx` and `adox` use one flag each, so that the row of upper halves and the sum with
//! what is there run side by side: one limb takes little more than its multiplication.
#![allow(
    unsafe_code,
    reason = "assembly: two carry chains through flags, which no compiler makes of additions"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "arithmetic kernel: lengths are stated with each function"
)]

use core::arch::asm;

use super::MONT_MAX;
use crate::limbs;

/// Limbs of one turn of the loop.
const QUAD: usize = 4;
/// Room for a square whose rows are rounded up to whole turns.
const WIDE: usize = 2 * MONT_MAX + QUAD;

/// `t += m b`, where `b` has a positive multiple of four limbs and `t` begins with as many; returns the limb above.
#[inline]
#[target_feature(enable = "bmi2,adx")]
fn add_row(t: &mut [u64], b: &[u64], m: u64) -> u64 {
    let quads = b.len() / QUAD;
    assert!(quads > 0 && t.len() >= quads * QUAD, "a row has its room");
    let carry: u64;
    // SAFETY: the loop reads 4 `quads` limbs of `b` and reads and writes as many of `t`: both are that long, as was just
    // checked. It touches nothing else.
    unsafe {
        asm!(
            "xor {c:e}, {c:e}",
            "2:",
            "mulx {d}, {l}, qword ptr [{b}]",
            "adcx {l}, {c}",
            "adox {l}, qword ptr [{t}]",
            "mov qword ptr [{t}], {l}",
            "mulx {c}, {l}, qword ptr [{b} + 8]",
            "adcx {l}, {d}",
            "adox {l}, qword ptr [{t} + 8]",
            "mov qword ptr [{t} + 8], {l}",
            "mulx {d}, {l}, qword ptr [{b} + 16]",
            "adcx {l}, {c}",
            "adox {l}, qword ptr [{t} + 16]",
            "mov qword ptr [{t} + 16], {l}",
            "mulx {c}, {l}, qword ptr [{b} + 24]",
            "adcx {l}, {d}",
            "adox {l}, qword ptr [{t} + 24]",
            "mov qword ptr [{t} + 24], {l}",
            "lea {b}, [{b} + 32]",
            "lea {t}, [{t} + 32]",
            "lea rcx, [rcx - 1]",
            "jrcxz 3f",
            "jmp 2b",
            "3:",
            "mov {l:e}, 0",
            "adcx {c}, {l}",
            "adox {c}, {l}",
            b = inout(reg) b.as_ptr() => _,
            t = inout(reg) t.as_mut_ptr() => _,
            inout("rcx") quads => _,
            in("rdx") m,
            c = out(reg) carry,
            d = out(reg) _,
            l = out(reg) _,
            options(nostack),
        );
    }
    carry
}

/// `a b / 2^(64 N)` before the last subtraction, and the bit above; `N` is a multiple of four.
#[target_feature(enable = "bmi2,adx")]
pub(super) fn mul<const N: usize>(
    n: &[u64; N],
    neg_inv: u64,
    a: &[u64; N],
    b: &[u64; N],
) -> ([u64; N], bool) {
    let mut t = [0; WIDE];
    for (i, &m) in b.iter().enumerate() {
        t[i + N] = add_row(&mut t[i..i + N], a, m);
    }
    reduce(&mut t, n, neg_inv)
}

/// `a^2 / 2^(64 N)` likewise.
#[target_feature(enable = "bmi2,adx")]
pub(super) fn square<const N: usize>(n: &[u64; N], neg_inv: u64, a: &[u64; N]) -> ([u64; N], bool) {
    let mut t = [0; WIDE];
    let mut padded = [0; MONT_MAX + QUAD];
    padded[..N].copy_from_slice(a);
    for (i, &m) in a.iter().enumerate().take(N - 1) {
        let len = (N - 1 - i).next_multiple_of(QUAD);
        let (row, above) = t[2 * i + 1..].split_at_mut(len);
        above[0] = add_row(row, &padded[i + 1..i + 1 + len], m);
    }
    limbs::double_and_add_squares(&mut t[..2 * N], a);
    reduce(&mut t, n, neg_inv)
}

/// `t / 2^(64 N)`.
#[inline]
#[target_feature(enable = "bmi2,adx")]
fn reduce<const N: usize>(t: &mut [u64; WIDE], n: &[u64; N], neg_inv: u64) -> ([u64; N], bool) {
    let mut carry = false;
    for i in 0..N {
        let m = t[i].wrapping_mul(neg_inv);
        let above = add_row(&mut t[i..i + N], n, m);
        (t[i + N], carry) = limbs::adc(t[i + N], above, carry);
    }
    let mut out = [0; N];
    out.copy_from_slice(&t[N..2 * N]);
    (out, carry)
}
