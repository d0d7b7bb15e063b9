//! Forms, discriminants and VDF proofs.

use std::sync::LazyLock;

use quil_classgroup::{Discriminant, Form};
use quil_vdf::{VdfProof, base, prove};

use super::{SMALL, decoder, one_encoding, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("classgroup.form", 3000, SMALL, forms, form),
    decoder("classgroup.form_2048", 600, SMALL, large_forms, large_form),
    decoder(
        "classgroup.discriminant",
        600,
        SMALL,
        discriminants,
        discriminant,
    ),
    verifier("vdf.proof", 150, proofs, proof),
];

/// Squarings of the proofs.
const SQUARINGS: u64 = 100;

static SMALL_GROUP: LazyLock<Discriminant> =
    LazyLock::new(|| Discriminant::derive(b"fuzz", 256).expect("a size"));
static LARGE_GROUP: LazyLock<Discriminant> =
    LazyLock::new(|| Discriminant::derive(b"fuzz", 2048).expect("a size"));

fn forms_of(group: &Discriminant) -> Vec<Vec<u8>> {
    let g = Form::generator(group);
    let far = g.square_n(300);
    [Form::identity(group), g, g.inverse(), far, far.inverse()]
        .iter()
        .map(|f| f.to_bytes().as_ref().to_vec())
        .collect()
}

fn form_of(group: &Discriminant, bytes: &[u8]) -> Verdict {
    let decoded = Form::from_bytes(group, bytes);
    if let Ok(form) = &decoded {
        let one = form.compose(&form.inverse()).expect("one group");
        assert!(form.belongs_to(group) && one.is_identity());
    }
    one_encoding(bytes, decoded, |f| f.to_bytes().as_ref().to_vec())
}

fn forms() -> Vec<Vec<u8>> {
    forms_of(&SMALL_GROUP)
}

fn form(bytes: &[u8]) -> Verdict {
    form_of(&SMALL_GROUP, bytes)
}

fn large_forms() -> Vec<Vec<u8>> {
    forms_of(&LARGE_GROUP)
}

fn large_form(bytes: &[u8]) -> Verdict {
    form_of(&LARGE_GROUP, bytes)
}

fn discriminants() -> Vec<Vec<u8>> {
    [64, 128, 256]
        .into_iter()
        .map(|bits| {
            let d = Discriminant::derive(b"fuzz", bits).expect("a size");
            d.to_be_bytes()
        })
        .collect()
}

fn discriminant(bytes: &[u8]) -> Verdict {
    one_encoding(bytes, Discriminant::from_be_bytes(bytes), |d| {
        d.to_be_bytes()
    })
}

fn start() -> Form {
    base(&SMALL_GROUP, &[3; 32]).expect("a form")
}

/// y || pi.
fn proofs() -> Vec<Vec<u8>> {
    let (y, pi) = prove(&SMALL_GROUP, &start(), SQUARINGS)
        .expect("one group")
        .to_bytes();
    vec![[y.as_ref(), pi.as_ref()].concat()]
}

fn proof(bytes: &[u8]) -> Verdict {
    let (y, pi) = bytes.split_at(bytes.len() / 2);
    match VdfProof::from_bytes(&SMALL_GROUP, y, pi) {
        Ok(proof) => Verdict::of(&proof.verify(&SMALL_GROUP, &start(), SQUARINGS)),
        Err(_) => Verdict::Refused,
    }
}
