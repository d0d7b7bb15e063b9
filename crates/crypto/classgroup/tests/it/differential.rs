//! The group law against the textbook twin, on every size class of the arithmetic.

use quil_classgroup::{Discriminant, Form};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::twin::Twin;

const SIZES: [usize; 14] = [
    32, 40, 63, 64, 65, 96, 127, 128, 129, 256, 500, 1000, 1024, 2048,
];

fn random_form(d: &Discriminant, rng: &mut impl Rng) -> Form {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    d.hash_to_form(b"test", &seed).expect("a form")
}

/// Asserts the equality of both implementations on one pair.
fn agree(d: &Discriminant, x: &Form, y: &Form) {
    let (tx, ty) = (Twin::of(d, x), Twin::of(d, y));
    let xy = x.compose(y).expect("same group");
    assert_eq!(Twin::of(d, &xy), tx.compose(&ty), "{x:?} * {y:?}");
    assert_eq!(Twin::of(d, &x.square()), tx.compose(&tx), "{x:?}^2");
    for f in [&xy, &x.square(), &x.inverse()] {
        let bytes = f.to_bytes();
        assert_eq!(
            Form::from_bytes(d, bytes.as_ref()).as_ref(),
            Ok(f),
            "results are reduced"
        );
    }
}

#[test]
fn products_and_squares_agree_on_random_forms() {
    for bits in SIZES {
        let mut rng = ChaCha8Rng::seed_from_u64(bits as u64);
        let d = Discriminant::derive(&bits.to_be_bytes(), bits).expect("size");
        let rounds = if bits <= 256 { 60 } else { 12 };
        for _ in 0..rounds {
            let (x, y) = (random_form(&d, &mut rng), random_form(&d, &mut rng));
            agree(&d, &x, &y);
            agree(&d, &x.square(), &y);
            agree(&d, &x.compose(&y).expect("same group"), &x);
        }
    }
}

/// Small powers of the generator have tiny or shared first coefficients: every branch of the gcd steps.
#[test]
fn products_agree_on_unbalanced_and_related_forms() {
    for bits in SIZES {
        let d = Discriminant::derive(&[bits.to_le_bytes()[0]; 3], bits).expect("size");
        let g = Form::generator(&d);
        let mut forms = vec![Form::identity(&d), g];
        for i in 1..=12u64 {
            forms.push(g.pow(&[i * i]));
            forms.push(g.square_n(i));
            forms.push(g.square_n((bits as u64 / 2).saturating_sub(i)));
            forms.push(g.square_n(bits as u64 / 2 + i).inverse());
        }
        let keep = if bits <= 256 { 30 } else { 14 };
        for x in &forms[..keep] {
            for y in &forms[..keep] {
                if x.compose(y).is_ok() {
                    agree(&d, x, y);
                }
            }
        }
    }
}

#[test]
fn long_walk_agrees_at_network_size() {
    let d = Discriminant::derive(b"walk", 2048).expect("size");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut x = random_form(&d, &mut rng);
    let mut t = Twin::of(&d, &x);
    for _ in 0..200 {
        (x, t) = (x.square(), t.compose(&t));
    }
    assert_eq!(Twin::of(&d, &x), t);
}
