//! Answers of hostile nodes: whatever they send, the client says what is wrong.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use prost::Message as _;
use quil_api::pb::node_client::NodeClient;
use quil_api::{Client, ClientError, Timeouts, pb};
use quil_types::{CoinId, Nullifier};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fixture::{DOMAIN, SHARD, Server, TX};

const HOME: quil_types::bundle::Home = quil_types::bundle::Home([0, 0]);

/// Answers every gRPC call with the same message.
#[derive(Clone, Default)]
struct Parrot(Arc<Mutex<Bytes>>);

impl Parrot {
    fn say(&self, message: &[u8]) {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let framed = [&[0], length.as_slice(), message].concat();
        *self.0.lock().unwrap() = framed.into();
    }

    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let this = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let this = this.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |_| {
                        let data = this.0.lock().unwrap().clone();
                        async move { Ok::<_, Infallible>(answer(data)) }
                    });
                    let http = auto::Builder::new(TokioExecutor::new());
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        at
    }
}

type Frames = futures::stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, Infallible>, 2>>;

fn answer(data: Bytes) -> Response<StreamBody<Frames>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let frames = [Ok(Frame::data(data)), Ok(Frame::trailers(trailers))];
    Response::builder()
        .header("content-type", "application/grpc")
        .body(StreamBody::new(futures::stream::iter(frames)))
        .unwrap()
}

/// Every method with an answer that is right for it.
async fn right_answers() -> Vec<(&'static str, Vec<u8>)> {
    let server = Server::start().await;
    let mut c = NodeClient::new(server.channel().await);
    let shard = Bytes::copy_from_slice(&SHARD.0);
    let domain = Bytes::copy_from_slice(&DOMAIN.0);
    let frame = pb::GetFrameRequest {
        shard: shard.clone(),
        number: None,
    };
    let frames = pb::ListFramesRequest {
        shard: shard.clone(),
        limit: 2,
    };
    let tx = pb::GetTransactionRequest {
        tx: Bytes::copy_from_slice(&TX.0),
    };
    let scan = pb::ScanOutputsRequest {
        domain: domain.clone(),
        home: Bytes::new(),
        from: 5,
        limit: 10,
    };
    let coins = pb::GetCoinsRequest {
        domain,
        home: Bytes::new(),
        coins: vec![],
        nullifiers: vec![],
    };
    let proof = pb::GetProofRequest {
        shard,
        key: Bytes::from_static(&[6; 64]),
    };
    macro_rules! answers {
        ($($name:literal: $method:ident($request:expr)),* $(,)?) => {
            vec![$(($name, c.$method($request).await.unwrap().into_inner().encode_to_vec())),*]
        };
    }
    answers![
        "status": status(pb::StatusRequest {}),
        "frame": get_frame(frame),
        "frames": list_frames(frames),
        "shards": list_shards(pb::ListShardsRequest {}),
        "submit": submit(pb::SubmitRequest { bundle: Bytes::new() }),
        "transaction": get_transaction(tx),
        "scan": scan_outputs(scan),
        "coins": get_coins(coins),
        "proof": get_proof(proof),
        "genesis": get_genesis(pb::GetGenesisRequest {}),
    ]
}

/// Whether the client took the answer.
async fn call(c: &Client, method: &str) -> Result<(), ClientError> {
    let coins = [CoinId([7; 32]), CoinId([9; 32])];
    let nullifiers = [Nullifier::ZERO; 3];
    match method {
        "status" => c.status().await.map(drop),
        "frame" => c.frame(Some(SHARD), None).await.map(drop),
        "frames" => c.frames(Some(SHARD), 2).await.map(drop),
        "shards" => c.shards().await.map(drop),
        "submit" => c.submit(vec![]).await.map(drop),
        "transaction" => c.transaction(TX).await.map(drop),
        "scan" => c.scan(DOMAIN, HOME, 5, 10).await.map(drop),
        "coins" => c.coins(DOMAIN, HOME, &coins, &nullifiers).await.map(drop),
        "proof" => c.proof(SHARD, [6; 64]).await.map(drop),
        "genesis" => c.genesis().await.map(drop),
        other => panic!("{other}"),
    }
}

fn taken_or_malformed(method: &str, outcome: &Result<(), ClientError>) {
    let expected = matches!(outcome, Ok(()) | Err(ClientError::Malformed(_)));
    assert!(expected, "{method}: {outcome:?}");
}

#[tokio::test]
async fn bent_and_cut_answers_are_taken_or_refused_but_nothing_worse() {
    let parrot = Parrot::default();
    let c = Client::connect(parrot.start().await).await.unwrap();
    for (method, right) in right_answers().await {
        parrot.say(&right);
        assert_eq!(call(&c, method).await, Ok(()), "{method}");
        let step = right.len().div_ceil(60).max(1);
        for at in (0..right.len()).step_by(step) {
            parrot.say(&right[..at]);
            taken_or_malformed(method, &call(&c, method).await);
            for bend in [0x01, 0x80, 0xff] {
                let mut bent = right.clone();
                bent[at] ^= bend;
                parrot.say(&bent);
                taken_or_malformed(method, &call(&c, method).await);
            }
        }
        // Fields twice, and answers to other questions.
        parrot.say(&[right.as_slice(), &right].concat());
        taken_or_malformed(method, &call(&c, method).await);
    }
}

