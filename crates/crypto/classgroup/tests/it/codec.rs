//! One encoding per form, everything else is an error.

use std::sync::OnceLock;

use dashu_int::IBig;
use proptest::prelude::*;
use quil_classgroup::{Discriminant, FORM_BYTES_MAX, Form, FormError};

use crate::twin::{Twin, signed_bytes};

fn setup(bits: usize) -> (Discriminant, Form) {
    let d = Discriminant::derive(b"codec", bits).expect("size");
    let x = d
        .hash_to_form(b"codec", &[3; 32])
        .expect("a form")
        .square_n(20);
    (d, x)
}

fn encode(d: &Discriminant, a: &IBig, b: &IBig) -> Vec<u8> {
    let mut out = signed_bytes(a, d.form_len() / 2);
    out.extend(signed_bytes(b, d.form_len() / 2));
    out
}

fn error(d: &Discriminant, bytes: &[u8]) -> FormError {
    Form::from_bytes(d, bytes).expect_err("must be rejected")
}

#[test]
fn encoding_has_the_documented_shape() {
    let (d, x) = setup(2048);
    assert_eq!((d.form_len(), FORM_BYTES_MAX), (258, 258));
    let bytes = x.to_bytes();
    assert_eq!(bytes.as_ref().len(), 258);
    assert_eq!(bytes.as_ref()[0], 0, "a has at most 1024 bits");
    assert_eq!(Form::from_bytes(&d, bytes.as_ref()), Ok(x));
    let one = Form::identity(&d).to_bytes();
    assert_eq!(
        one.as_ref()
            .iter()
            .enumerate()
            .filter(|(_, b)| **b != 0)
            .collect::<Vec<_>>(),
        [(128, &1), (257, &1)]
    );
    for (bits, len) in [(32, 6), (40, 6), (47, 6), (48, 8), (1000, 126), (1024, 130)] {
        assert_eq!(setup(bits).0.form_len(), len, "{bits} bits");
    }
}

#[test]
fn wrong_length_and_trailing_bytes_are_rejected() {
    let (d, x) = setup(256);
    let bytes = x.to_bytes().as_ref().to_vec();
    for len in [0, 1, d.form_len() - 1, d.form_len() + 1, 2 * d.form_len()] {
        let mut wrong = bytes.clone();
        wrong.resize(len, 0);
        let expected = d.form_len();
        assert_eq!(error(&d, &wrong), FormError::Length { expected, got: len });
    }
}

#[test]
fn zero_and_negative_first_coefficients_are_rejected() {
    for bits in [40, 256, 2048] {
        let (d, x) = setup(bits);
        let t = Twin::of(&d, &x);
        for b in [IBig::ZERO, IBig::ONE, t.b.clone()] {
            assert_eq!(
                error(&d, &encode(&d, &IBig::ZERO, &b)),
                FormError::NotPositive
            );
            assert_eq!(error(&d, &encode(&d, &-&t.a, &b)), FormError::NotPositive);
        }
        assert_eq!(error(&d, &vec![0xff; d.form_len()]), FormError::NotPositive);
        assert_eq!(error(&d, &vec![0; d.form_len()]), FormError::NotPositive);
        let mut most_negative = vec![0; d.form_len()];
        most_negative[0] = 0x80;
        most_negative[d.form_len() / 2] = 0x80;
        assert_eq!(error(&d, &most_negative), FormError::NotPositive);
        most_negative[0] = 0x7f;
        assert_eq!(error(&d, &most_negative), FormError::NotReduced);
    }
}

/// Every equivalent form of the same class is rejected: translations, the swapped form, -a = b.
#[test]
fn unreduced_forms_of_the_class_are_rejected() {
    for bits in [40, 256, 2048] {
        let (d, x) = setup(bits);
        let t = Twin::of(&d, &x);
        for k in [-2, -1, 1, 2] {
            let b = &t.b + IBig::from(2 * k) * &t.a;
            assert_eq!(
                error(&d, &encode(&d, &t.a, &b)),
                FormError::NotReduced,
                "b + 2 {k} a"
            );
        }
        if t.c() != t.a {
            // (c, -b, a) has the same class; it is shaped right only when b is small enough.
            assert_eq!(
                error(&d, &encode(&d, &t.c(), &-&t.b)),
                FormError::NotReduced
            );
        }
        assert_eq!(
            error(&d, &encode(&d, &IBig::ONE, &IBig::from(-1))),
            FormError::NotReduced
        );
    }
}

