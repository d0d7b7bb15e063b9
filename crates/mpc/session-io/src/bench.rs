//! Rates of two-party computation on this machine, one thread per party.
//!
//! Every row is the median of a few samples with its spread. Loads: circuits of `quil_garble::bench`; transfers between
//! two threads over bounded channels; whole sessions over encrypted loopback TCP, each party with its own thread.

mod sessions;
mod transfers;

use std::time::{Duration, Instant};

use quil_garble::bench::gates;
use quil_garble::halfgates::{Evaluation, Garbling};
use quil_garble::session::TABLE_FRAME;
use quil_garble::{Plan, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;

pub use sessions::resident_peak;

/// One measured figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the figure, stable over versions.
    pub id: &'static str,
    /// Median.
    pub figure: f64,
    /// Best sample.
    pub best: f64,
    /// Best figure by processor time of the busier party instead of elapsed time: what an idle machine would reach.
    /// `None` where the system does not tell.
    pub processor: Option<f64>,
    /// Unit of both.
    pub unit: &'static str,
    /// Samples taken.
    pub samples: usize,
    /// Distance of worst and best sample, divided by the median.
    pub spread: f64,
}

/// A load failed to build or to run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the load of {id} failed: {cause}")]
pub struct BenchError {
    /// Row.
    pub id: &'static str,
    /// What happened.
    pub cause: String,
}

/// All ids, in the order of [`run`].
pub const IDS: [&str; 8] = [
    "garble.and",
    "garble.and.portable",
    "evaluate.and",
    "garble.xor",
    "ot.cot",
    "ot.ferret",
    "session.setup",
    "session.and",
];

/// Measures the rows whose id starts with `prefix` (empty: all), `samples` times each (at least once).
///
/// # Errors
/// A load failed.
pub fn run(prefix: &str, samples: usize) -> Result<Vec<Row>, BenchError> {
    IDS.into_iter()
        .filter(|id| id.starts_with(prefix))
        .map(|id| row(id, samples.max(1)))
        .collect()
}

fn row(id: &'static str, samples: usize) -> Result<Row, BenchError> {
    let million = |count: u64, time: Duration| count as f64 / time.as_secs_f64() / 1e6;
    let millis = |_: u64, time: Duration| time.as_secs_f64() * 1e3;
    match id {
        "garble.and" => collect(id, samples, "M/s", million, || {
            garble_ands(Isa::best(), 256)
        }),
        "garble.and.portable" => collect(id, samples, "M/s", million, || {
            garble_ands(Isa::PORTABLE, 16)
        }),
        "evaluate.and" => collect(id, samples, "M/s", million, evaluate_ands),
        "garble.xor" => collect(id, samples, "M/s", million, garble_xors),
        "ot.cot" => collect(id, samples, "M/s", million, transfers::extension),
        "ot.ferret" => collect(id, samples, "M/s", million, transfers::silent),
        "session.setup" => collect(id, samples, "ms", millis, sessions::setup),
        _ => collect(id, samples, "M/s", million, sessions::ands),
    }
}

/// Amount of work and the time it took.
struct Work {
    count: u64,
    elapsed: Duration,
    /// Processor time of the busier party.
    busy: Option<Duration>,
}

/// Work, or what went wrong.
type Sample = Result<Work, String>;

/// Elapsed and processor time of the calling thread.
struct Watch {
    begin: Instant,
    busy: Option<Duration>,
}

impl Watch {
    fn start() -> Self {
        Self {
            begin: Instant::now(),
            busy: thread_time(),
        }
    }

    fn busy(&self) -> Option<Duration> {
        thread_time()?.checked_sub(self.busy?)
    }

    fn work(&self, count: u64) -> Work {
        Work {
            count,
            elapsed: self.begin.elapsed(),
            busy: self.busy(),
        }
    }
}

/// Processor time of the calling thread so far.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(
        text.split_whitespace().next()?.parse().ok()?,
    ))
}

fn collect(
    id: &'static str,
    samples: usize,
    unit: &'static str,
    figure: impl Fn(u64, Duration) -> f64,
    mut sample: impl FnMut() -> Sample,
) -> Result<Row, BenchError> {
    let (mut figures, mut busy) = (Vec::with_capacity(samples), Vec::new());
    for _ in 0..samples {
        let work = sample().map_err(|cause| BenchError { id, cause })?;
        figures.push(figure(work.count, work.elapsed));
        busy.extend(work.busy.map(|time| figure(work.count, time)));
    }
    figures.sort_by(f64::total_cmp);
    busy.sort_by(f64::total_cmp);
    let best = |sorted: &[f64]| {
        if unit == "ms" {
            sorted.first()
        } else {
            sorted.last()
        }
        .copied()
    };
    let ends = figures.first().zip(figures.last());
    let median = figures.get(figures.len() / 2).copied().unwrap_or(0.0);
    Ok(Row {
        id,
        figure: median,
        best: best(&figures).unwrap_or(0.0),
        processor: best(&busy),
        unit,
        samples: figures.len(),
        spread: ends.map_or(0.0, |(low, high)| (high - low) / median),
    })
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// Public constants: rates do not depend on values.
const SEED: Block = Block::new(0x5eed);
const OFFSET: Block = Block::new(0x0ff5_e701);

/// Garbles a plan, giving each frame of tables to `frame`.
fn garble(plan: &Plan, isa: Isa, mut frame: impl FnMut(&[u8])) {
    let labels = vec![Block::new(9); plan.widths().iter().sum()];
    let mut garbling = Garbling::new(plan, isa, SEED, OFFSET, &labels);
    let mut tables = Vec::with_capacity(TABLE_FRAME);
    loop {
        tables.clear();
        let progress = garbling.run(plan, &mut tables, TABLE_FRAME);
        frame(&tables);
        if progress == Progress::Done {
            break;
        }
    }
}

fn garble_ands(isa: Isa, rounds: u32) -> Sample {
    let plan = Plan::new(&gates::ands(rounds).map_err(text)?).map_err(text)?;
    let watch = Watch::start();
    garble(&plan, isa, |_| {});
    Ok(watch.work(plan.ands()))
}

fn garble_xors() -> Sample {
    let plan = Plan::new(&gates::xors(2000).map_err(text)?).map_err(text)?;
    let watch = Watch::start();
    garble(&plan, Isa::best(), |_| {});
    Ok(watch.work(plan.xors()))
}

fn evaluate_ands() -> Sample {
    const REPEAT: u64 = 8;
    let plan = Plan::new(&gates::ands(32).map_err(text)?).map_err(text)?;
    let labels = vec![Block::new(9); plan.widths().iter().sum()];
    let mut frames = Vec::new();
    garble(&plan, Isa::best(), |frame| frames.push(frame.to_vec()));
    let watch = Watch::start();
    for _ in 0..REPEAT {
        let mut evaluation = Evaluation::new(&plan, Isa::best(), SEED, &labels);
        for frame in &frames {
            evaluation.run(&plan, frame);
        }
    }
    Ok(watch.work(plan.ands().saturating_mul(REPEAT)))
}
