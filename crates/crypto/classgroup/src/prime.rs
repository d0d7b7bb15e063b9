//! Primality: trial division and the Baillie-PSW test (Baillie and Wagstaff 1980; Selfridge's parameters, strong Lucas).
//!
//! No composite that passes is known; below 2^64 there is none. Deterministic, variable time: candidates are public.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    reason = "arithmetic kernel: widths are constant, Lucas parameters are far below 2^31"
)]

use crate::{limbs, mont::Mont};

/// Odd primes of the trial division.
const SMALL: [u64; 53] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251,
];
/// Tries for a Lucas parameter. Each fails for a prime with probability one half, so running out means a square.
const LUCAS_TRIES: i64 = 4096;

/// Whether a number of at most 2048 bits is prime, by Baillie-PSW. Larger numbers are never reported prime.
#[must_use]
pub fn is_prime(n: &[u64]) -> bool {
    let n = &n[..limbs::significant(n)];
    if n.is_empty() || n[0] & 1 == 0 {
        return n == [2];
    }
    if n == [1] {
        return false;
    }
    for p in SMALL {
        if rem_small(n, p) == 0 {
            return n == [p];
        }
    }
    is_prime_untried(n)
}

/// [`is_prime`] without trial division, for odd candidates above 2 that have been sieved.
pub(crate) fn is_prime_untried(n: &[u64]) -> bool {
    match limbs::significant(n) {
        1 => baillie_psw::<1>(n),
        2..=4 => baillie_psw::<4>(n),
        5..=8 => baillie_psw::<8>(n),
        9..=16 => baillie_psw::<16>(n),
        17..=32 => baillie_psw::<32>(n),
        _ => false,
    }
}

/// `n mod d` for `0 < d < 2^32`.
pub(crate) fn rem_small(n: &[u64], d: u64) -> u64 {
    n.iter().rev().fold(0, |r, &l| {
        let r = (r << 32 | l >> 32) % d;
        (r << 32 | l & 0xffff_ffff) % d
    })
}

fn baillie_psw<const N: usize>(n: &[u64]) -> bool {
    Mont::<N>::new(n).is_some_and(|m| strong_base_two(&m) && strong_lucas(&m))
}

/// Strong probable prime to base 2.
fn strong_base_two<const N: usize>(m: &Mont<N>) -> bool {
    let mut d = m.n;
    d[0] &= !1;
    let s = limbs::trailing_zeros(&d);
    limbs::shr_assign(&mut d, s);
    let minus_one = m.neg(&m.one);
    let mut x = m.pow_two(&d);
    if x == m.one {
        return true;
    }
    for _ in 0..s {
        if x == minus_one {
            return true;
        }
        x = m.square(&x);
    }
    false
}

/// Strong Lucas probable prime with `P = 1`, `Q = (1 - D) / 4` and the first `D` of 5, -7, 9, -11, .. that is not a
/// square modulo `n`.
fn strong_lucas<const N: usize>(m: &Mont<N>) -> bool {
    let Some(d) = lucas_discriminant(&m.n) else {
        return false;
    };
    // n + 1 = 2^s k; the low s bits of n are ones.
    let s =
        m.n.iter()
            .position(|&l| l != u64::MAX)
            .map_or(N * limbs::BITS, |i| {
                i * limbs::BITS + m.n[i].trailing_ones() as usize
            });
    let mut k = m.n;
    limbs::shr_assign(&mut k, s);
    k[0] |= 1;
    let q = (1 - d) / 4;
    // (U, V, Q^i) at index i = 1.
    let (mut u, mut v, mut qk) = (m.one, m.one, Power::new(m, q));
    for i in (0..limbs::bit_len(&k) - 1).rev() {
        u = m.mul(&u, &v);
        v = m.sub(&m.square(&v), &qk.twice(m));
        qk.square(m);
        if limbs::bit(&k, i) {
            let du = m.times(&u, d);
            (u, v) = (m.half(&m.add(&u, &v)), m.half(&m.add(&du, &v)));
            qk.step(m);
        }
    }
    if u == [0; N] || v == [0; N] {
        return true;
    }
    for _ in 1..s {
        v = m.sub(&m.square(&v), &qk.twice(m));
        if v == [0; N] {
            return true;
        }
        qk.square(m);
    }
    false
}

