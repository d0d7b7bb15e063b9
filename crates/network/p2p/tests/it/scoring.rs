use quil_p2p::{HostEvent, Penalty, blossomsub::Verdict};

use crate::nodes::{MASK, Node, Via, config, connected, disconnected, key, spawn, until, within};

/// A peer whose messages the node rejects loses score with each, is graylisted with the sixth, disconnected, and kept away.
#[tokio::test]
async fn rejected_messages_lower_the_score_then_disconnect_and_ban() {
    let (judge, mut events) = spawn(config(1, Via::Tcp, &[])).await;
    judge.subscribe(MASK).await.unwrap();
    let address = judge.listen_addrs().await.unwrap();
    let bad = Node::start(config(2, Via::Tcp, &address), Verdict::Accept).await;
    let mut scores = Vec::new();
    for n in 0..6u8 {
        bad.publish_to(1, vec![n; 10].into()).await;
        let id = until("message", &mut events, |e| {
            if let HostEvent::Message { id, .. } = e {
                Some(id)
            } else {
                None
            }
        })
        .await;
        judge.report_validation(id, Verdict::Reject).await.unwrap();
        if n < 5 {
            scores.push(judge.peers().await.unwrap()[0].score);
        }
    }
    // Time in the mesh adds up to a point.
    for (score, want) in scores
        .iter()
        .zip([-100_000, -400_000, -900_000, -1_600_000, -2_500_000])
    {
        assert!((want..=want + 1_000).contains(score), "{scores:?}");
    }
    until("ban", &mut events, |e| {
        matches!(e, HostEvent::PeerBanned { peer } if peer == key(2)).then_some(())
    })
    .await;
    disconnected(&mut events, key(2)).await;
    // It dials again by its bootstrap list, and is refused before it becomes a peer.
    within("refused redial", async {
        let before = bad.handle.dial(address[0].clone()).await;
        assert!(before.is_ok());
        for _ in 0..200 {
            assert!(judge.peers().await.unwrap().is_empty());
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(judge.stats().await.unwrap().gossip.graylisted, 1);
}

#[tokio::test]
async fn malicious_peer_is_out_at_once_a_slow_one_stays() {
    let (a, mut a_events) = spawn(config(1, Via::Quic, &[])).await;
    let address = a.listen_addrs().await.unwrap();
    let _b = spawn(config(2, Via::Quic, &address)).await;
    connected(&mut a_events, key(2)).await;
    a.penalise(key(2), Penalty::Slow).await.unwrap();
    assert_eq!(a.peers().await.unwrap()[0].score, -10_000);
    a.penalise(key(2), Penalty::Malicious).await.unwrap();
    disconnected(&mut a_events, key(2)).await;
    assert!(a.peers().await.unwrap().is_empty());
}
