//! A wallet at work: scan, choose coins, build, prove, submit, wait.
//!
//! One session serves one account. It trusts its node for completeness and freshness only: every coin is recomputed and
//! opened with the view key, amounts come from the openings, and what the node says about transactions is checked
//! against nothing but decides nothing either. Who wants proof asks [`crate::light`].

mod build;
mod cache;
mod follow;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use quil_execution::rules::Rules;
use quil_execution::token::Moment;
use quil_execution::token::records::{coin_key, nullifier_key};
use quil_execution::wallet::{OwnedCoin, ScanKeys};
use quil_keys::{Account, Address, Amount};
use quil_types::bundle::Home;
use quil_types::{CoinId, Genesis, Nullifier, ShardAddr, TxId};

pub use follow::{Progress, Standing, Step, WaitFor};

use crate::node::{NodeClient, TxView};
use crate::output::Failure;
use cache::CacheFile;

/// How a session is opened.
#[derive(Clone, Default)]
pub struct SessionOptions {
    /// Folder below which what was scanned is kept between sessions; without it every session scans from the start.
    pub cache: Option<PathBuf>,
    /// Told about every state that an own transaction reaches.
    pub progress: Option<Progress>,
}

impl core::fmt::Debug for SessionOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionOptions")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl SessionOptions {
    /// Keeps what was scanned below a home folder.
    #[must_use]
    pub fn in_home(home: &Path) -> Self {
        Self {
            cache: Some(home.join(CACHE_FOLDER)),
            progress: None,
        }
    }
}

/// Folder of the scan caches inside a home folder.
pub const CACHE_FOLDER: &str = "scan";

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// All unspent coins in the last final state.
    pub total: Amount,
    /// Those that no own transaction under way spends.
    pub available: Amount,
    /// Number of unspent coins.
    pub coins: usize,
    /// Final shard frame that this is about.
    pub frame: u64,
}

/// A coin of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its identity.
    pub id: CoinId,
    /// Its worth.
    pub amount: Amount,
    /// The own transaction under way that spends it.
    pub pending: Option<TxId>,
    /// Position among all coins of its home.
    pub index: u64,
}

/// A transaction that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its identity.
    pub tx: TxId,
    /// What the receiver gets.
    pub amount: Amount,
    /// Public fee, burned.
    pub fee: Amount,
    /// What comes back.
    pub change: Amount,
    /// Coins spent.
    pub inputs: usize,
    /// Encoded size.
    pub bytes: usize,
    /// Where it stood when the wait ended.
    pub view: TxView,
    /// The states that were seen, in order, with the time since the submission.
    pub steps: Vec<Step>,
}

/// An unspent coin with what is needed to find out when it is spent.
#[derive(Clone, Debug)]
struct Held {
    index: u64,
    coin: OwnedCoin,
    nullifier: Nullifier,
}

/// An own transaction that is not final yet, as far as the session knows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    valid_until: u64,
    coins: BTreeSet<CoinId>,
}

/// See the module documentation.
pub struct WalletSession<C> {
    client: C,
    account: Account,
    keys: ScanKeys,
    rules: Rules,
    shard: ShardAddr,
    cache: Option<CacheFile>,
    progress: Option<Progress>,
    /// Index from which the next scan continues.
    next: u64,
    /// Final shard frame of the last scan.
    frame: u64,
    held: BTreeMap<CoinId, Held>,
    pending: BTreeMap<TxId, Pending>,
    last_nonce: u64,
}

