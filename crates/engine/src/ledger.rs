//! States after the last final frame and after every speculative one above it (K6).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quil_hotstuff::Finality;
use quil_types::{FrameId, FrameNumber, Header, SealedFrame, TxId};

use crate::snapshot::Snapshot;
use crate::window::{Ancestors, SETTLE_WINDOW};

/// Speculative states kept; above it the oldest uncertified ones are executed again when they are needed.
pub(crate) const SPECULATIVE_MAX: usize = 64;
/// Final states kept for proofs against settled roots: a settled frame is a few frames old. The store keeps the nodes
/// and values of exactly these (K6).
pub const HISTORY_MAX: usize = 128;
/// Final states whose tries stay in memory: jobs that began before the next frame became final read the one before.
const WARM: usize = 2;

/// A frame that is final and waits for its turn to be written.
#[derive(Clone, Debug)]
pub struct PendingFinal {
    /// The frame.
    pub frame: SealedFrame,
    /// Its identity.
    pub id: FrameId,
    /// Why it is final; `None` when a later frame's proof covers it.
    pub finality: Option<Finality>,
    /// Whether it came by catch-up.
    pub caught_up: bool,
}

/// See the module documentation.
#[derive(Debug)]
pub struct Ledger {
    last: Arc<Snapshot>,
    speculative: BTreeMap<FrameId, Arc<Snapshot>>,
    settled: Arc<BTreeMap<FrameNumber, FrameId>>,
    history: VecDeque<Arc<Snapshot>>,
    queue: VecDeque<PendingFinal>,
}

impl Ledger {
    /// Starts from the last final state and the identities of recent final frames.
    #[must_use]
    pub fn new(last: Arc<Snapshot>, recent: BTreeMap<FrameNumber, FrameId>) -> Self {
        let mut settled = recent;
        settled.insert(last.number(), last.id());
        Self {
            history: VecDeque::from([Arc::clone(&last)]),
            last,
            speculative: BTreeMap::new(),
            settled: Arc::new(settled),
            queue: VecDeque::new(),
        }
    }

    /// State after the last final frame that is on disk.
    #[must_use]
    pub const fn last(&self) -> &Arc<Snapshot> {
        &self.last
    }

    /// The state after a frame, if it was executed.
    #[must_use]
    pub fn get(&self, id: &FrameId) -> Option<&Arc<Snapshot>> {
        if *id == self.last.id() {
            Some(&self.last)
        } else {
            self.speculative.get(id)
        }
    }

    /// Final states that are kept, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Arc<Snapshot>> {
        self.history.iter()
    }

    /// The highest executed state: what a client's bundle is checked against.
    #[must_use]
    pub fn head(&self) -> &Arc<Snapshot> {
        let position = |s: &Arc<Snapshot>| (s.header().epoch, s.header().rank);
        let best = self.speculative.values().max_by_key(|s| position(s));
        best.filter(|s| position(s) > position(&self.last))
            .unwrap_or(&self.last)
    }

    /// Adds the state after a speculative frame. States of queued frames do not count: they are needed for sure.
    pub fn insert(&mut self, snapshot: Arc<Snapshot>) {
        self.speculative.insert(snapshot.id(), snapshot);
        let queued: BTreeSet<FrameId> = self.queue.iter().map(|p| p.id).collect();
        while self.speculative.len() > SPECULATIVE_MAX.saturating_add(queued.len()) {
            let oldest = self
                .speculative
                .values()
                .filter(|s| !queued.contains(&s.id()))
                .min_by_key(|s| (s.header().epoch, s.header().rank))
                .map(|s| s.id());
            let Some(oldest) = oldest else { return };
            self.speculative.remove(&oldest);
        }
    }

    /// Frames from the child of the last final one up to `header`'s parent, newest first.
    fn speculative_path(&self, parent: FrameId) -> Vec<(FrameNumber, FrameId)> {
        let mut path = Vec::new();
        let mut at = parent;
        while let Some(s) = self.speculative.get(&at) {
            path.push((s.number(), at));
            at = s.header().parent;
        }
        path
    }

    /// Ancestors of a child of `parent`.
    #[must_use]
    pub fn ancestors(&self, parent: FrameId) -> Ancestors {
        Ancestors::new(Arc::clone(&self.settled), self.speculative_path(parent))
    }

    /// Bundles in `parent` and in its ancestors above the last final frame.
    #[must_use]
    pub fn speculative_txs(&self, parent: FrameId) -> BTreeSet<TxId> {
        let mut txs = BTreeSet::new();
        let mut at = parent;
        while let Some(s) = self.speculative.get(&at) {
            txs.extend(s.effects().receipts.iter().map(|r| r.tx));
            at = s.header().parent;
        }
        txs
    }

    /// Queues a final frame.
    pub fn enqueue(&mut self, pending: PendingFinal) {
        self.queue.push_back(pending);
    }

    /// The next final frame to be written.
    #[must_use]
    pub fn next_final(&self) -> Option<&PendingFinal> {
        self.queue.front()
    }

    /// Number of final frames that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The last frame that is final, on disk or waiting.
    #[must_use]
    pub fn final_header(&self) -> &Header {
        self.queue
            .back()
            .map_or_else(|| self.last.header(), |p| &p.frame.header)
    }

    /// The frame that is final at a number, on disk or waiting, among the recent ones.
    #[must_use]
    pub fn final_id(&self, number: FrameNumber) -> Option<FrameId> {
        let waiting = self.queue.iter();
        let mut waiting = waiting.filter(|p| p.frame.header.number == number);
        let waiting = waiting.next().map(|p| p.id);
        waiting.or_else(|| self.settled.get(&number).copied())
    }

    /// The front of the queue is on disk: its state becomes the last final one; states that do not extend it go.
    pub fn settle(&mut self, snapshot: Arc<Snapshot>) -> Option<PendingFinal> {
        let done = self.queue.pop_front()?;
        let number = snapshot.number();
        self.speculative.retain(|_, s| s.number() > number);
        let settled = Arc::make_mut(&mut self.settled);
        settled.insert(number, snapshot.id());
        let horizon =
            FrameNumber::new(number.get().saturating_sub(SETTLE_WINDOW.saturating_mul(2)));
        *settled = settled.split_off(&horizon);
        if let Some(state) = snapshot.state() {
            state.note_durable(number);
        }
        self.history.push_back(Arc::clone(&snapshot));
        if let Some(old) = self.history.iter().rev().nth(WARM) {
            old.archive();
        }
        while self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
        self.last = snapshot;
        Some(done)
    }
}
