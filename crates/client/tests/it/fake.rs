//! A node in memory: a simulated network that executes for real, behind the interface of a node.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quil_client::node::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeClient, NodeError, NodeStatus,
    ProofView, ShardList, ShardView, TxState, TxView,
};
use quil_engine::Snapshot;
use quil_engine::io::SubmitError;
use quil_execution::state::RecordKey;
use quil_execution::token::ids::claims;
use quil_execution::token::records::{
    count_key, data_address, index_key, load_coin, load_count, load_index, load_spent,
    nullifier_key,
};
use quil_keys::{Account, Wallet};
use quil_sim::{EngineId, Observation, SimGenesis, SimNet};
use quil_types::bundle::Home;
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{
    Bundle, Canonical, Chain, CoinId, Domain, Epoch, FrameNumber, Genesis, GenesisHash, Nullifier,
    Rank, ShardAddr, TxId,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const MASTER: EngineId = EngineId { node: 0, core: 0 };
const WORKER: EngineId = EngineId { node: 0, core: 1 };

/// What goes wrong on the way.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Submissions that are lost before they arrive.
    pub(crate) lost_submits: AtomicU32,
    /// Submissions that arrive and whose answers are lost.
    pub(crate) lost_answers: AtomicU32,
    /// Submissions that are taken and forgotten.
    pub(crate) forgotten: AtomicU32,
    /// Nothing is answered.
    pub(crate) away: AtomicBool,
    /// Time stands still.
    pub(crate) frozen: AtomicBool,
    /// The frame that a reader gets is this far ahead.
    pub(crate) ahead: AtomicU32,
    /// Coin records are altered.
    pub(crate) hostile: AtomicBool,
    /// Spent marks are left out.
    pub(crate) short: AtomicBool,
    /// Another network is claimed.
    pub(crate) elsewhere: AtomicBool,
}

#[derive(Debug)]
struct Submitted {
    marks: Vec<RecordKey>,
    final_at: Option<FrameNumber>,
    accepted: bool,
}

#[derive(Debug)]
struct Inner {
    net: SimNet,
    submitted: BTreeMap<TxId, Submitted>,
    scans: Vec<u64>,
}

/// A handle; clones are the same node.
#[derive(Clone, Debug)]
pub(crate) struct FakeNode {
    inner: Arc<Mutex<Inner>>,
    pub(crate) trouble: Arc<Trouble>,
}

pub(crate) fn account(seed: u64) -> Account {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Wallet::generate(&mut rng).unwrap().account(0).unwrap()
}

/// The account whose spend key is the authority.
pub(crate) fn faucet() -> Account {
    account(1)
}

