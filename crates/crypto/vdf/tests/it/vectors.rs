//! Known answers.

use quil_vdf::{Discriminant, Form, prove};
use serde_json::Value;

#[test]
fn evaluations_match_known_answers() {
    let file: Value =
        serde_json::from_str(include_str!("../vectors/evaluations.json")).expect("vector file");
    let list = file["evaluations"].as_array().expect("a list");
    assert_eq!(list.len(), 20);
    for e in list {
        let bytes = |key: &str| hex::decode(e[key].as_str().expect(key)).expect("hex");
        let number = |key: &str| e[key].as_u64().expect(key);
        let bits = usize::try_from(number("bits")).expect("bits");
        let d = Discriminant::derive(&bytes("seed"), bits).expect("size");
        let x = Form::generator(&d);
        let t = number("squarings");
        let proof = prove(&d, &x, t).expect("proof");
        assert_eq!(
            proof.y.to_bytes().as_ref(),
            bytes("y"),
            "{bits} bits, T = {t}"
        );
        assert_eq!(proof.verify(&d, &x, t), Ok(()));
        // The quotient is zero as long as the power is below the challenge prime.
        assert_eq!(proof.pi.is_identity(), t < 256);
    }
}
