//! Every kernel against its portable twin, whatever the environment says. Machines without the instructions have nothing
//! to compare.

#![allow(
    unsafe_code,
    reason = "calls of functions that need instructions detected at run time"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::multiple_unsafe_ops_per_block,
    reason = "helpers of tests: fixed sizes"
)]

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{
    x86::{Affine8, Fe8, Point8, gather4, scatter4},
    *,
};
use crate::{Point, mul::tests::points};

const TIGHT: u64 = (3 << 56) + (1 << 16) - 1;
const M: u64 = (1 << 56) - 1;

/// Field elements at the bounds of the portable form, around multiples of p, then random ones.
fn elements(rng: &mut ChaCha20Rng) -> Vec<Fe> {
    let mut v = vec![
        Fe::ZERO,
        Fe::ONE,
        Fe([M, M, M, M, M - 1, M, M, M]),
        Fe([M - 1, M, M, M, M - 1, M, M, M]),
        Fe([0, 0, 0, 0, 1, 0, 0, 0]),
        Fe([M; 8]),
        Fe([TIGHT; 8]),
        Fe([2 * M, 2 * M, 2 * M, 2 * M, 2 * M - 2, 2 * M, 2 * M, 2 * M]),
        Fe([0, 0, 0, 0, 0, 0, 0, TIGHT]),
        Fe([TIGHT, 0, 0, 0, TIGHT, 0, 0, 0]),
        Fe([0, TIGHT, 0, TIGHT, 0, TIGHT, 0, TIGHT]),
    ];
    for i in 0..8 {
        let mut one = [0; 8];
        one[i] = M;
        v.push(Fe(one));
    }
    for _ in 0..501 {
        v.push(Fe(core::array::from_fn(|_| rng.next_u64() % (TIGHT + 1))));
    }
    v
}

fn same(got: Fe8Out, want: impl Fn(usize) -> Fe, what: &str) {
    for (lane, fe) in got.iter().enumerate() {
        assert_eq!(fe.to_bytes(), want(lane).to_bytes(), "{what}, lane {lane}");
        assert!(fe.0.iter().all(|l| *l <= TIGHT), "{what}: tight");
    }
}

type Fe8Out = [Fe; WIDTH];

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn check_field(a: &[Fe; WIDTH], b: &[Fe; WIDTH]) {
    let (va, vb) = (Fe8::gather(a.each_ref()), Fe8::gather(b.each_ref()));
    same(va.scatter(), |i| a[i], "round trip");
    same(va.mul(&vb).scatter(), |i| a[i] * b[i], "product");
    same(va.square().scatter(), |i| a[i] * a[i], "square");
    same(va.carry().scatter(), |i| a[i], "carry");
    same(va.add(&vb).scatter(), |i| a[i] + b[i], "sum");
    same(va.sub(&vb.carry()).scatter(), |i| a[i] - b[i], "difference");
    let small = va.mul_small(78_164);
    same(small.scatter(), |i| a[i].mul_small(78_164), "small product");
    let blended = va.blend(&vb, 0b1010_0110);
    let pick = |i: usize| {
        if (0b1010_0110 >> i) & 1 == 1 {
            b[i]
        } else {
            a[i]
        }
    };
    same(blended.scatter(), pick, "blend");
}

/// Vectors of four are vectors of eight cut in two.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn check_four(a: &[Fe; WIDTH], b: &[Fe; WIDTH]) {
    for half in 0..2 {
        let part = |v: &[Fe; WIDTH]| {
            [
                v[4 * half],
                v[4 * half + 1],
                v[4 * half + 2],
                v[4 * half + 3],
            ]
        };
        let (a, b) = (part(a), part(b));
        let (va, vb) = (gather4(a.each_ref()), gather4(b.each_ref()));
        let pick = va.blend(&vb, 0b0110);
        for (got, want) in [
            (va, a),
            (va.carry(), a),
            (va.mul(&vb), core::array::from_fn(|i| a[i] * b[i])),
            (va.square(), core::array::from_fn(|i| a[i] * a[i])),
            (pick, [a[0], b[1], b[2], a[3]]),
        ] {
            let got = scatter4(&got);
            for lane in 0..4 {
                assert_eq!(got[lane].to_bytes(), want[lane].to_bytes());
            }
        }
    }
}

/// The loosest operands that the point formulas multiply: limbs just below 2^48.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn check_loose(a: &[Fe; WIDTH], b: &[Fe; WIDTH]) {
    let (ca, cb) = (
        Fe8::gather(a.each_ref()).carry(),
        Fe8::gather(b.each_ref()).carry(),
    );
    // (a - b) + (b - a) + 2b: limbs up to 2^47.6, a bound that no operand of the formulas exceeds.
    let (d, e) = (ca.sub(&cb), cb.sub(&ca));
    let wide = d.add(&e).add(&cb).add(&cb);
    let twice = |i: usize| b[i] + b[i];
    same(wide.carry().scatter(), twice, "loose value");
    same(
        wide.mul(&wide).scatter(),
        |i| twice(i) * twice(i),
        "loose product",
    );
    same(
        wide.square().scatter(),
        |i| twice(i) * twice(i),
        "loose square",
    );
    same(
        d.mul(&wide).scatter(),
        |i| (a[i] - b[i]) * twice(i),
        "mixed product",
    );
    same(
        d.mul(&e).scatter(),
        |i| (a[i] - b[i]) * (b[i] - a[i]),
        "differences",
    );
    same(
        wide.mul_small(78_164).scatter(),
        |i| twice(i).mul_small(78_164),
        "loose small",
    );
}

