//! Processes that can be told from later ones with the same number.
//!
//! A process is its number and its start time, as the system reports it. Before a signal is sent both are compared, on
//! Linux under a handle of the process, so that no stranger is ever hit.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// Pause between two looks at a process.
const POLL: Duration = Duration::from_millis(20);

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in the system's own words: only equality means something.
    pub started: String,
}

/// What the system tells about a process.
struct Seen {
    parent: u32,
    ended: bool,
    started: String,
}

impl ProcessId {
    /// The process that has a number now; `None` when there is none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let seen = look(pid).filter(|s| !s.ended)?;
        Some(Self {
            pid,
            started: seen.started,
        })
    }

    /// Whether it runs. One that has ended and was not reaped does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        look(self.pid).is_some_and(|s| !s.ended && s.started == self.started)
    }

    /// Processes that it started and that run.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        if !self.is_alive() {
            return Vec::new();
        }
        let own = |pid: &u32| look(*pid).is_some_and(|s| s.parent == self.pid);
        numbers()
            .into_iter()
            .filter(own)
            .filter_map(Self::of)
            .collect()
    }

    /// Asks it to end. Nothing happens when it has ended.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    #[cfg(target_os = "linux")]
    fn signal(&self, signal: Signal) {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

        let Some(pid) = raw(self.pid) else { return };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // The handle was there before the comparison: when that holds, it is a handle of this very process.
            Ok(handle) if self.is_alive() => {
                // It may end between the two lines.
                let _ended = pidfd_send_signal(handle, signal);
            }
            Ok(_) | Err(Errno::SRCH) => {}
            Err(_) => self.signal_by_number(signal),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn signal(&self, signal: Signal) {
        self.signal_by_number(signal);
    }

    fn signal_by_number(&self, signal: Signal) {
        if let Some(pid) = raw(self.pid).filter(|_| self.is_alive()) {
            match rustix::process::kill_process(pid, signal) {
                Ok(()) | Err(Errno::SRCH | _) => {}
            }
        }
    }
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Waits until none of the processes runs; those that still do when the time is over are returned.
#[must_use]
pub fn wait_ended(processes: &[ProcessId], limit: Duration) -> Vec<ProcessId> {
    let start = Instant::now();
    let mut left = processes.to_vec();
    loop {
        left.retain(ProcessId::is_alive);
        if left.is_empty() || start.elapsed() >= limit {
            return left;
        }
        thread::sleep(POLL);
    }
}

fn look(pid: u32) -> Option<Seen> {
    if has_procfs() {
        look_procfs(pid)
    } else {
        look_ps(pid)
    }
}

fn has_procfs() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// Fields 3, 4 and 22 of `stat`, counted from the end of the name, which may hold anything (proc(5)).
fn look_procfs(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields.get(19)?;
    Some(Seen {
        ended: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: fields.get(1)?.parse().ok()?,
        started: format!("{}/{ticks}", boot.trim()),
    })
}

/// The same where there is no procfs.
fn look_ps(pid: u32) -> Option<Seen> {
    let text = ps(&["-o", "ppid=,stat=,lstart=", "-p", &pid.to_string()])?;
    let mut words = text.split_whitespace();
    let parent = words.next()?.parse().ok()?;
    let ended = words.next()?.starts_with('Z');
    Some(Seen {
        parent,
        ended,
        started: words.collect::<Vec<_>>().join(" "),
    })
}

fn ps(arguments: &[&str]) -> Option<String> {
    let output = Command::new("ps").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// Numbers of all processes.
fn numbers() -> Vec<u32> {
    if has_procfs() {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        return entries
            .filter_map(|e| e.file_name().to_str()?.parse().ok())
            .collect();
    }
    let text = ps(&["-A", "-o", "pid="]).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> std::process::Child {
        Command::new("sleep").arg("600").spawn().unwrap()
    }

    #[test]
    fn process_is_known_until_it_ends_and_never_again() {
        let mut child = sleeper();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        let own = ProcessId::of(std::process::id()).unwrap();
        assert!(own.children().contains(&id));
        id.kill();
        assert!(wait_ended(std::slice::from_ref(&id), Duration::from_secs(5)).is_empty());
        assert!(!id.is_alive(), "not reaped yet, but ended");
        assert_eq!(ProcessId::of(child.id()), None);
        child.wait().unwrap();
        assert!(!id.is_alive());
        id.terminate();
    }

    #[test]
    fn number_that_now_belongs_to_another_process_is_not_hit() {
        let mut child = sleeper();
        let real = ProcessId::of(child.id()).unwrap();
        let earlier = ProcessId {
            pid: real.pid,
            started: format!("{}0", real.started),
        };
        assert!(!earlier.is_alive() && earlier.children().is_empty());
        earlier.kill();
        earlier.signal_by_number(Signal::KILL);
        assert!(wait_ended(&[earlier], Duration::ZERO).is_empty());
        thread::sleep(Duration::from_millis(100));
        assert!(real.is_alive());
        assert_eq!(
            wait_ended(std::slice::from_ref(&real), Duration::ZERO),
            [real]
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn number_of_nobody_is_no_process() {
        assert_eq!(ProcessId::of(u32::MAX), None);
        assert_eq!(ProcessId::of(0), None);
    }
}
