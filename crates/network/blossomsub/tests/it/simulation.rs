use quil_blossomsub::{Input, Mask, MessageId, Params};
use quil_types::ShardAddr;

use crate::net::Net;

const NODES: usize = 30;

/// Floods end and IDONTWANT begins at sizes small enough to hash quickly.
fn params() -> Params {
    Params {
        flood_bytes: 100,
        dontwant_bytes: 150,
        ..Params::default()
    }
}

fn shard(n: u8) -> Mask {
    Mask::shard_frames(&ShardAddr([n; 32]))
}

/// 30 routers; all on the global masks, a third each on three shards.
fn network(seed: u8) -> Net {
    let mut net = Net::new(NODES, seed, &params());
    for k in 0..NODES {
        net.subscribe(k, Mask::GLOBAL_CONSENSUS);
        net.subscribe(k, shard(u8::try_from(k % 3).unwrap()));
    }
    net.wire(7);
    // No member of a shard is without a neighbour in it.
    (0..NODES).for_each(|k| net.link(k, (k + 3) % NODES));
    net.run(3_000);
    net
}

fn got(net: &Net, id: &MessageId) -> usize {
    net.delivered.get(id).map_or(0, |s| s.len())
}

#[test]
fn every_subscriber_gets_every_message_without_loss() {
    let mut net = network(1);
    let before = net.payload_frames;
    let mut reports = Vec::new();
    for k in 0..20 {
        // Above the flood size: the mesh alone carries it.
        reports.push(net.publish(
            k,
            Mask::GLOBAL_CONSENSUS,
            vec![u8::try_from(k).unwrap(); 200],
        ));
        net.run(100);
    }
    net.run(2_000);
    for r in &reports {
        assert!(r.queued >= 1 && r.dropped == 0);
        assert_eq!(got(&net, &r.id), NODES - 1, "all but the publisher");
    }
    let copies = (net.payload_frames - before) as f64 / (20.0 * NODES as f64);
    assert!(
        copies <= Params::default().degree_high as f64,
        "copies per node {copies}"
    );
}

#[test]
fn every_subscriber_gets_every_message_despite_loss_and_cuts() {
    for seed in [2, 3] {
        let mut net = network(seed);
        net.loss = 25;
        let mut ids = Vec::new();
        for k in 0..30usize {
            ids.push(
                net.publish(
                    k % NODES,
                    Mask::GLOBAL_CONSENSUS,
                    vec![u8::try_from(k).unwrap(); 200],
                )
                .id,
            );
            let (a, b) = (
                usize::try_from(net.draw(30)).unwrap(),
                usize::try_from(net.draw(30)).unwrap(),
            );
            net.cut(a, b);
            net.run(200);
            net.link(a, b);
        }
        net.run(8_000);
        for id in &ids {
            assert_eq!(got(&net, id), NODES - 1, "seed {seed}");
        }
        assert!(
            net.routers.iter().all(|r| r.stats().graylisted == 0),
            "loss is nobody's fault, seed {seed}"
        );
    }
}

#[test]
fn shard_messages_reach_the_shard_and_nobody_else() {
    let mut net = network(5);
    net.loss = 10;
    let ids: Vec<_> = (0..9usize)
        .map(|k| {
            (
                k % 3,
                net.publish(k, shard(u8::try_from(k % 3).unwrap()), vec![9; 300 + k])
                    .id,
            )
        })
        .collect();
    net.run(8_000);
    for (s, id) in ids {
        let who = &net.delivered[&id];
        assert_eq!(who.len(), NODES / 3 - 1);
        assert!(who.iter().all(|k| k % 3 == s));
    }
}

/// A publisher without subscription reaches a shard through its fan-out set.
#[test]
fn outsider_reaches_a_shard_by_fanout() {
    let mut net = network(6);
    let r = net.publish(0, shard(1), vec![1; 300]);
    assert!(!r.is_lonely());
    net.run(5_000);
    assert_eq!(got(&net, &r.id), NODES / 3);
}

#[test]
fn network_recovers_when_a_third_of_the_nodes_vanish() {
    let mut net = network(7);
    (0..10).for_each(|k| net.isolate(k * 3));
    let r = net.publish(1, Mask::GLOBAL_CONSENSUS, vec![1; 200]);
    net.run(4_000);
    assert_eq!(got(&net, &r.id), 19);
}

#[test]
fn late_joiner_takes_part() {
    let mut net = network(8);
    net.isolate(4);
    net.run(1_000);
    (10..16).for_each(|k| net.link(4, k));
    net.run(1_500);
    let r = net.publish(20, Mask::GLOBAL_CONSENSUS, vec![1; 200]);
    net.run(3_000);
    assert!(net.delivered[&r.id].contains(&4));
    let r = net.publish(4, Mask::GLOBAL_CONSENSUS, vec![2; 200]);
    net.run(3_000);
    assert_eq!(got(&net, &r.id), NODES - 1);
}

#[test]
fn degrees_settle_between_low_and_high() {
    let mut net = Net::new(NODES, 9, &params());
    (0..NODES).for_each(|k| net.subscribe(k, Mask::GLOBAL_CONSENSUS));
    for a in 0..NODES {
        (0..a).for_each(|b| net.link(a, b));
    }
    net.run(15_000);
    let p = Params::default();
    for (k, r) in net.routers.iter().enumerate() {
        let d = r.members_of(&Mask::GLOBAL_CONSENSUS).len();
        assert!(
            (p.degree_low - 1..=p.degree_high).contains(&d),
            "router {k} has {d} members"
        );
    }
    // Meshes are symmetric once nothing is in flight.
    for (k, r) in net.routers.iter().enumerate() {
        for member in r.members_of(&Mask::GLOBAL_CONSENSUS) {
            let back = net
                .routers
                .iter()
                .enumerate()
                .find(|(j, _)| crate::lab::peer(*j) == member)
                .unwrap()
                .1;
            assert!(
                back.members_of(&Mask::GLOBAL_CONSENSUS)
                    .contains(&crate::lab::peer(k))
            );
        }
    }
}

#[test]
fn same_seed_same_trace_other_seed_other_trace() {
    let run = |seed| {
        let mut net = network(seed);
        net.loss = 20;
        for k in 0..10 {
            let _ = net.publish(
                k,
                Mask::GLOBAL_CONSENSUS,
                vec![u8::try_from(k).unwrap(); 120],
            );
            net.run(300);
        }
        net.digest()
    };
    assert_eq!(run(10), run(10));
    assert_ne!(run(10), run(11));
}

/// Two nodes are a network: nothing waits for a mesh that cannot form.
#[test]
fn two_nodes_deliver_at_once() {
    let mut net = Net::new(2, 12, &Params::default());
    net.subscribe(0, Mask::GLOBAL_CONSENSUS);
    net.subscribe(1, Mask::GLOBAL_CONSENSUS);
    net.link(0, 1);
    net.run(200);
    let r = net.publish(0, Mask::GLOBAL_CONSENSUS, "hello");
    assert_eq!((r.targets, r.queued), (1, 1));
    net.run(200);
    assert_eq!(got(&net, &r.id), 1);
    net.routers[0].handle(net.now, Input::Tick, &mut Default::default());
}
