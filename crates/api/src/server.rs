//! The server: one port for gRPC and REST, every connection and request within [`ServerLimits`].

mod connection;
mod grpc;
mod health;
mod peers;
mod requests;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::pin;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;

use crate::Backend;
use crate::limits::{ACCEPT_PAUSE, PROBE_BYTES_MAX, REQUEST_BYTES_MAX, ServerLimits};
use crate::pb;
use crate::pb::node_server::NodeServer;
use connection::Shared;
use peers::{PeerSlot, Peers};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The compiled description does not decode.
    #[error("API description: {0}")]
    Description(#[from] tonic_reflection::server::Error),
}

/// Serves the API with the default [`ServerLimits`]; see [`serve_with`].
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    serve_with(listener, backend, stop, ServerLimits::default()).await
}

/// Serves gRPC (with reflection and health) and REST on `listener` until `stop` resolves, then lets requests in
/// flight finish within [`ServerLimits::grace`].
///
/// Nothing a client does ends it, nor does a failing accept. Dropping the future closes all connections at once.
///
/// # Errors
/// [`ServeError`], before anything is accepted.
pub async fn serve_with(
    listener: TcpListener,
    backend: Arc<dyn Backend>,
    stop: impl Future<Output = ()>,
    limits: ServerLimits,
) -> Result<(), ServeError> {
    let (stopping, stopped) = watch::channel(false);
    let router = router(backend, limits, stopped.clone())?;
    let shared = Arc::new(Shared::new(router, limits));
    let slots = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.connections_per_peer);
    let mut connections = JoinSet::new();
    pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.join_next() => log_panic(ended),
            accepted = accept(&listener, &slots, &peers) => if let Some(accepted) = accepted {
                connections.spawn(run(accepted, Arc::clone(&shared), stopped.clone()));
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let rest = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.grace, rest).await.is_err() {
        tracing::debug!(left = connections.len(), "connections cut off by the stop");
    }
    connections.shutdown().await;
    Ok(())
}

/// A connection with its places in the counts, which it gives back when dropped.
struct Accepted {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    _peer: PeerSlot,
}

/// The next connection; none when there is nothing to serve this time. Cancel safe.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    peers: &Arc<Peers>,
) -> Option<Accepted> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => Some(Accepted {
            stream,
            _slot: slot,
            _peer: peers.enter(from.ip())?,
        }),
        Err(error) => {
            tracing::warn!(%error, "accept failed");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn run(accepted: Accepted, shared: Arc<Shared>, stopped: watch::Receiver<bool>) {
    let Accepted {
        stream,
        _slot,
        _peer,
    } = accepted;
    connection::run(stream, shared, stopped).await;
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection of the API ended badly");
    }
}

fn router(
    backend: Arc<dyn Backend>,
    limits: ServerLimits,
    stopped: watch::Receiver<bool>,
) -> Result<Router, ServeError> {
    let node = NodeServer::new(grpc::NodeService::new(Arc::clone(&backend)))
        .max_decoding_message_size(REQUEST_BYTES_MAX);
    let health = HealthServer::new(health::HealthService::new(Arc::clone(&backend), stopped))
        .max_decoding_message_size(PROBE_BYTES_MAX);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(pb::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?
        .max_decoding_message_size(PROBE_BYTES_MAX);
    let grpc = Routes::new(node)
        .add_service(health)
        .add_service(reflection);
    // gRPC first: it brings a fallback of its own, which the REST side replaces.
    let router = Router::new().merge(grpc.prepare().into_axum_router());
    Ok(crate::rest::add(router, backend, limits.body))
}
