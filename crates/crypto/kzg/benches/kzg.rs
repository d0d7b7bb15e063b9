//! The rows of the crate's list, with tables of the default width and of eight bits.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_kzg::{Kzg, Srs, TableBits, workload};

fn rows(c: &mut Criterion) {
    let srs = Srs::insecure_from_seed(1);
    for bits in [TableBits::default().get(), 8] {
        let Ok(width) = TableBits::new(bits) else {
            continue;
        };
        let kzg = Arc::new(Kzg::new(&srs, width));
        let bytes = kzg.table_bytes();
        let mut group = c.benchmark_group(format!("bits={bits}/table_bytes={bytes}"));
        for mut row in workload::all(&kzg) {
            group.throughput(Throughput::Elements(row.amount));
            group.bench_function(row.id, |z| z.iter(|| (row.run)()));
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = rows
}
criterion_main!(benches);
