//! Building, updating, proving and verifying.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quil_kzg::Kzg;
use quil_trie::{Changes, Key, LeafValue, LeafWrite, SetId, Trie, prove_many, verify, verify_many};
use quil_types::ShardAddr;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SET: SetId = SetId {
    addr: ShardAddr([1; 32]),
    phase: 0,
};

fn keys(seed: u64, n: usize) -> Vec<Key> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..n)
        .map(|_| {
            let mut low = [0; 32];
            rng.fill_bytes(&mut low);
            Key::join(&[7; 32], &low)
        })
        .collect()
}

fn writes(keys: &[Key], content: u8) -> Changes {
    let value = LeafValue {
        size: 100,
        content: [content; 32],
    };
    keys.iter()
        .map(|k| {
            (
                *k,
                Some(LeafWrite {
                    value,
                    payload: None,
                }),
            )
        })
        .collect()
}

fn benches(c: &mut Criterion) {
    let kzg = Kzg::insecure_shared();
    let all = keys(1, 10_000);
    let empty = Trie::empty(SET);
    let Ok(built) = empty.update(&kzg, 1, &writes(&all, 1)) else {
        return;
    };
    let trie = built.trie;

    let Some(one) = all.get(77).copied() else {
        return;
    };
    let mut group = c.benchmark_group("trie");
    group.sample_size(10);
    group.bench_function("build_10k", |b| {
        b.iter(|| empty.update(&kzg, 1, &writes(&all, 1)))
    });
    let some: Vec<Key> = all.iter().step_by(10).copied().collect();
    group.bench_function("update_1k", |b| {
        b.iter_batched(
            || writes(&some, 2),
            |w| trie.update(&kzg, 2, &w),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("update_1", |b| {
        b.iter(|| trie.update(&kzg, 2, &writes(all.get(..1).unwrap_or_default(), 2)))
    });
    group.bench_function("get", |b| b.iter(|| trie.get(black_box(&one))));
    group.bench_function("recommit_10k", |b| b.iter(|| trie.recommit(&kzg)));
    group.bench_function("prove_1", |b| b.iter(|| trie.prove(&kzg, &one)));
    if let Ok((expect, proof)) = trie.prove(&kzg, &one) {
        let verifier = kzg.verifier();
        group.bench_function("verify_1", |b| {
            b.iter(|| {
                verify(
                    verifier,
                    &trie.root(),
                    &SET,
                    &one,
                    black_box(expect),
                    &proof,
                )
            });
        });
    }
    let queries: Vec<_> = all.iter().take(16).map(|k| (&trie, *k)).collect();
    group.bench_function("prove_16", |b| b.iter(|| prove_many(&kzg, &queries)));
    if let Ok((found, proof)) = prove_many(&kzg, &queries) {
        let claims: Vec<_> = found
            .iter()
            .flatten()
            .map(|leaf| quil_trie::Claim {
                root: trie.root(),
                set: SET,
                key: leaf.key,
                expect: quil_trie::Expectation::Present(leaf.value),
            })
            .collect();
        group.bench_function("verify_16", |b| {
            b.iter(|| verify_many(kzg.verifier(), black_box(&claims), &proof))
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
