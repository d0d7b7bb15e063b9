//! Montgomery arithmetic against a general big-integer library.

use dashu_int::UBig;
use proptest::prelude::*;

use super::*;

fn big(x: &[u64]) -> UBig {
    UBig::from_words(x)
}

fn check<const N: usize>(n: [u64; N], a: [u64; N], b: [u64; N], e: [u64; 2]) {
    let mut n = n;
    n[0] |= 1;
    if big(&n) == UBig::ONE {
        assert!(Mont::<N>::new(&n).is_none());
        return;
    }
    let m = Mont::<N>::new(&n).expect("odd modulus");
    let modulus = big(&n);
    let reduce = |x: &[u64; N]| {
        let mut out = [0; N];
        let r = big(x) % &modulus;
        out[..r.as_words().len()].copy_from_slice(r.as_words());
        out
    };
    let (a, b) = (reduce(&a), reduce(&b));
    let (am, bm) = (m.enter(&a), m.enter(&b));
    let plain = |x: &[u64; N]| big(&m.leave(x));
    assert_eq!(m.leave(&am), a);
    assert_eq!(plain(&m.mul(&am, &bm)), big(&a) * big(&b) % &modulus);
    assert_eq!(m.square(&am), m.mul(&am, &am));
    check_rows(&m, &am, &bm);
    assert_eq!(plain(&m.add(&am, &bm)), (big(&a) + big(&b)) % &modulus);
    assert_eq!(
        plain(&m.sub(&am, &bm)),
        (big(&a) + &modulus - big(&b)) % &modulus
    );
    assert_eq!(m.add(&m.half(&am), &m.half(&am)), am);
    assert_eq!(
        plain(&m.small(-7)),
        (UBig::from(7u32) * (&modulus - UBig::ONE)) % &modulus
    );
    for k in [0i64, 1, -1, 5, -7, 4096, -8189] {
        assert_eq!(m.times(&am, k), m.mul(&am, &m.small(k)), "{k} times");
    }
    let mut power = UBig::ONE;
    let mut two = UBig::ONE;
    for i in (0..128).rev() {
        power = &power * &power % &modulus;
        two = &two * &two % &modulus;
        if limbs::bit(&e, i) {
            power = power * big(&a) % &modulus;
            two = two * UBig::from(2u32) % &modulus;
        }
    }
    assert_eq!(plain(&m.pow(&am, &e)), power);
    assert_eq!(plain(&m.pow_two(&e)), two);
}

/// The kernel beside plain code, whatever the process is told to use.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "calls of functions that need instructions detected at run time"
)]
fn check_rows<const N: usize>(m: &Mont<N>, a: &[u64; N], b: &[u64; N]) {
    if !N.is_multiple_of(4) || !quil_simd::Features::of_machine().adx {
        return;
    }
    // SAFETY: the features were found on this machine.
    let product = unsafe { adx::mul(&m.n, m.neg_inv, a, b) };
    // SAFETY: as above.
    let square = unsafe { adx::square(&m.n, m.neg_inv, a) };
    let settle = |(s, carry)| m.subtract_once(s, carry);
    assert_eq!(settle(product), m.mul_plain(a, b));
    assert_eq!(settle(square), m.square_plain(a));
}

#[cfg(not(target_arch = "x86_64"))]
fn check_rows<const N: usize>(_: &Mont<N>, _: &[u64; N], _: &[u64; N]) {}

fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![3 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_limb(x in prop::array::uniform3(limb()), e in any::<[u64; 2]>()) {
        check([x[0]], [x[1]], [x[2]], e);
    }

    #[test]
    fn three_limbs(n in prop::array::uniform3(limb()), a in prop::array::uniform3(limb()), b in prop::array::uniform3(limb()), e in any::<[u64; 2]>()) {
        check(n, a, b, e);
    }

    #[test]
    fn four_limbs(n in prop::array::uniform4(limb()), a in prop::array::uniform4(limb()), b in prop::array::uniform4(limb()), e in any::<[u64; 2]>()) {
        check(n, a, b, e);
    }

    #[test]
    fn full_width(n in prop::array::uniform32(limb()), a in prop::array::uniform32(limb()), b in prop::array::uniform32(limb()), e in any::<[u64; 2]>()) {
        check(n, a, b, e);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn eight_limbs(x in prop::array::uniform3(prop::array::uniform8(limb())), e in any::<[u64; 2]>()) {
        check::<8>(x[0], x[1], x[2], e);
    }

    #[test]
    fn sixteen_limbs(x in prop::array::uniform3(prop::array::uniform16(limb())), e in any::<[u64; 2]>()) {
        check::<16>(x[0], x[1], x[2], e);
    }
}

/// The largest residues of the largest modulus: every carry there is.
#[test]
fn ones_everywhere() {
    check::<4>([u64::MAX; 4], [u64::MAX; 4], [u64::MAX; 4], [u64::MAX; 2]);
    check::<8>([u64::MAX; 8], [u64::MAX; 8], [u64::MAX; 8], [u64::MAX; 2]);
    check::<32>(
        [u64::MAX; 32],
        [u64::MAX; 32],
        [u64::MAX; 32],
        [u64::MAX; 2],
    );
}

#[test]
fn unusable_moduli_are_refused() {
    for n in [&[][..], &[0], &[1], &[2], &[4, 1], &[3, 0, 0, 0, 1]] {
        assert!(Mont::<4>::new(n).is_none(), "{n:?}");
    }
    assert!(Mont::<4>::new(&[3, 0, 0, 0, 0]).is_some());
}
