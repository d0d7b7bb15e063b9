//! Bilinearity, known answers, products.

use quil_bls48581::{
    Fr, G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, Gt, multi_pairing, pairing,
    pairing_product_is_one,
};

use crate::support::{bytes, random_fr, rng, vectors};

fn g1(k: &Fr) -> G1Affine {
    G1Projective::generator().mul(k).to_affine()
}

fn g2(k: &Fr) -> G2Affine {
    G2Projective::generator().mul(k).to_affine()
}

#[test]
fn known_answers() {
    let v = vectors(include_str!("../vectors/pairing.json"));
    let cases = v["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let p = G1Affine::decode_checked(&bytes(&case["g1"])).unwrap();
        let q = G2Affine::decode_checked(&bytes(&case["g2"])).unwrap();
        assert_eq!(pairing(&p, &q).to_be_bytes(), bytes(&case["pairing"]));
    }
}

#[test]
fn bilinear() {
    let mut rng = rng(21);
    let (a, b) = (random_fr(&mut rng), random_fr(&mut rng));
    let base = pairing(&G1Affine::generator(), &G2Affine::generator());
    let both = pairing(&g1(&a), &g2(&b));
    assert_eq!(both, base.pow_vartime(&(a * b)));
    assert_eq!(both, pairing(&g1(&(a * b)), &G2Affine::generator()));
    assert_eq!(both, pairing(&g1(&b), &g2(&a)));
    assert_eq!(pairing(&g1(&a).neg(), &g2(&b)), both.invert());
    assert_eq!(pairing(&g1(&a), &g2(&b).neg()), both.invert());
}

#[test]
fn additive_in_both_arguments() {
    let mut rng = rng(22);
    let (a, b, c) = (
        random_fr(&mut rng),
        random_fr(&mut rng),
        random_fr(&mut rng),
    );
    let (p, q, s) = (g1(&a), g1(&b), g2(&c));
    assert_eq!(
        pairing(&g1(&(a + b)), &s),
        pairing(&p, &s).mul(&pairing(&q, &s))
    );
    let (x, y) = (g2(&a), g2(&b));
    assert_eq!(
        pairing(&p, &g2(&(a + b))),
        pairing(&p, &x).mul(&pairing(&p, &y))
    );
}

#[test]
fn non_degenerate_and_of_order_r() {
    let e = pairing(&G1Affine::generator(), &G2Affine::generator());
    assert!(!e.is_one());
    // e^(r-1) = e^-1
    assert_eq!(e.pow_vartime(&-Fr::ONE), e.invert());
    assert!(e.mul(&e.invert()).is_one());
    assert!(e.pow_vartime(&Fr::ZERO).is_one());
    assert_eq!(
        e.pow_vartime(&Fr::from_u64(5)),
        e.mul(&e).mul(&e).mul(&e).mul(&e)
    );
}

#[test]
fn identity_pairs_to_one() {
    let (p, q) = (G1Affine::generator(), G2Affine::generator());
    assert!(pairing(&G1Affine::identity(), &q).is_one());
    assert!(pairing(&p, &G2Affine::identity()).is_one());
    assert!(pairing_product_is_one(&[]));
    assert_eq!(multi_pairing(&[]), Gt::one());
}

#[test]
fn product_is_the_product_of_pairings() {
    let mut rng = rng(23);
    let k: Vec<Fr> = (0..6).map(|_| random_fr(&mut rng)).collect();
    let points = [g1(&k[0]), g1(&k[1]), G1Affine::identity(), g1(&k[2])];
    let lines: Vec<_> = [g2(&k[3]), g2(&k[4]), g2(&k[5]), G2Affine::identity()]
        .iter()
        .map(G2Prepared::from)
        .collect();
    let pairs: Vec<_> = points.iter().zip(&lines).collect();
    let product = pairs
        .iter()
        .fold(Gt::one(), |acc, pair| acc.mul(&multi_pairing(&[*pair])));
    assert_eq!(multi_pairing(&pairs), product);
}

#[test]
fn product_check_accepts_only_cancelling_pairs() {
    let mut rng = rng(24);
    let (a, b) = (random_fr(&mut rng), random_fr(&mut rng));
    let (qa, qb) = (G2Prepared::from(&g2(&a)), G2Prepared::from(&g2(&b)));
    let (pa, pb) = (g1(&a), g1(&b));
    assert!(pairing_product_is_one(&[(&pb, &qa), (&pa.neg(), &qb)]));
    assert!(!pairing_product_is_one(&[(&pb, &qa), (&pa, &qb)]));
    assert!(!pairing_product_is_one(&[(&pb, &qa)]));
    assert!(!pairing_product_is_one(&[(&pb, &qa), (&pa.neg(), &qa)]));
}
