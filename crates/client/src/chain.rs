//! `quil status`, `quil frame`, `quil shard`, `quil tx`: what a node says about its chains.

use quil_keys::Amount;
use quil_types::{Chain, FrameNumber, ShardAddr, TxId};
use serde_json::{Map, Value, json};

use crate::node::{
    ChainView, FrameView, NodeClient, NodeStatus, ShardView, TxState, TxView, WorkerView,
};
use crate::output::{Document, Failure, amount_value};
use crate::time::rfc3339;

/// Reads 64 hex digits.
///
/// # Errors
/// [`Failure`] of usage, naming what the digits should have been.
pub fn parse_id(what: &str, text: &str) -> Result<[u8; 32], Failure> {
    let bytes = hex::decode(text).ok().and_then(|b| b.try_into().ok());
    bytes.ok_or_else(|| {
        let message = format!("`{text}` is no {what}");
        Failure::new(
            "id.malformed",
            message,
            format!("a {what} is 64 hex digits"),
        )
        .usage()
    })
}

/// Number of a frame, or the latest one.
///
/// # Errors
/// [`Failure`] of usage.
pub fn parse_number(text: &str) -> Result<Option<FrameNumber>, Failure> {
    if text == "latest" {
        return Ok(None);
    }
    let number = text.parse().map(|n| Some(FrameNumber::new(n)));
    number.map_err(|_| {
        let message = format!("`{text}` is no frame number");
        Failure::new("number.malformed", message, "a number, or latest").usage()
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn shard_of(chain: Chain) -> Value {
    match chain {
        Chain::Global => Value::Null,
        Chain::Shard(addr) => Value::from(addr.to_string()),
    }
}

fn chain_value(view: &ChainView) -> Value {
    json!({
        "shard": shard_of(view.chain),
        "head": view.head.get(),
        "final": view.final_number.get(),
        "epoch": view.epoch.get(),
        "rank": view.rank.get(),
        "final_age_ms": view.final_age_ms,
    })
}

fn worker_row(worker: &WorkerView) -> Map<String, Value> {
    let chain = worker.chain.as_ref();
    let number = |f: fn(&ChainView) -> u64| chain.map(f).map_or(Value::Null, Value::from);
    object(json!({
        "core": worker.core,
        "state": worker.state,
        "pid": worker.pid,
        "restarts": worker.restarts,
        "shard": chain.map_or(Value::Null, |c| shard_of(c.chain)),
        "head": number(|c| c.head.get()),
        "final": number(|c| c.final_number.get()),
        "reason": worker.reason,
    }))
}

/// `quil status`.
///
/// # Errors
/// [`Failure`] when the node does not answer.
pub async fn status(client: &impl NodeClient) -> Result<Document, Failure> {
    Ok(status_document(&client.status().await?))
}

fn status_document(s: &NodeStatus) -> Document {
    Document::new("quil.status/1")
        .with("ready", s.ready)
        .with("not_ready_because", s.not_ready_because.clone())
        .with("network", s.network.as_str())
        .with("devnet", s.devnet)
        .with("genesis", s.genesis_hash.to_string())
        .with(
            "node",
            json!({ "peer_id": s.peer_id, "version": s.version }),
        )
        .with("peers", s.peers)
        .with("uptime_ms", s.uptime_ms)
        .with("global", chain_value(&s.global))
        .with_rows("workers", s.workers.iter().map(worker_row).collect())
}

fn frame_row(frame: &FrameView) -> Map<String, Value> {
    let h = &frame.header;
    object(json!({
        "number": h.number.get(),
        "epoch": h.epoch.get(),
        "rank": h.rank.get(),
        "time": rfc3339(h.timestamp.get()),
        "items": frame.items,
        "id": h.id().to_string(),
    }))
}

/// `quil frame show`.
///
/// # Errors
/// [`Failure`] when there is no such final frame, or the node does not answer.
pub async fn frame(
    client: &impl NodeClient,
    shard: Option<ShardAddr>,
    number: Option<FrameNumber>,
) -> Result<Document, Failure> {
    Ok(frame_document(&client.frame(shard, number).await?))
}

fn frame_document(frame: &FrameView) -> Document {
    let h = &frame.header;
    let hex64 = |roots: &[[u8; 64]]| roots.iter().map(hex::encode).collect::<Vec<_>>();
    let anchor = h
        .anchor
        .map(|a| json!({ "number": a.number.get(), "id": a.id.to_string() }));
    Document::new("quil.frame/1")
        .with("shard", shard_of(h.chain))
        .with("number", h.number.get())
        .with("id", h.id().to_string())
        .with("epoch", h.epoch.get())
        .with("rank", h.rank.get())
        .with("parent_rank", h.parent_rank.get())
        .with("time", rfc3339(h.timestamp.get()))
        .with("parent", h.parent.to_string())
        .with("proposer", h.proposer.to_string())
        .with("items", frame.items)
        .with("multiplier_ppm", h.multiplier)
        .with("beacon", h.beacon.to_string())
        .with("anchor", anchor)
        .with("state_roots", hex64(&h.state_roots))
        .with("shards_root", hex::encode(h.shards_root))
}

/// `quil frame ls`.
///
/// # Errors
/// [`Failure`] when the node does not answer.
pub async fn frames(
    client: &impl NodeClient,
    shard: Option<ShardAddr>,
    limit: u16,
) -> Result<Document, Failure> {
    let frames = client.frames(shard, limit).await?;
    Ok(Document::new("quil.frames/1").with_rows("frames", frames.iter().map(frame_row).collect()))
}

fn shard_row(shard: &ShardView) -> Map<String, Value> {
    object(json!({
        "shard": shard.addr.to_string(),
        "epoch": shard.row.epoch.get(),
        "height": shard.row.height.get(),
        "members": shard.members,
        "bytes": shard.row.size,
    }))
}

/// `quil shard ls`.
///
/// # Errors
/// [`Failure`] when the node does not answer.
pub async fn shards(client: &impl NodeClient) -> Result<Document, Failure> {
    let list = client.shards().await?;
    let doc = Document::new("quil.shards/1").with("global_number", list.global_number.get());
    Ok(doc.with_rows("shards", list.shards.iter().map(shard_row).collect()))
}

/// `quil tx show`.
///
/// # Errors
/// [`Failure`] when the node does not know the transaction (exit code 7) or does not answer.
pub async fn transaction(client: &impl NodeClient, tx: TxId) -> Result<Document, Failure> {
    let view = client.transaction(tx).await?;
    if view.state == TxState::Unknown {
        let message = format!("the node does not know {tx}");
        let hint = "it may be dropped, or was sent to another network: check the identity";
        return Err(Failure::new("tx.unknown", message, hint).not_found());
    }
    Ok(tx_fields(Document::new("quil.tx/1"), &view))
}

/// Where a transaction stands.
pub(crate) fn tx_fields(doc: Document, view: &TxView) -> Document {
    doc.with("tx", view.tx.to_string())
        .with("state", view.state.as_str())
        .with("shard", view.shard.map(|s| s.to_string()))
        .with("frame", view.shard_frame.map(FrameNumber::get))
        .with("index", view.index)
        .with("fee", view.fee.map(|f| amount_value(Amount::from_units(f))))
        .with("settled_at", view.settled_at.map(FrameNumber::get))
}
