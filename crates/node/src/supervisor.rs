//! The life of a worker process as a state machine; the driver starts, signals and reaps real processes.
//!
//! `Starting -> Running -> Draining -> Stopped`, with `Backoff` after an exit and `Quarantined` after too many.
//! A worker is killed and reaped before its successor starts (I1): two processes never hold one safety file.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use quil_types::Millis;

/// First delay after an exit; doubles with each exit in a row, milliseconds.
pub const BACKOFF_FIRST_MS: u64 = 500;
/// Largest delay, milliseconds.
pub const BACKOFF_CAP_MS: u64 = 60_000;
/// A worker that ran this long starts its delays over, milliseconds.
pub const HEALTHY_MS: u64 = 5 * 60_000;
/// This many exits within [`FAILURE_WINDOW_MS`] quarantine a worker.
pub const FAILURES_MAX: usize = 5;
/// See [`FAILURES_MAX`], milliseconds.
pub const FAILURE_WINDOW_MS: u64 = 10 * 60_000;
/// A quarantined worker is tried again after this long, milliseconds.
pub const QUARANTINE_MS: u64 = 15 * 60_000;
/// A worker that says nothing for this long is killed, milliseconds.
pub const SILENCE_MS: u64 = 10_000;
/// A worker must say hello within this long after its start, milliseconds.
pub const HELLO_MS: u64 = 30_000;
/// Exit code of a worker that could not lock its safety file: its predecessor still lives (I1).
pub const EXIT_SAFETY_LOCKED: i32 = 75;
/// Exit code of a configuration that no restart will repair.
pub const EXIT_CONFIG: i32 = 78;
/// Exit code of a worker that could not write or read its files.
pub const EXIT_STORAGE: i32 = quil_store::EXIT_STORAGE as i32;

/// Where a worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Not started yet.
    Idle,
    /// The process runs and has not said hello.
    Starting {
        /// Since when.
        since: Millis,
    },
    /// The process said hello.
    Running {
        /// Since when.
        since: Millis,
        /// Last sign of life.
        heard: Millis,
    },
    /// Told to be killed; waits for the reaping.
    Killed,
    /// Waits before the next start.
    Backoff {
        /// Next start.
        until: Millis,
    },
    /// Failed too often; waits long before the next start.
    Quarantined {
        /// Next start.
        until: Millis,
    },
    /// Told to stop, within the grace period.
    Draining {
        /// Then it is killed.
        until: Millis,
    },
    /// Gone for good.
    Stopped,
}

impl WorkerState {
    /// The word users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting { .. } => "starting",
            Self::Running { .. } => "running",
            Self::Killed => "killed",
            Self::Backoff { .. } => "backoff",
            Self::Quarantined { .. } => "quarantined",
            Self::Draining { .. } => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// What happens to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupervisorInput {
    /// Time passed.
    Tick,
    /// The process was started.
    Spawned,
    /// The process could not be started.
    SpawnFailed,
    /// A hello or a heartbeat arrived.
    Heard,
    /// The process ended and was reaped.
    Exited {
        /// Exit code; `None` after a signal.
        code: Option<i32>,
    },
    /// The master stops.
    Stop {
        /// Grace period, milliseconds.
        grace_ms: u64,
    },
}

/// What the driver must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SupervisorOutput {
    /// Start the process.
    Spawn,
    /// Ask the process to end.
    Terminate,
    /// End the process now and reap it.
    Kill,
}

/// Supervises one worker.
#[derive(Clone, Debug)]
pub struct Supervisor {
    state: WorkerState,
    in_a_row: u32,
    failures: VecDeque<Millis>,
    restarts: u32,
    last_reason: &'static str,
    jitter: u64,
}

impl Supervisor {
    /// A worker that starts with the first tick. `seed` spreads the delays of several workers by up to 20 %.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            state: WorkerState::Idle,
            in_a_row: 0,
            failures: VecDeque::new(),
            restarts: 0,
            last_reason: "",
            jitter: seed,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> WorkerState {
        self.state
    }

