//! The same wallet over the real wire, and documents as programs see them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quil_api::backend::{
    CoinLookup, CoinPage, FrameView, NodeStatus, ProofView, Readiness, ShardList, TxView,
};
use quil_api::{ApiError, Backend, Client};
use quil_client::node::{NodeClient, NodeError, connect, load_genesis};
use quil_client::{Document, Output, SessionOptions, Standing, WaitFor, WalletSession};
use quil_client::{chain, token};
use quil_keys::Amount;
use quil_types::bundle::Home;
use quil_types::{Canonical, CoinId, Domain, FrameNumber, GenesisHash, Nullifier, ShardAddr, TxId};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::fake::{FakeNode, account, faucet};

struct Served(FakeNode);

fn error(e: NodeError) -> ApiError {
    match e {
        NodeError::Rejected(code) => ApiError::Rejected(code),
        NodeError::NotFound(m) => ApiError::NotFound(m),
        NodeError::Invalid(m) => ApiError::Invalid(m),
        NodeError::Busy => ApiError::Busy,
        other => ApiError::NotReady(other.to_string()),
    }
}

#[tonic::async_trait]
impl Backend for Served {
    async fn status(&self) -> Result<NodeStatus, ApiError> {
        self.0.status().await.map_err(error)
    }
    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ApiError> {
        self.0.frame(shard, number).await.map_err(error)
    }
    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ApiError> {
        self.0.frames(shard, limit).await.map_err(error)
    }
    async fn shards(&self) -> Result<ShardList, ApiError> {
        self.0.shards().await.map_err(error)
    }
    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, ApiError> {
        self.0.submit(bundle).await.map_err(error)
    }
    async fn transaction(&self, tx: TxId) -> Result<TxView, ApiError> {
        self.0.transaction(tx).await.map_err(error)
    }
    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, ApiError> {
        self.0.scan(domain, home, from, limit).await.map_err(error)
    }
    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, ApiError> {
        let found = self.0.coins(domain, home, coins, nullifiers).await;
        found.map_err(error)
    }
    async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, ApiError> {
        self.0.proof(shard, key).await.map_err(error)
    }
    fn genesis(&self) -> (Arc<[u8]>, GenesisHash) {
        let document = self.0.genesis_document().encode();
        (document.into(), self.0.genesis_hash())
    }
    fn readiness(&self) -> Readiness {
        Readiness {
            ready: true,
            reasons: Vec::new(),
        }
    }
}

/// A node behind a socket whose time runs.
struct Live {
    at: SocketAddr,
    node: FakeNode,
    clock: AbortHandle,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

async fn serve(seed: u64) -> Live {
    let node = FakeNode::new(seed);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let backend: Arc<dyn Backend> = Arc::new(Served(node.clone()));
    tokio::spawn(quil_api::serve(listener, backend, std::future::pending()));
    let running = node.clone();
    let clock = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.run(100);
        }
    });
    let clock = clock.abort_handle();
    Live { at, node, clock }
}

fn json(doc: &Document) -> Value {
    serde_json::from_str(&doc.render(Output::Json)).unwrap()
}

fn within(standing: Standing) -> WaitFor {
    WaitFor::new(standing, Duration::from_secs(20))
}

#[tokio::test]
async fn mint_send_and_balance_over_the_wire() {
    let live = serve(30).await;
    let client = connect(live.at).await.unwrap();
    let (genesis, bytes) = load_genesis(&client, None).await.unwrap();
    assert_eq!(bytes, live.node.genesis_document().encode());
    let options = SessionOptions::default;
    let open = |who| WalletSession::open(client.clone(), who, &genesis, options());
    let (mut f, mut a) = (
        open(faucet()).await.unwrap(),
        open(account(2)).await.unwrap(),
    );
    let (alice, bob) = (*a.address(), *account(3).address());

    let minted = token::mint(
        &mut f,
        &alice,
        "1".parse().unwrap(),
        within(Standing::Final),
    );
    let minted = json(&minted.await.unwrap());
    assert_eq!(minted["schema"], "quil.sent/1");
    assert_eq!(
        minted["amount"],
        serde_json::json!({"amount": "1", "unit": "QUIL"})
    );
    assert_eq!(minted["state"], "final");

    let sent = token::send(
        &mut a,
        &bob,
        "0.25".parse().unwrap(),
        within(Standing::Settled),
    );
    let sent = sent.await.unwrap();
    let doc = json(&sent);
    assert_eq!(doc["to"], bob.to_string());
    assert_eq!(doc["inputs"], 1);
    let states: Vec<_> = doc["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["state"])
        .collect();
    assert_eq!(
        (states[0], *states.last().unwrap()),
        (&"accepted".into(), &"settled".into())
    );
    let human = sent.render(Output::Human);
    assert!(
        human.contains("0.25 QUIL") && human.contains("settled"),
        "{human}"
    );

    holds_what_is_left(&mut a, &doc).await;
    let tx = chain::parse_id("transaction", doc["tx"].as_str().unwrap()).unwrap();
    let shown = json(&chain::transaction(&client, TxId(tx)).await.unwrap());
    let head = (&shown["schema"], &shown["state"]);
    assert_eq!(head, (&"quil.transaction/1".into(), &"settled".into()));
    let merged = token::merge(&mut a, WaitFor::default()).await.unwrap_err();
    assert_eq!((merged.exit_code(), merged.code), (7, "funds.whole"));
}

/// One QUIL less what was sent, as one coin.
async fn holds_what_is_left(a: &mut WalletSession<Client>, doc: &Value) {
    let balance = json(&token::balance(a).await.unwrap());
    assert_eq!(balance["schema"], "quil.balance/1");
    assert_eq!(balance["address"], a.address().to_string());
    let amount = |v: &Value| {
        v["amount"]
            .as_str()
            .unwrap()
            .parse::<Amount>()
            .unwrap()
            .units()
    };
    let left = amount(&balance["balance"]);
    assert_eq!(
        left + amount(&doc["fee"]) + amount(&doc["amount"]),
        8_000_000_000
    );
    let coins = token::coins(a, None).await.unwrap();
    let rows = json(&coins)["coins"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&rows[0]["pending"], &rows[0]["proven_at"]),
        (&Value::Null, &Value::Null)
    );
    assert!(coins.render(Output::Human).contains("AMOUNT"));
}

