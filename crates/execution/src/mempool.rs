//! Pending bundles of one shard: bounded, one per nullifier, ordered by fee per cost (T8).
//!
//! A sans-IO core. The caller checks a bundle ([`crate::token::stateless`], [`crate::token::contextual()`], proofs)
//! before it inserts it, so that nothing unpaid is ever held; after every final frame it calls
//! [`Mempool::settle`]. Senders are unknown by design, so fairness is by time: one eighth of every body is filled
//! with the bundles that have waited longest, the rest goes by price.

mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quil_types::{Body, Canonical, Code, TxId};

use crate::rules::Rules;
use crate::state::{StateFault, StateView};
use crate::token::ids::{bundle_hash, claims};
use crate::token::{BundleHash, Checked, Moment, Refusal, contextual};
use queue::{Entry, Price, mint_nonce};

/// Part of a body that goes to the bundles that have waited longest: one of this many.
pub const AGE_SHARE: u64 = 8;

/// How much a mempool holds. Stops memory from growing with what peers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Bundles.
    pub bundles: usize,
    /// Encoded bytes of all bundles.
    pub bytes: usize,
}

impl Default for MempoolLimits {
    /// Sixteen full frames of 600 transfers.
    fn default() -> Self {
        Self {
            bundles: 10_000,
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// Why a bundle is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InsertError {
    /// The very same bundle is here already.
    #[error("bundle is pending already")]
    Duplicate,
    /// Another pending bundle spends one of its coins, uses its mint nonce or debits its account.
    #[error("another pending bundle claims the same coin")]
    Conflict(BundleHash),
    /// The mempool is full of bundles that pay at least as much.
    #[error("mempool is full")]
    Full,
}

/// Why a bundle left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is in a final frame.
    Included,
    /// It does not apply to the final state any more, or has expired.
    Refused(Code),
}

/// Pending bundles.
#[derive(Clone, Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    entries: BTreeMap<BundleHash, Entry>,
    claims: BTreeMap<[u8; 32], BundleHash>,
    by_price: BTreeMap<Price, BundleHash>,
    by_age: BTreeMap<u64, BundleHash>,
    by_expiry: BTreeSet<(u64, BundleHash)>,
    mints: BTreeSet<(u64, BundleHash)>,
    bytes: usize,
    clock: u64,
}

