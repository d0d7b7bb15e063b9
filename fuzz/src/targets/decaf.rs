//! Points, scalars, signatures and equality proofs of Decaf448.

use quil_decaf::{CompressedPoint, Point, Scalar, SecretScalar, dleq, schnorr, x448};

use super::{Fields, SMALL, decoder, one_encoding, rng, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("decaf.point", 2000, SMALL, points, point),
    decoder("decaf.scalar", 4000, SMALL, scalars, scalar),
    verifier("decaf.schnorr", 500, signatures, signature),
    verifier("decaf.dleq", 300, equalities, equality),
    decoder("decaf.x448", 300, SMALL, exchanges, exchange),
];

fn secret(seed: u64) -> SecretScalar {
    SecretScalar::random(&mut rng(seed))
}

fn points() -> Vec<Vec<u8>> {
    let mut all = vec![CompressedPoint::IDENTITY, CompressedPoint::GENERATOR];
    all.extend((1..4).map(|s| secret(s).public().compress()));
    all.iter().map(|p| p.0.to_vec()).collect()
}

fn point(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else {
        return Verdict::Refused;
    };
    one_encoding(bytes, CompressedPoint(array).decompress(), |p| {
        p.compress().0.to_vec()
    })
}

fn scalars() -> Vec<Vec<u8>> {
    [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, *secret(1).expose()]
        .iter()
        .map(|s| s.to_bytes().to_vec())
        .collect()
}

fn scalar(bytes: &[u8]) -> Verdict {
    let Ok(array) = bytes.try_into() else {
        return Verdict::Refused;
    };
    one_encoding(bytes, Scalar::from_bytes(array).ok_or(()), |s| {
        s.to_bytes().to_vec()
    })
}

/// key || signature || message.
fn signatures() -> Vec<Vec<u8>> {
    (1..4)
        .map(|s| {
            let key = secret(s);
            let signature = schnorr::sign("fuzz", &key, b"message", &mut rng(s + 50));
            let mut out = key.public().compress().0.to_vec();
            out.extend(signature.to_bytes());
            out.extend(b"message");
            out
        })
        .collect()
}

fn signature(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let (Some(key), Some(encoded)) = (f.array(), f.array()) else {
        return Verdict::Refused;
    };
    let signature = schnorr::Signature::from_bytes(encoded);
    if let Ok(s) = &signature {
        assert_eq!(s.to_bytes(), *encoded);
    }
    match (CompressedPoint(*key).decompress(), signature) {
        (Ok(key), Ok(signature)) => Verdict::of(&schnorr::verify("fuzz", &key, f.0, &signature)),
        _ => Verdict::Refused,
    }
}

/// message || base || public || image || proof.
fn equalities() -> Vec<Vec<u8>> {
    (1..3)
        .map(|s| {
            let (x, base) = (secret(s), Point::hash_to("fuzz", &[s as u8]));
            let statement = dleq::Statement {
                message: [s as u8; 32],
                base,
                public: x.public(),
                image: base * *x.expose(),
            };
            let proof = dleq::prove("fuzz", &statement, &x, &mut rng(s + 60));
            let mut out = statement.message.to_vec();
            for p in [&statement.base, &statement.public, &statement.image] {
                out.extend(p.compress().0);
            }
            out.extend(proof.to_bytes());
            out
        })
        .collect()
}

fn equality(bytes: &[u8]) -> Verdict {
    Verdict::when(equality_holds(bytes).is_some())
}

fn equality_holds(bytes: &[u8]) -> Option<()> {
    let mut f = Fields(bytes);
    let message = *f.array()?;
    let mut point = || CompressedPoint(*f.array()?).decompress().ok();
    let (base, public, image) = (point()?, point()?, point()?);
    let encoded = f.array()?;
    let proof = dleq::Proof::from_bytes(encoded).ok()?;
    assert_eq!(proof.to_bytes(), *encoded);
    // The base is hashed by whoever knows the message; a target that took it from the input would accept any base.
    let expected = Point::hash_to("fuzz", &[message[0]]);
    let statement = dleq::Statement {
        message,
        base,
        public,
        image,
    };
    (f.0.is_empty() && base == expected)
        .then_some(())
        .filter(|()| dleq::verify("fuzz", &statement, &proof).is_ok())
}

fn exchanges() -> Vec<Vec<u8>> {
    vec![[[1; 56], [2; 56]].concat(), [[0; 56], [0xff; 56]].concat()]
}

/// Both sides of an exchange agree, whatever the secrets are.
fn exchange(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let (Some(a), Some(b), true) = (f.array(), f.array(), bytes.len() == 112) else {
        return Verdict::Refused;
    };
    let mut base = [0; 56];
    base[0] = 5;
    assert_eq!(
        x448::x448(a, &x448::x448(b, &base)),
        x448::x448(b, &x448::x448(a, &base))
    );
    // Any bytes are a public key.
    let shared = x448::x448(a, b);
    assert_eq!(shared, x448::x448(a, b));
    Verdict::Accepted
}
