use quil_blossomsub::{Direction, Input, Params, Rpc};

use crate::lab::{Lab, ZERO, peer};

/// One peer in the mesh that has just pruned us for `seconds`.
fn pruned(seconds: u64) -> Lab {
    let mut lab = Lab::meshed(1, &[ZERO]);
    assert_eq!(lab.members(&ZERO).len(), 1);
    lab.prune(0, ZERO, seconds);
    assert!(lab.members(&ZERO).is_empty());
    lab.clear();
    lab
}

/// Milliseconds until we graft the peer again.
fn regrafted_after(mut lab: Lab, limit_ms: u64) -> Option<u64> {
    let start = lab.now;
    while lab.now - start < limit_ms {
        lab.beat();
        if !lab.members(&ZERO).is_empty() {
            return Some(lab.now - start);
        }
    }
    None
}

#[test]
fn remote_duration_is_respected_and_clamped() {
    let beat = Params::default().heartbeat_ms;
    for (seconds, want_ms) in [(0, 60_000), (1, 1_000), (10, 10_000), (60, 60_000)] {
        let at = regrafted_after(pruned(seconds), 100_000).unwrap();
        assert!(
            at >= want_ms + beat && at <= want_ms + 3 * beat,
            "{seconds} s: {at}"
        );
    }
}

#[test]
fn huge_remote_durations_do_not_overflow_and_end_after_the_clamp() {
    for seconds in [
        3_601,
        u64::from(u32::MAX),
        u64::MAX / 1_000_000,
        u64::MAX / 1000,
        u64::MAX / 1000 + 1,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let mut lab = pruned(seconds);
        lab.wait(3_500_000);
        assert!(lab.members(&ZERO).is_empty(), "{seconds}");
        lab.wait(110_000);
        assert_eq!(lab.members(&ZERO).len(), 1, "{seconds}");
    }
}

#[test]
fn clock_at_the_end_of_time_does_not_overflow() {
    let mut lab = Lab::meshed(2, &[ZERO]);
    lab.now = u64::MAX - 1;
    lab.give(Input::Tick);
    lab.prune(0, ZERO, u64::MAX);
    lab.graft(0, &[ZERO]);
    lab.give(Input::Unsubscribe(ZERO));
    lab.now = u64::MAX;
    lab.give(Input::Tick);
    lab.give(Input::Subscribe(ZERO));
    lab.give(Input::Tick);
    let _ = lab.publish(ZERO, "still alive");
}

#[test]
fn graft_within_backoff_is_refused_and_costs_twice_when_early() {
    let mut lab = pruned(60);
    lab.graft(0, &[ZERO]);
    assert_eq!(lab.router.stats().misbehaviours, 2);
    assert_eq!(lab.take(0).prune.get(&ZERO), Some(&60));
    lab.wait(15_000);
    lab.graft(0, &[ZERO]);
    assert_eq!(lab.router.stats().misbehaviours, 3);
    assert!(lab.members(&ZERO).is_empty());
}

#[test]
fn graft_after_backoff_is_accepted() {
    let mut lab = pruned(5);
    lab.now += 5_000;
    lab.graft(0, &[ZERO]);
    assert_eq!(
        (lab.members(&ZERO).len(), lab.router.stats().misbehaviours),
        (1, 0)
    );
}

#[test]
fn reconnecting_does_not_end_a_backoff() {
    let mut lab = pruned(60);
    lab.give(Input::Disconnected { peer: peer(0) });
    lab.join(0, Direction::Inbound, &[ZERO]);
    assert!(lab.members(&ZERO).is_empty());
    lab.graft(0, &[ZERO]);
    assert_eq!(lab.router.stats().misbehaviours, 2);
}

#[test]
fn prunes_for_meshes_we_are_not_in_leave_no_trace() {
    let mut lab = Lab::meshed(0, &[ZERO]);
    lab.connect(0, Direction::Inbound, None);
    lab.prune(0, ZERO, 3600);
    let prune = (0u8..255)
        .map(|b| (crate::lab::mask(&[0, 1, b & 0x80]), 9))
        .collect();
    lab.send(
        0,
        Rpc {
            prune,
            ..Rpc::default()
        },
    );
    assert_eq!(lab.router.stats().backoffs, 0);
}
