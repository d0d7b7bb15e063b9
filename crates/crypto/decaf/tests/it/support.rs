use quil_decaf::{CompressedPoint, Point, Scalar};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::Value;

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn bytes<const N: usize>(v: &Value) -> [u8; N] {
    let s = v.as_str().expect("hex string");
    hex::decode(s).expect("hex").try_into().expect("length")
}

pub(crate) fn scalar(v: &Value) -> Scalar {
    Scalar::from_bytes(&bytes(v)).expect("canonical scalar")
}

pub(crate) fn point(v: &Value) -> Point {
    CompressedPoint(bytes(v)).decompress().expect("valid point")
}

pub(crate) fn items(v: &Value) -> &Vec<Value> {
    v.as_array().expect("list")
}

pub(crate) fn random_point(rng: &mut ChaCha20Rng) -> Point {
    let mut b = [0; 112];
    rand_core::Rng::fill_bytes(rng, &mut b);
    Point::from_uniform_bytes(&b)
}

/// Every single-bit change of `bytes`.
pub(crate) fn mutations<const N: usize>(bytes: [u8; N]) -> impl Iterator<Item = [u8; N]> {
    (0..8 * N).map(move |i| {
        let mut m = bytes;
        m[i / 8] ^= 1 << (i % 8);
        m
    })
}

/// The group order, little-endian.
pub(crate) fn order() -> [u8; 56] {
    let mut b = (-Scalar::ONE).to_bytes();
    b[0] += 1;
    b
}

/// a + b as little-endian integers, modulo 2^448.
pub(crate) fn plus(a: &[u8; 56], b: &[u8; 56]) -> [u8; 56] {
    let mut carry = 0;
    core::array::from_fn(|i| {
        let sum = u16::from(a[i]) + u16::from(b[i]) + carry;
        carry = sum >> 8;
        sum as u8
    })
}
