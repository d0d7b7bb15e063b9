//! Shared helpers.

use quil_bls48581::{Fp, Fr};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::Value;

/// Parses a vector file that is compiled in.
pub(crate) fn vectors(text: &str) -> Value {
    let v: Value = serde_json::from_str(text).expect("valid JSON");
    assert!(v["source"].is_string());
    v
}

pub(crate) fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().expect("string")).expect("hex")
}

pub(crate) fn array<const N: usize>(v: &Value) -> [u8; N] {
    bytes(v).try_into().expect("length")
}

pub(crate) fn fp(v: &Value) -> Fp {
    Fp::from_canonical_bytes(&array(v)).expect("canonical")
}

pub(crate) fn fr(v: &Value) -> Fr {
    Fr::from_canonical_bytes(&array(v)).expect("canonical")
}

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn random_fr(rng: &mut ChaCha20Rng) -> Fr {
    let mut b = [0; 128];
    rng.fill_bytes(&mut b);
    Fr::from_be_bytes_wide(&b)
}

pub(crate) fn random_fp(rng: &mut ChaCha20Rng) -> Fp {
    let mut b = [0; 128];
    rng.fill_bytes(&mut b);
    Fp::from_be_bytes_wide(&b)
}
