//! Keys, signatures, aggregates, proofs of possession.

use quil_bls48581::{
    Dst, Fr, G1Affine, G1Projective, G2Affine, KeyError, MAX_KEY_INFO_BYTES, MIN_SEED_BYTES,
    PUBLIC_KEY_BYTES, PointError, ProofOfPossession, PublicKey, SECRET_KEY_BYTES, SIGNATURE_BYTES,
    SecretKey, Signature, SignatureError, hash_to_g1, verify_aggregate,
    verify_aggregate_same_message, verify_batch,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

use crate::support::rng;

const INVALID: Result<(), SignatureError> = Err(SignatureError::Invalid);

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32], b"test").unwrap()
}

fn group(n: u8) -> (Vec<SecretKey>, Vec<PublicKey>) {
    let secrets: Vec<_> = (0..n).map(secret).collect();
    let keys = secrets.iter().map(SecretKey::public_key).collect();
    (secrets, keys)
}

#[test]
fn signature_verifies_under_its_key_and_message_only() {
    let (a, b) = (secret(1), secret(2));
    let sig = a.sign(b"message");
    assert_eq!(a.public_key().verify(b"message", &sig), Ok(()));
    assert_eq!(a.public_key().verify(b"messagf", &sig), INVALID);
    assert_eq!(a.public_key().verify(b"", &sig), INVALID);
    assert_eq!(b.public_key().verify(b"message", &sig), INVALID);
    assert_eq!(a.public_key().neg().verify(b"message", &sig), INVALID);
    let negated = Signature::from_point(sig.point().neg()).unwrap();
    assert_eq!(a.public_key().verify(b"message", &negated), INVALID);
    assert_eq!(a.public_key().neg().verify(b"message", &negated), Ok(()));
}

#[test]
fn signing_is_deterministic_and_covers_empty_and_long_messages() {
    let sk = secret(3);
    let key = sk.public_key().prepare();
    assert_eq!(*key.key(), sk.public_key());
    for len in [0, 1, 127, 128, 129, 5000] {
        let message = vec![7; len];
        let sig = sk.sign(&message);
        assert_eq!(sig.to_bytes(), sk.sign(&message).to_bytes());
        assert_eq!(key.verify(&message, &sig), Ok(()));
    }
}

#[test]
fn key_derivation_separates_seeds_and_information() {
    let derive = |seed: &[u8], info: &[u8]| {
        SecretKey::from_seed(seed, info)
            .unwrap()
            .expose_bytes()
            .to_vec()
    };
    let base = derive(&[1; 32], b"");
    assert_eq!(base, derive(&[1; 32], b""));
    assert_ne!(base, derive(&[1; 33], b""));
    assert_ne!(base, derive(&[2; 32], b""));
    assert_ne!(base, derive(&[1; 32], b"x"));
    let short = SecretKey::from_seed(&[1; MIN_SEED_BYTES - 1], b"").unwrap_err();
    assert_eq!(
        short,
        KeyError::SeedTooShort {
            found: MIN_SEED_BYTES - 1
        }
    );
    let long = SecretKey::from_seed(&[1; 32], &[0; MAX_KEY_INFO_BYTES + 1]).unwrap_err();
    assert_eq!(
        long,
        KeyError::KeyInfoTooLong {
            found: MAX_KEY_INFO_BYTES + 1
        }
    );
}

#[test]
fn secret_key_bytes_are_canonical_and_non_zero() {
    let sk = secret(4);
    let bytes = sk.expose_bytes();
    assert_eq!(
        SecretKey::from_bytes(&bytes).unwrap().public_key(),
        sk.public_key()
    );
    assert_eq!(
        SecretKey::from_bytes(&[0; SECRET_KEY_BYTES]).unwrap_err(),
        KeyError::Zero
    );
    assert_eq!(
        SecretKey::from_bytes(&[255; SECRET_KEY_BYTES]).unwrap_err(),
        KeyError::NotCanonical
    );
    let mut order = (-Fr::ONE).to_be_bytes();
    assert!(SecretKey::from_bytes(&order).is_ok());
    order[SECRET_KEY_BYTES - 1] += 1;
    assert_eq!(
        SecretKey::from_bytes(&order).unwrap_err(),
        KeyError::NotCanonical
    );
}

