//! Tuples as keys, and their leading parts as prefixes.

use crate::key::{FixedKey, Key, Prefix};

impl<A: FixedKey, B: Key> Key for (A, B) {
    const ENCODED_MAX: usize = A::ENCODED_MAX + B::ENCODED_MAX;

    fn encode_into(&self, out: &mut Vec<u8>) {
        self.0.encode_into(out);
        self.1.encode_into(out);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::decode_from(bytes)?, B::decode_from(bytes)?))
    }
}

impl<A: FixedKey, B: FixedKey, C: Key> Key for (A, B, C) {
    const ENCODED_MAX: usize = A::ENCODED_MAX + B::ENCODED_MAX + C::ENCODED_MAX;

    fn encode_into(&self, out: &mut Vec<u8>) {
        self.0.encode_into(out);
        self.1.encode_into(out);
        self.2.encode_into(out);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        Some((
            A::decode_from(bytes)?,
            B::decode_from(bytes)?,
            C::decode_from(bytes)?,
        ))
    }
}

impl<A: FixedKey, B: FixedKey, C: FixedKey, D: Key> Key for (A, B, C, D) {
    const ENCODED_MAX: usize = A::ENCODED_MAX + B::ENCODED_MAX + C::ENCODED_MAX + D::ENCODED_MAX;

    fn encode_into(&self, out: &mut Vec<u8>) {
        self.0.encode_into(out);
        self.1.encode_into(out);
        self.2.encode_into(out);
        self.3.encode_into(out);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        Some((
            A::decode_from(bytes)?,
            B::decode_from(bytes)?,
            C::decode_from(bytes)?,
            D::decode_from(bytes)?,
        ))
    }
}

impl<A: FixedKey, B: FixedKey> FixedKey for (A, B) {}
impl<A: FixedKey, B: FixedKey, C: FixedKey> FixedKey for (A, B, C) {}
impl<A: FixedKey, B: FixedKey, C: FixedKey, D: FixedKey> FixedKey for (A, B, C, D) {}

impl<A: FixedKey, B: Key> Prefix<(A, B)> for A {}
impl<A: FixedKey, B: FixedKey, C: Key> Prefix<(A, B, C)> for A {}
impl<A: FixedKey, B: FixedKey, C: Key> Prefix<(A, B, C)> for (A, B) {}
impl<A: FixedKey, B: FixedKey, C: FixedKey, D: Key> Prefix<(A, B, C, D)> for A {}
impl<A: FixedKey, B: FixedKey, C: FixedKey, D: Key> Prefix<(A, B, C, D)> for (A, B) {}
impl<A: FixedKey, B: FixedKey, C: FixedKey, D: Key> Prefix<(A, B, C, D)> for (A, B, C) {}
