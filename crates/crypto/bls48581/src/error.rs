//! Why an encoding or a point is refused.

/// Why bytes are not the encoding of a point, or a point is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// The input does not have the length of the encoding.
    #[error("encoding has {found} bytes, expected {expected}")]
    Length {
        /// Required length.
        expected: usize,
        /// Length of the input.
        found: usize,
    },
    /// The first byte is none of 00, 02, 03.
    #[error("unknown tag {0:#04x}")]
    Tag(u8),
    /// Tag 00 (identity) is followed by a byte other than zero.
    #[error("identity with a non-zero coordinate")]
    IdentityNotZero,
    /// A coordinate is not below `p`.
    #[error("coordinate not below the modulus")]
    CoordinateRange,
    /// No point has this x-coordinate.
    #[error("not on the curve")]
    NotOnCurve,
    /// Tag 03 on a point with y = 0, whose one encoding has tag 02.
    #[error("odd sign for y = 0")]
    SignOfZero,
    /// The point is not in the subgroup of order `r`.
    #[error("not in the prime-order subgroup")]
    NotInSubgroup,
    /// The identity where a key or signature is required.
    #[error("identity point")]
    Identity,
}

/// Why a secret key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Seeds need at least 32 bytes.
    #[error(
        "seed of {found} bytes, at least {} needed",
        crate::keys::MIN_SEED_BYTES
    )]
    SeedTooShort {
        /// Length of the seed.
        found: usize,
    },
    /// Key information is bounded.
    #[error(
        "key information of {found} bytes, at most {} allowed",
        crate::keys::MAX_KEY_INFO_BYTES
    )]
    KeyInfoTooLong {
        /// Length of the information.
        found: usize,
    },
    /// The integer is not below the group order.
    #[error("secret key not below the group order")]
    NotCanonical,
    /// The zero scalar.
    #[error("zero secret key")]
    Zero,
}

/// Why a signature, aggregate or proof of possession is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nothing to aggregate or verify.
    #[error("empty list")]
    Empty,
    /// Keys or signatures cancel to the identity.
    #[error("aggregate is the identity")]
    IdentityAggregate,
    /// The pairing equation does not hold.
    #[error("signature does not verify")]
    Invalid,
}
