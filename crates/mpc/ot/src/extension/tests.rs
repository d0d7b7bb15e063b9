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

/// Blocks of a column whose coefficients sum to zero: linear algebra over the bits of 129 coefficients.
fn vanishing(chi: &[Block]) -> Vec<usize> {
    // Reduced coefficients with the set of those that made them.
    let mut basis: Vec<(u128, Vec<usize>)> = Vec::new();
    for (index, coefficient) in chi.iter().enumerate() {
        let (mut value, mut set) = (coefficient.value(), vec![index]);
        for (other, made_of) in &basis {
            if value ^ other < value {
                value ^= other;
                for index in made_of {
                    match set.iter().position(|known| known == index) {
                        Some(at) => drop(set.remove(at)),
                        None => set.push(*index),
                    }
                }
            }
        }
        if value == 0 {
            return set;
        }
        basis.push((value, set));
        basis.sort_by_key(|(value, _)| core::cmp::Reverse(*value));
    }
    Vec::new()
}

/// A receiver that knew the challenge before its columns could spread one error over blocks whose coefficients cancel and
/// pass for sure. The challenge is the hash of the columns, so the spread error meets another challenge.
#[test]
fn errors_spread_over_a_vanishing_sum_are_caught() {
    let (mut caught, runs) = (0, 24);
    for run in 0..runs {
        let mut pair = pair(run);
        let mut rng = ChaCha20Rng::seed_from_u64(2_000_000 + run);
        let bits: Vec<Block> = (0..=MAX_CHUNK / 128)
            .map(|_| Block::random(&mut rng))
            .collect();
        let mut message = Vec::new();
        let columns = pair.1.columns(&bits, &mut message);
        let context = Context::new([1; 32]);
        let chi = challenge(&context, form(), 0, MAX_CHUNK, &message);
        let set = vanishing(&chi);
        assert!(!set.is_empty());
        let sum = set.iter().fold(Block::ZERO, |sum, i| sum ^ chi[*i]);
        assert!(
            sum == Block::ZERO,
            "the error would vanish under the old challenge"
        );
        let error = Block::random(&mut rng).to_bytes();
        for block in &set {
            let at = (10 * bits.len() + block) * 16;
            for (byte, error) in message[at..at + 16].iter_mut().zip(error) {
                *byte ^= error;
            }
        }
        pair.1.answer(MAX_CHUNK, &bits, &columns, &mut message);
        let touched = (pair.0.delta().value() >> 20) & 3 != 0;
        let result = pair.0.extend(MAX_CHUNK, &message, &mut Vec::new());
        assert_eq!(result.is_err(), touched, "run {run}");
        caught += u32::from(touched);
    }
    assert!(caught > 10, "{caught} of {runs}");
}
