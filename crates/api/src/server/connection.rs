//! One connection: its protocol, its requests, its end.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::pin;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::Status;

use super::requests::{Held, Requests, Verdict};
use crate::ApiError;
use crate::limits::{
    BUFFER_BYTES_MAX, CONNECTION_WINDOW_BYTES, HEADER_LIST_BYTES_MAX, HEADERS_MAX, PING_INTERVAL,
    PING_TIMEOUT, STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION_MAX, ServerLimits, TICK,
};
use crate::rest::{self, is_grpc};

/// What all connections share.
pub(super) struct Shared {
    router: Router,
    http: auto::Builder<TokioExecutor>,
    limits: ServerLimits,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(router: Router, limits: ServerLimits) -> Self {
        Self {
            router,
            http: http(&limits),
            limits,
            requests: Arc::new(Semaphore::new(limits.requests)),
            streams: Arc::new(Semaphore::new(limits.streams)),
        }
    }
}

fn http(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.first_request)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(BUFFER_BYTES_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    http
}

/// Serves a connection until its client ends it, a limit does, or the server stops.
pub(super) async fn run(
    stream: TcpStream,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small; waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let limits = shared.limits;
    let requests = Requests::new(Instant::now());
    let service = {
        let (shared, requests) = (Arc::clone(&shared), Arc::clone(&requests));
        service_fn(move |r| answer(Arc::clone(&shared), Arc::clone(&requests), r))
    };
    let connection = shared.http.serve_connection(TokioIo::new(stream), service);
    pin!(connection);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ends: Option<Instant> = None;
    loop {
        let close = tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "connection of the API broke");
                }
                return;
            }
            _ = stopped.wait_for(|s| *s), if ends.is_none() => true,
            _ = tick.tick() => match requests.verdict(Instant::now(), &limits) {
                Verdict::Keep => false,
                Verdict::Close => true,
                Verdict::Drop => return,
            },
        };
        match ends {
            None if close => {
                connection.as_mut().graceful_shutdown();
                ends = Some(Instant::now() + limits.grace);
            }
            Some(at) if Instant::now() >= at => return,
            None | Some(_) => {}
        }
    }
}

/// Methods whose answers last.
fn is_stream(path: &str) -> bool {
    path == "/grpc.health.v1.Health/Watch" || path.starts_with("/grpc.reflection.")
}

async fn answer(
    shared: Arc<Shared>,
    requests: Arc<Requests>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (grpc, stream) = (is_grpc(request.headers()), is_stream(request.uri().path()));
    let in_flight = requests.enter(Instant::now(), stream);
    let places = if stream {
        &shared.streams
    } else {
        &shared.requests
    };
    let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
        return Ok(refuse(ApiError::Busy, grpc));
    };
    let call = TowerToHyperService::new(shared.router.clone());
    let work = hyper::service::Service::call(&call, request.map(Body::new));
    let Ok(done) = tokio::time::timeout(shared.limits.work, work).await else {
        let late = ApiError::Unavailable("no answer in time".to_owned());
        return Ok(refuse(late, grpc));
    };
    Ok(done?.map(|body| Body::new(Held::new(body, in_flight, permit))))
}

fn refuse(error: ApiError, grpc: bool) -> Response<Body> {
    if grpc {
        return Status::from(error).into_http();
    }
    rest::refuse(error)
}
