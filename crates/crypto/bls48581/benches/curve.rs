//! Group operations.
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "criterion macros; fixed sizes"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use quil_bls48581::{
    Dst, Fr, G1Affine, G1Projective, G2Affine, G2Projective, hash_to_g1, msm_vartime,
};

fn scalar(n: u64) -> Fr {
    Fr::from_u64(n + 2).pow_vartime(&[0x1234_5678_9abc_def1, n, 7])
}

fn g1(c: &mut Criterion) {
    let k = scalar(1);
    let p = G1Projective::generator().mul(&k);
    let q = p.double().double();
    let a = q.to_affine();
    let bytes = a.to_bytes();
    c.bench_function("bls48581::g1::add", |z| {
        z.iter(|| black_box(&p).add(black_box(&q)))
    });
    c.bench_function("bls48581::g1::add_mixed", |z| {
        z.iter(|| black_box(&p).add_mixed(black_box(&a)))
    });
    c.bench_function("bls48581::g1::double", |z| {
        z.iter(|| black_box(&p).double())
    });
    c.bench_function("bls48581::g1::mul", |z| {
        z.iter(|| black_box(&p).mul(black_box(&k)))
    });
    c.bench_function("bls48581::g1::mul_vartime", |z| {
        z.iter(|| black_box(&p).mul_vartime(black_box(&k)))
    });
    c.bench_function("bls48581::g1::is_in_subgroup", |z| {
        z.iter(|| black_box(&a).is_in_subgroup())
    });
    c.bench_function("bls48581::g1::from_bytes", |z| {
        z.iter(|| G1Affine::from_bytes(black_box(&bytes)))
    });
    c.bench_function("bls48581::g1::hash", |z| {
        z.iter(|| hash_to_g1(black_box(b"message"), Dst::SIGNATURE))
    });
}

fn g2(c: &mut Criterion) {
    let k = scalar(1);
    let p = G2Projective::generator().mul(&k);
    let q = p.double().double();
    let a = q.to_affine();
    let bytes = a.to_bytes();
    c.bench_function("bls48581::g2::add", |z| {
        z.iter(|| black_box(&p).add(black_box(&q)))
    });
    c.bench_function("bls48581::g2::add_mixed", |z| {
        z.iter(|| black_box(&p).add_mixed(black_box(&a)))
    });
    c.bench_function("bls48581::g2::double", |z| {
        z.iter(|| black_box(&p).double())
    });
    c.bench_function("bls48581::g2::mul", |z| {
        z.iter(|| black_box(&p).mul(black_box(&k)))
    });
    c.bench_function("bls48581::g2::mul_vartime", |z| {
        z.iter(|| black_box(&p).mul_vartime(black_box(&k)))
    });
    c.bench_function("bls48581::g2::is_in_subgroup", |z| {
        z.iter(|| black_box(&a).is_in_subgroup())
    });
    c.bench_function("bls48581::g2::from_bytes", |z| {
        z.iter(|| G2Affine::from_bytes(black_box(&bytes)))
    });
}

fn msm(c: &mut Criterion) {
    let mut p = G1Projective::generator();
    let points: Vec<_> = (0..1024)
        .map(|_| {
            p = p.double();
            p
        })
        .collect();
    let points = G1Projective::batch_to_affine(&points);
    let scalars: Vec<_> = (0..1024).map(scalar).collect();
    for n in [64, 256, 1024] {
        c.bench_function(&format!("bls48581::g1::msm_vartime/n={n}"), |z| {
            z.iter(|| msm_vartime(&points[..n], &scalars[..n]));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = g1, g2, msm
}
criterion_main!(benches);
