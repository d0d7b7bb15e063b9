//! Programs over curves: a hundred million gates and more, so they have a module of their own.

use ed25519_dalek::{Signer, SigningKey};
use quil_qcl::circuit::Circuit;
use quil_qcl::{Options, compile};
use serde_json::json;

use crate::packages::{bytes, eval};

fn verification() -> Circuit {
    let source = include_str!("../../../../../examples/qcl/ed25519.qcl");
    compile("ed25519.qcl", source, &Options::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .into_circuit()
}

#[test]
fn x25519_of_rfc_7748() {
    let inputs = [
        json!("hex:a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        json!("hex:e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    ];
    let out = eval(
        "crypto/curve25519",
        "k, u [32]byte",
        "[32]byte",
        "return curve25519.ScalarMult(k, u)",
        &inputs,
    );
    assert_eq!(
        out,
        "hex:c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    );
}

#[test]
fn ed25519_keys_and_signatures() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let private = [key.to_bytes(), key.verifying_key().to_bytes()].concat();
    let text = "return ed25519.Sign(a, b)";
    let out = eval(
        "crypto/ed25519",
        "a [64]byte, b [5]byte",
        "[64]byte",
        text,
        &[bytes(&private), bytes(b"hello")],
    );
    assert_eq!(out, bytes(&key.sign(b"hello").to_bytes()));
}

#[test]
fn ed25519_public_key_of_a_seed() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let text = "p, k := ed25519.NewKeyFromSeed(a)\nreturn p, k";
    let out = eval(
        "crypto/ed25519",
        "a [32]byte, b bool",
        "([32]byte, [64]byte)",
        text,
        &[bytes(&[9; 32]), json!(true)],
    );
    let public = key.verifying_key().to_bytes();
    assert_eq!(
        out,
        json!({"r0": bytes(&public), "r1": bytes(&[[9; 32], public].concat())})
    );
}

#[test]
fn ed25519_verification() {
    let circuit = verification();
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
