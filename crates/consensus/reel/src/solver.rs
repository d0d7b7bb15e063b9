//! Who solves which step when (R2), as a sans-IO machine.
//!
//! A beacon depends on nothing but the previous beacon, so the chain of beacons has no forks within an epoch.
//! A node solves the next one iff it leads the current or the following rank; every node solves when the rank
//! timer fires. Witnesses arrive by gossip and inside proposals and are verified once.

use std::collections::BTreeMap;

use quil_types::{Beacon, BeaconWitness, FrameNumber};

use crate::step::Step;

/// Verified beacons kept; a proposal for a known number needs no second proof check.
pub(crate) const BEACONS_KEPT: usize = 64;
/// Witnesses of one step that wait for their check at the same time; more are dropped, gossip repeats them.
pub(crate) const PENDING_CHECKS_MAX: usize = 4;

/// What happens to the solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SolverInput {
    /// The next beacon wanted is this step's. Steps only go forward.
    Next(Step),
    /// Whether this node leads the current or the following rank.
    Leading(bool),
    /// The rank timer fired: everybody solves.
    TimerFired,
    /// The evaluator finished the step that was started.
    Solved(BeaconWitness),
    /// A witness from gossip or from a proposal.
    Received(BeaconWitness),
    /// The check of a received witness ended.
    Checked {
        /// What was checked.
        witness: BeaconWitness,
        /// Whether the proof holds.
        valid: bool,
    },
}

/// What the driver must do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SolverOutput {
    /// Evaluate the step on a CPU thread; answer with `Solved`.
    Start(Step),
    /// The running evaluation is not needed any more.
    Cancel,
    /// Verify the witness for the step; answer with `Checked`.
    Check(Step, BeaconWitness),
    /// Gossip an own result.
    Gossip(BeaconWitness),
    /// The step's beacon is known.
    Ready(Beacon, BeaconWitness),
    /// A received witness is invalid: its sender deserves a penalty.
    Invalid(BeaconWitness),
}

/// See the module documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solver {
    next: Option<Step>,
    leading: bool,
    everybody: bool,
    running: bool,
    checking: usize,
    known: BTreeMap<FrameNumber, (Step, BeaconWitness)>,
}

impl Solver {
    /// A solver that waits for its first step.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The verified witness of a step, if it is still kept.
    #[must_use]
    pub fn witness(&self, step: &Step) -> Option<&BeaconWitness> {
        self.known
            .get(&step.number)
            .filter(|(s, _)| s == step)
            .map(|(_, w)| w)
    }

    /// One input, any number of outputs in order.
    pub fn handle(&mut self, input: SolverInput, out: &mut Vec<SolverOutput>) {
        match input {
            SolverInput::Next(step) => self.on_next(step, out),
            SolverInput::Leading(leading) => {
                self.leading = leading;
                self.start_if_due(out);
            }
            SolverInput::TimerFired => {
                self.everybody = true;
                self.start_if_due(out);
            }
            SolverInput::Solved(witness) => self.on_solved(witness, out),
            SolverInput::Received(witness) => self.on_received(witness, out),
            SolverInput::Checked { witness, valid } => self.on_checked(witness, valid, out),
        }
    }

    fn on_next(&mut self, step: Step, out: &mut Vec<SolverOutput>) {
        if self.next.as_ref() == Some(&step) {
            return;
        }
        self.stop(out);
        self.everybody = false;
        self.checking = 0;
        if let Some(witness) = self.witness(&step).cloned() {
            out.push(SolverOutput::Ready(Step::beacon(&witness), witness));
        }
        self.next = Some(step);
        self.start_if_due(out);
    }

    fn start_if_due(&mut self, out: &mut Vec<SolverOutput>) {
        let Some(step) = &self.next else { return };
        if self.running || !(self.leading || self.everybody) || self.witness(step).is_some() {
            return;
        }
        self.running = true;
        out.push(SolverOutput::Start(step.clone()));
    }

    fn on_solved(&mut self, witness: BeaconWitness, out: &mut Vec<SolverOutput>) {
        let expected = self
            .next
            .as_ref()
            .is_some_and(|s| s.number == witness.number);
        if !self.running || !expected {
            return;
        }
        self.running = false;
        out.push(SolverOutput::Gossip(witness.clone()));
        self.learn(witness, out);
    }

    fn on_received(&mut self, witness: BeaconWitness, out: &mut Vec<SolverOutput>) {
        let Some(step) = self.next.clone() else {
            return;
        };
        if step.number != witness.number
            || self.witness(&step).is_some()
            || self.checking >= PENDING_CHECKS_MAX
        {
            return;
        }
        self.checking = self.checking.saturating_add(1);
        out.push(SolverOutput::Check(step, witness));
    }

    fn on_checked(&mut self, witness: BeaconWitness, valid: bool, out: &mut Vec<SolverOutput>) {
        self.checking = self.checking.saturating_sub(1);
        if !valid {
            out.push(SolverOutput::Invalid(witness));
        } else if self
            .next
            .as_ref()
            .is_some_and(|s| s.number == witness.number && self.witness(s).is_none())
        {
            self.stop(out);
            self.learn(witness, out);
        }
    }

    fn stop(&mut self, out: &mut Vec<SolverOutput>) {
        if self.running {
            self.running = false;
            out.push(SolverOutput::Cancel);
        }
    }

    fn learn(&mut self, witness: BeaconWitness, out: &mut Vec<SolverOutput>) {
        let Some(step) = self.next.clone() else {
            return;
        };
        out.push(SolverOutput::Ready(Step::beacon(&witness), witness.clone()));
        self.known.insert(step.number, (step, witness));
        while self.known.len() > BEACONS_KEPT {
            self.known.pop_first();
        }
    }
}
