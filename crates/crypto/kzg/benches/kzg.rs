//! Commitments, updates and openings over the test SRS.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use quil_bls48581::Fr;
use quil_kzg::{Commitment, DOMAIN_SIZE, Kzg, Slot, Srs, TableBits, Witness, slot_scalar};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn slots(seed: u64) -> [Slot; DOMAIN_SIZE] {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut out = [[0; 64]; DOMAIN_SIZE];
    out.iter_mut().for_each(|s| rng.fill_bytes(s));
    out
}

fn benches(c: &mut Criterion) {
    let kzg = Kzg::insecure_shared();
    let v = slots(1);
    let values: [Fr; DOMAIN_SIZE] = v.map(|s| slot_scalar(&s));
    c.bench_function("kzg.commit_64", |b| {
        b.iter(|| kzg.commit(black_box(&values)))
    });
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok();
    if let Some(pool) = &one_core {
        c.bench_function("kzg.commit_64/threads=1", |b| {
            b.iter(|| pool.install(|| kzg.commit(black_box(&values))))
        });
    }
    for n in [2u8, 5, 16, 21, 22, 32] {
        let terms: Vec<(u8, Fr)> = (0..n).zip(values).collect();
        c.bench_function(&format!("kzg.commit_sparse/slots={n}"), |b| {
            b.iter(|| kzg.commit_sparse(black_box(&terms)))
        });
    }
    let point = kzg.commit(&values).to_affine();
    c.bench_function("kzg.update_slot", |b| {
        b.iter(|| kzg.update(black_box(&point), 7, &v[7], &v[8]))
    });

    let vectors: Vec<_> = (0..16).map(|k| slots(10 + k)).collect();
    let commitments: Vec<Commitment> = vectors
        .iter()
        .map(|v| Commitment::from(&kzg.commit_slots(v)))
        .collect();
    for m in [1usize, 4, 16] {
        let witnesses: Vec<Witness<'_>> = vectors
            .iter()
            .zip(&commitments)
            .zip(0..)
            .take(m)
            .map(|((slots, commitment), k)| Witness {
                commitment: *commitment,
                slots,
                index: k * 3,
            })
            .collect();
        c.bench_function(&format!("kzg.open_multi_{m}"), |b| {
            b.iter(|| kzg.open_multi(black_box(&witnesses)))
        });
        if let Ok((openings, proof)) = kzg.open_multi(&witnesses) {
            c.bench_function(&format!("kzg.verify_multi_{m}"), |b| {
                b.iter(|| kzg.verifier().verify_multi(black_box(&openings), &proof))
            });
            let batch: Vec<_> = (0..8).map(|_| (openings.as_slice(), &proof)).collect();
            c.bench_function(&format!("kzg.verify_multi_{m}/batch=8"), |b| {
                b.iter(|| kzg.verifier().verify_multi_batch(black_box(&batch)))
            });
        }
    }
    let srs = Srs::insecure_from_seed(1);
    let mut group = c.benchmark_group("kzg.setup");
    group.sample_size(10);
    group.bench_function("lagrange", |b| b.iter(|| srs.lagrange()));
    for bits in [4u8, 5, 8] {
        if let Ok(bits) = TableBits::new(bits) {
            group.bench_function(format!("build/bits={}", bits.get()), |b| {
                b.iter(|| Kzg::new(&srs, bits))
            });
        }
    }
    group.bench_function("check_srs", |b| b.iter(|| Srs::from_bytes(&srs.to_bytes())));
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
