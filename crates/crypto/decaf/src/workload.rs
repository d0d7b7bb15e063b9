//! Operations worth timing, with their inputs ready.

use core::hint::black_box;

use quil_workload::Workload;

use crate::{FixedBase, Point, Scalar};

/// Domain of the inputs: any will do.
const TAG: &str = "workload";

/// The rows of this crate. Every one of them runs on one core.
#[must_use]
pub fn all() -> Vec<Workload> {
    let point = Point::hash_to(TAG, &[0]);
    let scalar = Scalar::hash(TAG, &[&[1]]);
    let encoding = point.compress();
    let base = FixedBase::generator();
    let fixed = Workload::new("decaf.mul_fixed", move || base.mul(black_box(&scalar)));
    vec![
        fixed.table_bytes(u64::try_from(base.table_bytes()).unwrap_or(u64::MAX)),
        Workload::new("decaf.mul", move || black_box(&point) * black_box(&scalar)),
        Workload::new("decaf.decode", move || black_box(encoding).decompress()),
        Workload::new("decaf.encode", move || black_box(point).compress()),
    ]
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn rows_are_the_named_ones_and_run() {
        let mut rows = all();
        let ids: Vec<_> = rows.iter().map(|r| r.id).collect();
        let want = [
            "decaf.mul_fixed",
            "decaf.mul",
            "decaf.decode",
            "decaf.encode",
        ];
        assert_eq!(ids, want);
        rows.iter_mut().for_each(|r| (r.run)());
    }
}
