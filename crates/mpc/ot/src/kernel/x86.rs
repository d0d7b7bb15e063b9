//! AES-NI and VAES-512 forms.
#![allow(
    unsafe_code,
    reason = "loads and stores of vectors, and calls of functions that need instructions detected at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    clippy::multiple_unsafe_ops_per_block,
    reason = "arithmetic kernel: constant indexes into arrays and chunks of fixed length"
)]

use core::arch::x86_64::{
    __m128i, __m512i, __mmask8, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_clmulepi64_si128,
    _mm_loadu_si128, _mm_set_epi64x, _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_slli_si128, _mm_storeu_si128, _mm_unpackhi_epi64, _mm_xor_si128,
    _mm256_storeu_si256, _mm512_add_epi64, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_bslli_epi128, _mm512_castsi512_si256,
    _mm512_clmulepi64_epi128, _mm512_loadu_si512, _mm512_mask_and_epi64, _mm512_mask_xor_epi64,
    _mm512_set_epi64, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_shuffle_epi32, _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_srai_epi64,
    _mm512_storeu_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
};

use super::{HashKeys, Isa, Kind, Rows, gates, portable};
use crate::block::Block;

/// Round constants of the key schedule (FIPS 197).
const RCON: [i32; 10] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36];
/// Bytes 13, 14, 15, 12 in every column: the rotated last word, broadcast.
const ROTATE: i32 = 0x0c0f_0e0d;

pub(super) fn has_aesni() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("pclmulqdq")
}

pub(super) fn has_vaes512() -> bool {
    has_aesni()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("vpclmulqdq")
}

// ---------------------------------------------------------------------------------------------------------------
// 128-bit vectors
// ---------------------------------------------------------------------------------------------------------------

#[inline]
#[target_feature(enable = "sse2")]
fn load(block: &Block) -> __m128i {
    // SAFETY: a block is 16 readable bytes and the load has no alignment demand.
    unsafe { _mm_loadu_si128(core::ptr::from_ref(block).cast()) }
}

#[inline]
#[target_feature(enable = "sse2")]
fn store(block: &mut Block, value: __m128i) {
    // SAFETY: a block is 16 writable bytes, any bit pattern is a block, and the store has no alignment demand.
    unsafe { _mm_storeu_si128(core::ptr::from_mut(block).cast(), value) }
}

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn sigma(x: __m128i) -> __m128i {
    let high = _mm_unpackhi_epi64(_mm_setzero_si128(), x);
    _mm_xor_si128(_mm_shuffle_epi32::<0b01_00_11_10>(x), high)
}

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn next_key(key: __m128i, rcon: i32) -> __m128i {
    // The rotated last word stands in every column, so the row shift of the instruction changes nothing.
    let word = _mm_shuffle_epi8(key, _mm_set1_epi32(ROTATE));
    let word = _mm_aesenclast_si128(word, _mm_set1_epi32(rcon));
    let key = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    _mm_xor_si128(_mm_xor_si128(key, _mm_slli_si128::<8>(key)), word)
}

#[target_feature(enable = "aes,ssse3")]
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
    // SAFETY: `Isa` of an AES form exists only where `has_aesni` held.
    unsafe { expand_inner(key) }
}

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn rounds_128<const N: usize>(keys: &[Block; 11], state: &mut [__m128i; N]) {
    let first = load(&keys[0]);
    for x in state.iter_mut() {
        *x = _mm_xor_si128(*x, first);
    }
    for key in &keys[1..10] {
        let key = load(key);
        for x in state.iter_mut() {
            *x = _mm_aesenc_si128(*x, key);
        }
    }
    let last = load(&keys[10]);
    for x in state.iter_mut() {
        *x = _mm_aesenclast_si128(*x, last);
    }
}

#[target_feature(enable = "aes,ssse3")]
fn encrypt_128_inner(keys: &[Block; 11], blocks: &mut [Block]) {
    let (chunks, rest) = blocks.as_chunks_mut::<8>();
    for chunk in chunks {
        let mut state = [_mm_setzero_si128(); 8];
        for (x, block) in state.iter_mut().zip(chunk.iter()) {
            *x = load(block);
        }
        rounds_128(keys, &mut state);
        for (x, block) in state.iter().zip(chunk.iter_mut()) {
            store(block, *x);
        }
    }
    for block in rest {
        let mut state = [load(block)];
        rounds_128(keys, &mut state);
        store(block, state[0]);
    }
}

