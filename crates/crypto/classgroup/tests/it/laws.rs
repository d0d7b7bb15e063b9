//! Laws of an abelian group on random forms.

use std::sync::OnceLock;

use proptest::prelude::*;
use quil_classgroup::{Discriminant, ForeignGroup, Form, Power, multi_pow};

const SIZES: [usize; 5] = [40, 64, 192, 512, 2048];

fn groups() -> &'static [Discriminant] {
    static GROUPS: OnceLock<Vec<Discriminant>> = OnceLock::new();
    GROUPS.get_or_init(|| {
        SIZES
            .iter()
            .map(|&bits| Discriminant::derive(b"laws", bits).expect("size"))
            .collect()
    })
}

fn mul(x: &Form, y: &Form) -> Form {
    x.compose(y).expect("same group")
}

prop_compose! {
    fn element()(group in 0..SIZES.len(), seeds in prop::array::uniform3(any::<[u8; 32]>()))
        -> (Discriminant, [Form; 3])
    {
        let d = groups()[group];
        (d, seeds.map(|s| d.hash_to_form(b"laws", &s).expect("a form")))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn composition_is_associative_and_commutative((_, [x, y, z]) in element()) {
        prop_assert_eq!(mul(&mul(&x, &y), &z), mul(&x, &mul(&y, &z)));
        prop_assert_eq!(mul(&x, &y), mul(&y, &x));
    }

    #[test]
    fn identity_is_neutral_and_inverses_cancel((d, [x, y, _]) in element()) {
        let one = Form::identity(&d);
        prop_assert!(one.is_identity() && one.square() == one && one.inverse() == one);
        prop_assert_eq!(mul(&x, &one), x);
        prop_assert_eq!(mul(&one, &x), x);
        prop_assert!(mul(&x, &x.inverse()).is_identity());
        prop_assert_eq!(mul(&x, &y).inverse(), mul(&x.inverse(), &y.inverse()));
        prop_assert_eq!(x.inverse().inverse(), x);
    }

    #[test]
    fn square_is_product_with_itself((_, [x, y, _]) in element()) {
        prop_assert_eq!(x.square(), mul(&x, &x));
        prop_assert_eq!(mul(&x, &y).square(), mul(&x.square(), &y.square()));
    }

    #[test]
    fn powers_add_and_multiply((_, [x, y, _]) in element(), e in any::<[u64; 2]>(), f in any::<u64>()) {
        let (e1, e2) = (e[0] >> 1, e[1] >> 1);
        prop_assert_eq!(mul(&x.pow(&[e1]), &x.pow(&[e2])), x.pow(&[e1 + e2]));
        prop_assert_eq!(x.pow(&[e1]).pow(&[f]), x.pow(&[f]).pow(&[e1]));
        prop_assert_eq!(x.pow(&e), mul(&x.pow(&[e[0]]), &x.pow(&[e[1]]).square_n(64)));
        let both = multi_pow(&[Power::new(&x, &e), Power::new(&y, &[f])]);
        prop_assert_eq!(both, Ok(Some(mul(&x.pow(&e), &y.pow(&[f])))));
    }

    #[test]
    fn distinct_inverses((_, [x, _, _]) in element()) {
        // The class number is odd: only the identity is its own inverse.
        prop_assert!(x.inverse() != x || x.is_identity());
    }
}

#[test]
fn small_powers_by_repeated_composition() {
    for d in groups() {
        let x = d.hash_to_form(b"laws", &[9; 32]).expect("a form");
        let mut y = Form::identity(d);
        for e in 0..70u64 {
            assert_eq!(x.pow(&[e]), y, "exponent {e}");
            y = mul(&y, &x);
        }
        assert!(x.pow(&[]).is_identity());
        assert_eq!(x.pow(&[5, 0, 0]), x.pow(&[5]));
        assert_eq!(x.pow(&[0, 0, 1]), x.square_n(128));
        assert_eq!(x.pow(&[u64::MAX; 4]), mul(&x.square_n(256), &x.inverse()));
    }
}

/// A group small enough to exhaust: the order of an element divides the class number, which is odd.
#[test]
fn orders_are_odd_in_a_small_group() {
    let d = Discriminant::derive(b"small", 32).expect("size");
    let x = Form::generator(&d);
    let mut y = x;
    let mut order = 1u64;
    while !y.is_identity() {
        y = mul(&y, &x);
        order += 1;
        assert!(
            order < 200_000,
            "class numbers of 32-bit discriminants are near 2^15"
        );
    }
    assert_eq!(order % 2, 1);
    assert!(x.pow(&[order]).is_identity());
    assert_eq!(x.pow(&[order - 1]), x.inverse());
}

#[test]
fn forms_of_different_groups_do_not_mix() {
    let (x, y) = (Form::generator(&groups()[1]), Form::generator(&groups()[2]));
    assert_eq!(x.compose(&y), Err(ForeignGroup));
    assert_eq!(
        multi_pow(&[Power::new(&x, &[3]), Power::new(&y, &[3])]),
        Err(ForeignGroup)
    );
    assert_eq!(multi_pow(&[]), Ok(None));
    assert!(x.belongs_to(&groups()[1]) && !x.belongs_to(&groups()[2]));
}
