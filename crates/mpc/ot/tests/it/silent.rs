//! Silent correlations: law, rounds on end, and every deviation of the sender caught.

use proptest::prelude::*;
use quil_ot::OtError;
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_ot::silent::{
    ANSWER_BYTES, DIGEST_BYTES, Params, SilentReceiver, SilentSender, normalise_received,
    normalise_sent,
};

use crate::{context, extension_pair, rng};

/// Larger than a toy, quick all the same.
const MEDIUM: Params = Params {
    trees: 300,
    depth: 9,
    inputs: 8000,
};

fn delta() -> Block {
    Block::new(0x1357_9bdf_0246_8ace_fdb9_7531_eca8_6421)
}

/// Reserves dealt honestly without transfers.
fn dealt(params: Params, isa: Isa, seed: u64) -> (SilentSender, SilentReceiver) {
    let mut rng = rng(seed);
    let count = params.reserve();
    let mut sent: Vec<Block> = (0..count).map(|_| Block::random(&mut rng)).collect();
    normalise_sent(&mut sent);
    let received = sent
        .iter()
        .map(|block| *block ^ (delta() & Block::random(&mut rng).select_mask()))
        .collect();
    let sender = SilentSender::new(params, context(), isa, delta(), sent).unwrap();
    (
        sender,
        SilentReceiver::new(params, context(), isa, received).unwrap(),
    )
}

