use quil_bulletproofs::{Commitment, Generators, Opening};
use quil_decaf::SecretScalar;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(crate) const TX: [u8; 32] = [7; 32];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn openings(amounts: &[u64], seed: u64) -> Vec<Opening> {
    let mut r = rng(seed);
    let open = |a: &u64| Opening {
        amount: *a,
        blinding: SecretScalar::random(&mut r),
    };
    amounts.iter().map(open).collect()
}

pub(crate) fn commit(openings: &[Opening]) -> Vec<Commitment> {
    openings
        .iter()
        .map(|o| o.commit(Generators::standard()))
        .collect()
}