fn once(counter: &AtomicU32) -> bool {
    let less = |n: u32| n.checked_sub(1);
    counter
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl FakeNode {
    pub(crate) fn new(seed: u64) -> Self {
        let mut net = SimNet::with(
            seed,
            &SimGenesis {
                nodes: 1,
                interval_ms: 1_000,
                epoch_frames: 1 << 20,
                authority: faucet().address().spend().compress().0,
            },
        );
        assert!(net.run_until(10_000, |n| n.final_number_everywhere() >= 1));
        Self {
            inner: Arc::new(Mutex::new(Inner {
                net,
                submitted: BTreeMap::new(),
                scans: Vec::new(),
            })),
            trouble: Arc::default(),
        }
    }

    pub(crate) fn genesis_document(&self) -> Genesis {
        self.inner.lock().unwrap().net.network().genesis().clone()
    }

    pub(crate) fn genesis_hash(&self) -> GenesisHash {
        self.inner.lock().unwrap().net.network().hash()
    }

    /// Indices that scans began at, since the last call.
    pub(crate) fn scans(&self) -> Vec<u64> {
        std::mem::take(&mut self.inner.lock().unwrap().scans)
    }

    /// Number of transactions that were handed in.
    pub(crate) fn submissions(&self) -> usize {
        self.inner.lock().unwrap().submitted.len()
    }

    /// Lets the network run.
    pub(crate) fn run(&self, ms: u64) {
        self.inner.lock().unwrap().net.run_until(ms, |_| false);
    }

    fn up(&self) -> Result<(), NodeError> {
        if self.trouble.away.load(Ordering::SeqCst) {
            return Err(NodeError::Unreachable("refused".to_owned()));
        }
        Ok(())
    }
}

impl Inner {
    fn state(&self) -> Result<Arc<Snapshot>, NodeError> {
        let state = self.net.state(WORKER);
        state.ok_or_else(|| NodeError::NotReady("down".to_owned()))
    }

    fn genesis(&self) -> GenesisHash {
        self.net.network().hash()
    }

    fn coin(&self, state: &Snapshot, domain: Domain, index: u64, id: CoinId) -> Option<CoinView> {
        let record = load_coin(state, self.genesis(), domain, Home::default(), id).unwrap()?;
        Some(CoinView {
            index: Some(index),
            id,
            record: record.encode(),
        })
    }

    fn hand_in(&mut self, bytes: &[u8]) -> Result<TxId, NodeError> {
        let bundle = Bundle::decode(bytes, BUNDLE_BYTES_MAX)
            .map_err(|e| NodeError::Invalid(e.to_string()))?;
        let domain = self.net.network().rules().domain;
        let token = self.net.submit(0, &bundle);
        let answer = |n: &SimNet| {
            n.observations().iter().find_map(|o| match o {
                Observation::Answer(t, result) if *t == token => Some(*result),
                _ => None,
            })
        };
        assert!(self.net.run_until(10_000, |n| answer(n).is_some()));
        let result = answer(&self.net).unwrap().map_err(|e| match e {
            SubmitError::Rejected(code) => NodeError::Rejected(code),
            SubmitError::Busy => NodeError::Busy,
            SubmitError::Malformed => NodeError::Invalid("malformed".to_owned()),
            _ => NodeError::NotReady("behind".to_owned()),
        });
        if result.is_ok() {
            self.remember(&bundle, domain, true);
        }
        result
    }

    fn remember(&mut self, bundle: &Bundle, domain: Domain, accepted: bool) {
        let marks = claims(bundle).into_iter().map(|mark| RecordKey {
            domain,
            data: data_address(Home::default(), &mark),
        });
        let marks = marks.collect();
        let new = Submitted {
            marks,
            final_at: None,
            accepted,
        };
        let known = self.submitted.entry(bundle.id()).or_insert(new);
        known.accepted |= accepted;
    }

    fn standing(&mut self, tx: TxId) -> TxView {
        let state = self.state().ok();
        let settled = self.settled_height();
        let mut view = TxView {
            tx,
            state: TxState::Unknown,
            shard: None,
            shard_frame: None,
            index: None,
            fee: None,
            settled_at: None,
        };
        let Some(known) = self.submitted.get_mut(&tx).filter(|s| s.accepted) else {
            return view;
        };
        view.state = TxState::Accepted;
        let done = |s: &Snapshot| {
            let mut marks = known.marks.iter();
            marks.all(|m| load_spent(s, m).unwrap() == Some(tx))
        };
        if let Some(state) = state.filter(|s| done(s)) {
            known.final_at.get_or_insert_with(|| state.number());
        }
        if let Some(at) = known.final_at {
            view.state = TxState::Final;
            view.shard_frame = Some(at);
            if settled >= at {
                view.state = TxState::Settled;
            }
        }
        view
    }

    fn settled_height(&self) -> FrameNumber {
        let state = self.net.state(MASTER);
        let heights = state.map(|s| s.table().iter().map(|(_, row)| row.height).max());
        heights.flatten().unwrap_or(FrameNumber::ZERO)
    }
}

impl NodeClient for FakeNode {
    async fn genesis(&self) -> Result<Vec<u8>, NodeError> {
        self.up()?;
        Ok(self.genesis_document().encode())
    }

    async fn status(&self) -> Result<NodeStatus, NodeError> {
        self.up()?;
        let inner = self.inner.lock().unwrap();
        let number = inner.net.final_number(MASTER).unwrap_or(FrameNumber::ZERO);
        let elsewhere = self.trouble.elsewhere.load(Ordering::SeqCst);
        Ok(NodeStatus {
            peer_id: "peer".to_owned(),
            version: "0.1.0".to_owned(),
            network: "sim".to_owned(),
            genesis_hash: if elsewhere {
                GenesisHash([9; 32])
            } else {
                inner.genesis()
            },
            devnet: true,
            ready: true,
            not_ready_because: Vec::new(),
            global: ChainView {
                chain: Chain::Global,
                head: number,
                final_number: number,
                epoch: Epoch::new(0),
                rank: Rank::new(1),
                final_age_ms: 0,
            },
            workers: Vec::new(),
            peers: 0,
            uptime_ms: inner.net.now_ms(),
        })
    }

    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, NodeError> {
        self.up()?;
        let inner = self.inner.lock().unwrap();
        let state = inner
            .net
            .state(if shard.is_some() { WORKER } else { MASTER });
        let state = state.ok_or_else(|| NodeError::NotReady("down".to_owned()))?;
        let mut header = state.header().clone();
        if number.is_some_and(|n| n != header.number) {
            return Err(NodeError::NotFound("no such frame".to_owned()));
        }
        if let Some(anchor) = &mut header.anchor {
            let ahead = u64::from(self.trouble.ahead.load(Ordering::SeqCst));
            anchor.number = FrameNumber::new(anchor.number.get() + ahead);
        }
        Ok(FrameView { header, items: 0 })
    }

    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, NodeError> {
        let latest = self.frame(shard, None).await?;
        Ok(vec![latest; usize::from(limit.min(1))])
    }

    async fn shards(&self) -> Result<ShardList, NodeError> {
        self.up()?;
        let inner = self.inner.lock().unwrap();
        let state = inner.net.state(MASTER);
        let state = state.ok_or_else(|| NodeError::NotReady("down".to_owned()))?;
        let rows = state.table().iter().map(|(addr, row)| ShardView {
            addr: *addr,
            row: row.clone(),
            members: 1,
        });
        Ok(ShardList {
            shards: rows.collect(),
            global_number: state.number(),
        })
    }

    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, NodeError> {
        self.up()?;
        let lost = || NodeError::Unreachable("connection reset".to_owned());
        if once(&self.trouble.lost_submits) {
            return Err(lost());
        }
        let mut inner = self.inner.lock().unwrap();
        if once(&self.trouble.forgotten) {
            let bundle = Bundle::decode(&bundle, BUNDLE_BYTES_MAX).unwrap();
            let domain = inner.net.network().rules().domain;
            inner.remember(&bundle, domain, false);
            return Ok(bundle.id());
        }
        let answer = inner.hand_in(&bundle);
        if once(&self.trouble.lost_answers) {
            // Long enough for the transaction to be final when it is handed in again.
            inner.net.run_until(5_000, |_| false);
            return Err(lost());
        }
        answer
    }

    async fn transaction(&self, tx: TxId) -> Result<TxView, NodeError> {
        self.up()?;
        Ok(self.inner.lock().unwrap().standing(tx))
    }

    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, NodeError> {
        self.up()?;
        let mut inner = self.inner.lock().unwrap();
        inner.scans.push(from);
        let state = inner.state()?;
        let count = load_count(&*state, &count_key(domain, home)).unwrap();
        // Pages of three, so that small wallets see several.
        let end = count.unwrap_or(0).min(from + u64::from(limit.min(3)));
        let mut coins = Vec::new();
        for index in from..end {
            let id = load_index(&*state, &index_key(domain, home, index)).unwrap();
            coins.extend(inner.coin(&state, domain, index, id.unwrap()));
        }
        if self.trouble.hostile.load(Ordering::SeqCst) {
            for coin in &mut coins {
                coin.record[40] ^= 1;
            }
        }
        Ok(CoinPage {
            coins,
            next: end.max(from),
            shard_frame: state.number(),
        })
    }

    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, NodeError> {
        self.up()?;
        let inner = self.inner.lock().unwrap();
        let state = inner.state()?;
        let found = coins.iter();
        let found = found
            .filter_map(|c| inner.coin(&state, domain, 0, *c))
            .collect();
        let marks = nullifiers.iter().map(|n| {
            let mark = load_spent(&*state, &nullifier_key(domain, home, *n));
            mark.unwrap().is_some()
        });
        let mut spent: Vec<bool> = marks.collect();
        if self.trouble.short.load(Ordering::SeqCst) {
            spent.pop();
        }
        Ok(CoinLookup {
            coins: found,
            spent,
            shard_frame: state.number(),
        })
    }

    async fn proof(&self, _: ShardAddr, _: [u8; 64]) -> Result<ProofView, NodeError> {
        Err(NodeError::NotReady(
            "simulated certificates prove nothing".to_owned(),
        ))
    }

    async fn pause(&self, time: Duration) {
        if self.trouble.frozen.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        } else {
            self.run(u64::try_from(time.as_millis()).unwrap());
        }
    }
}
