//! Hashing to a form, against its definition.

use dashu_int::{IBig, UBig, ops::RemEuclid};
use quil_classgroup::{Discriminant, Form, Prime256, is_prime};
use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

use crate::twin::{Twin, abs};

fn candidate(tag: &[u8], d: &Discriminant, seed: &[u8; 32], counter: u32) -> UBig {
    let mut input = vec![u8::try_from(tag.len()).unwrap()];
    input.extend(tag);
    input.extend(u32::try_from(d.to_be_bytes().len()).unwrap().to_le_bytes());
    input.extend(d.to_be_bytes());
    input.extend(seed);
    input.extend(counter.to_le_bytes());
    let mut h = Shake256::default();
    h.update(&input);
    let mut out = [0; 32];
    h.finalize_xof().read(&mut out);
    out[0] |= 0x80;
    out[31] |= 1;
    UBig::from_be_bytes(&out)
}

fn pow_mod(base: &UBig, e: &UBig, m: &UBig) -> UBig {
    let mut x = UBig::ONE;
    for bit in format!("{e:b}").bytes() {
        x = &x * &x % m;
        if bit == b'1' {
            x = x * base % m;
        }
    }
    x
}

/// The first prime candidate modulo which D is a square, by Euler's criterion.
fn expected_prime(tag: &[u8], d: &Discriminant, seed: &[u8; 32]) -> UBig {
    (0..)
        .map(|j| candidate(tag, d, seed, j))
        .find(|q| {
            let residue = (-IBig::from(abs(d))).rem_euclid(IBig::from(q.clone()));
            is_prime(q.as_words()) && pow_mod(&residue, &(q >> 1usize), q) == UBig::ONE
        })
        .expect("a prime")
}

#[test]
fn form_is_the_one_of_the_definition() {
    for (bits, seeds) in [(1024, 8u8), (2048, 4)] {
        let d = Discriminant::derive(b"hash", bits).expect("size");
        for s in 0..seeds {
            let x = d.hash_to_form(b"form", &[s; 32]).expect("a form");
            let t = Twin::of(&d, &x);
            assert_eq!(t.a, IBig::from(expected_prime(b"form", &d, &[s; 32])));
            assert!(t.b > IBig::ZERO && t.b < t.a, "the odd root in 0..q");
            t.c();
            assert_eq!(Form::from_bytes(&d, x.to_bytes().as_ref()), Ok(x));
        }
    }
}

/// Below 512 bits the prime exceeds the reduction bound: the form is reduced, the class is the same.
#[test]
fn small_groups_get_the_reduced_form() {
    for bits in [32, 64, 200, 256, 511] {
        let d = Discriminant::derive(b"hash", bits).expect("size");
        for s in 0..6u8 {
            let x = d.hash_to_form(b"form", &[s; 32]).expect("a form");
            let q = IBig::from(expected_prime(b"form", &d, &[s; 32]));
            let t = Twin::of(&d, &x);
            assert_eq!(Form::from_bytes(&d, x.to_bytes().as_ref()), Ok(x));
            // q is represented by the class: a form with first coefficient q is equivalent to x or its inverse.
            let d_big = -IBig::from(abs(&d));
            let b = (0..2).map(|_| root(&d_big, &q)).next().expect("a root");
            let lifted = Twin { a: q, b, d: d_big }.reduce();
            assert!(lifted == t || lifted == Twin::of(&d, &x.inverse()));
        }
    }
}

/// An odd square root of `d` modulo a prime, by Cipolla's method.
fn root(d: &IBig, q: &IBig) -> IBig {
    let m = |v: IBig| IBig::from(v.rem_euclid(q.clone()));
    let half = (q - IBig::ONE) / IBig::from(2);
    let euler = |v: &IBig| {
        let mut x = IBig::ONE;
        for bit in format!("{half:b}").bytes() {
            x = m(&x * &x);
            if bit == b'1' {
                x = m(&x * v);
            }
        }
        x
    };
    let mut t = IBig::ONE;
    while euler(&m(&t * &t - d)) == IBig::ONE {
        t += IBig::ONE;
    }
    let w = m(&t * &t - d);
    // (t + sqrt w)^((q + 1) / 2)
    let e = (q + IBig::ONE) / IBig::from(2);
    let (mut x, mut y) = (IBig::ONE, IBig::ZERO);
    for bit in format!("{e:b}").bytes() {
        (x, y) = (m(&x * &x + &y * &y * &w), m(IBig::from(2) * &x * &y));
        if bit == b'1' {
            (x, y) = (m(&x * &t + &y * &w), m(&x + &y * &t));
        }
    }
    assert!(y.is_zero() && m(&x * &x - d).is_zero());
    if (&x % IBig::from(2)).is_zero() {
        q - x
    } else {
        x
    }
}

#[test]
fn bases_depend_on_every_input() {
    let d = Discriminant::derive(b"one", 512).expect("size");
    let e = Discriminant::derive(b"two", 512).expect("size");
    let x = d.hash_to_form(b"form", &[0; 32]).expect("a form");
    assert_eq!(d.hash_to_form(b"form", &[0; 32]), Ok(x));
    let mut last = [0; 32];
    last[31] = 1;
    for (tag, seed) in [
        (&b"form"[..], last),
        (b"forn", [0; 32]),
        (b"", [0; 32]),
        (b"form2", [0; 32]),
    ] {
        assert_ne!(d.hash_to_form(tag, &seed), Ok(x));
    }
    let y = e.hash_to_form(b"form", &[0; 32]).expect("a form");
    assert!(!y.belongs_to(&d));
    assert_ne!(y.to_bytes().as_ref(), x.to_bytes().as_ref());
}

/// Roots exist for primes of every 2-adicity; this takes primes that are 1 modulo a large power of two.
#[test]
fn primes_of_high_two_adicity_serve() {
    // 2^255 + k 2^s + 1 prime
    let mut found = 0;
    for s in [60u32, 96, 128] {
        for k in 1u64..400 {
            let n = (UBig::ONE << 255usize) + (UBig::from(k) << s as usize) + UBig::ONE;
            let mut bytes = [0; 32];
            bytes.copy_from_slice(&n.to_be_bytes());
            if let Some(p) = Prime256::from_candidate(&bytes) {
                assert_eq!(p.to_be_bytes(), bytes);
                assert_eq!(p.limbs()[..], *n.as_words());
                found += 1;
                break;
            }
        }
    }
    assert_eq!(found, 3);
}
