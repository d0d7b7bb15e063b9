#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod codec;
mod discriminant;
mod error;
mod euler;
mod form;
mod gcd;
mod hash;
mod int;
mod limbs;
mod modulus;
mod mont;
mod prime;
#[cfg(feature = "workload")]
pub mod workload;

pub use codec::{FORM_BYTES_MAX, FormBytes};
pub use discriminant::{BITS_MAX, BITS_MIN, Candidate, Discriminant};
pub use error::{DiscriminantError, Exhausted, ForeignGroup, FormError};
pub use form::{Form, Power, multi_pow};
pub use modulus::{Prime256, Residue};
pub use prime::is_prime;
