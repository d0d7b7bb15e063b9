//! The examples against functions written for them.

use proptest::prelude::*;
use quil_qcl::circuit::Circuit;
use quil_qcl::{Options, compile};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Run;

fn build(name: &str, source: &str) -> Circuit {
    compile(name, source, &Options::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .into_circuit()
}

macro_rules! example {
    ($name:literal) => {
        build(
            concat!($name, ".qcl"),
            include_str!(concat!("../../../../../examples/qcl/", $name, ".qcl")),
        )
    };
}

fn bytes(data: &[u8]) -> Value {
    json!(format!("hex:{}", hex::encode(data)))
}

/// What the evaluator learns.
fn run(circuit: &Circuit, garbler: Value, evaluator: Value) -> Value {
    circuit
        .run_json(&[garbler, evaluator])
        .unwrap()
        .pop()
        .unwrap()
}

fn second_price(bids: &[u32]) -> (usize, u32) {
    let mut winner = 0;
    for (i, bid) in bids.iter().enumerate() {
        if *bid > bids[winner] {
            winner = i;
        }
    }
    let price = bids
        .iter()
        .enumerate()
        .filter(|(i, _)| *i != winner)
        .map(|(_, b)| *b)
        .max()
        .unwrap();
    (winner, price)
}

fn score(weights: &[i32], bias: i32, features: &[i32]) -> i32 {
    let sum: i128 = weights
        .iter()
        .zip(features)
        .map(|(w, x)| i128::from(*w) * i128::from(*x))
        .sum();
    let sum = (sum + (i128::from(bias) << 16) + (1 << 15)) >> 16;
    sum.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i32
}

fn classify(nodes: &[(u8, i16)], leaves: &[u8], features: &[i16]) -> u8 {
    let mut at = 0;
    while at < nodes.len() {
        let (feature, threshold) = nodes[at];
        at = 2 * at + 1 + usize::from(features[usize::from(feature)] > threshold);
    }
    leaves[at - nodes.len()]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0u32..6, Just(u32::MAX)]
}

#[test]
fn millionaires() {
    let circuit = example!("millionaires");
    for (a, b) in [
        (0u64, 0u64),
        (1, 0),
        (0, 1),
        (u64::MAX, u64::MAX - 1),
        (7, 7),
    ] {
        assert_eq!(
            run(&circuit, json!(a), json!(b)),
            json!({"garblerHasMore": a > b, "equal": a == b})
        );
    }
}

#[test]
fn aes_of_a_shared_key() {
    let circuit = example!("aes");
    // FIPS 197, appendix C.1, with the key split.
    let share: Vec<u8> = (0..16u8)
        .map(|i| i.wrapping_mul(17).wrapping_add(3))
        .collect();
    let other: Vec<u8> = (0..16u8).zip(&share).map(|(k, s)| k ^ s).collect();
    let request = json!({"Share": bytes(&other), "Block": "hex:00112233445566778899aabbccddeeff"});
    let out = circuit.run_json(&[bytes(&share), request]).unwrap();
    assert_eq!(
        out,
        [Value::Null, json!("hex:69c4e0d86a7b0430d8cdb78070b4c55a")]
    );
    assert_eq!(circuit.stats().and, 6400);
}

#[test]
fn preimage_check() {
    let circuit = example!("preimage");
    let message: Vec<u8> = (0..40).collect();
    let mut hash = Sha256::digest(&message).to_vec();
    assert_eq!(run(&circuit, bytes(&message), bytes(&hash)), true);
    hash[31] ^= 1;
    assert_eq!(run(&circuit, bytes(&message), bytes(&hash)), false);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn auction(a in prop::array::uniform4(number()), b in prop::array::uniform4(number())) {
        let circuit = example!("auction");
        let (winner, price) = second_price(&[a, b].concat());
        prop_assert_eq!(run(&circuit, json!(a), json!(b)), json!({"winner": winner, "price": price}));
    }

    #[test]
    fn intersection(a in prop::collection::btree_set(0u32..60, 16), b in prop::collection::btree_set(0u32..60, 16)) {
        let circuit = example!("intersection");
        let expected = a.intersection(&b).count();
        prop_assert_eq!(run(&circuit, json!(a), json!(b)), json!(expected));
    }

    #[test]
    fn median(a in prop::array::uniform8(any::<i32>()), b in prop::array::uniform8(-9..9i32)) {
        let circuit = example!("median");
        let mut all = [a, b].concat();
        all.sort_unstable();
        prop_assert_eq!(run(&circuit, json!(a), json!(b)), json!(all[7]));
    }

    #[test]
    fn tree(
        nodes in prop::collection::vec((0u8..8, -50i16..50), 15),
        leaves in prop::collection::vec(any::<u8>(), 16),
        features in prop::array::uniform8(-60i16..60),
    ) {
        let circuit = example!("tree");
        let list: Vec<Value> = nodes.iter().map(|(f, t)| json!({"Feature": f, "Threshold": t})).collect();
        let model = json!({"Nodes": list, "Leaves": leaves});
        prop_assert_eq!(run(&circuit, model, json!(features)), json!(classify(&nodes, &leaves, &features)));
    }

    #[test]
    fn regression(
        weights in prop::array::uniform8(any::<i32>()), bias in any::<i32>(),
        features in prop::array::uniform8(any::<i32>()), small in any::<bool>(),
    ) {
        let circuit = example!("regression");
        let shift = if small { 14 } else { 0 };
        let (weights, features) = (weights.map(|w| w >> shift), features.map(|x| x >> shift));
        let model = json!({"Weights": weights, "Bias": bias});
        prop_assert_eq!(run(&circuit, model, json!(features)), json!(score(&weights, bias, &features)));
    }
}
