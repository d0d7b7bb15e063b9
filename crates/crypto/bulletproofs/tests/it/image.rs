use quil_bulletproofs::image::{SPEND_PROOF_BYTES, SpendProof, image_base, key_image};
use quil_decaf::{Point, Scalar, SecretScalar, dleq::DleqError};
use quil_types::CoinId;

use crate::support::rng;

const M: [u8; 32] = [3; 32];

fn coin(n: u8) -> CoinId {
    CoinId([n; 32])
}

#[test]
fn spend_proof_verifies_for_its_coin() {
    let mut r = rng(1);
    let x = SecretScalar::random(&mut r);
    let p = SpendProof::prove(&x, coin(1), &M, &mut r);
    assert_eq!(
        p.verify(&x.public(), &key_image(&x, coin(1)), coin(1), &M),
        Ok(())
    );
    assert_eq!(SpendProof::from_bytes(&p.to_bytes()), Ok(p));
}

#[test]
fn key_image_differs_per_coin_and_is_stable() {
    let x = SecretScalar::random(&mut rng(2));
    assert_eq!(key_image(&x, coin(1)), key_image(&x, coin(1)));
    assert_ne!(key_image(&x, coin(1)), key_image(&x, coin(2)));
    assert_ne!(image_base(coin(1)), image_base(coin(2)));
}

#[test]
fn only_one_image_verifies_for_a_coin() {
    let mut r = rng(3);
    let (x, y) = (SecretScalar::random(&mut r), SecretScalar::random(&mut r));
    let p = SpendProof::prove(&x, coin(1), &M, &mut r);
    let key = x.public();
    let images = [
        key_image(&y, coin(1)),
        key_image(&x, coin(2)),
        -key_image(&x, coin(1)),
        key_image(&x, coin(1)) + Point::generator(),
    ];
    for i in images {
        assert_eq!(p.verify(&key, &i, coin(1), &M), Err(DleqError::Invalid));
    }
    // Nor can the owner prove another image.
    let q = SpendProof::prove(&y, coin(1), &M, &mut r);
    assert_eq!(
        q.verify(&key, &key_image(&y, coin(1)), coin(1), &M),
        Err(DleqError::Invalid)
    );
}

#[test]
fn proof_bound_to_message_coin_and_key() {
    let mut r = rng(4);
    let x = SecretScalar::random(&mut r);
    let p = SpendProof::prove(&x, coin(1), &M, &mut r);
    let (key, image) = (x.public(), key_image(&x, coin(1)));
    assert_eq!(
        p.verify(&key, &image, coin(1), &[4; 32]),
        Err(DleqError::Invalid)
    );
    assert_eq!(p.verify(&key, &image, coin(2), &M), Err(DleqError::Invalid));
    assert_eq!(
        p.verify(&(key + key), &image, coin(1), &M),
        Err(DleqError::Invalid)
    );
}

#[test]
fn identity_key_and_image_rejected() {
    let zero = SecretScalar::new(Scalar::ZERO);
    let p = SpendProof::prove(&zero, coin(1), &M, &mut rng(5));
    let o = Point::IDENTITY;
    assert_eq!(p.verify(&o, &o, coin(1), &M), Err(DleqError::IdentityPoint));
    assert_eq!(
        SpendProof::from_bytes(&[0xff; SPEND_PROOF_BYTES]).err(),
        Some(DleqError::Encoding)
    );
}
