//! Peers that try to make the router work or store. In each case the cost stays with them and honest peers are served.

use bytes::Bytes;
use proptest::prelude::*;
use quil_blossomsub::{Direction, Input, Mask, MessageId, Params, Rpc, Verdict, limits};

use crate::lab::{Lab, ZERO, id, mask, peer, text};

fn lab() -> Lab {
    let mut lab = Lab::meshed(5, &[ZERO, Mask::new(&[7]).unwrap()]);
    lab.clear();
    lab
}

fn honest_peer_is_served(lab: &mut Lab) {
    lab.clear();
    let m = text(ZERO, "honest");
    lab.payload(3, &m);
    assert_eq!(lab.to_validate(), [m.id]);
    lab.verdict(m.id, Verdict::Accept);
    assert_eq!(lab.take(4).messages, [m]);
}

#[test]
fn ihave_flood_asks_a_bounded_number_and_graylists() {
    let mut lab = lab();
    let mut asked = 0;
    for round in 0..40 {
        let ids = (round * 1024..(round + 1) * 1024).map(id).collect();
        lab.send(
            0,
            Rpc {
                ihave: [(ZERO, ids)].into(),
                ..Rpc::default()
            },
        );
        asked += lab.take(0).iwant.len();
    }
    assert_eq!(asked, 1024, "the budget of a heartbeat");
    assert_eq!(
        lab.router.stats().misbehaviours,
        22,
        "then it is not read any more"
    );
    assert!(lab.graylisted(0));
    honest_peer_is_served(&mut lab);
}

#[test]
fn promises_never_kept_graylist() {
    let mut lab = lab();
    let mut beats = 0;
    while !lab.graylisted(0) {
        for k in 0..10 {
            lab.send(
                0,
                Rpc {
                    ihave: [(ZERO, [id(beats * 10 + k)].into())].into(),
                    ..Rpc::default()
                },
            );
        }
        lab.beat();
        beats += 1;
        assert!(beats < 20);
    }
    honest_peer_is_served(&mut lab);
}

#[test]
fn iwant_flood_is_served_a_bounded_number_of_times_and_graylists() {
    let mut lab = lab();
    let big = lab.publish(ZERO, vec![1; 1 << 20]).unwrap();
    lab.clear();
    let mut served = 0;
    for _ in 0..200 {
        lab.send(
            0,
            Rpc {
                iwant: [big.id].into(),
                ..Rpc::default()
            },
        );
        served += lab.take(0).messages.len();
    }
    assert_eq!(served, 3);
    assert!(
        lab.score(0) < Params::default().score.gossip_threshold,
        "it gets no answers any more"
    );
    honest_peer_is_served(&mut lab);
}

#[test]
fn iwant_of_unknown_ids_is_tolerated_then_costs() {
    let mut lab = lab();
    lab.send(
        0,
        Rpc {
            iwant: (0..200).map(id).collect(),
            ..Rpc::default()
        },
    );
    assert_eq!(
        lab.router.stats().misbehaviours,
        0,
        "the history moved on: nobody's fault"
    );
    for k in 1..40 {
        lab.send(
            0,
            Rpc {
                iwant: (k * 1000..k * 1000 + 1000).map(id).collect(),
                ..Rpc::default()
            },
        );
        assert!(lab.take(0).messages.is_empty());
    }
    assert!(lab.graylisted(0));
    honest_peer_is_served(&mut lab);
}

#[test]
fn graft_flood_graylists_and_never_enters() {
    let mut lab = lab();
    lab.give(Input::Penalise {
        peer: peer(0),
        points: 1,
    });
    lab.beat();
    assert!(!lab.members(&ZERO).contains(&peer(0)));
    let mut grafts = 0;
    while !lab.graylisted(0) {
        lab.graft(0, &[ZERO]);
        assert!(!lab.members(&ZERO).contains(&peer(0)));
        grafts += 1;
        assert!(grafts < 20);
    }
    honest_peer_is_served(&mut lab);
}

#[test]
fn frame_flood_is_cut_off() {
    let mut lab = lab();
    for _ in 0..1024 + 30 {
        lab.announce(0, &[ZERO], true);
    }
    assert!(lab.graylisted(0));
    assert!(lab.router.stats().frames_refused >= 20);
    honest_peer_is_served(&mut lab);
}

#[test]
fn payload_flood_for_foreign_masks_costs() {
    let mut lab = lab();
    for k in 0..600 {
        lab.payload(0, &text(Mask::GLOBAL_UPDATES, &format!("{k}")));
    }
    assert!(lab.graylisted(0) && lab.to_validate().is_empty());
    honest_peer_is_served(&mut lab);
}

