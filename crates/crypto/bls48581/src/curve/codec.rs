//! The one encoding of a point: tag, then x.
//!
//! Tag 02 or 03 is the sign of y; the identity is tag 00 and zeros.

use super::{Affine, Checked, Curve};
use crate::error::PointError;
use crate::field::Field;

const TAG_IDENTITY: u8 = 0;
const TAG_EVEN: u8 = 2;
const TAG_ODD: u8 = 3;

impl<C: Curve> Affine<C> {
    pub(crate) fn encode(&self, out: &mut [u8]) {
        let Some((tag, x)) = out.split_first_mut() else {
            return;
        };
        if self.is_identity() {
            *tag = TAG_IDENTITY;
            x.fill(0);
        } else {
            *tag = if self.y.sign() { TAG_ODD } else { TAG_EVEN };
            self.x.write_be(x);
        }
    }

    /// Decodes a point of the curve. The identity is accepted, subgroup membership is not checked. Public data.
    ///
    /// Cost: one square root.
    ///
    /// # Errors
    /// Every [`PointError`] about encodings: exactly one byte string decodes to a given point.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        if bytes.len() != C::BYTES {
            return Err(PointError::Length {
                expected: C::BYTES,
                found: bytes.len(),
            });
        }
        let Some((&tag, x)) = bytes.split_first() else {
            return Err(PointError::Length {
                expected: C::BYTES,
                found: 0,
            });
        };
        match tag {
            TAG_IDENTITY if x.iter().all(|&b| b == 0) => Ok(Self::identity()),
            TAG_IDENTITY => Err(PointError::IdentityNotZero),
            TAG_EVEN | TAG_ODD => Self::from_x(x, tag == TAG_ODD),
            _ => Err(PointError::Tag(tag)),
        }
    }

    fn from_x(x: &[u8], odd: bool) -> Result<Self, PointError> {
        let x = C::Base::read_be(x).ok_or(PointError::CoordinateRange)?;
        let y = x
            .square()
            .mul(&x)
            .add(&C::b())
            .sqrt_vartime()
            .ok_or(PointError::NotOnCurve)?;
        if y.is_zero() && odd {
            return Err(PointError::SignOfZero);
        }
        let y = if y.sign() == odd { y } else { y.neg() };
        Ok(Self { x, y, infinity: 0 })
    }

    /// Decodes and checks subgroup membership.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes), and [`PointError::NotInSubgroup`].
    pub fn decode_checked(bytes: &[u8]) -> Result<Checked<Self>, PointError> {
        Self::from_bytes(bytes)?.check_subgroup()
    }
}
