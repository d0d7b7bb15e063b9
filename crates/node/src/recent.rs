//! What a process remembers for its readers: the last final states, and where submitted bundles stand.
//!
//! Kept beside the engine, so that a reader never waits for it. Everything here is lost with the process and found again:
//! final transactions are in the store, final states come with the next frames.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quil_engine::Snapshot;
use quil_engine::io::Event;
use quil_types::{FinalityProof, FrameNumber, TxId};

/// Final states kept: how far back the first global frame that settled a shard frame is known.
pub const STATES_MAX: usize = 128;
/// Bundles whose standing is remembered; the oldest is forgotten.
pub const STANDINGS_MAX: usize = 1 << 16;

/// A final state and why it is final.
#[derive(Clone, Debug)]
pub struct FinalState {
    /// The state after the frame.
    pub snapshot: Arc<Snapshot>,
    /// The certified child; absent when a later frame's proof covers this one.
    pub proof: Option<Arc<FinalityProof>>,
}

/// Where a bundle stands that is in no final frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// In the mempool.
    Accepted,
    /// In a certified frame.
    Included(FrameNumber),
}

#[derive(Debug, Default)]
struct Standings {
    known: BTreeMap<TxId, Pending>,
    order: VecDeque<TxId>,
}

impl Standings {
    fn put(&mut self, tx: TxId, pending: Pending) {
        if self.known.insert(tx, pending).is_some() {
            return;
        }
        self.order.push_back(tx);
        while self.order.len() > STANDINGS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Memory {
    states: VecDeque<FinalState>,
    standings: Standings,
}

/// Shared by the switchboard, which writes, and readers.
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Mutex<Memory>>);

impl Recent {
    /// Starts from the state that the engine recovered.
    #[must_use]
    pub fn new(base: Arc<Snapshot>) -> Self {
        let recent = Self::default();
        recent.lock().states.push_back(FinalState {
            snapshot: base,
            proof: None,
        });
        recent
    }

    /// Every critical section is a few operations on maps: the memory stays whole even if one panicked.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an event of the engine.
    pub fn note(&self, event: &Event) {
        match event {
            Event::Final {
                proof, snapshot, ..
            } => {
                let mut memory = self.lock();
                memory.states.push_back(FinalState {
                    snapshot: Arc::clone(snapshot),
                    proof: proof.as_deref().cloned().map(Arc::new),
                });
                while memory.states.len() > STATES_MAX {
                    memory.states.pop_front();
                }
            }
            Event::Included { tx, number } => {
                self.lock().standings.put(*tx, Pending::Included(*number));
            }
            _ => {}
        }
    }

    /// Takes note of a bundle that entered the mempool.
    pub fn accepted(&self, tx: TxId) {
        let mut memory = self.lock();
        if !memory.standings.known.contains_key(&tx) {
            memory.standings.put(tx, Pending::Accepted);
        }
    }

    /// Where a bundle stands that the store does not know. A frame that stayed behind the final one without becoming final
    /// was discarded: its bundles wait again.
    #[must_use]
    pub fn standing(&self, tx: TxId) -> Option<Pending> {
        let memory = self.lock();
        let pending = *memory.standings.known.get(&tx)?;
        let last = memory.states.back().map(|s| s.snapshot.number());
        Some(match pending {
            Pending::Included(number) if last.is_some_and(|l| l >= number) => Pending::Accepted,
            other => other,
        })
    }

    /// The last final state.
    #[must_use]
    pub fn last(&self) -> Option<FinalState> {
        self.lock().states.back().cloned()
    }

    /// Number of the oldest kept state that fits.
    #[must_use]
    pub fn first_where(&self, fits: impl Fn(&Snapshot) -> bool) -> Option<FrameNumber> {
        let memory = self.lock();
        let mut oldest_first = memory.states.iter();
        let found = oldest_first.find(|s| fits(&s.snapshot));
        found.map(|s| s.snapshot.number())
    }

    /// The newest final state with a proof of its own.
    #[must_use]
    pub fn last_proven(&self) -> Option<(Arc<Snapshot>, Arc<FinalityProof>)> {
        let memory = self.lock();
        let mut newest_first = memory.states.iter().rev();
        newest_first.find_map(|s| Some((Arc::clone(&s.snapshot), s.proof.clone()?)))
    }
}
