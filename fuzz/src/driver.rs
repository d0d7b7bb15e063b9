//! Runs one target: first its corpus, then bent inputs.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Kind, Mutator, Target, Verdict, memory};

/// Bytes of an offending input that a failure shows; a program can have them all.
const SHOWN_MAX: usize = 4096;

/// A run of one target. Deterministic in target and seed.
#[derive(Debug)]
pub struct Campaign {
    target: Target,
    seed: u64,
    corpus: Vec<Vec<u8>>,
    honest: BTreeSet<Vec<u8>>,
    mutator: Mutator,
    report: Report,
}

/// What a campaign saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Bent inputs tried.
    pub tried: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Bytes held at most by one run.
    pub peak: usize,
}

impl Campaign {
    /// Makes the corpus and checks that all of it is accepted, with tables built and memory counted.
    ///
    /// # Panics
    /// When the corpus is empty or an entry is refused: the target would test nothing.
    #[must_use]
    pub fn new(target: Target, seed: u64) -> Self {
        let corpus = (target.corpus)();
        assert!(!corpus.is_empty(), "{}: no corpus", target.name);
        let mut campaign = Self {
            target,
            seed,
            honest: corpus.iter().cloned().collect(),
            corpus,
            mutator: Mutator::new(seed),
            report: Report::default(),
        };
        for entry in campaign.corpus.clone() {
            // The first run builds tables that stay.
            assert!(
                (target.run)(&entry) == Verdict::Accepted,
                "{}: a valid input is refused",
                target.name
            );
            campaign.checked(&entry);
        }
        campaign
    }

    /// Tries one bent input.
    ///
    /// # Panics
    /// When an invariant does not hold; the message has target, seed, number and input.
    pub fn step(&mut self) {
        let input = self.mutator.bend(&self.corpus);
        let verdict = self.checked(&input);
        self.report.tried = self.report.tried.saturating_add(1);
        if verdict == Verdict::Refused {
            self.report.refused = self.report.refused.saturating_add(1);
            return;
        }
        let forged = self.target.kind == Kind::Verifier && !self.honest.contains(&input);
        assert!(!forged, "{}", self.failure("forgery accepted", &input));
    }

    /// What was seen so far.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }

    #[expect(clippy::panic, reason = "a found defect ends the run with its input")]
    fn checked(&mut self, input: &[u8]) -> Verdict {
        let target = self.target;
        let run = || memory::peak_of(|| target.check(input));
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok((verdict, peak)) => {
                self.report.peak = self.report.peak.max(peak);
                verdict
            }
            Err(payload) => {
                let text = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| payload.downcast_ref::<&str>().copied())
                    .unwrap_or("panic");
                let failure = self.failure(text, input);
                std::panic::panic_any(failure)
            }
        }
    }

    fn failure(&self, what: &str, input: &[u8]) -> String {
        let shown = input.get(..SHOWN_MAX).unwrap_or(input);
        format!(
            "{}, seed {}, input {}: {what}\n{} bytes: {}",
            self.target.name,
            self.seed,
            self.report.tried,
            input.len(),
            hex::encode(shown)
        )
    }
}
