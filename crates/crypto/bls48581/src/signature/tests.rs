//! Recorded answers under the suite tag of the vectors, which the public API does not offer.

use serde_json::Value;

use super::*;
use crate::SecretKey;

fn vectors() -> (Value, Dst) {
    let v: Value = serde_json::from_str(include_str!("../../tests/vectors/sign.json")).unwrap();
    let dst = Dst::new(v["dst"].as_str().unwrap().to_owned().leak()).unwrap();
    (v, dst)
}

fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().unwrap()).unwrap()
}

fn secret(v: &Value) -> SecretKey {
    SecretKey::from_bytes(&bytes(v).try_into().unwrap()).unwrap()
}

fn key(v: &Value) -> PublicKey {
    PublicKey::from_bytes(&bytes(v)).unwrap()
}

fn signature(v: &Value) -> Signature {
    Signature::from_bytes(&bytes(v)).unwrap()
}

fn list<T>(v: &Value, f: impl Fn(&Value) -> T) -> Vec<T> {
    v.as_array().unwrap().iter().map(f).collect()
}

#[test]
fn recorded_hashes() {
    let v: Value =
        serde_json::from_str(include_str!("../../tests/vectors/hash_to_g1.json")).unwrap();
    for case in v["cases"].as_array().unwrap() {
        let dst = Dst::new(case["dst"].as_str().unwrap().to_owned().leak()).unwrap();
        let point = hash_to_g1(&bytes(&case["message"]), dst);
        assert_eq!(point.to_bytes().to_vec(), bytes(&case["point"]));
        assert!(point.is_in_subgroup());
    }
}

#[test]
fn recorded_keys() {
    let (v, dst) = vectors();
    for case in v["keys"].as_array().unwrap() {
        let sk = SecretKey::from_seed(&bytes(&case["ikm"]), &[]).unwrap();
        assert_eq!(sk.expose_bytes().to_vec(), bytes(&case["secret_key"]));
        assert_eq!(
            sk.public_key().to_bytes().to_vec(),
            bytes(&case["public_key"])
        );
        assert_eq!(sk.public_key(), key(&case["public_key"]));
        let own = &case["signed_key"];
        assert_eq!(
            sk.sign_with(&bytes(&own["message"]), dst),
            signature(&own["signature"])
        );
    }
}

#[test]
fn recorded_signatures() {
    let (v, dst) = vectors();
    for case in v["sign"].as_array().unwrap() {
        let sk = secret(&case["secret_key"]);
        let message = bytes(&case["message"]);
        let sig = sk.sign_with(&message, dst);
        assert_eq!(sig.to_bytes().to_vec(), bytes(&case["signature"]));
        assert_eq!(
            sk.public_key().prepare().verify_with(&message, &sig, dst),
            Ok(())
        );
        // The network's tag is another one.
        assert_eq!(
            sk.public_key().verify(&message, &sig),
            Err(SignatureError::Invalid)
        );
    }
}

#[test]
fn recorded_verdicts() {
    let (v, dst) = vectors();
    let mut undecodable = 0;
    for case in v["verify"].as_array().unwrap() {
        let (pk, sig) = (bytes(&case["public_key"]), bytes(&case["signature"]));
        let verdict = match (PublicKey::from_bytes(&pk), Signature::from_bytes(&sig)) {
            (Ok(pk), Ok(sig)) => pk
                .prepare()
                .verify_with(&bytes(&case["message"]), &sig, dst)
                .is_ok(),
            _ => {
                undecodable += 1;
                false
            }
        };
        assert_eq!(
            verdict,
            case["valid"].as_bool().unwrap(),
            "{}",
            case["name"]
        );
    }
    assert!(undecodable >= 10);
}

#[test]
fn recorded_aggregates() {
    let (v, dst) = vectors();
    for case in v["aggregate"].as_array().unwrap() {
        let keys = list(&case["public_keys"], key);
        let same = &case["same"];
        let sig = Signature::aggregate(&list(&same["signatures"], signature)).unwrap();
        assert_eq!(sig, signature(&same["signature"]));
        let sum = PublicKey::aggregate(&keys).unwrap();
        assert_eq!(sum, key(&same["public_key"]));
        assert_eq!(
            sum.prepare()
                .verify_with(&bytes(&same["message"]), &sig, dst),
            Ok(())
        );

        let distinct = &case["distinct"];
        let mut messages = list(&distinct["messages"], bytes);
        let sig = Signature::aggregate(&list(&distinct["signatures"], signature)).unwrap();
        assert_eq!(sig, signature(&distinct["signature"]));
        let check = |messages: &[Vec<u8>]| {
            let entries: Vec<_> = keys
                .iter()
                .zip(messages)
                .map(|(k, m)| (k, m.as_slice()))
                .collect();
            verify_aggregate_with(&entries, &sig, dst)
        };
        assert_eq!(check(&messages), Ok(()));
        messages[0][0] ^= 1;
        assert_eq!(check(&messages), Err(SignatureError::Invalid));
    }
}
