//! Portable constant-time forms: bit-sliced AES (sixteen blocks at a time, one key per block), carry-less products by
//! integer multiplication with holes, transposition by masked swaps. No table look-up, no secret-dependent branch.
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: constant indexes into arrays and chunks of fixed length"
)]

mod sbox;

use core::array::from_fn;

use crate::block::Block;
use sbox::{Slice, sub_bytes};

/// Blocks worked on together.
const LANES: usize = 16;
/// Round constants of the key schedule (FIPS 197).
const RCON: [u32; 10] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36];

/// Eight bit planes of sixteen blocks. Word `r` of a plane is row `r` of the state; the bit of column `c` of block `n` is
/// at position `16 c + n`. Rows and columns then move by renaming words and rotating them.
type Planes = [Slice; 8];

fn swap_bits<const SHIFT: u32>(a: u64, b: u64, mask: u64) -> (u64, u64) {
    let low = (a & mask) | ((b & mask) << SHIFT);
    let high = ((a & !mask) >> SHIFT) | (b & !mask);
    (low, high)
}

/// Exchanges bit `i` of every byte of word `j` with bit `j` of the same byte of word `i`.
fn ortho(q: &mut [u64; 8]) {
    for i in [0, 2, 4, 6] {
        (q[i], q[i + 1]) = swap_bits::<1>(q[i], q[i + 1], 0x5555_5555_5555_5555);
    }
    for i in [0, 1, 4, 5] {
        (q[i], q[i + 2]) = swap_bits::<2>(q[i], q[i + 2], 0x3333_3333_3333_3333);
    }
    for i in [0, 1, 2, 3] {
        (q[i], q[i + 4]) = swap_bits::<4>(q[i], q[i + 4], 0x0f0f_0f0f_0f0f_0f0f);
    }
}

/// The four bytes of one row of a block, at the even bytes of a word.
fn row_of(block: Block, row: u32) -> u64 {
    let (low, high) = (block.value() as u64, (block.value() >> 64) as u64);
    let pair = |x: u64| {
        let x = (x >> (8 * row)) & 0x0000_00ff_0000_00ff;
        (x | (x >> 16)) & 0x00ff_00ff
    };
    pair(low) | (pair(high) << 32)
}

/// Inverse of [`row_of`]: the part of the block that this row gives; odd bytes are ignored.
fn block_of(word: u64, row: u32) -> u128 {
    let pair = |x: u64| {
        let x = x & 0x00ff_00ff;
        ((x | (x << 16)) & 0x0000_00ff_0000_00ff) << (8 * row)
    };
    u128::from(pair(word)) | (u128::from(pair(word >> 32)) << 64)
}

fn to_planes(blocks: &[Block; LANES]) -> Planes {
    let mut planes = [Slice::ZERO; 8];
    for row in 0..4 {
        let mut words: [u64; 8] =
            from_fn(|i| row_of(blocks[i], row as u32) | (row_of(blocks[i + 8], row as u32) << 8));
        ortho(&mut words);
        for (plane, word) in planes.iter_mut().zip(words) {
            plane.0[row] = word;
        }
    }
    planes
}

fn from_planes(planes: &Planes) -> [Block; LANES] {
    let mut values = [0_u128; LANES];
    for row in 0..4 {
        let mut words: [u64; 8] = from_fn(|i| planes[i].0[row]);
        ortho(&mut words);
        for (i, word) in words.into_iter().enumerate() {
            values[i] |= block_of(word, row as u32);
            values[i + 8] |= block_of(word >> 8, row as u32);
        }
    }
    values.map(Block::new)
}

/// Planes of sixteen copies of one block.
fn broadcast(block: Block) -> Planes {
    let value = block.value();
    from_fn(|bit| {
        Slice(from_fn(|row| {
            // Bit `bit` of the bytes of this row at every 16th position, then copied over the 16 blocks.
            let bits = value >> (8 * row + bit);
            let at = |column: usize| ((bits >> (32 * column)) as u64 & 1) << (16 * column);
            (at(0) | at(1) | at(2) | at(3)) * 0xffff
        }))
    })
}

fn shift_rows(planes: &mut Planes) {
    for Slice(rows) in planes {
        let [r0, r1, r2, r3] = *rows;
        *rows = [
            r0,
            r1.rotate_right(16),
            r2.rotate_right(32),
            r3.rotate_right(48),
        ];
    }
}

/// Row `r` becomes row `r + N`.
fn next_rows<const N: usize>(plane: Slice) -> Slice {
    Slice(from_fn(|row| plane.0[(row + N) % 4]))
}