pub(super) fn encrypt_128(keys: &[Block; 11], blocks: &mut [Block]) {
    // SAFETY: `Isa` of an AES form exists only where `has_aesni` held.
    unsafe { encrypt_128_inner(keys, blocks) }
}

/// One hash per key for `N` keys and `M` inputs of each key; `state[i][m]` goes in as the label.
#[inline]
#[target_feature(enable = "aes,ssse3")]
fn hash_lanes_128<const N: usize, const M: usize>(
    keys: &mut [__m128i; N],
    state: &mut [[__m128i; M]; N],
) {
    let mut input = *state;
    for i in 0..N {
        for m in 0..M {
            input[i][m] = sigma(state[i][m]);
            state[i][m] = _mm_xor_si128(input[i][m], keys[i]);
        }
    }
    for rcon in &RCON[..9] {
        for i in 0..N {
            keys[i] = next_key(keys[i], *rcon);
            for x in &mut state[i] {
                *x = _mm_aesenc_si128(*x, keys[i]);
            }
        }
    }
    for i in 0..N {
        keys[i] = next_key(keys[i], RCON[9]);
        for m in 0..M {
            state[i][m] = _mm_xor_si128(_mm_aesenclast_si128(state[i][m], keys[i]), input[i][m]);
        }
    }
}

#[inline]
#[target_feature(enable = "aes,ssse3")]
fn tweak_key(seed: __m128i, tweak: u64) -> __m128i {
    _mm_xor_si128(seed, _mm_set_epi64x(0, tweak as i64))
}

#[target_feature(enable = "aes,ssse3")]
fn hash_128_inner(seed: Block, mut tweak: u64, blocks: &mut [Block]) {
    let seed = load(&seed);
    let (chunks, rest) = blocks.as_chunks_mut::<4>();
    for chunk in chunks {
        let mut keys = [seed; 4];
        let mut state = [[seed; 1]; 4];
        for i in 0..4 {
            keys[i] = tweak_key(seed, tweak.wrapping_add(i as u64));
            state[i][0] = load(&chunk[i]);
        }
        hash_lanes_128(&mut keys, &mut state);
        for i in 0..4 {
            store(&mut chunk[i], state[i][0]);
        }
        tweak = tweak.wrapping_add(4);
    }
    for block in rest {
        let mut state = [[load(block)]];
        hash_lanes_128(&mut [tweak_key(seed, tweak)], &mut state);
        store(block, state[0][0]);
        tweak = tweak.wrapping_add(1);
    }
}

pub(super) fn hash_128(seed: Block, tweak: u64, blocks: &mut [Block]) {
    // SAFETY: `Isa` of an AES form exists only where `has_aesni` held.
    unsafe { hash_128_inner(seed, tweak, blocks) }
}

#[target_feature(enable = "aes,ssse3")]
fn hash_both_128_inner(
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
            state[i] = [x, _mm_xor_si128(x, offset)];
        }
        hash_lanes_128(&mut keys, &mut state);
        for i in 0..4 {
            store(&mut chunk[i], state[i][0]);
            store(&mut other[i], state[i][1]);
        }
        tweak = tweak.wrapping_add(4);
    }
    for (block, other) in rest.iter_mut().zip(rest_shifted) {
        let x = load(block);
        let mut state = [[x, _mm_xor_si128(x, offset)]];
        hash_lanes_128(&mut [tweak_key(seed, tweak)], &mut state);
        store(block, state[0][0]);
        store(other, state[0][1]);
        tweak = tweak.wrapping_add(1);
    }
}

pub(super) fn hash_both_128(
    seed: Block,
    tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    // SAFETY: `Isa` of an AES form exists only where `has_aesni` held.
    unsafe { hash_both_128_inner(seed, tweak, offset, plain, shifted) }
}

#[target_feature(enable = "sse2,pclmulqdq")]
fn products_128_inner(a: &[Block], b: &[Block]) -> (Block, Block) {
    let mut low = _mm_setzero_si128();
    let mut middle = low;
    let mut high = low;
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (load(x), load(y));
        low = _mm_xor_si128(low, _mm_clmulepi64_si128::<0x00>(x, y));
        high = _mm_xor_si128(high, _mm_clmulepi64_si128::<0x11>(x, y));
        let cross = _mm_xor_si128(
            _mm_clmulepi64_si128::<0x01>(x, y),
            _mm_clmulepi64_si128::<0x10>(x, y),
        );
        middle = _mm_xor_si128(middle, cross);
    }
    let mut sums = [Block::ZERO; 3];
    store(&mut sums[0], low);
    store(&mut sums[1], middle);
    store(&mut sums[2], high);
    portable::join_products(sums[0], sums[1], sums[2])
}

