//! The cost of a bundle is a function of its counts (C4).

use quil_execution::cost::{
    BASE_US, INPUT_US, MINT_US, OUTPUT_US, RANGE_US, RANGE_VALUE_US, bundle_cost_us,
};

use crate::world::{World, account, bend, edit, raw};

#[test]
fn cost_is_the_sum_of_its_parts() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[600_000, 700_000]);
    let two_in_two_out = w.pay(&alice, &account(2), 1_000_000, 1);
    let expected = BASE_US + 2 * INPUT_US + 2 * OUTPUT_US + RANGE_US + 2 * RANGE_VALUE_US;
    assert_eq!(bundle_cost_us(&two_in_two_out), expected);
    let three_out = bend(&two_in_two_out, |t| {
        edit(&mut t.body.outputs, |v| v.push(v[0].clone()))
    });
    assert_eq!(
        bundle_cost_us(&three_out),
        expected + OUTPUT_US + 2 * RANGE_VALUE_US,
        "a range proof is padded to a power of two"
    );
    let mint = w.mint(&alice, 5);
    assert_eq!(
        bundle_cost_us(&mint),
        BASE_US + MINT_US + OUTPUT_US + RANGE_US + RANGE_VALUE_US
    );
}

#[test]
fn cost_does_not_depend_on_values_or_proofs() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[600_000]);
    let b = w.pay(&alice, &account(2), 1, 1);
    let other = bend(&b, |t| {
        t.body.fee += 9;
        t.excess = [0; 112];
        t.range_proof = vec![1; 3].try_into().unwrap();
    });
    assert_eq!(bundle_cost_us(&b), bundle_cost_us(&other));
    let nothing = bend(&b, |t| edit(&mut t.body.outputs, Vec::clear));
    assert_eq!(
        bundle_cost_us(&nothing),
        BASE_US + INPUT_US,
        "no outputs, no range proof"
    );
    assert_eq!(raw(&b).body.inputs.len(), 1);
}
