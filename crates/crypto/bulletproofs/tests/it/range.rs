use std::sync::Arc;

use quil_bulletproofs::{
    BatchItem, Commitment, Generators, Opening, RangeBits, RangeError, RangeProof, RangeSuite,
    batch_verify,
    limits::{BATCH_MAX, RANGE_PROOF_BYTES_MAX, VALUES_MAX},
};
use quil_decaf::{Point, Scalar, SecretScalar};

use crate::support::{TX, commit, openings, rng};

fn suite() -> &'static RangeSuite {
    RangeSuite::standard()
}

fn bits8() -> RangeSuite {
    RangeSuite::new(
        b"range",
        RangeBits::Bits8,
        Arc::clone(Generators::standard()),
    )
}

fn honest(amounts: &[u64], seed: u64) -> (RangeProof, Vec<Commitment>) {
    let o = openings(amounts, seed);
    let p = RangeProof::prove(suite(), &TX, &o, &mut rng(seed + 1000)).expect("in range");
    (p, commit(&o))
}

#[test]
fn honest_proofs_of_every_size_verify() {
    for m in [1, 2, 3, 4, 5, 7, 8, 16] {
        let amounts: Vec<u64> = (0..m)
            .map(|i| [0, 1, u64::MAX, 1 << 63, 12_345][i % 5])
            .collect();
        let (p, v) = honest(&amounts, m as u64);
        assert_eq!(p.verify(suite(), &TX, &v), Ok(()), "m = {m}");
        let bytes = p.to_bytes();
        assert_eq!(Some(bytes.len()), suite().proof_bytes(m));
        let back = RangeProof::from_bytes(&bytes).expect("own encoding");
        assert_eq!(back.to_bytes(), bytes);
        assert_eq!(back.verify(suite(), &TX, &v), Ok(()));
    }
}

#[test]
fn narrow_suites_prove_their_own_range() {
    for (bits, max) in [
        (RangeBits::Bits8, 255),
        (RangeBits::Bits16, 65_535),
        (RangeBits::Bits32, u64::from(u32::MAX)),
    ] {
        let s = RangeSuite::new(b"range", bits, Arc::clone(Generators::standard()));
        let o = openings(&[max, 0], 4);
        let p = RangeProof::prove(&s, &TX, &o, &mut rng(5)).expect("in range");
        assert_eq!(p.verify(&s, &TX, &commit(&o)), Ok(()));
        let too_large = openings(&[max + 1], 6);
        assert_eq!(
            RangeProof::prove(&s, &TX, &too_large, &mut rng(7)).err(),
            Some(RangeError::OutOfRange)
        );
    }
}

#[test]
fn proof_bound_to_transaction_label_and_generators() {
    let (p, v) = honest(&[5], 10);
    let mut tx = TX;
    tx[31] ^= 1;
    assert_eq!(p.verify(suite(), &tx, &v), Err(RangeError::Invalid));
    assert_eq!(p.verify(suite(), b"", &v), Err(RangeError::Invalid));
    let label = RangeSuite::new(
        b"rangf",
        RangeBits::Bits64,
        Arc::clone(Generators::standard()),
    );
    assert_eq!(p.verify(&label, &TX, &v), Err(RangeError::Invalid));
    let g = Generators::new(&Point::generator(), &Point::hash_to("other", b""), |_| {
        (
            core::array::from_fn(|i| Point::hash_to("g", &[i as u8])),
            core::array::from_fn(|i| Point::hash_to("h", &[i as u8])),
        )
    });
    let other = RangeSuite::new(b"range", RangeBits::Bits64, Arc::new(g));
    assert_eq!(p.verify(&other, &TX, &v), Err(RangeError::Invalid));
}

