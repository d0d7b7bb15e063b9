//! Correlated transfers by extension: SoftSpokenOT (Roy 2022/192) with two columns per group, 8 bytes per transfer.
//!
//! One message per chunk goes from receiver to sender: 64 corrected columns, then the answer to a consistency check
//! whose challenge is the hash of all these columns (under context and chunk number), so neither side picks it.
//! 128 further rows with random choices hide the choices in the answer. A receiver whose columns disagree passes only
//! if it guessed the bits of `delta` that its disagreement touches.
//!
//! Law of the output: `received = sent ^ choice * delta`.

use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::base::BASE_COUNT;
use crate::block::{Block, put_blocks};
use crate::context::Context;
use crate::error::{OtError, expect_len};
use crate::kernel::{AesKey, Isa};
use crate::seeds::{self, GROUPS};

/// Most transfers of one message: columns and rows of a chunk then stay in the second-level cache.
pub const MAX_CHUNK: usize = 1 << 14;
/// Bytes of the answer to the check: sum of the choices, hash of the column sums.
const ANSWER_BYTES: usize = Block::BYTES + 32;
/// Most blocks of one column: rows of a chunk and the hiding rows.
const MAX_BLOCKS: usize = MAX_CHUNK / 128 + 1;

/// Blocks of one column for this many transfers, with the hiding rows.
fn column_blocks(count: usize) -> Result<usize, OtError> {
    if count == 0 || count > MAX_CHUNK {
        Err(OtError::Count(count))
    } else {
        Ok(count.div_ceil(128).saturating_add(1))
    }
}

/// Bytes of the message that carries `count` transfers.
///
/// # Errors
/// `count` is zero or above [`MAX_CHUNK`].
pub fn message_len(count: usize) -> Result<usize, OtError> {
    let columns = column_blocks(count)?
        .saturating_mul(GROUPS)
        .saturating_mul(Block::BYTES);
    Ok(columns.saturating_add(ANSWER_BYTES))
}

/// Packs choices, first choice in bit 0 of the first block.
#[must_use]
pub fn pack_choices(choices: &[bool]) -> Vec<Block> {
    let pack = |bits: &[bool]| {
        bits.iter()
            .rev()
            .fold(0_u128, |sum, bit| (sum << 1) | u128::from(*bit))
    };
    choices
        .chunks(128)
        .map(|bits| Block::new(pack(bits)))
        .collect()
}

/// Challenge of the check: one coefficient per block of a column; the last one, of the hiding rows, is one.
fn challenge(
    context: &Context,
    isa: Isa,
    counter: u64,
    count: usize,
    columns: &[u8],
) -> Vec<Block> {
    let hasher = context
        .hasher("extension check")
        .number(counter)
        .number(count as u64)
        .part(columns);
    let mut chi = vec![Block::ONE; columns.len() / (GROUPS * Block::BYTES)];
    if let Some((_, data)) = chi.split_last_mut() {
        isa.key_stream(&AesKey::new(isa, hasher.block()), 0, data);
    }
    chi
}

/// 128 columns of a chunk, one after the other.
#[derive(Default)]
struct Columns {
    blocks: Zeroizing<Vec<Block>>,
    height: usize,
}

impl Columns {
    /// Makes room for columns of this height; what is in them is overwritten by the key streams.
    fn set_height(&mut self, height: usize) {
        self.blocks
            .resize(BASE_COUNT.saturating_mul(height), Block::ZERO);
        self.height = height;
    }

    fn iter(&self) -> impl Iterator<Item = &[Block]> {
        self.blocks.chunks_exact(self.height)
    }

    /// Hash of the sums of all columns, each shifted by `offset` where its bit of `delta` is set.
    fn sums(
        &self,
        context: &Context,
        isa: Isa,
        chi: &[Block],
        delta: Block,
        offset: Block,
    ) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(BASE_COUNT * Block::BYTES);
        for (i, column) in self.iter().enumerate() {
            let bit = (delta.value() >> (i % BASE_COUNT)) & 1 == 1;
            let sum = isa.inner_product(chi, column) ^ (offset & Block::mask(bit));
            bytes.extend_from_slice(&sum.to_bytes());
        }
        context.hasher("extension sums").part(&bytes).digest()
    }

    /// Appends the first `count` rows.
    fn rows(&self, isa: Isa, count: usize, out: &mut Vec<Block>) {
        out.reserve(count);
        let mut left = count;
        for index in 0..self.height {
            let mut matrix = [Block::ZERO; 128];
            for (row, column) in matrix.iter_mut().zip(self.iter()) {
                *row = column.get(index).copied().unwrap_or_default();
            }
            isa.transpose(&mut matrix);
            out.extend(matrix.iter().take(left));
            left = left.saturating_sub(128);
            if left == 0 {
                break;
            }
        }
    }
}

