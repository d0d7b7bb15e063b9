//! A worker process: engine, host and switchboard of one shard, and the link to its master.
//!
//! It lives as long as its master: the link ends with the master's process, and on Linux the kernel sends SIGTERM as
//! well. Whatever ends it, its files are whole: a worker may be killed at any time.

use std::sync::Arc;
use std::time::Duration;

use quil_p2p::ipc::{ClientConfig, IpcError, Timing, connect};
use quil_store::Store;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::desk::Desk;
use crate::drive::EngineHandle;
use crate::link::{LinkError, hello_of, run_worker_link};
use crate::process::{Process, ProcessError, Setup, report_file_limit};
use crate::switchboard::{Line, SwitchError};
use crate::ticket::Ticket;

/// Longest orderly end; afterwards the caller ends the process with whatever still runs in it.
const STOP_MAX: Duration = Duration::from_secs(3);

/// Why a worker ended, other than by being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] ProcessError),
    /// The master cannot be reached or does not take it.
    #[error("master: {0}")]
    Connect(#[from] IpcError),
    /// The link ended.
    #[error("the link to the master ended: {0}")]
    Link(#[from] LinkError),
    /// The engine or the host ended.
    #[error(transparent)]
    Ended(#[from] SwitchError),
    /// The master had ended before this process could watch it.
    #[error("the master is gone")]
    Orphan,
}

impl WorkerError {
    /// The code that the process exits with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start(e) => e.exit_code(),
            Self::Ended(e) => e.exit_code(),
            _ => 1,
        }
    }
}

/// Asks the kernel to end this process when its parent ends. Call it first of all, on the main thread.
///
/// # Errors
/// [`WorkerError::Orphan`] when the parent is gone already.
pub fn die_with(master: u32) -> Result<(), WorkerError> {
    #[cfg(target_os = "linux")]
    {
        let signal = rustix::process::Signal::TERM;
        // Without it the end of the link ends the process, a little later.
        let _asked = rustix::process::set_parent_process_death_signal(Some(signal));
    }
    let parent =
        rustix::process::getppid().and_then(|p| u32::try_from(p.as_raw_nonzero().get()).ok());
    if parent == Some(master) {
        Ok(())
    } else {
        Err(WorkerError::Orphan)
    }
}

/// Runs until `stop`, the end of the master, or a fault.
///
/// # Errors
/// [`WorkerError`], unless it was asked to stop.
pub async fn run_worker(
    setup: &Setup,
    core: u16,
    ticket: Ticket,
    accept_lost_safety: bool,
    stop: impl Future<Output = ()>,
) -> Result<(), WorkerError> {
    report_file_limit();
    let mut process = Process::start(setup, core, accept_lost_safety).await?;
    let link = Link {
        line: process.line.clone(),
        engine: process.engine.clone(),
        state: Arc::clone(&process.state),
    };
    let ended = tokio::select! {
        ended = link.run(setup, core, ticket) => Err(ended),
        () = stop => Ok(()),
        ended = process.ended() => ended.map_err(WorkerError::from),
    };
    info!(core, "worker stops");
    if timeout(STOP_MAX, process.stop()).await.is_err() {
        warn!(core, "a job under way was cut short");
    }
    ended
}

/// What the link to the master needs of the process.
struct Link {
    line: Line,
    engine: EngineHandle,
    state: Arc<dyn Store>,
}

impl Link {
    /// Ends with the link.
    async fn run(self, setup: &Setup, core: u16, ticket: Ticket) -> WorkerError {
        match self.try_run(setup, core, ticket).await {
            Ok(ended) => WorkerError::Link(ended),
            Err(e) => e,
        }
    }

    async fn try_run(
        self,
        setup: &Setup,
        core: u16,
        ticket: Ticket,
    ) -> Result<LinkError, WorkerError> {
        let hello = hello_of(&*self.state)?;
        let session = connect(ClientConfig {
            identity: setup.peer_identity(core)?,
            master: ticket.master,
            address: ticket.address,
            cert: ticket.cert,
            timing: Timing::default(),
        })
        .await?;
        info!(core, final_frame = %hello.number, "worker is connected to its master");
        let network = Arc::clone(&setup.network);
        let desk = Desk::new(self.line.clone(), Arc::clone(&self.state), network);
        Ok(run_worker_link(session, hello, &self.line, &self.engine, &desk).await)
    }
}
