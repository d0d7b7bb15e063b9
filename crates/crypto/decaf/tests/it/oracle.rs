//! Differential tests against an independent crate.

use ed448_goldilocks::{CompressedDecaf, DecafPoint, DecafScalar};
use proptest::prelude::*;
use quil_decaf::{CompressedPoint, FixedBase, Point, Scalar};

fn wide(v: &[u8]) -> [u8; 112] {
    v.try_into().expect("112 bytes")
}

fn theirs(s: &Scalar) -> DecafScalar {
    DecafScalar::try_from(s.to_bytes().as_slice()).expect("canonical in both")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn map_encoding_and_multiplication_agree(v in proptest::collection::vec(any::<u8>(), 112),
                                             w in proptest::collection::vec(any::<u8>(), 112)) {
        let (p, q) = (Point::from_uniform_bytes(&wide(&v)), DecafPoint::from_uniform_bytes(&wide(&v)));
        prop_assert_eq!(p.compress().0, q.compress().0);
        let s = Scalar::from_wide_bytes(&wide(&w));
        prop_assert_eq!((p * s).compress().0, (q * theirs(&s)).compress().0);
        let g = FixedBase::generator().mul(&s);
        prop_assert_eq!(g.compress().0, (DecafPoint::GENERATOR * theirs(&s)).compress().0);
        prop_assert_eq!((p - g).compress().0, (q - DecafPoint::GENERATOR * theirs(&s)).compress().0);
    }

    #[test]
    fn decoding_agrees(v in proptest::collection::vec(any::<u8>(), 56), top in 0u8..3) {
        let mut b: [u8; 56] = v.try_into().expect("length");
        b[0] &= 0xfe;
        if top == 0 {
            b[28..].fill(0xff);
        }
        let ours = CompressedPoint(b).decompress();
        let other = CompressedDecaf(b).decompress();
        prop_assert_eq!(ours.is_ok(), bool::from(other.is_some()));
    }

    #[test]
    fn scalars_agree(v in proptest::collection::vec(any::<u8>(), 112), w in proptest::collection::vec(any::<u8>(), 112)) {
        let (a, b) = (Scalar::from_wide_bytes(&wide(&v)), Scalar::from_wide_bytes(&wide(&w)));
        let (x, y) = (theirs(&a), theirs(&b));
        let same = |m: Scalar, t: DecafScalar| m.to_bytes().as_slice() == t.to_bytes().as_slice();
        prop_assert!(same(a * b, x * y));
        prop_assert!(same(a + b, x + y));
        prop_assert!(same(a - b, x - y));
    }
}

#[test]
fn map_agrees_on_extreme_inputs() {
    let mut cases = vec![[0; 112], [0xff; 112], [1; 112]];
    for i in [0, 27, 28, 55, 56, 111] {
        let mut c = [0; 112];
        c[i] = 1;
        cases.push(c);
        let mut c = [0xff; 112];
        c[i] = 0xfe;
        cases.push(c);
    }
    for c in cases {
        let (p, q) = (
            Point::from_uniform_bytes(&c),
            DecafPoint::from_uniform_bytes(&c),
        );
        assert_eq!(p.compress().0, q.compress().0);
    }
}
