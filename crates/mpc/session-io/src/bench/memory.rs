//! Resident memory.

use std::sync::mpsc::sync_channel;
use std::thread;

use quil_garble::halfgates::Evaluation;
use quil_garble::{Plan, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_qcl::{Options, compile};

use super::{SEED, garble, text};

/// Two nested loops; the circuit stores one block and counts.
const PROGRAM: &str = "package main
import \"crypto/aes\"
func many(block [16]byte, keys [176]byte) [16]byte {
    for i := 0; i < INNER; i++ {
        block = aes.EncryptBlockExpanded(block, keys)
    }
    return block
}
func main(block [16]byte, keys [176]byte) [16]byte {
    for i := 0; i < OUTER; i++ {
        block = many(block, keys)
    }
    return block
}
";
/// Iterations of both loops: 195,806 blocks of 5,120 AND gates are 1,002,526,720.
const BLOCKS: [u32; 2] = [442, 443];
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
/// thread; the figure is the memory of the process with both of them, the compiler's included.
pub(super) fn stream() -> Result<u64, String> {
    peak_of(|| stream_gates(BLOCKS))
}

fn stream_gates([inner, outer]: [u32; 2]) -> Result<(), String> {
    let source = PROGRAM
        .replace("INNER", &inner.to_string())
        .replace("OUTER", &outer.to_string());
    let compiled = compile("stream.qcl", &source, &Options::default()).map_err(text)?;
    let plan = Plan::new(compiled.circuit()).map_err(text)?;
    drop(compiled);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_program_has_the_promised_gates_and_few_wires() {
        let source = PROGRAM.replace("INNER", "442").replace("OUTER", "443");
        let compiled = compile("stream.qcl", &source, &Options::default()).unwrap();
        assert_eq!(BLOCKS, [442, 443]);
        assert!(compiled.circuit().stats().and >= 1_000_000_000);
        assert!(compiled.circuit().stats().stored < 40_000);
        assert!(Plan::new(compiled.circuit()).unwrap().wires() < 12_000);
    }

    #[test]
    fn streams_run_to_their_end() {
        stream_gates([3, 20]).unwrap();
        assert!(peak_of(|| Ok(())).is_ok_and(|bytes| bytes > 1 << 20));
    }
}
