//! Times the operations of the module `workload`.

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use quil_workload::Workload;

fn time(group: &mut BenchmarkGroup<'_, WallTime>, load: Workload) {
    let Workload {
        id,
        amount,
        mut run,
        base,
        ..
    } = load;
    group.throughput(Throughput::Elements(amount));
    group.bench_function(id, |b| b.iter(&mut run));
    if let Some(mut base) = base {
        group.bench_function(format!("{id}.base"), |b| b.iter(&mut base));
    }
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("vdf");
    group.sample_size(10);
    for load in quil_vdf::workload::all() {
        time(&mut group, load);
    }
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
