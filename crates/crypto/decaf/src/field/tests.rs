use proptest::prelude::*;

use super::*;

/// Schoolbook arithmetic on bits: slow, obvious, shares nothing with the kernel.
mod slow {
    /// p as 448 little-endian bits.
    fn p_bits() -> Vec<u8> {
        let mut b = vec![1; 448];
        b[224] = 0;
        b
    }

    pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
        bytes
            .iter()
            .flat_map(|b| (0..8).map(move |i| (b >> i) & 1))
            .collect()
    }

    fn geq(a: &[u8], b: &[u8]) -> bool {
        for i in (0..a.len().max(b.len())).rev() {
            let (x, y) = (
                a.get(i).copied().unwrap_or(0),
                b.get(i).copied().unwrap_or(0),
            );
            if x != y {
                return x > y;
            }
        }
        true
    }

    fn sub(a: &mut [u8], b: &[u8]) {
        let mut borrow = 0i8;
        for i in 0..a.len() {
            let d = a[i] as i8 - b.get(i).copied().unwrap_or(0) as i8 - borrow;
            borrow = i8::from(d < 0);
            a[i] = d.rem_euclid(2) as u8;
        }
    }

    fn double_add(acc: &mut Vec<u8>, add: Option<&[u8]>) {
        acc.insert(0, 0);
        acc.resize(450, 0);
        if let Some(a) = add {
            let mut carry = 0;
            for i in 0..450 {
                let s = acc[i] + a.get(i).copied().unwrap_or(0) + carry;
                acc[i] = s & 1;
                carry = s >> 1;
            }
        }
        while geq(acc, &p_bits()) {
            sub(acc, &p_bits());
        }
        acc.truncate(448);
    }

    pub(super) fn mul(a: &[u8; 56], b: &[u8; 56]) -> [u8; 56] {
        let (a, b) = (bits(a), bits(b));
        let mut acc = vec![0; 448];
        for bit in a.iter().rev() {
            double_add(&mut acc, (*bit == 1).then_some(&b));
        }
        let mut out = [0; 56];
        for (i, bit) in acc.iter().enumerate() {
            out[i / 8] |= bit << (i % 8);
        }
        out
    }
}

fn bytes() -> impl Strategy<Value = [u8; 56]> {
    prop_oneof![
        proptest::array::uniform32(any::<u8>()).prop_flat_map(|a| proptest::array::uniform24(
            any::<u8>()
        )
        .prop_map(move |b| {
            let mut r = [0; 56];
            r[..32].copy_from_slice(&a);
            r[32..].copy_from_slice(&b);
            r
        })),
        // values near 0, 2^224, p and 2^448
        (0usize..56, any::<u8>(), any::<bool>()).prop_map(|(i, v, ones)| {
            let mut r = [if ones { 0xff } else { 0 }; 56];
            r[i] = v;
            r
        }),
    ]
}

fn fe(b: &[u8; 56]) -> Fe {
    Fe::from_bytes_reducing(b)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn product_agrees_with_bitwise_arithmetic(a in bytes(), b in bytes()) {
        prop_assert_eq!(fe(&a).times(&fe(&b)).to_bytes(), slow::mul(&a, &b));
        prop_assert_eq!(fe(&a).square().to_bytes(), slow::mul(&a, &a));
    }

    #[test]
    fn ring_laws_hold(a in bytes(), b in bytes(), c in bytes()) {
        let (a, b, c) = (fe(&a), fe(&b), fe(&c));
        prop_assert_eq!(((a + b) * c).to_bytes(), (a * c + b * c).to_bytes());
        prop_assert_eq!((a - b).to_bytes(), (-(b - a)).to_bytes());
        prop_assert_eq!((a + b - b).to_bytes(), a.to_bytes());
        prop_assert_eq!(a.mul_small(39_081).to_bytes(), (a * Fe::small(39_081)).to_bytes());
        let wide = a.lazy_add(&b).lazy_add(&c.lazy_sub(&a.carry()));
        prop_assert_eq!((wide * wide).to_bytes(), wide.square().to_bytes());
        prop_assert_eq!(wide.to_bytes(), (b + c).to_bytes());
    }

    #[test]
    fn inverse_and_roots(a in bytes()) {
        let a = fe(&a);
        if !bool::from(a.is_zero()) {
            prop_assert_eq!((a * a.invert()).to_bytes(), Fe::ONE.to_bytes());
            let (square, r) = a.square().inverse_sqrt();
            prop_assert!(bool::from(square));
            prop_assert_eq!((r.square() * a.square()).to_bytes(), Fe::ONE.to_bytes());
            // -1 is no square, so exactly one of x and -x is one.
            prop_assert_ne!(bool::from(a.inverse_sqrt().0), bool::from((-a).inverse_sqrt().0));
            prop_assert_ne!(bool::from(a.is_negative()), bool::from((-a).is_negative()));
        }
    }

    #[test]
    fn encoding_is_a_bijection_below_p(a in bytes()) {
        let (v, ok) = Fe::from_bytes(&a);
        prop_assert_eq!(bool::from(ok), v.to_bytes() == a);
        prop_assert!(bool::from(Fe::from_bytes(&v.to_bytes()).1));
    }
}

#[test]
fn values_of_p_and_above_are_not_canonical() {
    let mut p = [0xff; 56];
    p[28] = 0xfe;
    assert!(!bool::from(Fe::from_bytes(&p).1));
    assert!(bool::from(fe(&p).is_zero()));
    assert!(!bool::from(Fe::from_bytes(&[0xff; 56]).1));
    p[0] = 0xfe;
    assert!(bool::from(Fe::from_bytes(&p).1));
}

#[test]
fn inverse_of_zero_is_zero() {
    assert!(bool::from(Fe::ZERO.invert().is_zero()));
    assert!(!bool::from(Fe::ZERO.inverse_sqrt().0));
}

#[test]
fn batch_inverse_agrees_with_single() {
    let mut v: Vec<Fe> = (1..20).map(Fe::small).collect();
    let single: Vec<_> = v.iter().map(|a| a.invert().to_bytes()).collect();
    Fe::batch_invert(&mut v);
    assert_eq!(v.iter().map(|a| a.to_bytes()).collect::<Vec<_>>(), single);
    Fe::batch_invert(&mut []);
}

#[test]
fn sum_of_largest_loose_elements_reduces() {
    let big = Fe([(1 << 60) - 1; 8]);
    let byte_sum = big.carry() - big.carry();
    assert!(bool::from(byte_sum.is_zero()));
    assert_eq!(
        big.square().to_bytes(),
        (big.carry() * big.carry()).to_bytes()
    );
    assert_eq!(big.times(&big).to_bytes(), big.square().to_bytes());
}

#[test]
fn products_of_the_largest_loose_elements_are_tight() {
    let big = Fe([(1 << 60) - 1; 8]);
    for r in [
        big.times(&big),
        big.square(),
        big.mul_small(u32::MAX),
        big.carry(),
    ] {
        assert!(r.is_tight());
        assert!(r.lazy_add(&r).lazy_sub(&r).is_loose());
    }
}
