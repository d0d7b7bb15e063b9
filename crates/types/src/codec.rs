//! The one encoding of every hashed, signed, stored or gossiped value (rule D1).
//!
//! [`Canonical`] is borsh restricted to types that have exactly one byte string per value: no maps, floats,
//! `usize` or unsorted sets. It is sealed; the [`canonical!`](crate::canonical) macro implements it and proves at
//! compile time that every field is itself canonical.

use borsh::{BorshDeserialize, BorshSerialize};

/// Not part of the API: the seal of [`Canonical`].
#[doc(hidden)]
pub mod private {
    /// Implemented by [`crate::canonical!`] and for the base types only.
    pub trait Sealed {}
    /// Proves at compile time that `T` is canonical.
    pub const fn assert_canonical<T: super::Canonical>() {}
}

/// A value with exactly one encoding.
pub trait Canonical: BorshSerialize + BorshDeserialize + private::Sealed {
    /// The encoding.
    fn encode(&self) -> Vec<u8> {
        // Writing into a `Vec` cannot fail; a canonical type has no other source of errors.
        let mut out = Vec::new();
        let written = self.serialize(&mut out);
        debug_assert!(written.is_ok(), "encoding into memory is total");
        out
    }

    /// Reads a value that fills `bytes` exactly.
    ///
    /// The cap is checked before anything is read and nothing is allocated from a claimed length.
    ///
    /// # Errors
    /// [`DecodeError`], one variant per way to be wrong.
    fn decode(bytes: &[u8], cap: usize) -> Result<Self, DecodeError> {
        if bytes.len() > cap {
            return Err(DecodeError::TooLarge {
                len: bytes.len(),
                cap,
            });
        }
        let mut rest = bytes;
        let value =
            Self::deserialize(&mut rest).map_err(|e| DecodeError::Malformed(e.to_string()))?;
        if !rest.is_empty() {
            return Err(DecodeError::Trailing(rest.len()));
        }
        if cfg!(any(debug_assertions, fuzzing)) && value.encode() != bytes {
            return Err(DecodeError::NotCanonical);
        }
        Ok(value)
    }
}

/// Why bytes are not an encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than the message class allows.
    #[error("{len} bytes, at most {cap} allowed")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        cap: usize,
    },
    /// Truncated, unknown discriminant, or a limit inside was exceeded.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes behind the value.
    #[error("{0} bytes behind the value")]
    Trailing(usize),
    /// The bytes are not what encoding the value gives.
    #[error("not the canonical encoding")]
    NotCanonical,
}

macro_rules! base {
    ($($t:ty),*) => {$(
        impl private::Sealed for $t {}
        impl Canonical for $t {}
    )*};
}
base!((), u8, u16, u32, u64, u128, bool);

impl<T: Canonical, const N: usize> private::Sealed for [T; N] {}
impl<T: Canonical, const N: usize> Canonical for [T; N] {}
impl<T: Canonical> private::Sealed for Option<T> {}
impl<T: Canonical> Canonical for Option<T> {}
impl<T: Canonical + Clone> private::Sealed for Box<T> {}
impl<T: Canonical + Clone> Canonical for Box<T> {}
impl<A: Canonical, B: Canonical> private::Sealed for (A, B) {}
impl<A: Canonical, B: Canonical> Canonical for (A, B) {}
impl<A: Canonical, B: Canonical, C: Canonical> private::Sealed for (A, B, C) {}
impl<A: Canonical, B: Canonical, C: Canonical> Canonical for (A, B, C) {}
impl<A: Canonical, B: Canonical, C: Canonical, D: Canonical> private::Sealed for (A, B, C, D) {}
impl<A: Canonical, B: Canonical, C: Canonical, D: Canonical> Canonical for (A, B, C, D) {}

