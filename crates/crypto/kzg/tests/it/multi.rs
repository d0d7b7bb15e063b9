use quil_bls48581::{Fr, G1Affine, G1Projective};
use quil_kzg::{
    Commitment, Kzg, MultiProof, OPENINGS_MAX, Opening, OpeningError, Srs, slot_scalar,
};
use quil_types::Canonical;

use crate::support::{
    Slots, commit, identity, order_three, order_two, random_point, shifted, slots, witnesses,
};

fn sample(m: u64) -> (std::sync::Arc<Kzg>, Vec<Opening>, MultiProof) {
    let kzg = Kzg::insecure_shared();
    let vectors: Vec<Slots> = (0..m)
        .map(|k| slots(100 + k, 2 + usize::try_from(k * 5).unwrap() % 63))
        .collect();
    let (openings, proof) = kzg.open_multi(&witnesses(&kzg, &vectors)).unwrap();
    (kzg, openings, proof)
}

#[test]
fn openings_of_every_size_verify() {
    for m in [1, 2, 16, 64] {
        let (kzg, openings, proof) = sample(m);
        assert_eq!(
            kzg.verifier().verify_multi(&openings, &proof),
            Ok(()),
            "m = {m}"
        );
    }
}

#[test]
fn one_vector_at_many_points_and_many_vectors_at_one_point() {
    let kzg = Kzg::insecure_shared();
    let v = slots(1, 64);
    let c = commit(&kzg, &v);
    let all: Vec<_> = (0..64)
        .map(|index| quil_kzg::Witness {
            commitment: c,
            slots: &v,
            index,
        })
        .collect();
    let (openings, proof) = kzg.open_multi(&all).unwrap();
    assert_eq!(kzg.verifier().verify_multi(&openings, &proof), Ok(()));
    let vectors: Vec<Slots> = (0..5).map(|k| slots(k, 64)).collect();
    let same: Vec<_> = witnesses(&kzg, &vectors)
        .into_iter()
        .map(|w| quil_kzg::Witness { index: 9, ..w })
        .collect();
    let (openings, proof) = kzg.open_multi(&same).unwrap();
    assert_eq!(kzg.verifier().verify_multi(&openings, &proof), Ok(()));
}

#[test]
fn proof_bound_to_every_commitment_index_and_value() {
    let (kzg, openings, proof) = sample(3);
    let reject = |o: &[Opening]| {
        assert_eq!(
            kzg.verifier().verify_multi(o, &proof),
            Err(OpeningError::Rejected)
        )
    };
    for k in 0..openings.len() {
        let mut o = openings.clone();
        o[k].commitment = random_point(k as u64);
        reject(&o);
        let mut o = openings.clone();
        o[k].index = (o[k].index + 1) % 64;
        reject(&o);
        for byte in [0, 31, 63] {
            let mut o = openings.clone();
            o[k].value[byte] ^= 1;
            reject(&o);
        }
    }
    let mut o = openings.clone();
    o.swap(0, 1);
    reject(&o);
    reject(&openings[..2]);
    let mut o = openings.clone();
    o.push(openings[0]);
    reject(&o);
}

#[test]
fn proof_bound_to_quotient_and_final_opening() {
    let (kzg, openings, proof) = sample(2);
    let check = |p: &MultiProof| kzg.verifier().verify_multi(&openings, p);
    let other = random_point(5);
    assert_eq!(
        check(&MultiProof {
            quotient: other,
            ..proof
        }),
        Err(OpeningError::Rejected)
    );
    assert_eq!(
        check(&MultiProof {
            proof: other,
            ..proof
        }),
        Err(OpeningError::Rejected)
    );
    assert_eq!(
        check(&MultiProof {
            quotient: identity(),
            ..proof
        }),
        Err(OpeningError::Rejected)
    );
    assert_eq!(
        check(&MultiProof {
            proof: identity(),
            ..proof
        }),
        Err(OpeningError::Rejected)
    );
    assert_eq!(
        check(&MultiProof {
            quotient: proof.proof,
            proof: proof.quotient
        }),
        Err(OpeningError::Rejected)
    );
}

