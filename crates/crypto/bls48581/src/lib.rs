#![doc = include_str!("../README.md")]

mod batch;
mod curve;
mod error;
mod field;
mod fp;
mod fr;
mod hash;
mod inverse;
mod kernel;
mod keys;
mod lanes;
mod msm;
mod pairing;
mod prime_field;
mod signature;
mod tower;
#[cfg(feature = "workload")]
pub mod workload;
mod x8;

pub use batch::verify_batch;
pub use curve::{
    Affine, Checked, Curve, G1, G1_BYTES, G1Affine, G1Projective, G2, G2_BYTES, G2Affine,
    G2Projective, Projective,
};
pub use error::{KeyError, PointError, SignatureError};
pub use fp::Fp;
pub use fr::Fr;
pub use hash::{Dst, hash_to_g1};
pub use keys::{
    MAX_KEY_INFO_BYTES, MIN_SEED_BYTES, PUBLIC_KEY_BYTES, PreparedPublicKey, PublicKey,
    SECRET_KEY_BYTES, SecretKey,
};
pub use msm::{
    SignedPoint, msm_vartime, sum_affine_vartime, sum_few_vartime, sum_groups_vartime,
    sum_signed_vartime, sums_use_vectors,
};
pub use pairing::{G2Prepared, Gt, multi_pairing, pairing, pairing_product_is_one};
pub use signature::{
    ProofOfPossession, SIGNATURE_BYTES, Signature, verify_aggregate, verify_aggregate_same_message,
};
pub use x8::{FpX8, FpX8Wide, LANES};
