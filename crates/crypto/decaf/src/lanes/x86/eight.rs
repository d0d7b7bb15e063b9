//! Eight field elements.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::cast_possible_wrap,
    reason = "arithmetic kernel: fixed-size arrays, constant indices, bit patterns as lanes"
)]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64 as add, _mm512_and_si512 as and, _mm512_madd52hi_epu64 as madd52hi,
    _mm512_madd52lo_epu64 as madd52lo, _mm512_mask_blend_epi64 as mask_blend,
    _mm512_mask_mov_epi64 as mask_mov, _mm512_set1_epi64 as set1,
    _mm512_setzero_si512 as zero_vector, _mm512_slli_epi64 as slli, _mm512_srli_epi64 as srli,
    _mm512_sub_epi64 as sub,
};

super::arithmetic::arithmetic!(
    /// Eight field elements.
    Fe8,
    __m512i
);
