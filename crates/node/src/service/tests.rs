use std::time::Duration;

use quil_engine::light::LightNetwork;
use quil_execution::token::records::count_key;
use quil_hotstuff::BlsScheme;
use quil_types::bundle::Home;
use tokio::time::timeout;

use super::*;
use crate::fixture::{self, Process, sessions, start_process};
use crate::link::{hello_of, run_master_link, run_worker_link};

fn shard() -> ShardAddr {
    fixture::network().genesis().shards[0].addr
}

fn service(master: &Process, seat: &Seat) -> Service {
    Service::new(Sources {
        line: master.line.clone(),
        store: Arc::clone(&master.state),
        host: master.host.clone(),
        network: fixture::network(),
        seats: vec![seat.clone()],
        peer_id: "12D3".into(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_without_its_worker_says_what_is_missing() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    let seat = Seat::new(1, shard());
    let service = service(&master, &seat);
    let before = service.readiness();
    assert!(!before.ready && before.reasons.len() == 2, "{before:?}");
    let none = service.proof(shard(), [0; 64]).await.unwrap_err();
    assert!(matches!(none, ApiError::NotReady(_)), "{none}");
    master.finalises(2).await;
    let after = service.readiness();
    assert_eq!(after.reasons.len(), 1, "{after:?}");
    assert!(after.reasons[0].contains("worker 1"), "{after:?}");

    let status = service.status().await.unwrap();
    assert!(!status.ready && status.global.final_number.get() >= 2);
    assert_eq!(
        status.workers[0].chain, None,
        "it never said where it stands"
    );
    let first = Some(FrameNumber::new(1));
    let frame = service.frame(None, first).await.unwrap();
    assert_eq!(frame.header.number.get(), 1);
    let far = service.frame(None, Some(FrameNumber::new(1 << 40))).await;
    assert!(matches!(far, Err(ApiError::NotFound(_))));
    let frames = service.frames(None, 2).await.unwrap();
    assert_eq!(
        frames[0].header.number,
        frames[1].header.number.next(),
        "newest first"
    );
    for away in [
        service.submit(vec![1]).await.unwrap_err(),
        service.frame(Some(shard()), None).await.unwrap_err(),
        service.transaction(TxId([1; 32])).await.unwrap_err(),
    ] {
        assert!(matches!(away, ApiError::Unavailable(_)), "{away}");
    }
    let other = service.frame(Some(ShardAddr([9; 32])), None).await;
    assert!(matches!(other, Err(ApiError::NotFound(_))));
    let large = service.submit(vec![0; 1 << 20]).await;
    assert!(matches!(large, Err(ApiError::Rejected(_))));
    let (genesis, hash) = service.genesis();
    assert_eq!(hash, fixture::network().hash());
    assert_eq!(&*genesis, fixture::network().genesis().encode());
    drop(service);
    master.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shard_is_served_through_the_worker_and_its_absences_are_proven() {
    let master = start_process(fixture::master(), 1, Vec::new()).await;
    let worker = start_process(fixture::worker(), 2, Vec::new()).await;
    let seat = Seat::new(1, shard());
    let service = service(&master, &seat);
    let desk = Desk::new(
        worker.line.clone(),
        Arc::clone(&worker.state),
        fixture::network(),
    );
    let (above, below) = sessions().await;
    let hello = hello_of(&*worker.state).unwrap();
    let checks = async {
        while !service.readiness().ready {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let status = service.status().await.unwrap();
        assert!(status.workers[0].chain.unwrap().final_number.get() >= 1);
        let frame = service.frame(Some(shard()), None).await.unwrap();
        assert_eq!(frame.header.chain, Chain::Shard(shard()));
        let malformed = service.submit(vec![1, 2, 3]).await.unwrap_err();
        assert!(matches!(malformed, ApiError::Invalid(_)), "{malformed}");
        let unknown = service.transaction(TxId([1; 32])).await.unwrap();
        assert_eq!((unknown.state, unknown.shard), (TxState::Unknown, None));
        let domain = fixture::network().genesis().token.domain;
        let page = service.scan(domain, Home::default(), 0, 10).await.unwrap();
        assert_eq!((page.coins.len(), page.next), (0, 0));
        let spent = vec![Nullifier([1; 32])];
        let lookup = service.coins(domain, Home::default(), Vec::new(), spent);
        assert_eq!(lookup.await.unwrap().spent, [false]);
        absence_is_proven(&service, domain).await;
    };
    let checks = timeout(Duration::from_secs(60), checks);
    tokio::select! {
        ended = run_master_link(above, &master.line, &master.state, &seat) => panic!("master: {ended}"),
        ended = run_worker_link(below, hello, &worker.line, &worker.engine, &desk) => panic!("worker: {ended}"),
        done = checks => done.unwrap(),
    }
    drop((service, desk));
    worker.stop().await;
    master.stop().await;
}

/// A fresh shard has no coin counter: a light client learns that from the genesis document and the proof alone.
async fn absence_is_proven(service: &Service, domain: Domain) {
    let key = count_key(domain, Home::default()).to_bytes();
    let view = loop {
        match service.proof(shard(), key).await {
            Ok(view) => break view,
            Err(ApiError::NotReady(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(e) => panic!("{e}"),
        }
    };
    let network = fixture::network();
    let light = LightNetwork::new(network.genesis());
    let proof = LightProof::from_bytes(&view.proof).unwrap();
    let verify = |p: &LightProof| light.verify(&BlsScheme::new(), network.kzg().verifier(), p);
    let shown = verify(&proof).unwrap();
    assert_eq!((shown.entry, shown.row.height), (None, view.shard_height));
    let mut other = proof;
    other.record.row.height = other.record.row.height.next();
    assert!(verify(&other).is_err(), "bound to the shard's row");
}
