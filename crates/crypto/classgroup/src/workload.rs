//! Operations worth timing, with their inputs ready.

use core::hint::black_box;

use quil_workload::{Unit, Workload};

use crate::{Discriminant, Form};

/// Size of the group, bits.
const BITS: usize = 2048;
/// Squarings of one run: short enough that most runs are not interrupted.
const SQUARINGS: u64 = 50;
/// Squarings before the first run: coefficients have their full size then.
const WARM_UP: u64 = 200;

/// The rows of this crate. Every one of them runs on one core; empty if the inputs could not be made.
#[must_use]
pub fn all() -> Vec<Workload> {
    let Ok(d) = Discriminant::derive(b"workload", BITS) else {
        return Vec::new();
    };
    let mut x = Form::generator(&d).square_n(WARM_UP);
    // Each run goes on where the last one ended, as a delay does.
    let square = Workload::new("classgroup.square_2048", move || {
        x = black_box(&x).square_n(SQUARINGS);
        x
    });
    vec![square.amount(SQUARINGS).unit(Unit::PerSecond)]
}
