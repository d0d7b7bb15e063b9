use quil_types::ShardAddr;
use tokio::time::timeout;

use super::*;
use crate::fixture::{self, sessions, start_process};
use crate::protocol::{SubmitRefusal, TxStanding, WorkerRequest, WorkerResponse};

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
    let seat = Seat::new(1, ShardAddr([1; 32]));
    let desk = Desk::new(
        worker.line.clone(),
        Arc::clone(&worker.state),
        fixture::network(),
    );
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
        ended = run_master_link(above, &master.line, &master.state, &seat) => panic!("master: {ended}"),
        ended = run_worker_link(below, hello, &worker.line, &worker.engine, &desk) => panic!("worker: {ended}"),
        number = timeout(Duration::from_secs(60), settled) => number.expect("a settled frame"),
    };
    assert!(number.get() >= 1);
    assert!(seat.progress().final_number.get() >= 1, "it was heard");
    assert!(!seat.is_taken(), "the seat is free after the link");
    worker.finalises(1).await;
    assert!(
        hello_of(&*worker.state).unwrap().global.get() >= 1,
        "a worker says where it stands"
    );
    // It holds a line, which keeps the switchboard.
    drop(desk);
    worker.stop().await;
    master.stop().await;
}

#[tokio::test]
async fn link_ends_with_its_session_and_hello_comes_first() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    let seat = Seat::new(1, ShardAddr([1; 32]));
    let (above, below) = sessions().await;
    drop(below);
    assert!(matches!(
        run_master_link(above, &master.line, &master.state, &seat).await,
        LinkError::Ipc(_)
    ));
    let (above, below) = sessions().await;
    below
        .sender()
        .publish(TOPIC_SHARD_FINAL.as_bytes(), Bytes::from_static(b"x"))
        .await
        .unwrap();
    let ended = run_master_link(above, &master.line, &master.state, &seat).await;
    assert!(matches!(ended, LinkError::Protocol(TOPIC_HELLO)), "{ended}");
    master.stop().await;
}

#[tokio::test]
async fn second_process_of_a_core_is_refused_and_requests_reach_the_worker() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    let worker = start_process(fixture::worker(), 2, Vec::new()).await;
    let shard = fixture::network().genesis().shards[0].addr;
    let seat = Seat::new(1, shard);
    let desk = Desk::new(
        worker.line.clone(),
        Arc::clone(&worker.state),
        fixture::network(),
    );
    let (above, below) = sessions().await;
    let hello = hello_of(&*worker.state).unwrap();
    let checks = async {
        while !seat.is_taken() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let unknown = WorkerRequest::Transaction(quil_types::TxId([9; 32]));
        let answer = seat.ask(&unknown).await.unwrap();
        assert_eq!(answer, WorkerResponse::Transaction(TxStanding::Unknown));
        let malformed = WorkerRequest::Submit(b"no bundle".to_vec().try_into().unwrap());
        let answer = seat.ask(&malformed).await.unwrap();
        assert_eq!(answer, WorkerResponse::Refused(SubmitRefusal::Malformed));
        let (second, theirs) = sessions().await;
        let said = theirs.sender();
        said.publish(TOPIC_HELLO.as_bytes(), Bytes::from(hello.encode()))
            .await
            .unwrap();
        let refused = run_master_link(second, &master.line, &master.state, &seat).await;
        assert!(matches!(refused, LinkError::Taken), "{refused}");
        assert!(seat.is_taken(), "the first one keeps its seat");
    };
    tokio::select! {
        ended = run_master_link(above, &master.line, &master.state, &seat) => panic!("master: {ended}"),
        ended = run_worker_link(below, hello, &worker.line, &worker.engine, &desk) => panic!("worker: {ended}"),
        () = checks => {}
    }
    let away = seat.ask(&WorkerRequest::Frame(None)).await;
    assert!(matches!(away, Err(crate::seats::AskError::Away(1))));
    // It holds a line, which keeps the switchboard.
    drop(desk);
    worker.stop().await;
    master.stop().await;
}
