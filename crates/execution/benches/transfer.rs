//! Cost of transfers: proving, verifying one, verifying in batches, executing a frame of 600.
//!
//! The constants of `quil_execution::cost` come from here.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench may stop; its macro makes undocumented items"
)]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quil_bulletproofs::RangeSuite;
use quil_decaf::SecretScalar;
use quil_execution::fee::MULTIPLIER_ONE;
use quil_execution::frame::{FrameContext, execute};
use quil_execution::global::registry::token_genesis;
use quil_execution::rules::Rules;
use quil_execution::state::MemoryState;
use quil_execution::token::records::{index_key, load_coin, load_index};
use quil_execution::token::{Checked, Moment, ProofCache, contextual, stateless, verify_batch};
use quil_execution::wallet::{Mint, OwnedCoin, ScanKeys, TransferBuilder};
use quil_keys::{Account, Wallet};
use quil_types::bundle::Home;
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, Pacing, TokenGenesis, native_domain,
};
use quil_types::{Body, Bounded, Bundle, Bytes, FrameNumber, Genesis, Sorted, Text, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Transfers of the execution bench; every fifteen come from one mint.
const FRAME: usize = 600;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn rules(authority: &SecretScalar) -> Rules {
    Rules::new(&Genesis {
        version: 1,
        binding: NetworkBinding {
            name: Text::new("bench").unwrap(),
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
            body_bytes: 8 * 1024 * 1024,
            body_cost_us: u64::MAX,
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
            authority: authority.public().compress().0,
            fee_per_byte: 1,
        },
        upgrades: Sorted::try_from(vec![]).unwrap(),
    })
}

struct Setup {
    rules: Rules,
    moment: Moment,
    state: MemoryState,
    alice: Account,
    coins: Vec<OwnedCoin>,
}

impl Setup {
    /// A state with `n` coins of one account.
    fn new(n: usize) -> Self {
        let authority = SecretScalar::random(&mut rng(1));
        let rules = rules(&authority);
        let moment = Moment {
            now: FrameNumber::new(5),
            version: 1,
            multiplier: MULTIPLIER_ONE,
        };
        let alice = Wallet::generate(&mut rng(2)).unwrap().account(0).unwrap();
        let mut state = MemoryState::new();
        state.apply(&token_genesis(rules.domain));
        let mints = (1..=n.div_ceil(15)).map(|nonce| {
            let nonce = u64::try_from(nonce).unwrap();
            let mint = Mint {
                authority: &authority,
                nonce,
                amount: 1 << 32,
            };
            let b = TransferBuilder::new(&rules, moment).mint(mint);
            let b = (0..15).fold(b, |b, _| b.pay(*alice.address(), 1 << 24));
            b.build(RangeSuite::standard(), &alice, &[], &mut rng(nonce))
                .unwrap()
                .bundle
        });
        let body = Body::Shard(Bounded::try_from(mints.collect::<Vec<_>>()).unwrap());
        let cache = ProofCache::default();
        let ctx = FrameContext {
            rules: &rules,
            moment,
            suite: RangeSuite::standard(),
            cache: &cache,
        };
        let result = execute(&state, &body, &ctx).unwrap();
        state.apply(&result.writes);
        let mut setup = Self {
            rules,
            moment,
            state,
            alice,
            coins: Vec::new(),
        };
        setup.coins = setup.scan();
        setup.coins.truncate(n);
        setup
    }

    fn scan(&self) -> Vec<OwnedCoin> {
        let (g, d, home) = (self.rules.genesis, self.rules.domain, Home::default());
        let ids = (0..).map_while(|i| load_index(&self.state, &index_key(d, home, i)).unwrap());
        let records = ids.map(|id| load_coin(&self.state, g, d, home, id).unwrap().unwrap());
        let records: Vec<_> = records.collect();
        let mut own = ScanKeys::of(&self.alice).scan(g, d, home, &records);
        own.retain(|c| c.amount() == 1 << 24);
        own
    }

    /// A transfer of one coin: one input, payment and change.
    fn transfer(&self, at: usize) -> Bundle {
        let b = TransferBuilder::new(&self.rules, self.moment).pay(*self.alice.address(), 5);
        let seed = u64::try_from(at).unwrap();
        let coin = &self.coins[at..=at];
        b.build(RangeSuite::standard(), &self.alice, coin, &mut rng(seed))
            .unwrap()
            .bundle
    }

    /// A transfer of coins `at..at + inputs` whole, in `outputs` parts.
    fn shaped(&self, at: usize, inputs: usize, outputs: usize) -> Bundle {
        let all: u64 = self.coins[at..at + inputs]
            .iter()
            .map(OwnedCoin::amount)
            .sum();
        let spend = all - 60_000;
        let payments = u64::try_from(outputs - 1).unwrap();
        let b = TransferBuilder::new(&self.rules, self.moment);
        let b = (0..payments).fold(b, |b, _| b.pay(*self.alice.address(), spend / payments));
        let b = if payments == 0 { b.burn(spend) } else { b };
        let seed = u64::try_from(at).unwrap();
        let coins = &self.coins[at..at + inputs];
        let suite = RangeSuite::standard();
        let built = b.build(suite, &self.alice, coins, &mut rng(seed)).unwrap();
        assert_eq!(built.spent.len(), inputs);
        built.bundle
    }

    fn checked(&self, bundle: &Bundle) -> Checked {
        stateless(Arc::new(bundle.clone()), &self.rules, 1).unwrap()
    }
}

fn single(c: &mut Criterion) {
    let s = Setup::new(64);
    let mut g = c.benchmark_group("transfer");
    g.sample_size(10).measurement_time(Duration::from_secs(5));
    g.bench_function("prove_1in_2out", |b| b.iter(|| s.transfer(0)));
    let bundles: Vec<_> = (0..64).map(|i| s.transfer(i)).collect();
    g.bench_function("stateless", |b| b.iter(|| s.checked(&bundles[0])));
    let checked: Vec<_> = bundles.iter().map(|b| s.checked(b)).collect();
    let find = |c| contextual(&s.state, c, &s.rules, &s.moment).unwrap();
    g.bench_function("contextual", |b| b.iter(|| find(&checked[0])));
    let ready: Vec<_> = checked.iter().map(find).collect();
    let suite = RangeSuite::standard();
    g.bench_function("verify_single", |b| {
        b.iter(|| verify_batch(suite, &ready[..1]))
    });
    g.bench_function("verify_batch_64", |b| {
        b.iter(|| verify_batch(suite, &ready))
    });
    g.bench_function("scan_64_coins", |b| b.iter(|| s.scan()));
    g.finish();
}

/// Sixteen transfers of one shape: the terms of the cost formula.
fn shapes(c: &mut Criterion) {
    let s = Setup::new(128);
    let mut g = c.benchmark_group("shape_x16");
    g.sample_size(10).measurement_time(Duration::from_secs(3));
    for (inputs, outputs) in [(1, 1), (1, 2), (8, 2), (1, 4), (1, 16)] {
        let bundles = (0..16).map(|i| s.shaped(i * inputs, inputs, outputs));
        let bundles: Vec<_> = bundles.collect();
        let run = || {
            let checked: Vec<_> = bundles.iter().map(|b| s.checked(b)).collect();
            let find = |c| contextual(&s.state, c, &s.rules, &s.moment).unwrap();
            let ready: Vec<_> = checked.iter().map(find).collect();
            verify_batch(RangeSuite::standard(), &ready)
        };
        assert!(run().iter().all(Result::is_ok));
        g.bench_function(format!("{inputs}in_{outputs}out"), |b| b.iter(run));
    }
    g.finish();
}

fn frame(c: &mut Criterion) {
    let s = Setup::new(FRAME);
    let bundles: Vec<_> = (0..FRAME).map(|i| s.transfer(i)).collect();
    let body = Body::Shard(Bounded::try_from(bundles).unwrap());
    let mut g = c.benchmark_group("execute");
    g.sample_size(10).measurement_time(Duration::from_secs(20));
    let run = |cache: &ProofCache| {
        let ctx = FrameContext {
            rules: &s.rules,
            moment: s.moment,
            suite: RangeSuite::standard(),
            cache,
        };
        execute(&s.state, &body, &ctx).unwrap()
    };
    g.bench_function("600", |b| {
        b.iter_batched_ref(
            ProofCache::default,
            |cache| run(cache),
            BatchSize::PerIteration,
        );
    });
    let warm = ProofCache::default();
    g.bench_function("600_cached", |b| b.iter(|| run(&warm)));
    g.finish();
}

criterion_group!(benches, single, shapes, frame);
criterion_main!(benches);
