//! Laws of every level, against schoolbook products with the defining relations.

use super::fp48::Line;
use super::*;
use crate::field::{Field, Wide};
use crate::fp::Fp;

/// Deterministic elements with full-size coordinates.
struct Source(Fp);

impl Source {
    fn new(seed: u64) -> Self {
        Self(Fp::from_u64(seed).add(&Fp::ONE.neg()))
    }

    fn fp(&mut self) -> Fp {
        self.0 = self
            .0
            .square()
            .add(&Fp::from_u64(0x9e37_79b9_7f4a_7c15))
            .mul(&Fp::from_u64(3).neg());
        self.0
    }

    fn fp2(&mut self) -> Fp2 {
        Fp2 {
            a: self.fp(),
            b: self.fp(),
        }
    }

    fn fp4(&mut self) -> Fp4 {
        Fp4 {
            a: self.fp2(),
            b: self.fp2(),
        }
    }

    fn fp8(&mut self) -> Fp8 {
        Fp8 {
            a: self.fp4(),
            b: self.fp4(),
        }
    }

    fn fp16(&mut self) -> Fp16 {
        Fp16 {
            a: self.fp8(),
            b: self.fp8(),
        }
    }

    fn fp48(&mut self) -> Fp48 {
        Fp48 {
            a: self.fp16(),
            b: self.fp16(),
            c: self.fp16(),
        }
    }
}

fn samples<F: Field>(mut next: impl FnMut() -> F) -> Vec<F> {
    let mut v: Vec<F> = (0..6).map(|_| next()).collect();
    v.extend([F::ZERO, F::ONE, F::ONE.neg(), F::ONE.mul_nonresidue()]);
    v
}

fn field_laws<F: Field>(values: &[F]) {
    for a in values {
        assert_eq!(a.mul(&F::ONE), *a);
        assert_eq!(a.square(), a.mul(a));
        assert_eq!(a.halve().double(), *a);
        assert_eq!(a.mul_nonresidue(), a.mul(&F::ONE.mul_nonresidue()));
        assert_eq!(
            F::reduce(&a.mul_wide(&F::ONE).mul_nonresidue()),
            a.mul_nonresidue()
        );
        assert_eq!(F::reduce(&a.mul_wide(&F::ONE).neg()), a.neg());
        assert_eq!(a.mul_fp(&Fp::from_u64(3)), a.double().add(a));
        if a.is_zero() {
            assert!(a.invert_or_zero().is_zero());
        } else {
            assert_eq!(a.mul(&a.invert_or_zero()), F::ONE);
            assert_ne!(a.sign(), a.neg().sign());
        }
        for b in values {
            assert_eq!(a.mul(b), b.mul(a));
            assert_eq!(a.sub(b).add(b), *a);
            assert_eq!(a.mul(b).frobenius(), a.frobenius().mul(&b.frobenius()));
            assert_eq!(a.add(b).frobenius(), a.frobenius().add(&b.frobenius()));
            for c in values {
                assert_eq!(a.mul(b).mul(c), a.mul(&b.mul(c)));
                assert_eq!(a.mul(&b.add(c)), a.mul(b).add(&a.mul(c)));
            }
        }
    }
}

fn square_roots<F: Field>(values: &[F]) {
    let mut squares = 0;
    for a in values {
        let root = a.square().sqrt_vartime().unwrap();
        assert!(root == *a || root == a.neg());
        assert!(a.square().is_square_vartime());
        assert_eq!(a.is_square_vartime(), a.sqrt_vartime().is_some());
        if let Some(r) = a.sqrt_vartime() {
            assert_eq!(r.square(), *a);
            squares += 1;
        }
        let other = a.mul_nonresidue();
        assert!(a.is_zero() || a.is_square_vartime() != other.is_square_vartime());
    }
    assert!(squares < values.len());
}

fn coordinates_round_trip<F: Field>(values: &[F], bytes: usize) {
    for a in values {
        let mut b = vec![0; bytes];
        a.write_be(&mut b);
        assert_eq!(F::read_be(&b), Some(*a));
        for i in (0..bytes).step_by(Fp::BYTES) {
            let mut bad = b.clone();
            bad[i] = 0xff;
            assert_eq!(F::read_be(&bad), None);
        }
        assert_eq!(F::read_be(&b[1..]), None);
    }
}

#[test]
fn laws_of_every_level() {
    let mut s = Source::new(1);
    field_laws(&samples(|| s.fp()));
    field_laws(&samples(|| s.fp2()));
    field_laws(&samples(|| s.fp4()));
    field_laws(&samples(|| s.fp8()));
}