#[tokio::test]
async fn bits_of_what_is_hashed_cannot_change() {
    let parrot = Parrot::default();
    let c = Client::connect(parrot.start().await).await.unwrap();
    let answers = right_answers().await;
    let find = |name| answers.iter().find(|(n, _)| *n == name).unwrap().1.clone();
    let genesis = pb::GenesisResponse::decode(find("genesis").as_slice()).unwrap();
    let frame = pb::Frame::decode(find("frame").as_slice()).unwrap();
    for at in 0..genesis.genesis.len() {
        let mut document = genesis.genesis.to_vec();
        document[at] ^= 1;
        let bent = pb::GenesisResponse {
            genesis: document.into(),
            ..genesis.clone()
        };
        parrot.say(&bent.encode_to_vec());
        assert!(call(&c, "genesis").await.is_err());
    }
    for at in (0..frame.header.len()).step_by(3) {
        let mut header = frame.header.to_vec();
        header[at] ^= 1;
        let bent = pb::Frame {
            header: header.into(),
            ..frame.clone()
        };
        parrot.say(&bent.encode_to_vec());
        assert!(call(&c, "frame").await.is_err(), "{at}");
    }
}

#[tokio::test]
async fn answers_beyond_their_bounds_are_refused_before_they_are_read() {
    let parrot = Parrot::default();
    let c = Client::connect(parrot.start().await).await.unwrap();
    // Two bytes each on the wire, but a whole row in memory.
    let rows: Vec<u8> = [0x0a, 0x00].repeat(1 << 20);
    for method in [
        "status",
        "frame",
        "frames",
        "shards",
        "submit",
        "transaction",
        "scan",
        "coins",
        "proof",
    ] {
        parrot.say(&rows);
        let outcome = call(&c, method).await;
        assert!(
            matches!(outcome, Err(ClientError::Malformed(_))),
            "{method}: {outcome:?}"
        );
    }
    let rows: Vec<u8> = [0x0a, 0x00].repeat(300);
    parrot.say(&rows);
    let outcome = call(&c, "shards").await;
    let Err(ClientError::Malformed(why)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(why, "shards: 300, at most 256 allowed");
}

/// A server that says `bytes` to whoever comes, and then nothing more.
async fn says(bytes: Vec<u8>, close: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&bytes).await;
                if !close {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    at
}

async fn soon<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3), call)
        .await
        .expect("an answer or an error")
}

#[tokio::test]
async fn plain_http_answers_are_bounded_and_checked() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let cases: [(String, &str); 8] = [
        (format!("{ok}content-length: 5\r\n\r\nhello"), "hello"),
        (format!("{ok}content-length: 9\r\n\r\nhello"), "Malformed"),
        (
            format!("{ok}content-length: 99999999999\r\n\r\nhello"),
            "Malformed",
        ),
        (
            format!("{ok}transfer-encoding: chunked\r\n\r\nzz\r\n"),
            "Malformed",
        ),
        (
            format!("{ok}x: {}\r\n\r\n", "y".repeat(20_000)),
            "Malformed",
        ),
        ("SSH-2.0-OpenSSH\r\n".into(), "Malformed"),
        (String::new(), "Unreachable"),
        (
            "HTTP/1.1 418 short\r\ncontent-length: 0\r\n\r\n".into(),
            "http.418",
        ),
    ];
    for (said, expected) in cases {
        let at = says(said.clone().into_bytes(), true).await;
        let outcome = soon(Client::rest_get(at, "/v1/status")).await;
        let shown = match &outcome {
            Ok(body) => String::from_utf8_lossy(body).into_owned(),
            Err(error) => format!("{error:?}"),
        };
        let start: String = said.chars().take(60).collect();
        assert!(shown.contains(expected), "{start}: {shown}");
    }
    let code = r#"{"code":"a\u001b[2J","message":"m\n"}"#;
    let said = format!(
        "HTTP/1.1 400 x\r\ncontent-length: {}\r\n\r\n{code}",
        code.len()
    );
    let at = says(said.into_bytes(), true).await;
    assert_eq!(
        soon(Client::rest_get(at, "/")).await,
        Err(ClientError::Api {
            code: "a [2J".into(),
            message: "m ".into()
        })
    );
}

#[tokio::test]
async fn garbage_and_silence_instead_of_grpc_are_errors() {
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        call: Duration::from_millis(500),
    };
    for (said, close) in [
        (vec![], true),
        (vec![], false),
        (b"HTTP/1.1 400 no\r\n\r\n".to_vec(), true),
        (vec![0xff; 64], false),
        (vec![0; 64], true),
        (
            b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01".to_vec(),
            false,
        ),
    ] {
        let at = says(said.clone(), close).await;
        let outcome = soon(async {
            let client = Client::connect_with(at, timeouts).await?;
            client.status().await
        })
        .await;
        let expected = matches!(
            outcome,
            Err(ClientError::Unreachable(_) | ClientError::Timeout | ClientError::Malformed(_))
        );
        assert!(expected, "{said:?}: {outcome:?}");
    }
}
