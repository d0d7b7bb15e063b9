//! Discriminants from seeds and from configuration.

use dashu_int::UBig;
use quil_classgroup::{BITS_MAX, BITS_MIN, Candidate, Discriminant, DiscriminantError, is_prime};
use sha2::{Digest, Sha256};

use crate::twin::abs;

#[test]
fn every_size_is_prime_and_7_mod_8_and_exact() {
    for bits in (BITS_MIN..=130).chain([255, 256, 257, 511, 777, 1023]) {
        for seed in 0..3u8 {
            let d = Discriminant::derive(&[seed], bits).expect("a discriminant");
            let bytes = d.to_be_bytes();
            assert_eq!(bytes[bytes.len() - 1] & 7, 7);
            assert_eq!(abs(&d).bit_len(), bits);
            assert_eq!(d.bits(), bits);
            assert_eq!(
                Discriminant::from_be_bytes(&bytes),
                Ok(d),
                "passes every test"
            );
        }
    }
}

trait BitLen {
    fn bit_len(&self) -> usize;
}
impl BitLen for UBig {
    fn bit_len(&self) -> usize {
        dashu_int::ops::BitTest::bit_len(self)
    }
}

/// The search from its definition: no sieve, no residue list kept.
fn slow(seed: &[u8], bits: usize) -> UBig {
    let step = 8 * 3 * 5 * 7 * 11 * 13u64;
    let residues: Vec<u64> = (0..step)
        .filter(|r| r % 8 == 7 && [3, 5, 7, 11, 13].iter().all(|p| r % p != 0))
        .collect();
    assert_eq!(residues.len(), 5760);
    let len = bits.div_ceil(8) + 2;
    let mut blob = Vec::new();
    for i in 0u16.. {
        if blob.len() >= len {
            break;
        }
        blob.extend(Sha256::digest([seed, &i.to_be_bytes()].concat()));
    }
    let (n, e) = blob[..len].split_at(len - 2);
    let mut n = UBig::from_be_bytes(n) >> ((8 - bits % 8) % 8);
    n |= UBig::ONE << (bits - 1);
    let excess = &n % UBig::from(step);
    let e = usize::from(u16::from_be_bytes([e[0], e[1]]));
    n = n - excess + UBig::from(residues[e % 5760]);
    while !is_prime(n.as_words()) {
        n += UBig::from(step);
    }
    n
}

#[test]
fn search_finds_the_first_prime_of_the_progression() {
    for bits in [40, 47, 48, 64, 100, 128, 200, 256, 400] {
        for seed in [
            &b"a"[..],
            b"",
            b"a longer seed, which the expansion takes as it is",
        ] {
            let d = Discriminant::derive(seed, bits).expect("a discriminant");
            assert_eq!(abs(&d), slow(seed, bits), "{bits} bits");
        }
    }
}

/// Whoever tests the candidates, the first prime decides; a list without a prime leads to the next one.
#[test]
fn candidates_may_be_tested_by_the_caller() {
    for bits in [40, 128, 256, 512, 1024, 2048] {
        let mut lists = 0;
        let one_by_one = Discriminant::derive_with(b"c", bits, |list| {
            lists += 1;
            (0..list.len()).find(|&i| list[i].is_prime())
        });
        assert_eq!(one_by_one, Discriminant::derive(b"c", bits));
        assert_eq!(lists, 1);
    }
    let mut lists = 0;
    let none = Discriminant::derive_with(b"c", 64, |_| {
        lists += 1;
        None
    });
    assert_eq!(none, Err(DiscriminantError::Exhausted));
    assert_eq!(lists, 64, "the search is bounded");
    let wrong = Discriminant::derive_with(b"c", 64, |list| Some(list.len()));
    assert_eq!(
        wrong,
        Err(DiscriminantError::Exhausted),
        "positions outside are none"
    );
}

/// Lists of every length, so that groups of candidates are full and partly full, with primes anywhere and nowhere.
#[test]
fn first_prime_of_a_list_is_the_one_found_one_by_one() {
    Discriminant::derive_with(b"lists", 384, |list| {
        let tests: Vec<bool> = list.iter().map(Candidate::is_prime).collect();
        assert!(tests.iter().filter(|p| **p).count() >= 3);
        for start in (0..list.len()).step_by(29) {
            for len in 0..list.len().min(start + 40) - start {
                let expected = tests[start..start + len].iter().position(|p| *p);
                assert_eq!(Candidate::first_prime(&list[start..start + len]), expected);
            }
        }
        Some(0)
    })
    .expect("a position");
}

#[test]
fn unsupported_sizes_are_errors() {
    for bits in [0, 1, BITS_MIN - 1, BITS_MAX + 1, 4096, usize::MAX] {
        assert_eq!(
            Discriminant::derive(b"x", bits),
            Err(DiscriminantError::Bits {
                bits,
                min: BITS_MIN,
                max: BITS_MAX
            })
        );
    }
}

#[test]
fn configured_values_are_tested() {
    let ok = Discriminant::derive(b"x", 64).expect("a discriminant");
    let bytes = ok.to_be_bytes();
    let add = |k: i64| {
        let v = i128::from(u64::from_be_bytes(bytes.clone().try_into().unwrap())) + i128::from(k);
        Discriminant::from_be_bytes(&u64::try_from(v).unwrap().to_be_bytes())
    };
    assert_eq!(add(0), Ok(ok));
    assert_eq!(add(2), Err(DiscriminantError::Residue));
    assert_eq!(add(4), Err(DiscriminantError::Residue));
    assert!((1..20).any(|k| add(8 * k) == Err(DiscriminantError::NotPrime)));
    let padded = [&[0][..], &bytes].concat();
    assert_eq!(
        Discriminant::from_be_bytes(&padded),
        Err(DiscriminantError::LeadingZero)
    );
    for bad in [&[][..], &[7], &[0x7f; 3], &[0xff; 257], &[0xff; 5000]] {
        let got = Discriminant::from_be_bytes(bad);
        assert!(
            matches!(got, Err(DiscriminantError::Bits { .. })),
            "{got:?}"
        );
    }
}

#[test]
fn seeds_and_sizes_give_unrelated_values() {
    let mut all: Vec<Vec<u8>> = (0..50u8)
        .flat_map(|s| [(s, 64), (s, 65), (s, 72)])
        .map(|(s, bits)| {
            Discriminant::derive(&[s], bits)
                .expect("size")
                .to_be_bytes()
        })
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 150);
}