#[test]
fn square_roots_of_every_level() {
    let mut s = Source::new(2);
    square_roots(&samples(|| s.fp()));
    square_roots(&samples(|| s.fp2()));
    square_roots(&samples(|| s.fp4()));
    square_roots(&samples(|| s.fp8()));
    // Elements of the subfield take the branch without a norm.
    let low: Vec<_> = (0..6)
        .map(|_| Fp2 {
            a: s.fp(),
            b: Fp::ZERO,
        })
        .collect();
    assert!(low.iter().all(Field::is_square_vartime));
    for a in low {
        assert_eq!(a.sqrt_vartime().unwrap().square(), a);
    }
}

#[test]
fn coordinates_of_every_level() {
    let mut s = Source::new(3);
    coordinates_round_trip(&samples(|| s.fp()), 73);
    coordinates_round_trip(&samples(|| s.fp2()), 146);
    coordinates_round_trip(&samples(|| s.fp8()), 584);
}

#[test]
fn relations_define_the_tower() {
    let i = Fp2 {
        a: Fp::ZERO,
        b: Fp::ONE,
    };
    assert_eq!(i.square(), Fp2::ONE.neg());
    let s = Fp4::ONE.mul_x();
    assert_eq!(
        s.square(),
        Fp4 {
            a: Fp2::ONE.add(&i).neg(),
            b: Fp2::ZERO
        }
    );
    let t = Fp8::ONE.mul_x();
    assert_eq!(
        t.square(),
        Fp8 {
            a: s.neg(),
            b: Fp4::ZERO
        }
    );
    let u = Fp16::ONE.mul_x();
    assert_eq!(
        u.square(),
        Fp16 {
            a: t.neg(),
            b: Fp8::ZERO
        }
    );
    let v = Fp48 {
        a: Fp16::ZERO,
        b: Fp16::ONE,
        c: Fp16::ZERO,
    };
    assert_eq!(v.mul(&v).mul(&v), Fp48 { a: u, ..ZERO48 });
}

const ZERO48: Fp48 = Fp48 {
    a: Fp16::ZERO,
    b: Fp16::ZERO,
    c: Fp16::ZERO,
};

/// `z^p` by square and multiply.
fn pow_p(z: &Fp48) -> Fp48 {
    let mut acc = Fp48::ONE;
    for byte in Fp::ONE.neg().to_be_bytes() {
        for i in (0..8).rev() {
            acc = acc.mul(&acc);
            if (byte >> i) & 1 == 1 {
                acc = acc.mul(z);
            }
        }
    }
    acc.mul(z)
}

#[test]
fn frobenius_is_the_pth_power() {
    let z = Source::new(4).fp48();
    assert_eq!(z.frobenius(), pow_p(&z));
    assert_eq!(z.frobenius_n(8), z.frobenius_8());
    assert_eq!(z.frobenius_n(24), z.conjugate());
    assert_eq!(z.frobenius_n(48), z);
}

#[test]
fn fp48_ring_laws() {
    let mut s = Source::new(5);
    let (x, y, z) = (s.fp48(), s.fp48(), s.fp48());
    assert_eq!(x.mul(&y), y.mul(&x));
    assert_eq!(x.mul(&y).mul(&z), x.mul(&y.mul(&z)));
    assert_eq!(x.mul(&Fp48::ONE), x);
    assert_eq!(x.square(), x.mul(&x));
    assert_eq!(x.mul(&x.invert_or_zero()), Fp48::ONE);
    assert_eq!(ZERO48.invert_or_zero(), ZERO48);
    // Schoolbook product with v^3 = u.
    let a =
        x.a.mul(&y.a)
            .add(&x.b.mul(&y.c).add(&x.c.mul(&y.b)).mul_x());
    let b =
        x.a.mul(&y.b)
            .add(&x.b.mul(&y.a))
            .add(&x.c.mul(&y.c).mul_x());
    let c = x.a.mul(&y.c).add(&x.b.mul(&y.b)).add(&x.c.mul(&y.a));
    assert_eq!(x.mul(&y), Fp48 { a, b, c });
}

#[test]
fn sparse_product_is_the_full_product() {
    let mut s = Source::new(6);
    let f = s.fp48();
    let line = Line {
        v1: s.fp8(),
        v3: s.fp8(),
    };
    let full = Fp48 {
        a: Fp16 {
            a: Fp8::ONE,
            b: line.v3,
        },
        b: Fp16 {
            a: line.v1,
            b: Fp8::ZERO,
        },
        c: Fp16::ZERO,
    };
    assert_eq!(f.mul_by_line(&line), f.mul(&full));
}

#[test]
fn cyclotomic_square_and_power() {
    let f = Source::new(7).fp48();
    let f = f.conjugate().mul(&f.invert_or_zero());
    let m = f.frobenius_8().mul(&f);
    assert_eq!(m.cyclotomic_square(), m.square());
    let mut power = Fp48::ONE;
    for i in (0..33).rev() {
        power = power.square();
        if (crate::curve::X_ABS >> i) & 1 == 1 {
            power = power.mul(&m);
        }
    }
    assert_eq!(m.pow_x(), power.conjugate());
    assert_eq!(Fp48::ONE.pow_x(), Fp48::ONE);
    assert_eq!(m.mul(&m.conjugate()), Fp48::ONE);
}

