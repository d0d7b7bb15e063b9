//! Builds transfers on all cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quil_bulletproofs::RangeSuite;
use quil_client::Failure;
use quil_execution::rules::Rules;
use quil_execution::token::Moment;
use quil_execution::wallet::{BuiltTransfer, Mint, OwnedCoin, TransferBuilder};
use quil_keys::{Account, Address};
use quil_types::{Bundle, Canonical as _};
use rayon::prelude::*;

use super::coins::{Purse, UNIT_AMOUNT};
use super::{Say, Site, Transfer, defect};
use crate::network::system_rng;

/// How often progress is told.
const TOLD: Duration = Duration::from_secs(2);

/// A transfer to build.
pub(super) struct Wanted {
    pub(super) account: Account,
    pub(super) coins: Vec<OwnedCoin>,
    pub(super) payments: Vec<(Address, u64)>,
    /// Nonce and amount.
    pub(super) mint: Option<(u64, u64)>,
}

impl Wanted {
    fn builder<'a>(&'a self, rules: &'a Rules, price: Moment) -> TransferBuilder<'a> {
        let builder = TransferBuilder::new(rules, price);
        let pay = |b: TransferBuilder<'a>, (to, amount): &(Address, u64)| b.pay(*to, *amount);
        let builder = self.payments.iter().fold(builder, pay);
        match self.mint {
            None => builder,
            Some((nonce, amount)) => builder.mint(Mint {
                authority: self.account.spend_secret(),
                nonce,
                amount,
            }),
        }
    }

    /// Proves it. Cost: some ten milliseconds for each output.
    pub(super) fn build(&self, rules: &Rules, price: Moment) -> Result<Built, Failure> {
        let mut rng = system_rng()?;
        let builder = self.builder(rules, price);
        let suite = RangeSuite::standard();
        let built = builder.build(suite, &self.account, &self.coins, &mut rng);
        Ok(Built::new(built.map_err(defect)?))
    }
}

/// A finished transfer.
pub(super) struct Built {
    pub(super) bundle: Bundle,
    pub(super) transfer: Transfer,
}

impl Built {
    fn new(built: BuiltTransfer) -> Self {
        let transfer = Transfer {
            tx: built.tx,
            bytes: Arc::from(built.bundle.encode()),
        };
        Self {
            bundle: built.bundle,
            transfer,
        }
    }
}

/// Builds all on all cores; `done` counts them.
pub(super) async fn all(
    rules: &Rules,
    price: Moment,
    wanted: Vec<Wanted>,
    done: &Arc<AtomicUsize>,
) -> Result<Vec<Built>, Failure> {
    let (rules, done) = (rules.clone(), Arc::clone(done));
    let work = tokio::task::spawn_blocking(move || {
        let one = |w: Wanted| {
            let built = w.build(&rules, price);
            done.fetch_add(1, Ordering::Relaxed);
            built
        };
        wanted.into_par_iter().map(one).collect()
    });
    work.await.unwrap_or_else(|e| Err(defect(e)))
}

/// One transfer for each coin: one input, two outputs.
pub(super) async fn transfers(
    site: &Site,
    price: Moment,
    coins: Vec<Purse>,
    say: Say<'_>,
) -> Result<Vec<Transfer>, Failure> {
    let (count, to) = (coins.len(), *site.faucet.address());
    let wanted = coins.into_iter().map(|purse| Wanted {
        account: purse.account,
        coins: vec![purse.coin],
        payments: vec![(to, UNIT_AMOUNT)],
        mint: None,
    });
    let done = Arc::default();
    let mut work = core::pin::pin!(all(&site.rules, price, wanted.collect(), &done));
    loop {
        tokio::select! {
            built = &mut work => return Ok(built?.into_iter().map(|b| b.transfer).collect()),
            () = tokio::time::sleep(TOLD) => {
                say(&format!("  {} of {count}", done.load(Ordering::Relaxed)));
            }
        }
    }
}
