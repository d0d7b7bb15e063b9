//! Verdicts of proof checks by bundle, so that each bundle is verified once (T8, C4).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quil_types::Code;

use super::ids::BundleHash;

/// Independent locks: readers of different bundles rarely meet.
const SHARDS: usize = 16;

/// Verdicts kept when nothing else is asked for: four full frames of 600, and a mempool between them.
pub const CACHE_ENTRIES: usize = 16 * 1024;

type Verdict = Result<(), Code>;

#[derive(Debug, Default)]
struct Shard {
    verdicts: BTreeMap<BundleHash, (u64, Verdict)>,
    by_age: BTreeMap<u64, BundleHash>,
    clock: u64,
}

impl Shard {
    fn touch(&mut self, hash: BundleHash, verdict: Verdict) {
        self.clock = self.clock.wrapping_add(1);
        if let Some((age, _)) = self.verdicts.insert(hash, (self.clock, verdict)) {
            self.by_age.remove(&age);
        }
        self.by_age.insert(self.clock, hash);
    }

    fn shrink(&mut self, capacity: usize) {
        while self.verdicts.len() > capacity {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                return;
            };
            self.verdicts.remove(&oldest);
        }
    }
}

/// A bounded map from bundle hash to the verdict of its proofs; the least recently used goes first.
///
/// The key covers every byte of the bundle, and the coin ids inside fix the keys and commitments that the proofs
/// are checked against (T1), so a verdict holds in every state.
#[derive(Debug)]
pub struct ProofCache {
    shards: [Mutex<Shard>; SHARDS],
    capacity: usize,
}

impl Default for ProofCache {
    fn default() -> Self {
        Self::new(CACHE_ENTRIES)
    }
}

impl ProofCache {
    /// A cache of about `entries` verdicts; rounded up to a multiple of the number of shards.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        Self {
            shards: core::array::from_fn(|_| Mutex::default()),
            capacity: entries.div_ceil(SHARDS),
        }
    }

    /// The verdict, if it is known.
    #[must_use]
    pub fn get(&self, hash: BundleHash) -> Option<Verdict> {
        let mut shard = self.shard(hash)?;
        let verdict = shard.verdicts.get(&hash)?.1;
        shard.touch(hash, verdict);
        Some(verdict)
    }

    /// Remembers a verdict.
    pub fn put(&self, hash: BundleHash, verdict: Verdict) {
        if let Some(mut shard) = self.shard(hash) {
            shard.touch(hash, verdict);
            shard.shrink(self.capacity);
        }
    }

    /// Number of verdicts.
    #[must_use]
    pub fn len(&self) -> usize {
        let shards = self.shards.iter().map(lock);
        shards.map(|s| s.verdicts.len()).sum()
    }

    /// Whether there is no verdict.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, hash: BundleHash) -> Option<MutexGuard<'_, Shard>> {
        let first = hash.0.first().copied().map(usize::from)?;
        self.shards.get(first % SHARDS).map(lock)
    }
}

/// A shard is consistent after every statement, so a panic elsewhere does not spoil it.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(first: u8, second: u8) -> BundleHash {
        let mut h = [0; 32];
        (h[0], h[1]) = (first, second);
        BundleHash(h)
    }

    #[test]
    fn least_recently_used_verdict_is_dropped() {
        let cache = ProofCache::new(2 * SHARDS);
        cache.put(hash(0, 1), Ok(()));
        cache.put(hash(0, 2), Err(Code::OutputRange));
        assert_eq!(cache.get(hash(0, 1)), Some(Ok(())));
        cache.put(hash(0, 3), Ok(()));
        assert_eq!(cache.get(hash(0, 2)), None, "the one not touched");
        assert_eq!(cache.get(hash(0, 1)), Some(Ok(())));
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn size_is_bounded_under_any_number_of_hashes() {
        let cache = ProofCache::new(64);
        for a in 0..=255 {
            for b in 0..16 {
                cache.put(hash(a, b), Ok(()));
            }
        }
        assert_eq!(cache.len(), 64);
        assert!(!cache.is_empty());
    }

    #[test]
    fn a_shard_keeps_one_age_per_verdict() {
        let cache = ProofCache::new(SHARDS);
        for _ in 0..100 {
            cache.put(hash(0, 0), Ok(()));
        }
        assert_eq!(lock(&cache.shards[0]).by_age.len(), 1);
    }
}
