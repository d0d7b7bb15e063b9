//! Records of a token domain (T3): one strict codec, one address function per kind.

use quil_types::bundle::{Home, Output, PointBytes};
use quil_types::hash::h;
use quil_types::{
    Canonical, CoinId, Digest, Domain, GenesisHash, Nullifier, TxId, canonical, tags,
};

use super::ids::coin_id;
use crate::state::{RECORD_BYTES_MAX, RecordKey, StateFault, StateView};

canonical! {
    /// A coin as it is stored: what its identity and its receiver need.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CoinRecord {
        /// rho of the creating transaction (T1).
        pub rho: Digest,
        /// Position among its outputs.
        pub index: u16,
        /// The output.
        pub output: Output,
    }
}

impl CoinRecord {
    /// The coin's identity.
    #[must_use]
    pub fn id(&self, genesis: GenesisHash, domain: Domain) -> CoinId {
        coin_id(genesis, domain, self.rho, self.index, &self.output)
    }
}

canonical! {
    /// Public supply of a domain, units (T9).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Supply {
        /// Ever created; at most 2^64 - 1.
        pub minted: u128,
        /// Ever destroyed: fees and burns.
        pub burned: u128,
    }
}

canonical! {
    /// A public balance that pays fees (F2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FeeAccount {
        /// Units left.
        pub balance: u64,
        /// Nonce of the last debit.
        pub nonce: u64,
    }
}

canonical! {
    /// Everything a token domain stores. The first byte of a record says which kind it is, so that no record is
    /// ever taken for one of another kind.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum TokenRecord {
        /// At home || coin_id\[..30\].
        Coin(CoinRecord) = 0,
        /// At home || nullifier\[..30\] (or mint mark): the transaction that spent the coin.
        Spent(TxId) = 1,
        /// At an index address: a coin of a home, in order of creation.
        Index(CoinId) = 2,
        /// Number of index entries of a home.
        Count(u64) = 3,
        /// Supply of the domain.
        Supply(Supply) = 4,
        /// Last nonce of a mint authority.
        Nonce(u64) = 5,
        /// A fee balance.
        Account(FeeAccount) = 6,
    }
}

/// `home || id[..30]`: data address of coins, nullifiers and mint marks (T3).
#[must_use]
pub fn data_address(home: Home, id: &[u8; 32]) -> [u8; 32] {
    let mut out = *id;
    out.rotate_right(2);
    let (head, _) = out.split_at_mut(2);
    head.copy_from_slice(&home.0);
    out
}

/// Where a coin is stored.
#[must_use]
pub fn coin_key(domain: Domain, home: Home, coin: CoinId) -> RecordKey {
    let data = data_address(home, &coin.0);
    RecordKey { domain, data }
}

/// Where spending a coin leaves its mark.
#[must_use]
pub fn nullifier_key(domain: Domain, home: Home, nullifier: Nullifier) -> RecordKey {
    let data = data_address(home, &nullifier.0);
    RecordKey { domain, data }
}

/// Where a mint leaves its mark.
#[must_use]
pub fn mint_key(domain: Domain, home: Home, mark: Digest) -> RecordKey {
    let data = data_address(home, &mark.0);
    RecordKey { domain, data }
}

/// Where the `index`-th coin of a home is named.
#[must_use]
pub fn index_key(domain: Domain, home: Home, index: u64) -> RecordKey {
    let id = h(tags::TOKEN_INDEX, &(domain, home, index));
    let data = data_address(home, &id);
    RecordKey { domain, data }
}

/// Where the number of coins of a home is kept.
#[must_use]
pub fn count_key(domain: Domain, home: Home) -> RecordKey {
    let id = h(tags::TOKEN_COUNT, &(domain, home));
    let data = data_address(home, &id);
    RecordKey { domain, data }
}

/// Where the domain's supply is kept.
#[must_use]
pub fn supply_key(domain: Domain) -> RecordKey {
    let data = h(tags::TOKEN_SUPPLY, &domain);
    RecordKey { domain, data }
}

/// Where an authority's nonce is kept.
#[must_use]
pub fn nonce_key(domain: Domain, authority: &PointBytes) -> RecordKey {
    let data = h(tags::TOKEN_NONCE, &(domain, *authority));
    RecordKey { domain, data }
}

/// Where a fee balance is kept.
#[must_use]
pub fn account_key(domain: Domain, key: &PointBytes) -> RecordKey {
    let data = h(tags::FEE_ACCOUNT, &(domain, *key));
    RecordKey { domain, data }
}

fn load(view: &impl StateView, key: &RecordKey) -> Result<Option<TokenRecord>, StateFault> {
    let Some(entry) = view.read(key)? else {
        return Ok(None);
    };
    TokenRecord::decode(&entry.content, RECORD_BYTES_MAX)
        .map(Some)
        .map_err(|_| StateFault::Corrupt(*key))
}

/// The coin with this identity, if it was ever created at `home`. A record whose identity differs in the two
/// bytes that the address leaves out is another coin.
///
/// # Errors
/// [`StateFault`] when the state cannot be read.
pub fn load_coin(
    view: &impl StateView,
    genesis: GenesisHash,
    domain: Domain,
    home: Home,
    coin: CoinId,
) -> Result<Option<CoinRecord>, StateFault> {
    match load(view, &coin_key(domain, home, coin))? {
        Some(TokenRecord::Coin(c)) if c.id(genesis, domain) == coin => Ok(Some(c)),
        _ => Ok(None),
    }
}

/// The transaction recorded at the address of a nullifier or mint mark.
///
/// # Errors
/// [`StateFault`] when the state cannot be read or another kind of record is there.
pub fn load_spent(view: &impl StateView, key: &RecordKey) -> Result<Option<TxId>, StateFault> {
    match load(view, key)? {
        None => Ok(None),
        Some(TokenRecord::Spent(tx)) => Ok(Some(tx)),
        Some(_) => Err(StateFault::Occupied(*key)),
    }
}

macro_rules! loader {
    ($(#[$m:meta])* $name:ident, $variant:ident, $t:ty) => {
        $(#[$m])*
        ///
        /// # Errors
        /// [`StateFault`] when the state cannot be read or another kind of record is there.
        pub fn $name(view: &impl StateView, key: &RecordKey) -> Result<Option<$t>, StateFault> {
            match load(view, key)? {
                None => Ok(None),
                Some(TokenRecord::$variant(v)) => Ok(Some(v)),
                Some(_) => Err(StateFault::Corrupt(*key)),
            }
        }
    };
}

loader! {
    /// The supply record at `key`.
    load_supply, Supply, Supply
}
loader! {
    /// The counter at `key`.
    load_count, Count, u64
}
loader! {
    /// The mint nonce at `key`.
    load_nonce, Nonce, u64
}
loader! {
    /// The fee balance at `key`.
    load_account, Account, FeeAccount
}
loader! {
    /// The coin named by the index entry at `key`.
    load_index, Index, CoinId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_address_is_home_then_the_first_thirty_bytes() {
        let id: [u8; 32] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        let a = data_address(Home([0xaa, 0xbb]), &id);
        assert_eq!(a[..2], [0xaa, 0xbb]);
        assert_eq!(a[2..], id[..30]);
    }
}
