use std::net::IpAddr;

use bytes::Bytes;
use quil_blossomsub::{Direction, Input, Mask, Params, Verdict};

use crate::lab::{Lab, ZERO, peer, text};

fn reject(lab: &mut Lab, n: usize, k: usize) {
    let m = text(ZERO, &format!("bad {n} {k}"));
    lab.payload(n, &m);
    lab.verdict(m.id, Verdict::Reject);
}

#[test]
fn rejected_messages_lower_the_score_until_graylisted() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    let mut scores = Vec::new();
    for k in 0..6 {
        reject(&mut lab, 0, k);
        scores.push(lab.score(0));
        assert_eq!(lab.graylisted(0), k == 5, "{k}");
    }
    assert_eq!(
        scores,
        [
            -100_000, -400_000, -900_000, -1_600_000, -2_500_000, -3_600_000
        ]
    );
    lab.clear();
    let m = text(ZERO, "valid now");
    lab.payload(0, &m);
    assert!(lab.to_validate().is_empty(), "not read any more");
    assert!(lab.router.stats().frames_refused >= 1);
    lab.beat();
    assert!(!lab.members(&ZERO).contains(&peer(0)));
    assert_eq!(lab.score(1), lab.score(2));
    assert!(lab.score(1) >= 0, "others are not touched");
}

#[test]
fn every_forwarder_of_an_invalid_message_pays_also_late_ones() {
    let mut lab = Lab::meshed(4, &[ZERO]);
    let m = text(ZERO, "bad");
    lab.payload(0, &m);
    lab.payload(1, &m);
    lab.verdict(m.id, Verdict::Reject);
    lab.payload(2, &m);
    let scores: Vec<i64> = (0..4).map(|n| lab.score(n)).collect();
    assert_eq!(scores, [-100_000, -100_000, -100_000, 0]);
}

#[test]
fn member_with_a_bad_score_is_pruned_at_the_heartbeat_and_not_grafted() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    lab.clear();
    lab.give(Input::Penalise {
        peer: peer(0),
        points: 5,
    });
    lab.beat();
    assert_eq!(lab.members(&ZERO), [peer(1)].into());
    assert!(lab.take(0).prune.contains_key(&ZERO));
    lab.wait(61_000);
    lab.give(Input::Penalise {
        peer: peer(0),
        points: 5,
    });
    lab.graft(0, &[ZERO]);
    assert!(!lab.members(&ZERO).contains(&peer(0)));
}

#[test]
fn first_delivery_is_rewarded_once_accepted() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    let m = text(ZERO, "x");
    lab.payload(0, &m);
    lab.payload(1, &m);
    assert_eq!(lab.score(0), 0);
    lab.verdict(m.id, Verdict::Accept);
    assert_eq!((lab.score(0), lab.score(1)), (1_000, 0));
    let m = text(ZERO, "y");
    lab.payload(1, &m);
    lab.verdict(m.id, Verdict::Ignore);
    assert_eq!(lab.score(1), 0);
}

#[test]
fn malformed_frames_graylist_on_the_second_or_third() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    let mut needed = 0;
    while !lab.graylisted(0) && needed < 10 {
        lab.give(Input::Frame {
            peer: peer(0),
            bytes: Bytes::from_static(&[0xff; 40]),
        });
        needed += 1;
    }
    assert_eq!(needed, 3);
    assert_eq!(lab.router.stats().malformed, 3);
    lab.give(Input::Malformed { peer: peer(7) });
    assert_eq!(lab.router.stats().malformed, 3, "unknown peers are nobody");
}

#[test]
fn graylisted_peer_is_reported_again_when_it_reconnects() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    (0..6).for_each(|k| reject(&mut lab, 0, k));
    lab.clear();
    lab.give(Input::Disconnected { peer: peer(0) });
    lab.connect(0, Direction::Inbound, None);
    assert!(lab.graylisted(0));
}

#[test]
fn graylisted_peer_recovers_with_time() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    (0..6).for_each(|k| reject(&mut lab, 0, k));
    lab.clear();
    lab.wait(30 * 60_000);
    assert!(lab.score(0) > Params::default().score.graylist_threshold);
    lab.payload(0, &text(ZERO, "fine"));
    assert_eq!(lab.to_validate().len(), 1);
}

#[test]
fn loopback_of_a_devnet_is_not_scored_elsewhere_it_is() {
    for devnet in [true, false] {
        let mut lab = Lab::with(Params {
            devnet,
            ..Params::default()
        });
        for n in 0..20 {
            lab.connect(n, Direction::Inbound, Some(IpAddr::from([127, 0, 0, 1])));
        }
        assert_eq!(lab.score(0) == 0, devnet);
        if !devnet {
            (0..20).for_each(|n| {
                lab.give(Input::Operator {
                    peer: peer(n),
                    operator: [1; 32],
                })
            });
            assert_eq!(lab.score(0), 0, "one operator may run many workers");
        }
    }
}

#[test]
fn mediocre_mesh_takes_better_peers_from_time_to_time() {
    let p = Params::default();
    let other = Mask::GLOBAL_UPDATES;
    let mut lab = Lab::meshed(p.degree, &[ZERO, other]);
    (0..p.degree).for_each(|n| lab.graft(n, &[ZERO]));
    for n in 50..55 {
        lab.join(n, Direction::Inbound, &[ZERO, other]);
        for k in 0..5 {
            let m = text(other, &format!("{n} {k}"));
            lab.payload(n, &m);
            lab.verdict(m.id, Verdict::Accept);
        }
    }
    assert_eq!(lab.members(&ZERO).len(), p.degree);
    for _ in 0..p.opportunistic.0 {
        lab.beat();
    }
    let better = (50..55)
        .filter(|n| lab.members(&ZERO).contains(&peer(*n)))
        .count();
    assert_eq!(better, p.opportunistic.1);
}

#[test]
fn message_without_verdict_ends_without_penalty() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    let m = text(ZERO, "x");
    lab.payload(0, &m);
    lab.wait(61_000);
    assert_eq!(
        (lab.router.stats().overdue, lab.router.stats().pending),
        (1, 0)
    );
    assert!(lab.score(0) >= 0);
    lab.verdict(m.id, Verdict::Reject);
    assert!(lab.score(0) >= 0, "too late");
}
