//! Every sum by its vector form, its portable form and plainly. The vector forms run wherever the machine has them.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::{
    fixed::FixedBase,
    many::{many_lanes, pair_lanes},
    pippenger::buckets_portable,
    straus::{mixed_lanes, mixed_portable, mixed_quad},
    *,
};

/// The identity, the generator, its negative, points with and without Z = 1.
pub(crate) fn points(n: usize) -> Vec<Point> {
    let g = Point::generator();
    let mut v = vec![Point::IDENTITY, g, -g, g + g, g + -g];
    for i in 0..n {
        let p = Point::hash_to("lanes", &(i as u64).to_le_bytes());
        v.push(if i % 3 == 0 {
            p.compress().decompress().unwrap_or(p)
        } else {
            p
        });
    }
    v.truncate(n);
    v
}

/// 0, 1, 2, -1, -2, powers of two, then random ones.
fn scalars(n: usize, rng: &mut ChaCha20Rng) -> Vec<Scalar> {
    let mut v = vec![
        Scalar::ZERO,
        Scalar::ONE,
        Scalar::from(2u64),
        -Scalar::ONE,
        -Scalar::from(2u64),
        Scalar::from(u64::MAX),
        -Scalar::from(1u128 << 127),
        Scalar::from(2u64).invert(),
    ];
    while v.len() < n {
        v.push(Scalar::random(rng));
    }
    v.truncate(n);
    v
}

/// The sum without any table.
fn plain(scalars: &[Scalar], points: &[Point]) -> Point {
    let mut acc = Point::IDENTITY;
    for (s, p) in scalars.iter().zip(points) {
        let mut term = Point::IDENTITY;
        for byte in s.to_bytes().iter().rev() {
            for bit in (0..8).rev() {
                term = term.double();
                if (byte >> bit) & 1 == 1 {
                    term += *p;
                }
            }
        }
        acc += term;
    }
    acc
}

#[test]
fn regular_digits_of_any_width_are_the_scalar() {
    fn value<const W: usize, const N: usize>(s: &Scalar) -> Scalar {
        let radix = Scalar::from(1u64 << W);
        s.regular::<W, N>()
            .iter()
            .rev()
            .fold(Scalar::ZERO, |acc, d| {
                assert!(*d < 1 << W);
                let (twice, bias) = (u64::from(*d) * 2, (1u64 << W) - 1);
                acc * radix + Scalar::from(twice) - Scalar::from(bias)
            })
    }
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for s in scalars(60, &mut rng) {
        assert!(value::<4, 112>(&s) == s);
        assert!(value::<5, 90>(&s) == s);
        assert!(value::<6, 75>(&s) == s);
    }
}

#[test]
fn sums_over_tables_and_points_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (p, s) = (points(90), scalars(90, &mut rng));
    let tables = PointTable::batch(&p);
    for (fixed, other) in [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (8, 0),
        (0, 8),
        (9, 7),
        (17, 9),
        (60, 30),
        (3, 61),
    ] {
        let terms: Vec<_> = s.iter().copied().zip(&tables).take(fixed).collect();
        let rest: Vec<_> = (fixed..fixed + other).map(|i| (s[i], p[i])).collect();
        let n = fixed + other;
        let want = plain(&s[..n], &p[..n]);
        assert!(
            mixed_portable(&terms, &rest) == want,
            "portable {fixed} {other}"
        );
        assert!(
            mixed_vartime(&terms, &rest) == want,
            "dispatched {fixed} {other}"
        );
        if let Some(lanes) = Lanes::of_machine() {
            assert!(
                mixed_lanes(lanes, &terms, &rest) == want,
                "lanes {fixed} {other}"
            );
            assert!(
                mixed_quad(lanes, &terms, &rest) == want,
                "quad {fixed} {other}"
            );
        }
    }
}

#[test]
fn secret_sums_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (p, s) = (points(300), scalars(300, &mut rng));
    let tables = PointTable::batch(&p);
    for n in [0, 1, 7, 8, 9, 65, 256, 257, 300] {
        let terms: Vec<_> = s.iter().copied().zip(&tables).take(n).collect();
        let want = mixed_portable(&terms, &[]);
        assert!(constant_time_portable(&terms) == want, "portable {n}");
        assert!(constant_time(&terms) == want, "dispatched {n}");
        if let Some(lanes) = Lanes::of_machine() {
            assert!(constant_time_lanes(lanes, &terms) == want, "lanes {n}");
        }
    }
}

