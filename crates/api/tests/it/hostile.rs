//! Clients that break rules, are slow, or are many.

use std::time::{Duration, Instant};

use quil_api::limits::REQUEST_BYTES_MAX;
use quil_api::pb::node_client::NodeClient;
use quil_api::pb::{GenesisResponse, GetGenesisRequest, StatusRequest};
use quil_api::{Client, ClientError, ServerLimits, Timeouts};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::{Mood, Node, Server, TX, short, status};

/// Sends bytes, then reads until the server closes the connection.
async fn exchange(server: &Server, bytes: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let start = Instant::now();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let all = stream.read_to_end(&mut answer);
    // A reset after the answer is as good as an end.
    let _ = tokio::time::timeout(Duration::from_secs(4), all)
        .await
        .expect("the server closes the connection");
    (
        String::from_utf8_lossy(&answer).into_owned(),
        start.elapsed(),
    )
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

async fn grpc_status(server: &Server, method: &str, body: &[u8]) -> String {
    let path = format!("/quil.v1.Node/{method}");
    let answer = server.raw("POST", &path, "application/grpc", body).await;
    let status = answer.headers().get("grpc-status").expect("an error");
    status.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn large_bodies_are_refused_by_claim_and_by_count() {
    let server = Server::start().await;
    let bytes = "application/octet-stream";
    let most = vec![0; 65_536];
    assert_eq!(server.ask("POST", "/v1/tx", bytes, &most).await.0, 202);
    for (path, content_type, size) in [
        ("/v1/tx", bytes, 65_537),
        ("/v1/tx", "application/json", 131_400),
        ("/v1/coins", "application/json", 140_000),
    ] {
        // The claim alone is enough: no byte of the body is sent.
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
             content-length: {size}\r\n\r\n"
        );
        let (answer, _) = exchange(&server, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("body.too_large"));
    }
    // Without a claim the bytes are counted.
    let mut chunked = b"POST /v1/tx HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..5 {
        chunked.extend_from_slice(b"4000\r\n");
        chunked.extend_from_slice(&[0; 0x4000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let (answer, _) = exchange(&server, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // Both claims are absurd; nothing is allocated from them.
    let head = "POST /v1/tx HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 18446744073709551615\r\n\r\n";
    let (answer, _) = exchange(&server, head.as_bytes()).await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    let claim = [0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
    assert_eq!(grpc_status(&server, "Submit", &claim).await, "11");
    let over = framed(&vec![0; REQUEST_BYTES_MAX + 1]);
    assert_eq!(grpc_status(&server, "Submit", &over).await, "11");
    assert_eq!(server.node.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn broken_protobuf_is_an_error_of_its_caller() {
    let server = Server::start().await;
    let cases: [(&str, Vec<u8>); 8] = [
        // Tag without value, length beyond the end, wrong wire type, overlong number, group.
        ("GetFrame", framed(&[0x0a])),
        ("GetFrame", framed(&[0x0a, 0x20, 1, 2])),
        ("GetFrame", framed(&[0x0d, 1, 2, 3, 4])),
        (
            "GetFrame",
            framed(&[
                0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
            ]),
        ),
        ("GetTransaction", framed(&[0x0b])),
        // Claimed length of a bundle far beyond the message.
        ("Submit", framed(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        // Message cut off inside its frame, unknown compression.
        ("Submit", vec![0, 0, 0, 0, 9, 0x0a]),
        ("Submit", vec![1, 0, 0, 0, 1, 0]),
    ];
    for (method, body) in cases {
        let status = grpc_status(&server, method, &body).await;
        assert_ne!(status, "0", "{method} {body:?}");
    }
    for (method, message) in [
        ("GetFrame", [&[0x0a, 31], [7; 31].as_slice()].concat()),
        ("GetTransaction", vec![]),
        ("GetProof", [&[0x0a, 32], [7; 32].as_slice()].concat()),
        ("ScanOutputs", vec![]),
        ("GetCoins", [&[0x0a, 33], [7; 33].as_slice()].concat()),
    ] {
        assert_eq!(
            grpc_status(&server, method, &framed(&message)).await,
            "3",
            "{method}"
        );
    }
    assert_eq!(server.node.asked.lock().unwrap().len(), 0);
    let plain = server
        .raw("POST", "/quil.v1.Node/Status", "application/json", b"{}")
        .await;
    assert_ne!(
        plain.headers().get("grpc-status").map(|s| s.as_bytes()),
        Some(b"0".as_slice())
    );
    assert_eq!(server.node.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn garbage_is_not_served_and_does_no_harm() {
    let server = Server::limited(short()).await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".as_slice(),
        b"GET\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        &[0; 4096],
    ] {
        let (answer, _) = exchange(&server, bytes).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    let mut many = b"GET /v1/status HTTP/1.1\r\nhost: x\r\n".to_vec();
    for n in 0..100 {
        many.extend_from_slice(format!("x-{n}: y\r\n").as_bytes());
    }
    many.extend_from_slice(b"\r\n");
    let (answer, _) = exchange(&server, &many).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let mut large = b"GET /v1/status HTTP/1.1\r\nhost: x\r\nx: ".to_vec();
    large.resize(100_000, b'y');
    let (answer, _) = exchange(&server, &large).await;
    assert!(
        answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(),
        "{answer}"
    );
    assert_eq!(server.client().await.status().await, Ok(status()));
}

#[tokio::test]
async fn silence_and_half_requests_end() {
    let server = Server::limited(short()).await;
    let heads: [&[u8]; 5] = [
        b"",
        b"G",
        b"PRI * HTT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nhost: x\r\n",
    ];
    let all = heads.map(|head| exchange(&server, head));
    for (answer, time) in futures::future::join_all(all).await {
        assert!(!answer.contains(" 200 "), "{answer}");
        assert!(time >= Duration::from_millis(250), "{time:?}");
        assert!(time < Duration::from_millis(1500), "{time:?}");
    }
}

#[tokio::test]
async fn slow_body_is_given_up() {
    let server = Server::limited(short()).await;
    let head = b"POST /v1/tx HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\n\
        content-length: 100\r\n\r\nfew";
    let (answer, time) = exchange(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("body.slow"));
    assert!(time < Duration::from_secs(2), "{time:?}");
    let head =
        b"POST /quil.v1.Node/Submit HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc\r\n\
        content-length: 100\r\n\r\n\0\0\0\0\x5f";
    let (answer, _) = exchange(&server, head).await;
    assert!(answer.contains("quil-code: unavailable"), "{answer}");
}

#[tokio::test]
async fn reader_that_does_not_read_is_cut_off() {
    let node = Node {
        large: Some(4 * 1024 * 1024),
        ..Node::default()
    };
    let limits = ServerLimits {
        requests: 1,
        ..short()
    };
    let server = Server::with(node, limits).await;
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    stream
        .write_all(b"GET /v1/genesis HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The only place is taken as long as the answer is.
    assert_eq!(server.get("/v1/status").await.0, 429);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(server.get("/v1/status").await.0, 200);
    let mut got = Vec::new();
    let _ = stream.read_to_end(&mut got).await;
    assert!(got.len() < 8 * 1024 * 1024, "cut off");
}

#[tokio::test]
async fn stream_that_is_not_read_is_cut_off() {
    let node = Node {
        large: Some(4 * 1024 * 1024),
        ..Node::default()
    };
    let limits = ServerLimits {
        requests: 1,
        ..short()
    };
    let server = Server::with(node, limits).await;
    let endpoint = tonic::transport::Endpoint::new(format!("http://{}", server.at))
        .unwrap()
        .initial_stream_window_size(65_535);
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap())
        .max_decoding_message_size(8 * 1024 * 1024);
    grpc.ready().await.unwrap();
    let path = "/quil.v1.Node/GetGenesis".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<GetGenesisRequest, GenesisResponse>::default();
    let request = tonic::Request::new(GetGenesisRequest {});
    let answer = grpc.server_streaming(request, path, codec).await;
    let mut answer = answer.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The window is full and the only place taken.
    assert_eq!(server.get("/v1/status").await.0, 429);
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert_eq!(server.get("/v1/status").await.0, 200);
    assert!(answer.message().await.is_err(), "cut off");
}

#[tokio::test]
async fn large_header_lists_are_refused() {
    let server = Server::start().await;
    let mut c = NodeClient::new(server.channel().await);
    // Sent once and then repeated by reference: small on the wire, large when decoded.
    for (count, fits) in [(10, true), (40, false)] {
        let mut request = tonic::Request::new(StatusRequest {});
        for _ in 0..count {
            let value = "v".repeat(1000).parse().unwrap();
            request.metadata_mut().append("k", value);
        }
        let answer = c.status(request).await;
        assert_eq!(answer.is_ok(), fits, "{answer:?}");
    }
    assert_eq!(server.client().await.status().await, Ok(status()));
}

#[tokio::test]
async fn streams_have_places_of_their_own() {
    let server = Server::limited(ServerLimits {
        requests: 1,
        streams: 1,
        ..ServerLimits::default()
    })
    .await;
    let mut health = HealthClient::new(server.channel().await);
    let ask = HealthCheckRequest::default;
    let held = health.watch(ask()).await.unwrap();
    let busy = health.watch(ask()).await.unwrap_err();
    assert_eq!(busy.code(), tonic::Code::ResourceExhausted);
    assert!(health.check(ask()).await.is_ok());
    assert_eq!(server.get("/v1/status").await.0, 200);
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(health.watch(ask()).await.is_ok());
}

#[tokio::test]
async fn largest_document_is_read_whole_both_ways() {
    let size = 4 * 1024 * 1024;
    let node = Node {
        large: Some(size),
        ..Node::default()
    };
    let server = Server::with(node, ServerLimits::default()).await;
    let text = Client::rest_get(server.at, "/v1/genesis").await.unwrap();
    assert!(text.len() > 2 * size);
    // It arrived whole: only its hash is wrong.
    assert_eq!(
        server.client().await.genesis().await,
        Err(ClientError::Malformed(
            "hash does not fit the rest of the answer".into()
        ))
    );
}

#[tokio::test]
async fn requests_beyond_the_places_are_busy() {
    let server = Server::limited(ServerLimits {
        requests: 2,
        ..ServerLimits::default()
    })
    .await;
    server.node.set(Mood::Slow(Duration::from_millis(500)));
    let c = server.client().await;
    let (a, b, late) = tokio::join!(c.status(), c.status(), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (c.status().await, server.get("/v1/status").await)
    });
    assert_eq!((a, b), (Ok(status()), Ok(status())));
    let (grpc, (http, json)) = late;
    assert!(matches!(grpc, Err(ClientError::Api { code, .. }) if code == "busy"));
    assert_eq!((http, &json["code"]), (429, &json!("busy")));
    assert_eq!(c.status().await, Ok(status()));
}

#[tokio::test]
async fn connections_beyond_the_places_wait() {
    let server = Server::limited(ServerLimits {
        connections: 1,
        ..ServerLimits::default()
    })
    .await;
    let first = TcpStream::connect(server.at).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = server.get("/livez");
    tokio::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err());
    drop(first);
    assert_eq!(second.await.0, 200);
}

#[tokio::test]
async fn node_that_hangs_or_panics_costs_one_request() {
    let server = Server::limited(short()).await;
    server.node.set(Mood::Hangs);
    let (status, json) = server.get("/v1/status").await;
    assert_eq!((status, &json["code"]), (503, &json!("unavailable")));
    let c = server.client().await;
    assert_eq!(
        c.transaction(TX).await.map(drop),
        Err(ClientError::Api {
            code: "unavailable".into(),
            message: "no answer in time".into()
        })
    );
    let timeouts = Timeouts {
        call: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let hasty = Client::connect_with(server.at, timeouts).await.unwrap();
    assert_eq!(hasty.status().await, Err(ClientError::Timeout));
    server.node.set(Mood::Panics);
    assert!(c.status().await.is_err());
    let (answer, _) = exchange(&server, b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.is_empty());
    server.node.set(Mood::Fine);
    assert_eq!(server.get("/v1/status").await.0, 200);
    assert_eq!(c.status().await, Ok(crate::fixture::status()));
}

#[tokio::test]
async fn idle_and_old_connections_end() {
    let server = Server::limited(ServerLimits {
        age: Duration::from_millis(700),
        ..short()
    })
    .await;
    let once = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let (answer, time) = exchange(&server, once).await;
    assert!(answer.contains(" 200 "));
    assert!(time < Duration::from_secs(2), "{time:?}");
    let mut stream = TcpStream::connect(server.at).await.unwrap();
    let start = Instant::now();
    let mut buffer = vec![0; 4096];
    while stream.write_all(once).await.is_ok() {
        if !matches!(stream.read(&mut buffer).await, Ok(1..)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(start.elapsed() < Duration::from_secs(3), "still served");
    }
    assert!(start.elapsed() >= Duration::from_millis(600));
}
