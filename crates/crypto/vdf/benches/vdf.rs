//! Discriminants, proofs and their verification at the size of a network.

#![expect(clippy::expect_used, reason = "a bench may stop on a broken setup")]

use std::{cell::Cell, hint::black_box};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quil_vdf::{
    DISCRIMINANT_BITS, Discriminant, Evaluator, Form, Progress, base, derive_discriminant, verify,
};

const SQUARINGS: u64 = 100_000;

/// A seed per call: the time of one derivation varies by an order of magnitude, only the mean over many means something.
fn next_seed(counter: &Cell<u64>) -> [u8; 32] {
    counter.set(counter.get() + 1);
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&counter.get().to_le_bytes());
    seed
}

fn setup() -> (Discriminant, Form) {
    let d = Discriminant::derive(b"bench", DISCRIMINANT_BITS).expect("supported size");
    let x = base(&d, &[1; 32]).expect("a base");
    (d, x)
}

fn discriminant(c: &mut Criterion) {
    let counter = Cell::new(0);
    c.bench_function("vdf.discriminant_2048", |b| {
        b.iter(|| Discriminant::derive(&next_seed(&counter), DISCRIMINANT_BITS));
    });
    c.bench_function("vdf.discriminant_2048_parallel", |b| {
        b.iter(|| derive_discriminant(&next_seed(&counter), DISCRIMINANT_BITS));
    });
    let (d, _) = setup();
    c.bench_function("vdf.base_2048", |b| {
        b.iter(|| base(&d, &next_seed(&counter)));
    });
}

/// Squarings alone, and what the proof adds to them.
fn prove(c: &mut Criterion) {
    let (d, x) = setup();
    let mut group = c.benchmark_group("prove");
    group.sample_size(10);
    group.bench_function("vdf.squarings_100k", |b| {
        b.iter(|| black_box(&x).square_n(SQUARINGS));
    });
    let mut squared = Evaluator::new(&d, &x, SQUARINGS).expect("base of the group");
    while squared.output().is_none() {
        squared.step(SQUARINGS).expect("step");
    }
    group.bench_function("vdf.prove_overhead_100k", |b| {
        b.iter_batched(
            || squared.clone(),
            |mut e| while e.step(SQUARINGS).expect("step") != Progress::Done {},
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn verification(c: &mut Criterion) {
    let (d, x) = setup();
    let proof = quil_vdf::prove(&d, &x, 1000).expect("proof");
    let (y, pi) = proof.to_bytes();
    c.bench_function("vdf.verify_cached", |b| {
        b.iter(|| {
            let p = quil_vdf::VdfProof::from_bytes(&d, y.as_ref(), pi.as_ref()).expect("forms");
            verify(&d, &x, &p.y, &p.pi, 1000).expect("valid");
        });
    });
    let counter = Cell::new(0);
    let mut group = c.benchmark_group("new");
    group.sample_size(30);
    group.bench_function("vdf.verify_new", |b| {
        b.iter_batched(
            || {
                let seed = next_seed(&counter);
                let d = Discriminant::derive(&seed, DISCRIMINANT_BITS).expect("size");
                let x = base(&d, &[1; 32]).expect("a base");
                (seed, quil_vdf::prove(&d, &x, 300).expect("proof"))
            },
            |(seed, proof)| {
                let d = Discriminant::derive(&seed, DISCRIMINANT_BITS).expect("size");
                let x = base(&d, &[1; 32]).expect("a base");
                proof.verify(&d, &x, 300).expect("valid");
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, discriminant, prove, verification);
criterion_main!(benches);
