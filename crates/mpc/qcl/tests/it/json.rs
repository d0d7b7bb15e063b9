//! Inputs and outputs as JSON.

use proptest::prelude::*;
use quil_qcl::circuit::IoType;
use quil_qcl::json::{JsonError, decode, encode};
use serde_json::{Value, json};

fn int(signed: bool, width: u32) -> IoType {
    IoType::Int { signed, width }
}

fn array(len: u32, elem: IoType) -> IoType {
    IoType::Array {
        len,
        elem: Box::new(elem),
    }
}

fn round(ty: &IoType, value: Value) -> Value {
    decode(ty, &encode(ty, &value).unwrap())
}

#[test]
fn integers_have_three_spellings() {
    let ty = int(true, 16);
    for value in [json!(-300), json!("-300"), json!("-0x12c")] {
        assert_eq!(round(&ty, value), json!(-300));
    }
    let wide = int(false, 100);
    assert_eq!(
        round(&wide, json!("1267650600228229401496703205375")),
        json!("0xfffffffffffffffffffffffff")
    );
    assert_eq!(round(&wide, json!(0)), json!("0x0"));
    assert_eq!(
        round(&int(true, 100), json!("-0x10000000000000000000")),
        json!("-75557863725914323419136")
    );
    assert_eq!(round(&int(true, 64), json!(i64::MIN)), json!(i64::MIN));
    assert_eq!(round(&int(false, 64), json!(u64::MAX)), json!(u64::MAX));
}

#[test]
fn bytes_text_lists_and_structs() {
    let bytes = array(3, int(false, 8));
    assert_eq!(round(&bytes, json!("hex:00FFa1")), json!("hex:00ffa1"));
    assert_eq!(round(&bytes, json!([0, 255, 161])), json!("hex:00ffa1"));
    let text = IoType::Text { bytes: 4 };
    assert_eq!(round(&text, json!("a\u{e9}b")), json!("a\u{e9}b"));
    assert_eq!(round(&text, json!("hex:61ff0062")), json!("hex:61ff0062"));
    assert_eq!(round(&text, json!("hex:6865783a")), json!("hex:6865783a"));
    let ty = IoType::Struct {
        fields: vec![
            ("A".into(), IoType::Bool),
            ("B".into(), array(2, int(true, 7))),
        ],
    };
    let value = json!({"A": true, "B": [-64, 63]});
    assert_eq!(round(&ty, value.clone()), value);
    assert_eq!(encode(&ty, &value).unwrap().len(), 15);
}

#[test]
fn errors_lead_to_the_place() {
    let ty = IoType::Struct {
        fields: vec![
            ("A".into(), array(2, int(false, 4))),
            ("T".into(), IoType::Text { bytes: 1 }),
        ],
    };
    let fail = |value: Value| encode(&ty, &value).unwrap_err();
    assert_eq!(
        fail(json!({"A": [1, 16], "T": "x"})).to_string(),
        "input.A[1]: 16 does not fit uint4"
    );
    assert_eq!(
        fail(json!({"A": [1], "T": "x"})).to_string(),
        "input.A: expected 2 elements, found 1"
    );
    assert_eq!(
        fail(json!({"A": [1, 2]})).to_string(),
        "input: field \"T\" is missing"
    );
    assert_eq!(
        fail(json!({"A": [1, 2], "T": "x", "U": 1})).to_string(),
        "input: field \"U\" is unknown"
    );
    assert_eq!(
        fail(json!({"A": [1, true], "T": "x"})).to_string(),
        "input.A[1]: expected an integer: a number, or a decimal or 0x string"
    );
    assert_eq!(
        fail(json!({"A": "hex:01", "T": "x"})).to_string(),
        "input.A: expected a list"
    );
    assert_eq!(fail(json!(3)).to_string(), "input: expected an object");
    assert!(matches!(
        encode(&IoType::Bool, &json!(1)),
        Err(JsonError::Kind { .. })
    ));
    assert!(matches!(
        encode(&array(1, int(false, 8)), &json!("hex:0")),
        Err(JsonError::Kind { .. })
    ));
    assert!(matches!(
        encode(&array(1, int(false, 8)), &json!("hex:\u{e9}")),
        Err(JsonError::Kind { .. })
    ));
    assert!(matches!(
        encode(&int(false, 8), &json!(1.5)),
        Err(JsonError::Kind { .. })
    ));
    assert!(matches!(
        encode(&int(false, 8), &json!("")),
        Err(JsonError::Kind { .. })
    ));
    assert!(matches!(
        encode(&int(false, 8), &json!("9".repeat(100_000))),
        Err(JsonError::Kind { .. })
    ));
}

fn types() -> impl Strategy<Value = IoType> {
    let leaf = prop_oneof![
        Just(IoType::Bool),
        (any::<bool>(), 1u32..130).prop_map(|(signed, width)| int(signed, width)),
        (1u32..5).prop_map(|bytes| IoType::Text { bytes }),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            (1u32..4, inner.clone()).prop_map(|(len, elem)| array(len, elem)),
            prop::collection::vec(inner, 1..4).prop_map(|list| IoType::Struct {
                fields: list
                    .into_iter()
                    .enumerate()
                    .map(|(i, ty)| (format!("F{i}"), ty))
                    .collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn all_bit_patterns_round_trip(ty in types(), seed in any::<u64>()) {
        let bits: Vec<bool> = (0..ty.bits()).map(|i| (seed.rotate_left(i as u32 % 64) ^ (i as u64 * 0x9e37)).is_multiple_of(3)).collect();
        prop_assert_eq!(encode(&ty, &decode(&ty, &bits)).unwrap(), bits);
    }
}
