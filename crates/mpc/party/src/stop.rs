//! Ending a session from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quil_garble::session::{Drive, Gates, Millis, Outcome, Phase, SessionError};

/// How often a waiting session looks whether it should stop, milliseconds.
const POLL: u64 = 100;

/// A wish to stop, shared between whoever has it and the run that heeds it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    wanted: AtomicBool,
    heeded: AtomicBool,
}

impl Stop {
    /// Nobody wants to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the session that runs, within a moment; the other party is told. `false` when no session has begun: then
    /// nobody waits for anything, and the caller can simply end.
    #[must_use]
    pub fn stop(&self) -> bool {
        self.0.wanted.store(true, Ordering::SeqCst);
        self.0.heeded.load(Ordering::SeqCst)
    }

    fn is_wanted(&self) -> bool {
        self.0.wanted.load(Ordering::Relaxed)
    }

    fn heed(&self) {
        self.0.heeded.store(true, Ordering::SeqCst);
    }
}

/// A session that can be stopped: its deadline comes soon enough to look.
pub(crate) struct Stoppable<D> {
    session: D,
    stop: Stop,
    /// Latest time it was told.
    now: Millis,
}

impl<D: Drive> Stoppable<D> {
    pub(crate) const fn new(session: D, stop: Stop) -> Self {
        Self {
            session,
            stop,
            now: Millis(0),
        }
    }

    fn heed(&mut self, now: Millis, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.now = now;
        // What is finished stays finished.
        if self.stop.is_wanted() && self.session.deadline().is_some() {
            self.session.cancel(out);
            return Err(SessionError::Cancelled);
        }
        Ok(())
    }
}

impl<D: Drive> Drive for Stoppable<D> {
    fn start(&mut self, now: Millis, out: &mut Vec<u8>) {
        self.now = now;
        self.stop.heed();
        self.session.start(now, out);
    }

    fn receive(
        &mut self,
        now: Millis,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        self.heed(now, out)?;
        self.session.receive(now, bytes, out)
    }

    fn produce(&mut self, now: Millis, out: &mut Vec<u8>) -> bool {
        self.now = now;
        // The next tick ends it.
        !self.stop.is_wanted() && self.session.produce(now, out)
    }

    fn tick(&mut self, now: Millis, out: &mut Vec<u8>) -> Result<(), SessionError> {
        self.heed(now, out)?;
        self.session.tick(now, out)
    }

    fn deadline(&self) -> Option<Millis> {
        let look = Millis(self.now.0.saturating_add(POLL));
        self.session.deadline().map(|due| due.min(look))
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        self.session.keep_alive(out);
    }

    fn cancel(&mut self, out: &mut Vec<u8>) {
        self.session.cancel(out);
    }

    fn phase(&self) -> Phase {
        self.session.phase()
    }

    fn gates(&self) -> Gates {
        self.session.gates()
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.session.outcome()
    }
}
