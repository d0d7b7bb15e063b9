//! What waits to be ordered: bundles on a shard, shard updates on the global chain.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use quil_execution::mempool::Mempool;
use quil_execution::mempool::MempoolLimits;
use quil_execution::token::{BundleHash, Checked};
use quil_types::limits::SHARD_UPDATES_MAX;
use quil_types::{FinalityProof, ShardAddr};

use crate::io::{GossipToken, RequestToken};

/// Bundles that wait for their check; more are refused as busy or not forwarded.
pub(crate) const UNCHECKED_MAX: usize = 2048;
/// Bundles checked in one job: enough to profit from batching, short enough not to hold up a pool thread.
pub(crate) const ADMIT_BATCH: usize = 64;

/// Who waits for the check of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A gossip message.
    Gossip(GossipToken),
    /// A client.
    Client(RequestToken),
}

/// Bundles of a shard.
#[derive(Debug)]
pub(crate) struct BundlePool {
    /// Checked ones.
    pub mempool: Mempool,
    unchecked: VecDeque<Arc<Checked>>,
    waiters: BTreeMap<BundleHash, Vec<Waiter>>,
    /// Whether a check runs.
    pub checking: bool,
}

impl Default for BundlePool {
    fn default() -> Self {
        Self {
            mempool: Mempool::new(MempoolLimits::default()),
            unchecked: VecDeque::new(),
            waiters: BTreeMap::new(),
            checking: false,
        }
    }
}

impl BundlePool {
    /// Queues a bundle for its check. `false`: the queue is full.
    pub(crate) fn enqueue(&mut self, bundle: Arc<Checked>, waiter: Waiter) -> bool {
        let hash = bundle.hash();
        if let Some(waiters) = self.waiters.get_mut(&hash) {
            waiters.push(waiter);
            return true;
        }
        if self.unchecked.len() >= UNCHECKED_MAX {
            return false;
        }
        self.waiters.insert(hash, vec![waiter]);
        self.unchecked.push_back(bundle);
        true
    }

    /// The next bundles to check.
    pub(crate) fn batch(&mut self) -> Vec<Arc<Checked>> {
        let n = self.unchecked.len().min(ADMIT_BATCH);
        self.unchecked.drain(..n).collect()
    }

    /// Those who wait for a bundle.
    pub(crate) fn waiters(&mut self, hash: BundleHash) -> Vec<Waiter> {
        self.waiters.remove(&hash).unwrap_or_default()
    }
}

/// Verified updates of shards, the highest of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpdatePool {
    best: BTreeMap<ShardAddr, FinalityProof>,
    checking: BTreeMap<ShardAddr, u64>,
    turn: usize,
}

impl UpdatePool {
    /// Whether an update of this height is worth a check; remembers that it is being checked.
    pub(crate) fn wants(&mut self, shard: ShardAddr, number: u64) -> bool {
        let known = self.best.get(&shard).map_or(0, |u| u.header.number.get());
        let running = self.checking.get(&shard).copied().unwrap_or(0);
        let wanted = number > known && number > running;
        if wanted {
            self.checking.insert(shard, number);
        }
        wanted
    }

    /// The check of an update ended.
    pub(crate) fn checked(&mut self, shard: ShardAddr, update: FinalityProof, valid: bool) {
        if self.checking.get(&shard) == Some(&update.header.number.get()) {
            self.checking.remove(&shard);
        }
        let known = self.best.get(&shard).map_or(0, |u| u.header.number.get());
        if valid && update.header.number.get() > known {
            self.best.insert(shard, update);
        }
    }

    /// Updates for a body, starting at another shard each time so that none starves (S1).
    pub(crate) fn candidates(&mut self) -> Vec<FinalityProof> {
        let n = self.best.len();
        if n == 0 {
            return Vec::new();
        }
        self.turn = self.turn.wrapping_add(1);
        let start = self.turn.checked_rem(n).unwrap_or(0);
        self.best
            .values()
            .cycle()
            .skip(start)
            .take(n.min(SHARD_UPDATES_MAX))
            .cloned()
            .collect()
    }

    /// Drops what a final frame has recorded.
    pub(crate) fn settle(&mut self, shard: ShardAddr, height: u64) {
        if self
            .best
            .get(&shard)
            .is_some_and(|u| u.header.number.get() <= height.saturating_add(1))
        {
            self.best.remove(&shard);
        }
    }
}
