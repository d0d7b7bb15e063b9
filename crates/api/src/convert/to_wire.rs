//! Plain types to messages.

use bytes::Bytes;
use quil_types::{Canonical, Chain, StateRoots};

use crate::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, ShardList,
    ShardView, TxState, TxView, WorkerView,
};
use crate::error::one_line;
use crate::limits::{REASONS_MAX, WORKERS_MAX};
use crate::pb;

fn bytes(b: &[u8]) -> Bytes {
    Bytes::copy_from_slice(b)
}

/// The address of a shard; empty for the global chain.
pub(crate) fn chain(chain: Chain) -> Bytes {
    match chain {
        Chain::Global => Bytes::new(),
        Chain::Shard(addr) => bytes(&addr.0),
    }
}

fn roots(roots: &StateRoots) -> Vec<Bytes> {
    roots.iter().map(|r| bytes(r)).collect()
}

/// The status as it may be sent: its texts come from processes and files, its lists from a supervisor.
pub(crate) fn tidy(mut s: NodeStatus) -> NodeStatus {
    s.not_ready_because.truncate(REASONS_MAX);
    s.workers.truncate(WORKERS_MAX);
    let texts = [&mut s.peer_id, &mut s.version, &mut s.network];
    let workers = s.workers.iter_mut();
    let words = workers.flat_map(|w| [&mut w.state, &mut w.reason]);
    for text in texts
        .into_iter()
        .chain(words)
        .chain(&mut s.not_ready_because)
    {
        *text = one_line(text);
    }
    s
}

pub(crate) fn status(s: NodeStatus) -> pb::StatusResponse {
    pb::StatusResponse {
        peer_id: s.peer_id,
        version: s.version,
        network: s.network,
        genesis_hash: bytes(&s.genesis_hash.0),
        ready: s.ready,
        global: Some(chain_status(s.global)),
        workers: s.workers.into_iter().map(worker).collect(),
        peers: s.peers,
        uptime_ms: s.uptime_ms,
        devnet: s.devnet,
        not_ready_because: s.not_ready_because,
    }
}

fn chain_status(c: ChainView) -> pb::ChainStatus {
    pb::ChainStatus {
        shard: chain(c.chain),
        head: c.head.get(),
        r#final: c.final_number.get(),
        epoch: c.epoch.get(),
        rank: c.rank.get(),
        final_age_ms: c.final_age_ms,
    }
}

fn worker(w: WorkerView) -> pb::WorkerStatus {
    pb::WorkerStatus {
        core: w.core,
        state: w.state,
        pid: w.pid,
        restarts: w.restarts,
        chain: w.chain.map(chain_status),
        reason: w.reason,
    }
}

pub(crate) fn frame(f: &FrameView) -> pb::Frame {
    let h = &f.header;
    pb::Frame {
        shard: chain(h.chain),
        number: h.number.get(),
        epoch: h.epoch.get(),
        rank: h.rank.get(),
        timestamp_ms: h.timestamp.get(),
        id: bytes(&h.id().0),
        parent: bytes(&h.parent.0),
        proposer: bytes(&h.proposer.0),
        items: f.items,
        anchor: h.anchor.map(|a| pb::Anchor {
            number: a.number.get(),
            id: bytes(&a.id.0),
        }),
        state_roots: roots(&h.state_roots),
        shards_root: bytes(&h.shards_root),
        beacon: bytes(&h.beacon.0),
        header: h.encode().into(),
        multiplier: h.multiplier,
    }
}

pub(crate) fn shards(list: ShardList) -> pb::ListShardsResponse {
    pb::ListShardsResponse {
        shards: list.shards.iter().map(shard).collect(),
        global_number: list.global_number.get(),
    }
}

fn shard(s: &ShardView) -> pb::Shard {
    pb::Shard {
        addr: bytes(&s.addr.0),
        epoch: s.row.epoch.get(),
        height: s.row.height.get(),
        id: bytes(&s.row.id.0),
        roots: roots(&s.row.roots),
        members: s.members,
        size: s.row.size,
    }
}

pub(crate) fn transaction(t: TxView) -> pb::Transaction {
    pb::Transaction {
        tx: bytes(&t.tx.0),
        state: tx_state(t.state).into(),
        shard_frame: t.shard_frame.map(|n| n.get()),
        index: t.index,
        fee: t.fee,
        settled_at: t.settled_at.map(|n| n.get()),
        shard: t.shard.map_or_else(Bytes::new, |s| bytes(&s.0)),
    }
}

const fn tx_state(state: TxState) -> pb::TransactionState {
    match state {
        TxState::Unknown => pb::TransactionState::Unknown,
        TxState::Accepted => pb::TransactionState::Accepted,
        TxState::Included => pb::TransactionState::Included,
        TxState::Final => pb::TransactionState::Final,
        TxState::Settled => pb::TransactionState::Settled,
    }
}

fn coins(coins: Vec<CoinView>) -> Vec<pb::Coin> {
    let coin = |c: CoinView| pb::Coin {
        index: c.index,
        coin_id: bytes(&c.id.0),
        record: c.record.into(),
    };
    coins.into_iter().map(coin).collect()
}

pub(crate) fn page(p: CoinPage) -> pb::ScanOutputsResponse {
    pb::ScanOutputsResponse {
        coins: coins(p.coins),
        next: p.next,
        shard_frame: p.shard_frame.get(),
    }
}

pub(crate) fn lookup(l: CoinLookup) -> pb::GetCoinsResponse {
    pb::GetCoinsResponse {
        coins: coins(l.coins),
        spent: l.spent,
        shard_frame: l.shard_frame.get(),
    }
}

pub(crate) fn proof(p: ProofView) -> pb::ProofResponse {
    pb::ProofResponse {
        proof: p.proof.into(),
        global_number: p.global_number.get(),
        shard_height: p.shard_height.get(),
    }
}
