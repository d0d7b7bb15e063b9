//! The vectors against plain code, on the same numbers.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

use super::*;
use crate::prime;

/// Sizes around every border of the kernel.
const SIZES: [usize; 12] = [
    256, 257, 383, 384, 512, 1000, 1024, 1216, 1217, 1536, 2047, 2048,
];

fn number(rng: &mut ChaCha20Rng, bits: usize) -> Vec<u64> {
    let mut n = vec![0; bits.div_ceil(64)];
    n.iter_mut().for_each(|l| *l = rng.next_u64());
    n[0] |= 1;
    sized(n, bits)
}

/// The low bits of a number, the highest of them set.
fn sized(mut n: Vec<u64>, bits: usize) -> Vec<u64> {
    let (last, top) = (n.len() - 1, (bits - 1) % 64);
    n[last] = n[last] & (u64::MAX >> (63 - top)) | 1 << top;
    n
}

/// The first probable prime from `n` on.
fn next_prime(mut n: Vec<u64>) -> Vec<u64> {
    while !prime::is_prime(&n) {
        limbs::add_assign(&mut n, &[2]);
    }
    n
}

fn product(x: &[u64], y: &[u64]) -> Vec<u64> {
    let mut out = vec![0; x.len() + y.len()];
    limbs::mul(&mut out, x, y);
    out
}

/// Runs both forms; returns how many numbers pass.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "call of a function that needs instructions detected at run time"
)]
fn agree(numbers: &[Vec<u64>; LANES]) -> u32 {
    let lanes: [&[u64]; LANES] = core::array::from_fn(|i| numbers[i].as_slice());
    let bits = common_bits(&lanes).expect("usable numbers");
    let plain = (0..LANES).fold(0, |m, i| m | u8::from(euler_one::<32>(lanes[i])) << i);
    if quil_simd::Features::of_machine().ifma {
        // SAFETY: the features were found on this machine.
        let got = unsafe { ifma::euler(&lanes, bits) };
        assert_eq!(got, plain, "{numbers:x?}");
    }
    plain.count_ones()
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_and_plain_code_agree_on_primes_and_composites_of_every_width() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for bits in SIZES {
        // One prime among composites, in every lane once over the sizes.
        let at = (rng.next_u64() % 8) as usize;
        let numbers = core::array::from_fn(|i| {
            let n = number(&mut rng, bits);
            if i == at && bits <= 1024 {
                next_prime(n)
            } else {
                n
            }
        });
        let passed = agree(&numbers);
        assert!(
            passed >= u32::from(bits <= 1024),
            "a prime passes at {bits} bits"
        );
    }
}

/// Moduli next to powers of two make the longest carries and the extreme quotients.
#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_and_plain_code_agree_on_extreme_numbers() {
    for bits in [256usize, 1024, 1216, 1217, 2048] {
        let len = bits.div_ceil(64);
        let ones = sized(vec![u64::MAX; len], bits);
        let mut sparse = sized([vec![1], vec![0; len - 1]].concat(), bits);
        let shapes: [Vec<u64>; LANES] = core::array::from_fn(|i| {
            let mut n = if i % 2 == 0 {
                ones.clone()
            } else {
                sparse.clone()
            };
            let at = (i * 37) % (len - 1) + 1;
            if i > 1 && at < len - 1 {
                n[at] = !n[at];
            }
            n
        });
        agree(&shapes);
        // 2^e + 1 and 2^e - 1 are pseudoprimes to base 2 when e is a prime or a power of two.
        limbs::add_assign(&mut sparse, &[2]);
        agree(&core::array::from_fn(|i| {
            if i < 4 { sparse.clone() } else { ones.clone() }
        }));
    }
}

/// Mersenne and Fermat numbers are composites that pass: the criterion alone decides nothing.
#[cfg(target_arch = "x86_64")]
#[test]
fn pseudoprimes_to_base_two_pass_in_both_forms_and_fail_the_full_test() {
    let fermat = [vec![1], vec![0; 7], vec![1]].concat();
    assert_eq!(agree(&core::array::from_fn(|_| fermat.clone())), 8);
    let mersenne = sized(vec![u64::MAX; 17], 1031);
    assert_eq!(agree(&core::array::from_fn(|_| mersenne.clone())), 8);
    assert!(!prime::is_prime_untried(&fermat) && !prime::is_prime_untried(&mersenne));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn products_of_two_primes_fail_in_both_forms() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    // The top two bits set keep all products at one size.
    let mut factor = || {
        let mut n = number(&mut rng, 512);
        n[7] |= 3 << 62;
        next_prime(n)
    };
    let p = factor();
    let numbers = core::array::from_fn(|_| product(&p, &factor()));
    assert_eq!(agree(&numbers), 0);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn unusable_numbers_are_left_to_the_full_test() {
    let odd = vec![1; 8];
    let lanes = |other: &'static [u64]| -> [&[u64]; LANES] {
        core::array::from_fn(|i| if i == 5 { other } else { &[1_u64; 8] as &[u64] })
    };
    assert!(common_bits(&core::array::from_fn(|_| odd.as_slice())).is_some());
    assert_eq!(common_bits(&lanes(&[2, 1, 1, 1, 1, 1, 1, 1])), None, "even");
    assert_eq!(
        common_bits(&lanes(&[1, 1, 1, 1, 1, 1, 1, 2])),
        None,
        "longer"
    );
    assert_eq!(common_bits(&lanes(&[])), None, "zero");
    assert_eq!(
        common_bits(&core::array::from_fn(|_| &[7_u64] as &[u64])),
        None,
        "short"
    );
    assert_eq!(
        common_bits(&core::array::from_fn(|_| &[1_u64; 33] as &[u64])),
        None,
        "long"
    );
}
