use quil_decaf::{Point, PointTable, Scalar, msm};

use crate::support::{random_point, rng};

fn terms(n: usize, seed: u64) -> (Vec<Scalar>, Vec<Point>) {
    let mut r = rng(seed);
    let mut scalars: Vec<Scalar> = (0..n).map(|_| Scalar::random(&mut r)).collect();
    // Edge scalars among random ones.
    for (s, e) in
        scalars
            .iter_mut()
            .skip(1)
            .step_by(3)
            .zip([Scalar::ZERO, Scalar::ONE, -Scalar::ONE])
    {
        *s = e;
    }
    let mut p = random_point(&mut r);
    let q = random_point(&mut r);
    let points = (0..n)
        .map(|i| {
            p += q;
            if i == 5 { Point::IDENTITY } else { p }
        })
        .collect();
    (scalars, points)
}

fn slow(scalars: &[Scalar], points: &[Point]) -> Point {
    scalars.iter().zip(points).map(|(s, p)| p * s).sum()
}

#[test]
fn straus_and_pippenger_agree_with_single_products() {
    for n in [0, 1, 2, 7, 40] {
        let (s, p) = terms(n, n as u64);
        let want = slow(&s, &p);
        assert_eq!(msm::straus_vartime(&s, &p), want);
        assert_eq!(msm::pippenger_vartime(&s, &p), want);
        assert_eq!(msm::msm_vartime(&s, &p), want);
    }
}

#[test]
fn methods_agree_on_large_sums() {
    for n in [255, 256, 700] {
        let (s, p) = terms(n, 9);
        let a = msm::straus_vartime(&s, &p);
        assert_eq!(a, msm::pippenger_vartime(&s, &p));
        assert_eq!(a, msm::msm_vartime(&s, &p));
    }
}

#[test]
fn repeated_points_and_equal_scalars_add_up() {
    let p = random_point(&mut rng(10));
    let n = 300u64;
    let (s, ps) = (vec![Scalar::from(3u64); 300], vec![p; 300]);
    assert_eq!(msm::pippenger_vartime(&s, &ps), p * Scalar::from(3 * n));
    assert_eq!(msm::straus_vartime(&s, &ps), p * Scalar::from(3 * n));
}

#[test]
fn tables_agree_with_points() {
    for (fixed, other) in [(0, 0), (3, 0), (0, 4), (20, 9), (3, 260)] {
        let (s, p) = terms(fixed + other, 11);
        let tables = PointTable::batch(&p[..fixed]);
        assert!(tables.iter().zip(&p).all(|(t, p)| t.point() == p));
        let a: Vec<_> = s.iter().copied().zip(&tables).collect();
        let b: Vec<_> = s[fixed..]
            .iter()
            .copied()
            .zip(p[fixed..].iter().copied())
            .collect();
        assert_eq!(msm::mixed_vartime(&a, &b), msm::straus_vartime(&s, &p));
        assert_eq!(msm::constant_time(&a), slow(&s[..fixed], &p[..fixed]));
    }
}

#[test]
fn shorter_slice_bounds_the_sum() {
    let (s, p) = terms(6, 12);
    assert_eq!(msm::straus_vartime(&s[..4], &p), slow(&s[..4], &p));
    assert_eq!(msm::pippenger_vartime(&s, &p[..4]), slow(&s[..4], &p));
}