/// Defines structs and enums with their canonical encoding: borsh derives, explicit enum discriminants, and a
/// compile-time proof that every field is [`Canonical`].
///
/// ```
/// use quil_types::{Bounded, Canonical, canonical};
///
/// canonical! {
///     /// A note.
///     #[derive(Clone, Debug, PartialEq, Eq)]
///     pub struct Note {
///         /// Its number.
///         pub number: u64,
///         /// Its text.
///         pub text: Bounded<u8, 16>,
///     }
/// }
/// canonical! {
///     /// A reply.
///     #[derive(Clone, Debug, PartialEq, Eq)]
///     pub enum Reply {
///         /// Nothing there.
///         None = 0,
///         /// A note.
///         Note(Note) = 1,
///     }
/// }
/// let note = Note { number: 7, text: Bounded::try_from(b"hi".to_vec()).unwrap() };
/// assert_eq!(Note::decode(&note.encode(), 64).unwrap(), note);
/// assert!(Reply::decode(&[2], 64).is_err());
/// ```
#[macro_export]
macro_rules! canonical {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$fmeta:meta])* $fvis:vis $field:ident : $ty:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(borsh::BorshSerialize, borsh::BorshDeserialize)]
        $vis struct $name {
            $($(#[$fmeta])* $fvis $field: $ty),*
        }
        impl $crate::codec::private::Sealed for $name {}
        impl $crate::Canonical for $name {}
        const _: () = { $($crate::codec::private::assert_canonical::<$ty>();)* };
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident ( $fvis:vis $ty:ty );
    ) => {
        $(#[$meta])*
        #[derive(borsh::BorshSerialize, borsh::BorshDeserialize)]
        $vis struct $name($fvis $ty);
        impl $crate::codec::private::Sealed for $name {}
        impl $crate::Canonical for $name {}
        const _: () = { $crate::codec::private::assert_canonical::<$ty>(); };
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$vmeta:meta])*
                $variant:ident
                $(( $($tty:ty),* $(,)? ))?
                $({ $($(#[$sfmeta:meta])* $sf:ident : $sty:ty),* $(,)? })?
                = $disc:literal
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(borsh::BorshSerialize, borsh::BorshDeserialize)]
        #[borsh(use_discriminant = true)]
        #[repr(u8)]
        $vis enum $name {
            $(
                $(#[$vmeta])*
                $variant
                $(( $($tty),* ))?
                $({ $($(#[$sfmeta])* $sf: $sty),* })?
                = $disc
            ),*
        }
        impl $crate::codec::private::Sealed for $name {}
        impl $crate::Canonical for $name {}
        const _: () = { $(
            $($($crate::codec::private::assert_canonical::<$tty>();)*)?
            $($($crate::codec::private::assert_canonical::<$sty>();)*)?
        )* };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    canonical! {
        #[derive(Clone, Debug, PartialEq, Eq)]
        enum Shape {
            Unit = 1,
            Pair(u8, u16) = 4,
            Named { x: u64, y: Option<bool> } = 9,
        }
    }

    #[test]
    fn discriminants_are_the_declared_ones() {
        assert_eq!(Shape::Unit.encode(), [1]);
        assert_eq!(Shape::Pair(5, 6).encode(), [4, 5, 6, 0]);
        assert_eq!(
            Shape::Named {
                x: 1,
                y: Some(true)
            }
            .encode(),
            [9, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]
        );
    }

    #[test]
    fn unknown_values_truncation_and_trailing_bytes_are_errors() {
        let bytes = Shape::Named {
            x: 1,
            y: Some(true),
        }
        .encode();
        for cut in 0..bytes.len() {
            assert!(Shape::decode(&bytes[..cut], 64).is_err(), "cut at {cut}");
        }
        let mut long = bytes.clone();
        long.push(0);
        assert_eq!(Shape::decode(&long, 64), Err(DecodeError::Trailing(1)));
        assert!(matches!(
            Shape::decode(&[0], 64),
            Err(DecodeError::Malformed(_))
        ));
        assert!(
            Shape::decode(&[9, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2], 64).is_err(),
            "bool is 0 or 1"
        );
        assert_eq!(
            Shape::decode(&bytes, 3),
            Err(DecodeError::TooLarge { len: 11, cap: 3 })
        );
    }
}
