//! Every way to bend a proof that has a name is rejected.

use std::sync::OnceLock;

use quil_vdf::{Discriminant, Form, FormError, VdfProof, VerifyError, base, prove, verify};

use crate::evaluation::{challenge, slow_proof};

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

/// A quotient by another prime satisfies its own equation, and the verifier asks for that of the challenge.
#[test]
fn proof_bound_to_challenge() {
    let Case { d, x, p } = case();
    let honest = challenge(d, x, &p.y, T);
    let others = [
        challenge(d, x, &p.y, T + 1),
        challenge(d, x, &p.y.square(), T),
        challenge(d, &x.square(), &p.y, T),
        [3, 0, 0, 0],
    ];
    for l in others {
        assert_ne!(l, honest);
        let (pi, r) = slow_proof(x, l, T, Form::identity(d));
        assert_eq!(mul(&pi.pow(&l), &x.pow(&r)), p.y, "an equation that holds");
        rejected(&p.y, &pi);
    }
    let (pi, _) = slow_proof(x, honest, T, Form::identity(d));
    assert_eq!(verify(d, x, &p.y, &pi, T), Ok(()));
}

/// Known powers of the proof and the output do not combine to another accepted pair: the challenge is fixed by `y`.
#[test]
fn outputs_multiplied_by_known_elements_are_rejected() {
    let Case { d, x, p } = case();
    for element in [*x, x.square_n(T - 1), Form::generator(d)] {
        let y = mul(&p.y, &element);
        let l = challenge(d, x, &y, T);
        // Whoever fixed the challenge first would take the root out of the element; nobody can take l-th roots.
        for pi in [mul(&p.pi, &element), p.pi, mul(&p.pi, &element.pow(&l))] {
            rejected(&y, &pi);
        }
    }
}

/// `(a, b + 2 k a)` is the same class in other bytes. Both forms of a proof are refused before anything is computed.
#[test]
fn second_encodings_are_rejected() {
    let Case { d, x, p } = case();
    let (y, pi) = p.to_bytes();
    let (y, pi) = (y.as_ref(), pi.as_ref());
    for k in [1, -1, 2, -2] {
        assert_eq!(
            VdfProof::from_bytes(d, &translated(y, k), pi),
            Err(VerifyError::Output(FormError::NotReduced))
        );
        assert_eq!(
            VdfProof::from_bytes(d, y, &translated(pi, k)),
            Err(VerifyError::Proof(FormError::NotReduced))
        );
    }
    assert_eq!(translated(y, 0), y);
    assert_eq!(
        VdfProof::from_bytes(d, y, pi).map(|p| p.verify(d, x, T)),
        Ok(Ok(()))
    );
}

/// The encoding with `b + 2 k a` for `b`.
fn translated(form: &[u8], k: i8) -> Vec<u8> {
    let (a, b) = form.split_at(form.len() / 2);
    let (mut out, mut carry) = (form.to_vec(), 0i32);
    for i in (0..b.len()).rev() {
        let t = i32::from(b[i]) + 2 * i32::from(k) * i32::from(a[i]) + carry;
        out[a.len() + i] = t.rem_euclid(256) as u8;
        carry = t.div_euclid(256);
    }
    out
}

/// Bases of different seeds share nothing: no small power of one output, alone or with the bases, is another's output.
#[test]
fn outputs_of_different_seeds_are_not_small_powers_of_each_other() {
    let Case { d, .. } = case();
    let outputs: Vec<(Form, Form)> = (0..4u8)
        .map(|i| {
            let x = base(d, &[i; 32]).expect("a base");
            (x, prove(d, &x, T).expect("proof").y)
        })
        .collect();
    for (i, (x, y)) in outputs.iter().enumerate() {
        for (other, z) in outputs.iter().skip(i + 1) {
            for k in 1..16u64 {
                let (yk, xk) = (y.pow(&[k]), x.pow(&[k]));
                for w in [yk, yk.inverse(), mul(&yk, x), mul(&yk, other)] {
                    assert!(w != *z && !z.pow(&[k]).eq(y));
                }
                assert!(xk != *other && xk.inverse() != *other);
            }
        }
    }
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
