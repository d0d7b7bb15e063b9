use std::collections::BTreeSet;

use quil_blossomsub::{Direction, Input, Mask, Message, Params, Rpc, Verdict};

use crate::lab::{Lab, ZERO, id, text};

/// A mesh at its degree and holders outside it.
fn crowd() -> (Lab, Vec<usize>) {
    let mut lab = Lab::meshed(30, &[ZERO]);
    lab.clear();
    let members = lab.members(&ZERO);
    let outside = (0..30)
        .filter(|n| !members.contains(&crate::lab::peer(*n)))
        .collect();
    (lab, outside)
}

#[test]
fn recent_messages_are_offered_to_holders_outside_the_mesh() {
    let p = Params::default();
    let (mut lab, outside) = crowd();
    let m = text(ZERO, "x");
    lab.payload(0, &m);
    lab.verdict(m.id, Verdict::Accept);
    lab.clear();
    let mut beats = 0;
    loop {
        lab.beat();
        let offered: Vec<usize> = (0..30)
            .filter(|n| lab.take(*n).ihave.contains_key(&ZERO))
            .collect();
        if offered.is_empty() {
            break;
        }
        assert_eq!(offered.len(), p.degree_lazy);
        assert!(offered.iter().all(|n| outside.contains(n)));
        beats += 1;
    }
    assert_eq!(beats, p.history_gossip);
}

#[test]
fn offer_names_the_full_mask_and_goes_only_to_full_holders() {
    let m = Mask::new(&[0b0000_0111]).unwrap();
    let mut lab = Lab::meshed(10, &[m]);
    lab.join(10, Direction::Inbound, &m.slices()[..2]);
    lab.clear();
    let msg = text(m, "x");
    lab.payload(0, &msg);
    lab.verdict(msg.id, Verdict::Accept);
    lab.clear();
    lab.beat();
    let offers: Vec<Rpc> = (0..11).map(|n| lab.take(n)).collect();
    assert!(
        offers
            .iter()
            .any(|r| r.ihave.get(&m) == Some(&[msg.id].into()))
    );
    assert!(offers[10].ihave.is_empty());
}

#[test]
fn new_offers_are_asked_for_and_answers_are_counted() {
    let (mut lab, _) = crowd();
    let m = text(ZERO, "offered");
    lab.send(
        0,
        Rpc {
            ihave: [(ZERO, [m.id].into())].into(),
            ..Rpc::default()
        },
    );
    assert_eq!(lab.take(0).iwant, [m.id].into());
    // A second peer may be asked too, a third not while two answers are due.
    lab.send(
        1,
        Rpc {
            ihave: [(ZERO, [m.id].into())].into(),
            ..Rpc::default()
        },
    );
    lab.send(
        2,
        Rpc {
            ihave: [(ZERO, [m.id].into())].into(),
            ..Rpc::default()
        },
    );
    assert_eq!((lab.take(1).iwant.len(), lab.take(2).iwant.len()), (1, 0));
    lab.payload(0, &m);
    lab.verdict(m.id, Verdict::Accept);
    lab.wait(10_000);
    assert_eq!(
        lab.router.stats().broken_promises,
        0,
        "one arrival keeps all promises"
    );
    lab.send(
        3,
        Rpc {
            ihave: [(ZERO, [m.id].into())].into(),
            ..Rpc::default()
        },
    );
    assert!(lab.take(3).iwant.is_empty(), "seen");
}

#[test]
fn offers_for_foreign_masks_are_ignored() {
    let (mut lab, _) = crowd();
    lab.send(
        0,
        Rpc {
            ihave: [(Mask::GLOBAL_UPDATES, [id(1)].into())].into(),
            ..Rpc::default()
        },
    );
    assert!(lab.take(0).iwant.is_empty());
}

