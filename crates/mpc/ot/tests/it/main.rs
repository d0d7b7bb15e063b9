//! Laws, vectors and attacks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::needless_range_loop,
    clippy::cast_possible_truncation,
    reason = "test code: a panic is the report of a failure"
)]

mod base;
mod extension;
mod kernels;
mod silent;
mod stock;

use quil_ot::base::{BaseReceiver, BaseSender};
use quil_ot::block::Block;
use quil_ot::context::Context;
use quil_ot::extension::{ExtensionReceiver, ExtensionSender};
use quil_ot::kernel::Isa;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn context() -> Context {
    Context::new([7; 32])
}

/// An honest base run: all pairs, chosen seeds.
fn base_run(choices: Block, seed: u64) -> (Vec<[Block; 2]>, Vec<Block>) {
    let mut rng = rng(seed);
    let (sender, m1) = BaseSender::new(context(), &mut rng);
    let (receiver, m2) = BaseReceiver::new(context(), choices, &m1, &mut rng).unwrap();
    let (sender, m3) = sender.challenge(&m2).unwrap();
    let (receiver, m4) = receiver.respond(&m3).unwrap();
    let (pairs, m5) = sender.open(&m4).unwrap();
    (pairs, receiver.finish(&m5).unwrap())
}

/// An honest pair of extension states.
fn extension_pair(isa: Isa, delta: Block, seed: u64) -> (ExtensionSender, ExtensionReceiver) {
    let (pairs, seeds) = base_run(ExtensionSender::base_choices(delta), seed);
    let (receiver, message) = ExtensionReceiver::new(context(), isa, &pairs);
    (
        ExtensionSender::new(context(), isa, delta, &seeds, &message).unwrap(),
        receiver,
    )
}
