//! Differential tests against an independent big-integer library.

use dashu_int::{IBig, UBig};
use proptest::prelude::*;

use super::BigInt;

fn pair() -> impl Strategy<Value = (BigInt, IBig)> {
    (
        any::<bool>(),
        prop::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(u32::MAX)], 0..6),
    )
        .prop_map(|(negative, limbs)| {
            let words = limbs
                .iter()
                .rev()
                .fold(UBig::ZERO, |sum, limb| (sum << 32) + UBig::from(*limb));
            let theirs = if negative {
                -IBig::from(words)
            } else {
                IBig::from(words)
            };
            (BigInt::new(negative, limbs), theirs)
        })
}

fn same(ours: &BigInt, theirs: &IBig) -> bool {
    ours.to_string() == theirs.to_string()
}

proptest! {
    #[test]
    fn arithmetic_agrees((a, x) in pair(), (b, y) in pair(), n in 0u32..130) {
        prop_assert!(same(&a, &x));
        prop_assert!(same(&a.add(&b), &(&x + &y)));
        prop_assert!(same(&a.sub(&b), &(&x - &y)));
        prop_assert!(same(&a.mul(&b), &(&x * &y)));
        prop_assert!(same(&a.neg(), &-x.clone()));
        prop_assert!(same(&a.shl(n), &(x.clone() << n as usize)));
        prop_assert!(same(&a.shr(n), &(x.clone() >> n as usize)));
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        prop_assert!(same(&a.bitwise(&b, |p, q| p & q), &(x.clone() & y.clone())));
        prop_assert!(same(&a.bitwise(&b, |p, q| p | q), &(x.clone() | y.clone())));
        prop_assert!(same(&a.bitwise(&b, |p, q| p ^ q), &(x.clone() ^ y.clone())));
        match a.div_rem(&b) {
            None => prop_assert!(b.is_zero()),
            Some((q, r)) => {
                prop_assert!(same(&q, &(&x / &y)));
                prop_assert!(same(&r, &(&x % &y)));
            }
        }
    }

    #[test]
    fn masks_are_residues((a, x) in pair(), width in 1u32..150) {
        let modulus = IBig::from(UBig::ONE << width as usize);
        let mut residue = &x % &modulus;
        if residue < IBig::ZERO { residue += &modulus; }
        prop_assert!(same(&a.mask(width), &residue));
        let half = IBig::from(UBig::ONE << (width as usize - 1));
        let signed = if residue >= half { &residue - &modulus } else { residue.clone() };
        prop_assert!(same(&a.mask(width).signed(width), &signed));
        prop_assert_eq!(a.fits(false, width), x >= IBig::ZERO && x < modulus);
        prop_assert_eq!(a.fits(true, width), x >= -half.clone() && x < half);
    }

    #[test]
    fn text_round_trips((a, _) in pair()) {
        let digits = a.abs().to_string();
        prop_assert_eq!(BigInt::parse(&digits, 10), Some(a.abs()));
        let bits = a.abs();
        prop_assert_eq!(BigInt::from_bits((0..bits.bits()).map(|i| bits.bit(i))), bits);
    }
}

#[test]
fn wrong_digits_are_refused() {
    assert_eq!(BigInt::parse("", 10), None);
    assert_eq!(BigInt::parse("12a", 10), None);
    assert_eq!(BigInt::parse("ff", 16), Some(BigInt::from(255u64)));
    assert_eq!(BigInt::from(5u64).to_u32(), Some(5));
    assert_eq!(BigInt::from(1u64 << 40).to_u32(), None);
    assert_eq!(BigInt::one().neg().to_u64(), None);
}
