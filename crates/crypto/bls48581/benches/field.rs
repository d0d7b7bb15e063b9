//! Field arithmetic.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use quil_bls48581::{Fp, Fr};

fn fp(c: &mut Criterion) {
    let a = Fp::from_be_bytes_wide(&[0x5a; 105]);
    let b = Fp::from_be_bytes_wide(&[0xc3; 105]);
    let mut x = a;
    c.bench_function("bls48581::fp::add", |z| z.iter(|| x += black_box(b)));
    c.bench_function("bls48581::fp::mul", |z| z.iter(|| x *= black_box(b)));
    c.bench_function("bls48581::fp::square", |z| {
        z.iter(|| x = black_box(x).square())
    });
    c.bench_function("bls48581::fp::invert", |z| z.iter(|| black_box(a).invert()));
    c.bench_function("bls48581::fp::invert_vartime", |z| {
        z.iter(|| black_box(a).invert_vartime())
    });
    c.bench_function("bls48581::fp::is_square_vartime", |z| {
        z.iter(|| black_box(a).is_square_vartime())
    });
    c.bench_function("bls48581::fp::sqrt_vartime", |z| {
        z.iter(|| black_box(a.square()).sqrt_vartime())
    });
}

fn fr(c: &mut Criterion) {
    let a = Fr::from_be_bytes_wide(&[0x5a; 128]);
    let b = Fr::from_be_bytes_wide(&[0xc3; 128]);
    let mut x = a;
    c.bench_function("bls48581::fr::mul", |z| z.iter(|| x *= black_box(b)));
    c.bench_function("bls48581::fr::invert", |z| z.iter(|| black_box(a).invert()));
    c.bench_function("bls48581::fr::batch_invert/n=64", |z| {
        let v = vec![a; 64];
        z.iter(|| Fr::batch_invert(&mut black_box(v.clone())));
    });
}

criterion_group!(benches, fp, fr);
criterion_main!(benches);