#[test]
fn broken_promise_costs_after_the_followup_time() {
    let (mut lab, _) = crowd();
    lab.send(
        0,
        Rpc {
            ihave: [(ZERO, (0..50).map(id).collect())].into(),
            ..Rpc::default()
        },
    );
    assert_eq!(lab.take(0).iwant.len(), 50);
    lab.wait(2_000);
    assert_eq!(lab.router.stats().broken_promises, 0);
    lab.wait(2_000);
    assert_eq!(
        lab.router.stats().broken_promises,
        1,
        "one promise per request"
    );
    lab.send(
        0,
        Rpc {
            ihave: [(ZERO, [id(1)].into())].into(),
            ..Rpc::default()
        },
    );
    assert_eq!(
        lab.take(0).iwant.len(),
        1,
        "and the id may be asked for again"
    );
}

#[test]
fn iwant_is_served_from_the_history_a_few_times() {
    let p = Params::default();
    let (mut lab, outside) = crowd();
    let n = outside[0];
    let m = text(ZERO, "x");
    lab.payload(if n == 0 { 1 } else { 0 }, &m);
    lab.verdict(m.id, Verdict::Accept);
    lab.clear();
    let want = || Rpc {
        iwant: [m.id].into(),
        ..Rpc::default()
    };
    for k in 0..p.budget.retransmissions + 2 {
        lab.send(n, want());
        assert_eq!(
            lab.take(n).messages.len(),
            usize::from(k < p.budget.retransmissions),
            "request {k}"
        );
    }
    let other = outside[1];
    lab.send(other, want());
    assert_eq!(lab.take(other).messages.len(), 1, "counted per peer");
    lab.wait(p.heartbeat_ms * p.history_length as u64);
    lab.send(outside[2], want());
    assert!(
        lab.take(outside[2]).messages.is_empty(),
        "gone from the history"
    );
}

#[test]
fn offers_and_requests_of_badly_scored_peers_are_ignored() {
    let (mut lab, outside) = crowd();
    let n = outside[0];
    let m = text(ZERO, "x");
    lab.payload(if n == 0 { 1 } else { 0 }, &m);
    lab.verdict(m.id, Verdict::Accept);
    lab.clear();
    lab.give(Input::Penalise {
        peer: crate::lab::peer(n),
        points: 501,
    });
    lab.send(
        n,
        Rpc {
            iwant: [m.id].into(),
            ihave: [(ZERO, [id(9)].into())].into(),
            ..Rpc::default()
        },
    );
    let rpc = lab.take(n);
    assert!(rpc.messages.is_empty() && rpc.iwant.is_empty());
    for _ in 0..5 {
        lab.beat();
        assert!(lab.take(n).ihave.is_empty(), "and it gets no offers");
    }
}

#[test]
fn more_ids_than_fit_are_sampled() {
    let (mut lab, _) = crowd();
    let sent: BTreeSet<_> = (0..2_000u32)
        .map(|k| {
            lab.give(Input::Publish {
                message: Message::new(ZERO, k.to_be_bytes().to_vec().into()),
                again: false,
            });
            quil_blossomsub::MessageId::of(&ZERO, &k.to_be_bytes())
        })
        .collect();
    lab.clear();
    lab.beat();
    let offers: Vec<_> = (0..30)
        .filter_map(|n| lab.take(n).ihave.remove(&ZERO))
        .collect();
    assert!(
        offers
            .iter()
            .all(|o| o.len() == quil_blossomsub::limits::RPC_IDS_MAX && o.is_subset(&sent))
    );
    assert!(offers.windows(2).any(|w| w[0] != w[1]), "different samples");
}

/// A network so small that everybody is in the mesh still repairs what a full queue dropped.
#[test]
fn members_are_offered_messages_when_nobody_is_outside() {
    let mut lab = Lab::meshed(3, &[ZERO]);
    let report = lab.publish(ZERO, "x").unwrap();
    lab.clear();
    lab.beat();
    assert!((0..3).all(|n| lab.take(n).ihave.get(&ZERO) == Some(&[report.id].into())));
}
