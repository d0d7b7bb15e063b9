//! The operating system's randomness, once per command.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroize as _;

use crate::output::Failure;

/// A generator seeded by the operating system.
pub(crate) fn system_rng() -> Result<ChaCha20Rng, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| {
        Failure::new(
            "system.random",
            format!("no randomness: {e}"),
            "check /dev/urandom",
        )
    })?;
    let rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    Ok(rng)
}
