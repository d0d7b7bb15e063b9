//! Both kernels against the element-wise operations, whichever one this process uses.

use super::*;

type Words = [u64; WORDS];
type Binary = fn(&Words, &Words, &mut Words);
type Unary = fn(&Words, &mut Words);

/// The operations of one kernel.
struct Kernel {
    name: &'static str,
    from_array: fn(&[Fp; 8], &mut [u64; WORDS]),
    to_array: fn(&[u64; WORDS]) -> [Fp; 8],
    binary: [Binary; 5],
    unary: [Unary; 2],
    select: fn(&[u64; WORDS], &[u64; WORDS], u8, &mut [u64; WORDS]),
    zero_lanes: fn(&[u64; WORDS]) -> u8,
    mul_wide: fn(&[u64; WORDS], &[u64; WORDS], &mut [u64; WIDE_WORDS]),
    sqr_wide: fn(&[u64; WORDS], &mut [u64; WIDE_WORDS]),
    wide_add: fn(&mut [u64; WIDE_WORDS], &[u64; WIDE_WORDS]),
    wide_sub: fn(&mut [u64; WIDE_WORDS], &[u64; WIDE_WORDS]),
    reduce: fn(&[u64; WIDE_WORDS], &mut [u64; WORDS]),
}

fn kernels() -> Vec<Kernel> {
    let mut all = vec![Kernel {
        name: "portable",
        from_array: portable::from_array,
        to_array: portable::to_array,
        binary: [
            portable::add,
            portable::sub,
            portable::mul,
            portable::add_lazy,
            portable::sub_lazy,
        ],
        unary: [portable::neg, portable::square],
        select: portable::select,
        zero_lanes: portable::zero_lanes,
        mul_wide: portable::mul_wide,
        sqr_wide: portable::sqr_wide,
        wide_add: portable::wide_add_assign,
        wide_sub: portable::wide_sub_assign,
        reduce: portable::reduce,
    }];
    #[cfg(target_arch = "x86_64")]
    if quil_simd::Features::of_machine().ifma {
        all.push(vector());
    }
    all
}

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "calls of functions that need detected instructions"
)]
fn vector() -> Kernel {
    macro_rules! call {
        ($f:ident($($arg:ident),*)) => {
            |$($arg),*| {
                // SAFETY: `vector` is only called where the instructions were found.
                unsafe { ifma::$f($($arg),*) }
            }
        };
    }
    Kernel {
        name: "ifma",
        from_array: call!(from_array(v, o)),
        to_array: call!(to_array(a)),
        binary: [
            call!(add(a, b, o)),
            call!(sub(a, b, o)),
            call!(mul(a, b, o)),
            call!(add_lazy(a, b, o)),
            call!(sub_lazy(a, b, o)),
        ],
        unary: [call!(neg(a, o)), call!(square(a, o))],
        select: call!(select(a, b, m, o)),
        zero_lanes: call!(zero_lanes(a)),
        mul_wide: call!(mul_wide(a, b, o)),
        sqr_wide: call!(sqr_wide(a, o)),
        wide_add: call!(wide_add_assign(a, b)),
        wide_sub: call!(wide_sub_assign(a, b)),
        reduce: call!(reduce(a, o)),
    }
}

