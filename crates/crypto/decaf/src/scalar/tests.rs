use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 112).prop_map(|v| {
            let mut b = [0; 112];
            b.copy_from_slice(&v);
            Scalar::from_wide_bytes(&b)
        }),
        (0u64..70).prop_map(Scalar::from),
        (0u64..70).prop_map(|v| -Scalar::from(v)),
    ]
}

fn small_pow2(n: usize) -> Scalar {
    (0..n).fold(Scalar::ONE, |a, _| a + a)
}

fn signed(d: i64) -> Scalar {
    let m = Scalar::from(d.unsigned_abs());
    if d < 0 { -m } else { m }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ring_laws_hold(a in scalar(), b in scalar(), c in scalar()) {
        prop_assert_eq!((a + b) * c, a * c + b * c);
        prop_assert_eq!(a * b, b * a);
        prop_assert_eq!(a - b, -(b - a));
        prop_assert_eq!(a + b - b, a);
        prop_assert_eq!(a.square(), a * a);
    }

    #[test]
    fn inverse_is_inverse(a in scalar()) {
        let one = if bool::from(a.is_zero()) { Scalar::ZERO } else { Scalar::ONE };
        prop_assert_eq!(a * a.invert(), one);
    }

    #[test]
    fn encoding_round_trips(a in scalar()) {
        prop_assert_eq!(Scalar::from_bytes(&a.to_bytes()), Some(a));
    }

    #[test]
    fn regular_digits_represent_the_scalar(a in scalar()) {
        let mut acc = Scalar::ZERO;
        for d in a.regular_digits().iter().rev() {
            acc = acc * Scalar::from(32u64) + signed(2 * i64::from(*d) - 31);
        }
        prop_assert_eq!(acc, a);
    }

    #[test]
    fn wnaf_represents_the_scalar(a in scalar(), w in 2usize..9) {
        let (mut acc, mut last) = (Scalar::ZERO, None);
        a.wnaf_vartime(w, |p, d| {
            assert!(d % 2 != 0 && i32::from(d).unsigned_abs() < 1 << (w - 1));
            assert!(last.is_none_or(|l| p >= l + w) && p < 448);
            last = Some(p);
            acc += small_pow2(p) * signed(i64::from(d));
        });
        prop_assert_eq!(acc, a);
    }

    #[test]
    fn signed_radix_represents_the_scalar(a in scalar(), w in 3usize..14) {
        let mut digits = vec![0; SCALAR_BITS / w + 1];
        a.signed_radix_vartime(w, &mut digits);
        let mut acc = Scalar::ZERO;
        for d in digits.iter().rev() {
            assert!(d.unsigned_abs() <= 1 << (w - 1));
            acc = acc * small_pow2(w) + signed(i64::from(*d));
        }
        prop_assert_eq!(acc, a);
    }

    #[test]
    fn wide_reduction_is_positional(v in proptest::collection::vec(any::<u8>(), 168)) {
        let mut b = [0; 168];
        b.copy_from_slice(&v);
        let byte = Scalar::from(256u64);
        let slow = v.iter().rev().fold(Scalar::ZERO, |a, x| a * byte + Scalar::from(u64::from(*x)));
        prop_assert_eq!(Scalar::from_wide_bytes(&b), slow);
    }
}

fn order_bytes() -> [u8; 56] {
    let mut b = [0; 56];
    for (c, l) in b.chunks_exact_mut(8).zip(L) {
        c.copy_from_slice(&l.to_le_bytes());
    }
    b
}

#[test]
fn scalars_of_the_order_and_above_rejected() {
    let mut b = order_bytes();
    assert!(Scalar::from_bytes(&b).is_none());
    b[0] += 1;
    assert!(Scalar::from_bytes(&b).is_none());
    b[0] -= 2;
    assert_eq!(Scalar::from_bytes(&b), Some(-Scalar::ONE));
    assert!(Scalar::from_bytes(&[0xff; 56]).is_none());
    // x + l for a small x: the second representation of the same residue
    let mut b = order_bytes();
    b[0] = b[0].wrapping_add(5);
    assert!(Scalar::from_bytes(&b).is_none());
}

#[test]
fn conversions_agree() {
    assert_eq!(Scalar::from(7u64), Scalar::from(7u128));
    assert_eq!(
        Scalar::from(u128::from(u64::MAX) + 1),
        Scalar::from(u64::MAX) + Scalar::ONE
    );
    assert_eq!(Scalar::from_wide_bytes(&[1u8]), Scalar::ONE);
    assert_eq!(Scalar::from_wide_bytes(&order_bytes()), Scalar::ZERO);
    assert_eq!(Scalar::ONE.to_bytes()[0], 1);
}

#[test]
fn batch_inverse_keeps_zeros() {
    let mut v: Vec<Scalar> = (0u64..9).map(Scalar::from).collect();
    v.push(Scalar::ZERO);
    let want: Vec<Scalar> = v.iter().map(Scalar::invert).collect();
    Scalar::batch_invert(&mut v);
    assert_eq!(v, want);
    Scalar::batch_invert(&mut []);
}

#[test]
fn debug_prints_no_digits() {
    assert_eq!(format!("{:?}", Scalar::from(42u64)), "Scalar(..)");
}
