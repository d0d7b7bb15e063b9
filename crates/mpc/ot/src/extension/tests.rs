//! A receiver that deviates, built from the parts of the honest one.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;

/// The fastest form, also when the process is told to be portable: what is shown does not depend on it.
fn form() -> Isa {
    Isa::of_machine().last().copied().unwrap()
}

/// Both sides over base seeds dealt honestly.
fn pair(run: u64) -> (ExtensionSender, ExtensionReceiver) {
    let mut rng = ChaCha20Rng::seed_from_u64(run);
    let delta = Block::random(&mut rng);
    let pairs: Vec<[Block; 2]> = (0..128)
        .map(|_| [Block::random(&mut rng), Block::random(&mut rng)])
        .collect();
    let choices = ExtensionSender::base_choices(delta).value();
    let pick = |(i, pair): (usize, &[Block; 2])| pair[usize::from((choices >> i) & 1 == 1)];
    let seeds: Vec<Block> = pairs.iter().enumerate().map(pick).collect();
    let context = Context::new([1; 32]);
    let (receiver, setup) = ExtensionReceiver::new(context, form(), &pairs);
    let sender = ExtensionSender::new(context, form(), delta, &seeds, &setup).unwrap();
    (sender, receiver)
}

/// The receiver uses other choices in these groups and answers the check honestly for the rest. Afterwards both sides
/// are as before, so that one set-up serves many independent tries.
fn cheat(
    (sender, receiver): &mut (ExtensionSender, ExtensionReceiver),
    groups: &[usize],
    rng: &mut ChaCha20Rng,
) -> Result<(), OtError> {
    let bits = [Block::random(rng), Block::random(rng)];
    let mut message = Vec::new();
    let columns = receiver.columns(&bits, &mut message);
    for group in groups {
        let error = rng.next_u64() | 1;
        for (byte, error) in message[group * 2 * 16..]
            .iter_mut()
            .zip(error.to_le_bytes())
        {
            *byte ^= error;
        }
    }
    receiver.answer(100, &bits, &columns, &mut message);
    let result = sender.extend(100, &message, &mut Vec::new());
    (sender.position, sender.counter, sender.failed) = (0, 0, false);
    result
}

/// Tries every list of groups on some set-ups; a try survives exactly when all bits of the offset in its groups are zero.
fn survivors(setups: u64, lists: &[Vec<usize>]) -> u32 {
    let mut survived = 0;
    for run in 0..setups {
        let mut pair = pair(run);
        let mut rng = ChaCha20Rng::seed_from_u64(1_000_000 + run);
        for groups in lists {
            let delta = pair.0.delta().value();
            let touched = groups.iter().any(|group| (delta >> (2 * group)) & 3 != 0);
            let expected = if touched {
                Err(OtError::ExtensionCheck)
            } else {
                Ok(())
            };
            assert_eq!(cheat(&mut pair, groups, &mut rng), expected, "run {run}");
            survived += u32::from(!touched);
        }
    }
    survived
}

/// What a try can learn about the offset costs it the matching chance of being caught: three in four for one group of
/// two bits. 10,048 tries, five deviations of tolerance.
#[test]
fn cheating_receiver_is_caught_three_times_in_four() {
    let lists: Vec<Vec<usize>> = (0..GROUPS).map(|group| vec![group]).collect();
    let survived = survivors(157, &lists);
    assert!((2295..2729).contains(&survived), "{survived} of 10,048");
}

/// Two groups: fifteen in sixteen. 10,080 tries.
#[test]
fn cheating_in_two_groups_is_caught_fifteen_times_in_sixteen() {
    let lists: Vec<Vec<usize>> = (0..63).map(|group| vec![group, group + 1]).collect();
    let survived = survivors(160, &lists);
    assert!((480..780).contains(&survived), "{survived} of 10,080");
}
