//! Every primitive against a general big-integer library.

use dashu_int::UBig;
use proptest::prelude::*;

use super::*;

fn big(x: &[u64]) -> UBig {
    UBig::from_words(x)
}

/// Limbs with runs of zeros and ones, where carries go wrong.
fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => any::<u64>(),
        1 => Just(0),
        1 => Just(u64::MAX),
        1 => Just(1),
        1 => Just(1 << 63),
    ]
}

fn number(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(limb(), len)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn products_match(a in number(0..20), b in number(0..20)) {
        let mut p = vec![7; a.len() + b.len()];
        mul(&mut p, &a, &b);
        prop_assert_eq!(big(&p), big(&a) * big(&b));
        let mut low = vec![7; 9];
        mul_low(&mut low, &a, &b);
        prop_assert_eq!(big(&low), big(&a) * big(&b) % (UBig::ONE << 576usize));
        let mut s = vec![7; 2 * a.len()];
        square(&mut s, &a);
        prop_assert_eq!(big(&s), big(&a) * big(&a));
    }

    #[test]
    fn division_matches(a in number(0..40), b in number(1..20)) {
        prop_assume!(b[b.len() - 1] != 0);
        let (mut r, mut q) = (a.clone(), vec![7; a.len() + 1]);
        div_rem(&mut r, &b, Some(&mut q));
        prop_assert_eq!(big(&q), big(&a) / big(&b));
        prop_assert_eq!(big(&r), big(&a) % big(&b));
        let mut r = a.clone();
        div_rem(&mut r, &b, None);
        prop_assert_eq!(big(&r), big(&a) % big(&b));
    }

    /// Quotients whose digits are extreme exercise the correction steps.
    #[test]
    fn division_recovers_a_known_quotient(q in number(1..12), b in number(1..12), less in any::<u64>()) {
        prop_assume!(b[b.len() - 1] != 0 && big(&b) > UBig::ONE);
        let r = UBig::from(less) % big(&b);
        for r in [UBig::ZERO, r, big(&b) - UBig::ONE] {
            let n = big(&q) * big(&b) + &r;
            let mut num = n.as_words().to_vec();
            num.resize(q.len() + b.len() + 1, 0);
            let mut quo = vec![7; num.len()];
            div_rem(&mut num, &b, Some(&mut quo));
            prop_assert_eq!(big(&quo), big(&q));
            prop_assert_eq!(big(&num), r);
        }
    }

    #[test]
    fn exact_division_recovers_the_quotient(q in number(1..12), b in number(1..12)) {
        let mut b = b;
        b[0] |= 1;
        let mut n = vec![0; q.len() + b.len()];
        mul(&mut n, &q, &b);
        n.truncate(q.len());
        divide_exact_low(&mut n, &b);
        prop_assert_eq!(n, q);
    }

    #[test]
    fn sums_differences_and_order_match(a in number(0..20), b in number(0..20)) {
        let (a, b) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        let width = UBig::ONE << (64 * a.len());
        let mut s = a.clone();
        let carry = add_assign(&mut s, &b);
        prop_assert_eq!(big(&s) + if carry { width.clone() } else { UBig::ZERO }, big(&a) + big(&b));
        let mut d = a.clone();
        let borrow = sub_assign(&mut d, &b);
        prop_assert_eq!(borrow, big(&a) < big(&b));
        prop_assert_eq!(big(&d) + big(&b), big(&a) + if borrow { width.clone() } else { UBig::ZERO });
        let mut n = a.clone();
        negate(&mut n);
        prop_assert!((big(&n) + big(&a)) % width == UBig::ZERO || a.is_empty());
        prop_assert_eq!(cmp(&a, &b), big(&a).cmp(&big(&b)));
        prop_assert_eq!(bit_len(&a), dashu_int::ops::BitTest::bit_len(&big(&a)));
    }

    #[test]
    fn row_operations_match(a in number(5), b in number(5), m in limb()) {
        let mut s = a.clone();
        let top = add_mul(&mut s, &b, m);
        s.push(top);
        prop_assert_eq!(big(&s), big(&a) + big(&b) * UBig::from(m));
        let mut d = a.clone();
        let top = sub_mul(&mut d, &b, m);
        prop_assert_eq!(big(&d) + big(&b) * UBig::from(m), big(&a) + (UBig::from(top) << 320usize));
    }

    #[test]
    fn shifts_match(a in number(1..20), bits in 0usize..1400) {
        let mut l = a.clone();
        shl_assign(&mut l, bits);
        prop_assert_eq!(big(&l), (big(&a) << bits) % (UBig::ONE << (64 * a.len())));
        let mut r = a.clone();
        shr_assign(&mut r, bits);
        prop_assert_eq!(big(&r), big(&a) >> bits);
        prop_assert_eq!(bit(&a, bits), dashu_int::ops::BitTest::bit(&big(&a), bits));
    }

    #[test]
    fn limb_inverses_and_reciprocals(d in limb(), u in limb(), l in limb()) {
        prop_assert_eq!((d | 1).wrapping_mul(inv_limb(d | 1)), 1);
        let d = d | 1 << 63;
        let u = u % d;
        let n = u128::from(u) << 64 | u128::from(l);
        let (q, r) = div_2by1(u, l, d, reciprocal(d));
        prop_assert_eq!((u128::from(q), u128::from(r)), (n / u128::from(d), n % u128::from(d)));
    }

    #[test]
    fn bytes_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut x = [9; 8];
        from_be(&mut x, &bytes);
        prop_assert_eq!(big(&x), UBig::from_be_bytes(&bytes));
        let mut out = vec![9; bytes.len()];
        to_be(&mut out, &x);
        prop_assert_eq!(out, bytes);
    }
}

#[test]
fn trailing_zeros_counts_whole_limbs() {
    assert_eq!(trailing_zeros(&[0, 0, 8]), 131);
    assert_eq!(trailing_zeros(&[0, 0]), 128);
    assert_eq!(trailing_zeros(&[]), 0);
}
