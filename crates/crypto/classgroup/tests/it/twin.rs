//! A second implementation from the textbook, on a general big-integer library: slow and obvious.

use dashu_int::{
    IBig, Sign, UBig,
    ops::{DivRemEuclid, ExtendedGcd, RemEuclid},
};
use quil_classgroup::{Discriminant, Form};

/// A form with its discriminant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) a: IBig,
    pub(crate) b: IBig,
    pub(crate) d: IBig,
}

pub(crate) fn abs(d: &Discriminant) -> UBig {
    UBig::from_be_bytes(&d.to_be_bytes())
}

pub(crate) fn signed(bytes: &[u8]) -> IBig {
    let v = IBig::from(UBig::from_be_bytes(bytes));
    if bytes[0] >> 7 == 1 {
        v - (IBig::ONE << (8 * bytes.len()))
    } else {
        v
    }
}

/// Two's complement, big-endian, `len` bytes.
pub(crate) fn signed_bytes(v: &IBig, len: usize) -> Vec<u8> {
    let v = v.clone().rem_euclid(IBig::ONE << (8 * len));
    let mut out = vec![0; len];
    let (_, v) = IBig::from(v).into_parts();
    let bytes = v.to_be_bytes();
    out[len - bytes.len()..].copy_from_slice(&bytes);
    out
}

fn floor_div(n: &IBig, d: &IBig) -> IBig {
    let (q, _) = n.clone().div_rem_euclid(d.clone());
    q
}

impl Twin {
    pub(crate) fn of(d: &Discriminant, form: &Form) -> Self {
        let bytes = form.to_bytes();
        let (a, b) = bytes.as_ref().split_at(bytes.as_ref().len() / 2);
        Self {
            a: signed(a),
            b: signed(b),
            d: IBig::from_parts(Sign::Negative, abs(d)),
        }
    }

    pub(crate) fn c(&self) -> IBig {
        let four_a = IBig::from(4) * &self.a;
        let (c, r) = (&self.b * &self.b - &self.d).div_rem_euclid(four_a);
        assert!(r.is_zero(), "not of this discriminant");
        c
    }

    pub(crate) fn reduce(mut self) -> Self {
        loop {
            // b into (-a, a]
            let two_a = IBig::from(2) * &self.a;
            let q = floor_div(&(&self.a - &self.b), &two_a);
            self.b += q * &two_a;
            let c = self.c();
            if self.a > c {
                (self.a, self.b) = (c, -self.b);
            } else {
                if self.a == c && self.b < IBig::ZERO {
                    self.b = -self.b;
                }
                return self;
            }
        }
    }

    /// Dirichlet's composition: with `g = u a1 + v a2 + w s` the product has `a = a1 a2 / g^2` and
    /// `b = (u a1 b2 + v a2 b1 + w (b1 b2 + D) / 2) / g`.
    pub(crate) fn compose(&self, other: &Self) -> Self {
        let s: IBig = (&self.b + &other.b) / IBig::from(2);
        let (e, u0, v0) = gcd_ext(&self.a, &other.a);
        let (g, x, w) = gcd_ext(&e, &s);
        let (u, v) = (u0 * &x, v0 * &x);
        let mixed = (&self.b * &other.b + &self.d) / IBig::from(2);
        let b = (u * &self.a * &other.b + v * &other.a * &self.b + w * mixed) / &g;
        let a = &self.a * &other.a / (&g * &g);
        let b = IBig::from(b.rem_euclid(IBig::from(2) * &a));
        let d = self.d.clone();
        Self { a, b, d }.reduce()
    }
}

fn gcd_ext(a: &IBig, b: &IBig) -> (IBig, IBig, IBig) {
    if b.is_zero() {
        return (a.clone(), IBig::ONE, IBig::ZERO);
    }
    let (g, u, v) = a.clone().gcd_ext(b.clone());
    (IBig::from(g), u, v)
}
