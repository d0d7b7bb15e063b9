//! Which coins to spend.

use quil_types::limits::INPUTS_MAX;

use super::{OwnedCoin, WalletError};

/// Chosen coins.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The coins.
    pub coins: Vec<&'a OwnedCoin>,
    /// Their sum, units.
    pub sum: u64,
    /// The fee for this number of inputs, units.
    pub fee: u64,
}

/// Chooses coins worth at least `amount` plus the fee that their number costs.
///
/// The smallest single coin that suffices is taken; else the largest ones until they do, which keeps transfers
/// small. Coins of zero are never taken. Ties are broken by coin id, so equal wallets choose equally.
///
/// # Errors
/// [`WalletError::Insufficient`], [`WalletError::TooManyCoins`], [`WalletError::Overflow`].
pub fn select<'a>(
    coins: impl IntoIterator<Item = &'a OwnedCoin>,
    amount: u64,
    fee_of: impl Fn(usize) -> u64,
) -> Result<Selection<'a>, WalletError> {
    let need = |n: usize| amount.checked_add(fee_of(n)).ok_or(WalletError::Overflow);
    let mut usable: Vec<_> = coins.into_iter().filter(|c| c.amount() > 0).collect();
    usable.sort_by_key(|c| (c.amount(), c.id()));
    usable.dedup_by_key(|c| c.id());
    let single = need(1)?;
    if let Some(coin) = usable.iter().find(|c| c.amount() >= single) {
        let (coins, sum, fee) = (vec![*coin], coin.amount(), fee_of(1));
        return Ok(Selection { coins, sum, fee });
    }
    let mut chosen = Vec::new();
    let mut sum = 0u64;
    for coin in usable.iter().rev().take(INPUTS_MAX) {
        chosen.push(*coin);
        sum = sum
            .checked_add(coin.amount())
            .ok_or(WalletError::Overflow)?;
        if sum >= need(chosen.len())? {
            let fee = fee_of(chosen.len());
            return Ok(Selection {
                coins: chosen,
                sum,
                fee,
            });
        }
    }
    let have = usable
        .iter()
        .fold(0u64, |s, c| s.saturating_add(c.amount()));
    let need = need(usable.len().clamp(1, INPUTS_MAX))?;
    if have >= need {
        return Err(WalletError::TooManyCoins { max: INPUTS_MAX });
    }
    Err(WalletError::Insufficient { have, need })
}
