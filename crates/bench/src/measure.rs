//! From a workload to a figure: warm-up, batches long enough for the clock, samples until the time of the row is used.

use std::time::Duration;

use quil_workload::{Unit, Workload};

use crate::clock::Clock;
use crate::row::Row;

/// Most samples of a row.
const SAMPLES_MAX: usize = 2000;
/// Most runs of one batch.
const BATCH_MAX: u64 = 1 << 15;

/// What a row gets even when the total time is used: short operations have their samples within it.
const ROW_LEAST: Duration = Duration::from_millis(50);
/// And what it may take then.
const MOST_LEAST: Duration = Duration::from_millis(150);

/// Time of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Least time of a batch: what takes less is repeated inside one sample. Far above what a look at the clock costs, far
    /// below the time between two interruptions by the system, so that most samples have none.
    pub batch: Duration,
    /// Sampling goes on until this is used ..
    pub row: Duration,
    /// .. and there are this many samples ..
    pub least: usize,
    /// .. unless this is used: then it ends with the samples that there are, at least one.
    pub most: Duration,
}

impl Budget {
    /// For about fifty rows within ninety seconds.
    pub const STANDARD: Self = Self {
        batch: Duration::from_micros(200),
        row: Duration::from_millis(600),
        least: 5,
        most: Duration::from_secs(4),
    };
    /// Shows that everything runs; figures are of no use.
    pub const SMOKE: Self = Self {
        batch: Duration::ZERO,
        row: Duration::ZERO,
        least: 1,
        most: Duration::ZERO,
    };
}

/// Shares what is left of a total time among the rows that are left.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    budget: Budget,
    end: Duration,
    rows: u32,
}

impl Pace {
    /// `rows` rows until the clock shows `end`, none longer than `budget` says.
    #[must_use]
    pub const fn new(budget: Budget, end: Duration, rows: u32) -> Self {
        Self { budget, end, rows }
    }

    /// The budget of the next row.
    pub fn next(&mut self, now: Duration) -> Budget {
        let left = self.end.saturating_sub(now);
        let share = left.checked_div(self.rows.max(1)).unwrap_or_default();
        self.rows = self.rows.saturating_sub(1);
        Budget {
            row: self.budget.row.min(share.max(ROW_LEAST)),
            // A row may take more than its share, but not what everybody else needs.
            most: self
                .budget
                .most
                .min((left.saturating_sub(share) / 2).max(MOST_LEAST)),
            ..self.budget
        }
    }
}

/// Times the runs of one closure.
struct Stopwatch<'a, C> {
    clock: &'a C,
}

impl<C: Clock> Stopwatch<'_, C> {
    fn time(&self, run: &mut dyn FnMut(), times: u64) -> Duration {
        let begin = self.clock.now();
        for _ in 0..times {
            run();
        }
        self.clock.now().saturating_sub(begin)
    }

    /// Runs per batch, so that one takes `least`.
    fn batch(&self, run: &mut dyn FnMut(), least: Duration) -> u64 {
        let mut batch = 1_u64;
        loop {
            let took = self.time(run, batch);
            if took >= least || batch >= BATCH_MAX {
                return batch;
            }
            let factor = least.as_nanos().div_ceil(took.as_nanos().max(1));
            let factor = u64::try_from(factor).unwrap_or(u64::MAX).clamp(2, 16);
            batch = batch.saturating_mul(factor).min(BATCH_MAX);
        }
    }
}

/// Measures a workload. Its first run, which may build what later runs share, is not counted.
pub fn measure(load: &mut Workload, clock: &impl Clock, budget: Budget) -> Row {
    let watch = Stopwatch { clock };
    (load.run)();
    if let Some(base) = &mut load.base {
        base();
    }
    // A ratio compares single runs: they are long, and what disturbs one of a pair should not be averaged away.
    let batch = match load.base {
        Some(_) => 1,
        None => watch.batch(&mut load.run, budget.batch),
    };
    let mut samples = Vec::new();
    let begin = clock.now();
    loop {
        let run = watch.time(&mut load.run, batch).as_secs_f64();
        let base = load.base.as_mut().map(|base| watch.time(base, batch));
        samples.push(figure(load, batch, run, base));
        let used = clock.now().saturating_sub(begin);
        let enough = used >= budget.row && samples.len() >= budget.least;
        if enough || used >= budget.most || samples.len() >= SAMPLES_MAX {
            return Row::of(load.id, load.unit.name(), samples, load.table_bytes);
        }
    }
}

