//! Prime fields.

use ark_ff::{BigInteger, Field as _, MontBackend, MontConfig, PrimeField};
use proptest::prelude::*;
use quil_bls48581::{Fp, Fr};

use crate::support::{array, fp, fr, random_fp, random_fr, rng, vectors};

#[derive(MontConfig)]
#[modulus = "4576545538729420598762745822889397370509838601207708465545582186285824315458656151272834027217178198654229063318759931344008864619718319130560845441720114764111976549023322411"]
#[generator = "2"]
struct ArkFpConfig;
type ArkFp = ark_ff::Fp<MontBackend<ArkFpConfig, 10>, 10>;

fn to_ark(v: &Fp) -> ArkFp {
    ArkFp::from_be_bytes_mod_order(&v.to_be_bytes())
}

fn ark_bytes(v: &ArkFp) -> [u8; 73] {
    let b = v.into_bigint().to_bytes_be();
    b[b.len() - 73..].try_into().unwrap()
}

#[test]
fn oracle_modulus_is_ours() {
    assert_eq!(ark_bytes(&-ArkFp::from(1u8)), (-Fp::ONE).to_be_bytes());
}

#[test]
fn known_answers() {
    let v = vectors(include_str!("../vectors/field.json"));
    for case in v["fp"].as_array().unwrap() {
        let (a, b) = (fp(&case["a"]), fp(&case["b"]));
        assert_eq!(a * b, fp(&case["mul"]));
        assert_eq!(a.invert().unwrap(), fp(&case["inv_a"]));
        assert_eq!(a.invert_vartime().unwrap(), fp(&case["inv_a"]));
        assert_eq!(a.is_odd(), case["a_is_odd"]);
        assert_eq!(a.is_square_vartime(), case["a_is_square"]);
        assert_eq!(
            a.sqrt_vartime().is_some(),
            case["a_is_square"].as_bool().unwrap()
        );
    }
    for case in v["fr"].as_array().unwrap() {
        let (a, b) = (fr(&case["a"]), fr(&case["b"]));
        assert_eq!(a + b, fr(&case["add"]));
        assert_eq!(a * b, fr(&case["mul"]));
        assert_eq!(-a, fr(&case["neg_a"]));
        assert_eq!(a.invert().unwrap(), fr(&case["inv_a"]));
        assert_eq!(a.invert_vartime().unwrap(), fr(&case["inv_a"]));
    }
    let roots = v["roots_of_unity"].as_object().unwrap();
    assert_eq!(roots.len(), 7);
    for (n, root) in roots {
        let log_n = n.parse::<u32>().unwrap().ilog2();
        assert_eq!(Fr::root_of_unity(log_n).unwrap(), fr(root));
    }
}

#[test]
fn modulus_and_above_are_not_canonical() {
    let v = vectors(include_str!("../vectors/field.json"));
    let increment = |mut b: [u8; 73]| {
        for x in b.iter_mut().rev() {
            let (y, carry) = x.overflowing_add(1);
            *x = y;
            if !carry {
                break;
            }
        }
        b
    };
    let (p, r): ([u8; 73], [u8; 73]) = (array(&v["p"]), array(&v["r"]));
    assert_eq!(increment((-Fp::ONE).to_be_bytes()), p);
    assert_eq!(increment((-Fr::ONE).to_be_bytes()), r);
    for bad in [p, increment(p), [255; 73]] {
        assert!(Fp::from_canonical_bytes(&bad).is_none());
    }
    for bad in [r, increment(r), [255; 73]] {
        assert!(Fr::from_canonical_bytes(&bad).is_none());
    }
    // A set bit above the 576 bits of nine limbs must not be dropped.
    let mut high = [0; 73];
    high[0] = 1;
    assert!(Fr::from_canonical_bytes(&high).is_none());
}

#[test]
fn root_of_unity_is_37_to_the_cofactor() {
    // (r - 1) / 1024, by dividing the canonical bytes of r - 1.
    let minus_one = (-Fr::ONE).to_be_bytes();
    let mut limbs = [0u64; 10];
    for (i, b) in minus_one.iter().rev().enumerate() {
        limbs[i / 8] |= u64::from(*b) << (8 * (i % 8));
    }
    let shifted: Vec<u64> = (0..9)
        .map(|i| (limbs[i] >> 10) | (limbs[i + 1] << 54))
        .collect();
    assert_eq!(Fr::from_u64(37).pow_vartime(&shifted), Fr::ROOT_OF_UNITY);
    assert_eq!(Fr::ROOT_OF_UNITY.square_n(9), -Fr::ONE);
    assert_eq!(Fr::root_of_unity(0), Some(Fr::ONE));
    assert!(Fr::root_of_unity(11).is_none());
}

#[test]
fn batch_inversion_keeps_zeros() {
    let mut rng = rng(3);
    let mut v: Vec<Fr> = (0..20)
        .map(|i| {
            if i % 5 == 2 {
                Fr::ZERO
            } else {
                random_fr(&mut rng)
            }
        })
        .collect();
    let before = v.clone();
    Fr::batch_invert(&mut v);
    for (a, b) in before.iter().zip(&v) {
        assert_eq!(*b, a.invert().unwrap_or(Fr::ZERO));
    }
    Fr::batch_invert(&mut []);
}

