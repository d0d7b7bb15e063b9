//! Errors: one table, both ways of the API, and back.

use quil_api::{ApiError, CODE_KEY, Client, ClientError};
use quil_types::{Code, TxId};
use serde_json::json;

use crate::fixture::{Mood, Server};

/// Error, word, gRPC code, HTTP status, text for the caller.
fn table() -> Vec<(ApiError, &'static str, tonic::Code, u16, String)> {
    let text = || "why it is so".to_owned();
    let mut rows = vec![
        (
            ApiError::Invalid(text()),
            "invalid",
            tonic::Code::InvalidArgument,
            400,
            text(),
        ),
        (
            ApiError::NotFound(text()),
            "not_found",
            tonic::Code::NotFound,
            404,
            text(),
        ),
        (
            ApiError::NotReady(text()),
            "not_ready",
            tonic::Code::Unavailable,
            503,
            text(),
        ),
        (
            ApiError::Busy,
            "busy",
            tonic::Code::ResourceExhausted,
            429,
            "too much to do, try again".into(),
        ),
        (
            ApiError::Unavailable(text()),
            "unavailable",
            tonic::Code::Unavailable,
            503,
            text(),
        ),
        (
            ApiError::Internal("secret path".into()),
            "internal",
            tonic::Code::Internal,
            500,
            "the node failed; its log says why".into(),
        ),
    ];
    rows.extend(Code::ALL.into_iter().map(|code| {
        let message = format!("the bundle was refused: {code}");
        let rejected = ApiError::Rejected(code);
        (
            rejected,
            code.as_str(),
            tonic::Code::FailedPrecondition,
            422,
            message,
        )
    }));
    rows
}

#[tokio::test]
async fn every_error_keeps_its_word_both_ways() {
    let server = Server::start().await;
    let client = server.client().await;
    let mut raw = quil_api::pb::node_client::NodeClient::new(server.channel().await);
    for (error, word, grpc, http, message) in table() {
        server.node.set(Mood::Fails(error.clone()));
        assert_eq!(error.code(), word);

        let status = raw.list_shards(quil_api::pb::ListShardsRequest {}).await;
        let status = status.unwrap_err();
        assert_eq!((status.code(), status.message()), (grpc, message.as_str()));
        assert_eq!(status.metadata().get(CODE_KEY).unwrap(), word);

        let told = client.submit(vec![]).await.unwrap_err();
        let expected = ClientError::Api {
            code: word.into(),
            message: message.clone(),
        };
        assert_eq!(told, expected);
        let rule = match error {
            ApiError::Rejected(code) => Some(code),
            _ => None,
        };
        assert_eq!(told.rejection(), rule);

        let (status, json) = server
            .ask("POST", "/v1/tx", "application/octet-stream", b"")
            .await;
        let hint = error.hint();
        let document =
            json!({ "schema": "quil.error/1", "code": word, "message": message, "hint": hint });
        assert_eq!((status, json), (http, document));
        assert_eq!(
            Client::rest_get(server.at, "/v1/status").await,
            Err(expected)
        );
    }
}

#[tokio::test]
async fn every_method_passes_the_error_on() {
    let server = Server::start().await;
    server.node.set(Mood::Fails(ApiError::Busy));
    let c = server.client().await;
    let (domain, home, shard) = (Default::default(), Default::default(), Default::default());
    for outcome in [
        c.status().await.map(drop),
        c.frame(None, None).await.map(drop),
        c.frames(None, 1).await.map(drop),
        c.shards().await.map(drop),
        c.submit(vec![]).await.map(drop),
        c.transaction(TxId::ZERO).await.map(drop),
        c.scan(domain, home, 0, 1).await.map(drop),
        c.coins(domain, home, &[], &[]).await.map(drop),
        c.proof(shard, [0; 64]).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(ClientError::Api { code, .. }) if code == "busy"));
    }
    let zero = "00".repeat(32);
    for path in [
        "/v1/status".to_owned(),
        "/v1/frames/latest".into(),
        "/v1/frames".into(),
        "/v1/shards".into(),
        format!("/v1/tx/{zero}"),
        format!("/v1/outputs?domain={zero}"),
        format!("/v1/proofs/{zero}/{zero}{zero}"),
    ] {
        assert_eq!(server.get(&path).await.0, 429, "{path}");
    }
}

#[tokio::test]
async fn messages_are_short_lines() {
    let server = Server::start().await;
    let long = format!("first\nsecond\u{1b}[0m {}", "\u{e4}".repeat(5000));
    server.node.set(Mood::Fails(ApiError::NotReady(long)));
    let (_, json) = server.get("/v1/status").await;
    let Err(ClientError::Api { message, .. }) = server.client().await.status().await else {
        panic!("an error");
    };
    assert_eq!(json["message"], message);
    assert!(message.starts_with("first second [0m \u{e4}"));
    assert!(message.len() <= 512 && message.len() > 500);
}

#[test]
fn statuses_without_a_word_become_errors_of_the_right_kind() {
    let of = |code| ClientError::from(tonic::Status::new(code, "text\n"));
    let api = |code: &str| ClientError::Api {
        code: code.into(),
        message: "text ".into(),
    };
    assert_eq!(of(tonic::Code::InvalidArgument), api("invalid"));
    assert_eq!(of(tonic::Code::NotFound), api("not_found"));
    assert_eq!(of(tonic::Code::ResourceExhausted), api("busy"));
    assert_eq!(of(tonic::Code::Unimplemented), api("unimplemented"));
    let unreachable = ClientError::Unreachable("text ".into());
    assert_eq!(of(tonic::Code::Unavailable), unreachable);
    assert_eq!(of(tonic::Code::DeadlineExceeded), ClientError::Timeout);
    let malformed = ClientError::Malformed("text ".into());
    assert_eq!(of(tonic::Code::Internal), malformed);
    assert_eq!(of(tonic::Code::OutOfRange), malformed);
    assert_eq!(malformed.rejection(), None);
}

#[test]
fn words_of_hostile_nodes_are_not_taken_over() {
    for word in ["", "UPPER", "two words", &"a".repeat(65), "a\tb"] {
        let mut status = tonic::Status::not_found("text");
        status
            .metadata_mut()
            .insert(CODE_KEY, word.parse().unwrap());
        let expected = ClientError::Api {
            code: "not_found".into(),
            message: "text".into(),
        };
        assert_eq!(ClientError::from(status), expected);
    }
}
