//! Frames as a whole: limits, receipts, determinism.

use quil_execution::frame::{FrameError, build, execute};
use quil_execution::state::{Entry, MemoryState, RecordKey, StateFault, StateView};
use quil_types::{Body, Bounded, Code};

use crate::world::{World, account, bend};

#[test]
fn receipts_follow_the_bundles() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[500_000, 900_000]);
    let a = w.pay(&alice, &account(2), 450_000, 1);
    let b = w.pay(&alice, &account(3), 800_000, 2);
    let result = w.execute(vec![a.clone(), b.clone()]).unwrap();
    let txs: Vec<_> = result.receipts.iter().map(|r| r.tx).collect();
    assert_eq!(txs, [a.id(), b.id()]);
    assert!(
        result
            .receipts
            .iter()
            .all(|r| r.fee > 0 && r.actions_applied == 0 && r.failed.is_none())
    );
    let body = Body::Shard(vec![a, b].try_into().unwrap());
    assert_eq!(result.bytes, u64::try_from(body.bytes()).unwrap());
}

#[test]
fn write_set_is_the_same_every_time_and_sorted() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[500_000, 900_000]);
    let bundles = vec![
        w.pay(&alice, &account(2), 450_000, 1),
        w.pay(&alice, &account(3), 800_000, 2),
    ];
    let once = w.execute(bundles.clone()).unwrap();
    assert_eq!(once, w.execute(bundles.clone()).unwrap());
    assert!(once.writes.iter().is_sorted_by(|a, b| a.key < b.key));
    let reversed: Vec<_> = bundles.into_iter().rev().collect();
    let other = w.execute(reversed).unwrap();
    assert_ne!(
        once.writes, other.writes,
        "coin indices follow the order of the frame"
    );
    assert_eq!(once.writes.len(), other.writes.len());
}

#[test]
fn one_frame_equals_two_frames_with_the_same_order() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[500_000, 900_000]);
    let (a, b) = (
        w.pay(&alice, &account(2), 450_000, 1),
        w.pay(&alice, &account(3), 800_000, 2),
    );
    let contents = |s: &MemoryState| {
        s.iter()
            .map(|(k, e)| (*k, e.content.clone()))
            .collect::<Vec<_>>()
    };
    let mut together = w.state.clone();
    together.apply(&w.execute(vec![a.clone(), b.clone()]).unwrap().writes);
    w.run(vec![a]).unwrap();
    w.run(vec![b]).unwrap();
    assert_eq!(contents(&together), contents(&w.state));
}

#[test]
fn body_limits_are_rules() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[500_000, 900_000]);
    let bundles = vec![
        w.pay(&alice, &account(2), 450_000, 1),
        w.pay(&alice, &account(3), 800_000, 2),
    ];
    let result = w.execute(bundles.clone()).unwrap();
    w.rules.limits.body_bytes = u32::try_from(result.bytes).unwrap();
    w.rules.limits.body_cost_us = result.cost_us;
    let full = w.execute(bundles.clone()).unwrap();
    assert_eq!(full.fullness.ppm(), 1_000_000);
    w.rules.limits.body_bytes -= 1;
    assert!(matches!(
        w.execute(bundles.clone()),
        Err(FrameError::TooLarge { .. })
    ));
    w.rules.limits.body_bytes += 1;
    w.rules.limits.body_cost_us -= 1;
    assert!(matches!(
        w.execute(bundles.clone()),
        Err(FrameError::TooCostly { .. })
    ));
    let candidates: Vec<_> = bundles.iter().map(|b| w.checked(b)).collect();
    let built = build(&w.state, &candidates, &w.context()).unwrap();
    assert_eq!(built.body.len(), 1, "a leader keeps within the limits");
    assert!(built.refused.is_empty(), "what does not fit may come later");
}

#[test]
fn global_body_is_not_for_a_shard() {
    let w = World::new();
    let wrong = execute(&w.state, &Body::Global(Bounded::new()), &w.context());
    assert_eq!(wrong.unwrap_err(), FrameError::WrongChain);
}

#[test]
fn bad_proof_names_its_bundle_and_nothing_is_kept() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[500_000, 900_000]);
    let good = w.pay(&alice, &account(2), 450_000, 1);
    let bad = bend(&w.pay(&alice, &account(3), 800_000, 2), |t| {
        t.excess = [0; 112]
    });
    let expected = FrameError::Refused {
        index: 1,
        code: Code::SumUnbalanced,
    };
    assert_eq!(
        w.execute(vec![good.clone(), bad.clone()]).unwrap_err(),
        expected
    );
    let candidates = [w.checked(&bad), w.checked(&good)];
    let built = build(&w.state, &candidates, &w.context()).unwrap();
    assert_eq!(built.refused, [(candidates[0].hash(), Code::SumUnbalanced)]);
    assert_eq!(built.result, w.execute(vec![good]).unwrap());
}

#[test]
fn proofs_are_verified_once() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[500_000]);
    let b = w.pay(&alice, &account(2), 1, 1);
    let before = w.cache.len();
    w.execute(vec![b.clone()]).unwrap();
    assert_eq!(w.cache.len(), before + 1);
    assert_eq!(w.cache.get(w.checked(&b).hash()), Some(Ok(())));
    // A poisoned cache is believed: that is the point of keying it by every byte.
    w.cache.put(w.checked(&b).hash(), Err(Code::OutputRange));
    assert_eq!(w.refusal(b), Some(Code::OutputRange));
}

struct Broken;

impl StateView for Broken {
    fn read(&self, _: &RecordKey) -> Result<Option<Entry>, StateFault> {
        Err(StateFault::Unavailable)
    }
}

#[test]
fn broken_store_is_a_fault_not_a_verdict() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[500_000]);
    let b = w.pay(&alice, &account(2), 1, 1);
    let candidates = [w.checked(&b)];
    let body = Body::Shard(vec![b].try_into().unwrap());
    let fault = Err(FrameError::Fault(StateFault::Unavailable));
    assert_eq!(execute(Broken, &body, &w.context()), fault);
    assert!(matches!(
        build(&Broken, &candidates, &w.context()),
        Err(FrameError::Fault(_))
    ));
}
