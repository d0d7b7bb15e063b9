//! People who hold and move tokens in a simulated network.

use quil_bulletproofs::RangeSuite;
use quil_decaf::SecretScalar;
use quil_engine::jobs::moment_of;
use quil_execution::token::Moment;
use quil_execution::token::records::{count_key, index_key, load_coin, load_count, load_index};
use quil_execution::wallet::{
    BuiltTransfer, Mint, OwnedCoin, ScanKeys, TransferBuilder, WalletError,
};
use quil_keys::{Account, Address, Wallet};
use quil_types::FrameNumber;
use quil_types::bundle::Home;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::net::{EngineId, SimNet};

/// An account with its randomness.
#[derive(Debug)]
pub struct Person {
    account: Account,
    rng: ChaCha20Rng,
}

/// The mint authority of a simulated token.
#[derive(Debug)]
pub struct Authority {
    secret: SecretScalar,
    nonce: u64,
}

impl Authority {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            secret: SecretScalar::random(&mut ChaCha20Rng::seed_from_u64(seed)),
            nonce: 0,
        }
    }

    /// For the genesis document.
    #[must_use]
    pub fn public(&self) -> [u8; 56] {
        self.secret.public().compress().0
    }

    /// New value for a person.
    ///
    /// # Errors
    /// As [`TransferBuilder::build`].
    pub fn mint(
        &mut self,
        net: &SimNet,
        to: &mut Person,
        amount: u64,
    ) -> Result<BuiltTransfer, WalletError> {
        self.nonce = self.nonce.saturating_add(1);
        let mint = Mint {
            authority: &self.secret,
            nonce: self.nonce,
            amount,
        };
        let builder = builder(net).mint(mint);
        builder.build(RangeSuite::standard(), &to.account, &[], &mut to.rng)
    }
}

fn builder(net: &SimNet) -> TransferBuilder<'_> {
    let state = net.state(WATCHED);
    let genesis = Moment {
        now: FrameNumber::ZERO,
        version: 1,
        multiplier: quil_execution::fee::MULTIPLIER_ONE,
    };
    let moment = state.map_or(genesis, |s| moment_of(s.header()));
    TransferBuilder::new(net.network().rules(), moment)
}

/// The worker whose state people look at.
const WATCHED: EngineId = EngineId { node: 0, core: 1 };

impl Person {
    /// From a seed.
    ///
    /// # Errors
    /// Never for the seeds of simulations.
    pub fn new(seed: u64) -> Result<Self, quil_keys::WalletError> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let account = Wallet::generate(&mut rng)?.account(0)?;
        Ok(Self { account, rng })
    }

    /// Where others pay to.
    #[must_use]
    pub const fn address(&self) -> &Address {
        self.account.address()
    }

    /// Unspent coins in the final state of node 0.
    #[must_use]
    pub fn coins(&self, net: &SimNet) -> Vec<OwnedCoin> {
        let Some(state) = net.state(WATCHED) else {
            return Vec::new();
        };
        let (rules, home) = (net.network().rules(), Home::default());
        let keys = ScanKeys::of(&self.account);
        let count = load_count(&*state, &count_key(rules.domain, home))
            .ok()
            .flatten()
            .unwrap_or(0);
        let mut found = Vec::new();
        for index in 0..count {
            let coin = load_index(&*state, &index_key(rules.domain, home, index))
                .ok()
                .flatten();
            let record = coin.and_then(|c| {
                load_coin(&*state, rules.genesis, rules.domain, home, c)
                    .ok()
                    .flatten()
            });
            let own = record.and_then(|r| keys.open(rules.genesis, rules.domain, home, &r));
            let unspent = |c: &OwnedCoin| {
                c.is_spent(&self.account, &*state, rules.genesis, rules.domain) == Ok(false)
            };
            found.extend(own.filter(unspent));
        }
        found
    }

    /// Sum of the unspent coins.
    #[must_use]
    pub fn balance(&self, net: &SimNet) -> u64 {
        self.coins(net)
            .iter()
            .map(OwnedCoin::amount)
            .fold(0, u64::saturating_add)
    }

    /// A confidential transfer.
    ///
    /// # Errors
    /// As [`TransferBuilder::build`].
    pub fn pay(
        &mut self,
        net: &SimNet,
        to: &Address,
        amount: u64,
    ) -> Result<BuiltTransfer, WalletError> {
        let coins = self.coins(net);
        builder(net).pay(*to, amount).build(
            RangeSuite::standard(),
            &self.account,
            &coins,
            &mut self.rng,
        )
    }

    /// A transfer of one coin: one input, two outputs.
    ///
    /// # Errors
    /// As [`TransferBuilder::build`].
    pub fn spend(
        &mut self,
        net: &SimNet,
        coin: &OwnedCoin,
        to: &Address,
        amount: u64,
    ) -> Result<BuiltTransfer, WalletError> {
        let coins = core::slice::from_ref(coin);
        let builder = builder(net).pay(*to, amount);
        builder.build(RangeSuite::standard(), &self.account, coins, &mut self.rng)
    }

    /// A transfer that makes `parts` coins of `amount` each out of one, for this person.
    ///
    /// # Errors
    /// As [`TransferBuilder::build`].
    pub fn split(
        &mut self,
        net: &SimNet,
        coin: &OwnedCoin,
        parts: usize,
        amount: u64,
    ) -> Result<BuiltTransfer, WalletError> {
        let own = *self.address();
        let builder = (0..parts).fold(builder(net), |b, _| b.pay(own, amount));
        let coins = core::slice::from_ref(coin);
        builder.build(RangeSuite::standard(), &self.account, coins, &mut self.rng)
    }
}
