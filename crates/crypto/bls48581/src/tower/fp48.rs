//! `Fp48 = Fp16[v]`, `v^3 = u`: the target field of the pairing.

use super::{Fp2, Fp8, Fp16, Tower};
use crate::curve::X_ABS;
use crate::field::{Field, Wide, batch_invert};
use crate::fp::Fp;

/// `a + b v + c v^2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fp48 {
    pub(crate) a: Fp16,
    pub(crate) b: Fp16,
    pub(crate) c: Fp16,
}

/// Value of a line function at a point, scaled to `1 + v1 v + v3 v^3`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) v1: Fp8,
    pub(crate) v3: Fp8,
}

/// `v^(p-1) = KAPPA s t`.
const KAPPA: Fp2 = Fp2::from_hex(
    "fd30db50149fa75cd7e73e55f6067d047983e7858740e3cafd6b62f496307e298187e6848493e1c8c41890377b51208ac0fa7df2570715ece4db41942760ad3f962eb6cfe42aeb25",
    "fd30db50149fa75cd7e73e55f6067d047983e7858740e3cafd6b62f496307e298187e6848493e1c8c41890377b51208ac0fa7df2570715ece4db41942760ad3f962eb6cfe42aeb25",
);
/// `v^(2 (p-1)) = KAPPA2 s`.
const KAPPA2: Fp2 = Fp2::from_hex(
    "782baa79ecbd5e7ccd6a4f9ce061c2e2a7ce84741a95b9ba85c1d4170928e3f69ed4e2cd8d6f497d7be2ee18ea8f0b7429cba5847c22b3a5133ac3be35ba8f827404e57a0a300fb46",
    "afe3c98547b99496b4e3e2378fb0dd22c6b6745d077d61f938aa3b08304c6053a9d960e1e098e15020f0157c09e4623b3e6ad4d096f45b3b923e3a38ebea15084fe8dbdadc26495e5",
);
/// `v^(3 (p-1)) = KAPPA3 t`.
const KAPPA3: Fp2 = Fp2::from_hex(
    "3f9a03d323ede5aac2a00d508a1e44b49da4be9645f87f8fc3749e6ab450c53b6b2ab7c4fc30e79cd9087fbe90abf056fefb699b487d8d8a273cbe0f0beb35e0442efdc300056a36",
    "3f9a03d323ede5aac2a00d508a1e44b49da4be9645f87f8fc3749e6ab450c53b6b2ab7c4fc30e79cd9087fbe90abf056fefb699b487d8d8a273cbe0f0beb35e0442efdc300056a36",
);
/// `v^(p^8 - 1)`, a primitive sixth root of unity in the base field.
const OMEGA: Fp = Fp::from_hex(
    "1280f73fc6deb7e0e24785fdf8e093c807bd5536b9e3caf955ea021af450abfdee907993c2bdccb156d8fed2ba8d80cd40ad3cf331bc79abf03733068e21bbeac419fd7a88839df59b",
);

/// `z` times `s`.
fn mul_s(z: &Fp8) -> Fp8 {
    Fp8 {
        a: z.a.mul_x(),
        b: z.b.mul_x(),
    }
}

/// `z` times `v^(p-1)`.
fn mul_kappa(z: &Fp8) -> Fp8 {
    mul_s(&z.mul_fp2(&KAPPA)).mul_x()
}

/// `z` times `v^(2 (p-1))`.
pub(crate) fn mul_kappa2(z: &Fp8) -> Fp8 {
    mul_s(&z.mul_fp2(&KAPPA2))
}

/// `z` times `v^(3 (p-1))`.
pub(crate) fn mul_kappa3(z: &Fp8) -> Fp8 {
    z.mul_fp2(&KAPPA3).mul_x()
}

/// `3 z - 2 w`.
fn three_minus_two(z: &Fp8, w: &Fp8) -> Fp8 {
    z.sub(w).double().add(z)
}

/// `3 z + 2 w`.
fn three_plus_two(z: &Fp8, w: &Fp8) -> Fp8 {
    z.add(w).double().add(z)
}

impl Fp48 {
    /// One.
    pub(crate) const ONE: Self = Self {
        a: Fp16::ONE,
        b: Fp16::ZERO,
        c: Fp16::ZERO,
    };

