use quil_bls48581::{Fr, G1Affine};
use quil_kzg::{Commitment, Kzg, OpeningError, slot_scalar};

use crate::support::{commit, identity, order_three, random_point, shifted, slots};

#[test]
fn every_slot_opens_and_only_to_its_value() {
    let kzg = Kzg::insecure_shared();
    let v = slots(1, 64);
    let c = commit(&kzg, &v);
    for i in [0u8, 1, 31, 32, 63] {
        let proof = kzg.open_single(&v, i).unwrap();
        let value = v[usize::from(i)];
        assert_eq!(kzg.verifier().verify_single(&c, i, &value, &proof), Ok(()));
        let mut bent = value;
        bent[63] ^= 1;
        assert_eq!(
            kzg.verifier().verify_single(&c, i, &bent, &proof),
            Err(OpeningError::Rejected)
        );
        assert_eq!(
            kzg.verifier()
                .verify_single(&c, (i + 1) % 64, &value, &proof),
            Err(OpeningError::Rejected)
        );
        assert_eq!(
            kzg.verifier()
                .verify_single(&random_point(9), i, &value, &proof),
            Err(OpeningError::Rejected)
        );
    }
}

#[test]
fn zero_vector_and_constant_vector_use_the_identity() {
    let kzg = Kzg::insecure_shared();
    let zero = slots(0, 0);
    assert_eq!(commit(&kzg, &zero), identity());
    let proof = kzg.open_single(&zero, 5).unwrap();
    assert_eq!(proof, identity());
    assert_eq!(
        kzg.verifier()
            .verify_single(&identity(), 5, &[0; 64], &proof),
        Ok(())
    );
    assert_eq!(
        kzg.verifier()
            .verify_single(&identity(), 5, &[1; 64], &proof),
        Err(OpeningError::Rejected)
    );
    let constant = [[7; 64]; 64];
    let proof = kzg.open_single(&constant, 5).unwrap();
    assert_eq!(proof, identity());
    assert_eq!(
        kzg.verifier()
            .verify_single(&commit(&kzg, &constant), 9, &[7; 64], &proof),
        Ok(())
    );
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    let kzg = Kzg::insecure_shared();
    let v = slots(2, 64);
    let (c, proof) = (commit(&kzg, &v), kzg.open_single(&v, 3).unwrap());
    let check = |c: &Commitment, p: &Commitment| kzg.verifier().verify_single(c, 3, &v[3], p);
    assert_eq!(
        check(&shifted(&c, &order_three()), &proof),
        Err(OpeningError::CommitmentSubgroup)
    );
    assert_eq!(
        check(&c, &shifted(&proof, &order_three())),
        Err(OpeningError::Proof)
    );
    assert_eq!(
        check(&Commitment::from_bytes([0xff; 74]), &proof),
        Err(OpeningError::CommitmentEncoding(0))
    );
    assert_eq!(
        check(&c, &Commitment::from_bytes([0xff; 74])),
        Err(OpeningError::Proof)
    );
}

#[test]
fn index_outside_the_domain_is_refused() {
    let kzg = Kzg::insecure_shared();
    let v = slots(2, 2);
    assert_eq!(kzg.open_single(&v, 64), Err(OpeningError::Index(0)));
    assert_eq!(
        kzg.verifier()
            .verify_single(&commit(&kzg, &v), 64, &v[0], &identity()),
        Err(OpeningError::Index(0))
    );
}

#[test]
fn commitment_is_linear() {
    let kzg = Kzg::insecure_shared();
    let (a, b) = (
        slots(3, 64).map(|s| slot_scalar(&s)),
        slots(4, 64).map(|s| slot_scalar(&s)),
    );
    let k = Fr::from_u64(77);
    let combined: [Fr; 64] = core::array::from_fn(|i| a[i] * k + b[i]);
    assert_eq!(
        kzg.commit(&combined),
        kzg.commit(&a).mul_vartime(&k).add(&kzg.commit(&b))
    );
}

#[test]
fn deltas_equal_full_commitments() {
    let kzg = Kzg::insecure_shared();
    let mut v = slots(5, 40);
    let mut c: G1Affine = kzg.commit_slots(&v).to_affine();
    let fresh = slots(6, 64);
    for (step, i) in [0u8, 39, 40, 63, 0, 12].into_iter().enumerate() {
        // The last step empties a slot again.
        let new = if step == 5 {
            [0; 64]
        } else {
            fresh[usize::from(i)]
        };
        c = kzg.update(&c, i, &v[usize::from(i)], &new).to_affine();
        v[usize::from(i)] = new;
        assert_eq!(c, kzg.commit_slots(&v).to_affine(), "step {step}");
    }
    let terms: Vec<(u8, Fr)> = (0..64u8)
        .map(|i| (i, slot_scalar(&v[usize::from(i)])))
        .collect();
    assert_eq!(kzg.commit_sparse(&terms).to_affine(), c);
    assert_eq!(kzg.commit_sparse(&[]).to_affine(), G1Affine::identity());
}