impl<C> core::fmt::Debug for WalletSession<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WalletSession")
            .field("address", self.account.address())
            .field("coins", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl<C: NodeClient> WalletSession<C> {
    /// Opens a session: asks the node for its network, reads the scan cache. Nothing is scanned yet.
    ///
    /// # Errors
    /// [`Failure`]: the node does not answer, or is of another network than `genesis`.
    pub async fn open(
        client: C,
        account: Account,
        genesis: &Genesis,
        options: SessionOptions,
    ) -> Result<Self, Failure> {
        let rules = Rules::new(genesis);
        let told = client.status().await?.genesis_hash;
        if told != rules.genesis {
            let message = format!(
                "the node is of network {told}, the genesis document of {}",
                rules.genesis
            );
            let hint = "point --rpc or --genesis at the network you mean";
            return Err(Failure::new("node.network", message, hint).configuration());
        }
        let own = ShardAddr(rules.domain.0);
        let shards = genesis.shards.iter().map(|s| s.addr);
        let shard = shards
            .clone()
            .find(|s| *s == own)
            .or_else(|| shards.clone().next());
        let shard = shard.ok_or_else(|| {
            let hint = "get the genesis document of the network";
            Failure::new("genesis.invalid", "the network has no shard", hint).configuration()
        })?;
        let mut session = Self {
            keys: ScanKeys::of(&account),
            cache: options
                .cache
                .map(|folder| CacheFile::new(&folder, rules.genesis, &account)),
            progress: options.progress,
            client,
            account,
            rules,
            shard,
            next: 0,
            frame: 0,
            held: BTreeMap::new(),
            pending: BTreeMap::new(),
            last_nonce: 0,
        };
        session.restore();
        Ok(session)
    }

    /// Where others pay to.
    #[must_use]
    pub const fn address(&self) -> &Address {
        self.account.address()
    }

    /// The node.
    #[must_use]
    pub const fn client(&self) -> &C {
        &self.client
    }

    /// The shard that holds the token.
    #[must_use]
    pub const fn shard(&self) -> ShardAddr {
        self.shard
    }

    /// Scans what is new and adds up.
    ///
    /// # Errors
    /// [`Failure`] when the node does not answer.
    pub async fn balance(&mut self) -> Result<Balance, Failure> {
        self.refresh().await?;
        let sum = |reserved: bool| {
            let coins = self
                .held
                .values()
                .filter(|h| !reserved || !self.is_reserved(h));
            coins.map(|h| h.coin.amount()).fold(0, u64::saturating_add)
        };
        Ok(Balance {
            total: Amount::from_units(sum(false)),
            available: Amount::from_units(sum(true)),
            coins: self.held.len(),
            frame: self.frame,
        })
    }

    /// Scans what is new and lists the unspent coins, oldest first.
    ///
    /// # Errors
    /// [`Failure`] when the node does not answer.
    pub async fn coins(&mut self) -> Result<Vec<Coin>, Failure> {
        self.refresh().await?;
        let mut coins: Vec<Coin> = self.held.values().map(|h| self.describe(h)).collect();
        coins.sort_by_key(|c| c.index);
        Ok(coins)
    }

    fn describe(&self, held: &Held) -> Coin {
        Coin {
            id: held.coin.id(),
            amount: Amount::from_units(held.coin.amount()),
            pending: self.reserved_by(held.coin.id()),
            index: held.index,
        }
    }

    fn reserved_by(&self, coin: CoinId) -> Option<TxId> {
        let mut all = self.pending.iter();
        all.find(|(_, p)| p.coins.contains(&coin))
            .map(|(tx, _)| *tx)
    }

    fn is_reserved(&self, held: &Held) -> bool {
        self.reserved_by(held.coin.id()).is_some()
    }

    /// Pays an amount, and waits.
    ///
    /// # Errors
    /// [`Failure`] with the exit code of its kind: 9 when the coins do not cover amount and fee, 4 when the network
    /// refuses, 5 when the time is over, 8 when the node is away. After 5 and 8 the transaction may still happen: its
    /// identity is in the failure.
    pub async fn send(
        &mut self,
        to: &Address,
        amount: Amount,
        wait: WaitFor,
    ) -> Result<Sent, Failure> {
        self.refresh().await?;
        let moment = self.moment().await?;
        let built = self.build_payment(to, amount, moment).await?;
        self.hand_in(built, amount, wait).await
    }

    /// Creates new value for an address and waits. The account's spend key must be the token's authority; the fee is
    /// minted on top of the amount.
    ///
    /// # Errors
    /// As [`Self::send`]; exit code 4 when the account is not the authority.
    pub async fn mint(
        &mut self,
        to: &Address,
        amount: Amount,
        wait: WaitFor,
    ) -> Result<Sent, Failure> {
        let moment = self.moment().await?;
        let built = self.build_mint(to, amount, moment).await?;
        self.hand_in(built, amount, wait).await
    }

    /// Makes one coin of the smallest ones, as many as fit into one transaction, and waits. `None` when there are no
    /// two coins to merge.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn merge(&mut self, wait: WaitFor) -> Result<Option<Sent>, Failure> {
        self.refresh().await?;
        let moment = self.moment().await?;
        let Some((built, amount)) = self.build_merge(moment).await? else {
            return Ok(None);
        };
        self.hand_in(built, amount, wait).await.map(Some)
    }

    /// Version, anchor and multiplier of the last final frame of the token's shard.
    async fn moment(&self) -> Result<Moment, Failure> {
        let frame = self.client.frame(Some(self.shard), None).await?;
        Ok(quil_engine::jobs::moment_of(&frame.header))
    }

    /// Finds and opens coins of this account.
    pub(crate) const fn scan_keys(&self) -> &ScanKeys {
        &self.keys
    }

    /// Where a coin of this account is stored, and where its spent mark would be.
    pub(crate) fn keys_of(&self, coin: CoinId) -> Option<([u8; 64], [u8; 64])> {
        let held = self.held.get(&coin)?;
        let (domain, home) = (self.rules.domain, Self::home());
        let spent = nullifier_key(domain, home, held.nullifier);
        Some((coin_key(domain, home, coin).to_bytes(), spent.to_bytes()))
    }

    const fn home() -> Home {
        Home([0; 2])
    }

    fn report(&self, step: &Step) {
        if let Some(progress) = &self.progress {
            progress(step);
        }
    }
}

/// How long a question to the node is put off after one that could not be answered, at first.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// And at most.
const PAUSE_MAX: Duration = Duration::from_millis(800);

fn longer(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(PAUSE_MAX)
}
