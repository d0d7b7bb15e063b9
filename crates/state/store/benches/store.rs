//! Latency of the durable store: batch commits of the size of a frame, point reads, range scans, safety records.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that cannot run should stop"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quil_store::{
    KeyRange, SafetyFile, Scan, StateFile, StateOptions, Store, TableDef, WriteBatch,
};
use quil_types::Chain;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const NODES: TableDef = TableDef::new("nodes", 128, 1 << 16);

/// Rows in the table before measuring, and bytes per value: a compact branch of the trie.
const ROWS: u64 = 100_000;
const VALUE_BYTES: usize = 256;

fn key(n: u64) -> Vec<u8> {
    let mut key = vec![0; 40];
    ChaCha20Rng::seed_from_u64(n).fill_bytes(&mut key);
    key
}

fn batch(first: u64, rows: u64) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for n in first..first + rows {
        batch.put(&NODES, key(n), vec![0xa5; VALUE_BYTES]).unwrap();
    }
    batch
}

fn filled(dir: &Path) -> StateFile {
    let store = StateFile::open(&dir.join("state"), StateOptions::new(1)).unwrap();
    for first in (0..ROWS).step_by(10_000) {
        store.commit(&batch(first, 10_000)).unwrap();
    }
    store
}

fn commits(c: &mut Criterion, store: &StateFile) {
    let mut group = c.benchmark_group("store::state::commit");
    group.sample_size(20);
    for rows in [1, 100, 4_000] {
        group.throughput(Throughput::Elements(rows));
        let mut next = 0;
        group.bench_function(format!("rows={rows} table_rows={ROWS}"), |b| {
            b.iter_batched(
                || {
                    next = (next + 7_919) % ROWS;
                    batch(next, rows)
                },
                |batch| store.commit(&batch).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn reads(c: &mut Criterion, store: &StateFile) {
    let view = store.view().unwrap();
    let keys: Vec<_> = (0..ROWS).step_by(97).map(key).collect();
    let mut next = 0;
    c.bench_function(&format!("store::state::get table_rows={ROWS}"), |b| {
        b.iter(|| {
            next = (next + 1) % keys.len();
            black_box(view.get(&NODES, &keys[next]).unwrap())
        });
    });
    c.bench_function(
        &format!("store::state::view_and_get table_rows={ROWS}"),
        |b| {
            b.iter(|| {
                next = (next + 1) % keys.len();
                black_box(store.view().unwrap().get(&NODES, &keys[next]).unwrap())
            });
        },
    );
    let mut group = c.benchmark_group("store::state::scan");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("rows=1000", |b| {
        b.iter(|| {
            next = (next + 1) % keys.len();
            let range = KeyRange::of::<&[u8]>(&(&keys[next][..2]..));
            black_box(view.scan(&NODES, &Scan::forward(range, 1_000)).unwrap())
        });
    });
    group.finish();
}

fn safety(c: &mut Criterion, dir: &Path) {
    let file = SafetyFile::open(&dir.join("safety")).unwrap();
    let mut group = c.benchmark_group("store::safety");
    group.sample_size(20);
    let mut rank = 0_u64;
    group.bench_function("put bytes=2056", |b| {
        b.iter(|| {
            rank += 1;
            file.put(&Chain::Global, &(rank, vec![1_u8; 2_044]))
                .unwrap();
        });
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    // The directory of the build, not /tmp: that is often memory, where a flush costs nothing.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = filled(dir.path());
    commits(c, &store);
    reads(c, &store);
    safety(c, dir.path());
}

criterion_group!(benches, all);
criterion_main!(benches);
