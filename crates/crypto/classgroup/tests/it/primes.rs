//! Primality, and residues modulo 256-bit primes.

use dashu_int::UBig;
use proptest::prelude::*;
use quil_classgroup::{Prime256, is_prime};

fn words(n: &UBig) -> Vec<u64> {
    n.as_words().to_vec()
}

fn mersenne(e: usize) -> UBig {
    (UBig::ONE << e) - UBig::ONE
}

#[test]
fn agrees_with_trial_division_below_a_bound() {
    let bound = 60_000usize;
    let mut composite = vec![false; bound];
    for i in 2..bound {
        assert_eq!(is_prime(&[i as u64]), !composite[i], "{i}");
        if !composite[i] {
            for j in (i * i..bound).step_by(i) {
                composite[j] = true;
            }
        }
    }
    for n in [&[][..], &[0], &[1], &[0, 0], &[1, 0]] {
        assert!(!is_prime(n));
    }
    assert!(is_prime(&[2, 0, 0]) && is_prime(&[3, 0]));
}

#[test]
fn known_pseudoprimes_are_composite() {
    // Strong to base 2; Carmichael; strong Lucas (Selfridge); Lucas; squares of Wieferich primes; base 2 to 31 and 37.
    let list = [
        2047u64,
        3277,
        4033,
        4681,
        8321,
        15841,
        29341,
        42799,
        561,
        1105,
        1729,
        2465,
        6601,
        8911,
        5459,
        5777,
        10877,
        16109,
        18971,
        22499,
        24569,
        25199,
        323,
        377,
        1159,
        1829,
        3827,
        1_194_649,
        12_327_121,
        3_215_031_751,
        3_474_749_660_383,
        341_550_071_728_321,
        3_825_123_056_546_413_051,
    ];
    for n in list {
        assert!(!is_prime(&[n]), "{n}");
    }
    // Arnault's composite that passes strong tests to every prime base below 200.
    let p: UBig = "29674495668685510550154174642905332730771991799853043350995075531276838753171770199594238596428121188033664754218345562493168782883".parse().unwrap();
    let n = &p
        * (UBig::from(313u32) * (&p - UBig::ONE) + UBig::ONE)
        * (UBig::from(353u32) * (&p - UBig::ONE) + UBig::ONE);
    assert!(is_prime(&words(&p)));
    assert!(!is_prime(&words(&n)));
}

#[test]
fn known_primes_of_every_width_are_prime() {
    for e in [13, 31, 61, 89, 107, 127, 521, 607, 1279] {
        assert!(is_prime(&words(&mersenne(e))), "2^{e} - 1");
    }
    for e in [29, 67, 101, 137, 257, 1009, 2047, 2048] {
        assert!(!is_prime(&words(&mersenne(e))), "2^{e} - 1");
    }
    let near = [
        (64, 59u32, true),
        (64, 57, false),
        (128, 159, true),
        (128, 161, false),
        (256, 189, true),
        (256, 187, false),
        (512, 569, true),
        (1024, 105, true),
        (1024, 107, false),
        (2048, 1_942_289, true),
        (2048, 1_942_291, false),
    ];
    for (e, k, prime) in near {
        assert_eq!(
            is_prime(&words(&((UBig::ONE << e) - UBig::from(k)))),
            prime,
            "2^{e} - {k}"
        );
    }
    assert!(!is_prime(&vec![u64::MAX; 33]), "beyond the supported width");
    assert!(
        !is_prime(&words(&mersenne(2203))),
        "prime, but beyond the supported width"
    );
}

#[test]
fn products_and_squares_of_primes_are_composite() {
    let primes = [
        mersenne(61),
        mersenne(127),
        mersenne(521),
        (UBig::ONE << 256usize) - UBig::from(189u32),
    ];
    for p in &primes {
        for q in &primes {
            assert!(!is_prime(&words(&(p * q))));
        }
    }
}

fn test_prime() -> Prime256 {
    let n = (UBig::ONE << 256usize) - UBig::from(189u32);
    Prime256::from_candidate(&n.to_be_bytes()[..].try_into().unwrap()).expect("prime")
}

proptest! {
    #[test]
    fn residues_match_the_oracle(t in any::<u64>(), s in any::<u64>(), bits in 0u32..=32) {
        let p = test_prime();
        let l = UBig::from_words(p.limbs());
        let slow = |t: u64| {
            let mut x = UBig::ONE;
            for i in (0..64).rev() {
                x = &x * &x % &l;
                if t >> i & 1 == 1 { x = (x << 1usize) % &l; }
            }
            x
        };
        let (a, b) = (p.pow2(t), p.pow2(s));
        prop_assert_eq!(UBig::from_words(a.limbs()), slow(t));
        prop_assert_eq!(UBig::from_words(p.mul(a, b).limbs()), slow(t) * slow(s) % &l);
        let (q, r) = p.shift_div(a, bits);
        let shifted = slow(t) << bits as usize;
        prop_assert_eq!(UBig::from(q), &shifted / &l);
        prop_assert_eq!(UBig::from_words(r.limbs()), &shifted % &l);
        prop_assert_eq!(p.is_upper_half(a), (slow(t) << 1usize) > l);
    }
}

#[test]
fn candidates_get_their_outer_bits_set() {
    let mut found = 0;
    for i in 0..600u32 {
        let mut bytes = [0; 32];
        bytes[28..].copy_from_slice(&i.to_be_bytes());
        if let Some(p) = Prime256::from_candidate(&bytes) {
            found += 1;
            assert_eq!(p.to_be_bytes()[0], 0x80);
            assert_eq!(p.to_be_bytes()[31] & 1, 1);
        }
    }
    assert!(found > 0);
}
