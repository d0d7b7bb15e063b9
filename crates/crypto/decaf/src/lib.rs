#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod dleq;
mod field;
pub mod hash;
mod mul;
mod point;
mod scalar;
pub mod schnorr;
mod secret;
pub mod x448;

/// Multi-scalar multiplication.
pub mod msm {
    pub use crate::mul::{
        constant_time, mixed_vartime, msm_vartime, pippenger_vartime, straus_vartime,
    };
}

pub use mul::{FixedBase, PointTable};
pub use point::{CompressedPoint, DecodePointError, POINT_BYTES, Point};
pub use scalar::{SCALAR_BYTES, Scalar};
pub use secret::SecretScalar;
