//! NEON form with the AES and polynomial-product instructions of `AArch64`.
#![allow(
    unsafe_code,
    reason = "loads and stores of vectors, and calls of functions that need instructions detected at run time"
)]
#![allow(
    unused_unsafe,
    reason = "vector functions of `core` are safe to call here from Rust 1.87 on; this target is also checked with 1.85"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::multiple_unsafe_ops_per_block,
    reason = "arithmetic kernel: constant indexes into arrays and chunks of fixed length"
)]

use core::arch::aarch64::{
    uint8x16_t, vaeseq_u8, vaesmcq_u8, vdupq_n_u8, vdupq_n_u32, veorq_u8, vextq_u8, vgetq_lane_p64,
    vld1q_u8, vmull_high_p64, vmull_p64, vqtbl1q_u8, vreinterpretq_p64_u8, vreinterpretq_u8_p128,
    vreinterpretq_u8_u32, vreinterpretq_u8_u64, vreinterpretq_u64_u8, vst1q_u8, vzip2q_u64,
};

use super::portable;
use crate::block::Block;

/// Round constants of the key schedule (FIPS 197).
const RCON: [u32; 10] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36];
/// Bytes 13, 14, 15, 12 in every column: the rotated last word, broadcast.
const ROTATE: u32 = 0x0c0f_0e0d;

/// Whether the instructions are there. The bytes of a block in memory are those of a vector only where integers are
/// little-endian.
pub(super) fn has_neon_aes() -> bool {
    cfg!(target_endian = "little")
        && std::arch::is_aarch64_feature_detected!("neon")
        && std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull")
}

