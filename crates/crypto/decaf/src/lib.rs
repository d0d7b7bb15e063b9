#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod dleq;
mod field;
pub mod hash;
mod lanes;
mod mul;
mod point;
mod scalar;
pub mod schnorr;
mod secret;
#[cfg(feature = "workload")]
pub mod workload;
pub mod x448;

/// Multi-scalar multiplication.
pub mod msm {
    pub use crate::mul::{
        constant_time, many_vartime, mixed_vartime, msm_vartime, pippenger_vartime, straus_vartime,
    };
}

pub use mul::{FixedBase, PointTable};
pub use point::{CompressedPoint, DecodePointError, POINT_BYTES, Point};
pub use scalar::{SCALAR_BYTES, Scalar};
pub use secret::SecretScalar;
