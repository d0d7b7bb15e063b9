//! Sequences whose length is part of the type.

use core::ops::Deref;

use borsh::io::{Error, ErrorKind, Read, Result as IoResult, Write};
use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec::{Canonical, private::Sealed};

/// A sequence of at most `N` elements. The limit is checked before the first element is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounded<T, const N: usize>(Vec<T>);

/// At most `N` bytes.
pub type Bytes<const N: usize> = Bounded<u8, N>;

/// More elements than the type allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} elements, at most {max} allowed")]
pub struct TooLong {
    /// Elements given.
    pub len: usize,
    /// Elements allowed.
    pub max: usize,
}

impl<T, const N: usize> Bounded<T, N> {
    /// The empty sequence.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends one element.
    ///
    /// # Errors
    /// [`TooLong`] when the sequence is full.
    pub fn try_push(&mut self, value: T) -> Result<(), TooLong> {
        if self.0.len() >= N {
            return Err(TooLong {
                len: self.0.len().saturating_add(1),
                max: N,
            });
        }
        self.0.push(value);
        Ok(())
    }

    /// The elements.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<const N: usize> Bounded<u8, N> {
    /// Copies a slice.
    ///
    /// # Errors
    /// [`TooLong`] when it has more than `N` bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, TooLong> {
        Self::try_from(bytes.to_vec())
    }
}

impl<T, const N: usize> Default for Bounded<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> TryFrom<Vec<T>> for Bounded<T, N> {
    type Error = TooLong;
    fn try_from(v: Vec<T>) -> Result<Self, TooLong> {
        const { assert!(N <= u32::MAX as usize) };
        if v.len() > N {
            Err(TooLong {
                len: v.len(),
                max: N,
            })
        } else {
            Ok(Self(v))
        }
    }
}

impl<T, const N: usize> Deref for Bounded<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Bounded<T, N> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T, const N: usize> IntoIterator for Bounded<T, N> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: BorshSerialize, const N: usize> BorshSerialize for Bounded<T, N> {
    fn serialize<W: Write>(&self, w: &mut W) -> IoResult<()> {
        // `Vec` refuses elements of size zero, which an uninhabited element type has.
        if self.0.is_empty() {
            return 0u32.serialize(w);
        }
        self.0.serialize(w)
    }
}

/// Elements decoded at once: what a claimed length reserves at most, unless they have arrived.
const PIECE: u32 = 4096;

/// Gives a length word to `Vec`'s own decoder, so that `u8` keeps its bulk path.
struct Replay<'a, R> {
    head: &'a [u8],
    rest: &'a mut R,
}

impl<R: Read> Read for Replay<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> IoResult<usize> {
        if self.head.is_empty() {
            self.rest.read(buf)
        } else {
            self.head.read(buf)
        }
    }
}

impl<T: BorshDeserialize, const N: usize> BorshDeserialize for Bounded<T, N> {
    fn deserialize_reader<R: Read>(r: &mut R) -> IoResult<Self> {
        let len = u32::deserialize_reader(r)?;
        if usize::try_from(len).map_or(true, |len| len > N) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "more elements than allowed",
            ));
        }
        if len == 0 {
            return Ok(Self(Vec::new()));
        }
        // Piece by piece: for `u8`, `Vec` reserves up to 1 MiB of a claimed length before the bytes arrive.
        let (mut items, mut left) = (Vec::new(), len);
        while left > 0 {
            let piece = left.min(PIECE);
            let mut part = Vec::deserialize_reader(&mut Replay {
                head: &piece.to_le_bytes(),
                rest: r,
            })?;
            items.append(&mut part);
            left = left.saturating_sub(piece);
        }
        Ok(Self(items))
    }
}

impl<T: Canonical, const N: usize> Sealed for Bounded<T, N> {}
impl<T: Canonical, const N: usize> Canonical for Bounded<T, N> {}

/// At most `N` elements in strictly ascending order; anything else does not decode.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sorted<T, const N: usize>(Bounded<T, N>);

/// Elements are repeated, out of order, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("elements must be strictly ascending and at most {max}")]
pub struct NotSorted {
    /// Elements allowed.
    pub max: usize,
}

impl<T: Ord, const N: usize> TryFrom<Vec<T>> for Sorted<T, N> {
    type Error = NotSorted;
    fn try_from(v: Vec<T>) -> Result<Self, NotSorted> {
        if !v.is_sorted_by(|a, b| a < b) {
            return Err(NotSorted { max: N });
        }
        Bounded::try_from(v)
            .map(Self)
            .map_err(|_| NotSorted { max: N })
    }
}