/// `|b| = a` means `D = a (a - 4c)`, so `a = 1` for a prime; `a = c` means `-D = (2a - b) (2a + b)`, so `b > a`.
/// Only the identity lies on the border, with one of its two signs.
#[test]
fn border_cases_of_reduction_have_one_representative() {
    let (d, _) = setup(64);
    for b in [1i64, -1, 3, -3] {
        let a = IBig::from(b.abs());
        let got = Form::from_bytes(&d, &encode(&d, &a, &IBig::from(b)));
        assert_eq!(
            got.is_ok(),
            b == 1,
            "(|b|, b) has its discriminant only for b = 1"
        );
    }
}

#[test]
fn forms_of_other_discriminants_are_rejected() {
    for bits in [40, 64, 256, 2048] {
        let (d, x) = setup(bits);
        let other = Discriminant::derive(b"another", bits).expect("size");
        assert_eq!(
            error(&other, x.to_bytes().as_ref()),
            FormError::Discriminant
        );
        let t = Twin::of(&d, &x);
        for b in [&t.b - IBig::from(2), &t.b + IBig::from(1), IBig::ZERO] {
            if b.clone() < t.a && -&t.a < b {
                assert_eq!(error(&d, &encode(&d, &t.a, &b)), FormError::Discriminant);
            }
        }
    }
}

/// `k (a, b, c)` has discriminant `k^2 D`: a prime `|D|` leaves no room for it.
#[test]
fn imprimitive_forms_are_rejected() {
    let (d, x) = setup(256);
    let t = Twin::of(&d, &x);
    for k in [2, 3, 5, 7, 9] {
        let (a, b) = (&t.a * IBig::from(k), &t.b * IBig::from(k));
        assert_eq!(
            error(&d, &encode(&d, &a, &b)),
            FormError::Discriminant,
            "times {k}"
        );
    }
    for k in [2i64, 3, 4, 6, 10] {
        // a and b share k; so would c.
        assert_eq!(
            error(&d, &encode(&d, &IBig::from(k * 5), &IBig::from(k))),
            FormError::Discriminant
        );
    }
}

#[test]
fn no_single_bit_flip_is_another_encoding() {
    let (d, x) = setup(512);
    let bytes = x.to_bytes().as_ref().to_vec();
    for i in 0..8 * bytes.len() {
        let mut wrong = bytes.clone();
        wrong[i / 8] ^= 1 << (i % 8);
        assert!(Form::from_bytes(&d, &wrong).is_err(), "bit {i}");
    }
}

/// Groups of 32 to 47 bits: their forms have 6 bytes.
fn small_groups() -> &'static [Discriminant] {
    static GROUPS: OnceLock<Vec<Discriminant>> = OnceLock::new();
    GROUPS.get_or_init(|| {
        (32..48)
            .map(|bits| Discriminant::derive(&[1], bits).expect("size"))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever decodes is canonical, and the group law takes it.
    #[test]
    fn decoding_is_canonical_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 6), group in 0..16usize) {
        let d = small_groups()[group];
        let mut bytes = bytes;
        // Make acceptance likely: a small, b odd and below it.
        bytes[0] = 0;
        bytes[1] = 0;
        bytes[2] &= 15;
        let sign = bytes[3] & 0x80;
        bytes[3] = if sign == 0 { 0 } else { 0xff };
        bytes[4] = bytes[3];
        bytes[5] |= 1;
        if let Ok(x) = Form::from_bytes(&d, &bytes) {
            let again = x.to_bytes();
            prop_assert_eq!(again.as_ref(), &bytes[..]);
            prop_assert!(x.compose(&x.inverse()).unwrap().is_identity());
            prop_assert_eq!(x.square(), x.compose(&x).unwrap());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let d = small_groups()[8];
        prop_assert!(Form::from_bytes(&d, &bytes).is_err() || bytes.len() == d.form_len());
    }
}
