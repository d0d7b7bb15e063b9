//! Tower, pairing and verification.

use quil_workload::Workload;

use crate::{Fr, G1Projective, G2Projective, SecretKey, pairing, pairing::stages};

pub(super) fn rows() -> Vec<Workload> {
    let p = G1Projective::generator().mul(&Fr::from_u64(77)).to_affine();
    let q = G2Projective::generator().mul(&Fr::from_u64(78)).to_affine();
    let f = stages::miller(&p, &q);
    let m = stages::to_cyclotomic(&f);
    let mut rows = stages::tower_rows(&f, &m);
    rows.extend([
        // From two affine points: the lines of the second are part of the work.
        Workload::new("pairing.miller", move || stages::miller(&p, &q)),
        Workload::new("pairing.final_exp", move || stages::exponentiate(&f)),
        Workload::new("pairing.full", move || pairing(&p, &q)),
    ]);
    if let Ok(key) = SecretKey::from_seed(&[1; 32], b"") {
        let (public, signature) = (key.public_key(), key.sign(b"message"));
        rows.push(Workload::new("bls.verify", move || {
            public.verify(b"message", &signature)
        }));
    }
    rows
}