/// The largest coordinates everywhere reach the largest intermediate sums; the debug bound on lazy operands is active.
#[test]
fn extreme_coordinates_do_not_overflow() {
    let m = Fp::ONE.neg();
    let m2 = Fp2 { a: m, b: m };
    let m4 = Fp4 { a: m2, b: m2 };
    let m8 = Fp8 { a: m4, b: m4 };
    let m16 = Fp16 { a: m8, b: m8 };
    let all = Fp48 {
        a: m16,
        b: m16,
        c: m16,
    };
    let ones = {
        let o2 = Fp2 {
            a: Fp::ONE,
            b: Fp::ONE,
        };
        let o4 = Fp4 { a: o2, b: o2 };
        let o8 = Fp8 { a: o4, b: o4 };
        let o16 = Fp16 { a: o8, b: o8 };
        Fp48 {
            a: o16,
            b: o16,
            c: o16,
        }
    };
    assert_eq!(all.mul(&all), ones.mul(&ones));
    assert_eq!(all.square(), ones.square());
    let line = Line { v1: m8, v3: m8 };
    let full = Fp48 {
        a: Fp16 { a: Fp8::ONE, b: m8 },
        b: Fp16 {
            a: m8,
            b: Fp8::ZERO,
        },
        c: Fp16::ZERO,
    };
    assert_eq!(all.mul_by_line(&line), all.mul(&full));
}

#[test]
fn wide_sums_reduce_within_their_bound() {
    // 2^39 products of the largest element, both signs.
    let m = Fp::ONE.neg();
    let mut sum = m.mul_wide(&m);
    for _ in 0..39 {
        let copy = sum;
        sum.add_assign(&copy);
    }
    let expected = Fp::from_u64(1 << 39);
    assert_eq!(sum.reduce(), expected);
    assert_eq!(Wide::neg(&sum).reduce(), expected.neg());
    assert_eq!(crate::fp::FpWide::ZERO.reduce(), Fp::ZERO);
}

/// Elements with the largest representatives, random ones, zero and one.
#[cfg(target_arch = "x86_64")]
fn vector_samples() -> Vec<Fp48> {
    let mut s = Source::new(8);
    let top = Fp({
        let mut l = Fp::TWICE;
        l[0] -= 1;
        l
    });
    let t2 = Fp2 { a: top, b: top };
    let t4 = Fp4 { a: t2, b: t2 };
    let t8 = Fp8 { a: t4, b: t4 };
    let t16 = Fp16 { a: t8, b: t8 };
    let mut all = vec![
        Fp48 {
            a: t16,
            b: t16,
            c: t16,
        },
        ZERO48,
        Fp48::ONE,
        Fp48 {
            a: Fp16::ZERO,
            b: t16,
            c: Fp16::ZERO,
        },
    ];
    all.extend((0..6).map(|_| s.fp48()));
    all
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_compute_the_tower() {
    if !quil_simd::Features::of_machine().ifma {
        return;
    }
    for x in vector_samples() {
        let vx = Fp48V::enter(&x);
        assert_eq!(vx.leave(), x);
        assert_eq!(vx.square().leave(), x.square());
        assert_eq!(vx.conjugate().leave(), x.conjugate());
        for y in vector_samples() {
            assert_eq!(vx.mul(&Fp48V::enter(&y)).leave(), x.mul(&y));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_compute_in_the_cyclotomic_subgroup() {
    if !quil_simd::Features::of_machine().ifma {
        return;
    }
    let mut s = Source::new(9);
    for _ in 0..3 {
        let f = s.fp48();
        let f = f.conjugate().mul(&f.invert_or_zero());
        let mut m = f.frobenius_8().mul(&f);
        let mut v = Fp48V::enter(&m);
        for i in 0..100 {
            (m, v) = if i % 7 == 3 {
                (m.conjugate(), v.conjugate())
            } else {
                (m.cyclotomic_square(), v.cyclotomic_square())
            };
            assert_eq!(v.leave(), m);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn vectors_compute_lines() {
    if !quil_simd::Features::of_machine().ifma {
        return;
    }
    let mut s = Source::new(10);
    let (slope, offset, x, y, f) = (s.fp8(), s.fp8(), s.fp(), s.fp(), s.fp48());
    let line = Line {
        v1: slope.mul_fp(&x),
        v3: offset.mul_fp(&y),
    };
    let v = Fp48V::line(&slope, &offset, &LinePointV::new(&x, &y));
    assert_eq!(Fp48V::enter(&f).mul(&v).leave(), f.mul_by_line(&line));
}