fn add_into(sum: &mut [Block], other: &[Block]) {
    for (a, b) in sum.iter_mut().zip(other) {
        *a ^= *b;
    }
}

/// The two columns of group `i`.
fn column_pair(columns: &mut [Block], height: usize, group: usize) -> (&mut [Block], &mut [Block]) {
    let start = group.saturating_mul(2).saturating_mul(height);
    let end = start.saturating_add(height.saturating_mul(2));
    columns
        .get_mut(start..end)
        .unwrap_or_default()
        .split_at_mut(height)
}

/// The side that chooses. Holds all leaves of the seed trees.
pub struct ExtensionReceiver {
    context: Context,
    isa: Isa,
    keys: Vec<[AesKey; 4]>,
    /// Position in the key streams.
    position: u64,
    /// Messages made.
    counter: u64,
    scratch: Zeroizing<Vec<Block>>,
    columns: Columns,
}

impl fmt::Debug for ExtensionReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionReceiver")
            .field("messages", &self.counter)
            .finish_non_exhaustive()
    }
}

impl ExtensionReceiver {
    /// From the 128 pairs of base seeds (this side was base *sender*); returns the message that sets the sender up.
    #[must_use]
    pub fn new(context: Context, isa: Isa, pairs: &[[Block; 2]]) -> (Self, Vec<u8>) {
        let (leaves, message) = seeds::grow(&context, pairs);
        let keys = leaves
            .iter()
            .map(|leaves| leaves.map(|leaf| AesKey::new(isa, leaf)))
            .collect();
        let scratch = Zeroizing::new(vec![Block::ZERO; 3 * MAX_BLOCKS]);
        (
            Self {
                context,
                isa,
                keys,
                position: 0,
                counter: 0,
                scratch,
                columns: Columns::default(),
            },
            message,
        )
    }

    /// `count` correlated transfers with the packed choices: appends `count` blocks to `out` and puts the message for
    /// the sender in place of what `message` held.
    ///
    /// # Errors
    /// `count` is zero or above [`MAX_CHUNK`], or there are fewer choices than `count`.
    pub fn extend(
        &mut self,
        count: usize,
        choices: &[Block],
        out: &mut Vec<Block>,
        message: &mut Vec<u8>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), OtError> {
        let height = column_blocks(count)?;
        let data = choices
            .get(..height.saturating_sub(1))
            .ok_or(OtError::Count(count))?;
        let mut bits = Zeroizing::new(data.to_vec());
        bits.push(Block::random(rng));
        let columns = self.columns(&bits, message);
        self.answer(count, &bits, &columns, message);
        columns.rows(self.isa, count, out);
        self.columns = columns;
        self.position = self.position.wrapping_add(height as u64);
        self.counter = self.counter.wrapping_add(1);
        Ok(())
    }

    /// The own columns for these choices; the corrected columns become the message.
    fn columns(&mut self, bits: &[Block], message: &mut Vec<u8>) -> Columns {
        let mut columns = core::mem::take(&mut self.columns);
        columns.set_height(bits.len());
        message.clear();
        for group in 0..GROUPS {
            let correction = self.group(group, bits.len(), &mut columns);
            add_into(correction, bits);
            put_blocks(message, correction);
        }
        columns
    }

    /// Appends the answer to the challenge that the message so far determines.
    fn answer(&self, count: usize, bits: &[Block], columns: &Columns, message: &mut Vec<u8>) {
        let chi = challenge(&self.context, self.isa, self.counter, count, message);
        let sum = self.isa.inner_product(&chi, bits);
        let sums = columns.sums(&self.context, self.isa, &chi, Block::ZERO, Block::ZERO);
        message.extend_from_slice(&sum.to_bytes());
        message.extend_from_slice(&sums);
    }

    /// Fills both columns of a group and returns the sum of its four streams.
    fn group(&mut self, group: usize, height: usize, columns: &mut Columns) -> &mut [Block] {
        let (left, right) = column_pair(&mut columns.blocks, height, group);
        let scratch = self
            .scratch
            .get_mut(..height.saturating_mul(2))
            .unwrap_or_default();
        let (sum, three) = scratch.split_at_mut(height);
        let Some(keys) = self.keys.get(group) else {
            return sum;
        };
        self.isa.key_stream(&keys[0], self.position, sum);
        self.isa.key_stream(&keys[1], self.position, right);
        self.isa.key_stream(&keys[2], self.position, left);
        self.isa.key_stream(&keys[3], self.position, three);
        for (((sum, right), left), three) in sum.iter_mut().zip(right).zip(left).zip(three) {
            *sum ^= *right ^ *left ^ *three;
            *right ^= *three;
            *left ^= *three;
        }
        sum
    }
}