/// All trees of a round, piece by piece, and the receiver's answer to what `tamper` makes of them.
fn trees(
    sender: &mut SilentSender,
    receiver: &mut SilentReceiver,
    seed: u128,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> Vec<u8> {
    sender.start(Block::new(seed)).unwrap();
    let mut sent = 0;
    loop {
        let mut piece = sender.next_piece().unwrap().unwrap();
        tamper(sent, &mut piece);
        sent += piece.len();
        if let Some(answer) = receiver.take_piece(&piece).unwrap() {
            assert!(sender.next_piece().unwrap().is_none());
            return answer;
        }
    }
}

fn round(
    sender: &mut SilentSender,
    receiver: &mut SilentReceiver,
    seed: u128,
) -> (Vec<Block>, Vec<Block>) {
    let answer = trees(sender, receiver, seed, |_, _| {});
    // Expanding early or late makes no difference.
    if seed.is_multiple_of(2) {
        sender.expand().unwrap();
        receiver.expand().unwrap();
    }
    let digest = sender.answer(&answer).unwrap();
    assert_eq!((answer.len(), digest.len()), (ANSWER_BYTES, DIGEST_BYTES));
    (sender.finish().unwrap(), receiver.finish(&digest).unwrap())
}

fn assert_law(sent: &[Block], received: &[Block]) {
    assert_eq!(sent.len(), received.len());
    let mut ones = 0;
    for (sent, received) in sent.iter().zip(received) {
        assert!(!sent.select());
        assert!(*received == *sent ^ (delta() & received.select_mask()));
        ones += usize::from(received.select());
    }
    // Six standard deviations of a fair coin.
    let bound = 3.0 * (sent.len() as f64).sqrt();
    assert!(
        (ones as f64 - sent.len() as f64 / 2.0).abs() < bound,
        "{ones} of {}",
        sent.len()
    );
}

#[test]
fn law_holds_for_rounds_on_end() {
    for isa in Isa::available() {
        let (mut sender, mut receiver) = dealt(Params::TOY, isa, 1);
        let mut all = Vec::new();
        for seed in 0..4 {
            let (sent, received) = round(&mut sender, &mut receiver, seed);
            assert_eq!(sent.len(), Params::TOY.usable());
            assert_law(&sent, &received);
            all.extend(sent.iter().map(|block| block.value()));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

#[test]
fn law_holds_at_medium_size() {
    let (mut sender, mut receiver) = dealt(MEDIUM, Isa::best(), 2);
    let (sent, received) = round(&mut sender, &mut receiver, 9);
    assert_law(&sent, &received);
}

#[test]
fn forms_produce_the_same_bytes() {
    let run = |isa| {
        let (mut sender, mut receiver) = dealt(MEDIUM, isa, 3);
        let mut all = Vec::new();
        let answer = trees(&mut sender, &mut receiver, 4, |_, piece| {
            all.extend_from_slice(piece)
        });
        (all, answer)
    };
    let model = run(Isa::best());
    assert_eq!(model.0.len(), MEDIUM.tree_bytes());
    assert!(Isa::available().into_iter().all(|isa| run(isa) == model));
}

#[test]
fn reserve_from_the_extension_serves() {
    let params = Params::TOY;
    let (mut sender, mut receiver) = extension_pair(Isa::best(), delta(), 5);
    let count = params.reserve();
    let choices: Vec<Block> = (0..count.div_ceil(128))
        .map(|_| Block::random(&mut rng(6)))
        .collect();
    let (mut sent, mut received, mut message) = (Vec::new(), Vec::new(), Vec::new());
    receiver
        .extend(count, &choices, &mut received, &mut message, &mut rng(7))
        .unwrap();
    sender.extend(count, &message, &mut sent).unwrap();
    normalise_sent(&mut sent);
    normalise_received(&mut received, &choices);
    let mut sender = SilentSender::new(params, context(), Isa::best(), delta(), sent).unwrap();
    let mut receiver = SilentReceiver::new(params, context(), Isa::best(), received).unwrap();
    let (sent, received) = round(&mut sender, &mut receiver, 8);
    assert_law(&sent, &received);
}

#[test]
fn failed_check_ends_the_receiver() {
    let (mut sender, mut receiver) = dealt(Params::TOY, Isa::best(), 9);
    let answer = trees(&mut sender, &mut receiver, 4, |_, piece| piece[3] ^= 2);
    receiver.expand().unwrap();
    let digest = sender.answer(&answer).unwrap();
    assert_eq!(receiver.finish(&digest).unwrap_err(), OtError::SilentCheck);
    assert_eq!(receiver.take_piece(&[]).unwrap_err(), OtError::State);
    assert_eq!(receiver.finish(&digest).unwrap_err(), OtError::State);
}

#[test]
fn wrong_answers_change_only_the_senders_digest() {
    let (mut sender, mut receiver) = dealt(Params::TOY, Isa::best(), 10);
    let mut answer = trees(&mut sender, &mut receiver, 4, |_, _| {});
    answer[0] ^= 1;
    let digest = sender.answer(&answer).unwrap();
    assert_eq!(receiver.finish(&digest).unwrap_err(), OtError::SilentCheck);
}

#[test]
fn calls_out_of_order_and_wrong_lengths_are_refused() {
    let (mut sender, mut receiver) = dealt(MEDIUM, Isa::best(), 11);
    assert_eq!(sender.next_piece().unwrap_err(), OtError::State);
    assert_eq!(sender.finish().unwrap_err(), OtError::State);
    assert_eq!(receiver.finish(&[0; 32]).unwrap_err(), OtError::State);
    sender.start(Block::new(1)).unwrap();
    assert_eq!(sender.start(Block::new(1)).unwrap_err(), OtError::State);
    let piece = sender.next_piece().unwrap().unwrap();
    // Not all pieces are out yet.
    assert_eq!(sender.answer(&[0; 16]).unwrap_err(), OtError::State);
    assert_eq!(sender.expand().unwrap_err(), OtError::State);
    let length = OtError::Length {
        got: piece.len() - 1,
        want: piece.len(),
    };
    assert_eq!(receiver.take_piece(&piece[1..]).unwrap_err(), length);
    assert_eq!(receiver.expand().unwrap_err(), OtError::State);
    assert_eq!(
        sender.answer(&[0; 15]).unwrap_err(),
        OtError::Length { got: 15, want: 16 }
    );
    let (mut sender, mut receiver) = dealt(Params::TOY, Isa::best(), 11);
    trees(&mut sender, &mut receiver, 1, |_, _| {});
    assert_eq!(receiver.take_piece(&[]).unwrap_err(), OtError::State);
}

#[test]
fn reserves_and_parameters_are_checked() {
    let few = vec![Block::ZERO; Params::TOY.reserve() - 1];
    let error = OtError::Stock {
        have: few.len(),
        want: few.len() + 1,
    };
    assert_eq!(
        SilentReceiver::new(Params::TOY, context(), Isa::best(), few).unwrap_err(),
        error
    );
    let enough = vec![Block::ZERO; Params::TOY.reserve()];
    let even = SilentSender::new(Params::TOY, context(), Isa::best(), Block::new(2), enough);
    assert_eq!(even.unwrap_err(), OtError::State);
    let empty = Params {
        trees: 0,
        ..Params::TOY
    };
    assert!(
        SilentReceiver::new(
            empty,
            context(),
            Isa::best(),
            vec![Block::ZERO; empty.reserve()]
        )
        .is_err()
    );
}

#[test]
fn bulk_sizes_are_those_of_the_paper() {
    let bulk = Params::BULK;
    assert_eq!(
        (bulk.output(), bulk.reserve(), bulk.usable()),
        (10_180_608, 178_809, 10_001_799)
    );
    assert_eq!(bulk.tree_bytes(), 1_829_328);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_trees_never_pass(position: prop::sample::Index, flip in 1..=255_u8) {
        let (mut sender, mut receiver) = dealt(MEDIUM, Isa::best(), 12);
        let at = position.index(MEDIUM.tree_bytes());
        let answer = trees(&mut sender, &mut receiver, 4, |from, piece| {
            if let Some(byte) = at.checked_sub(from).and_then(|at| piece.get_mut(at)) {
                *byte ^= flip;
            }
        });
        let digest = sender.answer(&answer).unwrap();
        prop_assert_eq!(receiver.finish(&digest).unwrap_err(), OtError::SilentCheck);
    }
}
