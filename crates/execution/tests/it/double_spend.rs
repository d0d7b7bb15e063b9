//! A coin is spent once, in one frame, across frames, whatever the order.

use quil_execution::frame::{FrameError, build};
use quil_types::Code;

use crate::world::{World, account, bend, edit, raw, rng};

#[test]
fn within_one_frame_the_second_spend_is_refused() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let (a, b) = (
        w.pay(&alice, &account(2), 10, 1),
        w.pay(&alice, &account(3), 10, 2),
    );
    for pair in [[a.clone(), b.clone()], [b, a]] {
        let expected = FrameError::Refused {
            index: 1,
            code: Code::InputSpent,
        };
        assert_eq!(w.execute(pair.to_vec()).unwrap_err(), expected);
    }
}

#[test]
fn within_one_frame_the_same_transfer_twice_is_a_replay() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let a = w.pay(&alice, &account(2), 10, 1);
    let expected = FrameError::Refused {
        index: 1,
        code: Code::TxReplayed,
    };
    assert_eq!(w.execute(vec![a.clone(), a]).unwrap_err(), expected);
}

#[test]
fn across_frames_a_coin_stays_spent() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &account(3), 10, 2);
    w.run(vec![w.pay(&alice, &account(2), 10, 1)]).unwrap();
    for _ in 0..3 {
        assert_eq!(w.refusal(b.clone()), Some(Code::InputSpent));
        w.run(vec![]).unwrap();
    }
}

#[test]
fn one_spent_coin_among_fresh_ones_is_found() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[600_000, 700_000]);
    let both = w.pay(&alice, &account(2), 1_000_000, 1);
    assert_eq!(raw(&both).body.inputs.len(), 2);
    w.run(vec![w.pay(&alice, &account(2), 500_000, 2)]).unwrap();
    assert_eq!(w.refusal(both), Some(Code::InputSpent));
}

#[test]
fn coin_made_in_a_frame_can_be_spent_later_in_it() {
    let (alice, bob) = (account(1), account(2));
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let first = w.pay(&alice, &bob, 400_000, 1);
    // What the frame will hold after the first transfer.
    let mut ahead = World {
        state: w.state.clone(),
        ..World::new()
    };
    ahead.now = w.now;
    ahead.run(vec![first.clone()]).unwrap();
    ahead.now = w.now;
    let second = ahead.pay(&bob, &account(3), 100_000, 2);
    let reversed = w.execute(vec![second.clone(), first.clone()]).unwrap_err();
    assert_eq!(
        reversed,
        FrameError::Refused {
            index: 0,
            code: Code::InputUnknown
        },
        "order counts"
    );
    w.run(vec![first, second]).unwrap();
    assert_eq!(w.balance(&account(3)), 100_000);
}

#[test]
fn a_built_body_has_one_of_two_conflicting_bundles() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let (a, b) = (
        w.pay(&alice, &account(2), 10, 1),
        w.pay(&alice, &account(3), 10, 2),
    );
    let candidates = [w.checked(&a), w.checked(&b)];
    let built = build(&w.state, &candidates, &w.context()).unwrap();
    assert_eq!(built.body.len(), 1);
    assert_eq!(built.refused, [(candidates[1].hash(), Code::InputSpent)]);
    let quil_types::Body::Shard(bundles) = &built.body else {
        panic!("a shard body")
    };
    let again = w.execute(bundles.to_vec()).unwrap();
    assert_eq!(again, built.result, "voters find what the leader found");
}

#[test]
fn nullifier_does_not_depend_on_what_else_is_spent() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[600_000, 700_000]);
    let alone = w.pay(&alice, &account(2), 500_000, 1);
    let both = w.pay(&alice, &account(2), 1_000_000, 2);
    let image = raw(&alone).body.inputs[0].clone();
    assert!(raw(&both).body.inputs.contains(&image));
}

#[test]
fn another_image_for_a_coin_needs_another_proof() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &alice, 10, 1);
    let other = quil_decaf::SecretScalar::random(&mut rng(3))
        .public()
        .compress()
        .0;
    let forged = bend(&b, |t| edit(&mut t.body.inputs, |v| v[0].image = other));
    // rho follows the image, so the outputs are made anew by the forger; excess fits, the image does not.
    assert_eq!(
        w.refusal(forged.clone()),
        Some(Code::SumUnbalanced),
        "unsigned"
    );
    let view_is_known = crate::forge::sign_with(
        &w,
        raw(&forged).clone(),
        crate::forge::blinding_sum(raw(&b)),
    );
    assert_eq!(w.refusal(view_is_known), Some(Code::InputSignature));
}