fn mix_columns(planes: &mut Planes) {
    let next: Planes = from_fn(|i| next_rows::<1>(planes[i]));
    let sum: Planes = from_fn(|i| planes[i] ^ next[i]);
    let carry = sum[7];
    let doubled: Planes = from_fn(|i| match i {
        0 => carry,
        1 | 3 | 4 => sum[i - 1] ^ carry,
        _ => sum[i - 1],
    });
    for i in 0..8 {
        planes[i] = doubled[i] ^ next[i] ^ next_rows::<2>(sum[i]);
    }
}

fn add_key(planes: &mut Planes, key: &Planes) {
    for (plane, key) in planes.iter_mut().zip(key) {
        *plane = *plane ^ *key;
    }
}

/// Next round key of sixteen keys at once.
fn next_keys(keys: &mut Planes, rcon: u32) {
    let mut words = *keys;
    sub_bytes(&mut words);
    for (bit, (key, word)) in keys.iter_mut().zip(words).enumerate() {
        // The last column, rotated by a row, goes to all columns; the constant to all columns of the first row.
        let mut word = next_rows::<1>(word).0.map(|x| {
            let x = x >> 48;
            let x = x | (x << 16);
            x | (x << 32)
        });
        word[0] ^= u64::from((rcon >> bit) & 1).wrapping_neg();
        for (key, word) in key.0.iter_mut().zip(word) {
            let k = *key ^ (*key << 16);
            *key = k ^ (k << 32) ^ word;
        }
    }
}

fn round(state: &mut Planes, key: &Planes, last: bool) {
    sub_bytes(state);
    shift_rows(state);
    if !last {
        mix_columns(state);
    }
    add_key(state, key);
}

/// Encrypts `M` sets of sixteen blocks; lane `i` of every set under key `i`.
fn encrypt_lanes<const M: usize>(keys: &[Block; LANES], states: &mut [Planes; M]) {
    let mut keys = to_planes(keys);
    for state in states.iter_mut() {
        add_key(state, &keys);
    }
    for (i, rcon) in RCON.into_iter().enumerate() {
        next_keys(&mut keys, rcon);
        for state in states.iter_mut() {
            round(state, &keys, i == 9);
        }
    }
}

pub(super) fn expand(key: Block) -> [Block; 11] {
    let mut planes = broadcast(key);
    let mut out = [key; 11];
    for (slot, rcon) in out[1..].iter_mut().zip(RCON) {
        next_keys(&mut planes, rcon);
        *slot = from_planes(&planes)[0];
    }
    out
}

pub(super) fn encrypt(keys: &[Block; 11], blocks: &mut [Block]) {
    let planes: [Planes; 11] = keys.map(broadcast);
    for chunk in blocks.chunks_mut(LANES) {
        let mut lanes = [Block::ZERO; LANES];
        lanes[..chunk.len()].copy_from_slice(chunk);
        let mut state = to_planes(&lanes);
        add_key(&mut state, &planes[0]);
        for (i, key) in planes[1..].iter().enumerate() {
            round(&mut state, key, i == 9);
        }
        chunk.copy_from_slice(&from_planes(&state)[..chunk.len()]);
    }
}

fn tweak_keys(seed: Block, tweak: u64) -> [Block; LANES] {
    from_fn(|i| seed ^ Block::new(u128::from(tweak.wrapping_add(i as u64))))
}

pub(super) fn hash(seed: Block, mut tweak: u64, blocks: &mut [Block]) {
    for chunk in blocks.chunks_mut(LANES) {
        let mut input = [Block::ZERO; LANES];
        for (x, block) in input.iter_mut().zip(chunk.iter()) {
            *x = block.sigma();
        }
        let mut states = [to_planes(&input)];
        encrypt_lanes(&tweak_keys(seed, tweak), &mut states);
        let out = from_planes(&states[0]);
        for (i, block) in chunk.iter_mut().enumerate() {
            *block = out[i] ^ input[i];
        }
        tweak = tweak.wrapping_add(LANES as u64);
    }
}

pub(super) fn hash_both(
    seed: Block,
    mut tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    let offset = offset.sigma();
    let offset_planes = broadcast(offset);
    for (chunk, other) in plain.chunks_mut(LANES).zip(shifted.chunks_mut(LANES)) {
        let mut input = [Block::ZERO; LANES];
        for (x, block) in input.iter_mut().zip(chunk.iter()) {
            *x = block.sigma();
        }
        let mut states = [to_planes(&input); 2];
        add_key(&mut states[1], &offset_planes);
        encrypt_lanes(&tweak_keys(seed, tweak), &mut states);
        let out = states.map(|state| from_planes(&state));
        for (i, block) in chunk.iter_mut().enumerate() {
            *block = out[0][i] ^ input[i];
            other[i] = out[1][i] ^ input[i] ^ offset;
        }
        tweak = tweak.wrapping_add(LANES as u64);
    }
}

