//! Commitments in their one encoding.

use quil_bls48581::{G1Affine, G1Projective};
use quil_types::canonical;
use quil_types::limits::G1_BYTES;

canonical! {
    /// A compressed G1 point: a vector commitment, quotient or proof. 74 bytes, not yet decoded.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Commitment([u8; G1_BYTES]);
}

impl Commitment {
    /// Encodes a point.
    #[must_use]
    pub fn from_point(point: &G1Affine) -> Self {
        Self(point.to_bytes())
    }

    /// Wraps bytes; they are decoded by whoever uses the point.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; G1_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; G1_BYTES] {
        &self.0
    }

    /// The point on the curve; not checked for its subgroup. `None` unless the bytes are the canonical encoding
    /// of a curve point. Cost: one square root.
    #[must_use]
    pub fn point(&self) -> Option<G1Affine> {
        G1Affine::from_bytes(&self.0).ok()
    }

    /// The point, if it is in the prime-order subgroup (the identity is).
    #[must_use]
    pub(crate) fn subgroup_point(&self) -> Option<G1Affine> {
        self.point().filter(G1Affine::is_in_subgroup)
    }
}

impl From<&G1Projective> for Commitment {
    fn from(point: &G1Projective) -> Self {
        Self::from_point(&point.to_affine())
    }
}

impl core::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Commitment(")?;
        self.0
            .iter()
            .take(5)
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("..)")
    }
}