impl Mempool {
    /// An empty mempool.
    #[must_use]
    pub const fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            claims: BTreeMap::new(),
            by_price: BTreeMap::new(),
            by_age: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            mints: BTreeSet::new(),
            bytes: 0,
            clock: 0,
        }
    }

    /// Number of bundles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Encoded bytes of all bundles.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a bundle is pending.
    #[must_use]
    pub fn contains(&self, hash: BundleHash) -> bool {
        self.entries.contains_key(&hash)
    }

    /// The pending bundle with this hash.
    #[must_use]
    pub fn get(&self, hash: BundleHash) -> Option<&Arc<Checked>> {
        self.entries.get(&hash).map(|e| &e.bundle)
    }

    /// Takes a bundle that was checked in full. Returns the bundles that it displaced: the cheapest ones, and only
    /// while each of them pays less per cost.
    ///
    /// # Errors
    /// [`InsertError`]; the mempool is unchanged then.
    pub fn insert(&mut self, bundle: Arc<Checked>) -> Result<Vec<BundleHash>, InsertError> {
        let hash = bundle.hash();
        if self.entries.contains_key(&hash) {
            return Err(InsertError::Duplicate);
        }
        let claims = claims(bundle.bundle());
        if let Some(other) = claims.iter().find_map(|c| self.claims.get(c)) {
            return Err(InsertError::Conflict(*other));
        }
        self.clock = self.clock.saturating_add(1);
        let entry = Entry::new(bundle, claims, self.clock);
        let displaced = self.make_room(&entry)?;
        for hash in &displaced {
            self.remove(*hash);
        }
        self.add(hash, entry);
        Ok(displaced)
    }

    /// Drops a bundle; `false` when it is not here.
    pub fn remove(&mut self, hash: BundleHash) -> bool {
        let Some(entry) = self.entries.remove(&hash) else {
            return false;
        };
        for claim in &entry.claims {
            self.claims.remove(claim);
        }
        self.by_price.remove(&entry.price);
        self.by_age.remove(&entry.age);
        self.by_expiry.remove(&(entry.bundle.valid_until(), hash));
        if let Some(nonce) = entry.mint_nonce {
            self.mints.remove(&(nonce, hash));
        }
        self.bytes = self.bytes.saturating_sub(entry.bundle.bytes());
        true
    }

    /// Bundles for a body within the genesis limits, in the order in which they should execute: first those that
    /// have waited longest, up to one [`AGE_SHARE`]-th of the limits, then by price. Mints of one authority come
    /// in the order of their nonces. Bundles in `taken` stand in ancestors that are not final: they are left out, and
    /// stay in case the ancestor is abandoned.
    #[must_use]
    pub fn select(&self, rules: &Rules, taken: &BTreeSet<TxId>) -> Vec<Arc<Checked>> {
        queue::select(self, rules, taken)
    }

    /// Follows a final frame: drops what it includes, what it contradicts, and what has expired.
    ///
    /// `view` is the state after the frame, `moment` the one of the next frame. Only bundles that share a claim
    /// with the frame are looked at, so the cost is that of the frame, not of the mempool. A bundle whose fee has
    /// become too low stays until it expires: the multiplier falls again.
    ///
    /// # Errors
    /// [`StateFault`] when the state cannot answer.
    pub fn settle(
        &mut self,
        body: &Body,
        view: &impl StateView,
        rules: &Rules,
        moment: &Moment,
    ) -> Result<Vec<(BundleHash, Departure)>, StateFault> {
        let mut gone = Vec::new();
        let mut doubtful: BTreeSet<BundleHash> = self.expired(moment);
        if let Body::Shard(bundles) = body {
            for bundle in bundles {
                let hash = bundle_hash(&bundle.encode());
                if self.remove(hash) {
                    gone.push((hash, Departure::Included));
                }
                doubtful.extend(claims(bundle).iter().filter_map(|c| self.claims.get(c)));
                if let Some(nonce) = mint_nonce(bundle) {
                    doubtful.extend(
                        self.mints
                            .range(..=(nonce, BundleHash::LAST))
                            .map(|(_, h)| *h),
                    );
                }
            }
        }
        gone.extend(self.drop_refused(&doubtful, view, rules, moment)?);
        Ok(gone)
    }

    /// Checks every pending bundle against a state: after a catch-up, or when a speculative frame was abandoned.
    ///
    /// # Errors
    /// [`StateFault`] when the state cannot answer.
    pub fn revalidate(
        &mut self,
        view: &impl StateView,
        rules: &Rules,
        moment: &Moment,
    ) -> Result<Vec<(BundleHash, Departure)>, StateFault> {
        let all = self.entries.keys().copied().collect();
        self.drop_refused(&all, view, rules, moment)
    }

    fn expired(&self, moment: &Moment) -> BTreeSet<BundleHash> {
        let first_valid = (moment.now.get(), BundleHash([0; 32]));
        self.by_expiry
            .range(..first_valid)
            .map(|(_, h)| *h)
            .collect()
    }

    fn drop_refused(
        &mut self,
        doubtful: &BTreeSet<BundleHash>,
        view: &impl StateView,
        rules: &Rules,
        moment: &Moment,
    ) -> Result<Vec<(BundleHash, Departure)>, StateFault> {
        // At multiplier zero every fee is high enough: only the state and the clock decide here.
        let free = Moment {
            multiplier: 0,
            ..*moment
        };
        let mut gone = Vec::new();
        for hash in doubtful {
            let Some(entry) = self.entries.get(hash) else {
                continue;
            };
            match contextual(view, &entry.bundle, rules, &free) {
                Ok(_) => {}
                Err(Refusal::Code(code)) => gone.push((*hash, Departure::Refused(code))),
                Err(Refusal::Fault(fault)) => return Err(fault),
            }
        }
        for (hash, _) in &gone {
            self.remove(*hash);
        }
        Ok(gone)
    }

    /// The cheapest bundles that must go for `entry`.
    fn make_room(&self, entry: &Entry) -> Result<Vec<BundleHash>, InsertError> {
        let mut out = Vec::new();
        let mut count = self.entries.len().saturating_add(1);
        let mut bytes = self.bytes.saturating_add(entry.bundle.bytes());
        let mut cheapest = self.by_price.iter();
        while count > self.limits.bundles || bytes > self.limits.bytes {
            let (price, hash) = cheapest.next().ok_or(InsertError::Full)?;
            if !price.is_below(&entry.price) {
                return Err(InsertError::Full);
            }
            let size = self.entries.get(hash).map_or(0, |e| e.bundle.bytes());
            count = count.saturating_sub(1);
            bytes = bytes.saturating_sub(size);
            out.push(*hash);
        }
        Ok(out)
    }

    fn add(&mut self, hash: BundleHash, entry: Entry) {
        for claim in &entry.claims {
            self.claims.insert(*claim, hash);
        }
        self.by_price.insert(entry.price, hash);
        self.by_age.insert(entry.age, hash);
        self.by_expiry.insert((entry.bundle.valid_until(), hash));
        if let Some(nonce) = entry.mint_nonce {
            self.mints.insert((nonce, hash));
        }
        self.bytes = self.bytes.saturating_add(entry.bundle.bytes());
        self.entries.insert(hash, entry);
    }
}
