//! Threads that run the jobs of an engine.
//!
//! Jobs take locks and compute in parallel on the rayon pool while they hold them: a second one that needs the same state
//! waits for the first instead of doing its work again. Therefore they must not be tasks of that pool: a thread of it
//! that waits for its parts takes up other tasks meanwhile, and one of those could be a job that waits for the lock that
//! is held further down on the very same stack. A thread of its own only waits.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Fewest threads: a long job never holds up the checks of messages.
const THREADS_MIN: usize = 2;

type Task = Box<dyn FnOnce() + Send>;

/// A fixed number of threads. Those that are idle end when it is dropped, the others after their task.
///
/// The queue has no bound of its own: an engine bounds the jobs that it has under way.
#[derive(Debug)]
pub struct JobThreads {
    queue: Sender<Task>,
}

impl JobThreads {
    /// One thread for each core, at least two.
    ///
    /// # Errors
    /// The operating system's, when no thread can be started.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (queue, tasks) = channel();
        let tasks = Arc::new(Mutex::new(tasks));
        for i in 0..cores.max(THREADS_MIN) {
            let tasks = Arc::clone(&tasks);
            thread::Builder::new()
                .name(format!("job-{i}"))
                .spawn(move || {
                    let _guard = AbortOnPanic;
                    while let Some(task) = next(&tasks) {
                        task();
                    }
                })?;
        }
        Ok(Self { queue })
    }

    /// Runs a task on the next idle thread.
    pub fn run(&self, task: impl FnOnce() + Send + 'static) {
        // The threads end after the queue.
        let _sent = self.queue.send(Box::new(task));
    }
}

/// A task that panics ends the process: its engine would wait for the outcome for ever.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}

/// Waits for a task; `None` when there will be none.
fn next(tasks: &Mutex<Receiver<Task>>) -> Option<Task> {
    let tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
    tasks.recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::*;

    const WAIT: Duration = Duration::from_secs(30);

    #[test]
    fn jobs_that_compute_in_parallel_under_one_lock_all_end() {
        let threads = JobThreads::start().unwrap();
        let lock = Arc::new(Mutex::new(0u64));
        let (done, seen) = channel();
        for _ in 0..64 {
            let (lock, done) = (Arc::clone(&lock), done.clone());
            threads.run(move || {
                let mut sum = lock.lock().unwrap();
                let (a, b) = rayon::join(
                    || (0..20_000u64).fold(0, |a, n| a ^ n.wrapping_mul(n)),
                    || (0..20_000u64).fold(0, u64::wrapping_add),
                );
                *sum = sum.wrapping_add(a ^ b);
                done.send(()).unwrap();
            });
        }
        for n in 0..64 {
            seen.recv_timeout(WAIT)
                .unwrap_or_else(|e| panic!("{n}: {e}"));
        }
    }

    #[test]
    fn two_run_at_once_and_queued_ones_run_after_the_owner_has_gone() {
        let threads = JobThreads::start().unwrap();
        let (first, second) = (sync_channel(0), sync_channel::<()>(0));
        let (to_second, from_first) = first;
        threads.run(move || to_second.send(()).unwrap());
        let done = second.0.clone();
        threads.run(move || {
            from_first.recv_timeout(WAIT).unwrap();
            done.send(()).unwrap();
        });
        second.1.recv_timeout(WAIT).unwrap();
        let last = second.0;
        threads.run(move || last.send(()).unwrap());
        drop(threads);
        second.1.recv_timeout(WAIT).unwrap();
    }
}
