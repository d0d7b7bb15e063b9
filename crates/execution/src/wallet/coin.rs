//! Accounts and the coins they own (T1, T7).

use quil_bulletproofs::RangeSuite;
use quil_bulletproofs::image::key_image;
use quil_bulletproofs::stealth::{FoundCoin, Position, SpendKey, ViewKey};
use quil_decaf::{CompressedPoint, Point, SecretScalar};
use quil_keys::Account;
use quil_types::bundle::Home;
use quil_types::{CoinId, Domain, GenesisHash, Nullifier};

use crate::state::{StateFault, StateView};
use crate::token::CoinRecord;
use crate::token::ids::nullifier;
use crate::token::records::{load_spent, nullifier_key};

/// View secret and public spend key: finds coins and their amounts, gives no power to spend.
#[derive(Clone, Debug)]
pub struct ScanKeys(ViewKey);

impl ScanKeys {
    /// Scan keys from a view secret and a public spend key.
    #[must_use]
    pub const fn new(view: SecretScalar, spend: Point) -> Self {
        Self(ViewKey::new(view, spend))
    }

    /// Scan keys of an account.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self::new(account.view_secret().clone(), *account.address().spend())
    }

    /// The coin, if it belongs to this account: view tag, one-time key and commitment all recompute (T7). A coin
    /// whose commitment is not that of the announced amount is refused.
    ///
    /// Cost: one scalar product; two more for the 1 of 256 coins whose view tag matches.
    #[must_use]
    pub fn open(
        &self,
        genesis: GenesisHash,
        domain: Domain,
        home: Home,
        record: &CoinRecord,
    ) -> Option<OwnedCoin> {
        let position = Position {
            rho: record.rho,
            index: record.index,
        };
        let generators = RangeSuite::standard().generators();
        let found = self.0.scan(generators, &record.output, position)?;
        Some(OwnedCoin {
            id: record.id(genesis, domain),
            home,
            record: record.clone(),
            found,
        })
    }

    /// The own ones among the coins of a home.
    #[must_use]
    pub fn scan<'a>(
        &self,
        genesis: GenesisHash,
        domain: Domain,
        home: Home,
        records: impl IntoIterator<Item = &'a CoinRecord>,
    ) -> Vec<OwnedCoin> {
        let records = records.into_iter();
        records
            .filter_map(|r| self.open(genesis, domain, home, r))
            .collect()
    }
}

/// A coin that an account owns, with its opening. The secret scalars are erased on drop.
#[derive(Clone)]
pub struct OwnedCoin {
    id: CoinId,
    home: Home,
    record: CoinRecord,
    found: FoundCoin,
}

impl core::fmt::Debug for OwnedCoin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "OwnedCoin({:?}, ..)", self.id)
    }
}

impl OwnedCoin {
    /// The coin's identity.
    #[must_use]
    pub const fn id(&self) -> CoinId {
        self.id
    }

    /// Where it lives.
    #[must_use]
    pub const fn home(&self) -> Home {
        self.home
    }

    /// Its worth, units.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.found.opening.amount
    }

    /// The coin as stored.
    #[must_use]
    pub const fn record(&self) -> &CoinRecord {
        &self.record
    }

    /// Key image and nullifier of the coin, for the account that owns it: the nullifier tells whether it is spent.
    #[must_use]
    pub fn spent_mark(
        &self,
        owner: &Account,
        genesis: GenesisHash,
        domain: Domain,
    ) -> (CompressedPoint, Nullifier) {
        let image = key_image(&self.one_time_secret(owner), self.id).compress();
        (image, nullifier(genesis, domain, &image.0))
    }

    /// Whether the coin is spent in the state that `view` shows.
    ///
    /// # Errors
    /// [`StateFault`] when the state cannot answer.
    pub fn is_spent(
        &self,
        owner: &Account,
        view: &impl StateView,
        genesis: GenesisHash,
        domain: Domain,
    ) -> Result<bool, StateFault> {
        let (_, mark) = self.spent_mark(owner, genesis, domain);
        Ok(load_spent(view, &nullifier_key(domain, self.home, mark))?.is_some())
    }

    /// `x = k + s`.
    pub(super) fn one_time_secret(&self, owner: &Account) -> SecretScalar {
        SpendKey::new(owner.spend_secret().clone()).coin_secret(&self.found)
    }

    /// Blinding of its commitment.
    pub(super) const fn blinding(&self) -> &SecretScalar {
        &self.found.opening.blinding
    }
}
