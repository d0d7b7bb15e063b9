//! The rows of this crate.

#![allow(missing_docs, reason = "criterion macros")]

use criterion::{Criterion, criterion_group, criterion_main};

fn rows(c: &mut Criterion) {
    for mut row in quil_bulletproofs::workload::all() {
        c.bench_function(row.id, |b| b.iter(|| (row.run)()));
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
