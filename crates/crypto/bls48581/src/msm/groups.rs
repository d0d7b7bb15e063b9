//! Sums of groups of affine points.

use crate::curve::{Affine, Curve};
use crate::field::{Field, batch_invert};

/// How two points are added.
enum Step<F> {
    /// One of them is the identity, or they cancel.
    Done,
    /// Slope numerator; the denominator is in the shared list.
    Slope(F),
}

/// The sum of each group, the identity for an empty one. Points may repeat, cancel or be the identity.
pub(super) fn sum_groups<C: Curve>(mut groups: Vec<Vec<Affine<C>>>) -> Vec<Affine<C>> {
    let mut steps = Vec::new();
    let mut denominators = Vec::new();
    while groups.iter().any(|g| g.len() > 1) {
        steps.clear();
        denominators.clear();
        for (p, q) in groups.iter().flat_map(|g| pairs(g)) {
            steps.push(plan(p, q, &mut denominators));
        }
        batch_invert(&mut denominators);
        let mut inverses = denominators.iter();
        let mut steps = steps.iter();
        for group in &mut groups {
            *group = halve(group, &mut steps, &mut inverses);
        }
    }
    groups
        .into_iter()
        .map(|g| g.first().copied().unwrap_or_default())
        .collect()
}

fn pairs<C: Curve>(group: &[Affine<C>]) -> impl Iterator<Item = (&Affine<C>, &Affine<C>)> {
    group
        .chunks_exact(2)
        .filter_map(|c| Some((c.first()?, c.last()?)))
}

fn plan<C: Curve>(p: &Affine<C>, q: &Affine<C>, denominators: &mut Vec<C::Base>) -> Step<C::Base> {
    if p.is_identity() || q.is_identity() {
        return Step::Done;
    }
    let dx = q.x.sub(&p.x);
    if !dx.is_zero() {
        denominators.push(dx);
        return Step::Slope(q.y.sub(&p.y));
    }
    let twice = p.y.add(&q.y);
    if twice.is_zero() {
        return Step::Done;
    }
    let xx = p.x.square();
    denominators.push(twice);
    Step::Slope(xx.double().add(&xx))
}

/// Replaces each pair of a group by its sum; an odd last point stays.
fn halve<'a, C: Curve>(
    group: &[Affine<C>],
    steps: &mut impl Iterator<Item = &'a Step<C::Base>>,
    inverses: &mut impl Iterator<Item = &'a C::Base>,
) -> Vec<Affine<C>> {
    let mut out = Vec::with_capacity(group.len().div_ceil(2));
    for (p, q) in pairs(group) {
        out.push(match steps.next() {
            Some(Step::Slope(num)) => inverses
                .next()
                .map_or_else(Affine::identity, |inv| chord(p, q, &num.mul(inv))),
            _ if p.is_identity() => *q,
            _ if q.is_identity() => *p,
            _ => Affine::identity(),
        });
    }
    out.extend(group.chunks_exact(2).remainder());
    out
}

fn chord<C: Curve>(p: &Affine<C>, q: &Affine<C>, slope: &C::Base) -> Affine<C> {
    let x = slope.square().sub(&p.x).sub(&q.x);
    let y = slope.mul(&p.x.sub(&x)).sub(&p.y);
    Affine { x, y, infinity: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::{G1, G1Affine, Projective};

    #[test]
    fn groups_sum_with_every_exceptional_pair() {
        let g = Projective::<G1>::generator();
        let p = |n: u64| g.mul_u64_vartime(n).to_affine();
        let id = G1Affine::identity();
        let groups = vec![
            vec![],
            vec![id],
            vec![p(3)],
            vec![p(3), p(3)],
            vec![p(3), p(3).neg()],
            vec![id, p(2)],
            vec![p(2), id],
            vec![id, id, id],
            vec![p(1), p(1), p(2), p(4), p(8), p(8), p(5)],
            vec![p(1), p(2), p(3).neg(), id, p(7), p(7).neg(), p(9)],
            (1..40).map(p).collect(),
        ];
        let expected: Vec<_> = groups
            .iter()
            .map(|v| v.iter().fold(Projective::identity(), |a, q| a.add_mixed(q)))
            .collect();
        for (got, want) in sum_groups(groups).iter().zip(expected) {
            assert_eq!(*got, want.to_affine());
        }
    }
}