impl<T, const N: usize> Deref for Sorted<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Sorted<T, N> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: BorshSerialize, const N: usize> BorshSerialize for Sorted<T, N> {
    fn serialize<W: Write>(&self, w: &mut W) -> IoResult<()> {
        self.0.serialize(w)
    }
}

impl<T: BorshDeserialize + Ord, const N: usize> BorshDeserialize for Sorted<T, N> {
    fn deserialize_reader<R: Read>(r: &mut R) -> IoResult<Self> {
        let items = Bounded::<T, N>::deserialize_reader(r)?;
        Self::try_from(items.into_vec())
            .map_err(|e| Error::new(ErrorKind::InvalidData, e.to_string()))
    }
}

impl<T: Canonical + Ord, const N: usize> Sealed for Sorted<T, N> {}
impl<T: Canonical + Ord, const N: usize> Canonical for Sorted<T, N> {}

/// UTF-8 text of at most `N` bytes without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize>(String);

/// Text is too long, or has control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text must have at most {max} bytes and no control characters")]
pub struct BadText {
    /// Bytes allowed.
    pub max: usize,
}

impl<const N: usize> Text<N> {
    /// Checks and takes a string.
    ///
    /// # Errors
    /// [`BadText`] when it is too long or has control characters.
    pub fn new(text: &str) -> Result<Self, BadText> {
        if text.len() > N || text.chars().any(char::is_control) {
            return Err(BadText { max: N });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> BorshSerialize for Text<N> {
    fn serialize<W: Write>(&self, w: &mut W) -> IoResult<()> {
        self.0.as_bytes().serialize(w)
    }
}

impl<const N: usize> BorshDeserialize for Text<N> {
    fn deserialize_reader<R: Read>(r: &mut R) -> IoResult<Self> {
        let bytes = Bounded::<u8, N>::deserialize_reader(r)?;
        let bad = || Error::new(ErrorKind::InvalidData, "not allowed as text");
        let text = core::str::from_utf8(&bytes).map_err(|_| bad())?;
        Self::new(text).map_err(|_| bad())
    }
}

impl<const N: usize> Sealed for Text<N> {}
impl<const N: usize> Canonical for Text<N> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_length_is_refused_before_reading() {
        let e = Bytes::<8>::decode(&[0xff; 4], 64).unwrap_err();
        assert!(e.to_string().contains("more elements than allowed"), "{e}");
        assert!(
            Bytes::<8>::decode(&[3, 0, 0, 0, 1], 64).is_err(),
            "a short body is an error"
        );
    }

    #[test]
    fn long_sequences_decode_in_pieces() {
        for n in [4095usize, 4096, 4097, 10_000] {
            let bytes: Vec<u8> = (0..n).map(|i| i.to_le_bytes()[0]).collect();
            let b = Bytes::<20_000>::try_from(bytes).unwrap();
            assert_eq!(Bytes::<20_000>::decode(&b.encode(), 30_000), Ok(b.clone()));
            assert!(Bytes::<20_000>::decode(&b.encode()[..n], 30_000).is_err());
            let words: Vec<u64> = (0..n as u64).collect();
            let w = Bounded::<u64, 20_000>::try_from(words).unwrap();
            assert_eq!(Bounded::<u64, 20_000>::decode(&w.encode(), 1 << 20), Ok(w));
        }
    }

    #[test]
    fn sorted_rejects_repetition_and_disorder() {
        assert!(Sorted::<u8, 4>::try_from(vec![1, 2, 3]).is_ok());
        for bad in [vec![1, 1], vec![2, 1], vec![1, 2, 3, 4, 5]] {
            assert!(Sorted::<u8, 4>::try_from(bad.clone()).is_err());
            assert!(
                Sorted::<u8, 4>::decode(&Bounded::<u8, 8>::try_from(bad).unwrap().encode(), 64)
                    .is_err()
            );
        }
    }

    #[test]
    fn text_is_utf8_without_control_characters() {
        assert!(Text::<8>::new("devnet").is_ok());
        assert!(Text::<8>::new("a\nb").is_err());
        assert!(Text::<4>::new("devnet").is_err());
        assert!(Text::<8>::decode(&[1, 0, 0, 0, 0xff], 64).is_err());
    }
}
