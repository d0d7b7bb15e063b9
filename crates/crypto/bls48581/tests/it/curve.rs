//! Group laws and known answers.

use quil_bls48581::{
    Fr, G1Affine, G1Projective, G2Affine, G2Projective, msm_vartime, sum_affine_vartime,
};

use crate::support::{bytes, fr, random_fr, rng, vectors};

/// Group laws for one curve, on subgroup points.
macro_rules! group_laws {
    ($name:ident, $affine:ident, $projective:ident) => {
        #[test]
        fn $name() {
            let mut rng = rng(5);
            let g = $projective::generator();
            let mut points: Vec<$projective> =
                (0..3).map(|_| g.mul(&random_fr(&mut rng))).collect();
            points.extend([$projective::identity(), g, g.neg(), g.double()]);
            for p in &points {
                let a = p.to_affine();
                assert!(a.is_on_curve());
                assert_eq!(p.add(&$projective::identity()), *p);
                assert_eq!($projective::identity().add_mixed(&a), *p);
                assert_eq!(p.add_mixed(&$affine::identity()), *p);
                assert!(p.sub(p).is_identity());
                assert!(p.add_mixed(&a.neg()).is_identity());
                assert_eq!(p.double(), p.add(p));
                assert_eq!(p.double(), p.add_mixed(&a));
                assert_eq!($projective::from_affine(&a), *p);
                assert_eq!(p.neg().neg(), *p);
                for q in &points {
                    assert_eq!(p.add(q), q.add(p));
                    assert_eq!(p.add(q), p.add_mixed(&q.to_affine()));
                    assert_eq!(p.sub(q).add(q), *p);
                    for s in &points {
                        assert_eq!(p.add(q).add(s), p.add(&q.add(s)));
                    }
                }
            }
            let affine = $projective::batch_to_affine(&points);
            assert!(points.iter().zip(&affine).all(|(p, a)| p.to_affine() == *a));
            assert!($projective::batch_to_affine(&[]).is_empty());
        }
    };
}

/// Scalar multiplication: double-and-add is the model.
macro_rules! scalar_laws {
    ($name:ident, $projective:ident, $count:literal) => {
        #[test]
        fn $name() {
            let mut rng = rng(6);
            let g = $projective::generator().mul(&random_fr(&mut rng));
            let slow = |k: &Fr| {
                k.to_be_bytes()
                    .iter()
                    .fold($projective::identity(), |acc, byte| {
                        (0..8).rev().fold(acc, |acc, i| {
                            let acc = acc.double();
                            if (byte >> i) & 1 == 1 {
                                acc.add(&g)
                            } else {
                                acc
                            }
                        })
                    })
            };
            let mut scalars: Vec<Fr> = (0..$count).map(|_| random_fr(&mut rng)).collect();
            scalars.extend([
                Fr::ZERO,
                Fr::ONE,
                -Fr::ONE,
                Fr::from_u64(2),
                Fr::from_u64(0x1_4000_0381),
            ]);
            for k in &scalars {
                let expected = slow(k);
                assert_eq!(g.mul(k), expected);
                assert_eq!(g.mul_vartime(k), expected);
            }
            let (a, b) = (scalars[0], scalars[1]);
            assert_eq!(g.mul(&a).mul(&b), g.mul(&(a * b)));
            assert_eq!(g.mul(&a).add(&g.mul(&b)), g.mul(&(a + b)));
            assert!($projective::identity().mul(&a).is_identity());
            assert!($projective::identity().mul_vartime(&a).is_identity());
        }
    };
}

/// Multi-scalar multiplication against the sum of single ones.
macro_rules! msm_laws {
    ($name:ident, $affine:ident, $projective:ident, $sizes:expr) => {
        #[test]
        fn $name() {
            let mut rng = rng(7);
            for n in $sizes {
                let mut p = $projective::generator();
                let mut points = Vec::new();
                let mut scalars = Vec::new();
                let mut dlog = Fr::ONE;
                let mut expected = Fr::ZERO;
                for i in 0..n {
                    let k = if i % 17 == 3 {
                        Fr::ZERO
                    } else {
                        random_fr(&mut rng)
                    };
                    if i % 19 == 5 {
                        points.push($affine::identity());
                    } else {
                        points.push(p.to_affine());
                        expected += dlog * k;
                    }
                    scalars.push(k);
                    // Repeated points reach the doubling inside a bucket.
                    if i % 3 == 0 {
                        p = p.double();
                        dlog = dlog.double();
                    }
                }
                assert_eq!(
                    msm_vartime(&points, &scalars),
                    $projective::generator().mul(&expected),
                    "n = {n}"
                );
                let sum = points
                    .iter()
                    .fold($projective::identity(), |acc, p| acc.add_mixed(p));
                assert_eq!(sum_affine_vartime(&points), sum);
            }
        }
    };
}

