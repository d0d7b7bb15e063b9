//! A small network: genesis, accounts, a chain of frames on a plain map.

use std::sync::{Arc, LazyLock};

use quil_bulletproofs::RangeSuite;
use quil_decaf::SecretScalar;
use quil_execution::fee::MULTIPLIER_ONE;
use quil_execution::frame::{FrameContext, FrameError, FrameResult, execute};
use quil_execution::global::registry::token_genesis;
use quil_execution::rules::Rules;
use quil_execution::state::MemoryState;
use quil_execution::token::records::{count_key, index_key, load_coin, load_count, load_index};
use quil_execution::token::{Checked, CoinRecord, Moment, ProofCache, stateless};
use quil_execution::wallet::{Mint, OwnedCoin, ScanKeys, TransferBuilder};
use quil_keys::{Account, Wallet};
use quil_types::bundle::{FeePart, Home, Transfer};
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, Pacing, TokenGenesis, native_domain,
};
use quil_types::{
    Body, Bounded, Bundle, Bytes, Code, FrameNumber, Genesis, Sorted, Text, Timestamp,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Generators are made once for all tests.
pub(crate) static SUITE: LazyLock<RangeSuite> = LazyLock::new(|| RangeSuite::standard().clone());

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn authority() -> SecretScalar {
    SecretScalar::random(&mut rng(900))
}

pub(crate) fn account(n: u64) -> Account {
    Wallet::generate(&mut rng(1_000 + n))
        .unwrap()
        .account(0)
        .unwrap()
}

pub(crate) fn genesis() -> Genesis {
    Genesis {
        version: 1,
        binding: NetworkBinding {
            name: Text::new("test").unwrap(),
            seed: [1; 32],
        },
        devnet: true,
        time: Timestamp::new(1),
        pacing: Pacing {
            min_spacing_ms: 1000,
            target_ms: 1000,
            difficulty: Difficulty::Fixed(100),
            discriminant_bits: 256,
        },
        epoch_frames: 100,
        limits: Limits {
            body_bytes: 4 * 1024 * 1024,
            body_cost_us: 4_000_000,
            anchor_age: 8,
        },
        lifecycle: Lifecycle {
            shard_stall: 2,
            weak_subjectivity: 10,
            validity: 100,
        },
        srs: Bytes::new(),
        committee: Bounded::new(),
        shards: Bounded::new(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: authority().public().compress().0,
            fee_per_byte: 2,
        },
        upgrades: Sorted::try_from(vec![]).unwrap(),
    }
}

pub(crate) fn rules() -> Rules {
    Rules::new(&genesis())
}

pub(crate) fn moment(now: u64) -> Moment {
    Moment {
        now: FrameNumber::new(now),
        version: 1,
        multiplier: MULTIPLIER_ONE,
    }
}

/// A shard with its state after some frames.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) state: MemoryState,
    pub(crate) cache: ProofCache,
    pub(crate) now: u64,
    pub(crate) nonce: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let rules = rules();
        let mut state = MemoryState::new();
        state.apply(&token_genesis(rules.domain));
        Self {
            rules,
            state,
            cache: ProofCache::default(),
            now: 10,
            nonce: 0,
        }
    }

    /// A world in which the account owns coins of these amounts, one mint each.
    pub(crate) fn with_coins(owner: &Account, amounts: &[u64]) -> Self {
        let mut w = Self::new();
        let mints: Vec<_> = amounts.iter().map(|a| w.mint(owner, *a)).collect();
        w.run(mints).unwrap();
        w
    }

    pub(crate) fn moment(&self) -> Moment {
        moment(self.now)
    }

    pub(crate) fn builder(&self) -> TransferBuilder<'_> {
        TransferBuilder::new(&self.rules, self.moment())
    }

    /// A mint that leaves exactly `amount` to the owner.
    pub(crate) fn mint(&mut self, owner: &Account, amount: u64) -> Bundle {
        self.nonce += 1;
        let key = authority();
        let mut r = rng(self.nonce);
        // The fee does not depend on the amount.
        let probe = |units| Mint {
            authority: &key,
            nonce: self.nonce,
            amount: units,
        };
        let fee = self
            .builder()
            .mint(probe(1_000_000))
            .build(&SUITE, owner, &[], &mut r)
            .unwrap()
            .fee;
        let built = self
            .builder()
            .mint(probe(amount + fee))
            .build(&SUITE, owner, &[], &mut r)
            .unwrap();
        assert_eq!(built.change, amount);
        built.bundle
    }

    /// A transfer from the owner's unspent coins.
    pub(crate) fn pay(&self, from: &Account, to: &Account, amount: u64, seed: u64) -> Bundle {
        let coins = self.unspent(from);
        let b = self.builder().pay(*to.address(), amount);
        b.build(&SUITE, from, &coins, &mut rng(seed))
            .unwrap()
            .bundle
    }

    pub(crate) fn context(&self) -> FrameContext<'_> {
        FrameContext {
            rules: &self.rules,
            moment: self.moment(),
            suite: &SUITE,
            cache: &self.cache,
        }
    }

    pub(crate) fn execute(&self, bundles: Vec<Bundle>) -> Result<FrameResult, FrameError> {
        let body = Body::Shard(Bounded::try_from(bundles).unwrap());
        execute(&self.state, &body, &self.context())
    }

    /// Executes a frame and makes it final.
    pub(crate) fn run(&mut self, bundles: Vec<Bundle>) -> Result<FrameResult, FrameError> {
        let result = self.execute(bundles)?;
        self.state.apply(&result.writes);
        self.now += 1;
        Ok(result)
    }

    /// Code of a frame that holds this bundle alone.
    pub(crate) fn refusal(&self, bundle: Bundle) -> Option<Code> {
        match self.execute(vec![bundle]) {
            Ok(_) => None,
            Err(FrameError::Refused { code, .. }) => Some(code),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) fn checked(&self, bundle: &Bundle) -> Arc<Checked> {
        Arc::new(stateless(Arc::new(bundle.clone()), &self.rules, 1).unwrap())
    }

    /// Every coin ever created at a home, by index.
    pub(crate) fn coins_at(&self, home: Home) -> Vec<CoinRecord> {
        let (g, d) = (self.rules.genesis, self.rules.domain);
        let count = load_count(&self.state, &count_key(d, home))
            .unwrap()
            .unwrap_or(0);
        let ids = (0..count).map(|i| {
            load_index(&self.state, &index_key(d, home, i))
                .unwrap()
                .unwrap()
        });
        ids.map(|id| load_coin(&self.state, g, d, home, id).unwrap().unwrap())
            .collect()
    }

    pub(crate) fn unspent(&self, owner: &Account) -> Vec<OwnedCoin> {
        self.unspent_at(owner, Home::default())
    }

    pub(crate) fn unspent_at(&self, owner: &Account, home: Home) -> Vec<OwnedCoin> {
        let (g, d) = (self.rules.genesis, self.rules.domain);
        let mut own = ScanKeys::of(owner).scan(g, d, home, &self.coins_at(home));
        own.retain(|c| !c.is_spent(owner, &self.state, g, d).unwrap());
        own
    }

    pub(crate) fn balance(&self, owner: &Account) -> u64 {
        self.unspent(owner).iter().map(OwnedCoin::amount).sum()
    }
}

/// The transfer inside a bundle.
pub(crate) fn raw(bundle: &Bundle) -> &Transfer {
    match &bundle.fee {
        FeePart::Transfer(t) => t,
        FeePart::AccountDebit(_) => panic!("a debit"),
    }
}

/// A bundle with its transfer changed.
pub(crate) fn bend(bundle: &Bundle, f: impl FnOnce(&mut Transfer)) -> Bundle {
    let mut t = raw(bundle).clone();
    f(&mut t);
    Bundle::transfer(t)
}

/// Edits the elements of a bounded list.
pub(crate) fn edit<T: Clone, const N: usize>(
    list: &mut Bounded<T, N>,
    f: impl FnOnce(&mut Vec<T>),
) {
    let mut v = list.to_vec();
    f(&mut v);
    *list = Bounded::try_from(v).unwrap();
}