    /// Starts after the first one.
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Why it ended the last time; empty when it never did.
    #[must_use]
    pub const fn last_reason(&self) -> &'static str {
        self.last_reason
    }

    /// When to call with `Tick` next.
    #[must_use]
    pub const fn next_tick(&self) -> Option<Millis> {
        match self.state {
            WorkerState::Idle => Some(Millis::ZERO),
            WorkerState::Starting { since } => Some(since.after(HELLO_MS)),
            WorkerState::Running { heard, .. } => Some(heard.after(SILENCE_MS)),
            WorkerState::Backoff { until }
            | WorkerState::Quarantined { until }
            | WorkerState::Draining { until } => Some(until),
            WorkerState::Killed | WorkerState::Stopped => None,
        }
    }

    /// One input, at most one output.
    #[must_use]
    pub fn handle(&mut self, now: Millis, input: SupervisorInput) -> Option<SupervisorOutput> {
        match input {
            SupervisorInput::Tick => self.on_tick(now),
            SupervisorInput::Spawned => {
                self.state = WorkerState::Starting { since: now };
                None
            }
            SupervisorInput::SpawnFailed => {
                self.fail(now, "could not be started");
                None
            }
            SupervisorInput::Heard => {
                self.on_heard(now);
                None
            }
            SupervisorInput::Exited { code } => {
                self.on_exit(now, code);
                None
            }
            SupervisorInput::Stop { grace_ms } => self.on_stop(now, grace_ms),
        }
    }

    fn on_tick(&mut self, now: Millis) -> Option<SupervisorOutput> {
        match self.state {
            WorkerState::Idle => Some(SupervisorOutput::Spawn),
            WorkerState::Backoff { until } | WorkerState::Quarantined { until } if now >= until => {
                self.restarts = self.restarts.saturating_add(1);
                Some(SupervisorOutput::Spawn)
            }
            WorkerState::Starting { since } if now.since(since) >= HELLO_MS => {
                self.kill("no hello in time")
            }
            WorkerState::Running { heard, .. } if now.since(heard) >= SILENCE_MS => {
                self.kill("silent")
            }
            WorkerState::Draining { until } if now >= until => self.kill("did not stop in time"),
            _ => None,
        }
    }

    fn kill(&mut self, reason: &'static str) -> Option<SupervisorOutput> {
        let stopping = matches!(self.state, WorkerState::Draining { .. });
        self.last_reason = reason;
        self.state = if stopping {
            WorkerState::Stopped
        } else {
            WorkerState::Killed
        };
        Some(SupervisorOutput::Kill)
    }

    const fn on_heard(&mut self, now: Millis) {
        match self.state {
            WorkerState::Starting { .. } => {
                self.state = WorkerState::Running {
                    since: now,
                    heard: now,
                }
            }
            WorkerState::Running { since, .. } => {
                self.state = WorkerState::Running { since, heard: now }
            }
            _ => {}
        }
    }

    fn on_exit(&mut self, now: Millis, code: Option<i32>) {
        if matches!(
            self.state,
            WorkerState::Draining { .. } | WorkerState::Stopped
        ) {
            self.state = WorkerState::Stopped;
            return;
        }
        if let WorkerState::Running { since, .. } = self.state
            && now.since(since) >= HEALTHY_MS
        {
            self.in_a_row = 0;
        }
        let reason = match code {
            Some(EXIT_SAFETY_LOCKED) => "safety file locked by another process",
            Some(EXIT_CONFIG) => "configuration error",
            Some(EXIT_STORAGE) => "its storage failed",
            Some(0) => "ended by itself",
            Some(_) => "failed",
            None if matches!(self.state, WorkerState::Killed) => self.last_reason,
            None => "killed by a signal",
        };
        self.fail(now, reason);
    }

    fn fail(&mut self, now: Millis, reason: &'static str) {
        self.last_reason = reason;
        self.failures.push_back(now);
        while self
            .failures
            .front()
            .is_some_and(|t| now.since(*t) > FAILURE_WINDOW_MS)
        {
            self.failures.pop_front();
        }
        if self.failures.len() >= FAILURES_MAX {
            self.failures.clear();
            self.in_a_row = 0;
            self.state = WorkerState::Quarantined {
                until: now.after(QUARANTINE_MS),
            };
            return;
        }
        let delay = BACKOFF_FIRST_MS
            .saturating_mul(1 << self.in_a_row.min(10))
            .min(BACKOFF_CAP_MS);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.state = WorkerState::Backoff {
            until: now.after(self.spread(delay)),
        };
    }

    /// `delay` plus or minus up to 20 %, so that workers that fell together do not rise together.
    const fn spread(&mut self, delay: u64) -> u64 {
        self.jitter = self
            .jitter
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let per_mille = 800 + (self.jitter >> 33) % 401;
        delay.saturating_mul(per_mille) / 1000
    }

    const fn on_stop(&mut self, now: Millis, grace_ms: u64) -> Option<SupervisorOutput> {
        match self.state {
            WorkerState::Starting { .. } | WorkerState::Running { .. } => {
                self.state = WorkerState::Draining {
                    until: now.after(grace_ms),
                };
                Some(SupervisorOutput::Terminate)
            }
            WorkerState::Draining { .. } => Some(SupervisorOutput::Kill),
            WorkerState::Killed => {
                self.state = WorkerState::Stopped;
                None
            }
            _ => {
                self.state = WorkerState::Stopped;
                None
            }
        }
    }
}