#[tokio::test]
async fn chain_documents_are_those_of_the_rest_side() {
    let live = serve(31).await;
    live.clock.abort();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let client = connect(live.at).await.unwrap();
    let shard = ShardAddr(live.node.genesis_document().token.domain.0);
    let rest = |path: String| async move {
        let bytes = Client::rest_get(live.at, &path).await.unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let (mut own, mut other) = (
        json(&chain::status(&client, true).await.unwrap()),
        rest("/v1/status".to_owned()).await,
    );
    for status in [&mut own, &mut other] {
        status.as_object_mut().unwrap().remove("uptime_ms").unwrap();
    }
    assert_eq!(own, other);
    let own = json(&chain::frame(&client, None, None).await.unwrap());
    assert_eq!(own, rest("/v1/frames/latest".to_owned()).await);
    let own = json(&chain::frame(&client, Some(shard), None).await.unwrap());
    assert_eq!(own, rest(format!("/v1/frames/latest?shard={shard}")).await);
    assert!(own["anchor"]["number"].is_u64());
    let own = json(&chain::frames(&client, Some(shard), 3).await.unwrap());
    assert_eq!(own, rest(format!("/v1/frames?shard={shard}&limit=3")).await);
    let own = json(&chain::shards(&client).await.unwrap());
    assert_eq!(own, rest("/v1/shards".to_owned()).await);
}

#[tokio::test]
async fn people_see_short_tables() {
    let live = serve(32).await;
    let client = connect(live.at).await.unwrap();
    let frame = chain::frame(&client, None, None)
        .await
        .unwrap()
        .render(Output::Human);
    assert!(frame.starts_with("time "), "{frame}");
    assert!(
        !frame.contains("state_roots") && !frame.contains("header"),
        "{frame}"
    );
    let shards = chain::shards(&client).await.unwrap().render(Output::Human);
    let head = shards.lines().nth(1).unwrap();
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["ADDR", "EPOCH", "HEIGHT", "MEMBERS", "SIZE"]
    );
    let status = chain::status(&client, false)
        .await
        .unwrap()
        .render(Output::Human);
    assert!(
        status.contains("global") && status.contains("final "),
        "{status}"
    );
}

#[tokio::test]
async fn unknown_objects_and_closed_ports_have_their_exit_codes() {
    let live = serve(33).await;
    let client = connect(live.at).await.unwrap();
    let unknown = chain::transaction(&client, TxId([1; 32]))
        .await
        .unwrap_err();
    assert_eq!((unknown.exit_code(), unknown.code), (7, "tx.unknown"));
    let far = Some(FrameNumber::new(1 << 40));
    let far = chain::frame(&client, None, far).await.unwrap_err();
    assert_eq!((far.exit_code(), far.code), (7, "not_found"));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = closed.local_addr().unwrap();
    drop(closed);
    assert!(matches!(connect(at).await, Err(NodeError::Unreachable(_))));
    assert_eq!(chain::parse_id("shard", "zz").unwrap_err().exit_code(), 2);
    assert_eq!(chain::parse_number("latest"), Ok(None));
    assert_eq!(chain::parse_number("7"), Ok(Some(FrameNumber::new(7))));
    assert_eq!(chain::parse_number("-7").unwrap_err().exit_code(), 2);
}
