//! What the machine and the processes say about themselves, on systems with `/proc`.

use crate::process::ProcessId;
use crate::record::Record;

/// Load average of the last minute; `None` where the system does not say.
pub(super) fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Resident memory of the processes of a network, KiB.
pub(super) struct Memory(Vec<u64>);

impl Memory {
    /// As it is now.
    pub(super) fn of(record: &Record) -> Self {
        let processes = record.nodes.iter().flat_map(|node| {
            let master = node.process.iter().cloned();
            master
                .chain(node.live_workers())
                .collect::<Vec<ProcessId>>()
        });
        Self(processes.filter_map(|p| resident(p.pid)).collect())
    }

    /// Of the largest process, megabytes (10^6 bytes); `None` where the system does not say.
    pub(super) fn largest_mb(&self) -> Option<u64> {
        self.0
            .iter()
            .max()
            .map(|kib| kib.saturating_mul(1024) / 1_000_000)
    }
}

fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    resident_of(&status)
}

/// `VmRSS:      1234 kB`.
fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_systems_words() {
        let status = "Name:\tquil\nVmPeak:\t  9 kB\nVmRSS:\t   51236 kB\nThreads:\t4\n";
        assert_eq!(resident_of(status), Some(51_236));
        assert_eq!(resident_of("Name:\tquil\n"), None);
        let memory = Memory(vec![1_000, 100_000]);
        assert_eq!(memory.largest_mb(), Some(102));
        assert_eq!(Memory(Vec::new()).largest_mb(), None);
    }
}