/// The side that holds `delta` and is safe against a receiver that deviates.
pub struct ExtensionSender {
    context: Context,
    isa: Isa,
    delta: Block,
    keys: Vec<[AesKey; 3]>,
    position: u64,
    counter: u64,
    failed: bool,
    scratch: Zeroizing<Vec<Block>>,
    columns: Columns,
}

impl fmt::Debug for ExtensionSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionSender")
            .field("messages", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Drop for ExtensionSender {
    fn drop(&mut self) {
        self.delta.zeroize();
    }
}

impl ExtensionSender {
    /// Base choices that belong to an offset.
    #[must_use]
    pub const fn base_choices(delta: Block) -> Block {
        Block::new(!delta.value())
    }

    /// From the 128 base seeds received with [`Self::base_choices`] and the receiver's set-up message.
    ///
    /// # Errors
    /// Wrong length or inconsistent seed trees.
    pub fn new(
        context: Context,
        isa: Isa,
        delta: Block,
        seeds: &[Block],
        message: &[u8],
    ) -> Result<Self, OtError> {
        let leaves = seeds::puncture(&context, delta, seeds, message)?;
        let keys = leaves
            .iter()
            .map(|leaves| leaves.map(|leaf| AesKey::new(isa, leaf)))
            .collect();
        let scratch = Zeroizing::new(vec![Block::ZERO; 2 * MAX_BLOCKS]);
        Ok(Self {
            context,
            isa,
            delta,
            keys,
            position: 0,
            counter: 0,
            failed: false,
            scratch,
            columns: Columns::default(),
        })
    }

    /// The offset.
    #[must_use]
    pub const fn delta(&self) -> Block {
        self.delta
    }

    /// Takes the message of `count` transfers and appends their blocks to `out`.
    ///
    /// # Errors
    /// Wrong count or length, or a failed check. After a failed check every later call fails too.
    pub fn extend(
        &mut self,
        count: usize,
        message: &[u8],
        out: &mut Vec<Block>,
    ) -> Result<(), OtError> {
        if self.failed {
            return Err(OtError::State);
        }
        let height = column_blocks(count)?;
        expect_len(message, message_len(count)?)?;
        let (corrections, answer) = message.split_at(message.len().saturating_sub(ANSWER_BYTES));
        let mut columns = core::mem::take(&mut self.columns);
        columns.set_height(height);
        for (group, bytes) in corrections
            .chunks_exact(height.saturating_mul(Block::BYTES))
            .enumerate()
        {
            self.group(group, bytes, &mut columns);
        }
        let chi = challenge(&self.context, self.isa, self.counter, count, corrections);
        let (sum, hash) = answer.split_at(Block::BYTES.min(answer.len()));
        let sum = sum
            .first_chunk()
            .map_or(Block::ZERO, |bytes| Block::from_bytes(*bytes));
        let sums = columns.sums(&self.context, self.isa, &chi, self.delta, sum);
        if !bool::from(sums.ct_eq(hash)) {
            self.failed = true;
            return Err(OtError::ExtensionCheck);
        }
        columns.rows(self.isa, count, out);
        self.columns = columns;
        self.position = self.position.wrapping_add(height as u64);
        self.counter = self.counter.wrapping_add(1);
        Ok(())
    }

    /// Fills both columns of a group from its three streams and its corrections.
    fn group(&mut self, group: usize, corrections: &[u8], columns: &mut Columns) {
        let height = columns.height;
        let (left, right) = column_pair(&mut columns.blocks, height, group);
        let both = self.scratch.get_mut(..height).unwrap_or_default();
        let Some(keys) = self.keys.get(group) else {
            return;
        };
        self.isa.key_stream(&keys[0], self.position, left);
        self.isa.key_stream(&keys[1], self.position, right);
        self.isa.key_stream(&keys[2], self.position, both);
        let bit =
            |offset: usize| Block::mask((self.delta.value() >> (2 * group + offset)) & 1 == 1);
        let (left_mask, right_mask) = (bit(0), bit(1));
        let corrections = corrections.as_chunks::<16>().0;
        for (((left, right), both), bytes) in left.iter_mut().zip(right).zip(both).zip(corrections)
        {
            let correction = Block::from_bytes(*bytes);
            *left ^= *both ^ (correction & left_mask);
            *right ^= *both ^ (correction & right_mask);
        }
    }
}

#[cfg(test)]
mod tests;
