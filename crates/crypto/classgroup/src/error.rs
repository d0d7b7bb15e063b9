//! Errors, one variant per rule.

/// Why bytes are not a reduced form of the expected discriminant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The encoding has a fixed length.
    #[error("a form has {expected} bytes, not {got}")]
    Length {
        /// Bytes of a form of this discriminant.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// The first coefficient is zero or negative.
    #[error("the first coefficient is not positive")]
    NotPositive,
    /// Not `-a < b <= a <= c` with `b >= 0` when `a = c`.
    #[error("the form is not reduced")]
    NotReduced,
    /// No integer `c` gives `b^2 - 4ac = D`. Forms that are not primitive end here as well.
    #[error("the form has another discriminant")]
    Discriminant,
}

/// Two forms of different discriminants met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the forms belong to different discriminants")]
pub struct ForeignGroup;

/// Why there is no such discriminant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscriminantError {
    /// The size is outside the supported range.
    #[error("{bits} bits, supported are {min} to {max}")]
    Bits {
        /// Size asked for.
        bits: usize,
        /// Smallest size.
        min: usize,
        /// Largest size.
        max: usize,
    },
    /// The absolute value is not 7 modulo 8.
    #[error("the absolute value is not 7 modulo 8")]
    Residue,
    /// The absolute value is composite.
    #[error("the absolute value is not prime")]
    NotPrime,
    /// Leading zero bytes.
    #[error("the encoding has leading zeros")]
    LeadingZero,
    /// No prime of the wanted size follows the seed; happens for small sizes only.
    #[error("no prime of that size follows the seed")]
    Exhausted,
}

/// A search over hash values found nothing within its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no suitable prime among {0} candidates")]
pub struct Exhausted(pub u32);