/// A power of the small number `Q`; those of -1 are kept as a sign.
enum Power<const N: usize> {
    Sign(bool),
    Residue([u64; N], i64),
}

impl<const N: usize> Power<N> {
    fn new(m: &Mont<N>, q: i64) -> Self {
        if q == -1 {
            Self::Sign(true)
        } else {
            Self::Residue(m.small(q), q)
        }
    }

    fn square(&mut self, m: &Mont<N>) {
        match self {
            Self::Sign(minus) => *minus = false,
            Self::Residue(x, _) => *x = m.square(x),
        }
    }

    /// One power more.
    fn step(&mut self, m: &Mont<N>) {
        match self {
            Self::Sign(minus) => *minus = !*minus,
            Self::Residue(x, q) => *x = m.times(x, *q),
        }
    }

    fn twice(&self, m: &Mont<N>) -> [u64; N] {
        match self {
            Self::Sign(false) => m.add(&m.one, &m.one),
            Self::Sign(true) => m.neg(&m.add(&m.one, &m.one)),
            Self::Residue(x, _) => m.add(x, x),
        }
    }
}

fn lucas_discriminant(n: &[u64]) -> Option<i64> {
    for i in 0..LUCAS_TRIES {
        let magnitude = 5 + 2 * i;
        let d = if i % 2 == 0 { magnitude } else { -magnitude };
        match jacobi_small(d, n) {
            -1 => return Some(d),
            // A common factor: n is composite unless it is that factor.
            0 if rem_small(n, magnitude as u64) == 0 && n[0] != magnitude as u64 => return None,
            _ => {}
        }
    }
    None
}

/// Jacobi symbol of a small odd `d` over an odd `n`.
fn jacobi_small(d: i64, n: &[u64]) -> i32 {
    let m = d.unsigned_abs();
    let mut sign = 1;
    if d < 0 && n[0] & 3 == 3 {
        sign = -sign;
    }
    if m & 3 == 3 && n[0] & 3 == 3 {
        sign = -sign;
    }
    sign * jacobi(rem_small(n, m), m)
}

/// Jacobi symbol of `a` over an odd `n`.
fn jacobi(mut a: u64, mut n: u64) -> i32 {
    let mut sign = 1;
    a %= n;
    while a != 0 {
        let zeros = a.trailing_zeros();
        a >>= zeros;
        if zeros & 1 == 1 && matches!(n & 7, 3 | 5) {
            sign = -sign;
        }
        if a & 3 == 3 && n & 3 == 3 {
            sign = -sign;
        }
        (a, n) = (n % a, a);
    }
    if n == 1 { sign } else { 0 }
}

/// Smallest square root candidate: `r` with `r^2 = a` modulo the prime of `m` (Tonelli and Shanks), residues in
/// ordinary form. `None` when `a` is not a non-zero square.
pub(crate) fn sqrt<const N: usize>(m: &Mont<N>, a: &[u64; N]) -> Option<[u64; N]> {
    let a = m.enter(a);
    let mut d = m.n;
    d[0] &= !1;
    let mut half = d;
    limbs::shr_assign(&mut half, 1);
    if m.pow(&a, &half) != m.one {
        return None;
    }
    let s = limbs::trailing_zeros(&d);
    limbs::shr_assign(&mut d, s);
    let minus_one = m.neg(&m.one);
    let mut z = m.small(2);
    // Half of all residues are non-squares: the bound is never met for a prime.
    let non_square = (0..LUCAS_TRIES).any(|_| {
        let found = m.pow(&z, &half) == minus_one;
        if !found {
            z = m.add(&z, &m.one);
        }
        found
    });
    if !non_square {
        return None;
    }
    let mut c = m.pow(&z, &d);
    let mut t = m.pow(&a, &d);
    // r = a^((d + 1) / 2)
    limbs::shr_assign(&mut d, 1);
    let mut r = m.mul(&m.pow(&a, &d), &a);
    let mut order = s;
    while t != m.one {
        let (mut i, mut probe) = (0, t);
        while probe != m.one {
            probe = m.square(&probe);
            i += 1;
            if i == order {
                return None;
            }
        }
        let step = (i + 1..order).fold(c, |x, _| m.square(&x));
        r = m.mul(&r, &step);
        c = m.square(&step);
        t = m.mul(&t, &c);
        order = i;
    }
    (m.square(&r) == a).then(|| m.leave(&r))
}
