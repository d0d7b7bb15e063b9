//! JSON documents.
//!
//! Bytes are lowercase hexadecimal. Amounts are decimal strings: they may exceed 2^53. Numbers of frames, epochs, ranks
//! and coins, milliseconds and bytes count things that happened or are stored, and stay far below it: they are numbers.

use std::borrow::Cow;
use std::fmt;

use quil_types::{Chain, StateRoots};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::query;
use crate::ApiError;
use crate::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, Readiness,
    ShardList, ShardView, TxView, WorkerView,
};
use crate::convert::from_wire::at_most;
use crate::error::one_line;
use crate::limits::{COINS_MAX, REASONS_MAX};

/// Bytes.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

/// Exactly `N` bytes.
pub(super) struct HexArray<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for HexArray<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits<const N: usize>;
        impl<const N: usize> Visitor<'_> for Digits<N> {
            type Value = HexArray<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} lowercase hexadecimal digits", N.saturating_mul(2))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let wrong = || E::invalid_length(text.len(), &self);
                query::array(text).map(HexArray).ok_or_else(wrong)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// Decimal text.
struct Amount(u64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A shard's address; null for the global chain.
fn shard(chain: &Chain) -> Option<Hex<'_>> {
    match chain {
        Chain::Global => None,
        Chain::Shard(addr) => Some(Hex(&addr.0)),
    }
}

fn roots(roots: &StateRoots) -> [Hex<'_>; 4] {
    roots.each_ref().map(|r| Hex(r))
}

#[derive(Serialize)]
pub(super) struct Status<'a> {
    ready: bool,
    not_ready_because: &'a [String],
    peer_id: &'a str,
    version: &'a str,
    network: &'a str,
    genesis_hash: Hex<'a>,
    devnet: bool,
    global: ChainStatus<'a>,
    workers: Vec<Worker<'a>>,
    peers: u32,
    uptime_ms: u64,
}

impl<'a> Status<'a> {
    pub(super) fn of(s: &'a NodeStatus) -> Self {
        Self {
            ready: s.ready,
            not_ready_because: &s.not_ready_because,
            peer_id: &s.peer_id,
            version: &s.version,
            network: &s.network,
            genesis_hash: Hex(&s.genesis_hash.0),
            devnet: s.devnet,
            global: ChainStatus::of(&s.global),
            workers: s.workers.iter().map(Worker::of).collect(),
            peers: s.peers,
            uptime_ms: s.uptime_ms,
        }
    }
}

#[derive(Serialize)]
struct ChainStatus<'a> {
    shard: Option<Hex<'a>>,
    head: u64,
    #[serde(rename = "final")]
    final_number: u64,
    epoch: u64,
    rank: u64,
    final_age_ms: u64,
}

impl<'a> ChainStatus<'a> {
    fn of(c: &'a ChainView) -> Self {
        Self {
            shard: shard(&c.chain),
            head: c.head.get(),
            final_number: c.final_number.get(),
            epoch: c.epoch.get(),
            rank: c.rank.get(),
            final_age_ms: c.final_age_ms,
        }
    }
}

#[derive(Serialize)]
struct Worker<'a> {
    core: u32,
    state: &'a str,
    pid: Option<u32>,
    restarts: u32,
    chain: Option<ChainStatus<'a>>,
    reason: &'a str,
}

impl<'a> Worker<'a> {
    fn of(w: &'a WorkerView) -> Self {
        Self {
            core: w.core,
            state: &w.state,
            pid: w.pid,
            restarts: w.restarts,
            chain: w.chain.as_ref().map(ChainStatus::of),
            reason: &w.reason,
        }
    }
}

#[derive(Serialize)]
struct Anchor<'a> {
    number: u64,
    id: Hex<'a>,
}

#[derive(Serialize)]
pub(super) struct Frame<'a> {
    shard: Option<Hex<'a>>,
    number: u64,
    id: String,
    epoch: u64,
    rank: u64,
    timestamp_ms: u64,
    parent: Hex<'a>,
    proposer: Hex<'a>,
    items: u32,
    anchor: Option<Anchor<'a>>,
    multiplier: u64,
    state_roots: [Hex<'a>; 4],
    shards_root: Hex<'a>,
    beacon: Hex<'a>,
    header: String,
}

