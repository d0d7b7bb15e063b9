//! Random frames: a leader's body is what voters accept, and the overlay is sequential application.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use quil_execution::frame::{FrameError, build};
use quil_execution::token::Checked;
use quil_types::{Body, Bundle, Code};

use crate::world::{World, account, bend};

/// Three people with two coins each, and bundles of which some exclude each other.
struct Pool {
    world: World,
    bundles: Vec<Bundle>,
}

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let people = [account(1), account(2), account(3)];
    let mut world = World::new();
    let mints = people
        .iter()
        .flat_map(|p| [(p, 600_000), (p, 700_000)])
        .collect::<Vec<_>>();
    let mints: Vec<_> = mints.into_iter().map(|(p, a)| world.mint(p, a)).collect();
    world.run(mints).unwrap();
    let mut bundles = Vec::new();
    for (seed, p) in (0..).zip(&people) {
        bundles.push(world.pay(p, &account(4), 500_000, seed));
        bundles.push(world.pay(p, &account(5), 650_000, seed));
        bundles.push(world.pay(p, &account(6), 1_000_000, seed));
    }
    bundles.push(bend(&bundles[0], |t| t.excess[0] ^= 1));
    bundles.push(bend(&bundles[4], |t| t.body.fee -= 1));
    bundles.push(world.mint(&people[0], 5));
    bundles.push(world.mint(&people[1], 6));
    // Every proof is checked once, here.
    for b in &bundles {
        let _ = world.execute(vec![b.clone()]);
    }
    Pool { world, bundles }
});

fn checked(indices: &[usize]) -> Vec<Arc<Checked>> {
    indices
        .iter()
        .map(|i| POOL.world.checked(&POOL.bundles[*i]))
        .collect()
}

fn order() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..POOL.bundles.len(), 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_leader_builds_every_voter_accepts(order in order()) {
        let w = &POOL.world;
        let built = build(&w.state, &checked(&order), &w.context()).unwrap();
        let Body::Shard(bundles) = &built.body else { panic!("a shard body") };
        prop_assert_eq!(w.execute(bundles.to_vec()).unwrap(), built.result);
        let distinct = order.iter().collect::<std::collections::BTreeSet<_>>().len();
        prop_assert!(bundles.len() <= distinct);
        prop_assert!(bundles.len() + built.refused.len() >= distinct, "each candidate is in or named");
    }

    #[test]
    fn a_frame_is_its_bundles_one_after_the_other(order in order()) {
        let w = &POOL.world;
        let bundles: Vec<_> = order.iter().map(|i| POOL.bundles[*i].clone()).collect();
        let mut state = w.state.clone();
        let mut failed = None;
        for (index, b) in bundles.iter().enumerate() {
            let step = World { state: state.clone(), now: w.now, ..World::new() };
            match step.execute(vec![b.clone()]) {
                Ok(result) => state.apply(&result.writes),
                Err(FrameError::Refused { code, .. }) => {
                    failed = Some((index, code));
                    break;
                }
                Err(other) => panic!("{other}"),
            }
        }
        match (w.execute(bundles), failed) {
            (Ok(result), None) => {
                let mut together = w.state.clone();
                together.apply(&result.writes);
                let contents = |s: &quil_execution::state::MemoryState| {
                    s.iter().map(|(k, e)| (*k, e.content.clone())).collect::<Vec<_>>()
                };
                prop_assert_eq!(contents(&together), contents(&state));
            }
            // A frame names a bundle that fails against the state before one whose proofs fail.
            (Err(FrameError::Refused { index, code }), Some((at, first))) => {
                prop_assert!((index, code) == (at, first) || first == Code::SumUnbalanced && index > at);
            }
            (whole, steps) => prop_assert!(false, "{whole:?} but {steps:?}"),
        }
    }
}
