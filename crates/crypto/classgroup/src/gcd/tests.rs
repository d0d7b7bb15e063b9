//! The invariants of the Euclidean algorithm, after every kind of step.

use dashu_int::{IBig, UBig, ops::RemEuclid};
use proptest::prelude::*;

use super::*;

fn big(x: &[u64]) -> IBig {
    IBig::from(UBig::from_words(x))
}

fn number() -> impl Strategy<Value = Vec<u64>> {
    let limb = prop_oneof![4 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX), 1 => Just(1)];
    prop::collection::vec(limb, 0..=16)
}

/// `P = -yp Q0` and `Q = yq Q0` modulo `P0`, and the determinant is one: `P yq + Q yp = P0`.
fn check(p0: &IBig, q0: &IBig, e: &Euclid) {
    let (p, q, yp, yq) = (big(e.p()), big(e.q()), big(e.yp()), big(e.yq()));
    assert_eq!(&p * &yq + &q * &yp, *p0, "determinant");
    if !p0.is_zero() {
        assert_eq!((&p + &yp * q0).rem_euclid(p0.clone()), UBig::ZERO);
        assert_eq!((&q - &yq * q0).rem_euclid(p0.clone()), UBig::ZERO);
    }
}

fn euclid(p: &[u64], q: &[u64]) -> Euclid {
    Euclid::new(&Nat::from_limbs(p), &Nat::from_limbs(q))
}

fn check_all(p: &[u64], q: &[u64], bits: usize) {
    let (p0, q0) = (big(p), big(q));
    let mut e = euclid(p, q);
    loop {
        check(&p0, &q0, &e);
        e.trim();
        let smaller = limbs::bit_len(e.p()).min(limbs::bit_len(e.q()));
        if smaller <= bits {
            break;
        }
        e.step(bits);
    }
    let mut whole = euclid(p, q);
    whole.run_until(bits);
    assert_eq!(
        (whole.p(), whole.q(), whole.yp(), whole.yq()),
        (e.p(), e.q(), e.yp(), e.yq())
    );
    check_gcd(p, q, &p0, &q0);
}

fn check_gcd(p: &[u64], q: &[u64], p0: &IBig, q0: &IBig) {
    let g = euclid(p, q).gcd();
    let gcd = if p0.is_zero() || q0.is_zero() {
        p0 + q0
    } else {
        IBig::from(dashu_int::ops::Gcd::gcd(p0.clone(), q0.clone()))
    };
    assert_eq!(big(g.gcd.as_limbs()), gcd);
    if !p0.is_zero() {
        let y = big(g.cofactor.as_limbs());
        assert!(y <= *p0);
        let y = if g.neg { -y } else { y };
        assert_eq!((y * q0 - gcd).rem_euclid(p0.clone()), UBig::ZERO);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn invariants_hold_on_any_operands(p in number(), q in number(), bits in 0usize..1024) {
        check_all(&p, &q, bits);
        check_all(&p, &q, 0);
    }

    /// With a common factor and neighbouring sizes, as in composition.
    #[test]
    fn invariants_hold_with_a_common_factor(p in number(), q in number(), f in any::<u64>()) {
        let times = |x: &[u64]| {
            let v = UBig::from_words(&x[..x.len().min(15)]) * UBig::from(f);
            v.as_words().to_vec()
        };
        check_all(&times(&p), &times(&q), 100);
    }
}

/// The size left at the stop is that of the bound: above it one step ago, not far below it now.
#[test]
fn partial_run_stops_at_the_bound_without_overshoot() {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    let mut lost = 0;
    for _ in 0..500 {
        let p: Vec<u64> = (0..16).map(|_| next()).collect();
        let q: Vec<u64> = (0..16).map(|_| next()).collect();
        let mut e = euclid(&p, &q);
        e.run_until(512);
        let (a, b) = (limbs::bit_len(e.p()), limbs::bit_len(e.q()));
        assert!(a.min(b) <= 512 && a.max(b) > 512);
        lost += 512 - a.min(b);
        // The determinant bounds the cofactors: balanced, as the reduction needs.
        assert!(
            limbs::bit_len(e.yp()).max(limbs::bit_len(e.yq()))
                <= 1024 - a.max(b) + 1 + a.max(b) - a.min(b)
        );
    }
    assert!(
        lost < 500 * 4,
        "mean overshoot is a bit or two, got {lost} bits in 500 runs"
    );
}

#[test]
fn fibonacci_and_powers_of_two_and_extreme_ratios() {
    let (mut a, mut b) = (UBig::ONE, UBig::ONE);
    while dashu_int::ops::BitTest::bit_len(&b) < 1020 {
        (a, b) = (b.clone(), a + b);
    }
    check_all(b.as_words(), a.as_words(), 0);
    check_all(b.as_words(), a.as_words(), 510);
    let mut top = [0; 16];
    top[15] = 1 << 63;
    let ones = [u64::MAX; 16];
    let small: &[&[u64]] = &[&[], &[1], &[2], &[3], &[u64::MAX], &[0, 1], &[5, 0, 1]];
    for s in small {
        for big in [&top[..], &ones] {
            check_all(big, s, 0);
            check_all(s, big, 0);
            check_all(big, s, 64);
        }
    }
    check_all(&top, &ones, 0);
    check_all(&ones, &top, 512);
    check_all(&ones, &ones, 0);
}
