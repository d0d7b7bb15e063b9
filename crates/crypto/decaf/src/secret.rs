//! Secret scalars.

use core::fmt;

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{FixedBase, Point, Scalar};

/// A scalar that is a secret: erased on drop, never printed, not `Copy`, not comparable.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretScalar(Scalar);

impl SecretScalar {
    /// Takes over a scalar; the caller erases its own copy.
    #[must_use]
    pub const fn new(s: Scalar) -> Self {
        Self(s)
    }

    /// Uniform.
    #[must_use]
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Scalar::random(rng))
    }

    /// The value, where arithmetic needs it.
    #[must_use]
    pub const fn expose(&self) -> &Scalar {
        &self.0
    }

    /// `s * G`, constant time.
    #[must_use]
    pub fn public(&self) -> Point {
        FixedBase::generator().mul(&self.0)
    }
}

impl fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretScalar(..)")
    }
}
