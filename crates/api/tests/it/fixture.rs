// A node made of constants, a server over it, and a plain HTTP client. The example of the README includes this file, so
// it has no inner documentation.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use quil_api::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, Readiness,
    ShardList, ShardView, TxState, TxView, WorkerView,
};
use quil_api::{ApiError, Backend, Client, ServerLimits, serve_with};
use quil_types::bundle::Home;
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, TokenGenesis,
};
use quil_types::{
    Anchor, Beacon, Bounded, Canonical, Chain, CoinId, Digest, Domain, Epoch, FrameId, FrameNumber,
    Genesis, GenesisHash, Header, Nullifier, ProverId, Rank, ShardAddr, ShardRow, Sorted,
    Timestamp, TxId,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const SHARD: ShardAddr = ShardAddr([0xa1; 32]);
pub(crate) const DOMAIN: Domain = Domain([0xd0; 32]);
pub(crate) const TX: TxId = TxId([0x77; 32]);
pub(crate) static GENESIS: LazyLock<Vec<u8>> = LazyLock::new(|| genesis().encode());

/// A document that decodes; whether its keys and ceremony hold is not the API's business.
fn genesis() -> Genesis {
    Genesis {
        version: 1,
        binding: NetworkBinding {
            name: NetworkName::new("fixture").unwrap(),
            seed: [1; 32],
        },
        devnet: true,
        time: Timestamp::new(1_790_000_000_000),
        pacing: Pacing {
            min_spacing_ms: 1_000,
            target_ms: 1_000,
            difficulty: Difficulty::Fixed(50),
            discriminant_bits: 128,
        },
        epoch_frames: 100,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: 250_000,
            anchor_age: 8,
        },
        lifecycle: Lifecycle {
            shard_stall: 2,
            weak_subjectivity: 10,
            validity: 100,
        },
        srs: Bounded::new(),
        committee: Bounded::new(),
        shards: Bounded::new(),
        token: TokenGenesis {
            domain: DOMAIN,
            authority: [2; 56],
            fee_per_byte: 1,
        },
        upgrades: Sorted::try_from(Vec::new()).unwrap(),
    }
}

pub(crate) fn header(chain: Chain, number: u64) -> Header {
    Header {
        version: 1,
        chain,
        epoch: Epoch::new(3),
        rank: Rank::new(42),
        parent_rank: Rank::new(41),
        number: FrameNumber::new(number),
        timestamp: Timestamp::new(1_790_000_000_123),
        parent: FrameId([0x11; 32]),
        proposer: ProverId([0x12; 32]),
        requests_root: Digest([0x13; 32]),
        receipts_root: Digest([0x14; 32]),
        multiplier: 1_125_000,
        committee_root: Digest([0x15; 32]),
        next_committee_root: Digest::ZERO,
        state_roots: [[0x21; 64], [0x22; 64], [0x23; 64], [0x24; 64]],
        shards_root: [0x25; 64],
        beacon: Beacon([0x26; 32]),
        anchor: (chain != Chain::Global).then_some(Anchor {
            number: FrameNumber::new(99),
            id: FrameId([0x27; 32]),
        }),
    }
}

pub(crate) fn frame(shard: Option<ShardAddr>, number: u64) -> FrameView {
    FrameView {
        header: header(shard.map_or(Chain::Global, Chain::Shard), number),
        items: 5,
    }
}

pub(crate) fn chain_view(chain: Chain) -> ChainView {
    ChainView {
        chain,
        head: FrameNumber::new(103),
        final_number: FrameNumber::new(101),
        epoch: Epoch::new(2),
        rank: Rank::new(44),
        final_age_ms: 777,
    }
}

