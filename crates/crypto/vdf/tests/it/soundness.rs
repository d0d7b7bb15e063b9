//! Every way to bend a proof that has a name is rejected.

use std::sync::OnceLock;

use quil_vdf::{Discriminant, Form, FormError, VdfProof, VerifyError, base, prove, verify};

const T: u64 = 700;

struct Case {
    d: Discriminant,
    x: Form,
    p: VdfProof,
}

fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| {
        let d = Discriminant::derive(b"soundness", 512).expect("size");
        let x = base(&d, &[1; 32]).expect("a base");
        let p = prove(&d, &x, T).expect("proof");
        Case { d, x, p }
    })
}

fn mul(x: &Form, y: &Form) -> Form {
    x.compose(y).expect("same group")
}

fn rejected(y: &Form, pi: &Form) {
    let Case { d, x, .. } = case();
    assert_eq!(verify(d, x, y, pi, T), Err(VerifyError::Equation));
}

#[test]
fn honest_proof_is_accepted() {
    let Case { d, x, p } = case();
    assert_eq!(p.verify(d, x, T), Ok(()));
}

#[test]
fn proof_bound_to_squarings() {
    let Case { d, x, p } = case();
    for t in [0, 1, T - 1, T + 1, 2 * T, u64::MAX] {
        assert_eq!(p.verify(d, x, t), Err(VerifyError::Equation), "T = {t}");
    }
    // The next output with the old proof, or the old proof raised along, is no proof for one squaring more.
    for pi in [p.pi, p.pi.square(), mul(&p.pi.square(), x)] {
        assert!(verify(d, x, &p.y.square(), &pi, T + 1).is_err());
    }
}

#[test]
fn proof_bound_to_base() {
    let Case { d, x, p } = case();
    let other = base(d, &[2; 32]).expect("a base");
    for x in [
        other,
        x.inverse(),
        x.square(),
        Form::identity(d),
        Form::generator(d),
    ] {
        assert_eq!(p.verify(d, &x, T), Err(VerifyError::Equation));
    }
}

/// Powers of a base take powers of output and proof along, but the challenge moves with them.
#[test]
fn proof_cannot_be_carried_to_a_power_of_the_base() {
    let Case { d, x, p } = case();
    for k in [2u64, 3, 65_537] {
        let power = |f: &Form| f.pow(&[k]);
        let got = verify(d, &power(x), &power(&p.y), &power(&p.pi), T);
        assert_eq!(got, Err(VerifyError::Equation), "k = {k}");
    }
}

#[test]
fn work_for_one_seed_is_no_work_for_another() {
    let Case { d, x, p } = case();
    let x2 = base(d, &[2; 32]).expect("a base");
    let p2 = prove(d, &x2, T).expect("proof");
    assert!(p2.y != p.y && p2.pi != p.pi);
    assert!(verify(d, &x2, &p.y, &p.pi, T).is_err());
    assert!(verify(d, &x2, &p.y, &p2.pi, T).is_err());
    assert!(verify(d, &x2, &p2.y, &p.pi, T).is_err());
    // Nor does the product of two evaluations prove the product of the bases.
    let product = verify(d, &mul(x, &x2), &mul(&p.y, &p2.y), &mul(&p.pi, &p2.pi), T);
    assert_eq!(product, Err(VerifyError::Equation));
}

#[test]
fn proof_bound_to_output() {
    let Case { d, x, p } = case();
    let one = Form::identity(d);
    for y in [
        p.y.square(),
        mul(&p.y, x),
        *x,
        one,
        p.pi,
        Form::generator(d),
    ] {
        rejected(&y, &p.pi);
        rejected(&y, &one);
    }
    rejected(&p.pi, &p.y);
}

#[test]
fn inverse_of_the_output_is_rejected() {
    let Case { d, p, .. } = case();
    for pi in [p.pi, p.pi.inverse(), Form::identity(d)] {
        rejected(&p.y.inverse(), &pi);
    }
}

#[test]
fn identity_proof_serves_only_the_short_claims() {
    let Case { d, x, p } = case();
    let one = Form::identity(d);
    rejected(&p.y, &one);
    for wrong in [one, x.inverse(), x.square_n(4), x.square_n(T - 1)] {
        assert!(verify(d, x, &wrong, &one, 3).is_err());
    }
    assert_eq!(verify(d, x, &x.square_n(3), &one, 3), Ok(()));
}

#[test]
fn other_proofs_are_rejected() {
    let Case { d, x, p } = case();
    for pi in [
        p.pi.inverse(),
        p.pi.square(),
        mul(&p.pi, x),
        mul(&p.pi, &p.y),
        *x,
        Form::generator(d),
    ] {
        rejected(&p.y, &pi);
    }
}

#[test]
fn forms_of_another_discriminant_are_rejected() {
    let Case { d, x, p } = case();
    let e = Discriminant::derive(b"another", 512).expect("size");
    let z = base(&e, &[1; 32]).expect("a base");
    let q = prove(&e, &z, T).expect("proof");
    assert!(matches!(p.verify(&e, x, T), Err(VerifyError::Group(_))));
    assert!(matches!(p.verify(d, &z, T), Err(VerifyError::Group(_))));
    assert!(matches!(
        verify(d, x, &q.y, &p.pi, T),
        Err(VerifyError::Group(_))
    ));
    assert!(matches!(
        verify(d, x, &p.y, &q.pi, T),
        Err(VerifyError::Group(_))
    ));
    let (y, pi) = p.to_bytes();
    assert_eq!(
        VdfProof::from_bytes(&e, y.as_ref(), pi.as_ref()),
        Err(VerifyError::Output(FormError::Discriminant))
    );
    let (good, _) = q.to_bytes();
    assert_eq!(
        VdfProof::from_bytes(&e, good.as_ref(), pi.as_ref()),
        Err(VerifyError::Proof(FormError::Discriminant))
    );
}

#[test]
fn malformed_bytes_are_named_errors() {
    let Case { d, p, .. } = case();
    let (y, pi) = p.to_bytes();
    let (y, pi) = (y.as_ref(), pi.as_ref());
    let length = |got| FormError::Length {
        expected: d.form_len(),
        got,
    };
    let long = [y, &[0]].concat();
    assert_eq!(
        VdfProof::from_bytes(d, &[], pi),
        Err(VerifyError::Output(length(0)))
    );
    assert_eq!(
        VdfProof::from_bytes(d, &long, pi),
        Err(VerifyError::Output(length(long.len())))
    );
    assert_eq!(
        VdfProof::from_bytes(d, y, &pi[1..]),
        Err(VerifyError::Proof(length(pi.len() - 1)))
    );
    let zero = vec![0; y.len()];
    assert_eq!(
        VdfProof::from_bytes(d, y, &zero),
        Err(VerifyError::Proof(FormError::NotPositive))
    );
}

#[test]
fn no_changed_byte_survives() {
    let Case { d, x, p } = case();
    let (y, pi) = p.to_bytes();
    let blob = [y.as_ref(), pi.as_ref()].concat();
    for i in 0..blob.len() {
        for flip in [1, 0x10, 0x80, 0xff] {
            let mut wrong = blob.clone();
            wrong[i] ^= flip;
            let (y, pi) = wrong.split_at(d.form_len());
            let got = VdfProof::from_bytes(d, y, pi).and_then(|p| p.verify(d, x, T));
            assert!(got.is_err(), "byte {i} xor {flip}");
        }
    }
}