#[test]
fn buckets_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (p, s) = (points(150), scalars(150, &mut rng));
    let affine = normalise(&p);
    for n in [0, 1, 2, 9, 64, 150] {
        let want = mixed_portable(
            &[],
            &s[..n]
                .iter()
                .copied()
                .zip(p.iter().copied())
                .collect::<Vec<_>>(),
        );
        assert!(buckets_portable(&s[..n], &affine) == want, "portable {n}");
        assert!(pippenger_vartime(&s[..n], &p) == want, "dispatched {n}");
        if let Some(lanes) = Lanes::of_machine() {
            assert!(lanes.buckets_vartime(&s[..n], &affine) == want, "lanes {n}");
            assert!(
                lanes.buckets_vartime(&s, &affine[..n]) == want,
                "lanes {n}, shorter points"
            );
        }
    }
}

#[test]
fn equal_and_opposite_points_share_buckets() {
    let g = Point::generator();
    let s = Scalar::from(0x0101_0101u64);
    let (scalars, p) = (vec![s; 64], [g, -g, g, g].repeat(16));
    let affine = normalise(&p);
    let want = g * (s * Scalar::from(32u64));
    assert!(buckets_portable(&scalars, &affine) == want);
    if let Some(lanes) = Lanes::of_machine() {
        assert!(lanes.buckets_vartime(&scalars, &affine) == want);
    }
}

#[test]
fn many_sums_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (p, s) = (points(70), scalars(70, &mut rng));
    let tables = PointTable::batch(&p);
    for lengths in [
        vec![],
        vec![5],
        vec![33, 32],
        vec![20, 0, 1],
        vec![9; 7],
        (0..19).collect(),
    ] {
        let sums: Vec<Vec<_>> = lengths
            .iter()
            .enumerate()
            .map(|(k, n)| (k..k + n).map(|i| (s[i], &tables[i])).collect())
            .collect();
        let want: Vec<Point> = sums.iter().map(|t| mixed_portable(t, &[])).collect();
        assert!(many_vartime(&sums) == want, "dispatched");
        if let Some(lanes) = Lanes::of_machine() {
            let got: Vec<Point> = sums.chunks(8).flat_map(|c| many_lanes(lanes, c)).collect();
            assert!(got == want, "lanes");
            assert!(pair_lanes(lanes, &sums) == want, "positions");
        }
    }
}

#[test]
fn fixed_base_forms_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    for p in points(7) {
        let base = FixedBase::new(&p);
        for s in scalars(20, &mut rng) {
            let want = p * s;
            assert!(base.mul_portable(&s) == want);
            assert!(base.mul(&s) == want);
            if let Some(lanes) = Lanes::of_machine() {
                assert!(base.mul_lanes(lanes, &s) == want);
            }
        }
    }
}

#[test]
fn batch_decoding_decides_as_single_decoding() {
    use crate::CompressedPoint;
    let mut encodings: Vec<CompressedPoint> = points(20).iter().map(Point::compress).collect();
    for (i, e) in points(30).iter().map(Point::compress).enumerate() {
        let mut e = e;
        e.0[i] ^= 1 << (i % 8);
        encodings.push(e);
    }
    encodings.extend([
        CompressedPoint([0xff; 56]),
        CompressedPoint::IDENTITY,
        CompressedPoint([1; 56]),
    ]);
    for n in [0, 1, 3, 4, 8, 9, encodings.len()] {
        for lanes in [None, Lanes::get(), Lanes::of_machine()] {
            let all = CompressedPoint::decompress_batch_with(lanes, &encodings[..n]);
            assert_eq!(all.len(), n);
            for (got, e) in all.iter().zip(&encodings) {
                match (got, e.decompress()) {
                    (Ok(a), Ok(b)) => assert_eq!(a.compress(), b.compress()),
                    (a, b) => assert_eq!(a.err(), b.err()),
                }
            }
        }
    }
}

#[test]
fn variable_base_forms_agree() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    for p in points(9) {
        for s in scalars(40, &mut rng) {
            let want = variable_base_portable(&p, &s);
            assert!(want == plain(&[s], &[p]));
            assert!(variable_base(&p, &s) == want);
            if let Some(lanes) = Lanes::of_machine() {
                let got = lanes.mul(&p, &s);
                assert!(got == want);
                assert_eq!(got.compress(), want.compress());
                assert!(got + p == want + p);
            }
        }
    }
}
