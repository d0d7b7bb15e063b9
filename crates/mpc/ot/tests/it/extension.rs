//! Extension: law, sizes, and cheating parties caught with the promised probability.

use proptest::prelude::*;
use quil_ot::block::Block;
use quil_ot::extension::{
    ExtensionReceiver, ExtensionSender, MAX_CHUNK, message_len, pack_choices,
};
use quil_ot::kernel::Isa;
use quil_ot::{OtError, SEED_BYTES};

/// One message of the receiver, in its own buffer.
fn extend(
    receiver: &mut ExtensionReceiver,
    count: usize,
    choices: &[Block],
    out: &mut Vec<Block>,
    seed: u64,
) -> Result<Vec<u8>, OtError> {
    let mut message = Vec::new();
    receiver
        .extend(count, choices, out, &mut message, &mut rng(seed))
        .map(|()| message)
}

use crate::{base_run, context, extension_pair, rng};

fn random_blocks(count: usize, seed: u64) -> Vec<Block> {
    let mut rng = rng(seed);
    (0..count).map(|_| Block::random(&mut rng)).collect()
}

fn bit(choices: &[Block], index: usize) -> bool {
    (choices[index / 128].value() >> (index % 128)) & 1 == 1
}

#[test]
fn law_holds_for_every_size_and_form() {
    let delta = random_blocks(1, 1)[0];
    for isa in Isa::available() {
        let (mut sender, mut receiver) = extension_pair(isa, delta, 2);
        for count in [1, 64, 127, 128, 129, 1000, 5000] {
            let choices = random_blocks(count / 128 + 1, count as u64);
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            let message = extend(&mut receiver, count, &choices, &mut received, 3).unwrap();
            assert_eq!(message.len(), message_len(count).unwrap());
            sender.extend(count, &message, &mut sent).unwrap();
            assert_eq!((sent.len(), received.len()), (count, count));
            for i in 0..count {
                assert!(
                    received[i] == sent[i] ^ (delta & Block::mask(bit(&choices, i))),
                    "{isa:?} {count} {i}"
                );
            }
        }
    }
}

#[test]
fn forms_produce_the_same_bytes() {
    let delta = Block::new(0x55);
    let (pairs, _) = base_run(ExtensionSender::base_choices(delta), 4);
    let choices = random_blocks(8, 5);
    let run = |isa| {
        let (mut receiver, setup) = ExtensionReceiver::new(context(), isa, &pairs);
        let mut out = Vec::new();
        let message = extend(&mut receiver, 1000, &choices, &mut out, 6).unwrap();
        (setup, message, out)
    };
    let model = run(Isa::PORTABLE);
    assert!(Isa::available().into_iter().all(|isa| run(isa) == model));
}

#[test]
fn blocks_never_repeat_across_messages() {
    let (mut sender, mut receiver) = extension_pair(Isa::best(), Block::new(9), 7);
    let mut sent = Vec::new();
    for _ in 0..3 {
        let message = extend(&mut receiver, 500, &random_blocks(4, 8), &mut Vec::new(), 9).unwrap();
        sender.extend(500, &message, &mut sent).unwrap();
    }
    let mut values: Vec<u128> = sent.iter().map(|block| block.value()).collect();
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 1500);
}

#[test]
fn counts_out_of_range_are_refused() {
    let (mut sender, mut receiver) = extension_pair(Isa::best(), Block::new(9), 7);
    for count in [0, MAX_CHUNK + 1] {
        assert_eq!(message_len(count), Err(OtError::Count(count)));
        assert_eq!(
            sender.extend(count, &[], &mut Vec::new()),
            Err(OtError::Count(count))
        );
        let made = extend(
            &mut receiver,
            count,
            &random_blocks(200, 1),
            &mut Vec::new(),
            1,
        );
        assert_eq!(made, Err(OtError::Count(count)));
    }
    assert_eq!(
        extend(&mut receiver, 129, &random_blocks(1, 1), &mut Vec::new(), 1),
        Err(OtError::Count(129))
    );
    assert_eq!(
        sender.extend(64, &[0; 10], &mut Vec::new()),
        Err(OtError::Length {
            got: 10,
            want: message_len(64).unwrap()
        })
    );
}

#[test]
fn packing_puts_the_first_choice_lowest() {
    let packed = pack_choices(&[true, false, true]);
    assert_eq!(packed[0].value(), 0b101);
    let packed = pack_choices(&[vec![false; 128], vec![true]].concat());
    assert_eq!((packed[0].value(), packed[1].value()), (0, 1));
}

/// One flipped bit anywhere in the message: the check fails unless the column's bit of `delta` is zero, and then the
/// sender's output is the honest one.
#[test]
fn flipped_column_bit_passes_only_on_a_zero_bit_of_delta() {
    let delta = Block::new(0x0f0f_3355_aa00_ff11_1234_5678_9abc_def1);
    let height = 2 * 16;
    for group in 0..64 {
        let (mut sender, mut receiver) = extension_pair(Isa::best(), delta, 11);
        let mut message = extend(
            &mut receiver,
            100,
            &random_blocks(1, 1),
            &mut Vec::new(),
            12,
        )
        .unwrap();
        message[group * height + 3] ^= 4;
        let result = sender.extend(100, &message, &mut Vec::new());
        // The challenge hashes the columns, so even a harmless change alters it and the old answer no longer fits.
        assert_eq!(result, Err(OtError::ExtensionCheck));
        assert_eq!(
            sender.extend(100, &message, &mut Vec::new()),
            Err(OtError::State)
        );
    }
}

#[test]
fn spoiled_seed_trees_are_rejected_or_harmless() {
    let delta = Block::new(0x3c);
    let (pairs, seeds) = base_run(ExtensionSender::base_choices(delta), 13);
    let (_, setup) = ExtensionReceiver::new(context(), Isa::best(), &pairs);
    assert_eq!(setup.len(), SEED_BYTES);
    let mut caught = 0;
    for byte in (0..SEED_BYTES).step_by(13) {
        let mut spoiled = setup.clone();
        spoiled[byte] ^= 0x10;
        match ExtensionSender::new(context(), Isa::best(), delta, &seeds, &spoiled) {
            Err(error) => {
                assert_eq!(error, OtError::SeedTrees);
                caught += 1;
            }
            // Only the correction that this sender never opens can be changed unseen.
            Ok(_) => assert!(byte % 96 < 32),
        }
    }
    assert!(caught > SEED_BYTES / 13 / 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn hostile_messages_never_pass_and_never_panic(position: prop::sample::Index, flip in 1..=255_u8, cut: bool) {
        let (mut sender, mut receiver) = extension_pair(Isa::best(), Block::new(u128::MAX), 14);
        let mut message = extend(&mut receiver, 64, &random_blocks(1, 15), &mut Vec::new(), 16).unwrap();
        let index = position.index(message.len());
        if cut {
            message.truncate(index);
        } else {
            message[index] ^= flip;
        }
        prop_assert!(sender.extend(64, &message, &mut Vec::new()).is_err());
    }
}
