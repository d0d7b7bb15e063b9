//! Timings of proofs, single thread.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "fixed sizes, known-good inputs"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use quil_bulletproofs::{
    BatchItem, Commitment, Generators, Opening, RangeProof, RangeSuite, batch_verify,
    excess::{ExcessProof, PublicAmounts, excess},
    stealth::{Position, Recipient, ViewKey},
};
use quil_decaf::SecretScalar;
use quil_types::Digest;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const TX: [u8; 32] = [7; 32];

fn openings(m: u64, rng: &mut ChaCha20Rng) -> Vec<Opening> {
    let opening = |i| Opening {
        amount: 1_000_003 * (i + 1),
        blinding: SecretScalar::random(rng),
    };
    (0..m).map(opening).collect()
}

fn commit(openings: &[Opening]) -> Vec<Commitment> {
    openings
        .iter()
        .map(|o| o.commit(Generators::standard()))
        .collect()
}

fn range(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let suite = RangeSuite::standard();
    let mut g = c.benchmark_group("range");
    g.sample_size(10);
    for m in [1, 2, 4, 8, 16] {
        let o = openings(m, &mut rng);
        let v = commit(&o);
        let bytes = RangeProof::prove(suite, &TX, &o, &mut rng)
            .expect("in range")
            .to_bytes();
        g.bench_function(BenchmarkId::new("prove", m), |b| {
            b.iter(|| RangeProof::prove(suite, &TX, &o, &mut rng))
        });
        // From bytes: decoding belongs to the cost of a check.
        g.bench_function(BenchmarkId::new("verify", m), |b| {
            b.iter(|| {
                RangeProof::from_bytes(&bytes)
                    .expect("own encoding")
                    .verify(suite, &TX, &v)
                    .expect("valid")
            });
        });
    }
    for count in [10, 100] {
        let all: Vec<_> = (0..count)
            .map(|_| {
                let o = openings(1, &mut rng);
                (
                    commit(&o),
                    RangeProof::prove(suite, &TX, &o, &mut rng)
                        .expect("in range")
                        .to_bytes(),
                )
            })
            .collect();
        g.bench_function(BenchmarkId::new("batch_verify", count), |b| {
            b.iter(|| {
                let proofs: Vec<_> = all
                    .iter()
                    .map(|(_, p)| RangeProof::from_bytes(p).expect("own encoding"))
                    .collect();
                let items: Vec<_> = all
                    .iter()
                    .zip(&proofs)
                    .map(|((v, _), proof)| BatchItem {
                        binding: &TX,
                        commitments: v,
                        proof,
                    })
                    .collect();
                batch_verify(suite, &items).expect("valid");
            });
        });
    }
    g.finish();
}

fn sums(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let g = Generators::standard();
    let (ins, mut outs) = (openings(2, &mut rng), openings(2, &mut rng));
    outs[1].amount -= 9;
    let public = PublicAmounts {
        fee: 9,
        ..PublicAmounts::default()
    };
    let points = |o: &[Opening]| -> Vec<_> { commit(o).iter().map(|c| *c.point()).collect() };
    let (pi, po) = (points(&ins), points(&outs));
    let blindings =
        |o: &[Opening]| -> Vec<SecretScalar> { o.iter().map(|o| o.blinding.clone()).collect() };
    let (bi, bo) = (blindings(&ins), blindings(&outs));
    let proof = ExcessProof::prove(g, &bi, &bo, &TX, &mut rng);
    c.bench_function("excess/prove", |b| {
        b.iter(|| ExcessProof::prove(g, &bi, &bo, &TX, &mut rng))
    });
    c.bench_function("excess/verify_2_in_2_out", |b| {
        b.iter(|| {
            proof
                .verify(g, &excess(g, &pi, &po, public), &TX)
                .expect("balanced")
        });
    });
}

fn stealth(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let g = Generators::standard();
    let (view, spend) = (
        SecretScalar::random(&mut rng),
        SecretScalar::random(&mut rng).public(),
    );
    let key = ViewKey::new(view, spend);
    let other = ViewKey::new(SecretScalar::random(&mut rng), spend);
    let recipient: Recipient = key.recipient().expect("not the identity");
    let at = Position {
        rho: Digest(TX),
        index: 0,
    };
    let (output, _) = recipient.pay(g, 5, at, &mut rng);
    c.bench_function("stealth/pay", |b| {
        b.iter(|| recipient.pay(g, 5, at, &mut rng))
    });
    c.bench_function("stealth/scan_own", |b| b.iter(|| key.scan(g, &output, at)));
    c.bench_function("stealth/scan_foreign", |b| {
        b.iter(|| other.scan(g, &output, at))
    });
}

criterion_group!(benches, range, sums, stealth);
criterion_main!(benches);
