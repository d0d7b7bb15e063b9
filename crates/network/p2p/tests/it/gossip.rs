use bytes::Bytes;
use quil_p2p::blossomsub::{Mask, PublishError, SubscribeError, Verdict, limits};
use quil_p2p::{JoinError, SendError};

use crate::nodes::{MASK, Node, Via, config, eventually, key, within};

async fn two(via: Via) {
    let mut a = Node::start(config(1, via, &[]), Verdict::Accept).await;
    let mut b = Node::start(config(2, via, &[a.address().await]), Verdict::Accept).await;
    a.publish_to(1, "from a".into()).await;
    assert_eq!(&b.next().await[..], b"from a");
    b.publish_to(1, "from b".into()).await;
    assert_eq!(&a.next().await[..], b"from b");
    a.handle.shutdown().await;
    b.handle.shutdown().await;
}

#[tokio::test]
async fn two_hosts_deliver_over_tcp() {
    two(Via::Tcp).await;
}

#[tokio::test]
async fn two_hosts_deliver_over_quic() {
    two(Via::Quic).await;
}

/// A line of five: every message crosses hosts that validate and forward it.
async fn five(via: Via) {
    let mut nodes: Vec<Node> = Vec::new();
    for n in 1..=5 {
        let before = match nodes.last() {
            Some(node) => vec![node.address().await],
            None => Vec::new(),
        };
        nodes.push(Node::start(config(n, via, &before), Verdict::Accept).await);
    }
    // Every link of the line is up and subscribed.
    for (n, node) in nodes.iter().enumerate() {
        let neighbours = if n == 0 || n == 4 { 1 } else { 2 };
        node.publish_to(neighbours, Bytes::from(format!("probe {n}")))
            .await;
    }
    for publisher in [0usize, 4, 2] {
        // Too large for the flood of own messages: only meshes and forwarding carry it.
        let data = Bytes::from(vec![u8::try_from(publisher).unwrap() + 100; 40_000]);
        nodes[publisher].publish_to(1, data.clone()).await;
        for n in (0..5).filter(|n| *n != publisher) {
            while nodes[n].next().await != data {}
        }
    }
    for node in &nodes {
        assert!(
            node.handle
                .peers()
                .await
                .unwrap()
                .iter()
                .all(|p| p.score >= 0)
        );
        node.handle.shutdown().await;
    }
}

#[tokio::test]
async fn five_hosts_deliver_over_tcp() {
    five(Via::Tcp).await;
}

#[tokio::test]
async fn five_hosts_deliver_over_quic() {
    five(Via::Quic).await;
}

#[tokio::test]
async fn frame_of_a_megabyte_arrives_whole() {
    let a = Node::start(config(1, Via::Quic, &[]), Verdict::Accept).await;
    let mut b = Node::start(config(2, Via::Quic, &[a.address().await]), Verdict::Accept).await;
    let data: Bytes = (0..1 << 20)
        .map(|n: u32| n.to_le_bytes()[1])
        .collect::<Vec<_>>()
        .into();
    a.publish_to(1, data.clone()).await;
    assert_eq!(b.next().await, data);
}

/// An ignored or rejected message stays where it is.
#[tokio::test]
async fn message_is_not_forwarded_without_an_accept() {
    for verdict in [Verdict::Ignore, Verdict::Reject] {
        let a = Node::start(config(1, Via::Tcp, &[]), Verdict::Accept).await;
        let mut b = Node::start(config(2, Via::Tcp, &[a.address().await]), verdict).await;
        let mut c = Node::start(config(3, Via::Tcp, &[b.address().await]), Verdict::Accept).await;
        b.publish_to(2, "b is there".into()).await;
        assert_eq!(&c.next().await[..], b"b is there");
        a.publish_to(1, "from a".into()).await;
        assert_eq!(&b.next().await[..], b"from a");
        // What b publishes afterwards arrives; what a published never did.
        b.publish_to(2, "later".into()).await;
        assert_eq!(&c.next().await[..], b"later");
    }
}

#[tokio::test]
async fn publish_reports_and_refuses() {
    let a = Node::start(config(1, Via::Tcp, &[]), Verdict::Accept).await;
    let report = a.handle.publish(MASK, "alone".into()).await.unwrap();
    assert!(report.is_lonely());
    let again = a.handle.publish(MASK, "alone".into()).await;
    assert_eq!(again, Err(SendError::Publish(PublishError::Duplicate)));
    let over = vec![0; limits::SMALL_PAYLOAD_BYTES_MAX + 1];
    let large = a.handle.publish(Mask::GLOBAL_UPDATES, over.into()).await;
    assert!(matches!(
        large,
        Err(SendError::Publish(PublishError::TooLarge { .. }))
    ));
    for n in 0..limits::LOCAL_MASKS_MAX - 1 {
        a.handle
            .subscribe(Mask::new(&[0, 1, n.to_le_bytes()[0], 0, n.to_le_bytes()[1]]).unwrap())
            .await
            .unwrap();
    }
    let refused = a.handle.subscribe(Mask::GLOBAL_UPDATES).await;
    assert_eq!(refused, Err(JoinError::Subscribe(SubscribeError::Masks)));
    a.handle.unsubscribe(MASK).await.unwrap();
    assert_eq!(a.handle.subscribe(Mask::GLOBAL_UPDATES).await, Ok(()));
}

#[tokio::test]
async fn unsubscribed_node_gets_nothing_more() {
    let a = Node::start(config(1, Via::Tcp, &[]), Verdict::Accept).await;
    let mut b = Node::start(config(2, Via::Tcp, &[a.address().await]), Verdict::Accept).await;
    a.publish_to(1, "one".into()).await;
    assert_eq!(&b.next().await[..], b"one");
    b.handle.unsubscribe(MASK).await.unwrap();
    eventually("unsubscription at a", || async {
        a.handle
            .republish(MASK, "two".into())
            .await
            .unwrap()
            .is_lonely()
    })
    .await;
    b.handle.subscribe(MASK).await.unwrap();
    a.publish_to(1, "three".into()).await;
    while b.next().await != "three" {}
}

#[tokio::test]
async fn node_that_does_not_take_its_events_loses_messages_not_the_host() {
    let (slow, _events) = crate::nodes::spawn(config(1, Via::Tcp, &[])).await;
    slow.subscribe(MASK).await.unwrap();
    let address = slow.listen_addrs().await.unwrap();
    let a = Node::start(config(2, Via::Tcp, &address), Verdict::Accept).await;
    a.publish_to(1, "first".into()).await;
    // One peer may have 128 messages under validation; the node gives no verdict on any.
    for n in 0..400u32 {
        a.publish_to(1, n.to_le_bytes().to_vec().into()).await;
    }
    eventually("messages beyond the bound refused", || async {
        slow.stats().await.unwrap().gossip.pending_refused > 0
    })
    .await;
    let stats = slow.stats().await.unwrap();
    assert_eq!(stats.gossip.pending, limits::PEER_PENDING_MAX);
    assert_eq!(slow.peers().await.unwrap()[0].peer, key(2));
    within("shutdown", slow.shutdown()).await;
}
