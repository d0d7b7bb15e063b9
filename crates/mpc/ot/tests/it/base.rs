//! Base transfers: law, binding, and every deviation caught with its own error.

use quil_ot::OtError;
use quil_ot::base::{BASE_COUNT, BaseReceiver, BaseSender, KEY_BYTES, OPENING_BYTES, ROUND_BYTES};
use quil_ot::block::Block;
use quil_ot::context::Context;

use crate::{base_run, context, rng};

#[test]
fn receiver_learns_exactly_the_chosen_seeds() {
    let choices = Block::new(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210);
    let (pairs, seeds) = base_run(choices, 1);
    assert_eq!((pairs.len(), seeds.len()), (BASE_COUNT, BASE_COUNT));
    for (i, (pair, seed)) in pairs.iter().zip(&seeds).enumerate() {
        let bit = ((choices.value() >> i) & 1) as usize;
        assert!(pair[bit] == *seed);
        assert!(pair[1 - bit] != *seed);
    }
}

#[test]
fn seeds_differ_between_indexes_and_between_runs() {
    let (first, _) = base_run(Block::ZERO, 1);
    let (second, _) = base_run(Block::ZERO, 2);
    let mut all: Vec<u128> = first
        .iter()
        .chain(&second)
        .flatten()
        .map(|block| block.value())
        .collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4 * BASE_COUNT);
}

#[test]
fn messages_have_the_documented_lengths() {
    let mut rng = rng(3);
    let (sender, m1) = BaseSender::new(context(), &mut rng);
    let (receiver, m2) = BaseReceiver::new(context(), Block::ZERO, &m1, &mut rng).unwrap();
    let (sender, m3) = sender.challenge(&m2).unwrap();
    let (_, m4) = receiver.respond(&m3).unwrap();
    let (_, m5) = sender.open(&m4).unwrap();
    assert_eq!(
        (m1.len(), m2.len(), m3.len()),
        (KEY_BYTES, ROUND_BYTES, ROUND_BYTES)
    );
    assert_eq!((m4.len(), m5.len()), (ROUND_BYTES, OPENING_BYTES));
}

#[test]
fn another_context_breaks_the_key_proof() {
    let mut rng = rng(4);
    let (_, m1) = BaseSender::new(context(), &mut rng);
    let result = BaseReceiver::new(Context::new([8; 32]), Block::ZERO, &m1, &mut rng);
    assert_eq!(result.err(), Some(OtError::KeyProof));
}

#[test]
fn key_of_someone_else_is_rejected() {
    let mut rng = rng(5);
    let (_, honest) = BaseSender::new(context(), &mut rng);
    let (_, other) = BaseSender::new(context(), &mut rng);
    let stolen = [&honest[..32], &other[32..]].concat();
    assert_eq!(
        BaseReceiver::new(context(), Block::ZERO, &stolen, &mut rng).err(),
        Some(OtError::KeyProof)
    );
}

#[test]
fn neutral_and_non_canonical_elements_are_rejected() {
    let mut rng = rng(6);
    let (_, m1) = BaseSender::new(context(), &mut rng);
    let mut neutral = m1.clone();
    neutral[..32].fill(0);
    assert_eq!(
        BaseReceiver::new(context(), Block::ZERO, &neutral, &mut rng).err(),
        Some(OtError::Identity)
    );
    let mut bad = m1.clone();
    bad[..32].fill(0xff);
    assert_eq!(
        BaseReceiver::new(context(), Block::ZERO, &bad, &mut rng).err(),
        Some(OtError::Encoding)
    );
    let mut bad = m1;
    bad[64..].fill(0xff);
    assert_eq!(
        BaseReceiver::new(context(), Block::ZERO, &bad, &mut rng).err(),
        Some(OtError::Encoding)
    );
    for (fill, error) in [(0, OtError::Identity), (0xff, OtError::Encoding)] {
        let (sender, m1) = BaseSender::new(context(), &mut rng);
        let (_, mut m2) = BaseReceiver::new(context(), Block::ZERO, &m1, &mut rng).unwrap();
        m2[32 * 77..32 * 78].fill(fill);
        assert_eq!(sender.challenge(&m2).err(), Some(error));
    }
}

#[test]
fn wrong_lengths_are_rejected() {
    let mut rng = rng(7);
    let (sender, m1) = BaseSender::new(context(), &mut rng);
    let short = BaseReceiver::new(context(), Block::ZERO, &m1[1..], &mut rng).err();
    assert_eq!(
        short,
        Some(OtError::Length {
            got: KEY_BYTES - 1,
            want: KEY_BYTES
        })
    );
    assert!(matches!(
        sender.challenge(&[]),
        Err(OtError::Length { got: 0, .. })
    ));
}

#[test]
fn receiver_that_does_not_know_a_key_fails_the_challenge() {
    for byte in [0, 31, 32 * 100 + 5] {
        let mut rng = rng(8);
        let (sender, m1) = BaseSender::new(context(), &mut rng);
        let (receiver, m2) = BaseReceiver::new(context(), Block::ONE, &m1, &mut rng).unwrap();
        let (sender, m3) = sender.challenge(&m2).unwrap();
        let (_, mut m4) = receiver.respond(&m3).unwrap();
        m4[byte] ^= 1;
        assert_eq!(sender.open(&m4).err(), Some(OtError::BaseResponse));
    }
}

/// A sender that spoils one challenge to learn the choice: caught whatever the choice was.
#[test]
fn sender_with_a_false_challenge_learns_nothing_from_an_accepting_run() {
    for choices in [Block::ZERO, Block::new(u128::MAX)] {
        let mut rng = rng(9);
        let (sender, m1) = BaseSender::new(context(), &mut rng);
        let (receiver, m2) = BaseReceiver::new(context(), choices, &m1, &mut rng).unwrap();
        let (sender, mut m3) = sender.challenge(&m2).unwrap();
        m3[5] ^= 1;
        let (receiver, mut m4) = receiver.respond(&m3).unwrap();
        if choices != Block::ZERO {
            m4[5] ^= 1;
        }
        let (_, m5) = sender.open(&m4).unwrap();
        assert_eq!(receiver.finish(&m5).err(), Some(OtError::BaseOpening));
    }
}

#[test]
fn false_opening_is_rejected() {
    for byte in [0, 40, 64 * 127 + 63] {
        let mut rng = rng(10);
        let (sender, m1) = BaseSender::new(context(), &mut rng);
        let (receiver, m2) = BaseReceiver::new(context(), Block::ONE, &m1, &mut rng).unwrap();
        let (sender, m3) = sender.challenge(&m2).unwrap();
        let (receiver, m4) = receiver.respond(&m3).unwrap();
        let (_, mut m5) = sender.open(&m4).unwrap();
        m5[byte] ^= 0x80;
        assert_eq!(receiver.finish(&m5).err(), Some(OtError::BaseOpening));
    }
}
