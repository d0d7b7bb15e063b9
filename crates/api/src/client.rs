//! The client side: typed calls over gRPC, and a plain HTTP `GET` for the REST side.
//!
//! Whatever a node answers is bounded, checked, and compared with what was asked.

mod rest;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use quil_types::bundle::Home;
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{
    Canonical as _, Chain, Code, CoinId, Domain, FrameNumber, Genesis, GenesisHash, Nullifier,
    ShardAddr, TxId,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

use crate::backend::{
    CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, ShardList, TxView,
};
use crate::convert::from_wire::{self, WireError};
use crate::error::{CODE_KEY, one_line};
use crate::limits::{
    CALL_TIMEOUT, COINS_BYTES_MAX, CONNECT_TIMEOUT, FRAME_BYTES_MAX, FRAMES_BYTES_MAX,
    GENESIS_ANSWER_BYTES_MAX, PROOF_ANSWER_BYTES_MAX, SHARDS_BYTES_MAX, STATUS_BYTES_MAX,
};
use crate::pb;
use crate::pb::node_client::NodeClient;

/// Header lists larger than this are refused, bytes.
const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// Longest code word of an answer, bytes.
const CODE_BYTES_MAX: usize = 64;

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nothing answers there, or the connection broke.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The node did not answer in time.
    #[error("the node did not answer in time")]
    Timeout,
    /// The node answered with an error.
    #[error("{message}")]
    Api {
        /// Stable word: see [`ApiError::code`](crate::ApiError::code).
        code: String,
        /// For people.
        message: String,
    },
    /// The answer breaks the rules of the API or does not fit the question.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

impl ClientError {
    /// The rule by which a bundle was refused (T8), if that is what happened.
    #[must_use]
    pub fn rejection(&self) -> Option<Code> {
        let Self::Api { code, .. } = self else {
            return None;
        };
        Code::ALL.into_iter().find(|c| c.as_str() == code)
    }
}

impl From<WireError> for ClientError {
    fn from(error: WireError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<Status> for ClientError {
    /// The code word of the node wins; without one the status comes from the connection or from our own decoder.
    fn from(status: Status) -> Self {
        let message = one_line(status.message());
        if let Some(code) = code_word(&status) {
            return Self::Api { code, message };
        }
        let api = |code: &str, message| Self::Api {
            code: code.to_owned(),
            message,
        };
        match status.code() {
            tonic::Code::Unavailable => Self::Unreachable(message),
            tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Self::Timeout,
            tonic::Code::InvalidArgument => api("invalid", message),
            tonic::Code::NotFound => api("not_found", message),
            tonic::Code::ResourceExhausted => api("busy", message),
            tonic::Code::Unimplemented => api("unimplemented", message),
            tonic::Code::Unknown if is_transport(&status) => Self::Unreachable(message),
            _ => Self::Malformed(message),
        }
    }
}

fn code_word(status: &Status) -> Option<String> {
    let word = status.metadata().get(CODE_KEY)?.to_str().ok()?;
    let known = |b: u8| b.is_ascii_lowercase() || b == b'.' || b == b'_';
    (!word.is_empty() && word.len() <= CODE_BYTES_MAX && word.bytes().all(known))
        .then(|| word.to_owned())
}

fn is_transport(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|e| e.is::<tonic::transport::Error>())
}

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For each answer.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            call: CALL_TIMEOUT,
        }
    }
}

/// A connection to the API of a node. Clones share it.
///
/// A broken connection is opened again by the next call. The connection is plaintext and the node is not
/// authenticated: what matters is checked against proofs by the caller.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    call: Duration,
}

