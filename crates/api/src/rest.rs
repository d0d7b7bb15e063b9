//! The REST side: resources below `/v1`, and the two probes.

mod body;
mod json;
mod query;
mod reply;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{CoinId, Domain, FrameNumber, Nullifier, ShardAddr, TxId};
use tonic::Status;

use crate::convert::to_wire::tidy;
use crate::limits::{
    BUNDLE_JSON_BYTES_MAX, COINS_DEFAULT, COINS_JSON_BYTES_MAX, COINS_MAX, FRAMES_DEFAULT,
    FRAMES_MAX,
};
use crate::{ApiError, Backend};
use body::Kind;
use query::{Query, bytes};
use reply::{Refusal, document, ready_made};

/// A handler's outcome.
type Reply = Result<Response, Refusal>;
/// A segment of the path, or why it is none.
type Segment<T> = Result<Path<T>, PathRejection>;

/// What all handlers share.
struct Rest {
    backend: Arc<dyn Backend>,
    /// For the body of a request.
    patience: Duration,
    /// The genesis document never changes, and is the largest of all.
    genesis: OnceLock<Bytes>,
}

type Shared = State<Arc<Rest>>;

/// Adds the REST routes and the fallback of both sides to `router`.
pub(crate) fn add(router: Router, backend: Arc<dyn Backend>, patience: Duration) -> Router {
    let shared = Arc::new(Rest {
        backend,
        patience,
        genesis: OnceLock::new(),
    });
    let rest = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/frames", get(frames))
        .route("/v1/frames/{number}", get(frame))
        .route("/v1/shards", get(shards))
        .route("/v1/tx", post(submit))
        .route("/v1/tx/{id}", get(transaction))
        .route("/v1/outputs", get(outputs))
        .route("/v1/coins", post(coins))
        .route("/v1/proofs/{shard}/{key}", get(proof))
        .route("/v1/genesis", get(genesis))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .with_state(shared);
    router
        .merge(rest)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
}

/// Whether a request is a gRPC call.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"))
}

/// An error as a whole answer.
pub(crate) fn refuse(error: ApiError) -> Response {
    axum::response::IntoResponse::into_response(Refusal::Api(error))
}

async fn unknown(headers: HeaderMap) -> Reply {
    if is_grpc(&headers) {
        return Ok(Status::unimplemented("no such method").into_http());
    }
    Err(Refusal::Route)
}

async fn wrong_method() -> Refusal {
    Refusal::Method
}

fn segment<T>(segment: Segment<T>) -> Result<T, ApiError> {
    segment
        .map(|Path(value)| value)
        .map_err(|_| ApiError::Invalid("the path is not text".to_owned()))
}

async fn status(State(rest): Shared, uri: Uri) -> Reply {
    Query::none(&uri)?;
    let status = tidy(rest.backend.status().await?);
    document(StatusCode::OK, "quil.status/1", json::Status::of(&status))
}

async fn frame(State(rest): Shared, number: Segment<String>, uri: Uri) -> Reply {
    let query = Query::parse(&uri, &["shard"])?;
    let shard = query.bytes("shard")?.map(ShardAddr);
    let number = match segment(number)?.as_str() {
        "latest" => None,
        n => Some(FrameNumber::new(query::number("frame number", n)?)),
    };
    let frame = rest.backend.frame(shard, number).await?;
    document(StatusCode::OK, "quil.frame/1", json::Frame::of(&frame))
}

async fn frames(State(rest): Shared, uri: Uri) -> Reply {
    let query = Query::parse(&uri, &["shard", "limit"])?;
    let shard = query.bytes("shard")?.map(ShardAddr);
    let limit = query.limit(FRAMES_DEFAULT, FRAMES_MAX)?;
    let frames = rest.backend.frames(shard, limit).await?;
    let frames = frames.iter().map(json::Frame::of).collect();
    document(StatusCode::OK, "quil.frames/1", json::Frames { frames })
}

