//! Resident memory.

use std::sync::mpsc::sync_channel;
use std::thread;

use quil_garble::bench::aes;
use quil_garble::halfgates::Evaluation;
use quil_garble::{Plan, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_qcl::circuit::Recipients;

use super::{SEED, garble, text};

/// AND gates that are streamed at least.
const GATES: u64 = 1_000_000_000;
/// Frames of tables on their way.
const QUEUE: usize = 4;

/// Largest resident memory of this process so far, bytes; `None` where the system does not tell.
#[must_use]
pub fn resident_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Largest resident memory of the whole process while `work` runs. Where the system cannot forget an earlier peak, the
/// figure is that peak or more.
pub(super) fn peak_of<T>(work: impl FnOnce() -> Result<T, String>) -> Result<u64, String> {
    // Without the right to reset the peak the figure is an upper bound.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    work()?;
    resident_peak().ok_or_else(|| "this system does not tell the memory of a process".to_owned())
}

/// Streams a program of 10^9 AND gates (AES-128 under expanded keys, blocks in a chain) from a garbling to an evaluating
/// thread; the figure is the memory of the process with both of them.
pub(super) fn stream() -> Result<u64, String> {
    peak_of(|| stream_gates(GATES))
}

fn stream_gates(gates: u64) -> Result<(), String> {
    let block = aes::aes128(Recipients::BOTH).map_err(text)?;
    let times = u32::try_from(gates.div_ceil(block.stats().and)).map_err(text)?;
    let plan = Plan::new(&block.iterate(times).map_err(text)?).map_err(text)?;
    let labels = vec![Block::new(9); plan.widths().iter().sum()];
    let mut evaluation = Evaluation::new(&plan, Isa::best(), SEED, &labels);
    let (full, frames) = sync_channel::<Vec<u8>>(QUEUE);
    thread::scope(|scope| {
        scope.spawn(|| {
            garble(&plan, Isa::best(), |frame| {
                // A gone evaluator says itself what was wrong.
                let _ = full.send(frame.to_vec());
            });
            drop(full);
        });
        let mut progress = Progress::Paused;
        for frame in frames {
            progress = evaluation.run(&plan, &frame).0;
        }
        if progress == Progress::Done {
            Ok(())
        } else {
            Err("tables ended before the gates".to_owned())
        }
    })
}
