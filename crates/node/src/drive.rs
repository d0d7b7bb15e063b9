//! Runs a chain engine: one thread feeds it, others run its jobs, the files take its batches.
//!
//! The engine thread owns the engine and both files. An output is carried out before the next one is looked at, so
//! what must be durable is on disk before what depends on it leaves the process (C4). A failed write ends the
//! process: whatever it was about to say is never said.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quil_engine::io::{Input, Now, Output};
use quil_engine::jobs::{Job, JobOutcome};
use quil_engine::{ChainEngine, Network};
use quil_hotstuff::BlsScheme;
use quil_types::{Millis, Timestamp};
use tracing::{debug, error, warn};

use crate::persist::Files;
use crate::threads::JobThreads;

/// Inputs that may wait for the engine. Gossip beyond it is dropped, everything else waits.
pub const QUEUE: usize = 4096;

/// Pause before an input is offered again to a busy engine.
const OFFER_AGAIN: Duration = Duration::from_millis(20);

/// What the engine thread cannot do itself: gossip, requests, events. Called on the engine thread; may wait for room in a
/// queue whose reader never waits for the engine.
pub trait Outside: Send {
    /// Carries out one output that is not a job, a batch or a deadline.
    fn carry_out(&mut self, output: Output);

    /// The engine stopped; the process should end.
    fn stopped(&mut self, reason: &Stop);
}

/// Why an engine thread ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// It was asked to.
    #[error("stopped")]
    Asked,
    /// A write failed.
    #[error("a durable write failed: {}; nothing final is lost; make room or repair the disk, then start again", causes(.0))]
    Write(#[from] quil_store::StoreError),
    /// The engine halted.
    #[error("{0}")]
    Halt(quil_engine::io::Halt),
}

impl Stop {
    /// The code that the process exits with: what the store says for its faults, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Asked => 0,
            Self::Write(e) => e.exit_code(),
            Self::Halt(quil_engine::io::Halt::Local(_)) => quil_store::EXIT_STORAGE,
            Self::Halt(_) => 1,
        }
    }
}

/// An error with what caused it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// What the thread waits for.
enum Message {
    Input(Box<Input>),
    Stop,
}

/// A running engine.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    queue: SyncSender<Message>,
    stopping: Arc<AtomicBool>,
}

/// Why an input was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The queue is full; the input comes back.
    #[error("engine is busy")]
    Busy(Box<Input>),
    /// The engine has ended.
    #[error("engine has ended")]
    Ended,
}

impl EngineHandle {
    /// Hands over an input without waiting.
    ///
    /// # Errors
    /// [`OfferError::Busy`] when the queue is full: gossip is then dropped, what the engine waits for is offered again.
    pub fn offer(&self, input: Input) -> Result<(), OfferError> {
        let refused = self.queue.try_send(Message::Input(Box::new(input)));
        refused.map_err(|e| match e {
            TrySendError::Full(Message::Input(input)) => OfferError::Busy(input),
            TrySendError::Full(Message::Stop) | TrySendError::Disconnected(_) => OfferError::Ended,
        })
    }

    /// Hands over an input that must not be lost; waits while the queue is full. Cancel safe: dropped, nothing was handed
    /// over.
    ///
    /// # Errors
    /// [`OfferError::Ended`].
    pub async fn deliver(&self, mut input: Input) -> Result<(), OfferError> {
        loop {
            match self.offer(input) {
                Err(OfferError::Busy(back)) => input = *back,
                other => return other,
            }
            tokio::time::sleep(OFFER_AGAIN).await;
        }
    }

    /// Asks the thread to end after the input at hand.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // Only to wake it: with a full queue it is awake, and after its end there is nobody to wake.
        let _awake = self.queue.try_send(Message::Stop);
    }
}

