#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod driver;
pub mod memory;
mod mutate;
pub mod targets;

pub use driver::{Campaign, Report};
pub use mutate::Mutator;
pub use targets::{ALL, find};

/// What a decoder or verifier said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An error, as it should be for most bent inputs.
    Refused,
    /// A value, or a proof that holds.
    Accepted,
}

impl Verdict {
    /// Accepted iff there was no error.
    #[must_use]
    pub const fn of<T, E>(result: &Result<T, E>) -> Self {
        Self::when(result.is_ok())
    }

    /// Accepted iff true.
    #[must_use]
    pub const fn when(accepted: bool) -> Self {
        if accepted {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}

/// What acceptance means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything well formed is accepted; the target itself asserts what must hold then.
    Decoder,
    /// Only what an honest prover made is accepted: an accepted input outside the corpus is a forgery.
    Verifier,
}

/// One decoder or verifier with its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// `crate.what`.
    pub name: &'static str,
    /// What acceptance means.
    pub kind: Kind,
    /// Valid inputs; deterministic.
    pub corpus: fn() -> Vec<Vec<u8>>,
    /// Runs once; panics when an invariant does not hold.
    pub run: fn(&[u8]) -> Verdict,
    /// Bent inputs in an ordinary test run: fractions of a second.
    pub iterations: u32,
    /// Bytes that one run may hold beyond [`BYTES_PER_INPUT_BYTE`] per byte of input.
    pub memory: usize,
}

/// Memory that a run may hold per byte of its input.
pub const BYTES_PER_INPUT_BYTE: usize = 96;

impl Target {
    /// Runs the target on one input and checks its memory: the entry for an external fuzzer.
    ///
    /// # Panics
    /// When an invariant does not hold. The first run of a target may build tables: call it once with a corpus entry
    /// before trusting the memory check.
    #[must_use]
    pub fn check(&self, input: &[u8]) -> Verdict {
        let (verdict, peak) = memory::peak_of(|| (self.run)(input));
        let allowed = input
            .len()
            .saturating_mul(BYTES_PER_INPUT_BYTE)
            .saturating_add(self.memory);
        assert!(
            peak <= allowed,
            "{peak} bytes held for an input of {} bytes, {allowed} allowed",
            input.len()
        );
        verdict
    }
}
