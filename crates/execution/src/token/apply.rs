//! What an accepted fee part writes (T3, T9, F2).

use quil_types::bundle::{AccountDebit, FeePart, Home, Output, Transfer};
use quil_types::{Canonical, Code, Domain, TxId};

use super::Refusal;
use super::check::{CheckedPart, CheckedTransfer};
use super::contextual::{Ready, marks, minted_after};
use super::records::{
    CoinRecord, FeeAccount, Supply, TokenRecord, account_key, coin_key, count_key, index_key,
    load_account, load_count, load_supply, nonce_key, supply_key,
};
use crate::rules::Rules;
use crate::state::{Overlay, RecordKey, StateFault, StateView};

/// Writes the effects of a bundle's fee part. Its proofs may still be under way: if they fail, the caller drops
/// the whole overlay.
///
/// # Errors
/// [`Refusal::Fault`] when the state cannot answer; a code only if `ready` was made from another state.
pub fn apply<S: StateView>(
    overlay: &mut Overlay<S>,
    ready: &Ready<'_>,
    rules: &Rules,
) -> Result<(), Refusal> {
    let checked = ready.checked();
    match (checked.part(), &checked.bundle().fee) {
        (CheckedPart::Transfer(t), FeePart::Transfer(raw)) => {
            transfer(overlay, checked.tx(), t, raw)
        }
        (CheckedPart::Debit(_), FeePart::AccountDebit(d)) => debit(overlay, d, rules),
        _ => Err(Code::TxMalformed.into()),
    }
}

fn transfer<S: StateView>(
    overlay: &mut Overlay<S>,
    tx: TxId,
    t: &CheckedTransfer,
    raw: &Transfer,
) -> Result<(), Refusal> {
    for mark in marks(t, raw) {
        overlay.insert(mark, TokenRecord::Spent(tx).encode())?;
    }
    outputs(overlay, t, raw)?;
    let key = supply_key(raw.body.domain);
    let mut supply = load_supply(overlay, &key)?.ok_or(StateFault::Missing(key))?;
    if let Some(mint) = &raw.body.mint {
        supply.minted = minted_after(&supply, mint).ok_or(Code::MintUnauthorised)?;
        let nonce = nonce_key(raw.body.domain, &mint.authority);
        put(overlay, nonce, &TokenRecord::Nonce(mint.nonce))?;
    }
    burn(
        overlay,
        key,
        supply,
        u128::from(raw.body.fee).saturating_add(u128::from(raw.body.burn)),
    )
}

fn burn<S: StateView>(
    overlay: &mut Overlay<S>,
    key: RecordKey,
    mut supply: Supply,
    units: u128,
) -> Result<(), Refusal> {
    supply.burned = supply
        .burned
        .checked_add(units)
        .ok_or(StateFault::Overflow(key))?;
    Ok(overlay.put(key, TokenRecord::Supply(supply).encode())?)
}

fn outputs<S: StateView>(
    overlay: &mut Overlay<S>,
    t: &CheckedTransfer,
    raw: &Transfer,
) -> Result<(), Refusal> {
    let (domain, home) = (raw.body.domain, raw.body.home);
    let counter = count_key(domain, home);
    let mut count = load_count(overlay, &counter)?.unwrap_or(0);
    for (index, output) in (0..).zip(&raw.body.outputs) {
        let coin = CoinRecord {
            rho: t.rho,
            index,
            output: Output::clone(output),
        };
        coin_at(overlay, coin, raw, (domain, home, count))?;
        count = count.checked_add(1).ok_or(StateFault::Overflow(counter))?;
    }
    if raw.body.outputs.is_empty() {
        return Ok(());
    }
    put(overlay, counter, &TokenRecord::Count(count))
}

fn coin_at<S: StateView>(
    overlay: &mut Overlay<S>,
    coin: CoinRecord,
    raw: &Transfer,
    (domain, home, position): (Domain, Home, u64),
) -> Result<(), Refusal> {
    let id = coin.id(raw.body.genesis, domain);
    overlay.insert(coin_key(domain, home, id), TokenRecord::Coin(coin).encode())?;
    let entry = TokenRecord::Index(id).encode();
    Ok(overlay.insert(index_key(domain, home, position), entry)?)
}

/// Creates or replaces a versioned record.
fn put<S: StateView>(
    overlay: &mut Overlay<S>,
    key: RecordKey,
    record: &TokenRecord,
) -> Result<(), Refusal> {
    Ok(overlay.put(key, record.encode())?)
}

fn debit<S: StateView>(
    overlay: &mut Overlay<S>,
    d: &AccountDebit,
    rules: &Rules,
) -> Result<(), Refusal> {
    let key = account_key(rules.domain, &d.key);
    let account = load_account(overlay, &key)?.ok_or(Code::InputUnknown)?;
    let after = FeeAccount {
        balance: account.balance.checked_sub(d.fee).ok_or(Code::InputSpent)?,
        nonce: d.nonce,
    };
    overlay.put(key, TokenRecord::Account(after).encode())?;
    let key = supply_key(rules.domain);
    let supply = load_supply(overlay, &key)?.ok_or(StateFault::Missing(key))?;
    burn(overlay, key, supply, u128::from(d.fee))
}
