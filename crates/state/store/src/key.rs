/// A value with an order-preserving byte encoding: `a < b` iff `a.encoded() < b.encoded()`.
///
/// Integers are big-endian. In a tuple every part but the last has a fixed length, so that no key is a prefix of a
/// different key's part.
pub trait Key: Sized {
    /// Longest encoding, bytes.
    const ENCODED_MAX: usize;

    /// Appends the encoding.
    fn encode_into(&self, out: &mut Vec<u8>);

    /// Reads one value from the front of `bytes`; `None` when they are no encoding.
    fn decode_from(bytes: &mut &[u8]) -> Option<Self>;

    /// The encoding alone.
    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::ENCODED_MAX);
        self.encode_into(&mut out);
        out
    }
}

/// A [`Key`] whose encodings all have length [`Key::ENCODED_MAX`].
pub trait FixedKey: Key {}

/// A key whose encoding is a prefix of the encodings of keys of type `K`.
pub trait Prefix<K>: Key {}

macro_rules! integer_key {
    ($($int:ty),*) => {$(
        impl Key for $int {
            const ENCODED_MAX: usize = size_of::<$int>();

            fn encode_into(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self::from_be_bytes)
            }
        }

        impl FixedKey for $int {}
    )*};
}

integer_key!(u8, u16, u32, u64, u128);

impl<const N: usize> Key for [u8; N] {
    const ENCODED_MAX: usize = N;

    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes)
    }
}

impl<const N: usize> FixedKey for [u8; N] {}

/// The only key of a table with one row.
impl Key for () {
    const ENCODED_MAX: usize = 0;

    fn encode_into(&self, _: &mut Vec<u8>) {}

    fn decode_from(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl FixedKey for () {}

/// An integer in descending order: the newest version of a row comes first in a forward scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Desc(pub u64);

impl Key for Desc {
    const ENCODED_MAX: usize = 8;

    fn encode_into(&self, out: &mut Vec<u8>) {
        (!self.0).encode_into(out);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        u64::decode_from(bytes).map(|inverted| Self(!inverted))
    }
}

impl FixedKey for Desc {}

impl PartialOrd for Desc {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Desc {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

/// Bytes of any length up to `MAX`, as the last part of a key.
///
/// Construction does not check the length; a key that is too long is refused when it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tail<const MAX: usize>(pub Vec<u8>);

impl<const MAX: usize> Key for Tail<MAX> {
    const ENCODED_MAX: usize = MAX;

    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        let all = std::mem::take(bytes);
        (all.len() <= MAX).then(|| Self(all.to_vec()))
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}
