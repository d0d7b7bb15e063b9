//! Starts, signals and reaps one worker process as its [`Supervisor`] says.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use quil_types::Millis;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::protocol::Progress;
use crate::seats::{Seat, Standing};
use crate::supervisor::{Supervisor, SupervisorInput, SupervisorOutput, WorkerState};
use crate::ticket::TICKET_VARIABLE;

/// Tells the C library's allocator how many arenas to keep. One per thread, its default, never gives back what a full frame
/// took: after 1200 transfers a worker held 140 MB instead of 96 MB, at the same speed.
const ARENAS_VARIABLE: &str = "MALLOC_ARENA_MAX";
/// Arenas of a worker, unless the user's environment says another number.
const ARENAS: &str = "2";

/// How worker processes are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Arguments before `--core N`.
    pub arguments: Vec<OsString>,
}

/// Makes the ticket of a start: the text of [`TICKET_VARIABLE`].
pub type Tickets = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// One worker's driver.
pub struct Spawner {
    /// Its place.
    pub seat: Seat,
    /// How to start it.
    pub launch: Launch,
    /// What it gets on its way.
    pub tickets: Tickets,
    /// Becomes true when the master stops.
    pub stop: watch::Receiver<bool>,
    /// Milliseconds between SIGTERM and SIGKILL then.
    pub grace_ms: u64,
}

impl core::fmt::Debug for Spawner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Spawner")
            .field("core", &self.seat.core())
            .finish_non_exhaustive()
    }
}

struct Turning {
    spawner: Spawner,
    supervisor: Supervisor,
    child: Option<Child>,
    heard: watch::Receiver<Progress>,
    start: Instant,
}

/// What woke the driver.
enum Woken {
    Tick,
    Heard,
    Stop,
    Exited(std::io::Result<ExitStatus>),
}

impl Spawner {
    /// Runs until the master stops and the worker is reaped. Dropped before that, the worker is killed.
    pub async fn run(self) {
        let mut turning = Turning {
            supervisor: Supervisor::new(u64::from(self.seat.core()).wrapping_add(1)),
            heard: self.seat.watch(),
            spawner: self,
            child: None,
            start: Instant::now(),
        };
        while !turning.done() {
            let woken = turning.wait().await;
            turning.woken(woken).await;
            turning.report();
        }
    }
}

impl Turning {
    fn done(&self) -> bool {
        matches!(self.supervisor.state(), WorkerState::Stopped) && self.child.is_none()
    }

    fn now(&self) -> Millis {
        Millis::new(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    async fn wait(&mut self) -> Woken {
        let tick = self.supervisor.next_tick();
        let left = tick.map(|at| Duration::from_millis(at.since(self.now())));
        let draining = matches!(
            self.supervisor.state(),
            WorkerState::Draining { .. } | WorkerState::Stopped
        );
        let exited = async {
            match &mut self.child {
                Some(child) => child.wait().await,
                None => core::future::pending().await,
            }
        };
        let ticked = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            exit = exited => Woken::Exited(exit),
            _ = self.spawner.stop.wait_for(|stop| *stop), if !draining => Woken::Stop,
            Ok(()) = self.heard.changed() => Woken::Heard,
            () = ticked => Woken::Tick,
        }
    }

    async fn woken(&mut self, woken: Woken) {
        let input = match woken {
            Woken::Tick => SupervisorInput::Tick,
            Woken::Heard => SupervisorInput::Heard,
            Woken::Stop => SupervisorInput::Stop {
                grace_ms: self.spawner.grace_ms,
            },
            Woken::Exited(exit) => self.reaped(exit),
        };
        let mut next = self.supervisor.handle(self.now(), input);
        while let Some(output) = next {
            let input = self.carry_out(output).await;
            next = input.and_then(|i| self.supervisor.handle(self.now(), i));
        }
    }

    fn reaped(&mut self, exit: std::io::Result<ExitStatus>) -> SupervisorInput {
        self.child = None;
        let core = self.spawner.seat.core();
        let code = match exit {
            Ok(status) => {
                info!(core, %status, "worker ended");
                status.code()
            }
            Err(e) => {
                warn!(core, %e, "worker cannot be waited for");
                None
            }
        };
        SupervisorInput::Exited { code }
    }

    async fn carry_out(&mut self, output: SupervisorOutput) -> Option<SupervisorInput> {
        match output {
            SupervisorOutput::Spawn => Some(self.start()),
            SupervisorOutput::Terminate => {
                self.terminate();
                None
            }
            SupervisorOutput::Kill => {
                let mut child = self.child.take()?;
                if let Err(e) = child.start_kill() {
                    warn!(%e, "worker cannot be killed");
                }
                let exit = child.wait().await;
                Some(self.reaped(exit))
            }
        }
    }

    fn start(&mut self) -> SupervisorInput {
        let core = self.spawner.seat.core();
        let Some(ticket) = (self.spawner.tickets)() else {
            return SupervisorInput::SpawnFailed;
        };
        let mut command = Command::new(&self.spawner.launch.program);
        command
            .args(&self.spawner.launch.arguments)
            .arg("--core")
            .arg(core.to_string())
            .env(TICKET_VARIABLE, ticket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if std::env::var_os(ARENAS_VARIABLE).is_none() {
            command.env(ARENAS_VARIABLE, ARENAS);
        }
        match command.spawn() {
            Ok(child) => {
                info!(core, pid = child.id(), "worker started");
                self.child = Some(child);
                SupervisorInput::Spawned
            }
            Err(e) => {
                warn!(core, %e, "worker cannot be started");
                SupervisorInput::SpawnFailed
            }
        }
    }

    fn terminate(&self) {
        let pid = self.child.as_ref().and_then(Child::id);
        let pid = pid.and_then(|p| i32::try_from(p).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // Not reaped yet, so the id is still this child's.
            let sent = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            if let Err(e) = sent {
                warn!(%e, "worker cannot be asked to stop");
            }
        }
    }

    fn report(&self) {
        self.spawner.seat.report(Standing {
            state: self.supervisor.state().name(),
            pid: self.child.as_ref().and_then(Child::id),
            restarts: self.supervisor.restarts(),
            reason: self.supervisor.last_reason(),
        });
    }
}
