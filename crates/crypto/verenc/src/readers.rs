//! Who may read an object.

use quil_decaf::{CompressedPoint, DecodePointError, POINT_BYTES, Point};
use quil_types::Sorted;

use crate::limits::READERS_MAX;

/// The keys that an object is encrypted to: 1 to [`READERS_MAX`], each canonical and not the identity, in ascending
/// order of their encodings.
///
/// A verifier builds this from the state of the domain, never from the record that it checks.
#[derive(Clone, PartialEq, Eq)]
pub struct Readers {
    encodings: Sorted<[u8; POINT_BYTES], READERS_MAX>,
    points: Vec<Point>,
}

/// Why keys are no set of readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// No reader at all.
    #[error("an object has at least one reader")]
    Empty,
    /// Keys are repeated, out of order, or too many.
    #[error("reader keys must be strictly ascending, at most {READERS_MAX}")]
    Order,
    /// A key is not canonical or the identity.
    #[error("reader key {index}: {error}")]
    Key {
        /// Position of the key.
        index: usize,
        /// What is wrong with it.
        error: DecodePointError,
    },
}

impl Readers {
    /// One reader.
    ///
    /// # Errors
    /// [`ReaderError::Key`].
    pub fn one(key: CompressedPoint) -> Result<Self, ReaderError> {
        Self::new(&[key])
    }

    /// Several readers in ascending order of their encodings. Cost: one decoding each.
    ///
    /// # Errors
    /// [`ReaderError`].
    pub fn new(keys: &[CompressedPoint]) -> Result<Self, ReaderError> {
        let list: Vec<_> = keys.iter().take(READERS_MAX + 1).map(|k| k.0).collect();
        let encodings = Sorted::try_from(list).map_err(|_| ReaderError::Order)?;
        if keys.is_empty() {
            return Err(ReaderError::Empty);
        }
        let points = keys.iter().enumerate().map(|(index, key)| {
            key.decompress_nonidentity()
                .map_err(|error| ReaderError::Key { index, error })
        });
        Ok(Self {
            encodings,
            points: points.collect::<Result<_, _>>()?,
        })
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.encodings.len()
    }

    /// The encodings, ascending.
    #[must_use]
    pub const fn encodings(&self) -> &Sorted<[u8; POINT_BYTES], READERS_MAX> {
        &self.encodings
    }

    /// Position of a key.
    #[must_use]
    pub fn position(&self, key: &CompressedPoint) -> Option<usize> {
        self.encodings.iter().position(|e| *e == key.0)
    }

    /// Y_1, Y_2, ...
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }
}

impl core::fmt::Debug for Readers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list()
            .entries(self.encodings.iter().map(|e| CompressedPoint(*e)))
            .finish()
    }
}
