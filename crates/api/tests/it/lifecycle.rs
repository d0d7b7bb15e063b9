//! Start and stop.

use std::time::{Duration, Instant};

use futures::stream;
use quil_api::{Client, ClientError};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

use crate::fixture::{Mood, Server, short, status};

#[tokio::test]
async fn stop_lets_requests_finish_and_takes_no_more() {
    let mut server = Server::start().await;
    server.node.set(Mood::Slow(Duration::from_millis(400)));
    let c = server.client().await;
    let at = server.at;
    let grpc = tokio::spawn(async move { c.status().await });
    let rest = tokio::spawn(async move { Client::rest_get(at, "/v1/status").await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = Client::connect(at).await.map(drop);
    assert!(
        matches!(refused, Err(ClientError::Unreachable(_))),
        "{refused:?}"
    );
    assert_eq!(grpc.await.unwrap(), Ok(status()));
    assert!(rest.await.unwrap().is_ok());
    let start = Instant::now();
    server.stopped().await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn stop_does_not_wait_for_those_who_do_not_end() {
    let server = Server::limited(short()).await;
    let mut silent = TcpStream::connect(server.at).await.unwrap();
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let open = reflection.server_reflection_info(stream::pending()).await;
    server.node.set(Mood::Hangs);
    let c = server.client().await;
    let hanging = tokio::spawn(async move { c.status().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    server.stopped().await;
    let time = start.elapsed();
    assert!(time < Duration::from_millis(1500), "{time:?}");
    assert!(hanging.await.unwrap().is_err());
    let mut nothing = Vec::new();
    let _ = silent.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    assert!(open.unwrap().into_inner().message().await.is_err());
}

#[tokio::test]
async fn nothing_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    for outcome in [
        Client::connect(at).await.map(drop),
        Client::rest_get(at, "/v1/status").await.map(drop),
    ] {
        assert!(
            matches!(outcome, Err(ClientError::Unreachable(_))),
            "{outcome:?}"
        );
    }
}
