//! Every resource by plain HTTP.

use std::sync::atomic::Ordering;

use quil_api::backend::{ChainView, CoinView, FrameView};
use quil_api::{Client, ClientError};
use quil_types::{Canonical as _, Chain, StateRoots, TxId};
use serde_json::{Value, json};

use crate::fixture::{
    DOMAIN, GENESIS, SHARD, Server, TX, chain_view, frame, genesis_hash, lookup, page, proof,
    shards, status,
};

fn shard_json(chain: Chain) -> Value {
    match chain {
        Chain::Global => Value::Null,
        Chain::Shard(addr) => json!(addr.to_string()),
    }
}

fn chain_json(c: ChainView) -> Value {
    json!({
        "shard": shard_json(c.chain), "head": c.head.get(), "final": c.final_number.get(), "epoch": c.epoch.get(),
        "rank": c.rank.get(), "final_age_ms": c.final_age_ms,
    })
}

fn roots_json(roots: &StateRoots) -> Vec<String> {
    roots.iter().map(hex::encode).collect()
}

fn frame_json(f: &FrameView) -> Value {
    let h = &f.header;
    json!({
        "shard": shard_json(h.chain), "number": h.number.get(), "id": h.id().to_string(), "epoch": h.epoch.get(),
        "rank": h.rank.get(), "timestamp_ms": h.timestamp.get(), "parent": h.parent.to_string(),
        "proposer": h.proposer.to_string(), "items": f.items,
        "anchor": h.anchor.map(|a| json!({ "number": a.number.get(), "id": a.id.to_string() })),
        "multiplier": h.multiplier, "state_roots": roots_json(&h.state_roots),
        "shards_root": hex::encode(h.shards_root), "beacon": h.beacon.to_string(), "header": hex::encode(h.encode()),
    })
}

fn with_schema(schema: &str, mut value: Value) -> Value {
    value["schema"] = json!(schema);
    value
}

fn coins_json(coins: &[CoinView]) -> Vec<Value> {
    let coin = |c: &CoinView| json!({ "index": c.index, "coin_id": c.id.to_string(), "record": hex::encode(&c.record) });
    coins.iter().map(coin).collect()
}

#[tokio::test]
async fn status_equals_what_the_node_gave() {
    let server = Server::start().await;
    let s = status();
    let expected = json!({
        "schema": "quil.status/1", "ready": false, "not_ready_because": s.not_ready_because, "peer_id": s.peer_id,
        "version": s.version, "network": s.network, "genesis_hash": s.genesis_hash.to_string(), "devnet": true,
        "global": chain_json(s.global), "peers": 7, "uptime_ms": 86_400_000,
        "workers": [
            { "core": 1, "state": "running", "pid": 4711, "restarts": 2,
              "chain": chain_json(chain_view(Chain::Shard(SHARD))), "reason": "" },
            { "core": 2, "state": "quarantined", "pid": null, "restarts": 9, "chain": null,
              "reason": "ended three times within a minute" },
        ],
    });
    assert_eq!(server.get("/v1/status").await, (200, expected));
}

#[tokio::test]
async fn frames_equal_what_the_node_gave() {
    let server = Server::start().await;
    let latest = with_schema("quil.frame/1", frame_json(&frame(None, 1000)));
    assert_eq!(server.get("/v1/frames/latest").await, (200, latest));
    let one = with_schema("quil.frame/1", frame_json(&frame(Some(SHARD), 12)));
    let path = format!("/v1/frames/12?shard={SHARD}");
    assert_eq!(server.get(&path).await, (200, one));
    let both = [frame(Some(SHARD), 1000), frame(Some(SHARD), 999)];
    let both: Vec<_> = both.iter().map(frame_json).collect();
    let path = format!("/v1/frames?limit=2&shard={SHARD}");
    let expected = json!({ "schema": "quil.frames/1", "frames": both });
    assert_eq!(server.get(&path).await, (200, expected));
    server.get("/v1/frames").await;
    assert_eq!(server.node.last(), "frames None 16");
}

#[tokio::test]
async fn shards_equal_what_the_node_gave() {
    let server = Server::start().await;
    let list = shards();
    let rows: Vec<_> = list
        .shards
        .iter()
        .map(|s| {
            json!({
                "addr": s.addr.to_string(), "epoch": s.row.epoch.get(), "height": s.row.height.get(),
                "id": s.row.id.to_string(), "roots": roots_json(&s.row.roots), "size": s.row.size, "members": 4,
            })
        })
        .collect();
    let expected = json!({ "schema": "quil.shards/1", "global_number": 321, "shards": rows });
    assert_eq!(server.get("/v1/shards").await, (200, expected));
}

