//! One encoding per point.

use proptest::prelude::*;
use quil_bls48581::{
    Fp, G1_BYTES, G1Affine, G1Projective, G2_BYTES, G2Affine, G2Projective, PointError,
};

use crate::support::{bytes, random_fr, rng, vectors};

fn g1_with_x(tag: u8, x: &Fp) -> [u8; G1_BYTES] {
    let mut b = [0; G1_BYTES];
    b[0] = tag;
    b[1..].copy_from_slice(&x.to_be_bytes());
    b
}

#[test]
fn g1_round_trip() {
    let mut rng = rng(1);
    for _ in 0..20 {
        let p = G1Projective::generator()
            .mul(&random_fr(&mut rng))
            .to_affine();
        let b = p.to_bytes();
        assert_eq!(G1Affine::from_bytes(&b), Ok(p));
        assert_eq!(G1Affine::from_bytes(&b).unwrap().to_bytes(), b);
        assert_eq!(G1Affine::from_bytes(&p.neg().to_bytes()), Ok(p.neg()));
        assert_eq!(*G1Affine::decode_checked(&b).unwrap(), p);
    }
}

#[test]
fn g1_recorded_rejections() {
    let v = vectors(include_str!("../vectors/curve.json"));
    let cases = v["must_reject_g1"].as_object().unwrap();
    for (name, value) in cases {
        let expected = match name.as_str() {
            "x_zero_even" | "x_zero_odd_order3" | "on_curve_not_in_subgroup" => {
                PointError::NotInSubgroup
            }
            "x_eq_p" => PointError::CoordinateRange,
            "bad_tag_uncompressed_len" => PointError::Tag(4),
            other => panic!("no expectation for {other}"),
        };
        assert_eq!(
            G1Affine::decode_checked(&bytes(value)).unwrap_err(),
            expected,
            "{name}"
        );
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn g1_identity_has_one_encoding() {
    let id = G1Affine::identity();
    assert_eq!(id.to_bytes(), [0; G1_BYTES]);
    assert_eq!(*G1Affine::decode_checked(&[0; G1_BYTES]).unwrap(), id);
    let cancelled = G1Projective::generator()
        .sub(&G1Projective::generator())
        .to_affine();
    assert_eq!(cancelled.to_bytes(), [0; G1_BYTES]);
    for i in 1..G1_BYTES {
        let mut b = [0; G1_BYTES];
        b[i] = 1;
        assert_eq!(G1Affine::from_bytes(&b), Err(PointError::IdentityNotZero));
    }
}

#[test]
fn g1_y_zero_has_one_encoding() {
    let x = -Fp::ONE;
    assert!(G1Affine::from_bytes(&g1_with_x(2, &x)).is_ok());
    assert_eq!(
        G1Affine::from_bytes(&g1_with_x(3, &x)),
        Err(PointError::SignOfZero)
    );
    assert_eq!(
        G1Affine::decode_checked(&g1_with_x(2, &x)).unwrap_err(),
        PointError::NotInSubgroup
    );
}

#[test]
fn g1_every_length_but_one_is_refused() {
    let b = G1Affine::generator().to_bytes();
    let mut long = b.to_vec();
    long.push(0);
    for len in (0..G1_BYTES).chain([G1_BYTES + 1]) {
        let expected = PointError::Length {
            expected: G1_BYTES,
            found: len,
        };
        assert_eq!(G1Affine::from_bytes(&long[..len]), Err(expected));
    }
}

#[test]
fn g1_every_tag_but_two_is_refused() {
    let mut b = G1Affine::generator().to_bytes();
    for tag in 0..=255u8 {
        b[0] = tag;
        match tag {
            2 | 3 => assert!(G1Affine::from_bytes(&b).is_ok()),
            0 => assert_eq!(G1Affine::from_bytes(&b), Err(PointError::IdentityNotZero)),
            _ => assert_eq!(G1Affine::from_bytes(&b), Err(PointError::Tag(tag))),
        }
    }
}

/// A changed byte never decodes to the same point, and what decodes encodes back to the same bytes.
#[test]
fn g1_mutations_do_not_alias() {
    let p = G1Affine::generator();
    let b = p.to_bytes();
    for i in 0..G1_BYTES {
        for flip in [1u8, 0x80, 0xff] {
            let mut m = b;
            m[i] ^= flip;
            match G1Affine::from_bytes(&m) {
                Ok(q) => {
                    assert_ne!(q, p);
                    assert_eq!(q.to_bytes(), m);
                    assert!(q.is_on_curve());
                }
                Err(e) => assert!(matches!(
                    e,
                    PointError::NotOnCurve | PointError::CoordinateRange | PointError::Tag(_)
                )),
            }
        }
    }
}

#[test]
fn g1_off_curve_is_refused() {
    let mut x = Fp::from_u64(2);
    let mut refused = 0;
    for _ in 0..50 {
        refused +=
            u32::from(G1Affine::from_bytes(&g1_with_x(2, &x)) == Err(PointError::NotOnCurve));
        x += Fp::ONE;
    }
    assert!((10..40).contains(&refused));
}

/// Random points of the curve are outside the subgroup (cofactor 2^64), whatever small-order part they carry.
#[test]
fn g1_points_outside_the_subgroup_are_refused() {
    let mut x = Fp::from_u64(1);
    let mut seen = 0;
    while seen < 20 {
        x += Fp::ONE;
        let Ok(p) = G1Affine::from_bytes(&g1_with_x(3, &x)) else {
            continue;
        };
        assert_eq!(p.check_subgroup(), Err(PointError::NotInSubgroup));
        seen += 1;
    }
    let g = G1Projective::generator();
    for x in [Fp::ZERO, -Fp::ONE] {
        let small = G1Affine::from_bytes(&g1_with_x(2, &x)).unwrap();
        assert!(!small.is_in_subgroup());
        assert!(!g.add_mixed(&small).to_affine().is_in_subgroup());
    }
    assert!(g.to_affine().is_in_subgroup());
}

#[test]
fn g2_round_trip() {
    let mut rng = rng(2);
    for _ in 0..5 {
        let p = G2Projective::generator()
            .mul(&random_fr(&mut rng))
            .to_affine();
        let b = p.to_bytes();
        assert_eq!(*G2Affine::decode_checked(&b).unwrap(), p);
        assert_eq!(G2Affine::from_bytes(&p.neg().to_bytes()), Ok(p.neg()));
    }
}

#[test]
fn g2_identity_has_one_encoding() {
    assert_eq!(G2Affine::identity().to_bytes(), [0; G2_BYTES]);
    assert!(
        G2Affine::decode_checked(&[0; G2_BYTES])
            .unwrap()
            .is_identity()
    );
    for i in 1..G2_BYTES {
        let mut b = [0; G2_BYTES];
        b[i] = 0x10;
        assert_eq!(G2Affine::from_bytes(&b), Err(PointError::IdentityNotZero));
    }
}

#[test]
fn g2_every_length_and_tag_but_one_is_refused() {
    let mut b = G2Affine::generator().to_bytes();
    let long = [b.as_slice(), &[0]].concat();
    for len in (0..G2_BYTES).chain([G2_BYTES + 1]) {
        let expected = PointError::Length {
            expected: G2_BYTES,
            found: len,
        };
        assert_eq!(G2Affine::from_bytes(&long[..len]), Err(expected));
    }
    for tag in (1..=255u8).filter(|t| !matches!(t, 2 | 3)) {
        b[0] = tag;
        assert_eq!(G2Affine::from_bytes(&b), Err(PointError::Tag(tag)));
    }
}

/// Adding the modulus to a coordinate must not give a second encoding.
#[test]
fn g2_coordinates_above_the_modulus_are_refused() {
    let b = G2Affine::generator().to_bytes();
    let p: [u8; Fp::BYTES] =
        crate::support::array(&vectors(include_str!("../vectors/field.json"))["p"]);
    for k in 0..8 {
        let mut bad = b;
        let mut carry = 0;
        for (x, m) in bad[1 + 73 * k..][..73].iter_mut().zip(&p).rev() {
            let s = u16::from(*x) + u16::from(*m) + carry;
            *x = s as u8;
            carry = s >> 8;
        }
        assert_eq!(carry, 0);
        assert_eq!(G2Affine::from_bytes(&bad), Err(PointError::CoordinateRange));
    }
}

#[test]
fn g2_mutations_do_not_alias() {
    let p = G2Affine::generator();
    let b = p.to_bytes();
    let (mut decoded, mut refused) = (0, 0);
    for i in (1..G2_BYTES).step_by(11) {
        let mut m = b;
        m[i] ^= 1;
        match G2Affine::from_bytes(&m) {
            Ok(q) => {
                decoded += 1;
                assert_eq!(q.to_bytes(), m);
                // The cofactor has 4125 bits: a stray point is never in the subgroup.
                assert_eq!(q.check_subgroup(), Err(PointError::NotInSubgroup));
            }
            Err(e) => {
                refused += 1;
                assert!(matches!(
                    e,
                    PointError::NotOnCurve | PointError::CoordinateRange
                ));
            }
        }
    }
    assert!(decoded > 5 && refused > 5);
    let mut flipped = b;
    flipped[0] ^= 1;
    assert_eq!(G2Affine::from_bytes(&flipped), Ok(p.neg()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever decodes encodes back to the same bytes; nothing panics.
    #[test]
    fn any_bytes_decode_to_themselves_or_not_at_all(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..90),
        tag in 0u8..5,
        shape in any::<bool>(),
    ) {
        if shape {
            bytes.resize(G1_BYTES, 7);
            bytes[0] = tag;
            bytes[1] &= 0x1f;
        }
        if let Ok(p) = G1Affine::from_bytes(&bytes) {
            prop_assert_eq!(p.to_bytes().to_vec(), bytes);
            prop_assert!(p.is_on_curve());
        }
    }
}
