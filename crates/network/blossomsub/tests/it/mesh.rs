use quil_blossomsub::{Direction, Input, Mask, Params, Rpc, Verdict};

use crate::lab::{Lab, ZERO, mask, peer, text};

#[test]
fn hello_announces_every_slice_before_anything_else() {
    let mut lab = Lab::new();
    let m = mask(&[0x81, 1]);
    lab.give(Input::Subscribe(m));
    lab.give(Input::Subscribe(ZERO));
    lab.connect(0, Direction::Outbound, None);
    let hello = lab.take(0);
    assert_eq!(hello.subs.len(), 4);
    assert!(
        hello.subs.values().all(|on| *on) && m.slices().iter().all(|s| hello.subs.contains_key(s))
    );
}

#[test]
fn holders_are_grafted_up_to_the_low_degree_at_once_and_to_degree_by_heartbeat() {
    let p = Params::default();
    let mut lab = Lab::meshed(20, &[ZERO]);
    assert_eq!(lab.members(&ZERO).len(), p.degree_low);
    // Four leave: below the low degree the heartbeat fills to the degree.
    let gone: Vec<_> = lab.members(&ZERO).into_iter().take(4).collect();
    gone.iter()
        .for_each(|g| lab.give(Input::Disconnected { peer: *g }));
    lab.beat();
    assert_eq!(lab.members(&ZERO).len(), p.degree);
    let told = (0..20)
        .filter(|n| lab.take(*n).graft.contains(&ZERO))
        .count();
    assert_eq!(told, p.degree, "every member was told");
}

#[test]
fn subscribing_late_grafts_known_holders() {
    let mut lab = Lab::new();
    (0..20).for_each(|n| lab.join(n, Direction::Inbound, &[ZERO]));
    assert!(lab.members(&ZERO).is_empty());
    lab.give(Input::Subscribe(ZERO));
    assert_eq!(lab.members(&ZERO).len(), Params::default().degree);
}

#[test]
fn grafts_above_the_high_degree_are_refused_unless_we_dialled() {
    let high = Params::default().degree_high;
    let mut lab = Lab::meshed(0, &[ZERO]);
    for n in 0..high + 3 {
        lab.join(n, Direction::Inbound, &[ZERO]);
        lab.graft(n, &[ZERO]);
    }
    assert_eq!(lab.members(&ZERO).len(), high);
    let last = lab.take(high + 2);
    assert!(last.prune[&ZERO] == 60 && last.graft.is_empty());
    lab.join(99, Direction::Outbound, &[ZERO]);
    lab.graft(99, &[ZERO]);
    assert!(lab.members(&ZERO).contains(&peer(99)));
}

#[test]
fn oversized_mesh_is_thinned_to_degree_and_keeps_outbound_and_best() {
    let p = Params::default();
    let mut lab = Lab::meshed(0, &[ZERO]);
    for n in 0..p.degree_high {
        lab.join(n, Direction::Inbound, &[ZERO]);
        lab.graft(n, &[ZERO]);
    }
    for n in 50..53 {
        lab.join(n, Direction::Outbound, &[ZERO]);
        lab.graft(n, &[ZERO]);
    }
    for k in 0..3 {
        let m = text(ZERO, &format!("by the best {k}"));
        lab.payload(5, &m);
        lab.verdict(m.id, Verdict::Accept);
    }
    lab.clear();
    lab.beat();
    let members = lab.members(&ZERO);
    assert_eq!(members.len(), p.degree);
    assert!(members.contains(&peer(5)), "the best score stays");
    assert!((50..53).filter(|n| members.contains(&peer(*n))).count() >= p.degree_out);
    let pruned = (0..60)
        .filter(|n| lab.take(*n).prune.contains_key(&ZERO))
        .count();
    assert_eq!(pruned, p.degree_high + 3 - p.degree);
}

#[test]
fn mesh_without_outbound_members_takes_some() {
    let p = Params::default();
    let mut lab = Lab::meshed(10, &[ZERO]);
    (0..p.degree).for_each(|n| lab.graft(n, &[ZERO]));
    (50..55).for_each(|n| lab.join(n, Direction::Outbound, &[ZERO]));
    lab.beat();
    let outbound = (50..55)
        .filter(|n| lab.members(&ZERO).contains(&peer(*n)))
        .count();
    assert_eq!(outbound, p.degree_out);
}

