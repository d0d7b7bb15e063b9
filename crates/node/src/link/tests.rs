use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quil_p2p::Identity;
use quil_p2p::ipc::{ClientConfig, IpcServer, ServerConfig, Timing, WorkerCert, connect};
use quil_types::Timestamp;
use tokio::time::timeout;

use super::*;
use crate::fixture::{self, start_process};

async fn sessions() -> (IpcSession, IpcSession) {
    let (master, worker) = (
        Identity::from_secret(&mut [1; 32]),
        Identity::from_secret(&mut [2; 32]),
    );
    let genesis = fixture::network().hash();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let expires = Timestamp::new(u64::try_from(now.as_millis()).unwrap() + 60_000);
    let cert = WorkerCert::issue(&master, genesis, worker.key(), 1, expires);
    let mut server = IpcServer::bind(ServerConfig {
        identity: master.clone(),
        genesis,
        listen: "127.0.0.1:0".parse().unwrap(),
        timing: Timing::default(),
    })
    .await
    .unwrap();
    let dial = connect(ClientConfig {
        identity: worker,
        master: master.key(),
        address: server.local_addr().unwrap(),
        cert,
        timing: Timing::default(),
    });
    let (above, below) = tokio::join!(server.accept(), dial);
    (above.unwrap(), below.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker_finalises_on_its_masters_headers_and_its_frames_settle() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    master.finalises(1).await;
    let worker = start_process(fixture::worker(), 2, Vec::new()).await;
    let hello = hello_of(&*worker.state).unwrap();
    assert_eq!(
        (hello.global, hello.number),
        (FrameNumber::ZERO, FrameNumber::ZERO)
    );
    let (above, below) = sessions().await;
    let mut events = master.line.events();
    let settled = async {
        loop {
            if let Ok(event) = events.recv().await
                && let Event::Settled { row, .. } = &*event
            {
                return row.height;
            }
        }
    };
    let number = tokio::select! {
        ended = run_master_link(above, &master.line, &master.state) => panic!("master: {ended}"),
        ended = run_worker_link(below, hello, &worker.line, &worker.engine) => panic!("worker: {ended}"),
        number = timeout(Duration::from_secs(60), settled) => number.expect("a settled frame"),
    };
    assert!(number.get() >= 1);
    worker.finalises(1).await;
    assert!(
        hello_of(&*worker.state).unwrap().global.get() >= 1,
        "a worker says where it stands"
    );
    worker.stop().await;
    master.stop().await;
}

#[tokio::test]
async fn link_ends_with_its_session_and_hello_comes_first() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    let (above, below) = sessions().await;
    drop(below);
    assert!(matches!(
        run_master_link(above, &master.line, &master.state).await,
        LinkError::Ipc(_)
    ));
    let (above, below) = sessions().await;
    below
        .sender()
        .publish(TOPIC_SHARD_FINAL.as_bytes(), Bytes::from_static(b"x"))
        .await
        .unwrap();
    let ended = run_master_link(above, &master.line, &master.state).await;
    assert!(matches!(ended, LinkError::Protocol(TOPIC_HELLO)), "{ended}");
    master.stop().await;
}
