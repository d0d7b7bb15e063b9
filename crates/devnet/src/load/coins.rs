//! Independent coins: mints, then fan-outs, each with as many outputs as a transfer takes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quil_api::Client;
use quil_client::Failure;
use quil_client::node::TxState;
use quil_execution::cost::{BASE_US, INPUT_US, OUTPUT_US, RANGE_US, RANGE_VALUE_US};
use quil_execution::rules::Rules;
use quil_execution::token::{CoinRecord, Moment, ids};
use quil_execution::wallet::{OwnedCoin, ScanKeys, TransferBuilder};
use quil_keys::{Account, Address};
use quil_types::bundle::FeePart;
use quil_types::limits::OUTPUTS_MAX;
use quil_types::{Bundle, TxId};

use super::build::{self, Built, Wanted};
use super::{IN_FLIGHT, Site, Transfer, defect, stalled, submit};

/// Units that a measured transfer pays.
pub(super) const UNIT_AMOUNT: u64 = 1_000;
/// Payments of one transfer: one output is the change.
const PAYMENTS: usize = OUTPUTS_MAX - 1;
/// Body cost of a transfer with one input and two outputs, microseconds.
const TRANSFER_COST_US: u64 = BASE_US + INPUT_US + 2 * OUTPUT_US + RANGE_US + 2 * RANGE_VALUE_US;
/// Full frames beyond those of the measured transfers: coins are made in some of them.
const SPARE_FRAMES: u64 = 3;
/// More full frames than this need no room in the fee: the price is then twenty-five thousand times the lowest.
const FULL_FRAMES_MAX: u64 = 86;
/// Pause between two looks at a transaction.
const LOOK: Duration = Duration::from_millis(100);

/// A coin with the account that owns it.
pub(super) struct Purse {
    pub(super) account: Account,
    pub(super) coin: OwnedCoin,
}

/// Full frames that these transfers can fill, at most.
pub(super) fn full_frames(rules: &Rules, count: usize) -> u64 {
    let cost = u64::try_from(count)
        .unwrap_or(u64::MAX)
        .saturating_mul(TRANSFER_COST_US);
    let frames = cost.div_ceil(rules.limits.body_cost_us.max(1));
    frames.saturating_add(SPARE_FRAMES).min(FULL_FRAMES_MAX)
}

/// What the coins of each generation are worth, units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Worth {
    /// A coin that a measured transfer spends: its amount, its fee, and as much again as change.
    coin: u64,
    /// A coin that is fanned out.
    fan: u64,
    /// A mint.
    mint: u64,
}

impl Worth {
    fn at(rules: &Rules, price: Moment, to: Address) -> Result<Self, Failure> {
        let builder = |payments: usize| {
            let new = TransferBuilder::new(rules, price);
            (0..payments).fold(new, |b, _| b.pay(to, 0))
        };
        let worth = || {
            let payments = u64::try_from(PAYMENTS).ok()?;
            let coin = UNIT_AMOUNT
                .checked_mul(2)?
                .checked_add(builder(1).fee_for(1))?;
            let fan = payments
                .checked_mul(coin)?
                .checked_add(builder(PAYMENTS).fee_for(1))?;
            // The fee of an input covers that of the authority's signature.
            let mint = payments
                .checked_mul(fan)?
                .checked_add(builder(PAYMENTS).fee_for(2))?;
            Some(Self { coin, fan, mint })
        };
        worth().ok_or_else(|| defect("amounts exceed 64 bits"))
    }
}

/// How many mints and fan-outs so many coins take.
const fn generations(count: usize) -> (usize, usize) {
    let fans = count.div_ceil(PAYMENTS);
    (fans.div_ceil(PAYMENTS), fans)
}

/// So many final coins, of the senders in turn.
pub(super) async fn prepare(
    site: &Site,
    price: Moment,
    count: usize,
) -> Result<Vec<Purse>, Failure> {
    let worth = Worth::at(&site.rules, price, *site.faucet.address())?;
    let (mints, fans) = generations(count);
    let minted = mint(site, price, worth, mints).await?;
    let mut wanted = Vec::new();
    let mut left = count;
    for coin in minted.into_iter().take(fans) {
        let first = count.saturating_sub(left);
        let some = left.min(PAYMENTS);
        left = left.saturating_sub(some);
        let turn = first.checked_rem(site.senders.len()).unwrap_or(0);
        let senders = site.senders.iter().cycle().skip(turn);
        wanted.push(Wanted {
            account: site.faucet.clone(),
            coins: vec![coin],
            payments: senders
                .take(some)
                .map(|s| (*s.address(), worth.coin))
                .collect(),
            mint: None,
        });
    }
    let built = build::all(&site.rules, price, wanted, &Arc::default()).await?;
    hand_in(site, &built, IN_FLIGHT).await?;
    let purses = built
        .iter()
        .flat_map(|b| purses(site, &b.bundle, worth.coin));
    let purses: Vec<_> = purses.collect();
    if purses.len() == count {
        return Ok(purses);
    }
    Err(defect(format!("{} coins instead of {count}", purses.len())))
}

