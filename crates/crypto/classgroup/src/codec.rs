//! The one encoding of a form: `a || b`, each in two's complement, big-endian, `floor((bits + 16) / 16)` bytes.

use core::cmp::Ordering;

use crate::{
    discriminant::{BITS_MAX, Discriminant},
    error::FormError,
    form::Form,
    int::{HALF, Int, Nat, WORK},
    limbs,
};

/// Bytes of one coefficient.
pub(crate) const fn coefficient_len(bits: usize) -> usize {
    (bits + 16) / 16
}

/// Bytes of a form of the largest discriminant.
pub const FORM_BYTES_MAX: usize = 2 * coefficient_len(BITS_MAX);

/// An encoded form. Made by [`Form::to_bytes`] only, so the bytes are canonical.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FormBytes {
    len: usize,
    bytes: [u8; FORM_BYTES_MAX],
}

impl AsRef<[u8]> for FormBytes {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

impl core::fmt::Debug for FormBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FormBytes(")?;
        self.as_ref()
            .iter()
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

impl Form {
    /// The encoding, [`Discriminant::form_len`] bytes.
    #[must_use]
    pub fn to_bytes(&self) -> FormBytes {
        let width = coefficient_len(self.group.bits);
        let mut bytes = [0; FORM_BYTES_MAX];
        let (a, b) = bytes.split_at_mut(width);
        limbs::to_be(a, self.a.as_limbs());
        let b = b.get_mut(..width).unwrap_or_default();
        let mut x = [0; HALF];
        for (x, &l) in x.iter_mut().zip(self.b.limbs()) {
            *x = l;
        }
        if self.b.is_neg() {
            limbs::negate(&mut x);
        }
        limbs::to_be(b, &x);
        FormBytes {
            len: 2 * width,
            bytes,
        }
    }

    /// Reads a form of a discriminant. Every byte string is either rejected or the only encoding of its form.
    ///
    /// Primitivity needs no test of its own: a common factor of `a`, `b`, `c` would divide the prime `|D|` twice.
    ///
    /// # Errors
    /// [`FormError`], one variant per rule.
    pub fn from_bytes(discriminant: &Discriminant, bytes: &[u8]) -> Result<Self, FormError> {
        let expected = discriminant.form_len();
        if bytes.len() != expected {
            return Err(FormError::Length {
                expected,
                got: bytes.len(),
            });
        }
        let (a, b) = bytes.split_at(expected / 2);
        let (a, b) = (coefficient(a), coefficient(b));
        if a.is_neg() || a.is_zero() {
            return Err(FormError::NotPositive);
        }
        let width = b.mag().cmp(a.limbs());
        if width.is_gt() || (width.is_eq() && b.is_neg()) {
            return Err(FormError::NotReduced);
        }
        let c = third(discriminant, &a, &b)?;
        let order = a.mag().cmp(c.as_limbs());
        if order == Ordering::Greater || (order == Ordering::Equal && b.is_neg()) {
            return Err(FormError::NotReduced);
        }
        // a <= c and |b| <= a bound c by |D| / 3, so it fits.
        Ok(Self {
            a: *a.mag(),
            b,
            c: Nat::checked_from(c.as_limbs()).ok_or(FormError::Discriminant)?,
            group: discriminant.group(),
        })
    }
}

fn coefficient(bytes: &[u8]) -> Int<HALF> {
    let mut x = [0; HALF];
    let neg = bytes.first().is_some_and(|b| b >> 7 == 1);
    limbs::from_be(&mut x, bytes);
    if neg {
        // Extend the sign above the bytes read.
        let mut ones = [u64::MAX; HALF];
        limbs::shl_assign(&mut ones, 8 * bytes.len());
        limbs::add_assign(&mut x, &ones);
        limbs::negate(&mut x);
    }
    Int::new(neg, Nat::from_limbs(&x))
}

/// `(b^2 - D) / 4a`, if exact.
fn third(d: &Discriminant, a: &Int<HALF>, b: &Int<HALF>) -> Result<Nat<WORK>, FormError> {
    let (mut num, mut quo, mut den) = ([0; WORK], [0; WORK], [0; HALF + 1]);
    let len = 2 * b.limbs().len();
    if let Some(square) = num.get_mut(..len) {
        limbs::square(square, b.limbs());
    }
    limbs::add_assign(&mut num, d.abs().as_limbs());
    for (x, &l) in den.iter_mut().zip(a.limbs()) {
        *x = l;
    }
    limbs::shl_assign(&mut den, 2);
    let den = den.get(..limbs::significant(&den)).unwrap_or(&den);
    limbs::div_rem(&mut num, den, Some(&mut quo));
    if num.iter().any(|&l| l != 0) {
        return Err(FormError::Discriminant);
    }
    Ok(Nat::from_limbs(&quo))
}