/// Two members share a /24; when others become eligible all at once, those from elsewhere are preferred.
#[test]
fn members_from_one_prefix_come_last() {
    let mut lab = Lab::meshed(0, &[ZERO]);
    for n in 0..30 {
        let byte = u8::try_from(n).unwrap();
        let ip = if n < 20 {
            [10, 0, 0, byte]
        } else {
            [10, 1, byte, 1]
        };
        lab.connect(n, Direction::Inbound, Some(ip.into()));
        if n >= 2 {
            lab.give(Input::Operator {
                peer: peer(n),
                operator: [1; 32],
            });
            lab.give(Input::Penalise {
                peer: peer(n),
                points: 1,
            });
        }
        lab.announce(n, &[ZERO], true);
    }
    assert_eq!(lab.members(&ZERO), [peer(0), peer(1)].into());
    lab.wait(45 * 60_000);
    let members = lab.members(&ZERO);
    let elsewhere = (20..30).filter(|n| members.contains(&peer(*n))).count();
    assert_eq!(
        (members.len(), elsewhere),
        (Params::default().degree, Params::default().degree - 2)
    );
}

#[test]
fn unsubscribing_prunes_with_the_short_backoff_and_announces() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    lab.clear();
    lab.give(Input::Unsubscribe(ZERO));
    let rpc = lab.take(0);
    assert_eq!(
        (rpc.prune.get(&ZERO), rpc.subs.get(&ZERO)),
        (Some(&10), Some(&false))
    );
    assert!(lab.members(&ZERO).is_empty());
    lab.give(Input::Subscribe(ZERO));
    assert!(
        lab.members(&ZERO).is_empty(),
        "the back-off binds this side too"
    );
    lab.wait(12_000);
    assert_eq!(lab.members(&ZERO).len(), 3);
}

#[test]
fn peer_that_unsubscribes_leaves_the_mesh() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    lab.announce(1, &[ZERO], false);
    assert_eq!(lab.members(&ZERO), [peer(0), peer(2)].into());
    lab.announce(1, &[ZERO], true);
    assert!(lab.members(&ZERO).contains(&peer(1)));
}

#[test]
fn accepted_message_goes_to_members_except_its_senders() {
    let mut lab = Lab::meshed(4, &[ZERO]);
    lab.clear();
    let m = text(ZERO, "x");
    lab.payload(0, &m);
    lab.payload(1, &m);
    assert!(
        lab.take(2).messages.is_empty(),
        "nothing before the verdict"
    );
    assert_eq!(lab.to_validate(), [m.id], "one validation");
    lab.verdict(m.id, Verdict::Accept);
    let got: Vec<usize> = (0..4).map(|n| lab.take(n).messages.len()).collect();
    assert_eq!(got, [0, 0, 1, 1]);
    lab.payload(2, &m);
    lab.verdict(m.id, Verdict::Accept);
    assert_eq!(lab.to_validate().len(), 1, "seen");
    assert!(lab.take(3).messages.is_empty());
}

#[test]
fn ignored_and_rejected_messages_are_not_forwarded() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    lab.clear();
    for (text_, verdict) in [("a", Verdict::Ignore), ("b", Verdict::Reject)] {
        let m = text(ZERO, text_);
        lab.payload(0, &m);
        lab.verdict(m.id, verdict);
        assert!((1..3).all(|n| lab.take(n).messages.is_empty()));
    }
    lab.wait(2_000);
    assert!((1..3).all(|n| lab.take(n).ihave.is_empty()), "nor offered");
}

#[test]
fn ignored_message_may_come_again_later_rejected_not() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    let (a, b) = (text(ZERO, "a"), text(ZERO, "b"));
    for (m, verdict) in [(&a, Verdict::Ignore), (&b, Verdict::Reject)] {
        lab.payload(0, m);
        lab.verdict(m.id, verdict);
    }
    lab.payload(1, &a);
    assert_eq!(lab.to_validate().len(), 2, "not at once");
    lab.wait(6_000);
    lab.payload(1, &a);
    lab.payload(1, &b);
    assert_eq!(lab.to_validate(), [a.id, b.id, a.id]);
}

#[test]
fn graft_for_a_slice_we_do_not_hold_is_ignored() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    lab.clear();
    lab.graft(0, &[Mask::GLOBAL_UPDATES]);
    assert_eq!(lab.take(0), Rpc::default());
    assert_eq!(lab.score(0), 0);
}

#[test]
fn graft_by_a_peer_that_did_not_subscribe_is_refused() {
    let mut lab = Lab::meshed(0, &[ZERO]);
    lab.connect(0, Direction::Inbound, None);
    lab.clear();
    lab.graft(0, &[ZERO]);
    assert!(lab.take(0).prune.contains_key(&ZERO) && lab.members(&ZERO).is_empty());
}