/// Random elements among representatives at the edges of `[0, 2p)`.
fn inputs(seed: u64) -> Vec<[Fp; 8]> {
    let mut v = Fp::from_u64(seed).sub(&Fp::from_u64(7));
    let two_p_minus_one = {
        let mut l = Fp::TWICE;
        l[0] -= 1;
        Fp(l)
    };
    let p_minus_one = {
        let mut l = Fp::MODULUS;
        l[0] -= 1;
        Fp(l)
    };
    let edges = [
        Fp::ZERO,
        Fp(Fp::MODULUS),
        two_p_minus_one,
        p_minus_one,
        Fp::ONE,
        Fp::ONE.neg(),
        Fp([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Fp([
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            u64::MAX,
            0,
        ]),
    ];
    let mut all = vec![edges];
    for i in 1..8 {
        let mut rotated = edges;
        rotated.rotate_left(i);
        all.push(rotated);
    }
    all.push([two_p_minus_one; 8]);
    for _ in 0..60 {
        all.push(core::array::from_fn(|_| {
            v = v.square().add(&Fp::from_u64(0x9e37_79b9_7f4a_7c15));
            v
        }));
    }
    all
}

fn zip(a: &[Fp; 8], b: &[Fp; 8], f: impl Fn(&Fp, &Fp) -> Fp) -> [Fp; 8] {
    core::array::from_fn(|i| f(&a[i], &b[i]))
}

fn enter(k: &Kernel, v: &[Fp; 8]) -> FpX8 {
    let mut x = FpX8::ZERO;
    (k.from_array)(v, &mut x.0);
    x
}

#[test]
fn every_kernel_computes_the_field() {
    type Op = fn(&Fp, &Fp) -> Fp;
    // Lazy results only enter products: they are compared after a product with one.
    let ops: [(Op, bool); 5] = [
        (|a, b| a.add(b), false),
        (|a, b| a.sub(b), false),
        (|a, b| a.mul(b), false),
        (|a, b| a.add(b), true),
        (|a, b| a.sub(b), true),
    ];
    for k in kernels() {
        let one = enter(&k, &[Fp::ONE; 8]);
        for (a, b) in inputs(1).iter().zip(inputs(2).iter().rev()) {
            let (x, y) = (enter(&k, a), enter(&k, b));
            assert_eq!((k.to_array)(&x.0), *a, "{}", k.name);
            for (i, (op, lazy)) in ops.iter().enumerate() {
                let mut out = FpX8::ZERO;
                (k.binary[i])(&x.0, &y.0, &mut out.0);
                if *lazy {
                    let copy = out;
                    (k.binary[2])(&copy.0, &one.0, &mut out.0);
                }
                assert_eq!((k.to_array)(&out.0), zip(a, b, op), "{} {i}", k.name);
            }
            let mut out = FpX8::ZERO;
            (k.unary[0])(&x.0, &mut out.0);
            assert_eq!(
                (k.to_array)(&out.0),
                zip(a, a, |v, _| v.neg()),
                "{}",
                k.name
            );
            (k.unary[1])(&x.0, &mut out.0);
            assert_eq!(
                (k.to_array)(&out.0),
                zip(a, a, |v, _| v.square()),
                "{}",
                k.name
            );
        }
    }
}

#[test]
fn long_sums_stay_reduced() {
    for k in kernels() {
        for v in inputs(3) {
            let x = enter(&k, &v);
            let (mut sum, mut expected) = (x, v);
            for i in 0..200 {
                let copy = sum;
                let op = usize::from(i % 3 == 2);
                (k.binary[op])(&copy.0, &if i % 5 == 0 { copy } else { x }.0, &mut sum.0);
                let rhs = if i % 5 == 0 { expected } else { v };
                expected = zip(&expected, &rhs, if op == 0 { Fp::add } else { Fp::sub });
            }
            assert_eq!((k.to_array)(&sum.0), expected, "{}", k.name);
        }
    }
}

#[test]
fn sums_of_products_reduce_once() {
    for k in kernels() {
        for (a, b) in inputs(4).iter().zip(inputs(5).iter().rev()) {
            // The largest lazy operands: 2^5 times an element, and a difference of two such.
            let (x, y) = (enter(&k, a), enter(&k, b));
            let (mut big, mut diff) = (x, FpX8::ZERO);
            for _ in 0..5 {
                let copy = big;
                (k.binary[3])(&copy.0, &copy.0, &mut big.0);
            }
            (k.binary[4])(&big.0, &y.0, &mut diff.0);
            let (mut sum, mut term) = (FpX8Wide([0; WIDE_WORDS]), FpX8Wide([0; WIDE_WORDS]));
            (k.sqr_wide)(&diff.0, &mut sum.0);
            for i in 0..30 {
                (k.mul_wide)(&big.0, &diff.0, &mut term.0);
                if i < 10 {
                    (k.wide_add)(&mut sum.0, &term.0);
                } else {
                    (k.wide_sub)(&mut sum.0, &term.0);
                }
            }
            let mut out = FpX8::ZERO;
            (k.reduce)(&sum.0, &mut out.0);
            let expected = zip(a, b, |a, b| {
                let big = a.mul(&Fp::from_u64(32));
                let diff = big.sub(b);
                diff.square().sub(&big.mul(&diff).mul(&Fp::from_u64(10)))
            });
            assert_eq!((k.to_array)(&out.0), expected, "{}", k.name);
        }
    }
}

#[test]
fn lanes_are_selected_and_tested_one_by_one() {
    for k in kernels() {
        let v = inputs(6);
        for (a, b) in v.iter().zip(v.iter().rev()) {
            let (x, y) = (enter(&k, a), enter(&k, b));
            for mask in [0, 1, 0x80, 0x5a, 0xff] {
                let mut out = FpX8::ZERO;
                (k.select)(&x.0, &y.0, mask, &mut out.0);
                let expected =
                    core::array::from_fn(|i| if (mask >> i) & 1 == 1 { b[i] } else { a[i] });
                assert_eq!((k.to_array)(&out.0), expected, "{}", k.name);
            }
            let zeros = (0..8).fold(0, |m, i| m | (u8::from(a[i].is_zero()) << i));
            assert_eq!((k.zero_lanes)(&x.0), zeros, "{}", k.name);
            let mut out = FpX8::ZERO;
            (k.binary[1])(&x.0, &x.0, &mut out.0);
            assert_eq!((k.zero_lanes)(&out.0), 0xff, "{}", k.name);
        }
    }
}

#[test]
fn type_uses_one_kernel() {
    let v = inputs(7);
    for (a, b) in v.iter().zip(v.iter().rev()) {
        let (x, y) = (FpX8::from_array(a), FpX8::from_array(b));
        assert_eq!(x.mul(&y).to_array(), zip(a, b, Fp::mul));
        assert_eq!(x.mul_wide(&y).reduce().to_array(), zip(a, b, Fp::mul));
        assert_eq!(x.double().to_array(), zip(a, a, Fp::add));
        assert_eq!(
            x.add_lazy(&y).square().to_array(),
            zip(a, b, |a, b| a.add(b).square())
        );
        assert_eq!(x.equal_lanes(&x), 0xff);
        assert_eq!(FpX8::select(&x, &y, 0x0f).equal_lanes(&y) & 0x0f, 0x0f);
    }
    assert_eq!(FpX8::splat(&Fp::ONE).to_array(), [Fp::ONE; 8]);
    assert_eq!(FpX8::ZERO.zero_lanes(), 0xff);
}
