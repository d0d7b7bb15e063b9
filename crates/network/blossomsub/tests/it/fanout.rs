use quil_blossomsub::{Direction, Input, Mask, Message, Params, PublishError, limits};

use crate::lab::{Lab, ZERO, mask, peer};

#[test]
fn unsubscribed_publish_goes_to_a_stable_set_of_full_holders() {
    let p = Params::default();
    let mut lab = Lab::new();
    (0..30).for_each(|n| lab.join(n, Direction::Inbound, &[ZERO]));
    lab.clear();
    let got = |lab: &mut Lab, byte: u8| -> Vec<usize> {
        let report = lab.publish(ZERO, vec![byte; p.flood_bytes + 1]).unwrap();
        assert_eq!(
            (report.targets, report.queued, report.dropped),
            (p.degree, p.degree, 0)
        );
        (0..30)
            .filter(|n| !lab.take(*n).messages.is_empty())
            .collect()
    };
    let first = got(&mut lab, 1);
    assert_eq!(got(&mut lab, 2), first);
    lab.wait(30_000);
    assert_eq!(got(&mut lab, 3), first, "heartbeats keep it");
    // A member that leaves is replaced.
    lab.give(Input::Disconnected {
        peer: peer(first[0]),
    });
    let next = got(&mut lab, 4);
    assert!(!next.contains(&first[0]) && first[1..].iter().all(|n| next.contains(n)));
    lab.wait(p.fanout_ms + 1_000);
    assert_ne!(got(&mut lab, 5), next, "an unused set ends");
}

#[test]
fn subscribing_turns_the_fanout_set_into_the_mesh() {
    let mut lab = Lab::new();
    (0..30).for_each(|n| lab.join(n, Direction::Inbound, &[ZERO]));
    lab.clear();
    let _ = lab.publish(ZERO, vec![1; 20_000]).unwrap();
    let set: Vec<_> = (0..30)
        .filter(|n| !lab.take(*n).messages.is_empty())
        .map(peer)
        .collect();
    lab.give(Input::Subscribe(ZERO));
    assert_eq!(lab.members(&ZERO).into_iter().collect::<Vec<_>>(), set);
}

#[test]
fn small_own_messages_are_flooded_to_every_holder() {
    let mut lab = Lab::meshed(40, &[ZERO]);
    lab.clear();
    let report = lab.publish(ZERO, "vote").unwrap();
    assert_eq!((report.targets, report.queued), (40, 40));
    assert!((0..40).all(|n| lab.take(n).messages.len() == 1));
    let report = lab
        .publish(ZERO, vec![0; Params::default().flood_bytes + 1])
        .unwrap();
    assert_eq!(
        report.targets,
        lab.members(&ZERO).len(),
        "large ones go to the mesh"
    );
}

#[test]
fn report_says_when_nobody_is_there() {
    let mut lab = Lab::meshed(0, &[ZERO]);
    assert!(lab.publish(ZERO, "x").unwrap().is_lonely());
    assert_eq!(lab.publish(ZERO, "x"), Err(PublishError::Duplicate));
    lab.join(0, Direction::Inbound, &[ZERO]);
    lab.clear();
    lab.give(Input::Publish {
        message: Message::new(ZERO, "x".into()),
        again: true,
    });
    assert_eq!(lab.take(0).messages.len(), 1, "published again on purpose");
}

#[test]
fn publishing_to_badly_scored_holders_is_avoided() {
    let mut lab = Lab::new();
    (0..3).for_each(|n| lab.join(n, Direction::Inbound, &[ZERO]));
    lab.give(Input::Penalise {
        peer: peer(0),
        points: 1_001,
    });
    assert_eq!(lab.publish(ZERO, "x").unwrap().targets, 2);
    assert!(lab.take(0).messages.is_empty());
}

#[test]
fn size_caps_of_classes_hold_for_own_messages() {
    let mut lab = Lab::new();
    let over = limits::SMALL_PAYLOAD_BYTES_MAX + 1;
    assert_eq!(
        lab.publish(Mask::GLOBAL_UPDATES, vec![0; over]),
        Err(PublishError::TooLarge {
            len: over,
            max: over - 1
        })
    );
    assert_eq!(lab.publish(ZERO, Vec::new()), Err(PublishError::Empty));
    assert!(lab.publish(ZERO, vec![0; over]).is_ok());
}

#[test]
fn fanout_sets_are_bounded() {
    let mut lab = Lab::new();
    lab.join(0, Direction::Inbound, &[ZERO]);
    for n in 0..2 * limits::FANOUT_MASKS_MAX {
        let m = mask(&[0, 0, 0, 1, u8::try_from(n).unwrap()]);
        lab.now += 1;
        let _ = lab.publish(m, "x").unwrap();
    }
    lab.wait(10_000);
}

#[test]
fn own_messages_are_not_delivered_to_this_node() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    let report = lab.publish(ZERO, "mine").unwrap();
    lab.payload(0, &crate::lab::text(ZERO, "mine"));
    assert!(!lab.to_validate().contains(&report.id));
}