#[test]
fn field_lanes_equal_the_portable_field() {
    let Some(_) = Lanes::of_machine() else { return };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let v = elements(&mut rng);
    for shift in [0, 1, 7, 19, 64, 333] {
        for (i, a) in v.as_chunks::<WIDTH>().0.iter().enumerate() {
            let b = core::array::from_fn(|lane| v[(i * WIDTH + lane + shift) % v.len()]);
            // SAFETY: the machine has the instructions.
            unsafe {
                check_field(a, &b);
                check_four(a, &b);
                check_loose(a, &b);
            }
        }
    }
}

#[test]
fn every_pair_of_edge_elements_multiplies_alike() {
    let Some(_) = Lanes::of_machine() else { return };
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let v = &elements(&mut rng)[..19];
    for a in v {
        for b in v.windows(WIDTH) {
            let b: [Fe; WIDTH] = b.try_into().unwrap();
            // SAFETY: the machine has the instructions.
            unsafe { check_field(&[*a; WIDTH], &b) }
        }
    }
}

#[test]
fn field_power_lanes_equal_the_portable_power() {
    let Some(lanes) = Lanes::of_machine() else {
        return;
    };
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let v = elements(&mut rng);
    for n in [0, 1, 7, 8, 9, 35] {
        let mut powers = v[..n].to_vec();
        lanes.pow_p34_all(&mut powers);
        for (p, x) in powers.iter().zip(&v) {
            assert_eq!(p.to_bytes(), x.pow_p34().to_bytes());
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn check_points(p: &[Point; WIDTH], q: &[Point; WIDTH], negative: u8) {
    let start = Point8::gather(p.each_ref());
    let sign = |i: usize, q: Point| if (negative >> i) & 1 == 1 { -q } else { q };
    let mut sum = start;
    sum.add_niels(&Point8::gather(q.each_ref()).niels(), negative);
    let affine: Vec<_> = q.iter().map(|q| q.affine_niels(&q.z.invert())).collect();
    let mut mixed = start;
    mixed.add_affine(
        &Affine8::gather(core::array::from_fn(|i| &affine[i])),
        negative,
    );
    let from_entry = Affine8::gather(core::array::from_fn(|i| &affine[i])).point(negative);
    let from_entry = from_entry.scatter();
    let mut double = start;
    double.double_n(3);
    let (sum, mixed, double) = (sum.scatter(), mixed.scatter(), double.scatter());
    for i in 0..WIDTH {
        let want = p[i] + sign(i, q[i]);
        for got in [sum[i], mixed[i]] {
            assert!(got == want);
            assert_eq!(got.compress(), want.compress());
            // The fourth coordinate serves the next addition.
            assert!(got + q[i] == want + q[i]);
        }
        assert!(from_entry[i] == sign(i, q[i]));
        assert!(from_entry[i] + p[i] == sign(i, q[i]) + p[i]);
        let eight = p[i].double().double().double();
        assert_eq!(double[i].compress(), eight.compress());
        assert!(double[i] + q[i] == eight + q[i]);
    }
}

#[test]
fn point_lanes_equal_the_portable_points() {
    let Some(_) = Lanes::of_machine() else { return };
    let v = points(40);
    for (shift, negative) in [
        (0, 0),
        (0, 0xff),
        (1, 0b1001_0110),
        (9, 0b0110_1001),
        (23, 0),
    ] {
        for (i, p) in v.as_chunks::<WIDTH>().0.iter().enumerate() {
            let q = core::array::from_fn(|lane| v[(i * WIDTH + lane + shift) % v.len()]);
            // SAFETY: the machine has the instructions.
            unsafe { check_points(p, &q, negative) }
        }
    }
}

#[test]
fn odd_multiples_are_the_portable_ones() {
    let Some(lanes) = Lanes::of_machine() else {
        return;
    };
    for (n, count) in [(0, 8), (1, 1), (5, 8), (8, 8), (17, 4), (9, 32)] {
        let p = points(n);
        let tables = lanes.odd_multiples(&p, count);
        assert_eq!(tables.len(), n * count);
        for (p, table) in p.iter().zip(tables.chunks_exact(count)) {
            let mut multiple = *p;
            for got in table {
                let want = multiple.affine_niels(&multiple.z.invert());
                for (a, b) in [(got.ypx, want.ypx), (got.ymx, want.ymx), (got.td, want.td)] {
                    assert_eq!(a.to_bytes(), b.to_bytes());
                    assert!(a.0.iter().all(|l| *l <= TIGHT));
                }
                multiple += p.double();
            }
        }
    }
}
