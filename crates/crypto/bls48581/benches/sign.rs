//! Signatures.
#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "criterion macros; fixed sizes"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use quil_bls48581::{
    PublicKey, SecretKey, Signature, verify_aggregate, verify_aggregate_same_message, verify_batch,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn single(c: &mut Criterion) {
    let sk = SecretKey::from_seed(&[1; 32], b"").expect("seed");
    let key = sk.public_key();
    let prepared = key.prepare();
    let sig = sk.sign(b"message");
    c.bench_function("bls48581::sign::public_key", |z| z.iter(|| sk.public_key()));
    c.bench_function("bls48581::sign::sign", |z| {
        z.iter(|| sk.sign(black_box(b"message")))
    });
    c.bench_function("bls48581::sign::verify", |z| {
        z.iter(|| key.verify(black_box(b"message"), &sig))
    });
    c.bench_function("bls48581::sign::verify_prepared", |z| {
        z.iter(|| prepared.verify(black_box(b"message"), &sig))
    });
    let bytes = sig.to_bytes();
    c.bench_function("bls48581::sign::decode_signature", |z| {
        z.iter(|| Signature::from_bytes(black_box(&bytes)))
    });
    let bytes = key.to_bytes();
    c.bench_function("bls48581::sign::decode_key", |z| {
        z.iter(|| PublicKey::from_bytes(black_box(&bytes)))
    });
}

fn many(c: &mut Criterion) {
    let secrets: Vec<_> = (0..100u8)
        .map(|i| SecretKey::from_seed(&[i; 32], b"").expect("seed"))
        .collect();
    let keys: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
    let sigs: Vec<_> = secrets.iter().map(|s| s.sign(b"message")).collect();
    for n in [10, 100] {
        let sum = Signature::aggregate(&sigs[..n]).expect("sum");
        c.bench_function(
            &format!("bls48581::sign::verify_aggregate_same_message/n={n}"),
            |z| {
                z.iter(|| verify_aggregate_same_message(&keys[..n], b"message", &sum));
            },
        );
    }
    let entries: Vec<_> = keys[..10]
        .iter()
        .map(|k| (k, b"message".as_slice()))
        .collect();
    let sum = Signature::aggregate(&sigs[..10]).expect("sum");
    c.bench_function("bls48581::sign::verify_aggregate/n=10", |z| {
        z.iter(|| verify_aggregate(&entries, &sum))
    });
    let triples: Vec<_> = keys
        .iter()
        .zip(&sigs)
        .map(|(k, s)| (k, b"message".as_slice(), s))
        .collect();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for n in [10, 100] {
        c.bench_function(&format!("bls48581::sign::verify_batch/n={n}"), |z| {
            z.iter(|| verify_batch(&triples[..n], &mut rng));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = single, many
}
criterion_main!(benches);