#[test]
fn proof_bound_to_commitments_and_their_order() {
    let (p, v) = honest(&[5, 6], 11);
    assert_eq!(
        p.verify(suite(), &TX, &[v[1], v[0]]),
        Err(RangeError::Invalid),
        "swapped"
    );
    assert_eq!(
        p.verify(suite(), &TX, &[v[0], v[0]]),
        Err(RangeError::Invalid),
        "repeated"
    );
    let shifted = Commitment::from_point(*v[0].point() + Point::generator());
    assert_eq!(
        p.verify(suite(), &TX, &[shifted, v[1]]),
        Err(RangeError::Invalid),
        "other amount"
    );
    let reblinded =
        Commitment::from_point(*v[0].point() + *Generators::standard().blinding().point());
    assert_eq!(
        p.verify(suite(), &TX, &[reblinded, v[1]]),
        Err(RangeError::Invalid),
        "wrong blinding"
    );
    assert_eq!(
        p.verify(suite(), &TX, &v[..1]),
        Err(RangeError::Rounds),
        "fewer"
    );
    assert_eq!(
        p.verify(suite(), &TX, &[v[0], v[1], v[0]]),
        Err(RangeError::Rounds),
        "more"
    );
}

#[test]
fn proof_of_another_width_rejected() {
    let (p, v) = honest(&[5], 12);
    assert_eq!(p.verify(&bits8(), &TX, &v), Err(RangeError::Rounds));
    // Same number of rounds: 2 values of 32 bits against 1 of 64.
    let s32 = RangeSuite::new(
        b"range",
        RangeBits::Bits32,
        Arc::clone(Generators::standard()),
    );
    assert_eq!(p.verify(&s32, &TX, &[v[0], v[0]]), Err(RangeError::Invalid));
}

#[test]
fn negative_amount_has_no_proof() {
    // C = -1 G + b H: the low 64 bits of the order minus one do not help.
    let mut r = rng(13);
    let g = Generators::standard();
    let b = Scalar::random(&mut r);
    let c = Commitment::from_point(g.value().mul(&-Scalar::ONE) + g.blinding().mul(&b));
    for amount in [u64::MAX, 0, 1] {
        let o = Opening {
            amount,
            blinding: SecretScalar::new(b),
        };
        let p = RangeProof::prove(suite(), &TX, &[o], &mut r).expect("in range");
        assert_eq!(p.verify(suite(), &TX, &[c]), Err(RangeError::Invalid));
    }
}

#[test]
fn every_flipped_bit_of_a_proof_fails() {
    let s = bits8();
    let o = openings(&[200], 14);
    let v = commit(&o);
    let bytes = RangeProof::prove(&s, &TX, &o, &mut rng(15))
        .expect("in range")
        .to_bytes();
    assert!(RangeProof::from_bytes(&bytes).is_ok_and(|p| p.verify(&s, &TX, &v).is_ok()));
    let mut decoded = 0;
    for i in 0..8 * bytes.len() {
        let mut m = bytes.clone();
        m[i / 8] ^= 1 << (i % 8);
        if let Ok(p) = RangeProof::from_bytes(&m) {
            decoded += 1;
            assert_eq!(p.verify(&s, &TX, &v), Err(RangeError::Invalid), "bit {i}");
        }
    }
    assert!(
        decoded > 5 * 440,
        "changed scalars decode: the equation must reject them"
    );
}

#[test]
fn every_flipped_byte_of_a_wide_proof_fails() {
    let (p, v) = honest(&[1, u64::MAX], 63);
    let bytes = p.to_bytes();
    for i in (0..bytes.len()).step_by(3) {
        let mut m = bytes.clone();
        m[i] = !m[i];
        if let Ok(p) = RangeProof::from_bytes(&m) {
            assert_eq!(
                p.verify(suite(), &TX, &v),
                Err(RangeError::Invalid),
                "byte {i}"
            );
        }
    }
}

