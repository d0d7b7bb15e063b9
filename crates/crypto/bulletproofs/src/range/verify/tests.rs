use std::sync::Arc;

use quil_decaf::SecretScalar;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::{Generators, Opening, RangeBits, range::inner::inner_product};

const TX: [u8; 32] = [1; 32];

fn suite(bits: RangeBits) -> RangeSuite {
    RangeSuite::new(b"range", bits, Arc::clone(Generators::standard()))
}

fn opening(amount: u64, rng: &mut ChaCha20Rng) -> Opening {
    Opening {
        amount,
        blinding: SecretScalar::random(rng),
    }
}

#[test]
fn out_of_range_value_fails() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let s = suite(RangeBits::Bits8);
    for amount in [256, 257, 1 << 16, u64::MAX] {
        let o = [opening(amount, &mut rng)];
        let p = RangeProof::prove_low_bits(&s, &TX, &o, &mut rng).unwrap();
        let v = [o[0].commit(Generators::standard())];
        assert_eq!(p.verify(&s, &TX, &v), Err(RangeError::Invalid));
        let low = opening(amount & 0xff, &mut rng);
        let low = [Opening {
            amount: low.amount,
            blinding: o[0].blinding.clone(),
        }
        .commit(Generators::standard())];
        assert_eq!(
            p.verify(&s, &TX, &low),
            Err(RangeError::Invalid),
            "the proof names its own commitment"
        );
    }
}

#[test]
fn one_value_out_of_range_among_many_fails() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let s = suite(RangeBits::Bits8);
    for bad in 0..4 {
        let o: Vec<_> = (0..4)
            .map(|i| opening(if i == bad { 256 } else { 7 }, &mut rng))
            .collect();
        let p = RangeProof::prove_low_bits(&s, &TX, &o, &mut rng).unwrap();
        let v: Vec<_> = o.iter().map(|o| o.commit(Generators::standard())).collect();
        assert_eq!(p.verify(&s, &TX, &v), Err(RangeError::Invalid));
    }
}

#[test]
fn low_bits_prover_is_the_honest_one_in_range() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let s = suite(RangeBits::Bits8);
    let o = [opening(255, &mut rng)];
    let p = RangeProof::prove_low_bits(&s, &TX, &o, &mut rng).unwrap();
    assert_eq!(
        p.verify(&s, &TX, &[o[0].commit(Generators::standard())]),
        Ok(())
    );
}

#[test]
fn fold_products_follow_the_bits_of_the_index() {
    let u: Vec<Scalar> = (2u64..6).map(Scalar::from).collect();
    let inv: Vec<Scalar> = u.iter().map(Scalar::invert).collect();
    let s = fold_products(&u, &inv);
    assert_eq!(s.len(), 16);
    for (i, s) in s.iter().enumerate() {
        let slow: Scalar = (0..4)
            .map(|r| {
                if (i >> (3 - r)) & 1 == 1 {
                    u[r]
                } else {
                    inv[r]
                }
            })
            .product();
        assert_eq!(*s, slow);
    }
}

/// A proof without the inner argument: what remains must hold between l, r and the folded scalars.
#[test]
fn powers_and_products_are_the_plain_sums() {
    let x = Scalar::from(3u64);
    assert_eq!(powers(x, 4), [1u64, 3, 9, 27].map(Scalar::from));
    assert_eq!(
        inner_product(&powers(x, 3), &powers(x, 3)),
        Scalar::from(91u64)
    );
    assert!(powers(x, 0).is_empty());
}

#[test]
fn weights_depend_on_every_part_of_the_batch() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let s = suite(RangeBits::Bits8);
    let o = [opening(1, &mut rng)];
    let v = [o[0].commit(Generators::standard())];
    let w = [opening(2, &mut rng).commit(Generators::standard())];
    let p = RangeProof::prove(&s, &TX, &o, &mut rng).unwrap();
    let q = RangeProof::prove(&s, &TX, &o, &mut rng).unwrap();
    let item = BatchItem {
        binding: &TX,
        commitments: &v,
        proof: &p,
    };
    let base = weights(&[item]).next_block();
    let others = [
        weights(&[BatchItem {
            binding: b"",
            ..item
        }])
        .next_block(),
        weights(&[BatchItem {
            commitments: &w,
            ..item
        }])
        .next_block(),
        weights(&[BatchItem { proof: &q, ..item }]).next_block(),
        weights(&[item, item]).next_block(),
    ];
    assert!(others.iter().all(|o| *o != base));
}
