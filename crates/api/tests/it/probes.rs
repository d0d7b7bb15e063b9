//! Health and reflection, as standard tools use them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::fixture::Server;

fn service(name: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: name.into(),
    }
}

#[tokio::test]
async fn health_follows_readiness() {
    let server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    for ready in [false, true, false] {
        server.node.ready.store(ready, Ordering::Relaxed);
        let expected = match ready {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        for name in ["", "quil.v1.Node"] {
            let told = health.check(service(name)).await.unwrap().into_inner();
            assert_eq!(told.status(), expected);
        }
    }
    let unknown = health.check(service("quil.v2.Node")).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn watch_tells_changes_and_the_stop() {
    let mut server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health
        .watch(service("quil.v1.Node"))
        .await
        .unwrap()
        .into_inner();
    let mut unknown = health.watch(service("x")).await.unwrap().into_inner();
    let first = unknown.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    for ready in [false, true] {
        server.node.ready.store(ready, Ordering::Relaxed);
        let told = watch.message().await.unwrap().unwrap();
        assert_eq!(told.status() == ServingStatus::Serving, ready);
    }
    let silent = tokio::time::timeout(Duration::from_millis(700), watch.message()).await;
    assert!(silent.is_err(), "nothing changed");
    server.tell_to_stop();
    let told = watch.message().await.unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::NotServing);
    assert_eq!(watch.message().await.unwrap(), None);
    server.stopped().await;
}

async fn reflect(server: &Server, ask: Vec<MessageRequest>) -> Vec<ServerReflectionResponse> {
    let questions = ask.into_iter().map(|message| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    });
    let mut client = ServerReflectionClient::new(server.channel().await);
    let questions = stream::iter(questions.collect::<Vec<_>>());
    let answers = client.server_reflection_info(questions).await.unwrap();
    answers.into_inner().map(Result::unwrap).collect().await
}

#[tokio::test]
async fn reflection_lists_and_describes_the_service() {
    let server = Server::start().await;
    let answers = reflect(
        &server,
        vec![
            MessageRequest::ListServices(String::new()),
            MessageRequest::FileContainingSymbol("quil.v1.Node.GetProof".into()),
            MessageRequest::FileContainingSymbol("quil.v1.TransactionState".into()),
        ],
    )
    .await;
    let Some(MessageResponse::ListServicesResponse(list)) = &answers[0].message_response else {
        panic!("{:?}", answers[0]);
    };
    let names: Vec<_> = list.service.iter().map(|s| s.name.as_str()).collect();
    for name in [
        "quil.v1.Node",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    for answer in &answers[1..] {
        assert!(matches!(
            answer.message_response,
            Some(MessageResponse::FileDescriptorResponse(_))
        ));
    }
}

#[tokio::test]
async fn unknown_services_and_methods_are_unimplemented() {
    let server = Server::start().await;
    for path in ["/quil.v1.Node/Shutdown", "/quil.v1.Admin/Stop", "/v1"] {
        let answer = server.raw("POST", path, "application/grpc", b"").await;
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(answer.headers()["grpc-status"], "12", "{path}");
    }
}