#[test]
fn largest_lists_are_handled_within_budgets() {
    let mut lab = lab();
    let slices = |length: usize| -> Vec<Mask> {
        (0..8 * length)
            .map(|bit| {
                let mut m = vec![0; length];
                m[bit / 8] = 1 << (bit % 8);
                mask(&m)
            })
            .collect()
    };
    let many: Vec<Mask> = [slices(64), slices(63)].concat();
    let ids: std::collections::BTreeSet<MessageId> = (0..limits::RPC_IDS_MAX).map(id).collect();
    let rpc = Rpc {
        subs: many.iter().map(|m| (*m, true)).collect(),
        graft: many.iter().copied().collect(),
        prune: many.iter().map(|m| (*m, u64::MAX)).collect(),
        ihave: many
            .iter()
            .take(limits::RPC_IHAVE_MAX)
            .map(|m| (*m, ids.clone()))
            .collect(),
        iwant: ids.clone(),
        idontwant: ids,
        messages: (0..limits::RPC_MESSAGES_MAX)
            .map(|k| text(ZERO, &format!("{k}")))
            .collect(),
    };
    for _ in 0..20 {
        lab.send(0, rpc.clone());
    }
    let stats = lab.router.stats();
    assert_eq!((stats.malformed, stats.backoffs), (0, 0));
    assert!(lab.router.drops(&peer(0)).ids == 0 && stats.pending <= limits::PEER_PENDING_MAX);
    lab.give(Input::Disconnected { peer: peer(0) });
    assert!(lab.router.holders_of(&many[0]).is_empty());
    honest_peer_is_served(&mut lab);
}

#[test]
fn inputs_for_unknown_peers_and_ids_change_nothing() {
    let mut lab = lab();
    let before = format!("{:?}", lab.router.stats());
    lab.give(Input::Validated {
        id: id(1),
        verdict: Verdict::Reject,
    });
    lab.give(Input::Disconnected { peer: peer(99) });
    lab.give(Input::Operator {
        peer: peer(99),
        operator: [0; 32],
    });
    lab.give(Input::Penalise {
        peer: peer(99),
        points: u32::MAX,
    });
    lab.give(Input::Rpc {
        peer: peer(99),
        rpc: Rpc {
            graft: [ZERO].into(),
            ..Rpc::default()
        },
    });
    lab.give(Input::Unsubscribe(Mask::GLOBAL_UPDATES));
    lab.give(Input::Connected {
        peer: peer(0),
        direction: Direction::Outbound,
        ip: None,
    });
    assert_eq!(format!("{:?}", lab.router.stats()), before);
    assert!(lab.outputs.is_empty() && lab.router.next_frame(&peer(99)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any sequence of frames, valid or bent, in any order and at any time, leaves a router that still works.
    #[test]
    fn arbitrary_traffic_keeps_the_router_working(
        steps in prop::collection::vec((0usize..3, 0usize..9, any::<u64>(), any::<u16>()), 1..80)
    ) {
        let mut lab = lab();
        for (who, what, number, time) in steps {
            lab.now += u64::from(time);
            let slice = [ZERO, mask(&[1]), mask(&[2]), mask(&[4]), Mask::GLOBAL_UPDATES][(number % 5) as usize];
            let ids = (0..number % 40).map(|k| id((number.wrapping_add(k) % 64) as usize)).collect();
            match what {
                0 => lab.send(who, Rpc { graft: [slice].into(), ..Rpc::default() }),
                1 => lab.send(who, Rpc { prune: [(slice, number)].into(), ..Rpc::default() }),
                2 => lab.send(who, Rpc { subs: [(slice, number % 2 == 0)].into(), ..Rpc::default() }),
                3 => lab.send(who, Rpc { iwant: ids, ..Rpc::default() }),
                4 => lab.send(who, Rpc { idontwant: ids, ..Rpc::default() }),
                5 => lab.send(who, Rpc { ihave: [(ZERO, [id(1)].into())].into(), ..Rpc::default() }),
                6 => {
                    let m = text(ZERO, &number.to_string());
                    lab.payload(who, &m);
                    lab.verdict(m.id, [Verdict::Accept, Verdict::Ignore, Verdict::Reject][(number % 3) as usize]);
                }
                7 => lab.give(Input::Frame { peer: peer(who), bytes: Bytes::copy_from_slice(&number.to_le_bytes()) }),
                _ => lab.give(Input::Tick),
            }
            let taken = lab.take(who);
            prop_assert!(taken.iwant.len() <= limits::RPC_IDS_MAX);
        }
        honest_peer_is_served(&mut lab);
    }
}