#[test]
fn generated_keys_differ_and_debug_shows_nothing() {
    let mut rng = rng(31);
    let (a, b) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
    assert_ne!(a.public_key(), b.public_key());
    assert_eq!(format!("{a:?}"), "SecretKey(redacted)");
}

#[test]
fn identity_is_neither_key_nor_signature() {
    assert_eq!(
        PublicKey::from_bytes(&[0; PUBLIC_KEY_BYTES]),
        Err(PointError::Identity)
    );
    assert_eq!(
        Signature::from_bytes(&[0; SIGNATURE_BYTES]),
        Err(PointError::Identity)
    );
    assert_eq!(
        ProofOfPossession::from_bytes(&[0; SIGNATURE_BYTES]),
        Err(PointError::Identity)
    );
    let id1 = G1Affine::identity().check_subgroup().unwrap();
    let id2 = G2Affine::identity().check_subgroup().unwrap();
    assert_eq!(Signature::from_point(id1), Err(PointError::Identity));
    assert_eq!(PublicKey::from_point(id2), Err(PointError::Identity));
}

#[test]
fn encodings_round_trip() {
    let sk = secret(5);
    let (key, sig, pop) = (sk.public_key(), sk.sign(b"m"), sk.prove_possession(b"c"));
    assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
    assert_eq!(Signature::from_bytes(&sig.to_bytes()), Ok(sig));
    assert_eq!(ProofOfPossession::from_bytes(&pop.to_bytes()), Ok(pop));
}

#[test]
fn signature_outside_the_subgroup_is_refused() {
    // A point of order three added to a signature satisfies the pairing equation; decoding must stop it.
    let mut b = [0u8; SIGNATURE_BYTES];
    b[0] = 2;
    let order3 = G1Affine::from_bytes(&b).unwrap();
    let sig = secret(6).sign(b"m");
    let bent = G1Projective::from_affine(sig.point())
        .add_mixed(&order3)
        .to_affine();
    assert_eq!(
        Signature::from_bytes(&bent.to_bytes()),
        Err(PointError::NotInSubgroup)
    );
}

/// Every changed bit of a signature is refused, by the decoder or by the equation.
#[test]
fn changed_signature_bytes_are_refused() {
    let sk = secret(7);
    let key = sk.public_key().prepare();
    let bytes = sk.sign(b"m").to_bytes();
    for i in 0..SIGNATURE_BYTES {
        let mut bad = bytes;
        bad[i] ^= 1 << (i % 8);
        if let Ok(sig) = Signature::from_bytes(&bad) {
            assert_eq!(key.verify(b"m", &sig), INVALID);
        }
    }
    for len in 0..SIGNATURE_BYTES {
        assert!(matches!(
            Signature::from_bytes(&bytes[..len]),
            Err(PointError::Length { .. })
        ));
    }
}

#[test]
fn aggregate_on_one_message() {
    let (secrets, keys) = group(5);
    let sigs: Vec<_> = secrets.iter().map(|s| s.sign(b"m")).collect();
    let sum = Signature::aggregate(&sigs).unwrap();
    assert_eq!(verify_aggregate_same_message(&keys, b"m", &sum), Ok(()));
    assert_eq!(verify_aggregate_same_message(&keys, b"n", &sum), INVALID);
    assert_eq!(
        verify_aggregate_same_message(&keys[1..], b"m", &sum),
        INVALID
    );
    assert_eq!(
        verify_aggregate_same_message(&[], b"m", &sum),
        Err(SignatureError::Empty)
    );
    let partial = Signature::aggregate(&sigs[1..]).unwrap();
    assert_eq!(
        verify_aggregate_same_message(&keys, b"m", &partial),
        INVALID
    );
    // A key listed twice counts twice.
    let twice = [keys.as_slice(), &keys[..1]].concat();
    assert_eq!(verify_aggregate_same_message(&twice, b"m", &sum), INVALID);
    let double = Signature::aggregate([&sum, &sigs[0]]).unwrap();
    assert_eq!(verify_aggregate_same_message(&twice, b"m", &double), Ok(()));
}