/// Low 64 bits of the carry-less product: operands with three holes between bits, so that carries never reach a bit
/// that counts.
fn carryless_low(x: u64, y: u64) -> u64 {
    const HOLES: u64 = 0x1111_1111_1111_1111;
    let x: [u64; 4] = from_fn(|i| x & (HOLES << i));
    let y: [u64; 4] = from_fn(|i| y & (HOLES << i));
    let mut out = 0;
    for i in 0..4 {
        let mut sum = 0;
        for (j, left) in x.iter().enumerate() {
            sum ^= left.wrapping_mul(y[(4 + i - j) % 4]);
        }
        out |= sum & (HOLES << i);
    }
    out
}

fn carryless(x: u64, y: u64) -> u128 {
    let low = carryless_low(x, y);
    let high = carryless_low(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
    u128::from(low) | (u128::from(high) << 64)
}

pub(super) fn products(a: &[Block], b: &[Block]) -> (Block, Block) {
    let (mut low, mut middle, mut high) = (0, 0, 0);
    for (x, y) in a.iter().zip(b) {
        let (x0, x1) = (x.value() as u64, (x.value() >> 64) as u64);
        let (y0, y1) = (y.value() as u64, (y.value() >> 64) as u64);
        low ^= carryless(x0, y0);
        high ^= carryless(x1, y1);
        middle ^= carryless(x0, y1) ^ carryless(x1, y0);
    }
    join_products(Block::new(low), Block::new(middle), Block::new(high))
}

/// 256-bit sum `low + middle * x^64 + high * x^128`, as low and high half.
pub(super) fn join_products(low: Block, middle: Block, high: Block) -> (Block, Block) {
    let middle = middle.value();
    (
        Block::new(low.value() ^ (middle << 64)),
        Block::new(high.value() ^ (middle >> 64)),
    )
}

/// Reduces a 256-bit polynomial modulo `x^128 + x^7 + x^2 + x + 1`.
pub(super) fn reduce(low: Block, high: Block) -> Block {
    let high = high.value();
    let over = (high >> 121) ^ (high >> 126) ^ (high >> 127);
    let high = high ^ over;
    Block::new(low.value() ^ high ^ (high << 1) ^ (high << 2) ^ (high << 7))
}

pub(super) fn transpose(matrix: &mut [Block; 128]) {
    transpose_inline(matrix);
}

/// Swaps ever smaller squares across the diagonal; written over 64-bit words so that compilers use wide vectors.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the body must be compiled with the instructions of its caller"
)]
pub(super) fn transpose_inline(matrix: &mut [Block; 128]) {
    let mut low: [u64; 128] = from_fn(|i| matrix[i].value() as u64);
    let mut high: [u64; 128] = from_fn(|i| (matrix[i].value() >> 64) as u64);
    for i in 0..64 {
        core::mem::swap(&mut high[i], &mut low[i + 64]);
    }
    transpose_halves::<32>(&mut low, &mut high, 0x0000_0000_ffff_ffff);
    transpose_halves::<16>(&mut low, &mut high, 0x0000_ffff_0000_ffff);
    transpose_halves::<8>(&mut low, &mut high, 0x00ff_00ff_00ff_00ff);
    transpose_halves::<4>(&mut low, &mut high, 0x0f0f_0f0f_0f0f_0f0f);
    transpose_halves::<2>(&mut low, &mut high, 0x3333_3333_3333_3333);
    transpose_halves::<1>(&mut low, &mut high, 0x5555_5555_5555_5555);
    for (block, (low, high)) in matrix.iter_mut().zip(low.into_iter().zip(high)) {
        *block = Block::new(u128::from(low) | (u128::from(high) << 64));
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the body must be compiled with the instructions of its caller"
)]
fn transpose_halves<const S: usize>(low: &mut [u64; 128], high: &mut [u64; 128], mask: u64) {
    for half in [low, high] {
        for rows in half.chunks_exact_mut(2 * S) {
            let (upper, lower) = rows.split_at_mut(S);
            for (a, b) in upper.iter_mut().zip(lower) {
                let t = ((*a >> S) ^ *b) & mask;
                *b ^= t;
                *a ^= t << S;
            }
        }
    }
}
