//! Discriminants that were derived already.

use quil_classgroup::{Candidate, Discriminant, DiscriminantError};
use rayon::prelude::*;

/// `Disc(seed)` of `bits` bits (R1), its candidates tested in parallel on the current rayon pool.
///
/// # Errors
/// As [`Discriminant::derive`], whose result it has.
pub fn derive_discriminant(seed: &[u8], bits: usize) -> Result<Discriminant, DiscriminantError> {
    Discriminant::derive_with(seed, bits, |list| {
        // The prime is near the front: whole lists cut in halves would test what nobody needs.
        let block = rayon::current_num_threads().saturating_mul(Candidate::TOGETHER);
        list.chunks(block.max(1))
            .zip((0..).step_by(block.max(1)))
            .find_map(|(part, start)| {
                let (piece, within) = part
                    .par_chunks(Candidate::TOGETHER)
                    .map(Candidate::first_prime)
                    .enumerate()
                    .find_map_first(|(i, found)| Some((i, found?)))?;
                piece
                    .checked_mul(Candidate::TOGETHER)?
                    .checked_add(within)?
                    .checked_add(start)
            })
    })
}

/// The last few discriminants by seed, least recently used dropped first. One epoch needs one or two for the chain and
/// one per sampled worker (R8), and a derivation costs far more than a verification.
#[derive(Clone, Debug)]
pub struct DiscriminantCache {
    bits: usize,
    capacity: usize,
    /// Most recently used last.
    entries: Vec<([u8; 32], Discriminant)>,
}

impl DiscriminantCache {
    /// An empty cache for discriminants of `bits` bits; keeps at least one entry.
    #[must_use]
    pub fn new(bits: usize, capacity: usize) -> Self {
        Self {
            bits,
            capacity: capacity.max(1),
            entries: Vec::new(),
        }
    }

    /// The discriminant, if it is at hand.
    pub fn get(&mut self, seed: &[u8; 32]) -> Option<Discriminant> {
        let at = self.entries.iter().position(|(s, _)| s == seed)?;
        let entry = self.entries.remove(at);
        self.entries.push(entry);
        Some(entry.1)
    }

    /// Puts a discriminant that was derived elsewhere, for example ahead of its epoch on a background thread. It is the
    /// caller's word that it belongs to the seed.
    pub fn insert(&mut self, seed: [u8; 32], discriminant: Discriminant) {
        self.entries.retain(|(s, _)| *s != seed);
        if self.entries.len() >= self.capacity {
            self.entries.remove(0);
        }
        self.entries.push((seed, discriminant));
    }

    /// The discriminant, derived if it has to be.
    ///
    /// # Errors
    /// As [`derive_discriminant`].
    pub fn get_or_derive(&mut self, seed: &[u8; 32]) -> Result<Discriminant, DiscriminantError> {
        if let Some(d) = self.get(seed) {
            return Ok(d);
        }
        let d = derive_discriminant(seed, self.bits)?;
        self.insert(*seed, d);
        Ok(d)
    }

    /// Entries held.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
