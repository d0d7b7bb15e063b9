//! Short Weierstrass curves `y^2 = x^3 + b`: affine and homogeneous projective points.
//!
//! Addition and doubling follow Renes, Costello and Batina, "Complete addition formulas for prime order elliptic
//! curves" (2015), algorithms 7 to 9: no case distinction inside the subgroup of order `r`.

mod affine;
mod codec;
mod g1;
mod g2;
mod projective;
mod scalar;

use core::fmt::Debug;

pub use affine::{Affine, Checked};
#[cfg(test)]
pub(crate) use g1::BETA;
pub use g1::{G1, G1_BYTES, G1Affine, G1Projective};
pub use g2::{G2, G2_BYTES, G2Affine, G2Projective};
pub use projective::Projective;
#[cfg(test)]
pub(crate) use scalar::signed_windows;
pub(crate) use scalar::{HalfScalar, X_ABS, bits_at, split_by_eigenvalue};

use crate::field::Field;
use crate::fr::Fr;

/// One of the two curve groups. Sealed: implemented by [`G1`] and `G2` only.
pub trait Curve: Copy + Debug + PartialEq + Eq + Send + Sync + 'static {
    /// Field of the coordinates.
    type Base: Field + Send + Sync;
    /// Length of the encoding: tag and x-coordinate.
    const BYTES: usize;
    /// Affine coordinates of the generator.
    const GENERATOR: (Self::Base, Self::Base);
    /// Whether the whole curve has points of order two (the subgroup never has).
    const HAS_TWO_TORSION: bool;
    /// Number of digits of a scalar in base of the eigenvalue.
    const DIGITS: usize;
    /// Bit length of a digit.
    const DIGIT_BITS: usize;

    /// The constant `b` of the curve equation.
    fn b() -> Self::Base;
    /// Product with `3 b`.
    fn mul_3b(v: &Self::Base) -> Self::Base;
    /// Endomorphism `E` that acts on the subgroup as a positive eigenvalue.
    fn endomorphism(p: &Projective<Self>) -> Projective<Self>;
    /// As [`endomorphism`](Self::endomorphism), on affine points.
    fn endomorphism_affine(p: &Affine<Self>) -> Affine<Self>;
    /// Digits `k_i` with `k = sum k_i eigenvalue^i`, least significant first. Constant time.
    fn digits(k: &Fr) -> Vec<HalfScalar>;
    /// Subgroup test for a point of the curve other than the identity.
    fn in_subgroup(p: &Affine<Self>) -> bool;
    /// `[k]p` for a point of the subgroup. Constant time.
    fn mul_ct(p: &Projective<Self>, k: &Fr) -> Projective<Self>;

    /// [`Projective::add`] with vectors, if this process has them and the formulas cover the case.
    fn add_vectors(_p: &Projective<Self>, _q: &Projective<Self>) -> Option<Projective<Self>> {
        None
    }
    /// [`Projective::double`] with vectors, if this process has them.
    fn double_vectors(_p: &Projective<Self>) -> Option<Projective<Self>> {
        None
    }
    /// [`Projective::mul_vartime`] with vectors, if this process has them and the formulas cover the case.
    fn mul_vectors_vartime(_p: &Projective<Self>, _k: &Fr) -> Option<Projective<Self>> {
        None
    }
    /// Sum of points, with vectors if this process has them and they pay.
    fn sum_vectors(_points: &[Affine<Self>]) -> Option<Projective<Self>> {
        None
    }
    /// Sum of each group of points, with vectors if this process has them.
    fn sum_groups_vectors(_groups: &[Vec<Affine<Self>>]) -> Option<Vec<Affine<Self>>> {
        None
    }
    /// `sum 2^i terms[i]` with vectors, if this process has them and the formulas cover the case.
    fn sum_by_bits_vectors(_terms: &[Affine<Self>]) -> Option<Projective<Self>> {
        None
    }
}
