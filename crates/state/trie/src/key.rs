//! Keys, nibbles and set identities (K1).

use quil_types::{ShardAddr, canonical};

/// Bytes of a key (K1).
pub const KEY_BYTES: usize = 64;
/// Nibbles of a key: six bits each, most significant first; the last one holds two bits and four zeros.
pub const KEY_NIBBLES: usize = 86;
/// Children of a branch.
pub const ARITY: usize = 64;
/// Bits of a nibble.
const NIBBLE_BITS: usize = 6;

const _: () = assert!(KEY_NIBBLES == (KEY_BYTES * 8).div_ceil(NIBBLE_BITS));
const _: () = assert!(ARITY == 1 << NIBBLE_BITS && ARITY == quil_kzg::DOMAIN_SIZE);

canonical! {
    /// Key of a leaf: domain, then data address.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Key(pub [u8; KEY_BYTES]);
}

impl Key {
    /// `high || low`.
    #[must_use]
    pub fn join(high: &[u8; 32], low: &[u8; 32]) -> Self {
        let mut out = [0; KEY_BYTES];
        let (a, b) = out.split_at_mut(32);
        a.copy_from_slice(high);
        b.copy_from_slice(low);
        Self(out)
    }

    /// The two halves.
    #[must_use]
    pub fn split(&self) -> ([u8; 32], [u8; 32]) {
        let (mut high, mut low) = ([0; 32], [0; 32]);
        for (i, b) in self.0.iter().enumerate() {
            if let Some(to) = if i < 32 {
                high.get_mut(i)
            } else {
                low.get_mut(i.wrapping_sub(32))
            } {
                *to = *b;
            }
        }
        (high, low)
    }

    /// Nibble `i`; `None` from [`KEY_NIBBLES`] on.
    #[must_use]
    pub fn nibble(&self, i: usize) -> Option<u8> {
        let bit = i.checked_mul(NIBBLE_BITS)?;
        let first = *self.0.get(bit / 8)?;
        let second = self.0.get(bit / 8 + 1).copied().unwrap_or(0);
        let word = u16::from_be_bytes([first, second]);
        // The window of six bits starts at bit % 8 in 0, 2, 4, 6.
        let [_, low] = ((word >> (16 - NIBBLE_BITS - bit % 8)) & 63).to_be_bytes();
        Some(low)
    }

    /// Nibbles `from..to`, cut at [`KEY_NIBBLES`].
    #[must_use]
    pub fn nibbles(&self, from: usize, to: usize) -> Nibbles {
        let mut out = Nibbles::EMPTY;
        for n in (from..to).map_while(|i| self.nibble(i)) {
            out.push(n);
        }
        out
    }

    /// First nibble from `from` on in which the keys differ.
    pub(crate) fn first_difference(&self, other: &Self, from: usize) -> Option<usize> {
        (from..KEY_NIBBLES).find(|&i| self.nibble(i) != other.nibble(i))
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str(")")
    }
}

canonical! {
    /// Which trie: every leaf and branch hash binds it, so no node of one set stands in another.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct SetId {
        /// The shard; all `ff` for the table of shards.
        pub addr: ShardAddr,
        /// Phase set 0 to 3; 4 for the table of shards.
        pub phase: u8,
    }
}

impl SetId {
    /// The global table of shards: `ff x 32 || 4` (K1).
    pub const SHARDS: Self = Self {
        addr: ShardAddr([0xff; 32]),
        phase: 4,
    };
}

/// A sequence of at most [`KEY_NIBBLES`] nibbles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nibbles {
    // Order by content first: unused places are zero.
    data: [u8; KEY_NIBBLES],
    len: u8,
}

impl Nibbles {
    /// No nibbles.
    pub const EMPTY: Self = Self {
        data: [0; KEY_NIBBLES],
        len: 0,
    };

