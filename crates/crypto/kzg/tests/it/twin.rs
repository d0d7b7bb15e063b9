//! The multi-opening against its formulas, over coefficients and with a known tau (K4).

use proptest::prelude::*;
use quil_bls48581::{Fr, G1Affine};
use quil_kzg::{Commitment, Kzg, OpeningError, Srs, Witness, slot_scalar};
use sha3::{Digest as _, Sha3_512};

use crate::support::{Slots, commit, slots};

type Poly = Vec<Fr>;

fn omega(i: u64) -> Fr {
    let w = Fr::root_of_unity(6).unwrap();
    (0..i).fold(Fr::ONE, |a, _| a * w)
}

fn eval(p: &Poly, x: Fr) -> Fr {
    p.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + *c)
}

/// Coefficients from the definition of the inverse transform.
fn interpolate(values: &Slots) -> Poly {
    let n = Fr::from_u64(64).invert().unwrap();
    (0..64u64)
        .map(|k| {
            let sum = (0..64u64).fold(Fr::ZERO, |acc, i| {
                acc + slot_scalar(&values[usize::try_from(i).unwrap()])
                    * omega((64 - i * k % 64) % 64)
            });
            sum * n
        })
        .collect()
}

/// `(p - p(z)) / (X - z)` by synthetic division.
fn divide(p: &Poly, z: Fr) -> Poly {
    let mut q = vec![Fr::ZERO; p.len() - 1];
    let mut carry = Fr::ZERO;
    for k in (0..q.len()).rev() {
        carry = carry * z + p[k + 1];
        q[k] = carry;
    }
    q
}

fn add_scaled(to: &mut Poly, from: &Poly, by: Fr) {
    to.resize(to.len().max(from.len()), Fr::ZERO);
    for (a, b) in to.iter_mut().zip(from) {
        *a += *b * by;
    }
}

fn challenge(tag: &str, parts: &[&[u8]]) -> ([u8; 64], Fr) {
    let mut hash = Sha3_512::new();
    hash.update([u8::try_from(tag.len()).unwrap()]);
    hash.update(tag);
    parts.iter().for_each(|p| hash.update(p));
    let bytes: [u8; 64] = hash.finalize().into();
    (bytes, Fr::from_be_bytes_wide(&bytes))
}

fn point(s: Fr) -> Commitment {
    Commitment::from(&G1Affine::generator().mul_vartime(&s))
}

#[test]
fn proof_equals_the_formulas() {
    let kzg = Kzg::insecure_shared();
    let tau = Srs::insecure_tau(1);
    let vectors: Vec<Slots> = vec![slots(1, 64), slots(2, 2), slots(3, 40)];
    let indices = [5u8, 5, 63];
    let witnesses: Vec<Witness<'_>> = vectors
        .iter()
        .zip(indices)
        .map(|(slots, index)| Witness {
            commitment: commit(&kzg, slots),
            slots,
            index,
        })
        .collect();
    let (_, proof) = kzg.open_multi(&witnesses).unwrap();

    let polys: Vec<Poly> = vectors.iter().map(interpolate).collect();
    let mut statement = vec![64, 0, 0, 0, 3, 0, 0, 0];
    for ((p, v), i) in polys.iter().zip(&vectors).zip(indices) {
        let c = point(eval(p, tau));
        assert_eq!(c, commit(&kzg, v), "commitment is the polynomial at tau");
        statement.extend_from_slice(c.as_bytes());
        statement.push(i);
        statement.extend_from_slice(&v[usize::from(i)]);
    }
    let (rho_bytes, rho) = challenge("kzg.multi", &[&statement]);
    let mut q = Poly::new();
    let mut power = Fr::ONE;
    for (p, i) in polys.iter().zip(indices) {
        add_scaled(&mut q, &divide(p, omega(u64::from(i))), power);
        power *= rho;
    }
    let d = point(eval(&q, tau));
    assert_eq!(proof.quotient, d);
    let (_, t) = challenge("kzg.multi.point", &[&rho_bytes, d.as_bytes()]);
    let mut g: Poly = q.iter().map(|c| -*c).collect();
    let mut power = Fr::ONE;
    for (p, i) in polys.iter().zip(indices) {
        add_scaled(
            &mut g,
            p,
            power * (t - omega(u64::from(i))).invert().unwrap(),
        );
        power *= rho;
    }
    assert_eq!(proof.proof, point(eval(&divide(&g, t), tau)));
}

fn case() -> impl Strategy<Value = Vec<(u64, usize, u8)>> {
    prop::collection::vec((0u64..1000, 0usize..=64, 0u8..64), 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_statement_verifies_and_any_bent_one_does_not(case in case(), k: prop::sample::Index, byte in 0usize..64) {
        let kzg = Kzg::insecure_shared();
        let vectors: Vec<Slots> = case.iter().map(|(seed, filled, _)| slots(*seed, (*filled).max(1))).collect();
        let witnesses: Vec<Witness<'_>> = vectors
            .iter()
            .zip(&case)
            .map(|(slots, (_, _, index))| Witness { commitment: commit(&kzg, slots), slots, index: *index })
            .collect();
        let (openings, proof) = kzg.open_multi(&witnesses).unwrap();
        prop_assert_eq!(kzg.verifier().verify_multi(&openings, &proof), Ok(()));
        let mut bent = openings.clone();
        bent[k.index(openings.len())].value[byte] ^= 1;
        prop_assert_eq!(kzg.verifier().verify_multi(&bent, &proof), Err(OpeningError::Rejected));
    }

    #[test]
    fn sparse_commitments_are_sums(case in case()) {
        let kzg = Kzg::insecure_shared();
        let terms: Vec<(u8, Fr)> = case.iter().map(|(seed, _, i)| (*i, slot_scalar(&slots(*seed, 1)[0]))).collect();
        let want = terms.iter().fold(quil_bls48581::G1Projective::identity(), |acc, (i, s)| {
            acc.add(&kzg.lagrange()[usize::from(*i)].mul_vartime(s))
        });
        prop_assert_eq!(kzg.commit_sparse(&terms), want);
        let start = kzg.lagrange()[3];
        let many = kzg.update_many(&[(start, terms.clone()), (start, Vec::new()), (start, terms)]);
        let moved = want.add_mixed(&start).to_affine();
        prop_assert_eq!(many, vec![moved, start, moved]);
    }
}
