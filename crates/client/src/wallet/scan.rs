//! Finding coins and noticing that they are spent.

use std::collections::BTreeSet;

use quil_execution::state::RECORD_BYTES_MAX;
use quil_execution::token::CoinRecord;
use quil_execution::wallet::OwnedCoin;
use quil_types::{Canonical as _, CoinId, TxId};
use rayon::prelude::*;

use super::cache::{CachedCoin, CachedPending, Content};
use super::{Held, Pending, WalletSession};
use crate::node::{CoinPage, CoinView, NodeClient, NodeError};
use crate::output::Failure;

/// Coins of one page.
const PAGE: u16 = 1024;
/// Nullifiers of one question.
const NULLIFIERS: usize = 1024;
/// Rounds until scan and spent marks are of one frame; on a chain that is faster than that, change is seen by the next
/// scan.
const ROUNDS: u32 = 4;

impl<C: NodeClient> WalletSession<C> {
    /// Brings the session to the last final state of the node.
    ///
    /// # Errors
    /// [`Failure`] when the node does not answer, or answers with records that are none.
    pub async fn refresh(&mut self) -> Result<(), Failure> {
        let before = self.content();
        for _ in 0..ROUNDS {
            self.scan().await?;
            if self.drop_spent().await? <= self.frame {
                break;
            }
        }
        self.drop_expired().await?;
        let after = self.content();
        if after != before {
            self.save(&after);
        }
        Ok(())
    }

    async fn scan(&mut self) -> Result<(), Failure> {
        loop {
            let (domain, home) = (self.rules.domain, Self::home());
            let page = self.client.scan(domain, home, self.next, PAGE).await?;
            // A node that is behind has nothing new; neither has one that does not move on.
            let done = page.next <= self.next || page.coins.is_empty();
            self.take(page)?;
            if done {
                return Ok(());
            }
        }
    }

    fn take(&mut self, page: CoinPage) -> Result<(), NodeError> {
        let open = |coin: &CoinView| {
            let missing = || NodeError::Answer("a coin without its index".to_owned());
            Ok((coin.index.ok_or_else(missing)?, self.open_coin(coin)?))
        };
        let opened: Result<Vec<_>, NodeError> = page.coins.par_iter().map(open).collect();
        for (index, coin) in opened? {
            if let Some(coin) = coin {
                self.hold(index, coin);
            }
        }
        self.next = self.next.max(page.next);
        self.frame = page.shard_frame.get();
        Ok(())
    }

    /// The coin, if it is one of this account; its identity is recomputed.
    fn open_coin(&self, coin: &CoinView) -> Result<Option<OwnedCoin>, NodeError> {
        let bad = |what: &str| NodeError::Answer(format!("coin {}: {what}", coin.id));
        let record = CoinRecord::decode(&coin.record, RECORD_BYTES_MAX);
        let record = record.map_err(|_| bad("not a coin record"))?;
        let (genesis, domain) = (self.rules.genesis, self.rules.domain);
        if record.id(genesis, domain) != coin.id {
            return Err(bad("another identity"));
        }
        Ok(self.keys.open(genesis, domain, Self::home(), &record))
    }

    fn hold(&mut self, index: u64, coin: OwnedCoin) {
        let (genesis, domain) = (self.rules.genesis, self.rules.domain);
        let (_, nullifier) = coin.spent_mark(&self.account, genesis, domain);
        let held = Held {
            index,
            coin,
            nullifier,
        };
        self.held.insert(held.coin.id(), held);
    }

    /// Forgets spent coins. Returns the frame that the node's answer is about.
    async fn drop_spent(&mut self) -> Result<u64, Failure> {
        let held = self.held.values();
        let marks: Vec<_> = held.map(|h| (h.coin.id(), h.nullifier)).collect();
        let mut frame = self.frame;
        for chunk in marks.chunks(NULLIFIERS) {
            let asked: Vec<_> = chunk.iter().map(|(_, n)| *n).collect();
            let (domain, home) = (self.rules.domain, Self::home());
            let found = self.client.coins(domain, home, Vec::new(), asked).await?;
            if found.spent.len() != chunk.len() {
                return Err(NodeError::Answer("spent marks are missing".to_owned()).into());
            }
            for ((id, _), _) in chunk.iter().zip(found.spent).filter(|(_, spent)| *spent) {
                self.held.remove(id);
            }
            frame = frame.max(found.shard_frame.get());
        }
        // Coins are spent together: a transaction with none left here is final, or lost them to another one.
        let held = &self.held;
        self.pending
            .retain(|_, p| p.coins.iter().any(|c| held.contains_key(c)));
        Ok(frame)
    }

    /// Releases the coins of transactions that can never be executed any more.
    async fn drop_expired(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let now = self.moment().await?.now.get();
        self.pending.retain(|_, p| p.valid_until >= now);
        Ok(())
    }

    pub(super) fn reserve(&mut self, tx: TxId, valid_until: u64, coins: &[CoinId]) {
        let coins: BTreeSet<CoinId> = coins.iter().copied().collect();
        // A mint spends nothing.
        if !coins.is_empty() {
            self.pending.insert(tx, Pending { valid_until, coins });
            self.save(&self.content());
        }
    }

    pub(super) fn release(&mut self, tx: TxId) {
        if self.pending.remove(&tx).is_some() {
            self.save(&self.content());
        }
    }

    fn content(&self) -> Content {
        let held = self.held.values().map(|h| CachedCoin {
            index: h.index,
            record: h.coin.record().clone(),
        });
        let mut coins: Vec<_> = held.collect();
        coins.sort_by_key(|c| c.index);
        let pending = self.pending.iter().map(|(tx, p)| CachedPending {
            tx: *tx,
            valid_until: p.valid_until,
            coins: p.coins.iter().copied().collect(),
        });
        Content {
            next: self.next,
            frame: self.frame,
            coins,
            pending: pending.collect(),
        }
    }

    /// The cache only saves time: that it cannot be written is no reason to stop.
    fn save(&self, content: &Content) {
        if let Some(cache) = &self.cache {
            cache.write(content);
        }
    }

    /// Takes over what an earlier session scanned. A coin that does not open any more drops the whole cache.
    pub(super) fn restore(&mut self) {
        let Some(content) = self.cache.as_ref().and_then(super::CacheFile::read) else {
            return;
        };
        let (genesis, domain) = (self.rules.genesis, self.rules.domain);
        let open = |c: &CachedCoin| {
            let coin = self.keys.open(genesis, domain, Self::home(), &c.record)?;
            Some((c.index, coin))
        };
        let Some(coins) = content
            .coins
            .par_iter()
            .map(open)
            .collect::<Option<Vec<_>>>()
        else {
            return;
        };
        for (index, coin) in coins {
            self.hold(index, coin);
        }
        self.next = content.next;
        self.frame = content.frame;
        let pending = content.pending.into_iter().map(|p| {
            let coins = p.coins.into_iter().collect();
            let valid_until = p.valid_until;
            (p.tx, Pending { valid_until, coins })
        });
        self.pending = pending.collect();
    }
}
