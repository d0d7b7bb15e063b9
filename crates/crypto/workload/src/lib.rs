#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use core::fmt;

/// What one row of a benchmark counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds per operation.
    Seconds,
    /// Operations per second.
    PerSecond,
    /// Bytes per second; the amount of a run is its bytes.
    BytesPerSecond,
    /// Time beyond that of a base, divided by it: see [`Workload::overhead`].
    Ratio,
}

impl Unit {
    /// Name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
            Self::BytesPerSecond => "B/s",
            Self::Ratio => "ratio",
        }
    }
}

/// An operation with its inputs ready: running it does the work once and nothing else.
pub struct Workload {
    /// Stable name of the row: `fp.mul`, `bls.verify`.
    pub id: &'static str,
    /// What the figure counts.
    pub unit: Unit,
    /// Operations (or bytes) in one run: the time of a run is divided by it.
    pub amount: u64,
    /// Does the work; the result goes through [`core::hint::black_box`].
    pub run: Box<dyn FnMut()>,
    /// Only for [`Unit::Ratio`]: the work that the time of `run` is compared with; the figure is `run / base - 1`.
    pub base: Option<Box<dyn FnMut()>>,
    /// Bytes of precomputed tables that the operation reads, if it reads some.
    pub table_bytes: Option<u64>,
    /// Runs on all cores, not on one.
    pub all_cores: bool,
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("id", &self.id)
            .field("unit", &self.unit)
            .field("amount", &self.amount)
            .field("table_bytes", &self.table_bytes)
            .finish_non_exhaustive()
    }
}

impl Workload {
    /// One operation per run, in seconds.
    pub fn new<T>(id: &'static str, mut operation: impl FnMut() -> T + 'static) -> Self {
        let run = Box::new(move || {
            core::hint::black_box(operation());
        });
        Self {
            id,
            unit: Unit::Seconds,
            amount: 1,
            run,
            base: None,
            table_bytes: None,
            all_cores: false,
        }
    }

    /// The time of `operation` beyond that of `base`, as a ratio of the latter.
    pub fn overhead<T, B>(
        id: &'static str,
        operation: impl FnMut() -> T + 'static,
        mut base: impl FnMut() -> B + 'static,
    ) -> Self {
        let base: Box<dyn FnMut()> = Box::new(move || {
            core::hint::black_box(base());
        });
        Self {
            unit: Unit::Ratio,
            base: Some(base),
            ..Self::new(id, operation)
        }
    }

    /// One run does `amount` operations (at least one).
    #[must_use]
    pub fn amount(mut self, amount: u64) -> Self {
        self.amount = amount.max(1);
        self
    }

    /// The figure is given in `unit`.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// The operation reads tables of this size.
    #[must_use]
    pub fn table_bytes(mut self, bytes: u64) -> Self {
        self.table_bytes = Some(bytes);
        self
    }

    /// The operation uses every core.
    #[must_use]
    pub fn all_cores(mut self) -> Self {
        self.all_cores = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_run_does_the_work_once() {
        let count = Rc::new(Cell::new(0));
        let seen = Rc::clone(&count);
        let mut load = Workload::new("count", move || seen.set(seen.get() + 1));
        (load.run)();
        (load.run)();
        assert_eq!(count.get(), 2);
        assert_eq!((load.amount, load.unit.name()), (1, "s"));
    }

    #[test]
    fn amount_is_never_zero() {
        assert_eq!(Workload::new("none", || ()).amount(0).amount, 1);
    }

    #[test]
    fn overhead_has_a_base() {
        let load = Workload::overhead("more", || 2, || 1);
        assert_eq!(load.unit, Unit::Ratio);
        assert!(load.base.is_some());
    }
}
