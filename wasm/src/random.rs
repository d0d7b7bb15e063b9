//! Randomness of the caller.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes that a caller passes in, fresh from `crypto.getRandomValues` for each call.
pub(crate) const RANDOM_BYTES: usize = 64;

/// Separates this use of the hash from every other one.
const LABEL: &[u8] = b"quil/v1/wasm/random";

/// A generator that knows nothing but the caller's bytes.
pub(crate) fn generator(random: &[u8; RANDOM_BYTES]) -> ChaCha20Rng {
    let hash = Sha256::new().chain_update(LABEL).chain_update(random);
    ChaCha20Rng::from_seed(*Zeroizing::new(hash.finalize().into()))
}
