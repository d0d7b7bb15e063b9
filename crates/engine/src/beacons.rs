//! The reel of the global chain, as its engine drives it (R2).

use std::collections::BTreeMap;

use quil_reel::{Adjuster, EpochMeasure, ReelEpoch, Solver, SolverInput, SolverOutput, Step};
use quil_types::{BeaconWitness, Epoch, Header};

/// Epochs whose constants stay in memory.
const EPOCHS_KEPT: usize = 8;

/// Solver, epoch constants and the pace of the current epoch.
#[derive(Clone, Debug)]
pub struct Beacons {
    solver: Solver,
    adjuster: Adjuster,
    epochs: BTreeMap<Epoch, ReelEpoch>,
    pace: EpochMeasure,
    last_timestamp: u64,
}

impl Beacons {
    /// From the known epochs and the last final frame.
    #[must_use]
    pub fn new(
        adjuster: Adjuster,
        epochs: impl IntoIterator<Item = ReelEpoch>,
        last: &Header,
    ) -> Self {
        Self {
            solver: Solver::new(),
            adjuster,
            epochs: epochs.into_iter().map(|e| (e.epoch, e)).collect(),
            pace: EpochMeasure::default(),
            last_timestamp: last.timestamp.get(),
        }
    }

    /// Constants of an epoch, when they are known.
    #[must_use]
    pub fn epoch(&self, epoch: Epoch) -> Option<&ReelEpoch> {
        self.epochs.get(&epoch)
    }

    /// The step of a child of `parent` in an epoch.
    #[must_use]
    pub fn step_after(&self, parent: &Header, epoch: Epoch) -> Option<Step> {
        self.epochs.get(&epoch).map(|e| e.step_after(parent))
    }

    /// The verified witness of a step.
    #[must_use]
    pub fn witness(&self, step: &Step) -> Option<&BeaconWitness> {
        self.solver.witness(step)
    }

    /// Feeds the solver.
    pub fn handle(&mut self, input: SolverInput, out: &mut Vec<SolverOutput>) {
        self.solver.handle(input, out);
    }

    /// Counts a final frame into the pace of its epoch.
    pub fn measure(&mut self, header: &Header) {
        let spacing = header.timestamp.get().saturating_sub(self.last_timestamp);
        self.last_timestamp = header.timestamp.get();
        self.pace.frames = self.pace.frames.saturating_add(1);
        self.pace.elapsed_ms = self.pace.elapsed_ms.saturating_add(spacing);
        if header.commits_parent() {
            self.pace.spacings_ms.push(spacing);
        }
    }

    /// The epoch of `closing` is over: gives the constants of the epoch after the next one, to be stored.
    pub fn close(&mut self, closing: &Header) -> Option<ReelEpoch> {
        let measured = core::mem::take(&mut self.pace);
        let this = self.epochs.get(&closing.epoch)?;
        let next = self.epochs.get(&closing.epoch.next())?;
        let after = ReelEpoch::after(this, next, closing.beacon, &measured, &self.adjuster);
        self.epochs.insert(after.epoch, after);
        while self.epochs.len() > EPOCHS_KEPT {
            self.epochs.pop_first();
        }
        Some(after)
    }
}
