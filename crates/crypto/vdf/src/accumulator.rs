//! The proof `x^floor(2^T / l)` from checkpoints, in pieces.

use quil_classgroup::{ForeignGroup, Form, Prime256, Residue};
use rayon::prelude::*;

use crate::plan::Plan;

/// Running computation of a proof.
///
/// With `rho_i` the residue of `2^(T - k i)` modulo `l` of least magnitude, `d_i = (2^k rho_(i+1) - rho_i) / l` is an
/// integer of magnitude at most `2^(k-1)` and `sum d_i 2^(k i) = (2^T - rho_0) / l`. So digits are signed, independent of
/// each other, and the sum is the quotient, or one more when `rho_0` is negative.
#[derive(Clone, Debug)]
pub(crate) struct Accumulator {
    plan: Plan,
    prime: Prime256,
    /// `2^(k (g - 1))`: from one digit of a class to the one below.
    jump: Residue,
    squarings: u64,
    neutral: Form,
    product: Form,
    /// Residue class of digit positions in progress; classes run from high to low.
    class: u64,
    /// Checkpoints of the class still to do, and the residue above the highest of them.
    left: u64,
    residue: Residue,
    buckets: Vec<Form>,
    finished: bool,
    done: u64,
}

/// A signed digit and the checkpoint it applies to.
type Digit = (i64, usize);

impl Accumulator {
    pub(crate) fn new(plan: Plan, prime: Prime256, squarings: u64, neutral: Form) -> Self {
        let window = u64::from(plan.window);
        let mut out = Self {
            plan,
            prime,
            jump: prime.pow2(window.saturating_mul(plan.stride.saturating_sub(1))),
            squarings,
            neutral,
            product: neutral,
            class: plan.stride.min(plan.digits).saturating_sub(1),
            left: 0,
            residue: prime.pow2(0),
            buckets: vec![neutral; plan.buckets()],
            finished: plan.digits == 0,
            done: 0,
        };
        out.start_class();
        out
    }

    /// Digits done.
    pub(crate) const fn done(&self) -> u64 {
        self.done
    }

    /// The product over all digits, once done.
    pub(crate) fn product(&self) -> Option<&Form> {
        self.finished.then_some(&self.product)
    }

    /// Whether the sum of the digits is one above the quotient.
    pub(crate) fn is_one_above(&self) -> bool {
        self.prime.is_upper_half(self.prime.pow2(self.squarings))
    }

    /// Does up to `budget` digits, and the sum over the buckets when a class is complete.
    pub(crate) fn step(&mut self, checkpoints: &[Form], budget: u64) -> Result<(), ForeignGroup> {
        if self.finished {
            return Ok(());
        }
        let count = self.left.min(budget.max(1));
        let digits: Vec<Digit> = (0..count).map(|_| self.next_digit()).collect();
        self.done = self.done.saturating_add(count);
        self.drop_into_buckets(checkpoints, &digits)?;
        if self.left == 0 {
            self.close_class()?;
        }
        Ok(())
    }

    fn start_class(&mut self) {
        // Positions class, class + g, .. below the number of digits.
        let above = self.plan.digits.saturating_sub(self.class);
        self.left = above.div_ceil(self.plan.stride);
        let highest = self
            .left
            .saturating_sub(1)
            .saturating_mul(self.plan.stride)
            .saturating_add(self.class);
        let bits = highest
            .saturating_add(1)
            .saturating_mul(u64::from(self.plan.window));
        self.residue = self.prime.pow2(self.squarings.saturating_sub(bits));
    }

    fn next_digit(&mut self) -> Digit {
        let above = self.residue;
        let (quotient, below) = self.prime.shift_div(above, self.plan.window);
        let mut digit = i64::from(quotient);
        if self.prime.is_upper_half(above) {
            digit = digit.wrapping_sub(1 << self.plan.window);
        }
        if self.prime.is_upper_half(below) {
            digit = digit.wrapping_add(1);
        }
        self.left = self.left.saturating_sub(1);
        self.residue = if self.plan.stride == 1 {
            below
        } else {
            self.prime.mul(below, self.jump)
        };
        // Checkpoints are bounded by `CHECKPOINTS_MAX`.
        (digit, usize::try_from(self.left).unwrap_or(usize::MAX))
    }

    /// Every thread owns a range of buckets, so nothing is shared and no work is repeated.
    fn drop_into_buckets(
        &mut self,
        checkpoints: &[Form],
        digits: &[Digit],
    ) -> Result<(), ForeignGroup> {
        let range = self.range();
        self.buckets
            .par_chunks_mut(range)
            .enumerate()
            .try_for_each(|(part, buckets)| {
                let first = part.saturating_mul(range).saturating_add(1);
                for &(digit, index) in digits {
                    let Some(bucket) = usize::try_from(digit.unsigned_abs())
                        .ok()
                        .and_then(|d| d.checked_sub(first))
                        .and_then(|d| buckets.get_mut(d))
                    else {
                        continue;
                    };
                    let Some(x) = checkpoints.get(index) else {
                        continue;
                    };
                    *bucket = if digit < 0 {
                        bucket.compose(&x.inverse())?
                    } else {
                        bucket.compose(x)?
                    };
                }
                Ok(())
            })
    }

    /// `product^(2^k) * sum d B_d`.
    fn close_class(&mut self) -> Result<(), ForeignGroup> {
        let (range, neutral) = (self.range(), self.neutral);
        let partial = self
            .buckets
            .par_chunks_mut(range)
            .enumerate()
            .map(|(part, buckets)| {
                let (mut run, mut sum) = (neutral, neutral);
                for bucket in buckets.iter_mut().rev() {
                    run = run.compose(bucket)?;
                    sum = sum.compose(&run)?;
                    *bucket = neutral;
                }
                // The buckets of this part have digits `part * range` higher than the sum counted.
                let offset = u64::try_from(part.saturating_mul(range)).unwrap_or(u64::MAX);
                sum.compose(&run.pow(&[offset]))
            })
            .try_reduce(|| neutral, |a, b| a.compose(&b))?;
        self.product = self
            .product
            .square_n(u64::from(self.plan.window))
            .compose(&partial)?;
        match self.class.checked_sub(1) {
            Some(class) => {
                self.class = class;
                self.start_class();
            }
            None => self.finished = true,
        }
        Ok(())
    }

    fn range(&self) -> usize {
        self.buckets
            .len()
            .div_ceil(rayon::current_num_threads())
            .max(1)
    }
}

#[cfg(test)]
mod tests;