/// The evaluation point depends on the statement: a quotient fixed first, with values computed to fit the point
/// it would give alone, is rejected for the values as for any others.
#[test]
fn values_cannot_be_chosen_after_the_quotient() {
    let kzg = Kzg::insecure_shared();
    let tau = Srs::insecure_tau(1);
    let vectors = [slots(1, 64), slots(2, 64)];
    let (openings, proof) = kzg.open_multi(&witnesses(&kzg, &vectors)).unwrap();
    // Even who knows tau and can open D - E at one chosen point must fit the transcript's point.
    let mut bent = openings.clone();
    bent[0].value = vectors[0][0];
    let y = slot_scalar(&bent[0].value) - slot_scalar(&openings[0].value);
    let fix =
        G1Projective::generator().mul_vartime(&(y * (tau - Fr::from_u64(3)).invert().unwrap()));
    let forged = MultiProof {
        quotient: shifted(&proof.quotient, &fix.to_affine()),
        ..proof
    };
    assert_eq!(
        kzg.verifier().verify_multi(&bent, &forged),
        Err(OpeningError::Rejected)
    );
}

#[test]
fn constant_vectors_have_identity_quotient_and_proof() {
    let kzg = Kzg::insecure_shared();
    let vectors = [[[3; 64]; 64], [[4; 64]; 64]];
    let (openings, proof) = kzg.open_multi(&witnesses(&kzg, &vectors)).unwrap();
    assert_eq!((proof.quotient, proof.proof), (identity(), identity()));
    assert_eq!(kzg.verifier().verify_multi(&openings, &proof), Ok(()));
}

#[test]
fn identity_commitment_is_refused() {
    let (kzg, mut openings, proof) = sample(3);
    openings[1].commitment = identity();
    assert_eq!(
        kzg.verifier().verify_multi(&openings, &proof),
        Err(OpeningError::CommitmentIdentity(1))
    );
}

#[test]
fn quotient_and_proof_outside_the_subgroup_are_refused() {
    let (kzg, openings, proof) = sample(2);
    let bent = |c: &Commitment| shifted(c, &order_three());
    let check = |p: MultiProof| kzg.verifier().verify_multi(&openings, &p);
    assert_eq!(
        check(MultiProof {
            quotient: bent(&proof.quotient),
            ..proof
        }),
        Err(OpeningError::Quotient)
    );
    assert_eq!(
        check(MultiProof {
            proof: bent(&proof.proof),
            ..proof
        }),
        Err(OpeningError::Proof)
    );
    let broken = Commitment::from_bytes([9; 74]);
    assert_eq!(
        check(MultiProof {
            quotient: broken,
            ..proof
        }),
        Err(OpeningError::Quotient)
    );
    assert_eq!(
        check(MultiProof {
            proof: broken,
            ..proof
        }),
        Err(OpeningError::Proof)
    );
}

#[test]
fn first_undecodable_commitment_is_named() {
    let (kzg, mut openings, proof) = sample(4);
    openings[3].commitment = Commitment::from_bytes([1; 74]);
    openings[2].commitment = Commitment::from_bytes([0xff; 74]);
    assert_eq!(
        kzg.verifier().verify_multi(&openings, &proof),
        Err(OpeningError::CommitmentEncoding(2))
    );
}

#[test]
fn counts_and_indices_are_bounded() {
    let (kzg, openings, proof) = sample(2);
    assert_eq!(
        kzg.verifier().verify_multi(&[], &proof),
        Err(OpeningError::Empty)
    );
    assert_eq!(kzg.open_multi(&[]).err(), Some(OpeningError::Empty));
    let many = vec![openings[0]; OPENINGS_MAX + 1];
    assert_eq!(
        kzg.verifier().verify_multi(&many, &proof),
        Err(OpeningError::TooMany(129))
    );
    let v = slots(1, 3);
    let c = commit(&kzg, &v);
    let w = quil_kzg::Witness {
        commitment: c,
        slots: &v,
        index: 2,
    };
    assert_eq!(
        kzg.open_multi(&vec![w; OPENINGS_MAX + 1]).err(),
        Some(OpeningError::TooMany(129))
    );
    let (full, at_limit) = kzg.open_multi(&vec![w; OPENINGS_MAX]).unwrap();
    assert_eq!(kzg.verifier().verify_multi(&full, &at_limit), Ok(()));
    assert_eq!(
        kzg.open_multi(&[w, quil_kzg::Witness { index: 64, ..w }])
            .err(),
        Some(OpeningError::Index(1))
    );
    let mut o = openings;
    o[1].index = 64;
    assert_eq!(
        kzg.verifier().verify_multi(&o, &proof),
        Err(OpeningError::Index(1))
    );
}