#[test]
fn cancelling_keys_and_signatures_are_refused() {
    let key = secret(8).public_key();
    let sig = secret(8).sign(b"m");
    let negated = Signature::from_point(sig.point().neg()).unwrap();
    assert_eq!(
        PublicKey::aggregate([&key, &key.neg()]),
        Err(SignatureError::IdentityAggregate)
    );
    assert_eq!(
        Signature::aggregate([&sig, &negated]),
        Err(SignatureError::IdentityAggregate)
    );
    let pair = [key, key.neg()];
    assert_eq!(
        verify_aggregate_same_message(&pair, b"m", &sig),
        Err(SignatureError::IdentityAggregate)
    );
    assert_eq!(PublicKey::aggregate([]), Err(SignatureError::Empty));
    assert_eq!(Signature::aggregate([]), Err(SignatureError::Empty));
}

#[test]
fn aggregate_on_distinct_messages() {
    let (secrets, keys) = group(4);
    let messages: [&[u8]; 4] = [b"a", b"b", b"c", b"a"];
    let sigs: Vec<_> = secrets
        .iter()
        .zip(messages)
        .map(|(s, m)| s.sign(m))
        .collect();
    let sum = Signature::aggregate(&sigs).unwrap();
    let mut entries: Vec<_> = keys.iter().zip(messages).collect();
    assert_eq!(verify_aggregate(&entries, &sum), Ok(()));
    assert_eq!(verify_aggregate(&entries[..3], &sum), INVALID);
    assert_eq!(verify_aggregate(&[], &sum), Err(SignatureError::Empty));
    // Messages are bound to their keys.
    entries[0].1 = b"b";
    entries[1].1 = b"a";
    assert_eq!(verify_aggregate(&entries, &sum), INVALID);
}

/// A key made from another key forges an aggregate; it has no proof of possession.
#[test]
fn rogue_key_has_no_proof_of_possession() {
    let (honest, rogue) = (secret(9), secret(10));
    let target = rogue.public_key();
    // rogue' = target - honest
    let made = quil_bls48581::G2Projective::from_affine(target.point())
        .sub(&(**honest.public_key().point()).into());
    let made = PublicKey::from_point(made.to_affine().check_subgroup().unwrap()).unwrap();
    let forged = rogue.sign(b"m");
    assert_eq!(
        verify_aggregate_same_message(&[honest.public_key(), made], b"m", &forged),
        Ok(())
    );
    for pop in [rogue.prove_possession(b"c"), honest.prove_possession(b"c")] {
        assert_eq!(pop.verify(&made, b"c"), INVALID);
    }
}

#[test]
fn possession_is_bound_to_key_context_and_purpose() {
    let (a, b) = (secret(11), secret(12));
    let pop = a.prove_possession(b"network, operator");
    assert_eq!(pop.verify(&a.public_key(), b"network, operator"), Ok(()));
    assert_eq!(pop.verify(&a.public_key(), b"network, operatos"), INVALID);
    assert_eq!(pop.verify(&a.public_key(), b""), INVALID);
    assert_eq!(pop.verify(&b.public_key(), b"network, operator"), INVALID);
    assert_eq!(
        pop.verify(&a.public_key().neg(), b"network, operator"),
        INVALID
    );
    // A signature on the same bytes is no proof, and a proof is no signature.
    let message = [a.public_key().to_bytes().as_slice(), b"network, operator"].concat();
    let sig = a.sign(&message);
    assert_ne!(sig.to_bytes(), pop.to_bytes());
    let as_pop = ProofOfPossession::from_bytes(&sig.to_bytes()).unwrap();
    assert_eq!(
        as_pop.verify(&a.public_key(), b"network, operator"),
        INVALID
    );
    let as_sig = Signature::from_bytes(&pop.to_bytes()).unwrap();
    assert_eq!(a.public_key().verify(&message, &as_sig), INVALID);
}

