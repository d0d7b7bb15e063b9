//! Seeded mutation of valid inputs.

/// Largest input that mutation makes.
const BYTES_MAX: usize = 1 << 17;
/// Most mutations stacked on one input.
const STACK_MAX: u64 = 4;
/// Numbers that length fields and counters are tried with.
const EDGES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// A generator of bent inputs. The same seed gives the same inputs.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// Starts at a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number (SplitMix64, Steele, Lea, Flood 2014).
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for 0.
    pub fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next_u64() % n).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next_u64().to_le_bytes()[0]
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.byte()).collect()
    }

    /// A bent copy of a corpus entry; nearly never equal to it. Empty for an empty corpus.
    pub fn bend(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.entry(corpus).to_vec();
        for _ in 0..=self.next_u64() % STACK_MAX {
            self.once(&mut input, corpus);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn entry<'a>(&mut self, corpus: &'a [Vec<u8>]) -> &'a [u8] {
        let at = self.below(corpus.len());
        corpus.get(at).map_or(&[], Vec::as_slice)
    }

    fn once(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        match self.next_u64() % 13 {
            0..=2 => self.flip_bit(input),
            3 => self.set_byte(input),
            4 => self.edge_number(input),
            5 => self.length_field(input),
            6 => {
                let keep = self.below(input.len());
                input.truncate(keep);
            }
            7 => {
                let n = self.below(20).saturating_add(1);
                let tail = self.bytes(n);
                input.extend(tail);
            }
            8 => self.remove(input),
            9 => self.repeat(input),
            10 => self.exchange(input),
            11 => self.fill(input),
            _ => self.splice(input, corpus),
        }
    }

    fn flip_bit(&mut self, input: &mut [u8]) {
        let (at, bit) = (self.below(input.len()), self.below(8));
        if let Some(byte) = input.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn set_byte(&mut self, input: &mut [u8]) {
        let (at, value) = (self.below(input.len()), self.byte());
        if let Some(byte) = input.get_mut(at) {
            *byte = value;
        }
    }

    /// Writes a number of 1, 2, 4 or 8 bytes in either order.
    fn number(&mut self, input: &mut [u8], value: u64) {
        let width = 1 << self.below(4);
        let at = self.below(input.len().saturating_sub(width).saturating_add(1));
        let mut bytes = value.to_le_bytes();
        let bytes = bytes.get_mut(..width).unwrap_or_default();
        if self.next_u64() & 1 == 1 {
            bytes.reverse();
        }
        if let Some(place) = input.get_mut(at..at.saturating_add(width)) {
            place.copy_from_slice(bytes);
        }
    }

    fn edge_number(&mut self, input: &mut [u8]) {
        let edge = self.below(EDGES.len());
        let value = EDGES.get(edge).copied().unwrap_or(0);
        self.number(input, value);
    }

    /// A number near the size of the input: what a length field may say and should not.
    fn length_field(&mut self, input: &mut [u8]) {
        let len = u64::try_from(input.len()).unwrap_or(0);
        let value = len.wrapping_add(self.next_u64() % 9).wrapping_sub(4);
        self.number(input, value);
    }

    fn range(&mut self, input: &[u8]) -> core::ops::Range<usize> {
        let start = self.below(input.len());
        let longest = input.len().saturating_sub(start).min(600);
        let len = self.below(longest.saturating_add(1));
        start..start.saturating_add(len)
    }

    fn remove(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        input.drain(range);
    }

    fn repeat(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        let copy = input.get(range.clone()).unwrap_or_default().to_vec();
        input.splice(range.start..range.start, copy);
    }

    fn exchange(&mut self, input: &mut [u8]) {
        let (a, b) = (self.range(input), self.range(input));
        for (i, j) in a.zip(b) {
            if i < input.len() && j < input.len() {
                input.swap(i, j);
            }
        }
    }

    fn fill(&mut self, input: &mut [u8]) {
        let range = self.range(input);
        let value = if self.next_u64() & 1 == 1 { 0xff } else { 0 };
        if let Some(place) = input.get_mut(range) {
            place.fill(value);
        }
    }

    /// A part of another entry over the same place, or anywhere.
    fn splice(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let other = self.entry(corpus);
        let range = self.range(other);
        let part = other.get(range.clone()).unwrap_or_default();
        let at = if self.next_u64() & 1 == 1 {
            range.start.min(input.len())
        } else {
            self.below(input.len())
        };
        let end = at.saturating_add(part.len()).min(input.len());
        input.splice(at..end, part.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn corpus() -> Vec<Vec<u8>> {
        vec![(0..200).collect(), vec![7; 40], vec![1]]
    }

    #[test]
    fn same_seed_same_inputs() {
        let (mut a, mut b) = (Mutator::new(9), Mutator::new(9));
        for _ in 0..500 {
            assert_eq!(a.bend(&corpus()), b.bend(&corpus()));
        }
        assert_ne!(Mutator::new(1).next_u64(), Mutator::new(2).next_u64());
    }

    #[test]
    fn inputs_differ_shrink_grow_and_stay_bounded() {
        let corpus = corpus();
        let mut m = Mutator::new(1);
        let all: BTreeSet<Vec<u8>> = (0..5000).map(|_| m.bend(&corpus)).collect();
        assert!(all.len() > 3500, "{}", all.len());
        assert!(all.iter().any(Vec::is_empty));
        assert!(all.iter().any(|i| i.len() > 220));
        assert!(all.iter().any(|i| i.len() == 200));
        let big = vec![vec![0; BYTES_MAX]];
        assert!((0..200).all(|_| m.bend(&big).len() <= BYTES_MAX));
    }

    #[test]
    fn empty_corpus_and_empty_entries_are_no_trouble() {
        let mut m = Mutator::new(3);
        for _ in 0..2000 {
            m.bend(&[]);
            m.bend(&[Vec::new()]);
        }
    }
}
