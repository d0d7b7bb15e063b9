use quil_blossomsub::{Input, Message, Rpc, Verdict, limits};

use crate::lab::{Lab, ZERO, id, text};

#[test]
fn large_message_is_announced_to_the_other_members_on_receipt() {
    let mut lab = Lab::meshed(4, &[ZERO]);
    lab.clear();
    let big = Message::new(ZERO, vec![1; 1024].into());
    lab.payload(0, &big);
    let told: Vec<bool> = (0..4)
        .map(|n| lab.take(n).idontwant.contains(&big.id))
        .collect();
    assert_eq!(told, [false, true, true, true]);
    lab.payload(0, &Message::new(ZERO, vec![1; 1023].into()));
    assert!(
        (0..4).all(|n| lab.take(n).idontwant.is_empty()),
        "small ones are not worth it"
    );
}

#[test]
fn announced_message_is_not_sent_and_not_served() {
    let mut lab = Lab::meshed(4, &[ZERO]);
    lab.clear();
    let m = text(ZERO, "x");
    lab.payload(0, &m);
    lab.send(
        1,
        Rpc {
            idontwant: [m.id].into(),
            ..Rpc::default()
        },
    );
    lab.verdict(m.id, Verdict::Accept);
    assert!(lab.take(1).messages.is_empty());
    assert_eq!(lab.take(2).messages.len(), 1);
    lab.send(
        1,
        Rpc {
            iwant: [m.id].into(),
            ..Rpc::default()
        },
    );
    assert!(lab.take(1).messages.is_empty());
}

#[test]
fn waiting_copy_is_cancelled() {
    let mut lab = Lab::meshed(4, &[ZERO]);
    lab.clear();
    let report = lab.publish(ZERO, vec![5; 5000]).unwrap();
    lab.send(
        1,
        Rpc {
            idontwant: [report.id].into(),
            ..Rpc::default()
        },
    );
    assert!(lab.take(1).messages.is_empty());
    assert_eq!(lab.take(2).messages.len(), 1);
}

#[test]
fn announcement_ends() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    let m = text(ZERO, "x");
    lab.send(
        1,
        Rpc {
            idontwant: [m.id].into(),
            ..Rpc::default()
        },
    );
    lab.wait(43_000);
    lab.clear();
    lab.give(Input::Publish {
        message: Message::new(ZERO, m.data),
        again: false,
    });
    assert_eq!(lab.take(1).messages.len(), 1);
}

#[test]
fn announcements_are_bounded_and_flooding_costs() {
    let mut lab = Lab::meshed(1, &[ZERO]);
    let ids = |k: usize| (k * 1000..(k + 1) * 1000).map(id).collect();
    for k in 0..3 {
        lab.send(
            0,
            Rpc {
                idontwant: ids(k),
                ..Rpc::default()
            },
        );
    }
    assert_eq!(lab.router.stats().misbehaviours, 2, "1024 per heartbeat");
    for k in 3..3 + limits::DONTWANT_MAX / 1000 + 5 {
        lab.beat();
        lab.send(
            0,
            Rpc {
                idontwant: ids(k),
                ..Rpc::default()
            },
        );
    }
    assert_eq!(
        lab.router.stats().misbehaviours,
        2,
        "a peer within its budget loses nothing but the oldest ids"
    );
}