#[test]
fn batch_accepts_valid_and_refuses_any_invalid_triple() {
    let mut rng = rng(33);
    let (secrets, keys) = group(5);
    let messages: Vec<Vec<u8>> = (0..5u8).map(|i| vec![i / 2; 3]).collect();
    let sigs: Vec<_> = secrets
        .iter()
        .zip(&messages)
        .map(|(s, m)| s.sign(m))
        .collect();
    let triples: Vec<_> = keys
        .iter()
        .zip(&messages)
        .zip(&sigs)
        .map(|((k, m), s)| (k, m.as_slice(), s))
        .collect();
    assert_eq!(verify_batch(&triples, &mut rng), Ok(()));
    assert_eq!(verify_batch(&triples[..1], &mut rng), Ok(()));
    assert_eq!(verify_batch(&[], &mut rng), Err(SignatureError::Empty));
    for i in 0..5 {
        let mut bad = triples.clone();
        bad[i].2 = &sigs[(i + 1) % 5];
        assert_eq!(verify_batch(&bad, &mut rng), INVALID);
        let mut bad = triples.clone();
        bad[i].1 = b"other";
        assert_eq!(verify_batch(&bad, &mut rng), INVALID);
    }
}

/// Two errors that cancel in a plain sum do not cancel under random weights.
#[test]
fn batch_refuses_errors_that_cancel_in_the_sum() {
    let mut rng = rng(34);
    let (secrets, keys) = group(2);
    let sigs: Vec<_> = secrets.iter().map(|s| s.sign(b"m")).collect();
    let delta = G1Projective::generator().to_affine();
    let shift = |s: &Signature, d: &G1Affine| {
        let p = G1Projective::from_affine(s.point())
            .add_mixed(d)
            .to_affine();
        Signature::from_point(p.check_subgroup().unwrap()).unwrap()
    };
    let bent = [shift(&sigs[0], &delta), shift(&sigs[1], &delta.neg())];
    assert_eq!(
        Signature::aggregate(&bent).unwrap(),
        Signature::aggregate(&sigs).unwrap()
    );
    let triples: Vec<_> = keys
        .iter()
        .zip(&bent)
        .map(|(k, s)| (k, b"m".as_slice(), s))
        .collect();
    assert_eq!(verify_batch(&triples, &mut rng), INVALID);
}

#[test]
fn hash_lands_in_the_subgroup_and_separates_tags() {
    let other = Dst::new("ANOTHER-PROTOCOL-V1").unwrap();
    for message in [b"".as_slice(), b"a", &[0; 300]] {
        let p = hash_to_g1(message, Dst::SIGNATURE);
        assert!(p.is_in_subgroup() && !p.is_identity());
        assert_ne!(p, hash_to_g1(message, other));
    }
    assert_ne!(
        hash_to_g1(b"a", Dst::SIGNATURE),
        hash_to_g1(b"b", Dst::SIGNATURE)
    );
}

/// Pins the suite: tags, expansion, map, key derivation. Values from an independent implementation of RFC 9380.
#[test]
fn suite_is_fixed() {
    let sk = secret(1);
    assert_eq!(
        hex::encode(sk.sign(b"message").to_bytes()),
        "030a77e3e2a5ec6f5f6cbe99c778a13a71da63969e18f2a1e3f55a2c589dc74eeb214f8554d2046961d6ec2b72703251b7daedd87a6712a6b2631d981850b086106c3224099c79571678"
    );
    assert_eq!(
        hex::encode(sk.prove_possession(b"context").to_bytes()),
        "0208ed81bafec1c28961b052612b4310f44402ef1fcdf4ef6e9de79350d2e0cad16813ad05d49fc8e4e769bd90988d400736ad6ca3f30ec7478011306a1c1aff7bcb8c82d004b0dbbcdc"
    );
}

/// A signature whose check passes through the rarest borrows of the vector form, among ordinary ones.
#[test]
fn every_honest_signature_verifies() {
    for seed in 11..13 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        for _ in 0..25 {
            let key = SecretKey::generate(&mut rng);
            let public = key.public_key();
            for _ in 0..4 {
                let mut message = [0; 40];
                rng.fill_bytes(&mut message);
                assert_eq!(public.verify(&message, &key.sign(&message)), Ok(()));
            }
        }
    }
}
