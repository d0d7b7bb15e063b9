//! Evaluating and checking reel steps: the only place that touches the class group (R1, R7).

use std::sync::{Mutex, PoisonError};

use quil_types::{BeaconWitness, Bytes};
use quil_vdf::{Discriminant, DiscriminantCache, Evaluator, Form, Progress, VdfProof};

use crate::step::Step;

/// Discriminants kept: those of the current and the next epoch, and a few of sampled workers.
const DISCRIMINANTS_KEPT: usize = 8;
/// Squarings between two looks at the cancellation: a millisecond or less.
const BUDGET: u64 = 64;

/// Evaluates and checks steps of one network. Shared between threads; a discriminant is derived once.
#[derive(Debug)]
pub struct ReelMachine {
    cache: Mutex<DiscriminantCache>,
}

impl ReelMachine {
    /// For discriminants of `bits` bits.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        let bits = usize::try_from(bits).unwrap_or(0);
        Self {
            cache: Mutex::new(DiscriminantCache::new(bits, DISCRIMINANTS_KEPT)),
        }
    }

    /// The discriminant of a seed. Cost when it is new: a prime search, about 0.1 s at 2048 bits; callers that need
    /// the same one meanwhile wait for it.
    #[must_use]
    pub fn discriminant(&self, seed: &[u8; 32]) -> Option<Discriminant> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get_or_derive(seed).ok()
    }

    fn base(&self, step: &Step) -> Option<(Discriminant, Form)> {
        let discriminant = self.discriminant(&step.discriminant)?;
        let x = quil_vdf::base(&discriminant, &step.seed()).ok()?;
        Some((discriminant, x))
    }

    /// Evaluates a step. `None` when it was cancelled. Blocks for the whole delay: run it on a CPU thread.
    #[must_use]
    pub fn solve(&self, step: &Step, cancelled: &dyn Fn() -> bool) -> Option<BeaconWitness> {
        let (discriminant, x) = self.base(step)?;
        let mut evaluator = Evaluator::new(&discriminant, &x, step.t).ok()?;
        while !cancelled() {
            if evaluator.step(BUDGET).ok()? == Progress::Done {
                let (y, pi) = evaluator.proof()?.to_bytes();
                let y = Bytes::from_slice(y.as_ref()).ok()?;
                let pi = Bytes::from_slice(pi.as_ref()).ok()?;
                return Some(BeaconWitness {
                    number: step.number,
                    y,
                    pi,
                });
            }
        }
        None
    }

    /// Whether a witness proves the step. Cost: about 350 group operations, independent of T.
    #[must_use]
    pub fn check(&self, step: &Step, witness: &BeaconWitness) -> bool {
        if witness.number != step.number {
            return false;
        }
        let Some((discriminant, x)) = self.base(step) else {
            return false;
        };
        VdfProof::from_bytes(&discriminant, &witness.y, &witness.pi)
            .is_ok_and(|proof| proof.verify(&discriminant, &x, step.t).is_ok())
    }
}
