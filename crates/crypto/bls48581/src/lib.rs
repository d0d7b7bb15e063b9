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
mod pairing;
mod prime_field;
mod tower;

pub use curve::{
    Affine, Checked, Curve, G1, G1_BYTES, G1Affine, G1Projective, G2, G2_BYTES, G2Affine,
    G2Projective, Projective,
};
pub use error::PointError;
pub use fp::Fp;
pub use fr::Fr;
pub use msm::msm_vartime;
pub use pairing::{G2Prepared, Gt, multi_pairing, pairing, pairing_product_is_one};
