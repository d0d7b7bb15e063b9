//! Four field elements.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::cast_possible_wrap,
    reason = "arithmetic kernel: fixed-size arrays, constant indices, bit patterns as lanes"
)]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64 as add, _mm256_and_si256 as and, _mm256_madd52hi_epu64 as madd52hi,
    _mm256_madd52lo_epu64 as madd52lo, _mm256_mask_blend_epi64 as mask_blend,
    _mm256_mask_mov_epi64 as mask_mov, _mm256_set1_epi64x as set1,
    _mm256_setzero_si256 as zero_vector, _mm256_slli_epi64 as slli, _mm256_srli_epi64 as srli,
    _mm256_sub_epi64 as sub,
};

super::arithmetic::arithmetic!(
    /// Four field elements.
    Fe4,
    __m256i
);
