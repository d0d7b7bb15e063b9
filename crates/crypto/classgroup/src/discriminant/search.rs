//! The search for the prime of a discriminant: seed expansion, sieve, tests.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: primes and window positions are far below 2^32"
)]

use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::{
    discriminant::BITS_MAX,
    euler,
    int::{FULL, Nat},
    limbs, prime,
};

/// The step of the progression.
const STEP: u64 = 8 * 3 * 5 * 7 * 11 * 13;
/// Residues modulo [`STEP`] that are 7 modulo 8 and coprime to the other primes.
const RESIDUES: usize = 2 * 4 * 6 * 10 * 12;
/// Primes up to here are sieved out. At 2048 bits one more doubling would save 1 test of 20 for as much time.
const SIEVE_BOUND: usize = 1 << 20;
/// Candidates per sieve window: at 2048 bits one in 272 is prime.
const WINDOW: usize = 2048;
/// Windows tried before the search gives up; at 2048 bits the chance to need even ten is below 10^-32.
const WINDOWS_MAX: usize = 64;
/// Batches whose remainders are computed together.
const GROUP: usize = 8;

/// A number of the progression without small factors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Candidate(Nat<FULL>);

impl Candidate {
    /// Whether it is prime: the expensive part of a derivation, about two milliseconds at 2048 bits.
    #[must_use]
    pub fn is_prime(&self) -> bool {
        prime::is_prime_untried(self.0.as_limbs())
    }

    /// The position of the first prime of a list.
    ///
    /// Looks at [`Self::TOGETHER`] candidates at a time where the machine has vectors for it: a condition that primes
    /// satisfy drops nearly all composites, and whatever is left takes the full test.
    #[must_use]
    pub fn first_prime(list: &[Self]) -> Option<usize> {
        list.chunks(Self::TOGETHER)
            .zip((0..).step_by(Self::TOGETHER))
            .find_map(|(part, start)| Some(start + first_of_few(part)?))
    }

    /// Candidates whose tests share their cost in [`Self::first_prime`].
    pub const TOGETHER: usize = euler::LANES;
}

/// [`Candidate::first_prime`] of at most [`Candidate::TOGETHER`].
fn first_of_few(part: &[Candidate]) -> Option<usize> {
    let last = part.last()?;
    // Short lists are filled up with a member: what its copies say is never looked at.
    let lanes = core::array::from_fn(|i| part.get(i).unwrap_or(last).0.as_limbs());
    let likely = if part.len() == 1 {
        None
    } else {
        euler::euler_eight(&lanes)
    };
    part.iter()
        .enumerate()
        .position(|(i, c)| likely.is_none_or(|mask| mask >> i & 1 == 1) && c.is_prime())
}

impl core::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Candidate({} bits)", self.0.bits())
    }
}

/// The first prime of the progression that `seed` selects, of exactly `bits` bits; `first_prime` finds the position of
/// the first prime in a list.
pub(super) fn run(
    seed: &[u8],
    bits: usize,
    mut first_prime: impl FnMut(&[Candidate]) -> Option<usize>,
) -> Option<Nat<FULL>> {
    let mut n = start(seed, bits);
    for _ in 0..WINDOWS_MAX {
        let composite = sieve(&n);
        let mut candidates = Vec::with_capacity(WINDOW / 4);
        for (k, _) in composite.iter().enumerate().filter(|(_, c)| !**c) {
            let mut candidate = n;
            add_steps(&mut candidate, k as u64);
            candidates.push(Candidate(Nat::from_limbs(&candidate)));
        }
        if let Some(Candidate(p)) = first_prime(&candidates).and_then(|i| candidates.get(i)) {
            return (p.bits() == bits).then_some(*p);
        }
        add_steps(&mut n, WINDOW as u64);
        if limbs::bit_len(&n) != bits {
            return None;
        }
    }
    None
}

fn add_steps(n: &mut [u64; FULL], k: u64) {
    limbs::add_assign(n, &[k * STEP]);
}