#[test]
fn batch_accepts_good_proofs_and_names_the_bad_one() {
    let (kzg, a, pa) = sample(2);
    let (_, b, pb) = sample(3);
    let verifier = kzg.verifier();
    assert_eq!(verifier.verify_multi_batch(&[]), Ok(()));
    assert_eq!(verifier.verify_multi_batch(&[(&a, &pa), (&b, &pb)]), Ok(()));
    assert_eq!(
        verifier.verify_multi_batch(&[(&a, &pa), (&b, &pa)]),
        Err((1, OpeningError::Rejected))
    );
    assert_eq!(
        verifier.verify_multi_batch(&[(&[], &pa), (&b, &pb)]),
        Err((0, OpeningError::Empty))
    );
}

#[test]
fn encoding_is_148_bytes_and_any_changed_byte_is_rejected() {
    let (kzg, openings, proof) = sample(1);
    let bytes = proof.encode();
    assert_eq!(bytes.len(), 148);
    assert_eq!(MultiProof::decode(&bytes, 148), Ok(proof));
    for i in (0..bytes.len()).step_by(3).chain([73, 74, 147]) {
        let mut bent = bytes.clone();
        bent[i] ^= 0x10;
        let p = MultiProof::decode(&bent, 148).unwrap();
        assert!(
            kzg.verifier().verify_multi(&openings, &p).is_err(),
            "byte {i}"
        );
    }
    assert!(MultiProof::decode(&bytes[..147], 148).is_err());
}

/// Points of small order, alone or added to a commitment, open nothing: not even with identities as proof.
#[test]
fn path_commitment_of_small_order_opens_nothing() {
    let (kzg, openings, proof) = sample(3);
    let nothing = MultiProof {
        quotient: identity(),
        proof: identity(),
    };
    for small in [order_two(), order_three()] {
        let alone = Commitment::from_point(&small);
        for bent in [alone, shifted(&openings[1].commitment, &small)] {
            let mut o = openings.clone();
            o[1].commitment = bent;
            for p in [&proof, &nothing] {
                assert_eq!(
                    kzg.verifier().verify_multi(&o, p),
                    Err(OpeningError::Rejected)
                );
            }
            let one = [Opening {
                value: [1; 64],
                ..o[1]
            }];
            assert_eq!(
                kzg.verifier().verify_multi(&one, &nothing),
                Err(OpeningError::Rejected)
            );
        }
    }
}

/// What a commitment has outside the subgroup does not count: the honest proof over the shifted bytes verifies.
#[test]
fn cofactor_part_of_a_commitment_is_ignored() {
    let kzg = Kzg::insecure_shared();
    let vectors = [slots(1, 64), slots(2, 3)];
    for small in [order_two(), order_three()] {
        let mut w = witnesses(&kzg, &vectors);
        w[0].commitment = shifted(&w[0].commitment, &small);
        let (openings, proof) = kzg.open_multi(&w).unwrap();
        assert_eq!(kzg.verifier().verify_multi(&openings, &proof), Ok(()));
    }
}

#[test]
fn shifted_path_commitment_changes_the_transcript() {
    // Commitments need no subgroup test, but their bytes are bound: another encoding is another statement.
    let (kzg, mut openings, proof) = sample(2);
    openings[0].commitment = shifted(&openings[0].commitment, &order_three());
    assert_eq!(
        kzg.verifier().verify_multi(&openings, &proof),
        Err(OpeningError::Rejected)
    );
    assert_ne!(openings[0].commitment.point(), Some(G1Affine::identity()));
}
