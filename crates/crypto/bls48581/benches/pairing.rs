//! The rows of the crate's list that belong here.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_bls48581::workload;

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("bls48581");
    for mut row in workload::pairing() {
        group.throughput(Throughput::Elements(row.amount));
        group.bench_function(row.id, |z| z.iter(|| (row.run)()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = rows
}
criterion_main!(benches);