impl<'a> Frame<'a> {
    pub(super) fn of(f: &'a FrameView) -> Self {
        let h = &f.header;
        Self {
            shard: shard(&h.chain),
            number: h.number.get(),
            id: h.id().to_string(),
            epoch: h.epoch.get(),
            rank: h.rank.get(),
            timestamp_ms: h.timestamp.get(),
            parent: Hex(&h.parent.0),
            proposer: Hex(&h.proposer.0),
            items: f.items,
            anchor: h.anchor.as_ref().map(|a| Anchor {
                number: a.number.get(),
                id: Hex(&a.id.0),
            }),
            multiplier: h.multiplier,
            state_roots: roots(&h.state_roots),
            shards_root: Hex(&h.shards_root),
            beacon: Hex(&h.beacon.0),
            header: hex::encode(quil_types::Canonical::encode(h)),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Frames<'a> {
    pub(super) frames: Vec<Frame<'a>>,
}

#[derive(Serialize)]
pub(super) struct Shards<'a> {
    global_number: u64,
    shards: Vec<Shard<'a>>,
}

impl<'a> Shards<'a> {
    pub(super) fn of(list: &'a ShardList) -> Self {
        Self {
            global_number: list.global_number.get(),
            shards: list.shards.iter().map(Shard::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Shard<'a> {
    addr: Hex<'a>,
    epoch: u64,
    height: u64,
    id: Hex<'a>,
    roots: [Hex<'a>; 4],
    size: u64,
    members: u32,
}

impl<'a> Shard<'a> {
    fn of(s: &'a ShardView) -> Self {
        Self {
            addr: Hex(&s.addr.0),
            epoch: s.row.epoch.get(),
            height: s.row.height.get(),
            id: Hex(&s.row.id.0),
            roots: roots(&s.row.roots),
            size: s.row.size,
            members: s.members,
        }
    }
}

/// Body of a submit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submit<'a> {
    #[serde(borrow)]
    bundle: Cow<'a, str>,
}

impl Submit<'_> {
    pub(super) fn bundle(&self) -> Result<Vec<u8>, ApiError> {
        let lower = !self.bundle.bytes().any(|b| b.is_ascii_uppercase());
        let decoded = hex::decode(self.bundle.as_bytes()).ok().filter(|_| lower);
        let bytes = decoded.ok_or_else(|| {
            ApiError::Invalid("bundle: lowercase hexadecimal digits expected".to_owned())
        })?;
        at_most("bundle", bytes.len(), quil_types::limits::BUNDLE_BYTES_MAX)?;
        Ok(bytes)
    }
}

#[derive(Serialize)]
pub(super) struct Submitted<'a> {
    pub(super) tx: Hex<'a>,
}

#[derive(Serialize)]
pub(super) struct Transaction<'a> {
    tx: Hex<'a>,
    state: &'static str,
    shard: Option<Hex<'a>>,
    shard_frame: Option<u64>,
    index: Option<u32>,
    fee: Option<Amount>,
    settled_at: Option<u64>,
}

impl<'a> Transaction<'a> {
    pub(super) fn of(t: &'a TxView) -> Self {
        Self {
            tx: Hex(&t.tx.0),
            state: t.state.as_str(),
            shard: t.shard.as_ref().map(|s| Hex(&s.0)),
            shard_frame: t.shard_frame.map(|n| n.get()),
            index: t.index,
            fee: t.fee.map(Amount),
            settled_at: t.settled_at.map(|n| n.get()),
        }
    }
}

#[derive(Serialize)]
struct Coin<'a> {
    index: Option<u64>,
    coin_id: Hex<'a>,
    record: Hex<'a>,
}

fn list(coins: &[CoinView]) -> Vec<Coin<'_>> {
    let coins = coins.iter().map(|c| Coin {
        index: c.index,
        coin_id: Hex(&c.id.0),
        record: Hex(&c.record),
    });
    coins.collect()
}

#[derive(Serialize)]
pub(super) struct Outputs<'a> {
    coins: Vec<Coin<'a>>,
    next: u64,
    shard_frame: u64,
}

impl<'a> Outputs<'a> {
    pub(super) fn of(p: &'a CoinPage) -> Self {
        Self {
            coins: list(&p.coins),
            next: p.next,
            shard_frame: p.shard_frame.get(),
        }
    }
}

/// Body of a question about coins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coins {
    pub(super) domain: HexArray<32>,
    #[serde(default)]
    pub(super) home: Option<HexArray<2>>,
    #[serde(default)]
    pub(super) coins: Vec<HexArray<32>>,
    #[serde(default)]
    pub(super) nullifiers: Vec<HexArray<32>>,
}

/// Identities out of a list that is not too long.
pub(super) fn bounded<T>(
    field: &'static str,
    list: Vec<HexArray<32>>,
    wrap: impl Fn([u8; 32]) -> T,
) -> Result<Vec<T>, ApiError> {
    at_most(field, list.len(), usize::from(COINS_MAX))?;
    Ok(list.into_iter().map(|h| wrap(h.0)).collect())
}

#[derive(Serialize)]
pub(super) struct Lookup<'a> {
    coins: Vec<Coin<'a>>,
    spent: &'a [bool],
    shard_frame: u64,
}

impl<'a> Lookup<'a> {
    pub(super) fn of(l: &'a CoinLookup) -> Self {
        Self {
            coins: list(&l.coins),
            spent: &l.spent,
            shard_frame: l.shard_frame.get(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Proof<'a> {
    proof: Hex<'a>,
    global_number: u64,
    shard_height: u64,
}

impl<'a> Proof<'a> {
    pub(super) fn of(p: &'a ProofView) -> Self {
        Self {
            proof: Hex(&p.proof),
            global_number: p.global_number.get(),
            shard_height: p.shard_height.get(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Genesis<'a> {
    pub(super) hash: Hex<'a>,
    pub(super) genesis: Hex<'a>,
}

#[derive(Serialize)]
pub(super) struct Live {
    pub(super) live: bool,
}

#[derive(Serialize)]
pub(super) struct Ready {
    ready: bool,
    reasons: Vec<String>,
}

impl Ready {
    pub(super) fn of(r: &Readiness) -> Self {
        let reasons = r.reasons.iter().take(REASONS_MAX);
        Self {
            ready: r.ready,
            reasons: reasons.map(|t| one_line(t)).collect(),
        }
    }
}