fn figure(load: &Workload, batch: u64, run: f64, base: Option<Duration>) -> f64 {
    let amount = load.amount.saturating_mul(batch) as f64;
    // A clock that stood still must not divide by zero.
    let run = run.max(1e-12);
    match load.unit {
        Unit::Seconds => run / amount,
        Unit::PerSecond | Unit::BytesPerSecond => amount / run,
        Unit::Ratio => run / base.unwrap_or_default().as_secs_f64().max(1e-12) - 1.0,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// A clock that only the workload moves.
    #[derive(Clone, Default)]
    struct Fake(Rc<Cell<Duration>>);

    impl Clock for Fake {
        fn now(&self) -> Duration {
            self.0.get()
        }
    }

    impl Fake {
        fn pass(&self, nanos: u64) {
            self.0.set(self.0.get() + Duration::from_nanos(nanos));
        }

        /// An operation that takes these times in turn.
        fn work(&self, nanos: &'static [u64]) -> impl FnMut() + 'static {
            let (clock, mut turn) = (self.clone(), nanos.iter().cycle());
            move || clock.pass(*turn.next().unwrap())
        }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs()
    }

    #[test]
    fn short_operations_are_timed_in_batches() {
        let clock = Fake::default();
        let mut load = Workload::new("x", clock.work(&[57])).amount(3);
        let row = measure(&mut load, &clock, Budget::STANDARD);
        assert!(near(row.value, 19e-9), "{row:?}");
        assert_eq!((row.unit, row.p10, row.p90), ("s", row.value, row.value));
        let per_batch = clock.now().as_secs_f64() / (row.samples as f64);
        assert!(per_batch >= 2e-4 && row.samples >= 5);
    }

    #[test]
    fn rows_use_their_time_and_no_more() {
        let clock = Fake::default();
        let mut load = Workload::new("x", clock.work(&[1_000_000]));
        measure(&mut load, &clock, Budget::STANDARD);
        let used = clock.now();
        assert!(used >= Budget::STANDARD.row, "{used:?}");
        assert!(used <= Budget::STANDARD.row * 2, "{used:?}");
    }

    #[test]
    fn slow_operations_get_at_least_one_sample() {
        let clock = Fake::default();
        let mut load = Workload::new("x", clock.work(&[9_000_000_000]));
        let row = measure(&mut load, &clock, Budget::STANDARD);
        assert_eq!((row.samples, row.value), (1, 9.0));
    }

    #[test]
    fn first_run_does_not_count() {
        let clock = Fake::default();
        let (time, mut first) = (clock.clone(), true);
        let operation = move || {
            time.pass(if std::mem::take(&mut first) {
                5_000_000_000
            } else {
                3_000_000
            })
        };
        let row = measure(&mut Workload::new("x", operation), &clock, Budget::STANDARD);
        assert_eq!((row.p10, row.p90), (0.003, 0.003));
    }

    #[test]
    fn median_and_percentiles_come_from_the_samples() {
        let clock = Fake::default();
        let times = &[2_000_000, 4_000_000, 6_000_000, 8_000_000, 100_000_000];
        let row = measure(
            &mut Workload::new("x", clock.work(times)),
            &clock,
            Budget::STANDARD,
        );
        assert!(row.value >= 0.004 && row.value <= 0.008, "{row:?}");
        assert!(row.p10 < row.value && row.value < row.p90, "{row:?}");
    }

    #[test]
    fn rates_and_bytes_are_amounts_per_second() {
        let clock = Fake::default();
        for (unit, name) in [(Unit::PerSecond, "1/s"), (Unit::BytesPerSecond, "B/s")] {
            let mut load = Workload::new("x", clock.work(&[4_000_000]))
                .amount(1000)
                .unit(unit);
            let row = measure(&mut load, &clock, Budget::STANDARD);
            assert_eq!((row.unit, row.value), (name, 250_000.0));
        }
    }

    #[test]
    fn ratio_compares_pairs() {
        let clock = Fake::default();
        let mut load = Workload::overhead("x", clock.work(&[108_000]), clock.work(&[100_000]));
        let row = measure(&mut load, &clock, Budget::STANDARD);
        assert!(near(row.value, 0.08), "{row:?}");
        assert_eq!(row.unit, "ratio");
        // Both get slower together: the ratio stays.
        let mut load = Workload::overhead("x", clock.work(&[110, 220]), clock.work(&[100, 200]));
        let row = measure(&mut load, &clock, Budget::STANDARD);
        assert!(near(row.p10, 0.1) && near(row.p90, 0.1), "{row:?}");
    }

    #[test]
    fn tables_are_passed_on() {
        let clock = Fake::default();
        let mut load = Workload::new("x", clock.work(&[1])).table_bytes(17);
        assert_eq!(
            measure(&mut load, &clock, Budget::SMOKE).table_bytes,
            Some(17)
        );
    }

    #[test]
    fn a_clock_that_stands_still_ends() {
        let row = measure(
            &mut Workload::new("x", || ()),
            &Fake::default(),
            Budget::STANDARD,
        );
        assert_eq!(row.samples, SAMPLES_MAX);
        assert!(row.value.is_finite());
    }

    #[test]
    fn smoke_is_a_handful_of_runs() {
        let count = Rc::new(Cell::new(0));
        let seen = Rc::clone(&count);
        let mut load = Workload::new("x", move || seen.set(seen.get() + 1));
        assert_eq!(
            measure(&mut load, &Fake::default(), Budget::SMOKE).samples,
            1
        );
        assert_eq!(count.get(), 3);
    }

    #[test]
    fn pace_keeps_to_the_end() {
        let seconds = Duration::from_secs;
        let mut pace = Pace::new(Budget::STANDARD, seconds(60), 50);
        assert_eq!(pace.next(seconds(0)), Budget::STANDARD);
        // Half the rows, little time left.
        let mut pace = Pace::new(Budget::STANDARD, seconds(60), 25);
        let short = pace.next(seconds(55));
        assert_eq!(short.row, Duration::from_millis(200));
        assert!(short.most < seconds(3));
        let over = pace.next(seconds(61));
        assert_eq!((over.row, over.most), (ROW_LEAST, MOST_LEAST));
        assert_eq!(
            Pace::new(Budget::SMOKE, seconds(60), 1).next(seconds(0)),
            Budget::SMOKE
        );
    }
}
