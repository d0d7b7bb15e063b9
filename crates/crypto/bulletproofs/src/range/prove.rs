//! The prover.

use quil_decaf::{Point, PointTable, Scalar, hash::BlockStream, msm};
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

use super::{
    RangeError, RangeProof, RangeSuite,
    inner::{InnerProver, inner_product},
    padded,
    transcript::RangeTranscript,
};
use crate::{Opening, commitment::Element, limits::VALUES_MAX};

/// Purpose of the hedged randomness.
const PURPOSE: &str = "range";

/// Vectors of scalars that are erased when dropped.
#[derive(Default)]
struct Secrets(Vec<Scalar>);

impl Drop for Secrets {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The bits of all values, and the blindings of the proof.
struct Witness {
    bits: Vec<u8>,
    blindings: Secrets,
    s_left: Secrets,
    s_right: Secrets,
    /// alpha, rho, tau1, tau2.
    masks: Secrets,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.bits.zeroize();
    }
}

/// Coefficients of l(X) = l0 + l1 X and r(X) = r0 + r1 X.
struct Polynomials {
    l0: Secrets,
    l1: Secrets,
    r0: Secrets,
    r1: Secrets,
}

impl RangeProof {
    /// Proves that every amount is in the range of the suite.
    ///
    /// `binding` (the transaction id) starts the transcript; a proof verifies only with the same one. Constant time in
    /// amounts and blindings. Randomness is hedged: derived from the openings, the binding and `rng`.
    ///
    /// # Errors
    /// [`RangeError::Count`], [`RangeError::OutOfRange`], [`RangeError::IdentityCommitment`].
    pub fn prove<R: CryptoRng + ?Sized>(
        suite: &RangeSuite,
        binding: &[u8],
        openings: &[Opening],
        rng: &mut R,
    ) -> Result<Self, RangeError> {
        let bits = suite.bits.count();
        if openings.iter().any(|o| bits < 64 && o.amount >> bits != 0) {
            return Err(RangeError::OutOfRange);
        }
        Self::prove_low_bits(suite, binding, openings, rng)
    }

    /// As [`RangeProof::prove`] for the low bits of each amount: a lie when the amount is larger.
    pub(super) fn prove_low_bits<R: CryptoRng + ?Sized>(
        suite: &RangeSuite,
        binding: &[u8],
        openings: &[Opening],
        rng: &mut R,
    ) -> Result<Self, RangeError> {
        if openings.len() > VALUES_MAX {
            return Err(RangeError::Count {
                got: openings.len(),
            });
        }
        let own: Vec<_> = openings
            .iter()
            .map(|o| o.commit(&suite.generators))
            .collect();
        let commitments = padded(&own)?;
        let values = commitments.len();
        let witness = Witness::new(suite, binding, openings, values, rng);
        let mut transcript = RangeTranscript::new(suite, binding, &commitments);
        let [alpha, rho, tau1, tau2] = witness.masks();
        let a = Element::new(witness.commit_bits(suite, values, &alpha));
        let s = Element::new(witness.commit_masks(suite, values, &rho));
        let (y, z) = transcript.bits(&a, &s);
        let p = witness.polynomials(suite.bits.count(), y, z);
        let (t0, t1, t2) = p.product();
        let g = &suite.generators;
        let commit =
            |t: &Scalar, tau: &Scalar| Element::new(g.value().mul(t) + g.blinding().mul(tau));
        let (t1_point, t2_point) = (commit(&t1, &tau1), commit(&t2, &tau2));
        let x = transcript.polynomial(&t1_point, &t2_point);
        let t_x = t0 + (t1 + t2 * x) * x;
        let t_x_blinding = (tau1 + tau2 * x) * x + witness.value_blinding(z);
        let e_blinding = alpha + rho * x;
        let length = values * suite.bits.count();
        let w = transcript.evaluation([&t_x, &t_x_blinding, &e_blinding], length);
        let inner = InnerProver {
            transcript: &mut transcript,
            product_base: (g.value().table(), w),
            a: line(&p.l0, &p.l1, x),
            b: line(&p.r0, &p.r1, x),
        };
        let (gs, hs) = tables(suite, values);
        let inner = inner.run(gs, hs, powers(y.invert(), length));
        Ok(Self {
            a,
            s,
            t1: t1_point,
            t2: t2_point,
            t_x,
            t_x_blinding,
            e_blinding,
            inner,
        })
    }
}

/// All vector tables in order, `bits` per value.
fn tables(suite: &RangeSuite, values: usize) -> (Vec<&PointTable>, Vec<&PointTable>) {
    let n = suite.bits.count();
    let (mut g, mut h) = (
        Vec::with_capacity(n * values),
        Vec::with_capacity(n * values),
    );
    for t in suite.generators.vectors(values) {
        g.extend(t.g.iter().take(n));
        h.extend(t.h.iter().take(n));
    }
    (g, h)
}

/// 1, x, x^2, ...
pub(super) fn powers(x: Scalar, n: usize) -> Vec<Scalar> {
    core::iter::successors(Some(Scalar::ONE), |p| Some(*p * x))
        .take(n)
        .collect()
}

