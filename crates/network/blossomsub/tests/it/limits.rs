use quil_blossomsub::{Direction, Input, Mask, Message, Output, Rpc, SubscribeError, limits};

use crate::lab::{Lab, ZERO, mask, peer, text};

fn wide(n: usize) -> Mask {
    mask(&[
        0,
        0,
        0,
        0,
        u8::try_from(n / 256).unwrap(),
        u8::try_from(n % 256).unwrap(),
    ])
}

#[test]
fn own_subscriptions_are_bounded() {
    let mut lab = Lab::new();
    (0..limits::LOCAL_MASKS_MAX + 10).for_each(|n| lab.give(Input::Subscribe(wide(n))));
    assert_eq!(lab.router.subscriptions().count(), limits::LOCAL_MASKS_MAX);
    assert_eq!(
        lab.outputs,
        vec![Output::SubscribeRefused(SubscribeError::Masks); 10]
    );
    let mut lab = Lab::new();
    for n in 0..5u8 {
        let mut broad = vec![0xff; 32];
        broad.extend(vec![0; usize::from(n)]);
        lab.give(Input::Subscribe(mask(&broad)));
    }
    assert_eq!(
        lab.outputs,
        [Output::SubscribeRefused(SubscribeError::Slices)]
    );
}

/// Announcing more slices than allowed costs, and the rest is not kept.
#[test]
fn announced_slices_are_bounded() {
    let mut lab = Lab::new();
    lab.connect(0, Direction::Inbound, None);
    for length in [60usize, 61, 62] {
        let subs = (0..8 * length).map(|bit| {
            let mut m = vec![0; length];
            m[bit / 8] = 1 << (bit % 8);
            (mask(&m), true)
        });
        lab.send(
            0,
            Rpc {
                subs: subs.collect(),
                ..Rpc::default()
            },
        );
    }
    assert_eq!(lab.router.stats().misbehaviours, 1);
    assert_eq!(
        lab.router
            .holders_of(&mask(&[&[1][..], &[0; 59]].concat()))
            .len(),
        1
    );
    assert!(
        lab.router
            .holders_of(&mask(&[&[0x80][..], &[0; 61]].concat()))
            .is_empty()
    );
}

#[test]
fn peers_are_bounded() {
    let mut lab = Lab::new();
    (0..limits::PEERS_MAX + 5).for_each(|n| lab.connect(n, Direction::Inbound, None));
    assert_eq!(lab.router.stats().peers, limits::PEERS_MAX);
}

#[test]
fn one_peer_cannot_fill_the_validation_queue() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    (0..limits::PEER_PENDING_MAX + 50).for_each(|k| lab.payload(0, &text(ZERO, &format!("{k}"))));
    assert_eq!(lab.router.stats().pending, limits::PEER_PENDING_MAX);
    assert_eq!(lab.router.stats().pending_refused, 50);
    lab.payload(1, &text(ZERO, "other peer"));
    assert_eq!(lab.router.stats().pending, limits::PEER_PENDING_MAX + 1);
    // A refused message is as if never received: it may come again.
    let id = lab.to_validate()[0];
    lab.verdict(id, quil_blossomsub::Verdict::Ignore);
    lab.payload(0, &text(ZERO, &format!("{}", limits::PEER_PENDING_MAX)));
    assert_eq!(lab.router.stats().pending, limits::PEER_PENDING_MAX + 1);
}

#[test]
fn slow_peer_loses_low_priority_payloads_first_and_the_report_counts_drops() {
    let requests = mask(&[1; 35]);
    let mut lab = Lab::meshed(1, &[Mask::GLOBAL_CONSENSUS, requests]);
    lab.clear();
    for k in 0..limits::QUEUE_MESSAGES_MAX {
        assert_eq!(lab.publish(requests, format!("{k}")).unwrap().dropped, 0);
    }
    let over = lab.publish(requests, "one more").unwrap();
    assert_eq!((over.targets, over.queued, over.dropped), (1, 0, 1));
    let vote = lab.publish(Mask::GLOBAL_CONSENSUS, "vote").unwrap();
    assert_eq!((vote.queued, vote.dropped), (1, 0));
    assert_eq!(lab.router.drops(&peer(0)).payloads, 2);
    let first = Rpc::decode(&lab.router.next_frame(&peer(0)).unwrap().to_bytes()).unwrap();
    assert_eq!(&first.messages[0].data[..], b"vote");
}

#[test]
fn wake_comes_once_until_the_queue_was_emptied() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    let wakes = |lab: &Lab| {
        lab.outputs
            .iter()
            .filter(|o| matches!(o, Output::Wake(_)))
            .count()
    };
    assert_eq!(wakes(&lab), 1);
    let _ = lab.publish(ZERO, "a");
    assert_eq!(wakes(&lab), 1, "the driver knows");
    lab.clear();
    assert!(lab.router.next_frame(&peer(0)).is_none());
    let _ = lab.publish(ZERO, "b");
    assert_eq!(wakes(&lab), 1);
}

#[test]
fn largest_payload_fits_a_frame() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    lab.clear();
    let data = vec![3; limits::PAYLOAD_BYTES_MAX];
    let _ = lab.publish(ZERO, data.clone()).unwrap();
    let frame = lab.router.next_frame(&peer(0)).unwrap();
    assert!(frame.len() <= limits::FRAME_BYTES_MAX);
    let rpc = Rpc::decode(&frame.to_bytes()).unwrap();
    assert_eq!(rpc.messages, [Message::new(ZERO, data.into())]);
}
