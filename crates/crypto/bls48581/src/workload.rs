//! The operations of this crate that benchmarks time.

mod field;
mod pairing;

use quil_workload::Workload;

/// Every row of the crate.
#[must_use]
pub fn all() -> Vec<Workload> {
    let mut rows = field();
    rows.extend(pairing());
    rows
}

/// Rows of the base field.
#[must_use]
pub fn field() -> Vec<Workload> {
    field::rows()
}

/// Rows of the tower and the pairing.
#[must_use]
pub fn pairing() -> Vec<Workload> {
    pairing::rows()
}
