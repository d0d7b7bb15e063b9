//! The prover of the inner-product argument.
//!
//! The vectors are public here: a range proof without this argument would send them in clear (Bulletproofs, section
//! 4.2), so variable time is safe. Generators are not folded in each round: the first rounds use the static tables with
//! the products of challenges as coefficients, and every third round the folded generators are computed once and get
//! tables of their own.

use quil_decaf::{Point, PointTable, Scalar, msm};

use super::{InnerProof, transcript::RangeTranscript};
use crate::commitment::Element;

/// Rounds between two foldings of the generators.
const ROUNDS_PER_FOLD: u32 = 3;

/// Generators with the coefficients by which they count.
struct Base<'t> {
    tables: Vec<&'t PointTable>,
    factors: Vec<Scalar>,
}

impl Base<'_> {
    /// Adds the terms of the half `high` of a folded vector of length 2 * `half`, weighted by `values`.
    fn terms<'s>(
        &'s self,
        half: usize,
        high: bool,
        values: &[Scalar],
        out: &mut Vec<(Scalar, &'s PointTable)>,
    ) {
        let mask = half * 2 - 1;
        for (i, (table, factor)) in self.tables.iter().zip(&self.factors).enumerate() {
            let k = i & mask;
            if (k >= half) == high
                && let Some(v) = values.get(k % half)
            {
                out.push((*v * *factor, table));
            }
        }
    }

    fn fold(&mut self, half: usize, low: Scalar, high: Scalar) {
        let mask = half * 2 - 1;
        for (i, f) in self.factors.iter_mut().enumerate() {
            *f *= if i & mask < half { low } else { high };
        }
    }

    /// The folded generators themselves.
    fn collapse(&self, len: usize) -> Vec<Point> {
        let column = |k| -> Vec<(Scalar, &PointTable)> {
            let column = self.factors.iter().zip(&self.tables).skip(k);
            column.step_by(len).map(|(f, t)| (*f, *t)).collect()
        };
        let columns: Vec<_> = (0..len).map(column).collect();
        msm::many_vartime(&columns)
    }
}

/// Proves that P = <a, G> + <b, H'> + <a, b> w B for the vectors a, b, where H'_i = `h_factors[i]` H_i.
pub(super) struct InnerProver<'a, 't> {
    pub(super) transcript: &'a mut RangeTranscript,
    /// B and w.
    pub(super) product_base: (&'t PointTable, Scalar),
    pub(super) a: Vec<Scalar>,
    pub(super) b: Vec<Scalar>,
}

impl InnerProver<'_, '_> {
    /// Runs all rounds. All lengths are the same power of two.
    pub(super) fn run(
        mut self,
        g: Vec<&PointTable>,
        h: Vec<&PointTable>,
        h_factors: Vec<Scalar>,
    ) -> InnerProof {
        let ones = vec![Scalar::ONE; g.len()];
        let mut rounds = Vec::new();
        let mut base = (
            Base {
                tables: g,
                factors: ones,
            },
            Base {
                tables: h,
                factors: h_factors,
            },
        );
        let mut owned: (Vec<PointTable>, Vec<PointTable>);
        loop {
            for _ in 0..ROUNDS_PER_FOLD {
                if self.a.len() <= 1 {
                    return self.finish(rounds);
                }
                rounds.push(self.round(&mut base.0, &mut base.1));
            }
            let len = self.a.len();
            owned = (
                PointTable::batch(&base.0.collapse(len)),
                PointTable::batch(&base.1.collapse(len)),
            );
            let fresh = |t| Base {
                tables: Vec::from_iter(t),
                factors: vec![Scalar::ONE; len],
            };
            base = (fresh(owned.0.iter()), fresh(owned.1.iter()));
        }
    }

    fn finish(&self, rounds: Vec<(Element, Element)>) -> InnerProof {
        let last = |v: &[Scalar]| v.first().copied().unwrap_or_default();
        InnerProof {
            rounds,
            a: last(&self.a),
            b: last(&self.b),
        }
    }

    fn round(&mut self, g: &mut Base<'_>, h: &mut Base<'_>) -> (Element, Element) {
        let half = self.a.len() / 2;
        let (a_low, a_high) = self.a.split_at(half);
        let (b_low, b_high) = self.b.split_at(half);
        let (base, w) = self.product_base;
        let side = |a: &[Scalar], b: &[Scalar], g_high: bool| {
            let mut terms = vec![(inner_product(a, b) * w, base)];
            g.terms(half, g_high, a, &mut terms);
            h.terms(half, !g_high, b, &mut terms);
            terms
        };
        let sides = [side(a_low, b_high, true), side(a_high, b_low, false)];
        let mut points = msm::many_vartime(&sides).into_iter().map(Element::new);
        let mut next = || points.next().unwrap_or(Element::IDENTITY);
        let (l, r) = (next(), next());
        let u = self.transcript.round(&l, &r);
        let v = u.invert();
        let mix = |low: &[Scalar], high: &[Scalar], x: Scalar, y: Scalar| -> Vec<Scalar> {
            low.iter().zip(high).map(|(p, q)| *p * x + *q * y).collect()
        };
        (self.a, self.b) = (mix(a_low, a_high, u, v), mix(b_low, b_high, v, u));
        g.fold(half, v, u);
        h.fold(half, u, v);
        (l, r)
    }
}

pub(super) fn inner_product(a: &[Scalar], b: &[Scalar]) -> Scalar {
    a.iter().zip(b).map(|(x, y)| *x * *y).sum()
}
