//! Outputs, proofs and the stepwise evaluator.

use proptest::prelude::*;
use quil_classgroup::{Power, is_prime, multi_pow};
use quil_types::tags;
use quil_vdf::{
    DISCRIMINANT_BITS, Discriminant, Evaluator, Form, Progress, ProveError, VdfProof, base, prove,
    verify,
};
use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

fn group(bits: usize) -> (Discriminant, Form) {
    let d = Discriminant::derive(b"evaluation", bits).expect("size");
    let x = base(&d, &[5; 32]).expect("a base");
    (d, x)
}

/// The challenge from its definition.
pub(crate) fn challenge(d: &Discriminant, x: &Form, y: &Form, t: u64) -> [u64; 4] {
    let mut input = vec![9];
    input.extend(b"vdf.prime");
    for part in [
        &d.to_be_bytes()[..],
        x.to_bytes().as_ref(),
        y.to_bytes().as_ref(),
    ] {
        input.extend(u32::try_from(part.len()).expect("short").to_le_bytes());
        input.extend(part);
    }
    input.extend(t.to_le_bytes());
    for j in 0u32.. {
        let mut h = Shake256::default();
        h.update(&input);
        h.update(&j.to_le_bytes());
        let mut out = [0; 32];
        h.finalize_xof().read(&mut out);
        out[0] |= 0x80;
        out[31] |= 1;
        let mut l = [0; 4];
        for (l, b) in l.iter_mut().rev().zip(out.chunks(8)) {
            *l = u64::from_be_bytes(b.try_into().expect("8 bytes"));
        }
        if is_prime(&l) {
            return l;
        }
    }
    unreachable!("primes are dense")
}

/// `x^floor(2^t / l)` and `2^t mod l`, by long division, one bit of the quotient per squaring.
pub(crate) fn slow_proof(x: &Form, l: [u64; 4], t: u64, one: Form) -> (Form, [u64; 4]) {
    let (mut pi, mut r) = (one, [1u64, 0, 0, 0]);
    for _ in 0..t {
        pi = pi.square();
        let carry = r[3] >> 63;
        for i in (0..4).rev() {
            r[i] = r[i] << 1 | if i > 0 { r[i - 1] >> 63 } else { 0 };
        }
        if carry == 1 || r.iter().rev().ge(l.iter().rev()) {
            let mut borrow = false;
            for (r, l) in r.iter_mut().zip(l) {
                let (s, b1) = r.overflowing_sub(l);
                let (s, b2) = s.overflowing_sub(u64::from(borrow));
                (*r, borrow) = (s, b1 | b2);
            }
            pi = pi.compose(x).expect("same group");
        }
    }
    (pi, r)
}

#[test]
fn proof_is_the_power_of_the_definition() {
    for (bits, lengths) in [
        (
            64,
            &[
                0, 1, 2, 3, 7, 64, 254, 255, 256, 257, 258, 300, 999, 1000, 4096, 20_011,
            ][..],
        ),
        (512, &[0, 1, 256, 257, 1500]),
        (2048, &[600]),
    ] {
        let (d, x) = group(bits);
        for &t in lengths {
            let p = prove(&d, &x, t).expect("proof");
            assert_eq!(p.y, x.square_n(t), "{bits} bits, T = {t}");
            let l = challenge(&d, &x, &p.y, t);
            let (pi, r) = slow_proof(&x, l, t, Form::identity(&d));
            assert_eq!(p.pi, pi, "{bits} bits, T = {t}");
            let product = multi_pow(&[Power::new(&pi, &l), Power::new(&x, &r)]);
            assert_eq!(product, Ok(Some(p.y)));
            assert_eq!(p.verify(&d, &x, t), Ok(()));
        }
    }
}

