//! The operations of this crate that benchmarks time.

mod curve;
mod field;
mod pairing;

use quil_workload::Workload;

/// Every row of the crate.
#[must_use]
pub fn all() -> Vec<Workload> {
    let mut rows = field();
    rows.extend(curve());
    rows.extend(pairing());
    rows
}

/// Rows of the base field.
#[must_use]
pub fn field() -> Vec<Workload> {
    field::rows()
}

/// Rows of the groups, of hashing and of signatures.
#[must_use]
pub fn curve() -> Vec<Workload> {
    curve::rows()
}

/// Rows of the tower and the pairing.
#[must_use]
pub fn pairing() -> Vec<Workload> {
    pairing::rows()
}