/// Everything an engine thread needs.
pub struct Driver {
    /// The engine.
    pub engine: ChainEngine<BlsScheme>,
    /// The network, for jobs.
    pub network: Arc<Network>,
    /// The signature scheme, for jobs.
    pub scheme: Arc<BlsScheme>,
    /// The files of the process.
    pub files: Files,
    /// Threads of its jobs.
    pub threads: JobThreads,
    /// Everything else.
    pub outside: Box<dyn Outside>,
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// Starts the engine thread.
///
/// # Errors
/// The operating system's, when no thread can be started.
pub fn spawn(driver: Driver) -> std::io::Result<(EngineHandle, thread::JoinHandle<()>)> {
    let (queue, inbox) = sync_channel(QUEUE);
    let handle = EngineHandle {
        queue,
        stopping: Arc::default(),
    };
    let own = handle.clone();
    let join = thread::Builder::new()
        .name("engine".into())
        .spawn(move || {
            let mut turning = Turning {
                driver,
                own,
                cancel: Arc::default(),
                start: Instant::now(),
                deadline: None,
                fired: false,
            };
            let reason = turning.run(&inbox);
            turning.cancel.store(true, Ordering::Relaxed);
            match &reason {
                Stop::Asked => {}
                other => error!(%other, "the engine stopped"),
            }
            turning.driver.outside.stopped(&reason);
        })?;
    Ok((handle, join))
}

struct Turning {
    driver: Driver,
    own: EngineHandle,
    cancel: Arc<AtomicBool>,
    start: Instant,
    deadline: Option<Millis>,
    /// The last input was a deadline: a message has its turn first.
    fired: bool,
}

impl Turning {
    fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            tick: Millis::new(millis(self.start.elapsed())),
            wall: Timestamp::new(millis(wall)),
        }
    }

    fn run(&mut self, inbox: &Receiver<Message>) -> Stop {
        let mut input = Input::Start;
        loop {
            if let Err(stop) = self.turn(input) {
                return stop;
            }
            if self.own.stopping.load(Ordering::Acquire) {
                return Stop::Asked;
            }
            input = match self.wait(inbox) {
                Ok(Message::Input(input)) => *input,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Stop::Asked,
                Err(RecvTimeoutError::Timeout) => {
                    self.deadline = None;
                    Input::Deadline
                }
            };
            self.fired = matches!(input, Input::Deadline);
        }
    }

    /// The next message or the deadline. A deadline that is due goes before messages, so that a flood of them does not
    /// delay it, but never twice in a row while messages wait.
    fn wait(&self, inbox: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        let Some(at) = self.deadline else {
            return inbox.recv().map_err(|_| RecvTimeoutError::Disconnected);
        };
        let left = at.since(self.now().tick);
        if left == 0 && !self.fired {
            return Err(RecvTimeoutError::Timeout);
        }
        inbox.recv_timeout(Duration::from_millis(left))
    }

    /// One input and everything that follows from it at once.
    fn turn(&mut self, input: Input) -> Result<(), Stop> {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut outputs = Vec::new();
            let now = self.now();
            self.driver.engine.handle(now, input, &mut outputs);
            for output in outputs {
                self.carry_out(output, &mut inputs)?;
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, output: Output, inputs: &mut Vec<Input>) -> Result<(), Stop> {
        match output {
            Output::Persist { id, file, writes } => {
                self.driver.files.write(file, writes)?;
                inputs.insert(0, Input::Persisted(id));
            }
            Output::Run(Job::Solve(step)) => self.solve(step),
            Output::Run(job) => self.job(job),
            Output::CancelSolve => self.cancel.store(true, Ordering::Relaxed),
            Output::Deadline(at) => self.deadline = Some(at),
            Output::Halt(reason) => return Err(Stop::Halt(reason)),
            other => self.driver.outside.carry_out(other),
        }
        Ok(())
    }

    fn job(&self, job: Job) {
        let (network, scheme, own) = self.parts();
        self.driver
            .threads
            .run(move || finish(&own, job.run(&network, &*scheme, &|| false)));
    }

    /// The one long job has a thread of its own, so that it never holds up a check.
    fn solve(&mut self, step: quil_reel::Step) {
        self.cancel = Arc::default();
        let cancel = Arc::clone(&self.cancel);
        let (network, scheme, own) = self.parts();
        let spawned = thread::Builder::new().name("reel".into()).spawn(move || {
            let cancelled = || cancel.load(Ordering::Relaxed);
            finish(&own, Job::Solve(step).run(&network, &*scheme, &cancelled));
        });
        if let Err(e) = spawned {
            warn!(%e, "no thread for the reel");
        }
    }

    fn parts(&self) -> (Arc<Network>, Arc<BlsScheme>, SyncSender<Message>) {
        let driver = &self.driver;
        (
            Arc::clone(&driver.network),
            Arc::clone(&driver.scheme),
            self.own.queue.clone(),
        )
    }
}

/// Hands an outcome back; waits when the queue is full, the engine is working it off.
fn finish(own: &SyncSender<Message>, outcome: JobOutcome) {
    if own
        .send(Message::Input(Box::new(Input::Done(outcome))))
        .is_err()
    {
        debug!("the engine ended before its job");
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
