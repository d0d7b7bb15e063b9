//! Rates of transfers and of the kernels, one thread.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "bench code"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quil_ot::base::{BaseReceiver, BaseSender};
use quil_ot::block::Block;
use quil_ot::context::Context;
use quil_ot::extension::{ExtensionReceiver, ExtensionSender, MAX_CHUNK};
use quil_ot::kernel::Isa;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const DELTA: Block = Block::new(0x1234_5678_9abc_def1_0fed_cba9_8765_4321);

fn base_run(rng: &mut ChaCha20Rng) -> (Vec<[Block; 2]>, Vec<Block>) {
    let context = Context::new([1; 32]);
    let (sender, m1) = BaseSender::new(context, rng);
    let (receiver, m2) =
        BaseReceiver::new(context, ExtensionSender::base_choices(DELTA), &m1, rng).unwrap();
    let (sender, m3) = sender.challenge(&m2).unwrap();
    let (receiver, m4) = receiver.respond(&m3).unwrap();
    let (pairs, m5) = sender.open(&m4).unwrap();
    (pairs, receiver.finish(&m5).unwrap())
}

fn transfers(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    c.bench_function("base, both sides", |b| {
        b.iter(|| black_box(base_run(&mut rng)))
    });
    let context = Context::new([1; 32]);
    let (pairs, seeds) = base_run(&mut rng);
    let choices = vec![Block::new(0xaaaa_5555); MAX_CHUNK / 128];
    let mut group = c.benchmark_group("extension");
    group.throughput(Throughput::Elements(MAX_CHUNK as u64));
    for isa in Isa::available() {
        let (mut receiver, setup) = ExtensionReceiver::new(context, isa, &pairs);
        let (mut out, mut message) = (Vec::with_capacity(MAX_CHUNK), Vec::new());
        group.bench_function(format!("receiver {}", isa.name()), |b| {
            b.iter(|| {
                out.clear();
                receiver
                    .extend(MAX_CHUNK, &choices, &mut out, &mut message, &mut rng)
                    .unwrap();
            });
        });
        let mut sender = ExtensionSender::new(context, isa, DELTA, &seeds, &setup).unwrap();
        let (mut receiver, _) = ExtensionReceiver::new(context, isa, &pairs);
        group.bench_function(format!("sender {}", isa.name()), |b| {
            b.iter_batched(
                || {
                    let mut message = Vec::new();
                    receiver
                        .extend(MAX_CHUNK, &choices, &mut Vec::new(), &mut message, &mut rng)
                        .unwrap();
                    message
                },
                |message| {
                    sender
                        .extend(MAX_CHUNK, &message, &mut Vec::with_capacity(MAX_CHUNK))
                        .unwrap()
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
}

fn kernels(c: &mut Criterion) {
    let mut group = c.benchmark_group("kernel, 256 blocks");
    group.throughput(Throughput::Elements(256));
    for isa in Isa::available() {
        let (mut a, mut b) = (vec![Block::new(3); 256], vec![Block::new(4); 256]);
        group.bench_function(format!("hash {}", isa.name()), |x| {
            x.iter(|| isa.hash(DELTA, 9, &mut a))
        });
        group.bench_function(format!("hash both {}", isa.name()), |x| {
            x.iter(|| isa.hash_both(DELTA, 9, DELTA, &mut a, &mut b));
        });
        group.bench_function(format!("product {}", isa.name()), |x| {
            x.iter(|| isa.inner_product(&a, &b))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(200)).sample_size(10);
    targets = transfers, kernels
}
criterion_main!(benches);
