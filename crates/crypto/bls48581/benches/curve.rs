//! The rows of the crate's list that belong here: groups, hashing and signatures.
//!
//! Where the time goes, on one core with AVX-512 IFMA, as counted in multiply-adds of 52-bit limbs (576 per product of
//! eight lanes): an addition in G1 is two such products and a dozen moves between lanes, so `g1.add` and `g1.double`
//! are bound by 1152 multiply-adds and the conversion of their operands; `g1.mul` and `g1.subgroup` are about 350 and
//! 290 of these operations. `g2.*` are the same with 27 products and eight reductions for each of the two. Decoding and
//! hashing are chains of 580 dependent squarings per square root, which no width shortens.
//!
//! Without vectors a product is 200 word products and their carries, 280 cycles; an addition in G1 is 12 products with
//! nine reductions, 2190 word products at 1.7 cycles each. Half of its time would need less than one cycle per word
//! product, which portable code does not reach.
#![allow(missing_docs, reason = "criterion macros generate public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_bls48581::workload;

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("bls48581");
    for mut row in workload::curve() {
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