#[test]
fn wide_reduction_is_horner() {
    let mut bytes = [0u8; 128];
    for (i, b) in bytes.iter_mut().enumerate() {
        *b = (i * 37 + 11) as u8;
    }
    let horner = |b: &[u8]| {
        b.iter().fold(Fr::ZERO, |acc, x| {
            acc * Fr::from_u64(256) + Fr::from_u64(u64::from(*x))
        })
    };
    let horner_p = |b: &[u8]| {
        b.iter().fold(Fp::ZERO, |acc, x| {
            acc * Fp::from_u64(256) + Fp::from_u64(u64::from(*x))
        })
    };
    for len in [0, 1, 63, 64, 65, 98, 105, 127, 128] {
        assert_eq!(
            Fr::from_be_slice_reduced(&bytes[..len]),
            horner(&bytes[..len])
        );
        assert_eq!(
            Fp::from_be_slice_reduced(&bytes[..len]),
            horner_p(&bytes[..len])
        );
    }
    let max = Fr::from_be_bytes_wide(&[255; 64]);
    assert_eq!(max.to_be_bytes()[9..], [255; 64]);
}

/// Field laws for one type.
macro_rules! field_laws {
    ($name:ident, $field:ident, $random:ident) => {
        #[test]
        fn $name() {
            let mut rng = rng(9);
            let special = [
                $field::ZERO,
                $field::ONE,
                -$field::ONE,
                $field::from_u64(u64::MAX),
            ];
            let mut values: Vec<_> = (0..12).map(|_| $random(&mut rng)).collect();
            values.extend(special);
            for a in &values {
                assert_eq!(a + &$field::ZERO, *a);
                assert_eq!(a * &$field::ONE, *a);
                assert_eq!(*a - a, $field::ZERO);
                assert_eq!(*a + -*a, $field::ZERO);
                assert_eq!(a.double(), a + a);
                assert_eq!(a.square(), a * a);
                assert_eq!($field::from_canonical_bytes(&a.to_be_bytes()), Some(*a));
                assert_eq!(a.invert(), a.invert_vartime());
                if let Some(inv) = a.invert() {
                    assert_eq!(inv * a, $field::ONE);
                } else {
                    assert!(a.is_zero());
                }
                assert_eq!(a.pow_vartime(&[5]), a.square().square() * a);
                assert_eq!(a.pow_vartime(&[0]), $field::ONE);
                for b in &values {
                    assert_eq!(a + b, b + a);
                    assert_eq!(a * b, b * a);
                    assert_eq!(a - b, -(b - a));
                    for c in &values {
                        assert_eq!((a + b) + c, *a + (b + c));
                        assert_eq!((a * b) * c, *a * (b * c));
                        assert_eq!(*a * (b + c), a * b + a * c);
                    }
                }
            }
        }
    };
}

field_laws!(fp_laws, Fp, random_fp);
field_laws!(fr_laws, Fr, random_fr);

fn any_fp() -> impl Strategy<Value = Fp> {
    prop_oneof![
        8 => proptest::array::uniform32(any::<u8>()).prop_flat_map(|a| {
            proptest::collection::vec(any::<u8>(), 42).prop_map(move |b| {
                Fp::from_be_slice_reduced(&[a.as_slice(), &b].concat())
            })
        }),
        1 => any::<u64>().prop_map(Fp::from_u64),
        1 => any::<u64>().prop_map(|v| -Fp::from_u64(v)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fp_agrees_with_oracle(a in any_fp(), b in any_fp()) {
        let (x, y) = (to_ark(&a), to_ark(&b));
        prop_assert_eq!((a + b).to_be_bytes(), ark_bytes(&(x + y)));
        prop_assert_eq!((a - b).to_be_bytes(), ark_bytes(&(x - y)));
        prop_assert_eq!((a * b).to_be_bytes(), ark_bytes(&(x * y)));
        prop_assert_eq!(a.square().to_be_bytes(), ark_bytes(&(x * x)));
        prop_assert_eq!(a.halve().double(), a);
        if let Some(inv) = a.invert() {
            prop_assert_eq!(inv.to_be_bytes(), ark_bytes(&x.inverse().unwrap()));
            prop_assert_eq!(Some(inv), a.invert_vartime());
        }
    }

    #[test]
    fn jacobi_symbol_is_eulers_criterion(a in any_fp()) {
        prop_assert_eq!(a.is_square_vartime(), a.sqrt_vartime().is_some());
        prop_assert!(a.square().is_square_vartime());
        let root = a.square().sqrt_vartime().unwrap();
        prop_assert!(root == a || root == -a);
        if !a.is_zero() {
            // -1 is a non-residue.
            prop_assert_ne!(a.is_square_vartime(), (-a).is_square_vartime());
        }
    }
}
