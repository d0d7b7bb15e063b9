//! Making transactions: proofs are computed on a blocking thread.

use std::time::{SystemTime, UNIX_EPOCH};

use quil_bulletproofs::RangeSuite;
use quil_execution::rules::Rules;
use quil_execution::token::Moment;
use quil_execution::wallet::{BuiltTransfer, Mint, OwnedCoin, TransferBuilder, WalletError};
use quil_keys::{Account, Address, Amount};
use quil_types::bundle::FeePart;
use quil_types::limits::INPUTS_MAX;

use super::WalletSession;
use crate::node::NodeClient;
use crate::output::{Failure, amount_value};
use crate::random::system_rng;

/// Full frames for whose rise of the multiplier the fee has room: the one under way when the last final one was read,
/// and the next.
const FEE_HEADROOM_FRAMES: u32 = 2;

/// A transaction with the last frame at which it may be executed.
pub(super) struct Ready {
    pub(super) built: BuiltTransfer,
    pub(super) valid_until: u64,
}

/// What to build, owned, so that it can move to another thread.
struct Plan {
    rules: Rules,
    moment: Moment,
    account: Account,
    coins: Vec<OwnedCoin>,
    pay: Option<(Address, u64)>,
    /// Nonce and amount.
    mint: Option<(u64, u64)>,
}

impl Plan {
    fn builder(&self) -> TransferBuilder<'_> {
        let builder = TransferBuilder::new(&self.rules, self.moment);
        let builder = match self.pay {
            Some((to, amount)) => builder.pay(to, amount),
            None => builder,
        };
        match self.mint {
            Some((nonce, amount)) => builder.mint(Mint {
                authority: self.account.spend_secret(),
                nonce,
                amount,
            }),
            None => builder,
        }
    }

    fn build(self) -> Result<Ready, Failure> {
        let mut rng = system_rng()?;
        let suite = RangeSuite::standard();
        let built = self
            .builder()
            .build(suite, &self.account, &self.coins, &mut rng);
        let built = built.map_err(failure)?;
        let valid_until = match &built.bundle.fee {
            FeePart::Transfer(t) => t.body.valid_until.get(),
            FeePart::AccountDebit(d) => d.valid_until.get(),
        };
        Ok(Ready { built, valid_until })
    }

    async fn build_aside(self) -> Result<Ready, Failure> {
        let built = tokio::task::spawn_blocking(move || self.build()).await;
        built.unwrap_or_else(|e| Err(Failure::new("wallet.build", e.to_string(), "report this")))
    }
}

impl<C: NodeClient> WalletSession<C> {
    fn plan(&self, moment: Moment, coins: Vec<OwnedCoin>) -> Plan {
        Plan {
            rules: self.rules.clone(),
            moment: with_headroom(moment),
            account: self.account.clone(),
            coins,
            pay: None,
            mint: None,
        }
    }

    /// Unspent coins that no transaction under way spends.
    fn free_coins(&self) -> Vec<OwnedCoin> {
        let free = self.held.values().filter(|h| !self.is_reserved(h));
        free.map(|h| h.coin.clone()).collect()
    }

    pub(super) async fn build_payment(
        &self,
        to: &Address,
        amount: Amount,
        moment: Moment,
    ) -> Result<Ready, Failure> {
        not_zero(amount)?;
        let mut plan = self.plan(moment, self.free_coins());
        plan.pay = Some((*to, amount.units()));
        let built = plan.build_aside().await;
        built.map_err(|mut f| {
            if f.exit_code() == 9 && !self.pending.is_empty() {
                "a transfer of this wallet is under way: its change is usable when it is final"
                    .clone_into(&mut f.hint);
            }
            f
        })
    }

    pub(super) async fn build_mint(
        &mut self,
        to: &Address,
        amount: Amount,
        moment: Moment,
    ) -> Result<Ready, Failure> {
        not_zero(amount)?;
        if self.account.address().spend().compress().0 != self.rules.authority {
            let message = "this account is not the authority of the token";
            let hint = "name the account of the authority with --from";
            return Err(Failure::new("mint.unauthorised", message, hint).rejected());
        }
        let nonce = now_micros().max(self.last_nonce.saturating_add(1));
        self.last_nonce = nonce;
        let mut plan = self.plan(moment, Vec::new());
        if to != self.account.address() {
            plan.pay = Some((*to, amount.units()));
        }
        plan.mint = Some((nonce, amount.units()));
        let fee = plan.builder().fee_for(0);
        let minted = amount.units().checked_add(fee);
        let minted = minted.ok_or_else(|| failure(WalletError::Overflow))?;
        plan.mint = Some((nonce, minted));
        plan.build_aside().await
    }

    /// The smallest coins, as many as fit, paid to the account itself.
    pub(super) async fn build_merge(
        &self,
        moment: Moment,
    ) -> Result<Option<(Ready, Amount)>, Failure> {
        let mut coins = self.free_coins();
        coins.retain(|c| c.amount() > 0);
        coins.sort_by_key(|c| (c.amount(), c.id()));
        coins.truncate(INPUTS_MAX);
        if coins.len() < 2 {
            return Ok(None);
        }
        let amounts = coins.iter().map(OwnedCoin::amount);
        let (count, have) = (coins.len(), amounts.fold(0, u64::saturating_add));
        let mut plan = self.plan(moment, coins);
        plan.pay = Some((*self.account.address(), 0));
        let need = plan.builder().fee_for(count);
        let amount = have.checked_sub(need).filter(|a| *a > 0);
        let amount = amount.ok_or_else(|| failure(WalletError::Insufficient { have, need }))?;
        plan.pay = Some((*self.account.address(), amount));
        let ready = plan.build_aside().await?;
        Ok(Some((ready, Amount::from_units(amount))))
    }
}

/// The price after some full frames.
fn with_headroom(mut moment: Moment) -> Moment {
    for _ in 0..FEE_HEADROOM_FRAMES {
        let step = moment.multiplier.div_ceil(8);
        moment.multiplier = moment.multiplier.saturating_add(step);
    }
    moment
}

/// A mint nonce that rises with time: no question to the node, and no two alike in practice.
fn now_micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

fn not_zero(amount: Amount) -> Result<(), Failure> {
    if amount == Amount::ZERO {
        let hint = "name an amount above zero";
        return Err(Failure::new("amount.zero", "an amount of nothing", hint).usage());
    }
    Ok(())
}

fn failure(error: WalletError) -> Failure {
    let message = error.to_string();
    match error {
        WalletError::Insufficient { have, need } => {
            let (have, need) = (Amount::from_units(have), Amount::from_units(need));
            let message = format!("{have} QUIL are there, {need} QUIL are needed with the fee");
            Failure::new("funds.insufficient", message, "quil token coins")
                .with("have", amount_value(have))
                .with("need", amount_value(need))
                .insufficient()
        }
        WalletError::TooManyCoins { .. } => {
            let hint = "quil token merge makes one coin of many";
            Failure::new("funds.scattered", message, hint).insufficient()
        }
        WalletError::Overflow => {
            Failure::new("amount.overflow", message, "name a smaller amount").usage()
        }
        WalletError::Address => {
            Failure::new("address.malformed", message, "check the address").usage()
        }
        _ => Failure::new("wallet.build", message, "report this"),
    }
}