pub(crate) fn status() -> NodeStatus {
    NodeStatus {
        peer_id: "12D3KooWpeer".into(),
        version: "0.1.0".into(),
        network: "testing".into(),
        genesis_hash: genesis_hash(),
        devnet: true,
        ready: false,
        not_ready_because: vec!["no peers".into(), "worker 2 is starting".into()],
        global: chain_view(Chain::Global),
        workers: vec![
            WorkerView {
                core: 1,
                state: "running".into(),
                pid: Some(4711),
                restarts: 2,
                chain: Some(chain_view(Chain::Shard(SHARD))),
                reason: String::new(),
            },
            WorkerView {
                core: 2,
                state: "quarantined".into(),
                pid: None,
                restarts: 9,
                chain: None,
                reason: "ended three times within a minute".into(),
            },
        ],
        peers: 7,
        uptime_ms: 86_400_000,
    }
}

pub(crate) fn shards() -> ShardList {
    let shard = |n: u8| ShardView {
        addr: ShardAddr([n; 32]),
        row: ShardRow {
            epoch: Epoch::new(1),
            height: FrameNumber::new(u64::from(n) + 500),
            id: FrameId([n + 1; 32]),
            roots: [[n + 2; 64], [n + 3; 64], [0; 64], [0; 64]],
            size: 123_456_789_012,
        },
        members: 4,
    };
    ShardList {
        shards: vec![shard(1), shard(100)],
        global_number: FrameNumber::new(321),
    }
}

pub(crate) fn transaction(tx: TxId) -> TxView {
    TxView {
        tx,
        state: TxState::Settled,
        shard: Some(SHARD),
        shard_frame: Some(FrameNumber::new(55)),
        index: Some(3),
        fee: Some(u64::MAX),
        settled_at: Some(FrameNumber::new(66)),
    }
}

pub(crate) fn coin(index: u64) -> CoinView {
    CoinView {
        index: Some(index),
        id: CoinId([u8::try_from(index).unwrap(); 32]),
        record: vec![u8::try_from(index).unwrap(); 200],
    }
}

pub(crate) fn page(from: u64) -> CoinPage {
    CoinPage {
        coins: vec![coin(from), coin(from + 1), coin(from + 4)],
        next: from + 5,
        shard_frame: FrameNumber::new(55),
    }
}

pub(crate) fn lookup() -> CoinLookup {
    CoinLookup {
        coins: [coin(7), coin(9)]
            .map(|c| CoinView { index: None, ..c })
            .into(),
        spent: vec![true, false, true],
        shard_frame: FrameNumber::new(56),
    }
}

pub(crate) fn proof() -> ProofView {
    ProofView {
        proof: (0..=255).collect(),
        global_number: FrameNumber::new(320),
        shard_height: FrameNumber::new(54),
    }
}

pub(crate) fn genesis_hash() -> GenesisHash {
    genesis().hash()
}

/// How the node answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// With the constants.
    #[default]
    Fine,
    /// With an error.
    Fails(ApiError),
    /// Not before this time has passed.
    Slow(Duration),
    /// Never.
    Hangs,
    /// Not at all.
    Panics,
    /// With something that was not asked for.
    Lies,
}

#[derive(Default)]
pub(crate) struct Node {
    pub(crate) mood: Mutex<Mood>,
    pub(crate) ready: AtomicBool,
    /// Arguments of the calls, in order.
    pub(crate) asked: Mutex<Vec<String>>,
    /// Size of the genesis document instead of the constant one.
    pub(crate) large: Option<usize>,
}

impl Node {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn last(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }

    /// Whether to lie.
    async fn answer(&self, asked: String) -> Result<bool, ApiError> {
        self.asked.lock().unwrap().push(asked);
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Fine => Ok(false),
            Mood::Fails(error) => Err(error),
            Mood::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(false)
            }
            Mood::Hangs => pending().await,
            Mood::Panics => panic!("the node panics as told"),
            Mood::Lies => Ok(true),
        }
    }
}

#[tonic::async_trait]
impl Backend for Node {
    async fn status(&self) -> Result<NodeStatus, ApiError> {
        let mut status = status();
        if self.answer("status".into()).await? {
            // Texts of processes may contain anything.
            status.peer_id = "\u{1b}[31mred\n".into();
            status.workers[1].reason = "x".repeat(10_000);
            status.not_ready_because = vec!["r\t".into(); 1000];
        }
        Ok(status)
    }

    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ApiError> {
        let lie = self.answer(format!("frame {shard:?} {number:?}")).await?;
        let number = number.map_or(1000, FrameNumber::get);
        Ok(frame(shard, number + u64::from(lie)))
    }

    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ApiError> {
        let lie = self.answer(format!("frames {shard:?} {limit}")).await?;
        let count = u64::from(limit).min(3) + 2 * u64::from(lie);
        Ok((0..count).map(|n| frame(shard, 1000 - n)).collect())
    }