/// Coins of the faucet for the fan-outs. Mints go in the order of their nonces, which rise with time.
async fn mint(
    site: &Site,
    price: Moment,
    worth: Worth,
    count: usize,
) -> Result<Vec<OwnedCoin>, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = u64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(u64::MAX);
    let to = *site.faucet.address();
    let wanted = (now..).take(count).map(|nonce| Wanted {
        account: site.faucet.clone(),
        coins: Vec::new(),
        payments: vec![(to, worth.fan); PAYMENTS],
        mint: Some((nonce, worth.mint)),
    });
    let built = build::all(&site.rules, price, wanted.collect(), &Arc::default()).await?;
    hand_in(site, &built, 1).await?;
    let keys = ScanKeys::of(&site.faucet);
    let coins = built
        .iter()
        .flat_map(|b| received(&site.rules, &b.bundle, &keys));
    Ok(coins.filter(|c| c.amount() == worth.fan).collect())
}

fn purses(site: &Site, bundle: &Bundle, worth: u64) -> Vec<Purse> {
    let of = |account: &Account| {
        let coins = received(&site.rules, bundle, &ScanKeys::of(account));
        let own = coins.into_iter().filter(|c| c.amount() == worth);
        own.map(|coin| Purse {
            account: account.clone(),
            coin,
        })
        .collect::<Vec<_>>()
    };
    site.senders.iter().flat_map(of).collect()
}

/// Coins that a bundle makes for an account.
fn received(rules: &Rules, bundle: &Bundle, keys: &ScanKeys) -> Vec<OwnedCoin> {
    let FeePart::Transfer(transfer) = &bundle.fee else {
        return Vec::new();
    };
    let (body, rho) = (&transfer.body, ids::rho(&transfer.body));
    let records = (0..)
        .zip(body.outputs.iter())
        .map(|(index, output)| CoinRecord {
            rho,
            index,
            output: output.clone(),
        });
    let records: Vec<_> = records.collect();
    keys.scan(rules.genesis, rules.domain, body.home, &records)
}

/// Hands everything in, so many at a time, and waits until it is final.
async fn hand_in(site: &Site, built: &[Built], at_once: usize) -> Result<(), Failure> {
    for chunk in built.chunks(at_once) {
        let mut calls = tokio::task::JoinSet::new();
        for (n, built) in chunk.iter().enumerate() {
            let (client, limit) = (site.client(n)?.clone(), site.stall());
            let transfer: Transfer = built.transfer.clone();
            calls.spawn(async move { submit(&client, &transfer, limit).await });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap_or_else(|e| Err(defect(e)))?;
        }
    }
    for built in built {
        wait_final(site.client(0)?, built.transfer.tx, site.stall()).await?;
    }
    Ok(())
}

async fn wait_final(client: &Client, tx: TxId, limit: Duration) -> Result<(), Failure> {
    let begin = Instant::now();
    loop {
        let view = quil_client::NodeClient::transaction(client, tx).await;
        match view {
            Ok(view) if view.state >= TxState::Final => return Ok(()),
            Ok(_) => {}
            Err(e) if e.passes() => {}
            Err(e) => return Err(e.into()),
        }
        if begin.elapsed() >= limit {
            return Err(stalled(limit));
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_hold_every_coin_and_no_more_than_needed() {
        for (count, expected) in [
            (1, (1, 1)),
            (15, (1, 1)),
            (16, (1, 2)),
            (225, (1, 15)),
            (226, (2, 16)),
            (600, (3, 40)),
            (10_000, (45, 667)),
        ] {
            let (mints, fans) = generations(count);
            assert_eq!((mints, fans), expected, "{count}");
            assert!(mints * PAYMENTS >= fans && fans * PAYMENTS >= count);
        }
    }
}
