use quil_blossomsub::{Direction, Input, Mask, Message, Rpc, Verdict};
use quil_types::ShardAddr;

use crate::lab::{Lab, mask, peer, text};

fn shard(n: u8) -> Mask {
    Mask::shard_consensus(&ShardAddr([n; 32]))
}

#[test]
fn only_peers_that_hold_all_slices_become_members_or_get_payloads() {
    let m = shard(1);
    let slices = m.slices();
    assert_eq!(slices.len(), 3);
    let mut lab = Lab::meshed(0, &[m]);
    lab.join(0, Direction::Inbound, &slices[..1]);
    lab.join(1, Direction::Inbound, &slices[..2]);
    lab.join(2, Direction::Inbound, &[m]);
    assert_eq!(lab.members(&m), [peer(2)].into());
    let hello = lab.take(2);
    assert_eq!(hello.graft.into_iter().collect::<Vec<_>>(), {
        let mut s = slices.clone();
        s.sort();
        s
    });
    let report = lab.publish(m, "block").unwrap();
    assert_eq!((report.targets, report.queued), (1, 1));
    assert!(lab.take(0).messages.is_empty() && lab.take(1).messages.is_empty());
    assert_eq!(lab.take(2).messages.len(), 1);
}

#[test]
fn partial_grafter_is_refused_or_swept_after_a_heartbeat() {
    let m = shard(1);
    let slices = m.slices();
    let mut lab = Lab::meshed(0, &[m]);
    // Twelve members so that the next peer is not grafted by us.
    (0..6).for_each(|n| lab.join(n, Direction::Inbound, &[m]));
    lab.join(20, Direction::Inbound, &[m]);
    lab.graft(20, &slices[..1]);
    lab.clear();
    assert!(!lab.members(&m).contains(&peer(20)));
    lab.beat();
    lab.beat();
    assert!(
        lab.take(20).prune.contains_key(&slices[0]),
        "cannot get payloads, so it does not stay"
    );
    // A peer that lacks a slice is refused at once.
    lab.join(21, Direction::Inbound, &slices[..2]);
    lab.graft(21, &slices[..2]);
    let rpc = lab.take(21);
    assert!(slices[..2].iter().all(|s| rpc.prune.contains_key(s)));
}

#[test]
fn prune_of_one_slice_ends_the_membership_of_the_mask() {
    let m = shard(1);
    let mut lab = Lab::meshed(3, &[m]);
    lab.prune(0, m.slices()[1], 60);
    assert_eq!(lab.members(&m), [peer(1), peer(2)].into());
    lab.beat();
    lab.beat();
    let rpc = lab.take(0);
    assert!(rpc.prune.contains_key(&m.slices()[0]) && rpc.prune.contains_key(&m.slices()[2]));
}

/// Two masks that share a slice: leaving one keeps the shared slice for the other.
#[test]
fn shared_slice_stays_while_one_mask_needs_it() {
    let (a, b) = (mask(&[0b0000_0111]), mask(&[0b0001_1100]));
    let shared = mask(&[0b0000_0100]);
    let mut lab = Lab::meshed(3, &[a, b]);
    assert_eq!(lab.members(&a).len(), 3);
    lab.clear();
    lab.give(Input::Unsubscribe(a));
    let rpc = lab.take(0);
    assert_eq!(rpc.prune.len(), 2);
    assert_eq!(rpc.subs.len(), 2);
    assert!(!rpc.subs.contains_key(&shared));
    assert_eq!(lab.members(&b).len(), 3);
    lab.beat();
    lab.beat();
    assert_eq!(lab.members(&b).len(), 3);
}

/// The accept rule: the exact mask, or a broad subscription that covers it.
#[test]
fn narrow_subscription_takes_only_its_own_mask() {
    let (a, b) = (mask(&[0b0000_0111]), mask(&[0b0011_1000]));
    let mixed = mask(&[0b0001_0011]);
    let mut lab = Lab::meshed(2, &[a, b]);
    lab.payload(0, &text(mixed, "nobody's"));
    assert!(lab.to_validate().is_empty());
    assert_eq!(
        (lab.router.stats().unwanted, lab.score(0)),
        (1, 0),
        "no penalty for sharing slices"
    );
    lab.payload(0, &text(a, "ours"));
    assert_eq!(lab.to_validate().len(), 1);
}

#[test]
fn broad_subscription_takes_every_shard_and_is_grafted_per_slice() {
    let broad = mask(&[0xff; 32]);
    let f = Mask::shard_frames(&ShardAddr([3; 32]));
    let mut archive = Lab::meshed(0, &[broad]);
    archive.join(0, Direction::Inbound, &[f]);
    archive.join(1, Direction::Inbound, &[f]);
    assert_eq!(
        archive.members(&f),
        [peer(0), peer(1)].into(),
        "holders of the slices that exist"
    );
    let m = text(f, "shard frame");
    archive.payload(0, &m);
    assert_eq!(archive.to_validate(), [m.id]);
    archive.verdict(m.id, Verdict::Accept);
    assert_eq!(archive.take(1).messages, [m]);
    // Another length is another topic.
    archive.payload(
        0,
        &text(Mask::shard_consensus(&ShardAddr([3; 32])), "votes"),
    );
    assert_eq!(archive.to_validate().len(), 1);
}

#[test]
fn same_data_on_two_masks_is_two_messages() {
    let (a, b) = (shard(1), shard(2));
    let mut lab = Lab::meshed(1, &[a, b]);
    lab.send(
        0,
        Rpc {
            messages: vec![text(a, "x"), text(b, "x")],
            ..Rpc::default()
        },
    );
    assert_eq!(lab.to_validate().len(), 2);
}

#[test]
fn masks_of_one_shard_do_not_meet() {
    let addr = ShardAddr([5; 32]);
    let all = [
        Mask::shard_frames(&addr),
        Mask::shard_consensus(&addr),
        Mask::shard_requests(&addr),
    ];
    let mut lab = Lab::meshed(0, &all);
    lab.join(0, Direction::Inbound, &all[..1]);
    assert_eq!(all.map(|m| lab.members(&m).len()), [1, 0, 0]);
    let m = Message::new(all[1], "vote".into());
    assert!(lab.publish(m.mask, m.data).unwrap().is_lonely());
}
