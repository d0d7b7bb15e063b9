//! Evaluation and proof in pieces.

use quil_classgroup::{Discriminant, ForeignGroup, Form};

use crate::{
    accumulator::Accumulator, challenge::challenge_prime, error::ProveError, plan::Plan,
    proof::VdfProof,
};

/// An evaluation `y = x^(2^T)` with its proof, run in pieces by a driver that decides when to stop.
///
/// There is no clock, thread or I/O inside: call [`Self::step`] until [`Progress::Done`], drop the value to cancel.
/// Memory is bounded by about 30 MiB for every `T`. Proving uses the current rayon pool; squaring is sequential by
/// design.
#[derive(Clone, Debug)]
pub struct Evaluator {
    discriminant: Discriminant,
    x: Form,
    squarings: u64,
    plan: Plan,
    current: Form,
    done: u64,
    checkpoints: Vec<Form>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Squaring,
    Proving(Box<Accumulator>),
    Done(Box<VdfProof>),
}

/// Where an evaluation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Squarings done so far.
    Squaring {
        /// Squarings done.
        done: u64,
        /// Squarings to do.
        total: u64,
    },
    /// The output is known, digits of the proof done so far.
    Proving {
        /// Digits done.
        done: u64,
        /// Digits to do; each costs about one composition.
        total: u64,
    },
    /// Output and proof are known.
    Done,
}

impl Evaluator {
    /// Prepares `squarings` squarings of `x`.
    ///
    /// # Errors
    /// [`ForeignGroup`] when `x` is not a form of the discriminant.
    pub fn new(
        discriminant: &Discriminant,
        x: &Form,
        squarings: u64,
    ) -> Result<Self, ForeignGroup> {
        if !x.belongs_to(discriminant) {
            return Err(ForeignGroup);
        }
        Ok(Self {
            discriminant: *discriminant,
            x: *x,
            squarings,
            plan: Plan::new(squarings),
            current: *x,
            done: 0,
            checkpoints: Vec::new(),
            state: State::Squaring,
        })
    }

    /// Does about `budget` units of work (at least one): squarings first, then compositions of the proof. The largest
    /// piece that is not divided is the sum over the buckets of a window, at most 8192 compositions.
    ///
    /// # Errors
    /// [`ProveError`]; none occurs for an evaluator that could be constructed, short of a broken hash.
    pub fn step(&mut self, budget: u64) -> Result<Progress, ProveError> {
        match &mut self.state {
            State::Squaring => {
                self.square(budget.max(1));
                if self.done == self.squarings {
                    self.begin_proof()?;
                }
            }
            State::Proving(accumulator) => {
                accumulator.step(&self.checkpoints, budget)?;
                self.end_proof()?;
            }
            State::Done(_) => {}
        }
        Ok(self.progress())
    }

    /// Where the evaluation stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.state {
            State::Squaring => Progress::Squaring {
                done: self.done,
                total: self.squarings,
            },
            State::Proving(a) => Progress::Proving {
                done: a.done(),
                total: self.plan.digits,
            },
            State::Done(_) => Progress::Done,
        }
    }

    /// The output `y`, known before its proof.
    #[must_use]
    pub const fn output(&self) -> Option<&Form> {
        match self.state {
            State::Squaring => None,
            State::Proving(_) | State::Done(_) => Some(&self.current),
        }
    }

    /// Output and proof, once done.
    #[must_use]
    pub fn proof(&self) -> Option<&VdfProof> {
        match &self.state {
            State::Done(proof) => Some(proof),
            State::Squaring | State::Proving(_) => None,
        }
    }

    fn square(&mut self, budget: u64) {
        let end = self.done.saturating_add(budget).min(self.squarings);
        let spacing = self.plan.spacing();
        while self.done < end {
            if self.done.is_multiple_of(spacing) && self.wants_checkpoint() {
                self.checkpoints.push(self.current);
            }
            self.current = self.current.square();
            self.done = self.done.saturating_add(1);
        }
    }

    fn wants_checkpoint(&self) -> bool {
        u64::try_from(self.checkpoints.len()).is_ok_and(|n| n < self.plan.checkpoints())
    }

    fn begin_proof(&mut self) -> Result<(), ProveError> {
        let prime = challenge_prime(&self.discriminant, &self.x, &self.current, self.squarings)
            .ok_or(ProveError::Challenge)?;
        let neutral = Form::identity(&self.discriminant);
        let accumulator = Accumulator::new(self.plan, prime, self.squarings, neutral);
        self.state = State::Proving(Box::new(accumulator));
        self.end_proof()
    }

    fn end_proof(&mut self) -> Result<(), ProveError> {
        let State::Proving(accumulator) = &self.state else {
            return Ok(());
        };
        let Some(product) = accumulator.product() else {
            return Ok(());
        };
        let pi = if accumulator.is_one_above() {
            product.compose(&self.x.inverse())?
        } else {
            *product
        };
        self.state = State::Done(Box::new(VdfProof {
            y: self.current,
            pi,
        }));
        self.checkpoints = Vec::new();
        Ok(())
    }
}
