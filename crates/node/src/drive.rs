//! Runs a chain engine: one thread feeds it, a pool runs its jobs, the files take its batches.
//!
//! The engine thread owns the engine and both files. An output is carried out before the next one is looked at, so
//! what must be durable is on disk before what depends on it leaves the process (C4). A failed write ends the
//! process: whatever it was about to say is never said.

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

/// Inputs that may wait for the engine. Gossip beyond it is dropped, everything else waits.
pub const QUEUE: usize = 4096;

/// What the engine thread cannot do itself: gossip, requests, events. Called on the engine thread; must not block.
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
    #[error("a durable write failed, nothing final is lost; check the disk and start again: {0}")]
    Write(#[from] quil_store::StoreError),
    /// The engine halted.
    #[error("{0}")]
    Halt(quil_engine::io::Halt),
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
}

/// The queue is full or the engine has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("engine is busy")]
pub struct Busy;

impl EngineHandle {
    /// Hands over an input without waiting.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full: the caller drops the message and counts it.
    pub fn offer(&self, input: Input) -> Result<(), Busy> {
        self.queue.try_send(Message::Input(Box::new(input))).map_err(|_| Busy)
    }

    /// Asks the thread to end after what is queued.
    pub fn stop(&self) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Stop) {
            debug!("engine queue is full; it ends with the process");
        }
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
    /// The CPU pool.
    pub pool: Arc<rayon::ThreadPool>,
    /// Everything else.
    pub outside: Box<dyn Outside>,
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// Starts the engine thread.
///
/// # Errors
/// The operating system's, when no thread can be started.
pub fn spawn(driver: Driver) -> std::io::Result<(EngineHandle, thread::JoinHandle<()>)> {
    let (queue, inbox) = sync_channel(QUEUE);
    let own = queue.clone();
    let join = thread::Builder::new().name("engine".into()).spawn(move || {
        let mut turning = Turning { driver, own, cancel: Arc::default(), start: Instant::now(), deadline: None };
        let reason = turning.run(&inbox);
        match &reason {
            Stop::Asked => {}
            other => error!(%other, "the engine stopped"),
        }
        turning.driver.outside.stopped(&reason);
    })?;
    Ok((EngineHandle { queue }, join))
}

struct Turning {
    driver: Driver,
    own: SyncSender<Message>,
    cancel: Arc<AtomicBool>,
    start: Instant,
    deadline: Option<Millis>,
}

impl Turning {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { tick: Millis::new(millis(self.start.elapsed())), wall: Timestamp::new(millis(wall)) }
    }

    fn run(&mut self, inbox: &Receiver<Message>) -> Stop {
        if let Err(stop) = self.turn(Input::Start) {
            return stop;
        }
        loop {
            let input = match self.wait(inbox) {
                Ok(Message::Input(input)) => *input,
                Ok(Message::Stop) => return Stop::Asked,
                Err(RecvTimeoutError::Timeout) => {
                    self.deadline = None;
                    Input::Deadline
                }
                Err(RecvTimeoutError::Disconnected) => return Stop::Asked,
            };
            if let Err(stop) = self.turn(input) {
                return stop;
            }
        }
    }

    fn wait(&self, inbox: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.deadline {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(Duration::from_millis(at.since(self.now().tick))),
        }
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
            Output::Run(job) => self.pool(job),
            Output::CancelSolve => self.cancel.store(true, Ordering::Relaxed),
            Output::Deadline(at) => self.deadline = Some(at),
            Output::Halt(reason) => return Err(Stop::Halt(reason)),
            other => self.driver.outside.carry_out(other),
        }
        Ok(())
    }

    fn pool(&self, job: Job) {
        let (network, scheme, own) = self.parts();
        self.driver.pool.spawn(move || finish(&own, job.run(&network, &*scheme, &|| false)));
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
        (Arc::clone(&self.driver.network), Arc::clone(&self.driver.scheme), self.own.clone())
    }
}

/// Hands an outcome back; waits when the queue is full, the engine is working it off.
fn finish(own: &SyncSender<Message>, outcome: JobOutcome) {
    if own.send(Message::Input(Box::new(Input::Done(outcome)))).is_err() {
        debug!("the engine ended before its job");
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
