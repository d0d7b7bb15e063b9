//! Every method through the typed client.

use quil_api::ClientError;
use quil_api::limits::{COINS_MAX, FRAMES_MAX};
use quil_types::bundle::Home;
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{CoinId, FrameNumber, Nullifier, TxId};

use crate::fixture::{
    DOMAIN, GENESIS, Mood, SHARD, Server, TX, frame, genesis_hash, lookup, page, proof, shards,
    short, status, transaction,
};

const HOME: Home = Home([0xbe, 0xef]);

#[tokio::test]
async fn every_method_gives_what_the_node_gave() {
    let server = Server::start().await;
    let c = server.client().await;
    assert_eq!(c.status().await, Ok(status()));
    assert_eq!(c.frame(None, None).await, Ok(frame(None, 1000)));
    let number = FrameNumber::new(12);
    assert_eq!(
        c.frame(Some(SHARD), Some(number)).await,
        Ok(frame(Some(SHARD), 12))
    );
    let listed = c.frames(Some(SHARD), 2).await.unwrap();
    assert_eq!(listed, [frame(Some(SHARD), 1000), frame(Some(SHARD), 999)]);
    assert_eq!(c.shards().await, Ok(shards()));
    assert_eq!(c.submit(vec![1, 2, 3]).await, Ok(TX));
    assert_eq!(c.transaction(TX).await, Ok(transaction(TX)));
    assert_eq!(c.scan(DOMAIN, HOME, 5, 10).await, Ok(page(5)));
    let coins = [CoinId([7; 32]), CoinId([8; 32]), CoinId([9; 32])];
    let nullifiers = [1, 2, 3].map(|n| Nullifier([n; 32]));
    assert_eq!(
        c.coins(DOMAIN, HOME, &coins, &nullifiers).await,
        Ok(lookup())
    );
    assert_eq!(c.proof(SHARD, [6; 64]).await, Ok(proof()));
    assert_eq!(c.genesis().await, Ok((GENESIS.to_vec(), genesis_hash())));
    let asked = server.node.asked.lock().unwrap().clone();
    let expected = [
        "status".to_owned(),
        "frame None None".into(),
        format!("frame {:?} {:?}", Some(SHARD), Some(number)),
        format!("frames {:?} 2", Some(SHARD)),
        "shards".into(),
        "submit 010203".into(),
        format!("transaction {TX}"),
        format!("scan {DOMAIN} [190, 239] 5 10"),
        format!("coins {DOMAIN} [190, 239] {coins:?} {nullifiers:?}"),
        format!("proof {SHARD} {}", "06".repeat(64)),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn limits_of_lists_have_defaults_and_ends() {
    let server = Server::start().await;
    let c = server.client().await;
    c.frames(None, 0).await.unwrap();
    assert_eq!(server.node.last(), "frames None 16");
    c.frames(None, FRAMES_MAX).await.unwrap();
    c.scan(DOMAIN, HOME, 0, 0).await.unwrap();
    assert!(server.node.last().ends_with(" 0 256"));
    c.scan(DOMAIN, HOME, 0, COINS_MAX).await.unwrap();
    let before = server.node.asked.lock().unwrap().len();
    for refused in [
        c.frames(None, FRAMES_MAX + 1).await.map(drop),
        c.scan(DOMAIN, HOME, 0, COINS_MAX + 1).await.map(drop),
        c.coins(DOMAIN, HOME, &[CoinId::ZERO; 1025], &[])
            .await
            .map(drop),
        c.coins(DOMAIN, HOME, &[], &[Nullifier::ZERO; 1025])
            .await
            .map(drop),
        c.submit(vec![0; BUNDLE_BYTES_MAX + 1]).await.map(drop),
    ] {
        let Err(ClientError::Api { code, message }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(code, "invalid");
        assert!(message.contains("at most"), "{message}");
    }
    assert_eq!(server.node.asked.lock().unwrap().len(), before);
}

#[tokio::test]
async fn largest_allowed_questions_and_answers_pass() {
    let server = Server::start().await;
    let c = server.client().await;
    c.submit(vec![0xff; BUNDLE_BYTES_MAX]).await.unwrap();
    let coins: Vec<_> = (0..COINS_MAX)
        .map(|n| CoinId([n.to_le_bytes()[0]; 32]))
        .collect();
    let nullifiers = vec![Nullifier([1; 32]); usize::from(COINS_MAX)];
    // The node's constant answer has three flags.
    assert_eq!(
        c.coins(DOMAIN, HOME, &coins, &nullifiers).await,
        Err(ClientError::Malformed(
            "spent does not fit the rest of the answer".into()
        ))
    );
    assert!(server.node.last().len() > 1024 * 10);
}

#[tokio::test]
async fn answers_that_do_not_fit_the_question_are_refused() {
    let server = Server::start().await;
    let c = server.client().await;
    server.node.set(Mood::Lies);
    let coins = [CoinId([7; 32]), CoinId([9; 32])];
    let nullifiers = [Nullifier::ZERO; 3];
    let number = Some(FrameNumber::new(12));
    let outcomes = [
        c.frame(None, number).await.map(drop),
        c.frames(None, 2).await.map(drop),
        c.shards().await.map(drop),
        c.transaction(TX).await.map(drop),
        c.scan(DOMAIN, HOME, 5, 10).await.map(drop),
        c.coins(DOMAIN, HOME, &coins, &nullifiers).await.map(drop),
        c.proof(SHARD, [6; 64]).await.map(drop),
        c.genesis().await.map(drop),
    ];
    for (at, outcome) in outcomes.into_iter().enumerate() {
        let malformed = matches!(outcome, Err(ClientError::Malformed(_)));
        assert!(malformed, "{at}: {outcome:?}");
    }
}

#[tokio::test]
async fn page_is_checked_against_its_limit_and_start() {
    let server = Server::start().await;
    let c = server.client().await;
    // The node gives three coins whatever is asked.
    assert!(matches!(
        c.scan(DOMAIN, HOME, 0, 2).await,
        Err(ClientError::Malformed(_))
    ));
    let frames = c.frames(None, 1).await.unwrap();
    assert_eq!(frames, [frame(None, 1000)]);
}

#[tokio::test]
async fn texts_of_the_node_reach_nobody_raw() {
    let server = Server::start().await;
    server.node.set(Mood::Lies);
    let s = server.client().await.status().await.unwrap();
    assert_eq!(s.peer_id, " [31mred ");
    assert_eq!(s.workers[1].reason.len(), 512);
    assert_eq!(s.not_ready_because, vec!["r "; 32]);
    let (_, json) = server.get("/v1/status").await;
    assert_eq!(json["peer_id"], " [31mred ");
    assert_eq!(json["not_ready_because"].as_array().unwrap().len(), 32);
}

#[tokio::test]
async fn clones_share_a_connection_and_survive_its_loss() {
    let server = Server::limited(quil_api::ServerLimits {
        connections: 1,
        ..short()
    })
    .await;
    let c = server.client().await;
    let d = c.clone();
    let (a, b) = tokio::join!(c.status(), d.transaction(TxId::ZERO));
    assert!(a.is_ok() && b.is_ok());
    // The idle connection is closed; the next call opens another.
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    assert_eq!(c.status().await, Ok(status()));
}
