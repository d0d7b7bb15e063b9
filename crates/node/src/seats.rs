//! The master's view of its workers: one seat per core, taken by at most one connected process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use quil_p2p::ipc::{IpcError, IpcSender};
use quil_types::{Canonical as _, ShardAddr, Timestamp};
use tokio::sync::watch;

use crate::protocol::{MESSAGE_BYTES_MAX, Progress, WorkerHello, WorkerRequest, WorkerResponse};

/// What users see of a worker process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Word of the supervisor's state.
    pub state: &'static str,
    /// Process id while it runs.
    pub pid: Option<u32>,
    /// Starts after the first one.
    pub restarts: u32,
    /// Why it ended the last time; empty when it never did.
    pub reason: &'static str,
}

/// Why a worker does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// No process of this core is connected.
    #[error("worker {0} is not connected")]
    Away(u16),
    /// The link.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The answer does not decode.
    #[error("worker {0} gave a malformed answer")]
    Malformed(u16),
}

#[derive(Debug)]
struct Inner {
    core: u16,
    shard: ShardAddr,
    sender: Mutex<Option<IpcSender>>,
    standing: Mutex<Standing>,
    progress: watch::Sender<Progress>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every critical section is one assignment or copy.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place of one worker. Clones are the same place.
#[derive(Clone, Debug)]
pub struct Seat(Arc<Inner>);

/// A taken seat; dropping it frees the seat.
#[derive(Debug)]
#[must_use]
pub struct Taken(Seat);

impl Drop for Taken {
    fn drop(&mut self) {
        *lock(&self.0.0.sender) = None;
    }
}

impl Seat {
    /// A free seat.
    #[must_use]
    pub fn new(core: u16, shard: ShardAddr) -> Self {
        Self(Arc::new(Inner {
            core,
            shard,
            sender: Mutex::default(),
            standing: Mutex::default(),
            progress: watch::channel(Progress::default()).0,
        }))
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> u16 {
        self.0.core
    }

    /// The shard that the worker keeps.
    #[must_use]
    pub fn shard(&self) -> ShardAddr {
        self.0.shard
    }

    /// Takes the seat for a connected process; `None` when it is taken.
    pub fn take(&self, sender: IpcSender, hello: WorkerHello) -> Option<Taken> {
        let mut place = lock(&self.0.sender);
        if place.is_some() {
            return None;
        }
        *place = Some(sender);
        drop(place);
        self.heard(Progress {
            head: hello.number,
            final_number: hello.number,
            ..self.progress()
        });
        Some(Taken(self.clone()))
    }

    /// Whether a process is connected.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        lock(&self.0.sender).is_some()
    }

    /// A sign of life.
    pub fn heard(&self, progress: Progress) {
        self.0.progress.send_replace(progress);
    }

    /// The last sign of life, and when another comes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Where the worker said it stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        *self.0.progress.borrow()
    }

    /// When its last final frame was, if it said so.
    #[must_use]
    pub fn final_time(&self) -> Option<Timestamp> {
        Some(self.progress().final_ms)
            .filter(|ms| *ms > 0)
            .map(Timestamp::new)
    }

    /// What the supervisor reported last.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *lock(&self.0.standing)
    }

    /// The supervisor's report.
    pub fn report(&self, standing: Standing) {
        *lock(&self.0.standing) = standing;
    }

    /// Asks the worker.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn ask(&self, request: &WorkerRequest) -> Result<WorkerResponse, AskError> {
        let sender = lock(&self.0.sender).clone();
        let sender = sender.ok_or_else(|| AskError::Away(self.core()))?;
        let answer = sender.request(Bytes::from(request.encode())).await?;
        WorkerResponse::decode(&answer, MESSAGE_BYTES_MAX)
            .map_err(|_| AskError::Malformed(self.core()))
    }
}
