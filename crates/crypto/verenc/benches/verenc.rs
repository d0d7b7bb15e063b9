//! Times the rows of [`quil_verenc::workload`], single thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_workload::Unit;

fn rows(c: &mut Criterion) {
    for mut load in quil_verenc::workload::all() {
        let mut group = c.benchmark_group("quil-verenc");
        if load.unit == Unit::BytesPerSecond {
            group.throughput(Throughput::Bytes(load.amount));
        }
        group.bench_function(load.id, |b| b.iter(&mut load.run));
        group.finish();
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