    /// Product.
    pub(crate) fn mul(&self, rhs: &Self) -> Self {
        let (x, y) = (self, rhs);
        let mut aa = x.a.mul_wide(&y.a);
        let bb = x.b.mul_wide(&y.b);
        let cc = x.c.mul_wide(&y.c);
        let mut bc = x.b.add_lazy(&x.c).mul_wide(&y.b.add_lazy(&y.c));
        bc.sub_assign(&bb);
        bc.sub_assign(&cc);
        let mut ab = x.a.add_lazy(&x.b).mul_wide(&y.a.add_lazy(&y.b));
        ab.sub_assign(&aa);
        ab.sub_assign(&bb);
        // Times u is minus the non-residue of the level.
        ab.sub_nonresidue(&cc);
        let mut ac = x.a.add_lazy(&x.c).mul_wide(&y.a.add_lazy(&y.c));
        ac.sub_assign(&aa);
        ac.sub_assign(&cc);
        ac.add_assign(&bb);
        aa.sub_nonresidue(&bc);
        Self {
            a: Fp16::reduce(&aa),
            b: Fp16::reduce(&ab),
            c: Fp16::reduce(&ac),
        }
    }

    /// Square (Chung and Hasan, "Asymmetric squaring formulae", 2007: two products, three squares).
    pub(crate) fn square(&self) -> Self {
        let mut s0 = self.a.sqr_wide();
        let s1 = self.a.add_lazy(&self.a).mul_wide(&self.b);
        let s3 = self.b.add_lazy(&self.b).mul_wide(&self.c);
        let s4 = self.c.sqr_wide();
        // (a - b + c)^2 + 2ab + 2bc - a^2 - c^2 = b^2 + 2ac
        let mut c = self.a.sub(&self.b).add_lazy(&self.c).sqr_wide();
        c.add_assign(&s1);
        c.add_assign(&s3);
        c.sub_assign(&s0);
        c.sub_assign(&s4);
        s0.sub_nonresidue(&s3);
        let mut b = s1;
        b.sub_nonresidue(&s4);
        Self {
            a: Fp16::reduce(&s0),
            b: Fp16::reduce(&b),
            c: Fp16::reduce(&c),
        }
    }

    /// Square of an element of order dividing `p^16 - p^8 + 1` (Granger and Scott, "Faster squaring in the cyclotomic
    /// subgroup of sixth degree extensions", 2010).
    pub(crate) fn cyclotomic_square(&self) -> Self {
        let (b, c) = self.compressed_square();
        let aa = self.a.square();
        Self {
            a: Fp16 {
                a: three_minus_two(&aa.a, &self.a.a),
                b: three_plus_two(&aa.b, &self.a.b),
            },
            b,
            c,
        }
    }

    /// `b` and `c` of the cyclotomic square; they depend on `b` and `c` only.
    fn compressed_square(&self) -> (Fp16, Fp16) {
        let bb = self.b.square();
        let cc = self.c.square().mul_x();
        let b = Fp16 {
            a: three_plus_two(&cc.a, &self.b.a),
            b: three_minus_two(&cc.b, &self.b.b),
        };
        let c = Fp16 {
            a: three_minus_two(&bb.a, &self.c.a),
            b: three_plus_two(&bb.b, &self.c.b),
        };
        (b, c)
    }

    /// `2^n`-th powers in the cyclotomic subgroup for ascending `n`, by squaring in compressed form (Karabina,
    /// "Squaring in cyclotomic subgroups", 2013) and one inversion for all of them. Variable time.
    fn cyclotomic_powers_of_two<const N: usize>(&self, exponents: [usize; N]) -> [Self; N] {
        let mut z = *self;
        let mut done = 0;
        let mut powers = exponents.map(|n| {
            for _ in done..n {
                (z.b, z.c) = z.compressed_square();
            }
            done = n;
            z
        });
        let fractions = powers.map(|z| z.decompression_fraction());
        let mut inverses = fractions.map(|(_, den)| den);
        batch_invert(&mut inverses);
        for ((z, (num, _)), inv) in powers.iter_mut().zip(&fractions).zip(&inverses) {
            z.a = z.decompress(&num.mul(inv));
        }
        powers
    }

    /// Numerator and denominator of the coordinate of `u`, from `b` and `c`.
    fn decompression_fraction(&self) -> (Fp8, Fp8) {
        let (g2, g3, g4, g5) = (&self.b.a, &self.b.b, &self.c.a, &self.c.b);
        if g2.is_zero() {
            return (g4.mul(g5).double(), *g3);
        }
        let g44 = g4.square();
        let num = g5
            .square()
            .mul_nonresidue()
            .add(&g44.double().add(&g44))
            .sub(&g3.double());
        (num, g2.double().double())
    }

    /// The coordinate `a`, given its part `g1` at `u`.
    fn decompress(&self, g1: &Fp8) -> Fp16 {
        let (g2, g3, g4, g5) = (&self.b.a, &self.b.b, &self.c.a, &self.c.b);
        let g34 = g3.mul(g4);
        let sum = g1
            .square()
            .double()
            .add(&g2.mul(g5))
            .sub(&g34.double().add(&g34));
        Fp16 {
            a: sum.mul_nonresidue().add(&Fp8::ONE),
            b: *g1,
        }
    }