    async fn shards(&self) -> Result<ShardList, ApiError> {
        let mut list = shards();
        if self.answer("shards".into()).await? {
            list.shards = vec![list.shards[0].clone(); 257];
        }
        Ok(list)
    }

    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, ApiError> {
        self.answer(format!("submit {}", hex::encode(bundle)))
            .await?;
        Ok(TX)
    }

    async fn transaction(&self, tx: TxId) -> Result<TxView, ApiError> {
        let lie = self.answer(format!("transaction {tx}")).await?;
        Ok(transaction(if lie { TxId::ZERO } else { tx }))
    }

    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, ApiError> {
        let asked = format!("scan {domain} {:?} {from} {limit}", home.0);
        let mut page = page(from);
        if self.answer(asked).await? {
            page.coins.reverse();
        }
        Ok(page)
    }

    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, ApiError> {
        let asked = format!("coins {domain} {:?} {coins:?} {nullifiers:?}", home.0);
        let mut lookup = lookup();
        if self.answer(asked).await? {
            lookup.coins.reverse();
        }
        Ok(lookup)
    }

    async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, ApiError> {
        let mut proof = proof();
        let asked = format!("proof {shard} {}", hex::encode(key));
        if self.answer(asked).await? {
            proof.proof = vec![0; quil_api::limits::PROOF_BYTES_MAX + 1];
        }
        Ok(proof)
    }

    fn genesis(&self) -> (Arc<[u8]>, GenesisHash) {
        if let Some(size) = self.large {
            return (vec![7; size].into(), GenesisHash::ZERO);
        }
        let lie = matches!(*self.mood.lock().unwrap(), Mood::Lies);
        let document: Arc<[u8]> = if lie { b"other" } else { &GENESIS[..] }.into();
        (document, genesis_hash())
    }

    fn readiness(&self) -> Readiness {
        let ready = self.ready.load(Ordering::Relaxed);
        let reasons = if ready {
            vec![]
        } else {
            vec!["no\npeers".into()]
        };
        Readiness { ready, reasons }
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    pub(crate) node: Arc<Node>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Node::default(), ServerLimits::default()).await
    }

    pub(crate) async fn limited(limits: ServerLimits) -> Self {
        Self::with(Node::default(), limits).await
    }

    pub(crate) async fn with(node: Node, limits: ServerLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let node = Arc::new(node);
        let backend: Arc<dyn Backend> = Arc::clone(&node) as _;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stop = async { drop(stopped.await) };
            serve_with(listener, backend, stop, limits).await.unwrap();
        });
        Self {
            at,
            node,
            stop: Some(stop),
            task,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.at).await.unwrap()
    }

    pub(crate) async fn channel(&self) -> tonic::transport::Channel {
        let endpoint = tonic::transport::Endpoint::new(format!("http://{}", self.at));
        endpoint.unwrap().connect().await.unwrap()
    }

    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "", b"").await
    }

    /// One request over a connection of its own; the body has to be JSON.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> (u16, Value) {
        let answer = self.raw(method, path, content_type, body).await;
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/json");
        (status, serde_json::from_slice(answer.body()).unwrap())
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> hyper::Response<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "node");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body)));
        let stream = TcpStream::connect(self.at).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        driver.abort();
        hyper::Response::from_parts(parts, body)
    }
}

/// Limits that a test can wait for.
pub(crate) fn short() -> ServerLimits {
    let ms = Duration::from_millis;
    ServerLimits {
        first_request: ms(300),
        body: ms(300),
        work: ms(600),
        answer: ms(900),
        idle: ms(400),
        grace: ms(300),
        ..ServerLimits::default()
    }
}