impl Client {
    /// Connects with the default [`Timeouts`].
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] or [`ClientError::Timeout`].
    pub async fn connect(addr: SocketAddr) -> Result<Self, ClientError> {
        Self::connect_with(addr, Timeouts::default()).await
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] or [`ClientError::Timeout`].
    pub async fn connect_with(addr: SocketAddr, timeouts: Timeouts) -> Result<Self, ClientError> {
        let unreachable = |e: tonic::transport::Error| ClientError::Unreachable(root_cause(&e));
        let endpoint = Endpoint::from_shared(format!("http://{addr}"))
            .map_err(unreachable)?
            .connect_timeout(timeouts.connect)
            .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
            .tcp_nodelay(true);
        let channel = tokio::time::timeout(timeouts.connect, endpoint.connect())
            .await
            .map_err(|_| ClientError::Timeout)?
            .map_err(unreachable)?;
        Ok(Self {
            channel,
            call: timeouts.call,
        })
    }

    /// Identity, synchronisation, workers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<NodeStatus, ClientError> {
        let mut node = self.node(STATUS_BYTES_MAX);
        let answer = self.wait(node.status(pb::StatusRequest {})).await?;
        Ok(from_wire::status(answer)?)
    }

    /// A final frame; the latest one without a number.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Malformed`] also when the answer is another frame than the one asked for.
    pub async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ClientError> {
        let request = pb::GetFrameRequest {
            shard: shard_bytes(shard),
            number: number.map(FrameNumber::get),
        };
        let mut node = self.node(FRAME_BYTES_MAX);
        let answer = self.wait(node.get_frame(request)).await?;
        let frame = from_wire::frame(&answer)?;
        check(frame.header.chain == chain_of(shard), "shard")?;
        check(number.is_none_or(|n| n == frame.header.number), "number")?;
        Ok(frame)
    }

    /// The last final frames, newest first; at most `limit` and [`FRAMES_MAX`](crate::limits::FRAMES_MAX).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ClientError> {
        let request = pb::ListFramesRequest {
            shard: shard_bytes(shard),
            limit: u32::from(limit),
        };
        let mut node = self.node(FRAMES_BYTES_MAX);
        let answer = self.wait(node.list_frames(request)).await?;
        let frames = from_wire::frames(&answer)?;
        check(within(frames.len(), limit), "frames")?;
        let same = |f: &FrameView| f.header.chain == chain_of(shard);
        check(frames.iter().all(same), "shard")?;
        Ok(frames)
    }

    /// The shard table.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn shards(&self) -> Result<ShardList, ClientError> {
        let mut node = self.node(SHARDS_BYTES_MAX);
        let answer = self
            .wait(node.list_shards(pb::ListShardsRequest {}))
            .await?;
        Ok(from_wire::shards(&answer)?)
    }

    /// Submits a canonical bundle. Submitting the same one again is harmless.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::rejection`] tells the rule that a refused bundle breaks.
    pub async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, ClientError> {
        let request = pb::SubmitRequest {
            bundle: bundle.into(),
        };
        let mut node = self.node(FRAME_BYTES_MAX);
        let answer = self.wait(node.submit(request)).await?;
        Ok(from_wire::tx(&answer.tx)?)
    }

    /// Where a transaction stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn transaction(&self, tx: TxId) -> Result<TxView, ClientError> {
        let request = pb::GetTransactionRequest {
            tx: Bytes::copy_from_slice(&tx.0),
        };
        let mut node = self.node(FRAME_BYTES_MAX);
        let answer = self.wait(node.get_transaction(request)).await?;
        let view = from_wire::transaction(&answer)?;
        check(view.tx == tx, "tx")?;
        Ok(view)
    }

    /// Coins of a home from an index on, in order of creation; at most `limit` and
    /// [`COINS_MAX`](crate::limits::COINS_MAX).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, ClientError> {
        let request = pb::ScanOutputsRequest {
            domain: Bytes::copy_from_slice(&domain.0),
            home: Bytes::copy_from_slice(&home.0),
            from,
            limit: u32::from(limit),
        };
        let mut node = self.node(COINS_BYTES_MAX);
        let answer = self.wait(node.scan_outputs(request)).await?;
        let page = from_wire::page(answer)?;
        check(within(page.coins.len(), limit), "coins")?;
        check(page.next >= from, "next")?;
        let ascending = page.coins.is_sorted_by(|a, b| a.index < b.index);
        let inside = |index: u64| index >= from && index < page.next;
        let positions = |c: &CoinView| c.index.is_some_and(inside);
        check(ascending && page.coins.iter().all(positions), "index")?;
        Ok(page)
    }

    /// Coins by identity, and whether nullifiers are recorded. At most [`COINS_MAX`](crate::limits::COINS_MAX) of each.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: &[CoinId],
        nullifiers: &[Nullifier],
    ) -> Result<CoinLookup, ClientError> {
        let request = pb::GetCoinsRequest {
            domain: Bytes::copy_from_slice(&domain.0),
            home: Bytes::copy_from_slice(&home.0),
            coins: coins.iter().map(|c| Bytes::copy_from_slice(&c.0)).collect(),
            nullifiers: nullifiers
                .iter()
                .map(|n| Bytes::copy_from_slice(&n.0))
                .collect(),
        };
        let mut node = self.node(COINS_BYTES_MAX);
        let answer = self.wait(node.get_coins(request)).await?;
        let lookup = from_wire::lookup(answer)?;
        check(lookup.spent.len() == nullifiers.len(), "spent")?;
        // In the order asked, each at most once: one walk over the question suffices.
        let mut asked = coins.iter();
        let in_order = lookup.coins.iter().all(|c| asked.any(|a| *a == c.id));
        check(in_order, "coins")?;
        Ok(lookup)
    }

    /// Proof of the record at `key` against a settled root of a shard. It is not verified here.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, ClientError> {
        let request = pb::GetProofRequest {
            shard: Bytes::copy_from_slice(&shard.0),
            key: Bytes::copy_from_slice(&key),
        };
        let mut node = self.node(PROOF_ANSWER_BYTES_MAX);
        let answer = self.wait(node.get_proof(request)).await?;
        Ok(from_wire::proof(answer)?)
    }

    /// The canonical genesis document; it is decoded and its hash is checked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn genesis(&self) -> Result<(Vec<u8>, GenesisHash), ClientError> {
        let mut node = self.node(GENESIS_ANSWER_BYTES_MAX);
        let answer = self
            .wait(node.get_genesis(pb::GetGenesisRequest {}))
            .await?;
        let (document, hash) = from_wire::genesis(answer)?;
        let decoded = Genesis::decode(&document, GENESIS_BYTES_MAX);
        check(decoded.is_ok_and(|g| g.hash() == hash), "hash")?;
        Ok((document, hash))
    }

    /// The body of a REST resource, read over a connection of its own with the default [`Timeouts`].
    ///
    /// # Errors
    /// [`ClientError::Api`] with the code word of the body when the status is not 200 (`http.<status>` when the body
    /// has none), [`ClientError::Malformed`] beyond
    /// [`REST_ANSWER_BYTES_MAX`](crate::limits::REST_ANSWER_BYTES_MAX) bytes or when the answer is not HTTP.
    pub async fn rest_get(addr: SocketAddr, path: &str) -> Result<Vec<u8>, ClientError> {
        rest::get(addr, path, Timeouts::default()).await
    }

    fn node(&self, answer_max: usize) -> NodeClient<Channel> {
        NodeClient::new(self.channel.clone()).max_decoding_message_size(answer_max)
    }

    async fn wait<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(self.call, call).await {
            Ok(answer) => Ok(answer?.into_inner()),
            Err(_) => Err(ClientError::Timeout),
        }
    }
}

fn shard_bytes(shard: Option<ShardAddr>) -> Bytes {
    shard.map_or_else(Bytes::new, |s| Bytes::copy_from_slice(&s.0))
}

fn chain_of(shard: Option<ShardAddr>) -> Chain {
    shard.map_or(Chain::Global, Chain::Shard)
}

/// Zero asks for the default, which the general bound covers.
fn within(count: usize, limit: u16) -> bool {
    limit == 0 || count <= usize::from(limit)
}

fn check(ok: bool, field: &'static str) -> Result<(), ClientError> {
    if ok {
        return Ok(());
    }
    Err(WireError::Mismatch(field).into())
}

/// The innermost cause: the outer ones only say that there was an error.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(inner) = at.source() {
        at = inner;
    }
    one_line(&at.to_string())
}