async fn shards(State(rest): Shared, uri: Uri) -> Reply {
    Query::none(&uri)?;
    let list = rest.backend.shards().await?;
    document(StatusCode::OK, "quil.shards/1", json::Shards::of(&list))
}

async fn submit(State(rest): Shared, request: Request) -> Reply {
    Query::none(request.uri())?;
    let bundle = match Kind::of(request.headers())? {
        Kind::Bytes => body::read(request, BUNDLE_BYTES_MAX, rest.patience)
            .await?
            .into(),
        Kind::Json => {
            let text = body::read(request, BUNDLE_JSON_BYTES_MAX, rest.patience).await?;
            body::parse::<json::Submit<'_>>(&text)?.bundle()?
        }
    };
    let tx = rest.backend.submit(bundle).await?;
    let accepted = json::Submitted {
        tx: json::Hex(&tx.0),
    };
    document(StatusCode::ACCEPTED, "quil.submitted/1", accepted)
}

async fn transaction(State(rest): Shared, id: Segment<String>, uri: Uri) -> Reply {
    Query::none(&uri)?;
    let tx = TxId(bytes("transaction", &segment(id)?)?);
    let view = rest.backend.transaction(tx).await?;
    document(StatusCode::OK, "quil.tx/1", json::Transaction::of(&view))
}

async fn outputs(State(rest): Shared, uri: Uri) -> Reply {
    let query = Query::parse(&uri, &["domain", "home", "from", "limit"])?;
    let domain = Domain(query.required("domain")?);
    let home = query.home()?;
    let from = query.number("from")?.unwrap_or_default();
    let limit = query.limit(COINS_DEFAULT, COINS_MAX)?;
    let page = rest.backend.scan(domain, home, from, limit).await?;
    document(StatusCode::OK, "quil.outputs/1", json::Outputs::of(&page))
}

async fn coins(State(rest): Shared, request: Request) -> Reply {
    Query::none(request.uri())?;
    Kind::json_only(request.headers())?;
    let text = body::read(request, COINS_JSON_BYTES_MAX, rest.patience).await?;
    let asked = body::parse::<json::Coins>(&text)?;
    let domain = Domain(asked.domain.0);
    let home = asked
        .home
        .map(|h| quil_types::bundle::Home(h.0))
        .unwrap_or_default();
    let coins = json::bounded("coins", asked.coins, CoinId)?;
    let nullifiers = json::bounded("nullifiers", asked.nullifiers, Nullifier)?;
    let lookup = rest.backend.coins(domain, home, coins, nullifiers).await?;
    document(StatusCode::OK, "quil.coins/1", json::Lookup::of(&lookup))
}

async fn proof(State(rest): Shared, path: Segment<(String, String)>, uri: Uri) -> Reply {
    Query::none(&uri)?;
    let (shard, key) = segment(path)?;
    let shard = ShardAddr(bytes("shard", &shard)?);
    let proof = rest.backend.proof(shard, bytes("key", &key)?).await?;
    document(StatusCode::OK, "quil.proof/1", json::Proof::of(&proof))
}

async fn genesis(State(rest): Shared, uri: Uri) -> Reply {
    Query::none(&uri)?;
    if let Some(document) = rest.genesis.get() {
        return Ok(ready_made(document.clone()));
    }
    let (document, hash) = rest.backend.genesis();
    let answer = json::Genesis {
        hash: json::Hex(&hash.0),
        genesis: json::Hex(&document),
    };
    let text = reply::text("quil.genesis/1", answer)?;
    Ok(ready_made(rest.genesis.get_or_init(|| text).clone()))
}

async fn live(uri: Uri) -> Reply {
    Query::none(&uri)?;
    document(StatusCode::OK, "quil.live/1", json::Live { live: true })
}

async fn ready(State(rest): Shared, uri: Uri) -> Reply {
    Query::none(&uri)?;
    let readiness = rest.backend.readiness();
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    document(status, "quil.ready/1", json::Ready::of(&readiness))
}
