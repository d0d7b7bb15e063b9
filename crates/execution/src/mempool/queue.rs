//! Order of pending bundles and the choice for a body.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use quil_types::bundle::FeePart;
use quil_types::limits::BUNDLES_PER_BODY_MAX;
use quil_types::{Bundle, TxId};

use super::{AGE_SHARE, Mempool};
use crate::frame::BODY_OVERHEAD_BYTES;
use crate::rules::Rules;
use crate::token::{BundleHash, Checked};

/// Fixed-point scale of a price: fee units per microsecond, 20 binary digits after the point.
const PRICE_SHIFT: u32 = 20;

/// Orders bundles by fee per cost; the later of two equal ones is lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Price {
    rate: u128,
    earlier: u64,
}

impl Price {
    fn new(fee: u64, cost_us: u64, age: u64) -> Self {
        Self {
            rate: (u128::from(fee) << PRICE_SHIFT) / u128::from(cost_us.max(1)),
            earlier: u64::MAX.saturating_sub(age),
        }
    }

    /// Whether the other one pays strictly more; waiting longer does not count here.
    pub(super) const fn is_below(&self, other: &Self) -> bool {
        self.rate < other.rate
    }
}

/// A pending bundle.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) bundle: Arc<Checked>,
    pub(super) claims: Vec<[u8; 32]>,
    pub(super) price: Price,
    pub(super) age: u64,
    pub(super) mint_nonce: Option<u64>,
}

impl Entry {
    pub(super) fn new(bundle: Arc<Checked>, claims: Vec<[u8; 32]>, age: u64) -> Self {
        Self {
            price: Price::new(bundle.fee(), bundle.cost_us(), age),
            mint_nonce: mint_nonce(bundle.bundle()),
            bundle,
            claims,
            age,
        }
    }
}

/// A body being filled.
struct Filling {
    chosen: Vec<Arc<Checked>>,
    hashes: BTreeSet<BundleHash>,
    /// Mints that are left, lowest nonce first.
    mints: VecDeque<BundleHash>,
    bytes: u64,
    cost_us: u64,
}

impl Filling {
    /// Takes what fits, in the given order. Mints execute by nonce, so whichever mint is next gives its turn to
    /// the lowest one that is left; once that does not fit, no other mint is taken in this pass.
    fn pass<'a>(
        &mut self,
        pool: &Mempool,
        order: impl Iterator<Item = &'a BundleHash>,
        rules: &Rules,
        share: u64,
    ) {
        let mut mints_fit = true;
        for entry in order.filter_map(|hash| pool.entries.get(hash)) {
            if self.hashes.contains(&entry.bundle.hash()) {
                continue;
            }
            if entry.mint_nonce.is_none() {
                self.take(&entry.bundle, rules, share);
            } else if mints_fit {
                mints_fit = self.take_mint(pool, rules, share);
            }
        }
    }

    fn take_mint(&mut self, pool: &Mempool, rules: &Rules, share: u64) -> bool {
        let Some(first) = self.mints.front().and_then(|hash| pool.entries.get(hash)) else {
            return false;
        };
        let taken = self.take(&first.bundle, rules, share);
        if taken {
            self.mints.pop_front();
        }
        taken
    }

    /// Takes a bundle that fits below the limits divided by `share`.
    fn take(&mut self, bundle: &Arc<Checked>, rules: &Rules, share: u64) -> bool {
        let size = u64::try_from(bundle.bytes()).unwrap_or(u64::MAX);
        let bytes = self.bytes.saturating_add(size);
        let cost_us = self.cost_us.saturating_add(bundle.cost_us());
        let fits = bytes <= u64::from(rules.limits.body_bytes) / share
            && cost_us <= rules.limits.body_cost_us / share
            && self.chosen.len() < BUNDLES_PER_BODY_MAX;
        if fits && self.hashes.insert(bundle.hash()) {
            self.chosen.push(Arc::clone(bundle));
            (self.bytes, self.cost_us) = (bytes, cost_us);
        }
        fits
    }
}

/// See [`Mempool::select`].
pub(super) fn select(pool: &Mempool, rules: &Rules, taken: &BTreeSet<TxId>) -> Vec<Arc<Checked>> {
    let stands = |hash: &BundleHash| {
        let entry = pool.entries.get(hash);
        entry.is_some_and(|e| taken.contains(&e.bundle.tx()))
    };
    let left = |hash: &&BundleHash| taken.is_empty() || !stands(hash);
    let mints = pool.mints.iter().map(|(_, hash)| hash);
    let mut filling = Filling {
        chosen: Vec::new(),
        hashes: BTreeSet::new(),
        mints: mints.filter(left).copied().collect(),
        bytes: BODY_OVERHEAD_BYTES,
        cost_us: 0,
    };
    filling.pass(pool, pool.by_age.values().filter(left), rules, AGE_SHARE);
    filling.pass(pool, pool.by_price.values().rev().filter(left), rules, 1);
    filling.chosen
}

/// Nonce of the mint in a bundle.
pub(super) fn mint_nonce(bundle: &Bundle) -> Option<u64> {
    match &bundle.fee {
        FeePart::Transfer(t) => t.body.mint.as_ref().map(|m| m.nonce),
        FeePart::AccountDebit(_) => None,
    }
}
