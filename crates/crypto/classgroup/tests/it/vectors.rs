//! Known answers.

use quil_classgroup::{Discriminant, Form};
use serde_json::Value;

fn load(text: &str) -> Value {
    serde_json::from_str(text).expect("vector file")
}

fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_else(|| panic!("{key}"))
}

fn bytes(v: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(v, key)).expect("hex")
}

fn form(d: &Discriminant, v: &Value) -> Form {
    let b = bytes(v, "bytes");
    let f = Form::from_bytes(d, &b).expect("valid form");
    assert_eq!(f.to_bytes().as_ref(), b);
    f
}

fn limbs_of(hex_text: &str) -> Vec<u64> {
    let padded = format!(
        "{hex_text:0>width$}",
        width = hex_text.len().div_ceil(16) * 16
    );
    let mut out: Vec<u64> = padded
        .as_bytes()
        .chunks(16)
        .map(|c| u64::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap())
        .collect();
    out.reverse();
    out
}

#[test]
fn group_law_matches_known_answers() {
    let v = load(include_str!("../vectors/classgroup.json"));
    for g in v["groups"].as_array().unwrap() {
        let bits = usize::try_from(g["bits"].as_u64().unwrap()).unwrap();
        let d = Discriminant::derive(&bytes(g, "discriminant_seed"), bits).unwrap();
        assert_eq!(
            hex::encode(d.to_be_bytes()),
            text(g, "discriminant_hex_signed").trim_start_matches('-')
        );
        assert_eq!(form(&d, &g["identity"]), Form::identity(&d));
        let generator = form(&d, &g["generator"]);
        assert_eq!(generator, Form::generator(&d));
        for op in g["ops"].as_array().unwrap() {
            let (x, y) = (form(&d, &op["x"]), form(&d, &op["y"]));
            let n = op["x_is_generator_squared_times"].as_u64().unwrap();
            assert_eq!(generator.square_n(n), x);
            assert_eq!(generator.pow(&limbs_of(text(op, "y_is_generator_pow"))), y);
            assert_eq!(x.square(), form(&d, &op["x_squared"]));
            assert_eq!(x.compose(&x).unwrap(), x.square());
            assert_eq!(x.compose(&y).unwrap(), form(&d, &op["x_times_y"]));
            assert_eq!(y.compose(&x).unwrap(), form(&d, &op["x_times_y"]));
            assert_eq!(x.inverse(), form(&d, &op["x_inverse"]));
            assert!(x.compose(&x.inverse()).unwrap().is_identity());
        }
    }
}

#[test]
fn discriminants_match_known_answers() {
    let v = load(include_str!("../vectors/discriminants.json"));
    let list = v["discriminants"].as_array().unwrap();
    assert_eq!(list.len(), 9);
    for e in list {
        let bits = usize::try_from(e["bits"].as_u64().unwrap()).unwrap();
        let d = Discriminant::derive(&bytes(e, "seed"), bits).unwrap();
        assert_eq!(hex::encode(d.to_be_bytes()), text(e, "abs"), "{bits} bits");
    }
}
