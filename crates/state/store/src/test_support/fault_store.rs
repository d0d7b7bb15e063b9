use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::WriteBatch;
use crate::error::StoreError;
use crate::gate::WriteGate;
use crate::store::{Store, View};

/// How a commit of a [`FaultStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The disk is full; nothing of the batch is applied.
    DiskFull,
    /// The final flush reports an error although the batch reached the disk.
    SyncFailedApplied,
    /// The final flush reports an error and the batch is lost.
    SyncFailedLost,
}

/// Passes calls to another store until an armed fault strikes; then it is poisoned like a real one.
///
/// Clones share the plan and the poison. [`Self::reopen`] is the restart of the process.
#[derive(Clone, Debug)]
pub struct FaultStore<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    gate: WriteGate,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    commits: u64,
    fault: Option<(u64, StoreFault)>,
}

impl<S: Store> FaultStore<S> {
    /// A store that works.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            shared: Arc::default(),
        }
    }

    /// Lets `commits` further commits succeed and the next one fail.
    pub fn fail_after(&self, commits: u64, fault: StoreFault) {
        let mut plan = self.plan();
        plan.fault = Some((plan.commits.saturating_add(commits), fault));
    }

    /// Commits that returned success.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.plan().commits
    }

    /// The same content without fault and poison, as after a restart.
    #[must_use]
    pub fn reopen(self) -> Self {
        Self::new(self.inner)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.shared
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn fault_now(&self) -> Option<StoreFault> {
        let plan = self.plan();
        plan.fault
            .filter(|(at, _)| plan.commits >= *at)
            .map(|(_, fault)| fault)
    }
}

impl<S: Store> Store for FaultStore<S> {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        self.inner.view()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        const STEP: &str = "commit a batch";
        self.shared.gate.run(STEP, || match self.fault_now() {
            None => {
                self.inner.commit(batch)?;
                let mut plan = self.plan();
                plan.commits = plan.commits.saturating_add(1);
                Ok(())
            }
            Some(StoreFault::DiskFull) => {
                Err(StoreError::io(STEP, io::ErrorKind::StorageFull.into()))
            }
            Some(StoreFault::SyncFailedApplied) => {
                self.inner.commit(batch)?;
                Err(StoreError::io(STEP, io::Error::other("flush failed")))
            }
            Some(StoreFault::SyncFailedLost) => {
                Err(StoreError::io(STEP, io::Error::other("flush failed")))
            }
        })
    }
}