group_laws!(g1_group_laws, G1Affine, G1Projective);
scalar_laws!(g1_scalar_laws, G1Projective, 8);
msm_laws!(
    g1_msm_is_the_sum_of_products,
    G1Affine,
    G1Projective,
    [0, 1, 2, 7, 8, 64, 199, 200, 420]
);

group_laws!(g2_group_laws, G2Affine, G2Projective);
scalar_laws!(g2_scalar_laws, G2Projective, 2);
msm_laws!(
    g2_msm_is_the_sum_of_products,
    G2Affine,
    G2Projective,
    [0, 1, 5, 24, 25]
);

#[test]
fn g2_known_answers() {
    let v = vectors(include_str!("../vectors/curve.json"));
    assert_eq!(bytes(&v["g2_generator"]), G2Affine::generator().to_bytes());
    for case in v["add"].as_array().unwrap() {
        let point = |k: &str| {
            G2Affine::decode_checked(&bytes(&case[k]))
                .unwrap()
                .into_inner()
        };
        let sum = G2Projective::from_affine(&point("g2_a")).add_mixed(&point("g2_b"));
        assert_eq!(sum.to_affine(), point("g2_sum"));
    }
    for case in v["scalar_mul"].as_array().unwrap() {
        let k = Fr::from_be_slice_reduced(&bytes(&case["k"]));
        let got = G2Projective::generator().mul(&k).to_affine();
        assert_eq!(got.to_bytes().to_vec(), bytes(&case["k_g2"]));
    }
}

#[test]
fn g1_known_answers() {
    let v = vectors(include_str!("../vectors/curve.json"));
    assert_eq!(bytes(&v["g1_generator"]), G1Affine::generator().to_bytes());
    for case in v["add"].as_array().unwrap() {
        let point = |k: &str| {
            G1Affine::decode_checked(&bytes(&case[k]))
                .unwrap()
                .into_inner()
        };
        let sum = G1Projective::from_affine(&point("g1_a")).add_mixed(&point("g1_b"));
        assert_eq!(sum.to_affine(), point("g1_sum"));
    }
    for case in v["scalar_mul"].as_array().unwrap() {
        let expected = bytes(&case["k_g1"]);
        // One recorded scalar equals r: reduced, it gives the identity.
        let k = Fr::from_be_slice_reduced(&bytes(&case["k"]));
        let got = G1Projective::generator().mul(&k).to_affine();
        assert_eq!(got.to_bytes().to_vec(), expected);
        assert_eq!(k, fr(&case["k"]));
    }
}

/// Points of order two and three exist outside the subgroup; addition must be right for them too.
#[test]
fn g1_addition_is_right_on_the_whole_curve() {
    let minus_one = {
        let mut b = [0u8; 74];
        b[0] = 2;
        b[1..].copy_from_slice(&(-quil_bls48581::Fp::ONE).to_be_bytes());
        G1Affine::from_bytes(&b).unwrap()
    };
    let order3 = {
        let mut b = [0u8; 74];
        b[0] = 2;
        G1Affine::from_bytes(&b).unwrap()
    };
    let t = G1Projective::from_affine(&minus_one);
    let s = G1Projective::from_affine(&order3);
    let g = G1Projective::generator();
    assert!(t.double().is_identity() && !t.is_identity());
    assert!(s.double().add(&s).is_identity() && !s.is_identity());
    for p in [g, g.add(&s), s, G1Projective::identity()] {
        // p + (p + t) has a difference of order two: the formulas' one exception.
        let q = p.add(&t);
        assert!(q.to_affine().is_on_curve());
        assert_eq!(p.add(&q), p.double().add(&t));
        assert_eq!(p.add_mixed(&q.to_affine()), p.double().add(&t));
        assert_eq!(q.add(&t), p);
        assert!(!p.add(&q).to_affine().eq(&p.double().to_affine()));
    }
    // [4] u = O with 2 u = t' is covered by differences of order two that sum to the identity.
    assert!(t.add(&t).is_identity());
}
