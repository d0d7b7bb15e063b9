//! Keys are fresh, and secrets do not leak into prints.

use std::collections::BTreeSet;

use quil_types::Canonical;
use quil_verenc::{Context, Draft, ObjectId, Version};
use rand_chacha::rand_core::{Infallible, TryCryptoRng, TryRng};

use crate::support::{Object, context, key, readers, rng, secret};

/// A generator that always says the same.
struct Stuck;

impl TryRng for Stuck {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(7)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(7)
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

fn contexts() -> Vec<Context> {
    let base = context();
    let mut all = vec![base.clone()];
    for i in 0..4 {
        let mut c = base.clone();
        match i {
            0 => c.object = ObjectId([8; 32]),
            1 => c.version = Version::new(8),
            2 => c.domain.0[0] ^= 1,
            _ => c.writer = key(101).0,
        }
        all.push(c);
    }
    all
}

/// Nonces count from zero in every body, so no two bodies may have one key.
#[test]
fn two_objects_never_share_a_key() {
    let mut seen = BTreeSet::new();
    for c in contexts() {
        for seed in 0..4 {
            let o = Object::new(c.clone(), readers(&[1]).0, &[0; 64], seed);
            assert!(seen.insert(o.sealed[..64].to_vec()), "key stream repeated");
            assert!(seen.insert(o.record.key_check.to_vec()));
            assert!(seen.insert(o.record.shares[0].ciphertext.c1.to_vec()));
        }
    }
}

#[test]
fn stuck_generator_does_not_repeat_a_key_for_another_object_or_version() {
    let mut streams = BTreeSet::new();
    for c in contexts() {
        let draft = Draft::new(c, readers(&[1]).0, &mut Stuck).expect("draft");
        let (record, sealed) = draft.seal(&[0; 64], &mut Stuck).expect("sealed");
        assert!(streams.insert(sealed[..64].to_vec()), "key stream repeated");
        assert!(
            streams.insert(record.shares[0].ciphertext.c1.to_vec()),
            "r repeated"
        );
        assert!(streams.insert(record.challenge.to_vec()));
    }
}

/// Two records with one r (a stuck generator, one context) have proofs with different nonces if they differ in the body.
#[test]
fn stuck_generator_does_not_repeat_a_proof_nonce() {
    let make = |plain: &[u8]| {
        let draft = Draft::new(context(), readers(&[1]).0, &mut Stuck).expect("draft");
        draft.seal(plain, &mut Stuck).expect("sealed").0
    };
    let (a, b) = (make(b"one"), make(b"two"));
    let c1 = a.shares[0].ciphertext.c1;
    assert_eq!(c1, b.shares[0].ciphertext.c1, "the same r");
    let scalar = |b: &[u8; 56]| quil_decaf::Scalar::from_bytes(b).expect("canonical");
    let s = |r: &quil_verenc::Record| scalar(&r.shares[0].response);
    // If k were the same, r = (s_a - s_b) / (c_a - c_b).
    let r = (s(&a) - s(&b)) * (scalar(&a.challenge) - scalar(&b.challenge)).invert();
    let computed = quil_decaf::FixedBase::generator().mul(&r).compress();
    assert_ne!(computed.0, c1, "r computed from two proofs");
}

#[test]
fn equal_inputs_give_equal_objects() {
    let (a, b) = (Object::simple(b"same"), Object::simple(b"same"));
    assert_eq!((a.record.encode(), a.sealed), (b.record.encode(), b.sealed));
}

#[test]
fn prints_show_no_secret() {
    let mut rng = rng(1);
    let draft = Draft::new(context(), readers(&[1]).0, &mut rng).expect("draft");
    let text = format!("{draft:?}");
    assert!(text.starts_with("Draft { context: Context {") && text.ends_with("}, .. }"));
    assert!(!text.contains("Scalar") && !text.contains("cipher"));
    let mut sealer = draft.into_sealer();
    sealer.push(b"plaintext", &mut Vec::new()).expect("short");
    assert_eq!(format!("{sealer:?}"), "Sealer { length: 9, .. }");
    let o = Object::simple(b"");
    let v = o.verified();
    assert_eq!(
        format!("{:?}", v.unlock(&secret(1)).expect("reader")),
        "BodyKey(..)"
    );
}