#[test]
fn lengths_of_no_proof_rejected() {
    let (p, _) = honest(&[1], 16);
    let bytes = p.to_bytes();
    for len in [0, 55, 56, bytes.len() - 56, bytes.len() - 1] {
        assert_eq!(
            RangeProof::from_bytes(&bytes[..len]).err(),
            Some(RangeError::Length { len })
        );
    }
    let mut long = bytes;
    long.push(0);
    assert!(matches!(
        RangeProof::from_bytes(&long),
        Err(RangeError::Length { .. })
    ));
    let huge = vec![0; RANGE_PROOF_BYTES_MAX + 112];
    assert!(matches!(
        RangeProof::from_bytes(&huge),
        Err(RangeError::Length { .. })
    ));
    // The length of a proof with one more round: the last scalars stand where points belong.
    long.extend_from_slice(&[0; 111]);
    assert_eq!(RangeProof::from_bytes(&long).err(), Some(RangeError::Point));
}

/// The group order, little-endian.
fn order() -> [u8; 56] {
    let mut b = (-Scalar::ONE).to_bytes();
    b[0] += 1;
    b
}

#[test]
fn scalars_above_the_order_rejected() {
    let bytes = honest(&[1], 17).0.to_bytes();
    let n = bytes.len() / 56;
    for slot in [4, 5, 6, n - 2, n - 1] {
        let mut m = bytes.clone();
        let s: [u8; 56] = m[slot * 56..][..56].try_into().expect("56 bytes");
        // s + l: the other representation of the same residue
        let mut carry = 0;
        for (i, (a, b)) in s.iter().zip(order()).enumerate() {
            let sum = u16::from(*a) + u16::from(b) + carry;
            m[slot * 56 + i] = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(
            RangeProof::from_bytes(&m).err(),
            Some(RangeError::Scalar),
            "slot {slot}"
        );
    }
}

#[test]
fn non_canonical_and_identity_points_rejected() {
    let bytes = honest(&[1], 18).0.to_bytes();
    for slot in [0, 1, 2, 3, 7, 18] {
        for bad in [[0u8; 56], [0xff; 56], [1; 56]] {
            let mut m = bytes.clone();
            m[slot * 56..][..56].copy_from_slice(&bad);
            assert_eq!(
                RangeProof::from_bytes(&m).err(),
                Some(RangeError::Point),
                "slot {slot}"
            );
        }
    }
}

#[test]
fn second_encodings_of_points_rejected() {
    let bytes = honest(&[1], 64).0.to_bytes();
    let n = bytes.len() / 56;
    for slot in (0..n - 2).filter(|i| !(4..7).contains(i)) {
        let mut m = bytes.clone();
        // p - s: ~s - 2^224, which names the same point with the other sign.
        let mut borrow = 0;
        for i in 0..56 {
            let less = i16::from(!bytes[slot * 56 + i]) - i16::from(i == 28) - borrow;
            m[slot * 56 + i] = less.rem_euclid(256) as u8;
            borrow = i16::from(less < 0);
        }
        assert_eq!(
            RangeProof::from_bytes(&m).err(),
            Some(RangeError::Point),
            "slot {slot}"
        );
    }
}

#[test]
fn scalar_bound_is_the_order() {
    let bytes = honest(&[1], 65).0.to_bytes();
    let n = bytes.len() / 56;
    for slot in [4, 5, 6, n - 2, n - 1] {
        let mut m = bytes.clone();
        m[slot * 56..][..56].copy_from_slice(&order());
        assert_eq!(RangeProof::from_bytes(&m).err(), Some(RangeError::Scalar));
        m[slot * 56] -= 1;
        assert!(RangeProof::from_bytes(&m).is_ok(), "order minus one");
    }
}

#[test]
fn first_bad_element_names_the_error() {
    let bytes = honest(&[1], 66).0.to_bytes();
    let n = bytes.len() / 56;
    let with = |slots: &[usize]| {
        let mut m = bytes.clone();
        for slot in slots {
            m[slot * 56..][..56].fill(0xff);
        }
        RangeProof::from_bytes(&m).err()
    };
    assert_eq!(with(&[3, 4]), Some(RangeError::Point));
    assert_eq!(with(&[4, 7]), Some(RangeError::Scalar));
    assert_eq!(with(&[7, n - 1]), Some(RangeError::Point));
    assert_eq!(with(&[n - 1]), Some(RangeError::Scalar));
}

/// What proofs consist of must not depend on how they are computed.
#[test]
fn proofs_of_recorded_randomness_have_recorded_bytes() {
    for (m, want) in [
        (
            1u64,
            "6d71070466e59f337eec60a97e5b28a1fb15e4ed2c75920d4903ce52eea7dd7b",
        ),
        (
            2,
            "b7166890293ccaf31be2c74c24351b1a3bd73eaef1b6845c4cb84a38e15da569",
        ),
        (
            3,
            "119ae093a97364f2c792c95ea80439597800ca6fce87788ab113ce133e8688c5",
        ),
        (
            16,
            "dd820c66647adb487d66203180e2b6c2251d8923c5961f61b3e1ac3a0f6fefd4",
        ),
    ] {
        let mut r = rng(2026 + m);
        let o: Vec<_> = (0..m)
            .map(|i| Opening {
                amount: (1_000_003 * i) | (i << 60),
                blinding: SecretScalar::random(&mut r),
            })
            .collect();
        let p = RangeProof::prove(suite(), &[7; 32], &o, &mut r).expect("in range");
        let digest = Scalar::hash("proof", &[&p.to_bytes()]).to_bytes();
        assert_eq!(hex::encode(&digest[..32]), want, "{m} values");
    }
}

#[test]
fn identity_commitment_rejected() {
    let (p, v) = honest(&[5, 6, 7], 19);
    let o = Commitment::from_point(Point::IDENTITY);
    assert_eq!(
        p.verify(suite(), &TX, &[v[0], v[1], v[2], o]),
        Err(RangeError::IdentityCommitment)
    );
    assert!(Commitment::from_bytes(&[0; 56]).is_err());
    let zero = Opening {
        amount: 0,
        blinding: SecretScalar::new(Scalar::ZERO),
    };
    assert_eq!(
        RangeProof::prove(suite(), &TX, &[zero], &mut rng(20)).err(),
        Some(RangeError::IdentityCommitment)
    );
}

#[test]
fn padding_cannot_smuggle_a_value() {
    // A proof for three values says nothing about a fourth commitment.
    let (p, v) = honest(&[5, 6, 7], 21);
    let fourth = commit(&openings(&[u64::MAX], 22))[0];
    assert_eq!(
        p.verify(suite(), &TX, &[v[0], v[1], v[2], fourth]),
        Err(RangeError::Invalid)
    );
    // A proof for four values does not verify for the first three.
    let (p, v) = honest(&[5, 6, 7, 8], 23);
    assert_eq!(p.verify(suite(), &TX, &v[..3]), Err(RangeError::Invalid));
    // An opening of zero in the fourth place is a value of its own, not padding.
    let (p, v) = honest(&[5, 6, 7, 0], 24);
    assert_eq!(p.verify(suite(), &TX, &v), Ok(()));
    assert_eq!(p.verify(suite(), &TX, &v[..3]), Err(RangeError::Invalid));
}

#[test]
fn counts_bounded() {
    let (p, v) = honest(&[5], 25);
    assert_eq!(
        p.verify(suite(), &TX, &[]),
        Err(RangeError::Count { got: 0 })
    );
    let many = vec![v[0]; VALUES_MAX + 1];
    assert_eq!(
        p.verify(suite(), &TX, &many),
        Err(RangeError::Count { got: 17 })
    );
    assert_eq!(
        RangeProof::prove(suite(), &TX, &[], &mut rng(1)).err(),
        Some(RangeError::Count { got: 0 })
    );
    let o = openings(&[1; VALUES_MAX + 1], 26);
    assert_eq!(
        RangeProof::prove(suite(), &TX, &o, &mut rng(1)).err(),
        Some(RangeError::Count { got: 17 })
    );
    assert_eq!(
        (suite().proof_bytes(0), suite().proof_bytes(17)),
        (None, None)
    );
    let item = BatchItem {
        binding: &TX,
        commitments: &v,
        proof: &p,
    };
    let got = BATCH_MAX + 1;
    assert_eq!(
        batch_verify(suite(), &vec![item; got]),
        Err(RangeError::BatchSize { got })
    );
}

#[test]
fn batch_of_mixed_sizes_verifies() {
    let proofs: Vec<_> = [&[1u64][..], &[2, 3], &[4, 5, 6], &[7; 8], &[9]]
        .iter()
        .enumerate()
        .map(|(i, a)| honest(a, 30 + i as u64))
        .collect();
    let items: Vec<_> = proofs
        .iter()
        .map(|(proof, v)| BatchItem {
            binding: &TX,
            commitments: v,
            proof,
        })
        .collect();
    assert_eq!(batch_verify(suite(), &items), Ok(()));
    assert_eq!(batch_verify(suite(), &[]), Ok(()));
    assert_eq!(
        batch_verify(suite(), &[items[0], items[0]]),
        Ok(()),
        "repeated"
    );
}

#[test]
fn batch_with_one_bad_proof_fails_wherever_it_is() {
    let proofs: Vec<_> = (0..4).map(|i| honest(&[i], 40 + i)).collect();
    let other = [8u8; 32];
    for bad in 0..4 {
        let items: Vec<_> = proofs
            .iter()
            .enumerate()
            .map(|(i, (proof, v))| BatchItem {
                binding: if i == bad { &other } else { &TX },
                commitments: v,
                proof,
            })
            .collect();
        assert_eq!(batch_verify(suite(), &items), Err(RangeError::Invalid));
    }
    let (p, v) = (&proofs[0].0, &proofs[1].1);
    let swapped = [
        BatchItem {
            binding: &TX,
            commitments: v,
            proof: p,
        },
        BatchItem {
            binding: &TX,
            commitments: &proofs[0].1,
            proof: &proofs[1].0,
        },
    ];
    assert_eq!(
        batch_verify(suite(), &swapped),
        Err(RangeError::Invalid),
        "errors of two proofs do not cancel"
    );
}

#[test]
fn opposite_errors_do_not_cancel_in_a_batch() {
    // Two commitments shifted by +G and -G: a sum with equal weights would accept.
    let (p, v) = honest(&[5], 50);
    let (q, w) = honest(&[6], 51);
    let up = [Commitment::from_point(*v[0].point() + Point::generator())];
    let down = [Commitment::from_point(*w[0].point() - Point::generator())];
    let items = [
        BatchItem {
            binding: &TX,
            commitments: &up,
            proof: &p,
        },
        BatchItem {
            binding: &TX,
            commitments: &down,
            proof: &q,
        },
    ];
    assert_eq!(batch_verify(suite(), &items), Err(RangeError::Invalid));
}

#[test]
fn proofs_are_randomised_and_reproducible() {
    let o = openings(&[5], 60);
    let prove = |seed| {
        RangeProof::prove(suite(), &TX, &o, &mut rng(seed))
            .expect("in range")
            .to_bytes()
    };
    assert_eq!(prove(1), prove(1));
    assert_ne!(prove(1), prove(2));
}

#[test]
fn equal_randomness_for_another_statement_shares_no_blinding() {
    // The first point A would repeat if blindings came from the generator alone and the bits were equal.
    let o = openings(&[5], 61);
    let prove = |tx: &[u8], o: &[Opening]| {
        RangeProof::prove(suite(), tx, o, &mut rng(1))
            .expect("in range")
            .to_bytes()
    };
    let (a, b) = (prove(&TX, &o), prove(&[9; 32], &o));
    assert_ne!(a[..56], b[..56]);
    assert_ne!(a[56..112], b[56..112]);
    let other = openings(&[5], 62);
    assert_ne!(prove(&TX, &other)[..56], a[..56]);
}

#[test]
fn secrets_print_nothing() {
    let o = openings(&[123_456_789], 63);
    assert_eq!(format!("{:?}", o[0]), "Opening(..)");
}