#[inline]
#[target_feature(enable = "neon")]
fn load(block: &Block) -> uint8x16_t {
    // SAFETY: a block is 16 readable bytes and the load has no alignment demand.
    unsafe { vld1q_u8(core::ptr::from_ref(block).cast()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(block: &mut Block, value: uint8x16_t) {
    // SAFETY: a block is 16 writable bytes, any bit pattern is a block, and the store has no alignment demand.
    unsafe { vst1q_u8(core::ptr::from_mut(block).cast(), value) }
}

#[inline]
#[target_feature(enable = "neon")]
fn zero() -> uint8x16_t {
    // SAFETY: the function needs NEON, which this function is compiled with.
    unsafe { vdupq_n_u8(0) }
}

#[inline]
#[target_feature(enable = "neon")]
fn xor(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    // SAFETY: the function needs NEON, which this function is compiled with.
    unsafe { veorq_u8(a, b) }
}

/// The same word in every column.
#[inline]
#[target_feature(enable = "neon")]
fn columns(word: u32) -> uint8x16_t {
    // SAFETY: the functions need NEON, which this function is compiled with.
    unsafe { vreinterpretq_u8_u32(vdupq_n_u32(word)) }
}

/// Addition of the key, substitution, row shift: the last round but for the last key.
#[inline]
#[target_feature(enable = "neon,aes")]
fn last_round(state: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    // SAFETY: the function needs the AES instructions, which this function is compiled with.
    unsafe { vaeseq_u8(state, key) }
}

/// The last round and the mix of columns: any other round.
#[inline]
#[target_feature(enable = "neon,aes")]
fn round(state: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    // SAFETY: the functions need the AES instructions, which this function is compiled with.
    unsafe { vaesmcq_u8(vaeseq_u8(state, key)) }
}

#[inline]
#[target_feature(enable = "neon")]
fn sigma(x: uint8x16_t) -> uint8x16_t {
    // SAFETY: the functions need NEON, which this function is compiled with.
    unsafe {
        let high = vzip2q_u64(vreinterpretq_u64_u8(zero()), vreinterpretq_u64_u8(x));
        xor(vextq_u8::<8>(x, x), vreinterpretq_u8_u64(high))
    }
}

#[inline]
#[target_feature(enable = "neon,aes")]
fn next_key(key: uint8x16_t, rcon: u32) -> uint8x16_t {
    // SAFETY: the functions need NEON, which this function is compiled with.
    unsafe {
        // The rotated last word stands in every column, so the row shift of the instruction changes nothing.
        let word = last_round(vqtbl1q_u8(key, columns(ROTATE)), zero());
        let word = xor(word, columns(rcon));
        let key = xor(key, vextq_u8::<12>(zero(), key));
        xor(xor(key, vextq_u8::<8>(zero(), key)), word)
    }
}

#[target_feature(enable = "neon,aes")]
fn expand_inner(key: Block) -> [Block; 11] {
    let mut out = [key; 11];
    let mut current = load(&key);
    for (slot, rcon) in out[1..].iter_mut().zip(RCON) {
        current = next_key(current, rcon);
        store(slot, current);
    }
    out
}

pub(super) fn expand(key: Block) -> [Block; 11] {
    // SAFETY: `Isa` of this form exists only where `has_neon_aes` held.
    unsafe { expand_inner(key) }
}

#[inline]
#[target_feature(enable = "neon,aes")]
fn rounds<const N: usize>(keys: &[Block; 11], state: &mut [uint8x16_t; N]) {
    for key in &keys[..9] {
        let key = load(key);
        for x in state.iter_mut() {
            *x = round(*x, key);
        }
    }
    let (before, last) = (load(&keys[9]), load(&keys[10]));
    for x in state.iter_mut() {
        *x = xor(last_round(*x, before), last);
    }
}

#[target_feature(enable = "neon,aes")]
fn encrypt_inner(keys: &[Block; 11], blocks: &mut [Block]) {
    let (chunks, rest) = blocks.as_chunks_mut::<8>();
    for chunk in chunks {
        let mut state = [zero(); 8];
        for (x, block) in state.iter_mut().zip(chunk.iter()) {
            *x = load(block);
        }
        rounds(keys, &mut state);
        for (x, block) in state.iter().zip(chunk.iter_mut()) {
            store(block, *x);
        }
    }
    for block in rest {
        let mut state = [load(block)];
        rounds(keys, &mut state);
        store(block, state[0]);
    }
}

pub(super) fn encrypt(keys: &[Block; 11], blocks: &mut [Block]) {
    // SAFETY: `Isa` of this form exists only where `has_neon_aes` held.
    unsafe { encrypt_inner(keys, blocks) }
}

/// One hash per key for `N` keys and `M` inputs of each key; `state[i][m]` goes in as the label.
#[inline]
#[target_feature(enable = "neon,aes")]
fn hash_lanes<const N: usize, const M: usize>(
    keys: &mut [uint8x16_t; N],
    state: &mut [[uint8x16_t; M]; N],
) {
    for x in state.as_flattened_mut() {
        *x = sigma(*x);
    }
    let input = *state;
    for rcon in &RCON[..9] {
        for i in 0..N {
            for x in &mut state[i] {
                *x = round(*x, keys[i]);
            }
            keys[i] = next_key(keys[i], *rcon);
        }
    }
    for i in 0..N {
        let last = next_key(keys[i], RCON[9]);
        for m in 0..M {
            let cipher = xor(last_round(state[i][m], keys[i]), last);
            state[i][m] = xor(cipher, input[i][m]);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn tweak_key(seed: uint8x16_t, tweak: u64) -> uint8x16_t {
    xor(seed, load(&Block::new(u128::from(tweak))))
}

#[target_feature(enable = "neon,aes")]
fn hash_inner(seed: Block, mut tweak: u64, blocks: &mut [Block]) {
    let seed = load(&seed);
    let (chunks, rest) = blocks.as_chunks_mut::<4>();
    for chunk in chunks {
        let mut keys = [seed; 4];
        let mut state = [[seed; 1]; 4];
        for i in 0..4 {
            keys[i] = tweak_key(seed, tweak.wrapping_add(i as u64));
            state[i][0] = load(&chunk[i]);
        }
        hash_lanes(&mut keys, &mut state);
        for i in 0..4 {
            store(&mut chunk[i], state[i][0]);
        }
        tweak = tweak.wrapping_add(4);
    }
    for block in rest {
        let mut state = [[load(block)]];
        hash_lanes(&mut [tweak_key(seed, tweak)], &mut state);
        store(block, state[0][0]);
        tweak = tweak.wrapping_add(1);
    }
}

pub(super) fn hash(seed: Block, tweak: u64, blocks: &mut [Block]) {
    // SAFETY: `Isa` of this form exists only where `has_neon_aes` held.
    unsafe { hash_inner(seed, tweak, blocks) }
}

#[target_feature(enable = "neon,aes")]
fn hash_both_inner(
    seed: Block,
    mut tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    let (seed, offset) = (load(&seed), load(&offset));
    let (chunks, rest) = plain.as_chunks_mut::<4>();
    let (chunks_shifted, rest_shifted) = shifted.as_chunks_mut::<4>();
    for (chunk, other) in chunks.iter_mut().zip(chunks_shifted) {
        let mut keys = [seed; 4];
        let mut state = [[seed; 2]; 4];
        for i in 0..4 {
            keys[i] = tweak_key(seed, tweak.wrapping_add(i as u64));
            let x = load(&chunk[i]);
            state[i] = [x, xor(x, offset)];
        }
        hash_lanes(&mut keys, &mut state);
        for i in 0..4 {
            store(&mut chunk[i], state[i][0]);
            store(&mut other[i], state[i][1]);
        }
        tweak = tweak.wrapping_add(4);
    }
    for (block, other) in rest.iter_mut().zip(rest_shifted) {
        let x = load(block);
        let mut state = [[x, xor(x, offset)]];
        hash_lanes(&mut [tweak_key(seed, tweak)], &mut state);
        store(block, state[0][0]);
        store(other, state[0][1]);
        tweak = tweak.wrapping_add(1);
    }
}

pub(super) fn hash_both(
    seed: Block,
    tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    // SAFETY: `Isa` of this form exists only where `has_neon_aes` held.
    unsafe { hash_both_inner(seed, tweak, offset, plain, shifted) }
}

/// Carry-less products of the low halves and of the high halves.
#[inline]
#[target_feature(enable = "neon,aes")]
fn halves(x: uint8x16_t, y: uint8x16_t) -> (uint8x16_t, uint8x16_t) {
    // SAFETY: the functions need NEON and the AES instructions, which this function is compiled with.
    unsafe {
        let (x, y) = (vreinterpretq_p64_u8(x), vreinterpretq_p64_u8(y));
        let low = vmull_p64(vgetq_lane_p64::<0>(x), vgetq_lane_p64::<0>(y));
        let high = vmull_high_p64(x, y);
        (vreinterpretq_u8_p128(low), vreinterpretq_u8_p128(high))
    }
}

#[target_feature(enable = "neon,aes")]
fn products_inner(a: &[Block], b: &[Block]) -> (Block, Block) {
    let mut low = zero();
    let mut middle = low;
    let mut high = low;
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (load(x), load(y));
        let (straight_low, straight_high) = halves(x, y);
        low = xor(low, straight_low);
        high = xor(high, straight_high);
        // SAFETY: the function needs NEON, which this function is compiled with.
        let swapped = unsafe { vextq_u8::<8>(y, y) };
        let (cross_low, cross_high) = halves(x, swapped);
        middle = xor(middle, xor(cross_low, cross_high));
    }
    let mut sums = [Block::ZERO; 3];
    store(&mut sums[0], low);
    store(&mut sums[1], middle);
    store(&mut sums[2], high);
    portable::join_products(sums[0], sums[1], sums[2])
}

pub(super) fn products(a: &[Block], b: &[Block]) -> (Block, Block) {
    // SAFETY: `Isa` of this form exists only where `has_neon_aes` held, which asks for the polynomial product.
    unsafe { products_inner(a, b) }
}
