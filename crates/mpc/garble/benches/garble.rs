//! Rates of gates and of AES, one thread, in memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "bench code"
)]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_garble::bench::{aes, gates};
use quil_garble::halfgates::{Evaluation, Garbling};
use quil_garble::session::TABLE_FRAME;
use quil_garble::{Plan, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_qcl::circuit::{Circuit, Recipients};

const SEED: Block = Block::new(5);
const OFFSET: Block = Block::new(7);

fn garble(plan: &Plan, isa: Isa, labels: &[Block], mut frame: impl FnMut(&[u8])) {
    let mut garbling = Garbling::new(plan, isa, SEED, OFFSET, labels);
    let mut tables = Vec::with_capacity(TABLE_FRAME);
    loop {
        tables.clear();
        let progress = garbling.run(plan, &mut tables, TABLE_FRAME);
        frame(&tables);
        if progress == Progress::Done {
            break;
        }
    }
}

fn circuit(
    c: &mut Criterion,
    name: &str,
    circuit: &Circuit,
    gates: fn(&Plan) -> u64,
    forms: &[Isa],
) {
    let plan = Plan::new(circuit).unwrap();
    let labels = vec![Block::new(9); plan.widths().iter().sum()];
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(gates(&plan)));
    for isa in forms {
        group.bench_function(format!("garble {}", isa.name()), |b| {
            b.iter(|| garble(&plan, *isa, &labels, |_| {}));
        });
        let mut frames = Vec::new();
        garble(&plan, *isa, &labels, |frame| frames.push(frame.to_vec()));
        group.bench_function(format!("evaluate {}", isa.name()), |b| {
            b.iter(|| {
                let mut evaluation = Evaluation::new(&plan, *isa, SEED, &labels);
                frames
                    .iter()
                    .map(|frame| evaluation.run(&plan, frame).1)
                    .sum::<usize>()
            });
        });
    }
}

fn all(c: &mut Criterion) {
    let forms = Isa::available();
    circuit(c, "and", &gates::ands(16).unwrap(), Plan::ands, &forms);
    circuit(
        c,
        "xor",
        &gates::xors(100).unwrap(),
        Plan::xors,
        &forms[forms.len() - 1..],
    );
    let blocks = aes::aes128(Recipients::BOTH).unwrap().iterate(50).unwrap();
    circuit(
        c,
        "and of aes",
        &blocks,
        Plan::ands,
        &forms[forms.len() - 1..],
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(200)).sample_size(10);
    targets = all
}
criterion_main!(benches);
