//! A receiver that deviates, built from the parts of the honest one.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;

/// One run in which the receiver uses other choices in group 10 and answers the check honestly for the rest.
fn cheat_once(delta: Block, run: u64) -> Result<(), OtError> {
    let mut rng = ChaCha20Rng::seed_from_u64(run);
    let pairs: Vec<[Block; 2]> = (0..128)
        .map(|_| [Block::random(&mut rng), Block::random(&mut rng)])
        .collect();
    let choices = ExtensionSender::base_choices(delta).value();
    let pick = |(i, pair): (usize, &[Block; 2])| pair[usize::from((choices >> i) & 1 == 1)];
    let seeds: Vec<Block> = pairs.iter().enumerate().map(pick).collect();
    let context = Context::new([1; 32]);
    let (mut receiver, setup) = ExtensionReceiver::new(context, Isa::best(), &pairs);
    let mut sender = ExtensionSender::new(context, Isa::best(), delta, &seeds, &setup)?;
    let bits = [Block::random(&mut rng), Block::random(&mut rng)];
    let mut message = Vec::new();
    let columns = receiver.columns(&bits, &mut message);
    let error = rng.next_u64() | 1;
    for (byte, error) in message[10 * 2 * 16..].iter_mut().zip(error.to_le_bytes()) {
        *byte ^= error;
    }
    receiver.answer(100, &bits, &columns, &mut message);
    sender.extend(100, &message, &mut Vec::new())
}

/// It survives exactly when both bits of the offset in that group are zero, so one time in four: what it can learn
/// costs it the matching chance of being caught.
#[test]
fn cheating_receiver_is_caught_three_times_in_four() {
    let runs = 2000;
    let mut survived = 0;
    for run in 0..runs {
        let delta = Block::random(&mut ChaCha20Rng::seed_from_u64(1_000_000 + run));
        let result = cheat_once(delta, run);
        let touched = (delta.value() >> 20) & 3 != 0;
        assert_eq!(
            result,
            if touched {
                Err(OtError::ExtensionCheck)
            } else {
                Ok(())
            },
            "run {run}"
        );
        survived += u32::from(!touched);
    }
    assert!((400..600).contains(&survived), "{survived} of {runs}");
}
