//! Messages to plain types. Every length, count and word is checked.

use bytes::Bytes;
use quil_types::bundle::Home;
use quil_types::limits::{GENESIS_BYTES_MAX, HEADER_BYTES_MAX, ROOT_BYTES, SHARDS_MAX};
use quil_types::{
    Canonical, Chain, CoinId, Epoch, FrameId, FrameNumber, GenesisHash, Header, Rank, ShardAddr,
    ShardRow, StateRoots, TxId,
};

use crate::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, ShardList,
    ShardView, TxState, TxView, WorkerView,
};
use crate::limits::{
    COIN_RECORD_BYTES_MAX, COINS_MAX, FRAMES_MAX, PROOF_BYTES_MAX, REASONS_MAX, TEXT_BYTES_MAX,
    WORKERS_MAX,
};
use crate::pb;

/// A part of a message that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum WireError {
    #[error("{field}: {got} bytes, {expected} expected")]
    Length {
        field: &'static str,
        got: usize,
        expected: usize,
    },
    #[error("{field}: {got}, at most {max} allowed")]
    TooMany {
        field: &'static str,
        got: usize,
        max: usize,
    },
    #[error("limit: at most {0}")]
    Limit(u16),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0}: control characters")]
    Text(&'static str),
    #[error("{0}: unknown value")]
    Unknown(&'static str),
    #[error("{0}: not canonical")]
    Canonical(&'static str),
    #[error("{0} does not fit the rest of the answer")]
    Mismatch(&'static str),
}

/// Exactly `N` bytes.
pub(crate) fn array<const N: usize>(
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::Length {
        field,
        got: bytes.len(),
        expected: N,
    })
}

/// At most `max` of something.
pub(crate) const fn at_most(field: &'static str, got: usize, max: usize) -> Result<(), WireError> {
    if got > max {
        return Err(WireError::TooMany { field, got, max });
    }
    Ok(())
}

/// How many are asked for; the default when zero.
pub(crate) fn limit(asked: u64, default: u16, max: u16) -> Result<u16, WireError> {
    let asked = match asked {
        0 => return Ok(default),
        n => u16::try_from(n).ok().filter(|n| *n <= max),
    };
    asked.ok_or(WireError::Limit(max))
}

/// A shard's address; none when empty.
pub(crate) fn shard_opt(field: &'static str, bytes: &[u8]) -> Result<Option<ShardAddr>, WireError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    array(field, bytes).map(|b| Some(ShardAddr(b)))
}

/// A home; the default one when empty.
pub(crate) fn home(bytes: &[u8]) -> Result<Home, WireError> {
    if bytes.is_empty() {
        return Ok(Home::default());
    }
    array("home", bytes).map(Home)
}

fn text(field: &'static str, text: String) -> Result<String, WireError> {
    at_most(field, text.len(), TEXT_BYTES_MAX)?;
    if text.chars().any(char::is_control) {
        return Err(WireError::Text(field));
    }
    Ok(text)
}

fn chain(bytes: &[u8]) -> Result<Chain, WireError> {
    Ok(shard_opt("shard", bytes)?.map_or(Chain::Global, Chain::Shard))
}

fn roots(field: &'static str, roots: &[Bytes]) -> Result<StateRoots, WireError> {
    let [a, b, c, d] = roots else {
        return Err(WireError::Length {
            field,
            got: roots.len(),
            expected: 4,
        });
    };
    let root = |r: &Bytes| array::<ROOT_BYTES>(field, r);
    Ok([root(a)?, root(b)?, root(c)?, root(d)?])
}

pub(crate) fn status(s: pb::StatusResponse) -> Result<NodeStatus, WireError> {
    at_most("workers", s.workers.len(), WORKERS_MAX)?;
    at_most("not_ready_because", s.not_ready_because.len(), REASONS_MAX)?;
    let reason = |r| text("not_ready_because", r);
    Ok(NodeStatus {
        peer_id: text("peer_id", s.peer_id)?,
        version: text("version", s.version)?,
        network: text("network", s.network)?,
        genesis_hash: GenesisHash(array("genesis_hash", &s.genesis_hash)?),
        devnet: s.devnet,
        ready: s.ready,
        not_ready_because: s
            .not_ready_because
            .into_iter()
            .map(reason)
            .collect::<Result<_, _>>()?,
        global: chain_view(&s.global.ok_or(WireError::Missing("global"))?)?,
        workers: s
            .workers
            .into_iter()
            .map(worker)
            .collect::<Result<_, _>>()?,
        peers: s.peers,
        uptime_ms: s.uptime_ms,
    })
}

fn chain_view(c: &pb::ChainStatus) -> Result<ChainView, WireError> {
    Ok(ChainView {
        chain: chain(&c.shard)?,
        head: FrameNumber::new(c.head),
        final_number: FrameNumber::new(c.r#final),
        epoch: Epoch::new(c.epoch),
        rank: Rank::new(c.rank),
        final_age_ms: c.final_age_ms,
    })
}

fn worker(w: pb::WorkerStatus) -> Result<WorkerView, WireError> {
    Ok(WorkerView {
        core: w.core,
        state: text("state", w.state)?,
        pid: w.pid,
        restarts: w.restarts,
        chain: w.chain.as_ref().map(chain_view).transpose()?,
        reason: text("reason", w.reason)?,
    })
}

/// A frame is read from its canonical header; the identity beside it has to be that header's.
pub(crate) fn frame(f: &pb::Frame) -> Result<FrameView, WireError> {
    let header =
        Header::decode(&f.header, HEADER_BYTES_MAX).map_err(|_| WireError::Canonical("header"))?;
    if header.id() != FrameId(array("id", &f.id)?) {
        return Err(WireError::Mismatch("id"));
    }
    Ok(FrameView {
        header,
        items: f.items,
    })
}

pub(crate) fn frames(list: &pb::ListFramesResponse) -> Result<Vec<FrameView>, WireError> {
    at_most("frames", list.frames.len(), usize::from(FRAMES_MAX))?;
    list.frames.iter().map(frame).collect()
}

pub(crate) fn shards(list: &pb::ListShardsResponse) -> Result<ShardList, WireError> {
    at_most("shards", list.shards.len(), SHARDS_MAX)?;
    Ok(ShardList {
        shards: list.shards.iter().map(shard).collect::<Result<_, _>>()?,
        global_number: FrameNumber::new(list.global_number),
    })
}

fn shard(s: &pb::Shard) -> Result<ShardView, WireError> {
    Ok(ShardView {
        addr: ShardAddr(array("addr", &s.addr)?),
        row: ShardRow {
            epoch: Epoch::new(s.epoch),
            height: FrameNumber::new(s.height),
            id: FrameId(array("id", &s.id)?),
            roots: roots("roots", &s.roots)?,
            size: s.size,
        },
        members: s.members,
    })
}

pub(crate) fn tx(bytes: &[u8]) -> Result<TxId, WireError> {
    array("tx", bytes).map(TxId)
}

pub(crate) fn transaction(t: &pb::Transaction) -> Result<TxView, WireError> {
    let state = pb::TransactionState::try_from(t.state).map_err(|_| WireError::Unknown("state"))?;
    Ok(TxView {
        tx: tx(&t.tx)?,
        state: tx_state(state),
        shard: shard_opt("shard", &t.shard)?,
        shard_frame: t.shard_frame.map(FrameNumber::new),
        index: t.index,
        fee: t.fee,
        settled_at: t.settled_at.map(FrameNumber::new),
    })
}

const fn tx_state(state: pb::TransactionState) -> TxState {
    match state {
        pb::TransactionState::Unknown => TxState::Unknown,
        pb::TransactionState::Accepted => TxState::Accepted,
        pb::TransactionState::Included => TxState::Included,
        pb::TransactionState::Final => TxState::Final,
        pb::TransactionState::Settled => TxState::Settled,
    }
}

fn coins(coins: Vec<pb::Coin>) -> Result<Vec<CoinView>, WireError> {
    at_most("coins", coins.len(), usize::from(COINS_MAX))?;
    let coin = |c: pb::Coin| {
        at_most("record", c.record.len(), COIN_RECORD_BYTES_MAX)?;
        Ok(CoinView {
            index: c.index,
            id: CoinId(array("coin_id", &c.coin_id)?),
            record: c.record.into(),
        })
    };
    coins.into_iter().map(coin).collect()
}

pub(crate) fn page(p: pb::ScanOutputsResponse) -> Result<CoinPage, WireError> {
    Ok(CoinPage {
        coins: coins(p.coins)?,
        next: p.next,
        shard_frame: FrameNumber::new(p.shard_frame),
    })
}

pub(crate) fn lookup(l: pb::GetCoinsResponse) -> Result<CoinLookup, WireError> {
    at_most("spent", l.spent.len(), usize::from(COINS_MAX))?;
    Ok(CoinLookup {
        coins: coins(l.coins)?,
        spent: l.spent,
        shard_frame: FrameNumber::new(l.shard_frame),
    })
}

pub(crate) fn proof(p: pb::ProofResponse) -> Result<ProofView, WireError> {
    at_most("proof", p.proof.len(), PROOF_BYTES_MAX)?;
    Ok(ProofView {
        proof: p.proof.into(),
        global_number: FrameNumber::new(p.global_number),
        shard_height: FrameNumber::new(p.shard_height),
    })
}

pub(crate) fn genesis(g: pb::GenesisResponse) -> Result<(Vec<u8>, GenesisHash), WireError> {
    at_most("genesis", g.genesis.len(), GENESIS_BYTES_MAX)?;
    Ok((g.genesis.into(), GenesisHash(array("hash", &g.hash)?)))
}
