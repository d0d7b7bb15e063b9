//! BLS48-581.
#![forbid(unsafe_code)]

mod curve;
mod error;
mod field;
mod fp;
mod fr;
mod inverse;
mod kernel;
mod msm;
mod prime_field;

pub use curve::{Affine, Checked, Curve, G1, G1_BYTES, G1Affine, G1Projective, Projective};
pub use error::PointError;
pub use fp::Fp;
pub use fr::Fr;
pub use msm::msm_vartime;
