//! NUCOMP: composition with a partial reduction in the middle (Jacobson and van der Poorten 2002).
//!
//! Let `g = gcd(a1, a2, s)`, `s = (b1 + b2) / 2`, `n = (b2 - b1) / 2`, `a1' = a1 / g`, `a2' = a2 / g`. The composed form
//! is `(a1' a2', b2 + 2 a2' k, ..)` for the `k` modulo `a1'` with `a2' k = -n` and `(s / g) k = -c2`. In the variables
//! `R = a1' X + k Y` and `Y` it reads `R M1 + Y M2` with `a1' M1 = a2' R + n Y` and `a1' M2 = s R + g c2 Y`; the
//! Euclidean algorithm on `(a1', k)` walks through bases `(P, Q)` of that lattice.

use crate::{
    form::Form,
    gcd::{Euclid, Gcd},
    int::{FULL, HALF, Int, Nat, Term, exact_quotient, mul_mod, sum_of_products},
};

/// Operands after the greatest common divisor has been taken out.
struct Congruence {
    a1: Nat<HALF>,
    a2: Nat<HALF>,
    k: Nat<HALF>,
    g: Nat<HALF>,
}

impl Form {
    pub(super) fn compose_same_group(&self, other: &Self) -> Self {
        let (f, h) = if self.a.cmp(other.a.as_limbs()).is_ge() {
            (self, other)
        } else {
            (other, self)
        };
        if h.a.is_one() {
            return *f;
        }
        let s: Int<FULL> = f.b.add(&h.b);
        let s = s.half();
        let n: Int<FULL> = h.b.sub(&s);
        let Congruence { a1, a2, k, g } = congruence(f, h, &s, &n);
        let mut e = Euclid::new(&a1, &k);
        e.run_until(self.group.quarter() + a1.bits().saturating_sub(a2.bits()) / 2);
        let m1q: Int<FULL> = exact_quotient(
            Term::new(false, a2.as_limbs(), e.q()),
            Term::new(n.is_neg(), n.limbs(), e.yq()),
            a1.as_limbs(),
        );
        let gc: Int<FULL> = sum_of_products(
            Term::new(false, g.as_limbs(), h.c.as_limbs()),
            Term::new(false, &[], &[]),
        );
        let m2q: Int<FULL> = exact_quotient(
            Term::new(s.is_neg(), s.limbs(), e.q()),
            Term::new(false, gc.limbs(), e.yq()),
            a1.as_limbs(),
        );
        // yp M1Q + yq M1P = a2' and yp M2Q + yq M2P = s, as the bases have determinant 1.
        let m1p = complement((false, a2.as_limbs()), &e, &m1q);
        let m2p = complement((s.is_neg(), s.limbs()), &e, &m2q);
        let new_a: Int<FULL> = signed_sum((false, e.p(), &m1p), (true, e.yp(), &m2p));
        let new_c: Int<FULL> = signed_sum((false, e.q(), &m1q), (false, e.yq(), &m2q));
        let half_b: Int<FULL> = signed_sum((false, e.p(), &m1q), (true, e.yp(), &m2q));
        f.finish(&new_a, &half_b, &new_c)
    }
}

fn signed_sum(
    (neg_x, x, u): (bool, &[u64], &Int<FULL>),
    (neg_y, y, v): (bool, &[u64], &Int<FULL>),
) -> Int<FULL> {
    sum_of_products(
        Term::new(neg_x ^ u.is_neg(), x, u.limbs()),
        Term::new(neg_y ^ v.is_neg(), y, v.limbs()),
    )
}

/// `(total - yp mq) / yq`.
fn complement(total: (bool, &[u64]), e: &Euclid, mq: &Int<FULL>) -> Int<FULL> {
    exact_quotient(
        Term::new(total.0, total.1, &[1]),
        Term::new(!mq.is_neg(), e.yp(), mq.limbs()),
        e.yq(),
    )
}

fn congruence(f: &Form, h: &Form, s: &Int<FULL>, n: &Int<FULL>) -> Congruence {
    let Gcd {
        gcd: d,
        cofactor: u,
        neg,
    } = Euclid::new(&f.a, &h.a).gcd();
    // u a2 = d modulo a1; -u n is the solution when d divides s.
    let minus_un = |m: &Nat<HALF>| {
        let un = mul_mod(&n.mag().rem(m), &u.rem(m), m);
        Int::new(neg == n.is_neg(), un).rem_euclid(m)
    };
    if d.is_one() || s.mag().rem(&d).is_zero() {
        let a1 = f.a.div_exact(&d);
        return Congruence {
            k: minus_un(&a1),
            a2: h.a.div_exact(&d),
            a1,
            g: d,
        };
    }
    // g = alpha d + w s.
    let inner = Euclid::new(&d, &s.mag().rem(&d)).gcd();
    let (g, w) = (inner.gcd, inner.cofactor);
    let w_neg = inner.neg ^ s.is_neg();
    let alpha: Int<FULL> = exact_quotient(
        Term::new(false, g.as_limbs(), &[1]),
        Term::new(!inner.neg, w.as_limbs(), s.limbs()),
        d.as_limbs(),
    );
    let a1 = f.a.div_exact(&g);
    let first = mul_mod(&alpha.rem_euclid(&a1), &minus_un(&a1), &a1);
    let second = mul_mod(&w.rem(&a1), &h.c.rem(&a1), &a1);
    let first: Int<HALF> = Int::new(false, first);
    let k: Int<HALF> = first.add(&Int::new(!w_neg, second));
    Congruence {
        k: k.rem_euclid(&a1),
        a2: h.a.div_exact(&g),
        a1,
        g,
    }
}