/// a + b x in each place.
fn line(a: &Secrets, b: &Secrets, x: Scalar) -> Vec<Scalar> {
    a.0.iter().zip(&b.0).map(|(p, q)| *p + *q * x).collect()
}

impl Witness {
    fn new<R: CryptoRng + ?Sized>(
        suite: &RangeSuite,
        binding: &[u8],
        openings: &[Opening],
        values: usize,
        rng: &mut R,
    ) -> Self {
        let n = suite.bits.count();
        let mut stream = nonces(suite, binding, openings, rng);
        let mut draw = |count: usize| Secrets((0..count).map(|_| stream.next_scalar()).collect());
        let bit = |v: u64, i: usize| u8::from((v >> i) & 1 == 1);
        let mut bits: Vec<u8> = openings
            .iter()
            .flat_map(|o| (0..n).map(move |i| bit(o.amount, i)))
            .collect();
        bits.resize(n * values, 0);
        let mut blindings = Secrets(openings.iter().map(|o| *o.blinding.expose()).collect());
        blindings.0.resize(values, Scalar::ZERO);
        Self {
            bits,
            blindings,
            s_left: draw(n * values),
            s_right: draw(n * values),
            masks: draw(4),
        }
    }

    fn masks(&self) -> [Scalar; 4] {
        core::array::from_fn(|i| self.masks.0.get(i).copied().unwrap_or_default())
    }

    /// A = alpha H_b + sum over bits of G_i for a one and -H_i for a zero.
    fn commit_bits(&self, suite: &RangeSuite, values: usize, alpha: &Scalar) -> Point {
        let (g, h) = tables(suite, values);
        let mut acc = suite.generators.blinding().mul(alpha);
        for ((g, h), bit) in g.iter().zip(&h).zip(&self.bits) {
            acc += Point::conditional_select(&-*h.point(), g.point(), Choice::from(*bit));
        }
        acc
    }

    /// S = rho H_b + <s_l, G> + <s_r, H>.
    fn commit_masks(&self, suite: &RangeSuite, values: usize, rho: &Scalar) -> Point {
        let (g, h) = tables(suite, values);
        let left = self.s_left.0.iter().copied().zip(g);
        let right = self.s_right.0.iter().copied().zip(h);
        let mut terms: Vec<(Scalar, &PointTable)> = left.chain(right).collect();
        let sum = msm::constant_time(&terms);
        terms.iter_mut().for_each(|(s, _)| s.zeroize());
        suite.generators.blinding().mul(rho) + sum
    }

    fn polynomials(&self, n: usize, y: Scalar, z: Scalar) -> Polynomials {
        let ys = powers(y, self.bits.len());
        let mut p = Polynomials {
            l0: Secrets::default(),
            l1: Secrets(self.s_left.0.clone()),
            r0: Secrets::default(),
            r1: Secrets(
                self.s_right
                    .0
                    .iter()
                    .zip(&ys)
                    .map(|(s, y)| *s * *y)
                    .collect(),
            ),
        };
        p.l0.0.reserve_exact(self.bits.len());
        p.r0.0.reserve_exact(self.bits.len());
        let mut z_power = z;
        let mut two_power = Scalar::ONE;
        for (i, (bit, y)) in self.bits.iter().zip(&ys).enumerate() {
            if i % n == 0 {
                z_power *= z;
                two_power = Scalar::ONE;
            }
            let a_left = Scalar::from(u64::from(*bit));
            p.l0.0.push(a_left - z);
            p.r0.0
                .push(*y * (a_left - Scalar::ONE + z) + z_power * two_power);
            two_power = two_power + two_power;
        }
        p
    }

    /// sum z^(2 + j) gamma_j.
    fn value_blinding(&self, z: Scalar) -> Scalar {
        powers(z, self.blindings.0.len())
            .iter()
            .zip(&self.blindings.0)
            .map(|(p, g)| *p * *g)
            .sum::<Scalar>()
            * z
            * z
    }
}

impl Polynomials {
    /// Coefficients of <l(X), r(X)>.
    fn product(&self) -> (Scalar, Scalar, Scalar) {
        let t0 = inner_product(&self.l0.0, &self.r0.0);
        let t2 = inner_product(&self.l1.0, &self.r1.0);
        let t1 = inner_product(&self.l0.0, &self.r1.0) + inner_product(&self.l1.0, &self.r0.0);
        (t0, t1, t2)
    }
}

fn nonces<R: CryptoRng + ?Sized>(
    suite: &RangeSuite,
    binding: &[u8],
    openings: &[Opening],
    rng: &mut R,
) -> BlockStream {
    let mut secrets = Vec::with_capacity(openings.len() * 64);
    for o in openings {
        secrets.extend_from_slice(&o.amount.to_le_bytes());
        secrets.extend_from_slice(&o.blinding.expose().to_bytes());
    }
    let count = u32::try_from(openings.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    let bits = (suite.bits as u32).to_le_bytes();
    let stream = quil_decaf::hash::hedged(
        PURPOSE,
        &[&count, &secrets],
        rng,
        &[&bits, suite.label, binding],
    );
    secrets.zeroize();
    stream
}