    /// Checks length and range.
    #[must_use]
    pub fn from_slice(nibbles: &[u8]) -> Option<Self> {
        let mut out = Self::EMPTY;
        out.data.get_mut(..nibbles.len())?.copy_from_slice(nibbles);
        out.len = u8::try_from(nibbles.len()).ok()?;
        nibbles
            .iter()
            .all(|n| usize::from(*n) < ARITY)
            .then_some(out)
    }

    /// The nibbles, each below 64.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.data.get(..self.len()).unwrap_or(&[])
    }

    /// Their number.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a nibble; a full sequence stays as it is (paths never exceed [`KEY_NIBBLES`]).
    pub(crate) fn push(&mut self, nibble: u8) {
        let end = self.len();
        if let Some(place) = self.data.get_mut(end) {
            *place = nibble & 63;
            self.len = self.len.saturating_add(1);
        }
    }

    /// `self || other`.
    pub(crate) fn join(&self, other: &Self) -> Self {
        let mut out = *self;
        other.as_slice().iter().for_each(|n| out.push(*n));
        out
    }

    /// `self || nibble`.
    pub(crate) fn with(&self, nibble: u8) -> Self {
        let mut out = *self;
        out.push(nibble);
        out
    }

    /// Nibbles from `start` on.
    pub(crate) fn tail(&self, start: usize) -> Self {
        let mut out = Self::EMPTY;
        self.as_slice()
            .iter()
            .skip(start)
            .for_each(|n| out.push(*n));
        out
    }

    /// The first `end` nibbles.
    pub(crate) fn head(&self, end: usize) -> Self {
        let mut out = Self::EMPTY;
        self.as_slice().iter().take(end).for_each(|n| out.push(*n));
        out
    }

    /// Number of leading nibbles that the key has from `depth` on.
    pub(crate) fn matching(&self, key: &Key, depth: usize) -> usize {
        let theirs = (depth..).map_while(|i| key.nibble(i));
        self.as_slice()
            .iter()
            .zip(theirs)
            .take_while(|(a, b)| **a == *b)
            .count()
    }
}

impl core::fmt::Debug for Nibbles {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_are_six_bits_most_significant_first() {
        let mut k = Key([0; 64]);
        k.0[..3].copy_from_slice(&[0b1010_0111, 0b0011_1100, 0b0101_1010]);
        assert_eq!(
            k.nibbles(0, 4).as_slice(),
            [0b10_1001, 0b11_0011, 0b11_0001, 0b01_1010]
        );
        k.0[63] = 0b0000_0011;
        assert_eq!(k.nibble(85), Some(0b11_0000), "two bits and four zeros");
        assert_eq!(k.nibble(84), Some(0));
        assert_eq!(k.nibble(86), None);
        assert_eq!(k.nibbles(0, 100).len(), KEY_NIBBLES);
    }

    #[test]
    fn nibble_sequences_are_bounded_and_in_range() {
        assert_eq!(Nibbles::from_slice(&[64]), None);
        assert_eq!(Nibbles::from_slice(&[0; 87]), None);
        let n = Nibbles::from_slice(&[1, 2, 3]).unwrap();
        assert_eq!(
            (n.head(1), n.tail(1)),
            (
                Nibbles::from_slice(&[1]).unwrap(),
                Nibbles::from_slice(&[2, 3]).unwrap()
            )
        );
        assert_eq!(n.head(1).join(&n.tail(1)), n);
        let mut full = Nibbles::from_slice(&[5; 86]).unwrap();
        full.push(1);
        assert_eq!(full.as_slice(), [5; 86]);
    }

    #[test]
    fn order_of_keys_is_order_of_nibbles() {
        let (mut a, mut b) = (Key([7; 64]), Key([7; 64]));
        a.0[63] = 1;
        b.0[63] = 2;
        assert!(a < b && a.nibbles(0, 86) < b.nibbles(0, 86));
        assert_eq!(a.first_difference(&b, 0), Some(85));
        assert_eq!(a.first_difference(&a, 0), None);
        assert_eq!(Key::join(&a.split().0, &a.split().1), a);
    }
}