#[test]
fn zero_squarings_are_the_base_itself() {
    let (d, x) = group(256);
    let mut e = Evaluator::new(&d, &x, 0).expect("base of the group");
    assert_eq!(e.progress(), Progress::Squaring { done: 0, total: 0 });
    assert_eq!(e.step(0), Ok(Progress::Done));
    let p = *e.proof().expect("done");
    assert_eq!((p.y, p.pi), (x, Form::identity(&d)));
    assert_eq!(verify(&d, &x, &p.y, &p.pi, 0), Ok(()));
}

#[test]
fn the_identity_is_a_legal_base() {
    let (d, _) = group(256);
    let one = Form::identity(&d);
    let p = prove(&d, &one, 1000).expect("proof");
    assert_eq!((p.y, p.pi), (one, one));
    assert_eq!(p.verify(&d, &one, 1000), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However the work is cut, output and proof are the same and progress only grows.
    #[test]
    fn steps_of_any_size_give_the_same_proof(t in 0u64..3000, sizes in prop::collection::vec(0u64..700, 1..8)) {
        let (d, x) = group(64);
        let whole = prove(&d, &x, t).expect("proof");
        let mut e = Evaluator::new(&d, &x, t).expect("base of the group");
        let mut last = (0, 0);
        for size in sizes.iter().cycle() {
            let now = match e.step(*size).expect("step") {
                Progress::Squaring { done, total } => {
                    prop_assert!(done < total && total == t && e.output().is_none());
                    (0, done)
                }
                Progress::Proving { done, .. } => {
                    prop_assert_eq!(e.output(), Some(&whole.y));
                    (1, done)
                }
                Progress::Done => break,
            };
            prop_assert!(now >= last && e.proof().is_none());
            last = now;
        }
        prop_assert_eq!(e.proof(), Some(&whole));
        prop_assert_eq!(e.output(), Some(&whole.y));
        prop_assert_eq!(e.step(9), Ok(Progress::Done));
    }
}

#[test]
fn proof_does_not_depend_on_the_number_of_threads() {
    let (d, x) = group(64);
    let expected = prove(&d, &x, 30_000).expect("proof");
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("pool");
        assert_eq!(
            pool.install(|| prove(&d, &x, 30_000)),
            Ok(expected),
            "{threads} threads"
        );
    }
}

#[test]
fn a_started_evaluation_can_be_copied_and_dropped() {
    let (d, x) = group(64);
    let mut e = Evaluator::new(&d, &x, 5000).expect("base of the group");
    e.step(2500).expect("step");
    let mut copy = e.clone();
    drop(e);
    while copy.step(100).expect("step") != Progress::Done {}
    assert_eq!(copy.proof(), prove(&d, &x, 5000).ok().as_ref());
}

#[test]
fn a_base_of_another_group_is_refused() {
    let (d, _) = group(256);
    let (_, foreign) = group(64);
    assert!(Evaluator::new(&d, &foreign, 10).is_err());
    assert!(matches!(prove(&d, &foreign, 10), Err(ProveError::Group(_))));
}

#[test]
fn seeds_give_different_bases_under_the_tag_of_forms() {
    let (d, x) = group(DISCRIMINANT_BITS);
    assert_eq!(
        d.hash_to_form(tags::FORM.as_str().as_bytes(), &[5; 32]),
        Ok(x)
    );
    let mut seen = vec![x, x.inverse()];
    for s in 6..12u8 {
        let y = base(&d, &[s; 32]).expect("a base");
        assert!(!seen.contains(&y));
        seen.extend([y, y.inverse()]);
    }
}

#[test]
fn encoding_round_trips_at_network_size() {
    let (d, x) = group(DISCRIMINANT_BITS);
    let p = prove(&d, &x, 300).expect("proof");
    let (y, pi) = p.to_bytes();
    assert_eq!((y.as_ref().len(), pi.as_ref().len()), (258, 258));
    assert_eq!(VdfProof::from_bytes(&d, y.as_ref(), pi.as_ref()), Ok(p));
}
