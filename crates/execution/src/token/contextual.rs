//! Checks against the state at the moment of execution (T8, from `tx.expired` to `mint.unauthorised`).

use quil_decaf::{CompressedPoint, Point};
use quil_types::bundle::{AccountDebit, FeePart, Mint, Transfer};
use quil_types::{Code, FrameNumber, Nullifier, TxId};

use super::Refusal;
use super::check::{Checked, CheckedPart, CheckedTransfer};
use super::proofs::authority_signed;
use super::records::{
    CoinRecord, Supply, account_key, coin_key, load_account, load_coin, load_nonce, load_spent,
    load_supply, mint_key, nonce_key, nullifier_key, supply_key,
};
use crate::fee::least_fee;
use crate::rules::Rules;
use crate::state::{RecordKey, StateFault, StateView};

/// When and at what price a frame executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Number of the global frame that the executing frame is anchored to.
    pub now: FrameNumber,
    /// The version that the executing frame's epoch demands.
    pub version: u16,
    /// The executing header's multiplier, parts per million.
    pub multiplier: u64,
}

/// Public keys and commitments of a coin that is being spent.
#[derive(Clone, Debug)]
pub struct SpentCoin {
    /// One-time key `P`.
    pub key: Point,
    /// Amount commitment `C`.
    pub commitment: Point,
}

/// A bundle that passed [`contextual`]: its last three checks, the proofs, are left.
#[derive(Clone, Debug)]
pub struct Ready<'a> {
    checked: &'a Checked,
    coins: Vec<SpentCoin>,
}

impl<'a> Ready<'a> {
    /// The bundle.
    #[must_use]
    pub const fn checked(&self) -> &'a Checked {
        self.checked
    }

    /// The coins it spends, in input order.
    #[must_use]
    pub fn coins(&self) -> &[SpentCoin] {
        &self.coins
    }
}

/// Checks a bundle against the state, in the order of T8.
///
/// `view` is base plus overlay, so an earlier bundle of the same frame counts. The proofs are not checked here.
///
/// # Errors
/// [`Refusal::Code`] with the first rule that is broken; [`Refusal::Fault`] when the state cannot answer.
pub fn contextual<'a>(
    view: &impl StateView,
    checked: &'a Checked,
    rules: &Rules,
    moment: &Moment,
) -> Result<Ready<'a>, Refusal> {
    expiry(checked, rules, moment)?;
    if checked.fee() < least_fee(checked.bytes(), rules.fee_per_byte, moment.multiplier) {
        return Err(Code::FeeLow.into());
    }
    let coins = match (checked.part(), &checked.bundle().fee) {
        (CheckedPart::Transfer(t), FeePart::Transfer(raw)) => {
            transfer(view, checked.tx(), t, raw, rules)?
        }
        (CheckedPart::Debit(_), FeePart::AccountDebit(d)) => debit(view, d, rules)?,
        // `stateless` makes the part from the fee.
        _ => return Err(Code::TxMalformed.into()),
    };
    Ok(Ready { checked, coins })
}

fn expiry(checked: &Checked, rules: &Rules, moment: &Moment) -> Result<(), Code> {
    let (now, until) = (moment.now.get(), checked.valid_until());
    if (now..=now.saturating_add(rules.validity)).contains(&until) {
        Ok(())
    } else {
        Err(Code::TxExpired)
    }
}

/// Where a transfer leaves marks: its nullifiers, then its mint mark.
pub(super) fn marks(t: &CheckedTransfer, raw: &Transfer) -> Vec<RecordKey> {
    let (domain, home) = (raw.body.domain, raw.body.home);
    let spent = |n: Nullifier| nullifier_key(domain, home, n);
    let mint = raw
        .body
        .mint
        .as_ref()
        .map(|_| mint_key(domain, home, t.rho));
    let inputs = t.inputs.iter().map(|i| spent(i.nullifier));
    inputs.chain(mint).collect()
}

fn transfer(
    view: &impl StateView,
    tx: TxId,
    t: &CheckedTransfer,
    raw: &Transfer,
    rules: &Rules,
) -> Result<Vec<SpentCoin>, Refusal> {
    let marks = marks(t, raw);
    let found = marks.iter().map(|k| load_spent(view, k));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    if found.iter().flatten().any(|by| *by == tx) {
        return Err(Code::TxReplayed.into());
    }
    let coins = spent_coins(view, t, raw)?;
    if found.iter().take(t.inputs.len()).any(Option::is_some) {
        return Err(Code::InputSpent.into());
    }
    if let Some(mint) = &raw.body.mint {
        mint_allowed(view, t, raw, mint, rules)?;
    }
    Ok(coins)
}

fn spent_coins(
    view: &impl StateView,
    t: &CheckedTransfer,
    raw: &Transfer,
) -> Result<Vec<SpentCoin>, Refusal> {
    let (genesis, domain, home) = (raw.body.genesis, raw.body.domain, raw.body.home);
    let mut coins = Vec::with_capacity(t.inputs.len());
    for i in &t.inputs {
        let record = load_coin(view, genesis, domain, home, i.coin)?.ok_or(Code::InputUnknown)?;
        let corrupt = || StateFault::Corrupt(coin_key(domain, home, i.coin));
        coins.push(parse(&record).ok_or_else(corrupt)?);
    }
    Ok(coins)
}

pub(super) fn parse(record: &CoinRecord) -> Option<SpentCoin> {
    Some(SpentCoin {
        key: CompressedPoint(record.output.key).decompress().ok()?,
        commitment: CompressedPoint(record.output.commitment)
            .decompress()
            .ok()?,
    })
}

/// T9: the domain's authority, its signature, a nonce above the last one, and room in the supply.
fn mint_allowed(
    view: &impl StateView,
    t: &CheckedTransfer,
    raw: &Transfer,
    mint: &Mint,
    rules: &Rules,
) -> Result<(), Refusal> {
    let refused = Err(Code::MintUnauthorised.into());
    let last = load_nonce(view, &nonce_key(raw.body.domain, &mint.authority))?;
    if mint.authority != rules.authority || mint.nonce <= last.unwrap_or(0) {
        return refused;
    }
    let key = supply_key(raw.body.domain);
    let supply = load_supply(view, &key)?.ok_or(StateFault::Missing(key))?;
    if minted_after(&supply, mint).is_none() {
        return refused;
    }
    match (&t.authority, &raw.mint_signature) {
        (Some(authority), Some(signature))
            if authority_signed(authority, signature, &t.message) =>
        {
            Ok(())
        }
        _ => refused,
    }
}

/// `minted` after a mint; `None` beyond 2^64 - 1 (T9).
pub(super) fn minted_after(supply: &Supply, mint: &Mint) -> Option<u128> {
    let minted = supply.minted.checked_add(u128::from(mint.amount))?;
    (minted <= u128::from(u64::MAX)).then_some(minted)
}

fn debit(
    view: &impl StateView,
    d: &AccountDebit,
    rules: &Rules,
) -> Result<Vec<SpentCoin>, Refusal> {
    let account = load_account(view, &account_key(rules.domain, &d.key))?;
    let account = account.ok_or(Code::InputUnknown)?;
    if d.nonce <= account.nonce {
        return Err(Code::TxReplayed.into());
    }
    if account.balance < d.fee {
        return Err(Code::InputSpent.into());
    }
    Ok(Vec::new())
}
