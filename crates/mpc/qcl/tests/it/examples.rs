//! The examples against functions written for them.

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use quil_qcl::circuit::Circuit;
use quil_qcl::{Options, compile};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

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
        .eval_json(&[garbler, evaluator])
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
    let out = circuit.eval_json(&[bytes(&share), request]).unwrap();
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

#[test]
fn ed25519_verification() {
    let circuit = example!("ed25519");
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = [0x42u8; 32];
    let good = key.sign(&message).to_bytes();
    let public = key.verifying_key().to_bytes();
    let mut wrong_r = good;
    wrong_r[3] ^= 1;
    let mut wrong_s = good;
    wrong_s[40] ^= 4;
    let mut wrong_message = message;
    wrong_message[0] ^= 1;
    // y = 2 is on no point of the curve.
    let mut no_point = [0u8; 32];
    no_point[0] = 2;
    // Sixty-four runs for the price of one.
    let cases = [
        (good, public, message, true),
        (wrong_r, public, message, false),
        (wrong_s, public, message, false),
        (good, public, wrong_message, false),
        (good, no_point, message, false),
        (above_order(&good), public, message, false),
    ];
    let bit = |data: &[u8], i: usize| u64::from(data[i / 8] >> (i % 8) & 1);
    let mut lanes = [vec![0u64; 512], vec![0u64; 512]];
    for (k, (signature, public, message, _)) in cases.iter().enumerate() {
        let claim = [public.as_slice(), message.as_slice()].concat();
        let [garbler, evaluator] = &mut lanes;
        for (i, (g, e)) in garbler.iter_mut().zip(evaluator).enumerate() {
            *g |= bit(signature, i) << k;
            *e |= bit(&claim, i) << k;
        }
    }
    let out = circuit.eval_lanes(&lanes).unwrap();
    for (k, case) in cases.iter().enumerate() {
        assert_eq!(out[0][0] >> k & 1 == 1, case.3, "case {k}");
    }
}

/// The same signature with s + order, which must not verify.
fn above_order(signature: &[u8; 64]) -> [u8; 64] {
    let order =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut out = *signature;
    let mut carry = 0u16;
    for (s, o) in out[32..].iter_mut().zip(order) {
        carry += u16::from(*s) + u16::from(o);
        *s = carry as u8;
        carry >>= 8;
    }
    out
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