/// The first number of the progression.
fn start(seed: &[u8], bits: usize) -> [u64; FULL] {
    let len = bits.div_ceil(8) + 2;
    let mut blob = Vec::with_capacity(len + 32);
    let mut counter = 0u16;
    while blob.len() < len {
        let block = Sha256::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        blob.extend_from_slice(&block);
        counter += 1;
    }
    let (body, choice) = blob[..len].split_at(len - 2);
    let mut n = [0; FULL];
    limbs::from_be(&mut n, body);
    limbs::shr_assign(&mut n, (8 - bits % 8) % 8);
    n[(bits - 1) / 64] |= 1 << ((bits - 1) % 64);
    let excess = prime::rem_small(&n, STEP);
    limbs::sub_assign(&mut n, &[excess]);
    let choice = usize::from(choice[0]) << 8 | usize::from(choice[1]);
    limbs::add_assign(&mut n, &[residue(choice % RESIDUES)]);
    n
}

/// The residue at a position of the increasing list.
fn residue(position: usize) -> u64 {
    (7..STEP)
        .step_by(8)
        .filter(|r| [3, 5, 7, 11, 13].iter().all(|p| r % p != 0))
        .nth(position)
        .unwrap_or(7)
}

/// Products of three primes, so that one pass over the limbs yields three remainders.
struct Batch {
    /// The product, and its inverse modulo `2^64`.
    modulus: u64,
    inverse: u64,
    primes: [u32; 3],
    /// `2^(64 PASS) / STEP` modulo each prime.
    factors: [u32; 3],
}

/// Limbs of a pass: what the largest size needs, zeros included, so that the power of two in the remainders is constant.
const PASS: usize = BITS_MAX / limbs::BITS;

fn batches() -> &'static [Batch] {
    static BATCHES: OnceLock<Vec<Batch>> = OnceLock::new();
    BATCHES.get_or_init(|| {
        let mut composite = vec![false; SIEVE_BOUND + 1];
        let mut primes = Vec::new();
        for p in 2..=SIEVE_BOUND {
            if composite[p] {
                continue;
            }
            (p * p..=SIEVE_BOUND)
                .step_by(p)
                .for_each(|i| composite[i] = true);
            if p > 13 {
                primes.push(p as u32);
            }
        }
        primes.chunks_exact(3).map(Batch::new).collect()
    })
}

impl Batch {
    fn new(primes: &[u32]) -> Self {
        let modulus = primes.iter().fold(1, |x, &p| x * u64::from(p));
        let factor = |p: u64| {
            let power = pow(2, (PASS * limbs::BITS) as u64, p);
            (power * pow(STEP % p, p - 2, p) % p) as u32
        };
        Self {
            modulus,
            inverse: limbs::inv_limb(modulus),
            primes: core::array::from_fn(|i| primes[i]),
            factors: core::array::from_fn(|i| factor(u64::from(primes[i]))),
        }
    }
}

/// `base^e` modulo a number below `2^32`.
fn pow(base: u64, mut e: u64, p: u64) -> u64 {
    let (mut base, mut x) = (base % p, 1);
    while e > 0 {
        if e & 1 == 1 {
            x = x * base % p;
        }
        base = base * base % p;
        e >>= 1;
    }
    x
}

/// Marks the positions `k` of a window for which `n + k STEP` has a small factor.
///
/// A pass divides by `2^64` once per limb (Montgomery's reduction): what it leaves is `-n 2^(-64 PASS)`, which wants no
/// comparison whose outcome is a coin toss.
fn sieve(n: &[u64; FULL]) -> [bool; WINDOW] {
    let mut composite = [false; WINDOW];
    for group in batches().chunks(GROUP) {
        // Independent remainders hide the latency of the multiplications.
        let mut r = [0; GROUP];
        for &limb in &n[..PASS] {
            for (r, b) in r.iter_mut().zip(group) {
                let (t, borrow) = limb.overflowing_sub(*r);
                let q = t.wrapping_mul(b.inverse);
                *r = high(q, b.modulus).wrapping_add(u64::from(borrow));
            }
        }
        for (&r, b) in r.iter().zip(group) {
            for (&p, &factor) in b.primes.iter().zip(&b.factors) {
                let p = u64::from(p);
                let first = (r % p) * u64::from(factor) % p;
                (first as usize..WINDOW)
                    .step_by(p as usize)
                    .for_each(|k| composite[k] = true);
            }
        }
    }
    composite
}

/// Upper half of a product.
const fn high(x: u64, y: u64) -> u64 {
    ((x as u128).wrapping_mul(y as u128) >> 64) as u64
}
