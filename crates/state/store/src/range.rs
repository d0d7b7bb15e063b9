use std::ops::{Bound, RangeBounds};

/// Order of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    #[default]
    Forward,
    /// Descending keys.
    Backward,
}

/// A set of keys that are contiguous in byte order. Inverted bounds are the empty set, never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            start: Bound::Unbounded,
            end: Bound::Unbounded,
        }
    }

    /// Every key that begins with `prefix` (the prefix itself included).
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            start: Bound::Included(prefix.to_vec()),
            end: prefix_end(prefix),
        }
    }

    /// The keys between two bounds.
    #[must_use]
    pub const fn from_bounds(start: Bound<Vec<u8>>, end: Bound<Vec<u8>>) -> Self {
        Self { start, end }
    }

    /// The keys of a Rust range such as `a..=b`.
    #[must_use]
    pub fn of<T: AsRef<[u8]>>(range: &impl RangeBounds<T>) -> Self {
        let own = |b: Bound<&T>| b.map(|k| k.as_ref().to_vec());
        Self {
            start: own(range.start_bound()),
            end: own(range.end_bound()),
        }
    }

    /// Whether no key can be inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Included(a), Bound::Included(b)) => a > b,
            (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b))
            | (Bound::Excluded(a), Bound::Included(b)) => a >= b,
            // Nothing sorts before the empty key.
            (Bound::Unbounded, Bound::Excluded(b)) => b.is_empty(),
            _ => false,
        }
    }

    /// Whether `key` is inside.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.bounds().contains(key)
    }

    /// What is left after a scan in `direction` has returned `last`.
    #[must_use]
    pub fn past(&self, last: &[u8], direction: Direction) -> Self {
        let bound = Bound::Excluded(last.to_vec());
        match direction {
            Direction::Forward => Self {
                start: bound,
                end: self.end.clone(),
            },
            Direction::Backward => Self {
                start: self.start.clone(),
                end: bound,
            },
        }
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (
            self.start.as_ref().map(Vec::as_slice),
            self.end.as_ref().map(Vec::as_slice),
        )
    }

    /// Bytes held by the bounds, for batch accounting.
    pub(crate) fn byte_len(&self) -> usize {
        let len = |b: &Bound<Vec<u8>>| match b {
            Bound::Included(k) | Bound::Excluded(k) => k.len(),
            Bound::Unbounded => 0,
        };
        len(&self.start).saturating_add(len(&self.end))
    }
}

/// The first key after every key with this prefix: the prefix with its last byte below 0xff raised by one.
fn prefix_end(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}