pub(super) fn products_128(a: &[Block], b: &[Block]) -> (Block, Block) {
    // SAFETY: `Isa` of an AES form exists only where `has_aesni` held, which asks for the carry-less product.
    unsafe { products_128_inner(a, b) }
}

pub(super) fn transpose_128(matrix: &mut [Block; 128]) {
    portable::transpose(matrix);
}

// ---------------------------------------------------------------------------------------------------------------
// 512-bit vectors
// ---------------------------------------------------------------------------------------------------------------

#[inline]
#[target_feature(enable = "avx512f")]
fn load4(blocks: &[Block; 4]) -> __m512i {
    // SAFETY: four blocks are 64 readable bytes and the load has no alignment demand.
    unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store4(blocks: &mut [Block; 4], value: __m512i) {
    // SAFETY: four blocks are 64 writable bytes, any bit pattern is valid, and the store has no alignment demand.
    unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn sigma4(x: __m512i) -> __m512i {
    let swapped = _mm512_shuffle_epi32::<0b01_00_11_10>(x);
    let high = _mm512_and_si512(x, _mm512_set_epi64(-1, 0, -1, 0, -1, 0, -1, 0));
    _mm512_xor_si512(swapped, high)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn next_key4(key: __m512i, rcon: i32) -> __m512i {
    let word = _mm512_shuffle_epi8(key, _mm512_set1_epi32(ROTATE));
    let word = _mm512_aesenclast_epi128(word, _mm512_set1_epi32(rcon));
    let key = _mm512_xor_si512(key, _mm512_bslli_epi128::<4>(key));
    _mm512_ternarylogic_epi64::<0x96>(key, _mm512_bslli_epi128::<8>(key), word)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn hash_lanes_512<const N: usize, const M: usize>(
    keys: &mut [__m512i; N],
    state: &mut [[__m512i; M]; N],
) {
    let mut input = *state;
    for i in 0..N {
        for m in 0..M {
            input[i][m] = sigma4(state[i][m]);
            state[i][m] = _mm512_xor_si512(input[i][m], keys[i]);
        }
    }
    for rcon in &RCON[..9] {
        for i in 0..N {
            keys[i] = next_key4(keys[i], *rcon);
            for x in &mut state[i] {
                *x = _mm512_aesenc_epi128(*x, keys[i]);
            }
        }
    }
    for i in 0..N {
        keys[i] = next_key4(keys[i], RCON[9]);
        for m in 0..M {
            state[i][m] =
                _mm512_xor_si512(_mm512_aesenclast_epi128(state[i][m], keys[i]), input[i][m]);
        }
    }
}

/// Keys `seed ^ (tweak + 0..4)`.
#[inline]
#[target_feature(enable = "avx512f")]
fn tweak_keys4(seed: __m512i, tweak: u64) -> __m512i {
    let base = _mm512_set_epi64(
        0,
        tweak as i64,
        0,
        tweak as i64,
        0,
        tweak as i64,
        0,
        tweak as i64,
    );
    _mm512_xor_si512(
        seed,
        _mm512_add_epi64(base, _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0)),
    )
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn hash_chunks_512<const N: usize>(seed: __m512i, tweak: u64, chunks: &mut [[Block; 4]; N]) {
    let mut keys = [seed; N];
    let mut state = [[seed; 1]; N];
    for i in 0..N {
        keys[i] = tweak_keys4(seed, tweak.wrapping_add(4 * i as u64));
        state[i][0] = load4(&chunks[i]);
    }
    hash_lanes_512(&mut keys, &mut state);
    for i in 0..N {
        store4(&mut chunks[i], state[i][0]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,ssse3")]
fn hash_512_inner(seed: Block, mut tweak: u64, blocks: &mut [Block]) {
    let wide = _mm512_broadcast_i32x4(load(&seed));
    let (quads, rest) = blocks.as_chunks_mut::<4>();
    let (groups, quads) = quads.as_chunks_mut::<4>();
    for group in groups {
        hash_chunks_512(wide, tweak, group);
        tweak = tweak.wrapping_add(16);
    }
    for quad in quads.as_chunks_mut::<1>().0 {
        hash_chunks_512(wide, tweak, quad);
        tweak = tweak.wrapping_add(4);
    }
    hash_128_inner(seed, tweak, rest);
}

pub(super) fn hash_512(seed: Block, tweak: u64, blocks: &mut [Block]) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { hash_512_inner(seed, tweak, blocks) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn hash_both_chunks_512<const N: usize>(
    seed: __m512i,
    tweak: u64,
    offset: __m512i,
    plain: &mut [[Block; 4]; N],
    shifted: &mut [[Block; 4]; N],
) {
    let mut keys = [seed; N];
    let mut state = [[seed; 2]; N];
    for i in 0..N {
        keys[i] = tweak_keys4(seed, tweak.wrapping_add(4 * i as u64));
        let x = load4(&plain[i]);
        state[i] = [x, _mm512_xor_si512(x, offset)];
    }
    hash_lanes_512(&mut keys, &mut state);
    for i in 0..N {
        store4(&mut plain[i], state[i][0]);
        store4(&mut shifted[i], state[i][1]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,ssse3")]
fn hash_both_512_inner(
    seed: Block,
    mut tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    let wide = _mm512_broadcast_i32x4(load(&seed));
    let wide_offset = _mm512_broadcast_i32x4(load(&offset));
    let (quads, rest) = plain.as_chunks_mut::<4>();
    let (quads_shifted, rest_shifted) = shifted.as_chunks_mut::<4>();
    let (groups, quads) = quads.as_chunks_mut::<4>();
    let (groups_shifted, quads_shifted) = quads_shifted.as_chunks_mut::<4>();
    for (group, other) in groups.iter_mut().zip(groups_shifted) {
        hash_both_chunks_512(wide, tweak, wide_offset, group, other);
        tweak = tweak.wrapping_add(16);
    }
    for (quad, other) in quads
        .as_chunks_mut::<1>()
        .0
        .iter_mut()
        .zip(quads_shifted.as_chunks_mut::<1>().0)
    {
        hash_both_chunks_512(wide, tweak, wide_offset, quad, other);
        tweak = tweak.wrapping_add(4);
    }
    hash_both_128_inner(seed, tweak, offset, rest, rest_shifted);
}

pub(super) fn hash_both_512(
    seed: Block,
    tweak: u64,
    offset: Block,
    plain: &mut [Block],
    shifted: &mut [Block],
) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { hash_both_512_inner(seed, tweak, offset, plain, shifted) }
}

/// Lanes of the first and of the second input of two gates.
const FIRST: __mmask8 = 0b0011_0011;
const SECOND: __mmask8 = 0b1100_1100;

/// Exchanges both inputs of two gates.
#[inline]
#[target_feature(enable = "avx512f")]
fn exchange(x: __m512i) -> __m512i {
    _mm512_shuffle_i64x2::<0b10_11_00_01>(x, x)
}

/// All ones in every block whose select bit is set.
#[inline]
#[target_feature(enable = "avx512f")]
fn select_masks(x: __m512i) -> __m512i {
    let low = _mm512_shuffle_epi32::<0b01_00_01_00>(x);
    _mm512_srai_epi64::<63>(_mm512_slli_epi64::<63>(low))
}

/// Labels of the outputs of two gates: the sum of their halves, `hash ^ ((row ^ (0, a)) & select bit)`.
#[inline]
#[target_feature(enable = "avx512f")]
fn join_halves(hash: __m512i, rows: __m512i, labels: __m512i, other: __m512i) -> __m512i {
    let rows = _mm512_mask_xor_epi64(rows, SECOND, rows, other);
    let halves = _mm512_ternarylogic_epi64::<0x78>(hash, rows, select_masks(labels));
    _mm512_xor_si512(halves, exchange(halves))
}

/// Stores the first and the third block.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_outs(outs: &mut [Block; 2], sums: __m512i) {
    let pair = _mm512_castsi512_si256(_mm512_shuffle_i64x2::<0b00_00_10_00>(sums, sums));
    // SAFETY: two blocks are 32 writable bytes, any bit pattern is valid, and the store has no alignment demand.
    unsafe { _mm256_storeu_si256(outs.as_mut_ptr().cast(), pair) }
}

/// Garbles `2 N` gates.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn garble_chunks_512<const N: usize>(
    seed: __m512i,
    tweak: u64,
    offset: __m512i,
    inputs: &[[Block; 4]; N],
    rows: &mut [[u8; 64]; N],
    outs: &mut [[Block; 2]; N],
) {
    let mut keys = [seed; N];
    let mut state = [[seed; 2]; N];
    for i in 0..N {
        keys[i] = tweak_keys4(seed, tweak.wrapping_add(4 * i as u64));
        let x = load4(&inputs[i]);
        state[i] = [x, _mm512_xor_si512(x, offset)];
    }
    hash_lanes_512(&mut keys, &mut state);
    for i in 0..N {
        let [hash, shifted] = state[i];
        let labels = load4(&inputs[i]);
        let other = exchange(labels);
        // The garbler's row takes the offset where b is set, the evaluator's row takes a.
        let extra = _mm512_mask_and_epi64(other, FIRST, offset, select_masks(other));
        let row = _mm512_ternarylogic_epi64::<0x96>(hash, shifted, extra);
        // SAFETY: 64 writable bytes, and the store has no alignment demand.
        unsafe { _mm512_storeu_si512(rows[i].as_mut_ptr().cast(), row) }
        store_outs(&mut outs[i], join_halves(hash, row, labels, other));
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,ssse3")]
fn garble_512_inner(
    keys: HashKeys,
    offset: Block,
    inputs: &[[Block; 2]],
    rows: &mut [Rows],
    outs: &mut [Block],
) {
    let HashKeys { seed, mut tweak } = keys;
    let wide = _mm512_broadcast_i32x4(load(&seed));
    let wide_offset = _mm512_broadcast_i32x4(load(&offset));
    let even = inputs.len() & !1;
    let (inputs, last_input) = inputs.split_at(even);
    let (rows, last_row) = rows.split_at_mut(even);
    let (outs, last_out) = outs.split_at_mut(even);
    let (groups, quads) = inputs.as_flattened().as_chunks::<4>().0.as_chunks::<4>();
    let bytes = rows.as_flattened_mut().as_flattened_mut();
    let (group_rows, quad_rows) = bytes.as_chunks_mut::<64>().0.as_chunks_mut::<4>();
    let (group_outs, quad_outs) = outs.as_chunks_mut::<2>().0.as_chunks_mut::<4>();
    for ((group, rows), outs) in groups.iter().zip(group_rows).zip(group_outs) {
        garble_chunks_512(wide, tweak, wide_offset, group, rows, outs);
        tweak = tweak.wrapping_add(16);
    }
    let quads = quads.as_chunks::<1>().0.iter();
    let quads = quads.zip(quad_rows.as_chunks_mut::<1>().0);
    for ((quad, rows), outs) in quads.zip(quad_outs.as_chunks_mut::<1>().0) {
        garble_chunks_512(wide, tweak, wide_offset, quad, rows, outs);
        tweak = tweak.wrapping_add(4);
    }
    let narrow = Isa(Kind::AesNi);
    let keys = HashKeys { seed, tweak };
    gates::garble(narrow, keys, offset, last_input, last_row, last_out);
}

pub(super) fn garble_512(
    keys: HashKeys,
    offset: Block,
    inputs: &[[Block; 2]],
    rows: &mut [Rows],
    outs: &mut [Block],
) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { garble_512_inner(keys, offset, inputs, rows, outs) }
}

/// Evaluates `2 N` gates.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn evaluate_chunks_512<const N: usize>(
    seed: __m512i,
    tweak: u64,
    inputs: &[[Block; 4]; N],
    rows: &[[u8; 64]; N],
    outs: &mut [[Block; 2]; N],
) {
    let mut keys = [seed; N];
    let mut state = [[seed; 1]; N];
    for i in 0..N {
        keys[i] = tweak_keys4(seed, tweak.wrapping_add(4 * i as u64));
        state[i][0] = load4(&inputs[i]);
    }
    hash_lanes_512(&mut keys, &mut state);
    for i in 0..N {
        let labels = load4(&inputs[i]);
        // SAFETY: 64 readable bytes, and the load has no alignment demand.
        let row = unsafe { _mm512_loadu_si512(rows[i].as_ptr().cast()) };
        let sums = join_halves(state[i][0], row, labels, exchange(labels));
        store_outs(&mut outs[i], sums);
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,ssse3")]
fn evaluate_512_inner(keys: HashKeys, inputs: &[[Block; 2]], rows: &[Rows], outs: &mut [Block]) {
    let HashKeys { seed, mut tweak } = keys;
    let wide = _mm512_broadcast_i32x4(load(&seed));
    let even = inputs.len() & !1;
    let (inputs, last_input) = inputs.split_at(even);
    let (rows, last_row) = rows.split_at(even);
    let (outs, last_out) = outs.split_at_mut(even);
    let (groups, quads) = inputs.as_flattened().as_chunks::<4>().0.as_chunks::<4>();
    let bytes = rows.as_flattened().as_flattened();
    let (group_rows, quad_rows) = bytes.as_chunks::<64>().0.as_chunks::<4>();
    let (group_outs, quad_outs) = outs.as_chunks_mut::<2>().0.as_chunks_mut::<4>();
    for ((group, rows), outs) in groups.iter().zip(group_rows).zip(group_outs) {
        evaluate_chunks_512(wide, tweak, group, rows, outs);
        tweak = tweak.wrapping_add(16);
    }
    let quads = quads.as_chunks::<1>().0.iter();
    let quads = quads.zip(quad_rows.as_chunks::<1>().0);
    for ((quad, rows), outs) in quads.zip(quad_outs.as_chunks_mut::<1>().0) {
        evaluate_chunks_512(wide, tweak, quad, rows, outs);
        tweak = tweak.wrapping_add(4);
    }
    let narrow = Isa(Kind::AesNi);
    let keys = HashKeys { seed, tweak };
    gates::evaluate(narrow, keys, last_input, last_row, last_out);
}

pub(super) fn evaluate_512(
    keys: HashKeys,
    inputs: &[[Block; 2]],
    rows: &[Rows],
    outs: &mut [Block],
) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { evaluate_512_inner(keys, inputs, rows, outs) }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,ssse3")]
fn encrypt_512_inner(keys: &[Block; 11], blocks: &mut [Block]) {
    let mut wide = [_mm512_setzero_si512(); 11];
    for (slot, key) in wide.iter_mut().zip(keys) {
        *slot = _mm512_broadcast_i32x4(load(key));
    }
    let (quads, rest) = blocks.as_chunks_mut::<4>();
    let (groups, quads) = quads.as_chunks_mut::<8>();
    for group in groups {
        let mut state = [_mm512_setzero_si512(); 8];
        for i in 0..8 {
            state[i] = _mm512_xor_si512(load4(&group[i]), wide[0]);
        }
        for key in &wide[1..10] {
            for x in &mut state {
                *x = _mm512_aesenc_epi128(*x, *key);
            }
        }
        for i in 0..8 {
            store4(&mut group[i], _mm512_aesenclast_epi128(state[i], wide[10]));
        }
    }
    for quad in quads {
        let mut x = _mm512_xor_si512(load4(quad), wide[0]);
        for key in &wide[1..10] {
            x = _mm512_aesenc_epi128(x, *key);
        }
        store4(quad, _mm512_aesenclast_epi128(x, wide[10]));
    }
    encrypt_128_inner(keys, rest);
}

pub(super) fn encrypt_512(keys: &[Block; 11], blocks: &mut [Block]) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { encrypt_512_inner(keys, blocks) }
}

#[target_feature(enable = "avx512f,vpclmulqdq,sse2,pclmulqdq")]
fn products_512_inner(a: &[Block], b: &[Block]) -> (Block, Block) {
    let zero = _mm512_setzero_si512();
    let (mut low, mut high, mut left, mut right) = (zero, zero, zero, zero);
    let (quads_a, rest_a) = a.as_chunks::<4>();
    let (quads_b, rest_b) = b.as_chunks::<4>();
    for (x, y) in quads_a.iter().zip(quads_b) {
        let (x, y) = (load4(x), load4(y));
        low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x00>(x, y));
        high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128::<0x11>(x, y));
        left = _mm512_xor_si512(left, _mm512_clmulepi64_epi128::<0x01>(x, y));
        right = _mm512_xor_si512(right, _mm512_clmulepi64_epi128::<0x10>(x, y));
    }
    let mut sums = [[Block::ZERO; 4]; 3];
    store4(&mut sums[0], low);
    store4(&mut sums[1], _mm512_xor_si512(left, right));
    store4(&mut sums[2], high);
    let fold = |s: [Block; 4]| s[0] ^ s[1] ^ s[2] ^ s[3];
    let (low, high) = portable::join_products(fold(sums[0]), fold(sums[1]), fold(sums[2]));
    let (rest_low, rest_high) = products_128_inner(rest_a, rest_b);
    (low ^ rest_low, high ^ rest_high)
}

pub(super) fn products_512(a: &[Block], b: &[Block]) -> (Block, Block) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { products_512_inner(a, b) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn transpose_512_inner(matrix: &mut [Block; 128]) {
    portable::transpose_inline(matrix);
}

pub(super) fn transpose_512(matrix: &mut [Block; 128]) {
    // SAFETY: `Isa` of the 512-bit form exists only where `has_vaes512` held.
    unsafe { transpose_512_inner(matrix) }
}
