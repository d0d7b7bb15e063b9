//! Pairings.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use quil_bls48581::{
    Fr, G1Affine, G1Projective, G2Affine, G2Prepared, multi_pairing, pairing_product_is_one,
};

fn pairings(c: &mut Criterion) {
    let p = G1Projective::generator().mul(&Fr::from_u64(77)).to_affine();
    let q = G2Affine::generator();
    let lines = G2Prepared::from(&q);
    let minus = p.neg();
    c.bench_function("bls48581::pairing::prepare", |z| {
        z.iter(|| G2Prepared::from(black_box(&q)))
    });
    c.bench_function("bls48581::pairing::multi/n=1", |z| {
        z.iter(|| multi_pairing(black_box(&[(&p, &lines)])))
    });
    c.bench_function("bls48581::pairing::product_is_one/n=2", |z| {
        z.iter(|| pairing_product_is_one(black_box(&[(&p, &lines), (&minus, &lines)])));
    });
    let many: Vec<(&G1Affine, &G2Prepared)> = vec![(&p, &lines); 16];
    c.bench_function("bls48581::pairing::multi/n=16", |z| {
        z.iter(|| multi_pairing(black_box(&many)))
    });
    let e = multi_pairing(&[(&p, &lines)]);
    let k = Fr::from_be_bytes_wide(&[0x5a; 64]);
    c.bench_function("bls48581::gt::pow_vartime", |z| {
        z.iter(|| black_box(&e).pow_vartime(&k))
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = pairings
}
criterion_main!(benches);
