//! Pedersen commitments to amounts.

use core::fmt;

use quil_decaf::{CompressedPoint, DecodePointError, POINT_BYTES, Point, Scalar, SecretScalar};

use crate::Generators;

/// A group element together with its encoding, so that neither is computed twice.
#[derive(Clone, Copy)]
pub(crate) struct Element {
    pub(crate) encoding: CompressedPoint,
    pub(crate) point: Point,
}

impl Element {
    pub(crate) const IDENTITY: Self = Self {
        encoding: CompressedPoint::IDENTITY,
        point: Point::IDENTITY,
    };

    pub(crate) fn new(point: Point) -> Self {
        Self {
            encoding: point.compress(),
            point,
        }
    }

    /// Strict, refusing the identity.
    pub(crate) fn from_bytes(bytes: &[u8; POINT_BYTES]) -> Result<Self, DecodePointError> {
        let encoding = CompressedPoint(*bytes);
        Ok(Self {
            encoding,
            point: encoding.decompress_nonidentity()?,
        })
    }

    pub(crate) fn is_identity(&self) -> bool {
        self.encoding == CompressedPoint::IDENTITY
    }
}

/// `C = v G_v + b H_b`: hides the amount v perfectly, binds to it computationally.
#[derive(Clone, Copy)]
pub struct Commitment(pub(crate) Element);

impl Commitment {
    /// Commits to an amount. Constant time.
    #[must_use]
    pub fn new(generators: &Generators, amount: u64, blinding: &Scalar) -> Self {
        let v = generators.value().mul(&Scalar::from(amount));
        Self(Element::new(v + generators.blinding().mul(blinding)))
    }

    /// Strict decoding; the identity is no commitment (T7).
    ///
    /// # Errors
    /// [`DecodePointError`].
    pub fn from_bytes(bytes: &[u8; POINT_BYTES]) -> Result<Self, DecodePointError> {
        Element::from_bytes(bytes).map(Self)
    }

    /// The commitment that this point is. Cost: one encoding.
    #[must_use]
    pub fn from_point(point: Point) -> Self {
        Self(Element::new(point))
    }

    /// The encoding.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; POINT_BYTES] {
        self.0.encoding.0
    }

    /// The group element.
    #[must_use]
    pub const fn point(&self) -> &Point {
        &self.0.point
    }
}

impl PartialEq for Commitment {
    fn eq(&self, other: &Self) -> bool {
        self.0.encoding == other.0.encoding
    }
}

impl Eq for Commitment {}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({:?})", self.0.encoding)
    }
}

/// What opens a commitment. The amount is as secret as the blinding.
#[derive(Clone)]
pub struct Opening {
    /// Units.
    pub amount: u64,
    /// b.
    pub blinding: SecretScalar,
}

impl Opening {
    /// The commitment that this opens.
    #[must_use]
    pub fn commit(&self, generators: &Generators) -> Commitment {
        Commitment::new(generators, self.amount, self.blinding.expose())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.amount);
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(..)")
    }
}
