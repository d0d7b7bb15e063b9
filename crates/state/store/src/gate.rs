//! What every back end shares: writers one at a time, poison after a failed write, a bound on live views.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StoreError;
use crate::limits::VIEWS_MAX;

/// Serialises writers and stays shut after a write has failed.
#[derive(Debug, Default)]
pub(crate) struct WriteGate {
    failed: Mutex<Option<&'static str>>,
}

impl WriteGate {
    /// Runs a write. Any error, and a panic inside `write`, shuts the gate for good: a write that failed half way
    /// leaves the disk in a state that only reopening can tell.
    pub(crate) fn run<T>(
        &self,
        step: &'static str,
        write: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(step) = *failed {
            return Err(StoreError::Poisoned { step });
        }
        *failed = Some(step);
        let done = write()?;
        *failed = None;
        Ok(done)
    }
}

/// Counts live views.
#[derive(Clone, Debug, Default)]
pub(crate) struct ViewCounter(Arc<AtomicUsize>);

impl ViewCounter {
    pub(crate) fn enter(&self) -> Result<ViewTicket, StoreError> {
        // The ticket exists before the test, so that its drop undoes the increment on refusal.
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        let ticket = ViewTicket(Arc::clone(&self.0));
        if before >= VIEWS_MAX {
            Err(StoreError::TooManyViews { max: VIEWS_MAX })
        } else {
            Ok(ticket)
        }
    }
}

/// One live view.
#[derive(Debug)]
pub(crate) struct ViewTicket(Arc<AtomicUsize>);

impl Drop for ViewTicket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
