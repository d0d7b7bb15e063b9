use quil_decaf::{
    Point, Scalar, SecretScalar,
    dleq::{DleqError, PROOF_BYTES, Proof, Statement, prove, verify},
};

use crate::support::{mutations, order, plus, rng};

fn statement(x: &SecretScalar, coin: &[u8]) -> Statement {
    let base = Point::hash_to("image", coin);
    Statement {
        message: [9; 32],
        base,
        public: x.public(),
        image: &base * x.expose(),
    }
}

fn honest() -> (Statement, Proof) {
    let mut r = rng(30);
    let x = SecretScalar::random(&mut r);
    let st = statement(&x, b"coin");
    (st, prove("dleq", &st, &x, &mut r))
}

#[test]
fn honest_proofs_verify() {
    let (st, p) = honest();
    assert_eq!(verify("dleq", &st, &p), Ok(()));
    assert_eq!(Proof::from_bytes(&p.to_bytes()), Ok(p));
}

#[test]
fn challenge_is_the_hash_of_message_points_and_nonces() {
    let (st, p) = honest();
    let v = p.to_bytes();
    let half = |h: &[u8]| Scalar::from_bytes(h.try_into().expect("56 bytes")).expect("canonical");
    let (c, s) = (half(&v[..56]), half(&v[56..]));
    let kg = Point::generator() * s - st.public * c;
    let kh = st.base * s - st.image * c;
    let enc = |p: &Point| p.compress().0;
    let parts: [&[u8]; 5] = [
        &st.message,
        &enc(&st.public),
        &enc(&st.image),
        &enc(&kg),
        &enc(&kh),
    ];
    assert_eq!(Scalar::hash("dleq", &parts), c);
}

#[test]
fn proof_bound_to_every_part_of_the_statement() {
    let (st, p) = honest();
    let g = Point::generator();
    let bad = [
        Statement {
            message: [8; 32],
            ..st
        },
        Statement {
            base: st.base + g,
            ..st
        },
        Statement {
            public: st.public + g,
            ..st
        },
        Statement {
            image: st.image + g,
            ..st
        },
        Statement {
            public: st.image,
            image: st.public,
            ..st
        },
        Statement {
            public: -st.public,
            image: -st.image,
            ..st
        },
    ];
    for s in bad {
        assert_eq!(verify("dleq", &s, &p), Err(DleqError::Invalid));
    }
    assert_eq!(verify("image", &st, &p), Err(DleqError::Invalid));
}

#[test]
fn unequal_logarithms_cannot_be_proven_by_the_prover() {
    let mut r = rng(31);
    let (x, y) = (SecretScalar::random(&mut r), SecretScalar::random(&mut r));
    let mut st = statement(&x, b"coin");
    st.image = st.base * *y.expose();
    for secret in [&x, &y] {
        let p = prove("dleq", &st, secret, &mut r);
        assert_eq!(verify("dleq", &st, &p), Err(DleqError::Invalid));
    }
}

#[test]
fn identity_points_rejected() {
    let (st, p) = honest();
    let o = Point::IDENTITY;
    for s in [
        Statement { base: o, ..st },
        Statement { public: o, ..st },
        Statement { image: o, ..st },
    ] {
        assert_eq!(verify("dleq", &s, &p), Err(DleqError::IdentityPoint));
    }
    let zero = SecretScalar::new(Scalar::ZERO);
    let trivial = statement(&zero, b"coin");
    let p = prove("dleq", &trivial, &zero, &mut rng(32));
    assert_eq!(verify("dleq", &trivial, &p), Err(DleqError::IdentityPoint));
}

#[test]
fn every_flipped_bit_of_a_proof_fails() {
    let (st, p) = honest();
    for m in mutations(p.to_bytes()) {
        assert!(!Proof::from_bytes(&m).is_ok_and(|p| verify("dleq", &st, &p).is_ok()));
    }
    assert_eq!(
        Proof::from_bytes(&[0xff; PROOF_BYTES]),
        Err(DleqError::Encoding)
    );
}

#[test]
fn second_encoding_of_a_proof_rejected() {
    let bytes = honest().1.to_bytes();
    for half in [0, 56] {
        let scalar: [u8; 56] = bytes[half..half + 56].try_into().expect("56 bytes");
        let mut m = bytes;
        m[half..half + 56].copy_from_slice(&plus(&scalar, &order()));
        assert_eq!(Proof::from_bytes(&m), Err(DleqError::Encoding));
    }
}

#[test]
fn images_of_two_bases_differ() {
    let x = SecretScalar::random(&mut rng(33));
    assert_ne!(
        statement(&x, b"coin 1").image,
        statement(&x, b"coin 2").image
    );
}