    /// Product with a line value: ten products in `Fp8`.
    pub(crate) fn mul_by_line(&self, line: &Line) -> Self {
        let (l1, l3) = (&line.v1, &line.v3);
        let sum = l1.add_lazy(l3);
        let [e0, e1, e2, e3, e4, e5] = [
            &self.a.a, &self.b.a, &self.c.a, &self.a.b, &self.b.b, &self.c.b,
        ];
        // e_j l3 + e_(j+2) l1 from one product, given e_j l1 and e_(j+2) l3.
        let pair = |x: &Fp8, y: &Fp8| {
            let (x1, y3) = (x.mul_wide(l1), y.mul_wide(l3));
            let mut both = x.add_lazy(y).mul_wide(&sum);
            both.sub_assign(&x1);
            both.sub_assign(&y3);
            (x1, both, y3)
        };
        let (mut o1, o3, mut o5) = pair(e0, e2);
        let (mut o4, o6, o8) = pair(e3, e5);
        o4.add_assign(&e1.mul_wide(l3));
        let mut o2 = e1.mul_wide(l1);
        o2.add_nonresidue(&o8);
        o1.add_nonresidue(&e4.mul_wide(l3));
        o5.add_assign(&e4.mul_wide(l1));
        // v^6 = u^2 = -t.
        let o0 = o6.mul_nonresidue();
        let out = |e: &Fp8, o| e.add(&Fp8::reduce(o));
        Self {
            a: Fp16 {
                a: out(e0, &o0),
                b: out(e3, &o3),
            },
            b: Fp16 {
                a: out(e1, &o1),
                b: out(e4, &o4),
            },
            c: Fp16 {
                a: out(e2, &o2),
                b: out(e5, &o5),
            },
        }
    }

    /// `p^24`-th power; the inverse of an element of order dividing `p^24 + 1`.
    pub(crate) fn conjugate(&self) -> Self {
        Self {
            a: self.a.conjugate(),
            b: self.b.conjugate().neg(),
            c: self.c.conjugate(),
        }
    }

    /// Inverse, zero for zero.
    pub(crate) fn invert_or_zero(&self) -> Self {
        let (x, y, z) = (&self.a, &self.b, &self.c);
        let mut t0 = x.sqr_wide();
        t0.add_nonresidue(&y.mul_wide(z));
        let mut t1 = x.mul_wide(y).neg();
        t1.sub_nonresidue(&z.sqr_wide());
        let mut t2 = y.sqr_wide();
        t2.sub_assign(&x.mul_wide(z));
        let (t0, t1, t2) = (Fp16::reduce(&t0), Fp16::reduce(&t1), Fp16::reduce(&t2));
        let mut w = z.mul_wide(&t1);
        w.add_assign(&y.mul_wide(&t2));
        let mut n = x.mul_wide(&t0);
        n.sub_nonresidue(&w);
        let n = Fp16::reduce(&n).invert_or_zero();
        Self {
            a: t0.mul(&n),
            b: t1.mul(&n),
            c: t2.mul(&n),
        }
    }

    /// `p`-th power.
    pub(crate) fn frobenius(&self) -> Self {
        let (b, c) = (self.b.frobenius(), self.c.frobenius());
        Self {
            a: self.a.frobenius(),
            b: Fp16 {
                a: mul_kappa(&b.a),
                b: mul_kappa(&b.b),
            },
            c: Fp16 {
                a: mul_kappa2(&c.a),
                b: mul_kappa2(&c.b),
            },
        }
    }

    /// `p^n`-th power.
    pub(crate) fn frobenius_n(&self, n: usize) -> Self {
        (0..n).fold(*self, |z, _| z.frobenius())
    }

    /// `p^8`-th power.
    pub(crate) fn frobenius_8(&self) -> Self {
        Self {
            a: self.a.conjugate(),
            b: self.b.conjugate().mul_fp(&OMEGA),
            c: self.c.conjugate().mul_fp(&OMEGA.square()),
        }
    }

    /// `x`-th power in the cyclotomic subgroup, `x = -(2^32 + 2^30 + 2^10 - 2^7 + 1)`.
    pub(crate) fn pow_x(&self) -> Self {
        const _: () = assert!((1 << 32) + (1 << 30) + (1 << 10) - (1 << 7) + 1 == X_ABS);
        let [p7, p10, p30, p32] = self.cyclotomic_powers_of_two([7, 10, 30, 32]);
        p32.mul(&p30)
            .mul(&p10)
            .mul(&p7.conjugate())
            .mul(self)
            .conjugate()
    }

    /// Canonical coordinates, highest first.
    pub(crate) fn write_be(&self, out: &mut [u8]) {
        let third = out.len() / 3;
        for (part, z) in out.chunks_exact_mut(third).zip([&self.c, &self.b, &self.a]) {
            z.write_be(part);
        }
    }
}
