use quil_decaf::{
    FixedBase, Point, Scalar, SecretScalar,
    schnorr::{SIGNATURE_BYTES, SchnorrError, Signature, sign, sign_on, verify, verify_on},
};
use rand_chacha::rand_core::{Infallible, TryCryptoRng, TryRng};

use crate::support::{mutations, order, plus, rng};

/// A generator that always repeats itself.
struct Stuck;

impl TryRng for Stuck {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(7)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(7)
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

#[test]
fn honest_signatures_verify() {
    let mut r = rng(20);
    for len in [0, 1, 32, 5000] {
        let x = SecretScalar::random(&mut r);
        let m = vec![len as u8; len];
        let s = sign("excess", &x, &m, &mut r);
        assert_eq!(verify("excess", &x.public(), &m, &s), Ok(()));
        let back = Signature::from_bytes(&s.to_bytes()).expect("own encoding");
        assert_eq!(back, s);
    }
}

#[test]
fn signature_bound_to_tag_key_message_and_base() {
    let mut r = rng(21);
    let (x, y) = (SecretScalar::random(&mut r), SecretScalar::random(&mut r));
    let s = sign("excess", &x, b"message", &mut r);
    let p = x.public();
    assert_eq!(
        verify("authority", &p, b"message", &s),
        Err(SchnorrError::Invalid)
    );
    assert_eq!(
        verify("excess", &y.public(), b"message", &s),
        Err(SchnorrError::Invalid)
    );
    assert_eq!(
        verify("excess", &p, b"messag", &s),
        Err(SchnorrError::Invalid)
    );
    assert_eq!(
        verify("excess", &-p, b"message", &s),
        Err(SchnorrError::Invalid)
    );
    let other = FixedBase::new(&Point::hash_to("base", b""));
    let q = other.mul(x.expose());
    let t = sign_on(&other, "excess", &x, b"message", &mut r);
    assert_eq!(verify_on(&other, "excess", &q, b"message", &t), Ok(()));
    assert_eq!(
        verify("excess", &q, b"message", &t),
        Err(SchnorrError::Invalid)
    );
    assert_eq!(
        verify_on(&other, "excess", &p, b"message", &s),
        Err(SchnorrError::Invalid)
    );
}

#[test]
fn every_flipped_bit_of_a_signature_fails() {
    let mut r = rng(22);
    let x = SecretScalar::random(&mut r);
    let p = x.public();
    let s = sign("excess", &x, b"m", &mut r).to_bytes();
    for m in mutations(s) {
        let accepted =
            Signature::from_bytes(&m).is_ok_and(|s| verify("excess", &p, b"m", &s).is_ok());
        assert!(!accepted);
    }
}

#[test]
fn identity_public_key_rejected() {
    let mut r = rng(23);
    let zero = SecretScalar::new(Scalar::ZERO);
    let s = sign("excess", &zero, b"m", &mut r);
    assert_eq!(
        verify("excess", &zero.public(), b"m", &s),
        Err(SchnorrError::IdentityKey)
    );
}

#[test]
fn scalars_above_the_order_rejected() {
    let mut b = [0xff; SIGNATURE_BYTES];
    assert_eq!(Signature::from_bytes(&b), Err(SchnorrError::Encoding));
    b[..56].fill(0);
    assert_eq!(Signature::from_bytes(&b), Err(SchnorrError::Encoding));
    b[56..].fill(0);
    b[..56].fill(0xff);
    assert_eq!(Signature::from_bytes(&b), Err(SchnorrError::Encoding));
    // The bound is the order itself.
    for half in [0, 56] {
        let mut b = [0; SIGNATURE_BYTES];
        b[half..half + 56].copy_from_slice(&order());
        assert_eq!(Signature::from_bytes(&b), Err(SchnorrError::Encoding));
        b[half] -= 1;
        assert!(Signature::from_bytes(&b).is_ok(), "order minus one");
    }
}

#[test]
fn second_encoding_of_a_signature_rejected() {
    let mut r = rng(26);
    let x = SecretScalar::random(&mut r);
    let s = sign("excess", &x, b"m", &mut r).to_bytes();
    for half in [0, 56] {
        let scalar: [u8; 56] = s[half..half + 56].try_into().expect("56 bytes");
        let (mut m, mut same) = (s, scalar);
        // The same residue with one, two and three times the order.
        for _ in 0..3 {
            same = plus(&same, &order());
            m[half..half + 56].copy_from_slice(&same);
            assert_eq!(Signature::from_bytes(&m), Err(SchnorrError::Encoding));
        }
    }
}

/// x = (s1 - s2) / (c1 - c2) if both signatures share a nonce.
fn shared_nonce_secret(a: &Signature, b: &Signature) -> Scalar {
    let split = |s: &Signature| {
        let v = s.to_bytes();
        let half =
            |h: &[u8]| Scalar::from_bytes(h.try_into().expect("56 bytes")).expect("canonical");
        (half(&v[..56]), half(&v[56..]))
    };
    let ((c1, s1), (c2, s2)) = (split(a), split(b));
    (s1 - s2) * (c1 - c2).invert()
}

#[test]
fn stuck_generator_does_not_repeat_a_nonce() {
    let x = SecretScalar::random(&mut rng(24));
    let (a, b) = (
        sign("excess", &x, b"one", &mut Stuck),
        sign("excess", &x, b"two", &mut Stuck),
    );
    assert_ne!(shared_nonce_secret(&a, &b), *x.expose());
    let c = sign("authority", &x, b"one", &mut Stuck);
    assert_ne!(shared_nonce_secret(&a, &c), *x.expose());
    assert_ne!(
        sign("excess", &x, b"one", &mut rng(1)),
        sign("excess", &x, b"one", &mut rng(2))
    );
}
