//! Points, keys and signatures of BLS48-581.

use quil_bls48581::{
    Fr, G1_BYTES, G1Affine, G2_BYTES, G2Affine, ProofOfPossession, PublicKey, SECRET_KEY_BYTES,
    SecretKey, Signature, verify_aggregate_same_message,
};

use super::{Fields, LARGE, SMALL, decoder, one_encoding, rng, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("bls.g1", 600, SMALL, g1_corpus, g1),
    decoder("bls.g2", 60, SMALL, g2_corpus, g2),
    decoder("bls.public_key", 60, SMALL, public_keys, public_key),
    decoder("bls.signature", 200, SMALL, signatures, signature),
    decoder("bls.secret_key", 600, SMALL, secret_keys, secret_key),
    verifier("bls.verify", 60, signed, verify),
    verifier("bls.possession", 60, possessions, possession),
    decoder("bls.aggregate", 30, LARGE, aggregates, aggregate),
];

fn secret(seed: u64) -> SecretKey {
    SecretKey::generate(&mut rng(seed))
}

fn g1_corpus() -> Vec<Vec<u8>> {
    let g = G1Affine::generator();
    [g, G1Affine::identity(), g.neg()]
        .iter()
        .map(|p| p.to_bytes().to_vec())
        .chain([g.mul(&Fr::from(77u64)).to_affine().to_bytes().to_vec()])
        .collect()
}

fn g1(bytes: &[u8]) -> Verdict {
    let decoded = G1Affine::from_bytes(bytes);
    if let Ok(p) = &decoded {
        assert!(p.is_on_curve());
        let checked = G1Affine::decode_checked(bytes);
        assert_eq!(checked.is_ok(), p.is_in_subgroup());
    }
    one_encoding(bytes, decoded, |p| p.to_bytes().to_vec())
}

fn g2_corpus() -> Vec<Vec<u8>> {
    let g = G2Affine::generator();
    [g, G2Affine::identity(), g.neg()]
        .iter()
        .map(|p| p.to_bytes().to_vec())
        .collect()
}

fn g2(bytes: &[u8]) -> Verdict {
    let decoded = G2Affine::from_bytes(bytes);
    if let Ok(p) = &decoded {
        assert!(p.is_on_curve());
    }
    one_encoding(bytes, decoded, |p| p.to_bytes().to_vec())
}

fn public_keys() -> Vec<Vec<u8>> {
    (1..3)
        .map(|s| secret(s).public_key().to_bytes().to_vec())
        .collect()
}

fn public_key(bytes: &[u8]) -> Verdict {
    let decoded = PublicKey::from_bytes(bytes);
    if let Ok(key) = &decoded {
        assert!(!key.point().is_identity() && key.point().is_in_subgroup());
    }
    one_encoding(bytes, decoded, |k| k.to_bytes().to_vec())
}

fn signatures() -> Vec<Vec<u8>> {
    (1..4)
        .map(|s| secret(s).sign(b"message").to_bytes().to_vec())
        .collect()
}

fn signature(bytes: &[u8]) -> Verdict {
    let decoded = Signature::from_bytes(bytes);
    if let Ok(s) = &decoded {
        assert!(!s.point().is_identity() && s.point().is_in_subgroup());
    }
    one_encoding(bytes, decoded, |s| s.to_bytes().to_vec())
}

fn secret_keys() -> Vec<Vec<u8>> {
    (1..3).map(|s| secret(s).expose_bytes().to_vec()).collect()
}

fn secret_key(bytes: &[u8]) -> Verdict {
    let Ok(array) = <&[u8; SECRET_KEY_BYTES]>::try_from(bytes) else {
        return Verdict::Refused;
    };
    one_encoding(bytes, SecretKey::from_bytes(array), |k| {
        k.expose_bytes().to_vec()
    })
}

/// key || signature || message.
fn signed() -> Vec<Vec<u8>> {
    (1..4u64)
        .map(|s| {
            let (key, message) = (secret(s), [s as u8; 20]);
            let mut out = key.public_key().to_bytes().to_vec();
            out.extend(key.sign(&message).to_bytes());
            out.extend(message);
            out
        })
        .collect()
}

fn verify(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let (Some(key), Some(signature)) = (f.array::<G2_BYTES>(), f.array::<G1_BYTES>()) else {
        return Verdict::Refused;
    };
    match (PublicKey::from_bytes(key), Signature::from_bytes(signature)) {
        (Ok(key), Ok(signature)) => Verdict::of(&key.verify(f.0, &signature)),
        _ => Verdict::Refused,
    }
}

/// key || proof || context.
fn possessions() -> Vec<Vec<u8>> {
    (1..3)
        .map(|s| {
            let key = secret(s);
            let mut out = key.public_key().to_bytes().to_vec();
            out.extend(key.prove_possession(b"context").to_bytes());
            out.extend(b"context");
            out
        })
        .collect()
}

fn possession(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let (Some(key), Some(proof)) = (f.array::<G2_BYTES>(), f.array::<G1_BYTES>()) else {
        return Verdict::Refused;
    };
    match (
        PublicKey::from_bytes(key),
        ProofOfPossession::from_bytes(proof),
    ) {
        (Ok(key), Ok(proof)) => Verdict::of(&proof.verify(&key, f.0)),
        _ => Verdict::Refused,
    }
}

/// signature || keys; their order does not matter, so this is no [`crate::Kind::Verifier`].
fn aggregates() -> Vec<Vec<u8>> {
    let keys: Vec<SecretKey> = (1..4).map(secret).collect();
    let all: Vec<Signature> = keys.iter().map(|k| k.sign(b"together")).collect();
    let mut out = Signature::aggregate(&all)
        .expect("three signatures")
        .to_bytes()
        .to_vec();
    for key in &keys {
        out.extend(key.public_key().to_bytes());
    }
    vec![out]
}

fn aggregate(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let Some(signature) = f.array::<G1_BYTES>() else {
        return Verdict::Refused;
    };
    let keys: Result<Vec<PublicKey>, _> =
        f.0.chunks(G2_BYTES)
            .take(4)
            .map(PublicKey::from_bytes)
            .collect();
    match (Signature::from_bytes(signature), keys) {
        (Ok(s), Ok(keys)) => Verdict::of(&verify_aggregate_same_message(&keys, b"together", &s)),
        _ => Verdict::Refused,
    }
}
