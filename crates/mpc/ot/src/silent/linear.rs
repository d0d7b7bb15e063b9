//! The public linear map: every output takes the sum of ten inputs.
//!
//! Indexes come from a key stream of the round, ten 32-bit numbers `r` for each output in order, index
//! `(r * inputs) >> 32`. They depend on nothing but the round: not on threads, pieces or machine.

use crate::block::Block;
use crate::context::Context;
use crate::kernel::{AesKey, Isa};

/// Inputs summed into one output.
pub(super) const WEIGHT: usize = 10;
/// Outputs worked on at once; their indexes are whole blocks of key stream.
const BATCH: usize = 128;
/// Blocks of key stream of a batch, four numbers each.
const STREAM: usize = WEIGHT * BATCH / 4;

/// Adds to every output its sum of inputs.
pub(super) fn add_map(context: &Context, isa: Isa, inputs: &[Block], outputs: &mut [Block]) {
    let key = AesKey::new(isa, context.hasher("silent map").block());
    let mut stream = [Block::ZERO; STREAM];
    let mut indexes = [0_u32; WEIGHT * BATCH];
    let mut position = 0_u64;
    for outputs in outputs.chunks_mut(BATCH) {
        isa.key_stream(&key, position, &mut stream);
        position = position.wrapping_add(STREAM as u64);
        draw(inputs.len(), &stream, &mut indexes);
        gather(inputs, &indexes, outputs);
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "a 32-bit number times a length below 2^24, shifted by 32, is below the length"
)]
fn draw(inputs: usize, stream: &[Block; STREAM], indexes: &mut [u32; WEIGHT * BATCH]) {
    let bound = inputs as u64;
    for (slots, block) in indexes.as_chunks_mut::<4>().0.iter_mut().zip(stream) {
        for (slot, number) in slots.iter_mut().zip(block.to_bytes().as_chunks::<4>().0) {
            *slot = ((u64::from(u32::from_le_bytes(*number)) * bound) >> 32) as u32;
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "indexes are drawn below the number of inputs; hottest loop"
)]
fn gather(inputs: &[Block], indexes: &[u32; WEIGHT * BATCH], outputs: &mut [Block]) {
    for (output, indexes) in outputs.iter_mut().zip(indexes.as_chunks::<WEIGHT>().0) {
        let mut sum = *output;
        for index in indexes {
            sum ^= inputs[*index as usize];
        }
        *output = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The map by its definition, one output at a time.
    #[test]
    fn map_equals_its_definition_and_indexes_are_even() {
        let context = Context::new([3; 32]);
        let inputs: Vec<Block> = (1..=700_u128)
            .map(|i| Block::new(i * i * 0x1_0000_0001))
            .collect();
        let count = 1003;
        let key = AesKey::new(Isa::PORTABLE, context.hasher("silent map").block());
        let mut stream = vec![Block::ZERO; count * WEIGHT / 4 + 1];
        Isa::PORTABLE.key_stream(&key, 0, &mut stream);
        let numbers: Vec<u32> = stream
            .iter()
            .flat_map(|block| {
                (0..4)
                    .map(move |i| u32::try_from((block.value() >> (32 * i)) & 0xffff_ffff).unwrap())
            })
            .collect();
        let mut hits = vec![0_u32; inputs.len()];
        let model: Vec<Block> = numbers
            .chunks(WEIGHT)
            .take(count)
            .map(|numbers| {
                numbers.iter().fold(Block::new(5), |sum, number| {
                    let index = usize::try_from((u64::from(*number) * 700) >> 32).unwrap();
                    hits[index] += 1;
                    sum ^ inputs[index]
                })
            })
            .collect();
        for isa in Isa::available() {
            let mut outputs = vec![Block::new(5); count];
            add_map(&context, isa, &inputs, &mut outputs);
            assert!(outputs == model, "{isa:?}");
        }
        // 10,030 draws over 700 inputs: mean 14.3, standard deviation 3.8.
        assert!(hits.iter().all(|hit| (1..40).contains(hit)));
    }
}
