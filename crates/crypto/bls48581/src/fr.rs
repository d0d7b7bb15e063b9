//! The scalar field: integers modulo the 518-bit group order `r`.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::should_implement_trait,
    reason = "arithmetic kernel: constant bounds, truncation to limbs; inherent methods take references, operators exist"
)]

use core::fmt;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::inverse::Modulus;
use crate::kernel;
use crate::prime_field::prime_field;

prime_field! {
    /// Element of the scalar field, integers modulo the group order `r` (518 bits); 73 bytes big-endian.
    ///
    /// Every 64-byte string is a canonical integer below `r`.
    Fr, limbs = 9, wide = 18, bytes = 73, bits = 518,
    modulus = "2386f8a925e2885e233a9ccc1615c0d6c635387a3f0b3cbe003fad6bc972c2e6e741969d34c4c92016a85c7cd0562303c4ccbe599467c24da118a5fe6fcd671c01",
    r2 = "988175e507b41976d30a1a3f304ad14f14089592f61baa3524f22ff5a0c837f083f22932659e82bc1365b4f6d86a04e68c965afcc4d9d953a59742e4762a1ad0e",
    inv62_limbs = 9
}

impl Fr {
    /// The largest power of two dividing `r - 1` is `2^10`.
    pub const TWO_ADICITY: u32 = 10;
    /// `37^((r - 1) / 1024)`, a primitive 1024th root of unity.
    pub const ROOT_OF_UNITY: Self = Self::from_hex(
        "154bebffa8d9595483d1c2db1fc57adae6503a063a6426b41e56eed05f535d69a0879b8ce74462087008acc6841aaf02954a9c6be860f057f69f788ee10126fd",
    );

    /// `37^((r - 1) / 2^log_n)`, a primitive root of unity of order `2^log_n`; `None` above `2^10`.
    #[must_use]
    pub const fn root_of_unity(log_n: u32) -> Option<Self> {
        if log_n > Self::TWO_ADICITY {
            return None;
        }
        let mut root = Self::ROOT_OF_UNITY;
        let mut i = log_n;
        while i < Self::TWO_ADICITY {
            root = root.mul_const(&root);
            i += 1;
        }
        Some(root)
    }
}
