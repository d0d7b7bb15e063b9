//! `quil status`, `quil frame`, `quil shard`, `quil tx`: what a node says about its chains.
//!
//! Documents that the node's REST side has as well have the same schema and the same fields here.

use quil_keys::Amount;
use quil_types::{Anchor, Canonical as _, Chain, FrameNumber, ShardAddr, TxId};
use serde_json::{Map, Value, json};

use crate::node::{
    ChainView, FrameView, NodeClient, NodeError, NodeStatus, ShardView, TxState, TxView, WorkerView,
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
    object(json!({
        "core": worker.core,
        "state": worker.state,
        "pid": worker.pid,
        "restarts": worker.restarts,
        "chain": worker.chain.as_ref().map(chain_value),
        "reason": worker.reason,
    }))
}

/// The same for people.
fn worker_line(worker: &WorkerView) -> Map<String, Value> {
    let chain = worker.chain.as_ref();
    let shard = chain.and_then(|c| shard_of(c.chain).as_str().map(str::to_owned));
    object(json!({
        "core": worker.core,
        "state": worker.state,
        "pid": worker.pid,
        "restarts": worker.restarts,
        "final": chain.map(|c| c.final_number.get()),
        "age": chain.map(age),
        "reason": worker.reason,
        "shard": shard,
    }))
}

fn age(view: &ChainView) -> String {
    let ms = view.final_age_ms;
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

fn chain_line(view: &ChainView) -> String {
    let (last, head) = (view.final_number, view.head);
    let (epoch, rank) = (view.epoch, view.rank);
    let age = age(view);
    format!("final {last} ({age} old)  head {head}  epoch {epoch}  rank {rank}")
}

const WORKER_COLUMNS: &[&str] = &[
    "core", "state", "pid", "restarts", "final", "age", "shard", "reason",
];
const FRAME_COLUMNS: &[&str] = &["number", "epoch", "rank", "time", "items", "id"];
const SHARD_COLUMNS: &[&str] = &["addr", "epoch", "height", "members", "size"];

/// `quil status`.
///
/// With `must_be_ready` a node that is not ready is a failure (exit code 3).
///
/// # Errors
/// [`Failure`] when the node does not answer.
pub async fn status(client: &impl NodeClient, must_be_ready: bool) -> Result<Document, Failure> {
    let status = client.status().await?;
    if must_be_ready && !status.ready {
        let why = status.not_ready_because.join("; ");
        return Err(NodeError::NotReady(why).into());
    }
    Ok(status_document(&status))
}

fn status_document(s: &NodeStatus) -> Document {
    let workers = s.workers.iter().map(worker_row).collect();
    let mut doc = Document::new("quil.status/1")
        .with("ready", s.ready)
        .with_detail("not_ready_because", s.not_ready_because.clone());
    if !s.ready {
        doc = doc.with_remark("because", s.not_ready_because.join("; "));
    }
    doc.with("network", s.network.as_str())
        .with("devnet", s.devnet)
        .with("genesis_hash", s.genesis_hash.to_string())
        .with("peer_id", s.peer_id.as_str())
        .with("version", s.version.as_str())
        .with("peers", s.peers)
        .with("uptime_ms", s.uptime_ms)
        .with_detail("global", chain_value(&s.global))
        .with_remark("global", chain_line(&s.global))
        .with_table("workers", workers, WORKER_COLUMNS)
        .with_table_for_people(s.workers.iter().map(worker_line).collect())
}

/// All of a frame. `header` is its canonical encoding.
fn frame_value(frame: &FrameView) -> Map<String, Value> {
    let h = &frame.header;
    let roots: Vec<_> = h.state_roots.iter().map(hex::encode).collect();
    let anchor = |a: Anchor| json!({ "number": a.number.get(), "id": a.id.to_string() });
    object(json!({
        "shard": shard_of(h.chain),
        "number": h.number.get(),
        "id": h.id().to_string(),
        "epoch": h.epoch.get(),
        "rank": h.rank.get(),
        "timestamp_ms": h.timestamp.get(),
        "parent": h.parent.to_string(),
        "proposer": h.proposer.to_string(),
        "items": frame.items,
        "anchor": h.anchor.map(anchor),
        "multiplier": h.multiplier,
        "state_roots": roots,
        "shards_root": hex::encode(h.shards_root),
        "beacon": h.beacon.to_string(),
        "header": hex::encode(h.encode()),
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

/// Fields of a frame that are for programs: long, or told in words beside.
const LONG: [&str; 4] = ["timestamp_ms", "state_roots", "shards_root", "header"];

fn frame_document(frame: &FrameView) -> Document {
    let time = rfc3339(frame.header.timestamp.get());
    let doc = Document::new("quil.frame/1").with_remark("time", time);
    let fields = frame_value(frame);
    fields.into_iter().fold(doc, |doc, (name, value)| {
        if LONG.contains(&name.as_str()) {
            doc.with_detail(&name, value)
        } else {
            doc.with(&name, value)
        }
    })
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
    let rows: Vec<_> = frames.iter().map(frame_value).collect();
    let line = |frame: &FrameView| {
        let mut line = frame_value(frame);
        let time = rfc3339(frame.header.timestamp.get());
        line.insert("time".to_owned(), Value::from(time));
        line
    };
    let lines = frames.iter().map(line).collect();
    let doc = Document::new("quil.frames/1").with_table("frames", rows, FRAME_COLUMNS);
    Ok(doc.with_table_for_people(lines))
}

fn shard_row(shard: &ShardView) -> Map<String, Value> {
    let roots: Vec<_> = shard.row.roots.iter().map(hex::encode).collect();
    object(json!({
        "addr": shard.addr.to_string(),
        "epoch": shard.row.epoch.get(),
        "height": shard.row.height.get(),
        "id": shard.row.id.to_string(),
        "roots": roots,
        "size": shard.row.size,
        "members": shard.members,
    }))
}

/// `quil shard ls`.
///
/// # Errors
/// [`Failure`] when the node does not answer.
pub async fn shards(client: &impl NodeClient) -> Result<Document, Failure> {
    let list = client.shards().await?;
    let doc = Document::new("quil.shards/1").with("global_number", list.global_number.get());
    let rows = list.shards.iter().map(shard_row).collect();
    Ok(doc.with_table("shards", rows, SHARD_COLUMNS))
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
    Ok(tx_fields(Document::new("quil.transaction/1"), &view))
}

/// Where a transaction stands.
pub(crate) fn tx_fields(doc: Document, view: &TxView) -> Document {
    doc.with("tx", view.tx.to_string())
        .with("state", view.state.as_str())
        .with("shard", view.shard.map(|s| s.to_string()))
        .with("shard_frame", view.shard_frame.map(FrameNumber::get))
        .with("index", view.index)
        .with("fee", view.fee.map(|f| amount_value(Amount::from_units(f))))
        .with("settled_at", view.settled_at.map(FrameNumber::get))
}
