//! Figures of two-party computation on this machine, one thread per party.
//!
//! Every row has the median of its samples with the tenth and the ninetieth percentile, in SI units. Loads: circuits of
//! `quil_garble::bench` and programs of the language; transfers between two threads over bounded channels; whole sessions
//! over encrypted loopback TCP, each party with its own thread.

mod circuits;
mod memory;
mod sessions;
mod transfers;

use std::time::{Duration, Instant};

use quil_garble::bench::gates;
use quil_garble::halfgates::{Evaluation, Garbling};
use quil_garble::session::TABLE_FRAME;
use quil_garble::{Plan, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;

pub use memory::resident_peak;

/// Samples per row that give stable medians; all rows then take well under 90 seconds on two cores.
pub const SAMPLES: usize = 5;

/// One measured figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the figure, stable over versions.
    pub id: &'static str,
    /// Median of the samples.
    pub value: f64,
    /// What the figures count: `s`, `1/s`, `B` or `gates`.
    pub unit: &'static str,
    /// Samples taken; one where the figure is the same every time.
    pub samples: usize,
    /// Tenth percentile of the samples, interpolated.
    pub p10: f64,
    /// Ninetieth percentile of the samples, interpolated.
    pub p90: f64,
    /// Best sample.
    pub best: f64,
    /// Best figure by processor time of the busier party instead of elapsed time: what an idle machine would reach.
    /// `None` where the system does not tell, and for figures that are no times.
    pub processor: Option<f64>,
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

/// All ids, in the order of [`run`]. Memory comes first, while the process holds nothing else.
pub const IDS: [&str; 19] = [
    "session.setup_rss",
    "stream.rss_1e9",
    "circuit.aes128_and",
    "circuit.aes128_expanded_and",
    "circuit.sha256_and",
    "circuit.mul64_and",
    "circuit.div64_and",
    "circuit.add64_and",
    "compile.aes128",
    "compile.sha256",
    "compile.ed25519",
    "garble.and",
    "garble.and.portable",
    "evaluate.and",
    "garble.xor",
    "ot.cot",
    "ot.ferret",
    "session.setup",
    "session.and",
];

/// Measures the row with this id, or else the rows whose id starts with `prefix` (empty: all), `samples` times each (at
/// least once); figures that are the same every time, and those of memory, once.
///
/// # Errors
/// A load failed.
pub fn run(prefix: &str, samples: usize) -> Result<Vec<Row>, BenchError> {
    let exact = IDS.contains(&prefix);
    IDS.into_iter()
        .filter(|id| id.starts_with(prefix) && (!exact || *id == prefix))
        .map(|id| row(id, samples.max(1)))
        .collect()
}

fn row(id: &'static str, samples: usize) -> Result<Row, BenchError> {
    let rate = |sample: &mut dyn FnMut() -> Sample| timed(id, "1/s", samples, sample);
    let time = |sample: &mut dyn FnMut() -> Sample| timed(id, "s", samples, sample);
    match id {
        "session.setup_rss" => fixed(id, "B", sessions::setup_memory()),
        "stream.rss_1e9" => fixed(id, "B", memory::stream()),
        "garble.and" => rate(&mut || garble_ands(Isa::best(), 256)),
        "garble.and.portable" => rate(&mut || garble_ands(Isa::PORTABLE, 16)),
        "evaluate.and" => rate(&mut evaluate_ands),
        "garble.xor" => rate(&mut garble_xors),
        "ot.cot" => rate(&mut transfers::extension),
        "ot.ferret" => rate(&mut transfers::silent),
        "session.setup" => time(&mut sessions::setup),
        "session.and" => rate(&mut sessions::ands),
        _ => match circuits::load(id) {
            Some((circuits::Figure::Ands, source)) => fixed(id, "gates", circuits::ands(source)),
            Some((circuits::Figure::Time, source)) => time(&mut || circuits::compile_time(source)),
            None => fixed(id, "", Err("no such row".to_owned())),
        },
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

fn fixed(
    id: &'static str,
    unit: &'static str,
    figure: Result<u64, String>,
) -> Result<Row, BenchError> {
    let value = figure.map_err(|cause| BenchError { id, cause })? as f64;
    Ok(Row {
        id,
        value,
        unit,
        samples: 1,
        p10: value,
        p90: value,
        best: value,
        processor: None,
    })
}

fn timed(
    id: &'static str,
    unit: &'static str,
    samples: usize,
    sample: &mut dyn FnMut() -> Sample,
) -> Result<Row, BenchError> {
    let less_is_better = unit == "s";
    let figure = |count: u64, time: Duration| {
        if less_is_better {
            time.as_secs_f64() / count as f64
        } else {
            count as f64 / time.as_secs_f64()
        }
    };
    let (mut figures, mut busy) = (Vec::with_capacity(samples), Vec::new());
    for _ in 0..samples {
        let work = sample().map_err(|cause| BenchError { id, cause })?;
        figures.push(figure(work.count, work.elapsed));
        busy.extend(work.busy.map(|time| figure(work.count, time)));
    }
    figures.sort_by(f64::total_cmp);
    busy.sort_by(f64::total_cmp);
    let best = |sorted: &[f64]| {
        let best = if less_is_better {
            sorted.first()
        } else {
            sorted.last()
        };
        best.copied()
    };
    Ok(Row {
        id,
        value: quantile(&figures, 0.5),
        unit,
        samples: figures.len(),
        p10: quantile(&figures, 0.1),
        p90: quantile(&figures, 0.9),
        best: best(&figures).unwrap_or(0.0),
        processor: best(&busy),
    })
}

/// The value below which this part of the sorted samples lies, interpolated between neighbours.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position between zero and the number of samples"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = part * sorted.len().saturating_sub(1) as f64;
    let low = at.floor() as usize;
    let value = |index: usize| {
        sorted
            .get(index)
            .or_else(|| sorted.last())
            .copied()
            .unwrap_or(0.0)
    };
    let (below, above) = (value(low), value(low.saturating_add(1)));
    below + (above - below) * (at - at.floor())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let samples = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(quantile(&samples, 0.5), 3.0);
        assert_eq!(quantile(&samples, 0.1), 1.4);
        assert_eq!(quantile(&samples, 0.9), 4.6);
        assert_eq!(quantile(&samples, 1.0), 5.0);
        assert_eq!(quantile(&[7.0], 0.9), 7.0);
        assert_eq!(quantile(&[], 0.9), 0.0);
    }
}
