use proptest::prelude::*;
use quil_decaf::{
    CompressedPoint, DecodePointError, FixedBase, POINT_BYTES, Point, Scalar, SecretScalar,
};

use crate::support::{mutations, plus, random_point, rng};

fn order_minus_one() -> Scalar {
    -Scalar::ONE
}

#[test]
fn group_laws_hold() {
    let mut r = rng(1);
    for _ in 0..20 {
        let (a, b, c) = (
            random_point(&mut r),
            random_point(&mut r),
            random_point(&mut r),
        );
        assert_eq!((a + b) + c, a + (b + c));
        assert_eq!(a + b, b + a);
        assert_eq!(a + Point::IDENTITY, a);
        assert!((a - a).is_identity());
        assert_eq!(a + a, a.double());
        assert_eq!(-(-a), a);
        assert_eq!(a - b, a + (-b));
        assert_eq!([a, b, c].into_iter().sum::<Point>(), a + b + c);
        assert_ne!(a, b);
    }
}

#[test]
fn scalar_multiplication_is_a_homomorphism() {
    let mut r = rng(2);
    for _ in 0..10 {
        let (s, t, p, q) = (
            Scalar::random(&mut r),
            Scalar::random(&mut r),
            random_point(&mut r),
            random_point(&mut r),
        );
        assert_eq!(p * (s + t), p * s + p * t);
        assert_eq!((p + q) * s, p * s + q * s);
        assert_eq!(p * s * t, p * (s * t));
    }
}

#[test]
fn edge_scalars_multiply_correctly() {
    let p = random_point(&mut rng(3));
    let base = FixedBase::new(&p);
    assert!((p * Scalar::ZERO).is_identity() && base.mul(&Scalar::ZERO).is_identity());
    assert_eq!(p * order_minus_one(), -p);
    assert_eq!(base.mul(&order_minus_one()), -p);
    let mut acc = Point::IDENTITY;
    for i in 0u64..40 {
        assert_eq!(p * Scalar::from(i), acc);
        assert_eq!(base.mul(&Scalar::from(i)), acc);
        assert_eq!(p * -Scalar::from(i), -acc);
        acc += p;
    }
    assert!((Point::IDENTITY * Scalar::from(77u64)).is_identity());
}

#[test]
fn fixed_base_agrees_with_variable_base() {
    let mut r = rng(4);
    let p = random_point(&mut r);
    let base = FixedBase::new(&p);
    assert_eq!(*base.point(), p);
    assert_eq!(*base.encoding(), p.compress());
    for _ in 0..10 {
        let (s, t, q) = (
            Scalar::random(&mut r),
            Scalar::random(&mut r),
            random_point(&mut r),
        );
        assert_eq!(base.mul(&s), p * s);
        assert_eq!(FixedBase::generator().mul(&s), Point::generator() * s);
        assert_eq!(base.double_mul_vartime(&s, &t, &q), p * s + q * t);
    }
}

#[test]
fn encoding_does_not_depend_on_the_representative() {
    let mut r = rng(5);
    for _ in 0..10 {
        let p = random_point(&mut r);
        let q = (p + p) - p;
        assert_eq!(p.compress(), q.compress());
        assert_eq!(p.compress().decompress().expect("own encoding"), p);
    }
    let through_zero = random_point(&mut r) * Scalar::ZERO;
    assert_eq!(through_zero.compress(), CompressedPoint::IDENTITY);
}

#[test]
fn identity_refused_where_stated() {
    assert!(
        CompressedPoint::IDENTITY
            .decompress()
            .expect("valid")
            .is_identity()
    );
    assert_eq!(
        CompressedPoint::IDENTITY.decompress_nonidentity().err(),
        Some(DecodePointError::Identity)
    );
    assert!(CompressedPoint::GENERATOR.decompress_nonidentity().is_ok());
    let invalid = CompressedPoint([1; POINT_BYTES]);
    assert_eq!(
        invalid.decompress_nonidentity().err(),
        Some(DecodePointError::Invalid)
    );
}

#[test]
fn mutated_encodings_never_decode_to_the_same_element() {
    let p = random_point(&mut rng(6));
    let mut decoded = 0;
    for m in mutations(p.compress().0) {
        if let Ok(q) = CompressedPoint(m).decompress() {
            decoded += 1;
            assert_ne!(p, q);
            assert_eq!(q.compress().0, m);
        }
    }
    assert!(
        decoded > POINT_BYTES && decoded < 8 * POINT_BYTES,
        "about one string in two with an even first byte is valid"
    );
}

#[test]
fn second_encodings_of_a_point_rejected() {
    // p - s has the other sign, s + p and p are not below p.
    let p: [u8; POINT_BYTES] = core::array::from_fn(|i| if i == 28 { 0xfe } else { 0xff });
    let mut r = rng(40);
    for point in [
        Point::IDENTITY,
        Point::generator(),
        random_point(&mut r),
        random_point(&mut r),
    ] {
        let s = point.compress().0;
        let complement = s.map(|b| !b);
        // ~s = 2^448 - 1 - s, so p - s = ~s - (2^448 - 1 - p) = ~s - 2^224.
        let negative = plus(
            &complement,
            &core::array::from_fn(|i| if i < 28 { 0 } else { 0xff }),
        );
        assert!(CompressedPoint(negative).decompress().is_err());
        if plus(&s, &p) > s {
            assert!(CompressedPoint(plus(&s, &p)).decompress().is_err());
        }
    }
    assert!(
        CompressedPoint(p).decompress().is_err(),
        "p stands for zero"
    );
    // Small s leave room for s + p below 2^448.
    let mut small = 0;
    for s in (2u8..=254).step_by(2) {
        let mut b = [0; POINT_BYTES];
        b[0] = s;
        small += u32::from(CompressedPoint(b).decompress().is_ok());
        assert!(CompressedPoint(plus(&b, &p)).decompress().is_err());
    }
    assert!(small > 20, "many of them are points");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_encoding_per_element(v in proptest::collection::vec(any::<u8>(), POINT_BYTES)) {
        let b: [u8; POINT_BYTES] = v.try_into().expect("length");
        if let Ok(p) = CompressedPoint(b).decompress() {
            prop_assert_eq!(p.compress().0, b);
        }
    }
}

#[test]
fn hash_to_point_separates_tags_and_data() {
    let a = Point::hash_to("image", b"data");
    assert_eq!(a, Point::hash_to("image", b"data"));
    assert_ne!(a, Point::hash_to("image", b"datb"));
    assert_ne!(a, Point::hash_to("imag", b"edata"));
    assert!(!a.is_identity());
    assert_ne!(
        Scalar::hash("dleq", &[b"ab", b"c"]),
        Scalar::hash("dleq", &[b"ab", b"d"])
    );
    assert_eq!(
        Scalar::hash("dleq", &[b"ab", b"c"]),
        Scalar::hash("dleq", &[b"abc"])
    );
    assert_ne!(
        Scalar::hash("dle", &[b"qabc"]),
        Scalar::hash("dleq", &[b"abc"])
    );
}

#[test]
fn secrets_print_nothing() {
    let s = SecretScalar::random(&mut rng(7));
    assert_eq!(format!("{s:?}"), "SecretScalar(..)");
    assert_eq!(format!("{:?}", s.public()), "Point(..)");
    assert!(format!("{:?}", s.public().compress()).starts_with("CompressedPoint("));
    assert_eq!(s.public(), Point::generator() * *s.expose());
}
