use quil_bls48581::{Fp, Fr, G1Affine, G1Projective};
use quil_kzg::{Commitment, DOMAIN_SIZE, Kzg, Slot, Witness};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) type Slots = [Slot; DOMAIN_SIZE];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// `filled` random slots, the rest empty.
pub(crate) fn slots(seed: u64, filled: usize) -> Slots {
    let mut rng = rng(seed);
    let mut out = [[0; 64]; DOMAIN_SIZE];
    for slot in out.iter_mut().take(filled) {
        rng.fill_bytes(slot);
    }
    out
}

pub(crate) fn commit(kzg: &Kzg, slots: &Slots) -> Commitment {
    Commitment::from(&kzg.commit_slots(slots))
}

pub(crate) fn witnesses<'a>(kzg: &Kzg, vectors: &'a [Slots]) -> Vec<Witness<'a>> {
    vectors
        .iter()
        .enumerate()
        .map(|(k, slots)| Witness {
            commitment: commit(kzg, slots),
            slots,
            index: u8::try_from((k * 7 + 3) % DOMAIN_SIZE).unwrap(),
        })
        .collect()
}

/// A point of order three: on the curve, outside the prime-order subgroup.
pub(crate) fn order_three() -> G1Affine {
    let mut bytes = [0; 74];
    bytes[0] = 2;
    let p = G1Affine::from_bytes(&bytes).unwrap();
    assert!(!p.is_in_subgroup() && !p.is_identity());
    p
}

/// The point (-1, 0) of order two.
pub(crate) fn order_two() -> G1Affine {
    let mut bytes = [0; 74];
    bytes[0] = 2;
    bytes[1..].copy_from_slice(&(-Fp::ONE).to_be_bytes());
    let p = G1Affine::from_bytes(&bytes).unwrap();
    assert!(G1Projective::from_affine(&p).double().is_identity());
    p
}

pub(crate) fn shifted(c: &Commitment, by: &G1Affine) -> Commitment {
    Commitment::from(&G1Projective::from_affine(&c.point().unwrap()).add_mixed(by))
}

pub(crate) fn identity() -> Commitment {
    Commitment::from_point(&G1Affine::identity())
}

pub(crate) fn random_point(seed: u64) -> Commitment {
    let mut wide = [0; 64];
    rng(seed).fill_bytes(&mut wide);
    Commitment::from(&G1Projective::generator().mul_vartime(&Fr::from_be_bytes_wide(&wide)))
}
