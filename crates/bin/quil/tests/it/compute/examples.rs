//! Every example between both parties of one process.

use serde_json::{Value, json};

use super::{document, example, quil};

/// What garbler and evaluator learn.
fn run(name: &str, garbler: &Value, evaluator: &Value) -> (Value, Value) {
    let (garbler, evaluator) = (garbler.to_string(), evaluator.to_string());
    let file = example(name);
    let arguments = [
        "local",
        &file,
        "--garbler",
        &garbler,
        "--evaluator",
        &evaluator,
        "-o",
        "json",
    ];
    let report = document(&quil(&arguments));
    assert_eq!(report["schema"], "quil.compute.local/1");
    (report["garbler"].clone(), report["evaluator"].clone())
}

/// The same for both.
fn shared(name: &str, garbler: &Value, evaluator: &Value) -> Value {
    let (first, second) = run(name, garbler, evaluator);
    assert_eq!(first, second);
    first
}

/// For the evaluator alone.
fn evaluators(name: &str, garbler: &Value, evaluator: &Value) -> Value {
    let (first, second) = run(name, garbler, evaluator);
    assert_eq!(first, Value::Null);
    second
}

#[test]
fn millionaires() {
    let result = shared("millionaires.qcl", &json!(5_000_000), &json!("0x4c4b3f"));
    assert_eq!(result, json!({"garblerHasMore": true, "equal": false}));
}

#[test]
fn auction() {
    let result = shared(
        "auction.qcl",
        &json!([100, 7, 30, 2]),
        &json!([90, 120, 1, 4]),
    );
    assert_eq!(result, json!({"winner": 5, "price": 100}));
}

#[test]
fn intersection() {
    let (a, b): (Vec<u32>, Vec<u32>) = ((0..16).collect(), (10..26).collect());
    assert_eq!(shared("intersection.qcl", &json!(a), &json!(b)), json!(6));
}

#[test]
fn median() {
    let result = shared(
        "median.qcl",
        &json!([5, -3, 8, 0, 12, -7, 1, 2]),
        &json!([4, 4, -9, 30, 6, -1, 3, 7]),
    );
    assert_eq!(result, json!(3));
}

#[test]
fn aes_of_a_shared_key() {
    // FIPS 197, appendix C.1; the shares add up to 000102..0f.
    let result = evaluators(
        "aes.qcl",
        &json!("hex:ffffffffffffffffffffffffffffffff"),
        &json!({"Share": "hex:fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0", "Block": "hex:00112233445566778899aabbccddeeff"}),
    );
    assert_eq!(result, json!("hex:69c4e0d86a7b0430d8cdb78070b4c55a"));
}

#[test]
fn preimage() {
    use sha2::Digest as _;
    let message = [b'a'; 40];
    let mut hash = sha2::Sha256::digest(message);
    let bytes = |data: &[u8]| json!(format!("hex:{}", hex::encode(data)));
    let known = evaluators("preimage.qcl", &bytes(&message), &bytes(&hash));
    assert_eq!(known, json!(true));
    hash[31] ^= 1;
    let known = evaluators("preimage.qcl", &bytes(&message), &bytes(&hash));
    assert_eq!(known, json!(false));
}

#[test]
fn tree() {
    let nodes: Vec<Value> = (0..15)
        .map(|i| json!({"Feature": i % 8, "Threshold": 10 * i}))
        .collect();
    let leaves: Vec<u32> = (100..116).collect();
    // Node 0: feature 0 = 5 > 0, right to node 2; node 2: feature 2 = 25 > 20, right to 6; node 6: feature 6 = 10 <= 60,
    // left to 13; node 13: feature 5 = 200 > 130, right: leaf 13 * 2 + 2 - 15 = 13.
    let features = json!([5, 0, 25, 0, 0, 200, 10, 0]);
    let result = evaluators(
        "tree.qcl",
        &json!({"Nodes": nodes, "Leaves": leaves}),
        &features,
    );
    assert_eq!(result, json!(113));
}

#[test]
fn regression() {
    let one = 1 << 16;
    let weights = json!([one, -one, one / 2, 0, 0, 0, 0, 2 * one]);
    let model = json!({"Weights": weights, "Bias": 3 * one});
    let features = json!([10 * one, 4 * one, 6 * one, one, one, one, one, one / 4]);
    // 3 + 10 - 4 + 3 + 0.5
    assert_eq!(
        evaluators("regression.qcl", &model, &features),
        json!(12 * one + one / 2)
    );
}

#[test]
fn ed25519() {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let message = [0x42; 32];
    let signature = key.sign(&message).to_bytes();
    let claim = json!({
        "PublicKey": format!("hex:{}", hex::encode(key.verifying_key().to_bytes())),
        "Message": format!("hex:{}", hex::encode(message)),
    });
    let result = shared(
        "ed25519.qcl",
        &json!(format!("hex:{}", hex::encode(signature))),
        &claim,
    );
    assert_eq!(result, json!(true));
}