#[tokio::test]
async fn bundle_is_taken_as_bytes_and_as_json() {
    let server = Server::start().await;
    let expected = json!({ "schema": "quil.submitted/1", "tx": TX.to_string() });
    for (content_type, body) in [
        ("application/octet-stream", b"\x01\x02\xff".as_slice()),
        ("application/json", br#"{"bundle":"0102ff"}"#),
        (
            "Application/JSON; charset=utf-8",
            br#" { "bundle" : "0102ff" } "#,
        ),
        ("application/json", br#"{"bundle":"\u0030102ff"}"#),
    ] {
        let answer = server.ask("POST", "/v1/tx", content_type, body).await;
        assert_eq!(answer, (202, expected.clone()));
        assert_eq!(server.node.last(), "submit 0102ff");
    }
}

#[tokio::test]
async fn transaction_equals_what_the_node_gave() {
    let server = Server::start().await;
    let id = TxId([0xc3; 32]);
    // The largest amount does not fit a number that every reader of JSON keeps.
    let expected = json!({
        "schema": "quil.tx/1", "tx": id.to_string(), "state": "settled", "shard": SHARD.to_string(), "shard_frame": 55,
        "index": 3, "fee": "18446744073709551615", "settled_at": 66,
    });
    assert_eq!(server.get(&format!("/v1/tx/{id}")).await, (200, expected));
}

#[tokio::test]
async fn outputs_and_coins_equal_what_the_node_gave() {
    let server = Server::start().await;
    let path = format!("/v1/outputs?domain={DOMAIN}&home=beef&from=5&limit=10");
    let expected = json!({
        "schema": "quil.outputs/1", "coins": coins_json(&page(5).coins), "next": 10, "shard_frame": 55,
    });
    assert_eq!(server.get(&path).await, (200, expected));
    let asked = format!("scan {DOMAIN} [190, 239] 5 10");
    assert_eq!(server.node.last(), asked);
    server.get(&format!("/v1/outputs?domain={DOMAIN}")).await;
    let asked = format!("scan {DOMAIN} [0, 0] 0 256");
    assert_eq!(server.node.last(), asked);

    let one = "07".repeat(32);
    let two = "09".repeat(32);
    let body = json!({ "domain": DOMAIN.to_string(), "home": "beef", "coins": [one], "nullifiers": [one, two] });
    let body = serde_json::to_vec(&body).unwrap();
    let expected = json!({
        "schema": "quil.coins/1", "coins": coins_json(&lookup().coins), "spent": [true, false, true], "shard_frame": 56,
    });
    let answer = server
        .ask("POST", "/v1/coins", "application/json", &body)
        .await;
    assert_eq!(answer, (200, expected));
    let last = server.node.last();
    assert!(last.starts_with(&format!(
        "coins {DOMAIN} [190, 239] [CoinId(07070707..)] [Null"
    )));
    let body = format!(r#"{{"domain":"{DOMAIN}"}}"#);
    let answer = server
        .ask("POST", "/v1/coins", "application/json", body.as_bytes())
        .await;
    assert_eq!(answer.0, 200);
    assert_eq!(server.node.last(), format!("coins {DOMAIN} [0, 0] [] []"));
}

#[tokio::test]
async fn proof_and_genesis_equal_what_the_node_gave() {
    let server = Server::start().await;
    let key = "5e".repeat(64);
    let expected = json!({
        "schema": "quil.proof/1", "proof": hex::encode(proof().proof), "global_number": 320, "shard_height": 54,
    });
    let path = format!("/v1/proofs/{SHARD}/{key}");
    assert_eq!(server.get(&path).await, (200, expected));
    assert_eq!(server.node.last(), format!("proof {SHARD} {key}"));
    let expected = json!({
        "schema": "quil.genesis/1", "hash": genesis_hash().to_string(), "genesis": hex::encode(&*GENESIS),
    });
    for _ in 0..2 {
        assert_eq!(server.get("/v1/genesis").await, (200, expected.clone()));
    }
}

#[tokio::test]
async fn probes_tell_life_and_readiness() {
    let server = Server::start().await;
    let live = json!({ "schema": "quil.live/1", "live": true });
    assert_eq!(server.get("/livez").await, (200, live.clone()));
    let not = json!({ "schema": "quil.ready/1", "ready": false, "reasons": ["no peers"] });
    assert_eq!(server.get("/readyz").await, (503, not));
    server.node.ready.store(true, Ordering::Relaxed);
    let ready = json!({ "schema": "quil.ready/1", "ready": true, "reasons": [] });
    assert_eq!(server.get("/readyz").await, (200, ready));
    assert_eq!(server.get("/livez").await, (200, live));
}

#[tokio::test]
async fn wrong_questions_are_named_and_never_reach_the_node() {
    let server = Server::start().await;
    let upper = "A1".repeat(32);
    let key = "5e".repeat(64);
    let cases = [
        ("/v1/status?x=1".to_owned(), "unknown parameter `x`"),
        ("/v1/shards?limit=1".into(), "`limit`"),
        ("/livez?verbose".into(), "`verbose`"),
        ("/readyz?verbose".into(), "`verbose`"),
        ("/v1/genesis?a".into(), "`a`"),
        (format!("/v1/tx/{TX}?b=1"), "`b`"),
        (format!("/v1/proofs/{SHARD}/{key}?c=1"), "`c`"),
        (format!("/v1/frames/1?sharp={SHARD}"), "`sharp`"),
        ("/v1/frames?limit=1&limit=2".into(), "limit is given twice"),
        ("/v1/frames?limit=0".into(), "at least 1"),
        ("/v1/frames?limit=65".into(), "at most 64"),
        ("/v1/frames?limit=".into(), "decimal"),
        ("/v1/frames?limit=+1".into(), "decimal"),
        ("/v1/frames?limit=01".into(), "decimal"),
        ("/v1/frames?limit=1e1".into(), "decimal"),
        ("/v1/frames?limit=%31".into(), "decimal"),
        ("/v1/frames?%6Cimit=1".into(), "`%6Cimit`"),
        ("/v1/frames/last".into(), "frame number"),
        ("/v1/frames/-1".into(), "frame number"),
        ("/v1/frames/18446744073709551616".into(), "frame number"),
        ("/v1/frames/1?shard=a1".into(), "shard: 64 lowercase"),
        (format!("/v1/frames/1?shard={upper}"), "shard: 64 lowercase"),
        (format!("/v1/frames/1?shard={SHARD}0"), "shard: 64"),
        ("/v1/frames/1?shard=".into(), "shard: 64"),
        ("/v1/tx/7".into(), "transaction: 64"),
        (format!("/v1/tx/{}g", "0".repeat(63)), "transaction: 64"),
        ("/v1/tx/%ff".into(), "not text"),
        ("/v1/outputs".into(), "domain is missing"),
        (format!("/v1/outputs?domain={DOMAIN}&home=1"), "home: 4"),
        (format!("/v1/outputs?domain={DOMAIN}&limit=1025"), "1024"),
        (format!("/v1/outputs?domain={DOMAIN}&from=x"), "from:"),
        (format!("/v1/proofs/{SHARD}/00"), "key: 128"),
        (format!("/v1/proofs/00/{key}"), "shard: 64"),
        (format!("/v1/frames?{}", "z".repeat(1000)), &"z".repeat(32)),
    ];
    for (path, part) in &cases {
        let (status, json) = server.get(path).await;
        assert_eq!((status, &json["code"]), (400, &json!("invalid")), "{path}");
        assert_eq!(json["schema"], "quil.error/1");
        let message = json["message"].as_str().unwrap();
        assert!(message.contains(part), "{path}: {message}");
        assert!(message.len() < 200);
    }
    assert_eq!(server.node.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn wrong_bodies_are_refused_and_never_reach_the_node() {
    let server = Server::start().await;
    let json = "application/json";
    let long = format!(r#"{{"domain":"{DOMAIN}","coins":[{}]}}"#, {
        let one = format!("\"{}\"", "07".repeat(32));
        vec![one; 1025].join(",")
    });
    let deep = "[".repeat(10_000);
    let too_much = format!(r#"{{"bundle":"{}"}}"#, "00".repeat(65_537));
    let cases = [
        ("/v1/tx", json, "", "EOF"),
        ("/v1/tx", json, "{}", "missing field"),
        ("/v1/tx", json, r#"{"bundle":"0"}"#, "hexadecimal"),
        ("/v1/tx", json, r#"{"bundle":"0G"}"#, "hexadecimal"),
        ("/v1/tx", json, r#"{"bundle":"0A"}"#, "lowercase"),
        ("/v1/tx", json, r#"{"bundle":12}"#, "invalid type"),
        ("/v1/tx", json, r#"{"bundle":"00","x":1}"#, "unknown field"),
        ("/v1/tx", json, r#"{"bundle":"00"}}"#, "trailing"),
        (
            "/v1/tx",
            json,
            r#"{"bundle":"00","bundle":"00"}"#,
            "duplicate",
        ),
        ("/v1/tx", json, &too_much, "at most 65536"),
        ("/v1/tx", json, &deep, "invalid type"),
        ("/v1/coins", json, "{}", "missing field `domain`"),
        ("/v1/coins", json, r#"{"domain":"00"}"#, "64 lowercase"),
        ("/v1/coins", json, &long, "at most 1024"),
        ("/v1/coins", json, "\u{7f}", "expected value"),
    ];
    for (path, content_type, body, part) in cases {
        let (status, answer) = server
            .ask("POST", path, content_type, body.as_bytes())
            .await;
        let shown: String = body.chars().take(40).collect();
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("invalid")),
            "{shown}"
        );
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(part), "{shown}: {message}");
    }
    for (path, content_type) in [
        ("/v1/tx", ""),
        ("/v1/tx", "text/plain"),
        ("/v1/tx", "application/x-www-form-urlencoded"),
        ("/v1/coins", "application/octet-stream"),
    ] {
        let (status, answer) = server.ask("POST", path, content_type, b"{}").await;
        assert_eq!((status, &answer["code"]), (415, &json!("body.type")));
    }
    assert_eq!(server.node.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_documents_too() {
    let server = Server::start().await;
    for path in ["/", "/v1", "/v1/", "/v1/status/", "/v2/status", "/v1/tx/"] {
        let (status, json) = server.get(path).await;
        assert_eq!(
            (status, &json["code"]),
            (404, &json!("route.unknown")),
            "{path}"
        );
    }
    for (method, path) in [
        ("POST", "/v1/status"),
        ("DELETE", "/v1/tx"),
        ("GET", "/v1/tx"),
    ] {
        let (status, json) = server.ask(method, path, "", b"").await;
        assert_eq!(
            (status, &json["code"]),
            (405, &json!("route.method")),
            "{path}"
        );
    }
    let head = server.raw("HEAD", "/v1/status", "", b"").await;
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    assert_eq!(head.headers()["cache-control"], "no-store");
    assert_eq!(head.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn schema_is_the_first_member_of_every_document() {
    let server = Server::start().await;
    let key = "5e".repeat(64);
    for path in [
        "/v1/status".to_owned(),
        "/v1/frames".into(),
        "/v1/frames/1".into(),
        "/v1/shards".into(),
        format!("/v1/tx/{TX}"),
        format!("/v1/outputs?domain={DOMAIN}"),
        format!("/v1/proofs/{SHARD}/{key}"),
        "/v1/genesis".into(),
        "/livez".into(),
        "/readyz".into(),
        "/nowhere".into(),
    ] {
        let answer = server.raw("GET", &path, "", b"").await;
        assert!(answer.body().starts_with(br#"{"schema":"quil."#), "{path}");
    }
}

#[tokio::test]
async fn client_reads_resources_and_errors() {
    let server = Server::start().await;
    let text = Client::rest_get(server.at, "/v1/shards").await.unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(json["schema"], "quil.shards/1");
    let api = |code: &str, message: &str| ClientError::Api {
        code: code.into(),
        message: message.into(),
    };
    assert_eq!(
        Client::rest_get(server.at, "/v1/nothing").await,
        Err(api("route.unknown", "no such resource"))
    );
    // A document without a code word.
    let Err(ClientError::Api { code, .. }) = Client::rest_get(server.at, "/readyz").await else {
        panic!("not ready");
    };
    assert_eq!(code, "http.503");
    for path in ["", "v1/status", "http://x/v1/status", "/a b", "/\r\nx: y"] {
        let refused = Client::rest_get(server.at, path).await;
        assert_eq!(refused, Err(api("invalid", "not a path")), "{path:?}");
    }
}
