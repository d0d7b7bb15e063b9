//! The rows of the crate's list.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_kzg::Kzg;
use quil_trie::workload;

fn rows(c: &mut Criterion) {
    let kzg = Kzg::insecure_shared();
    let bytes = kzg.table_bytes();
    let mut group = c.benchmark_group(format!("table_bytes={bytes}"));
    group.sample_size(10);
    for mut row in workload::all(&kzg) {
        group.throughput(Throughput::Elements(row.amount));
        group.bench_function(row.id, |z| z.iter(|| (row.run)()));
    }
    group.finish();
}

criterion_group!(all, rows);
criterion_main!(all);
