//! The Fiat-Shamir transcript. Its order is the protocol: one function per message.

use merlin::Transcript;
use quil_decaf::Scalar;

use super::{RangeProof, RangeSuite};
use crate::commitment::Element;

/// Bytes drawn for a challenge scalar.
const CHALLENGE_BYTES: usize = 114;

/// The transcript of one proof.
pub(super) struct RangeTranscript(Transcript);

impl RangeTranscript {
    /// Label, binding, statement. An empty binding is no message.
    pub(super) fn new(suite: &RangeSuite, binding: &[u8], commitments: &[Element]) -> Self {
        let mut t = Transcript::new(suite.label);
        if !binding.is_empty() {
            t.append_message(b"tx", binding);
        }
        t.append_message(b"dom-sep", b"rangeproof v1");
        t.append_u64(b"n", suite.bits.count() as u64);
        t.append_u64(b"m", commitments.len() as u64);
        for v in commitments {
            t.append_message(b"V", v.encoding.as_bytes());
        }
        Self(t)
    }

    /// y and z.
    pub(super) fn bits(&mut self, a: &Element, s: &Element) -> (Scalar, Scalar) {
        self.point(b"A", a);
        self.point(b"S", s);
        (self.challenge(b"y"), self.challenge(b"z"))
    }

    /// x.
    pub(super) fn polynomial(&mut self, t1: &Element, t2: &Element) -> Scalar {
        self.point(b"T_1", t1);
        self.point(b"T_2", t2);
        self.challenge(b"x")
    }

    /// w; then the inner-product argument of that length begins.
    pub(super) fn evaluation(&mut self, proof: [&Scalar; 3], length: usize) -> Scalar {
        let [t_x, t_x_blinding, e_blinding] = proof;
        self.scalar(b"t_x", t_x);
        self.scalar(b"t_x_blinding", t_x_blinding);
        self.scalar(b"e_blinding", e_blinding);
        let w = self.challenge(b"w");
        self.0.append_message(b"dom-sep", b"ipp v1");
        self.0.append_u64(b"n", length as u64);
        w
    }

    /// u of a round.
    pub(super) fn round(&mut self, l: &Element, r: &Element) -> Scalar {
        self.point(b"L", l);
        self.point(b"R", r);
        self.challenge(b"u")
    }

    /// The weight that joins both equations of a proof; drawn after its last scalars.
    pub(super) fn join(mut self, proof: &RangeProof) -> Scalar {
        self.scalar(b"a", &proof.inner.a);
        self.scalar(b"b", &proof.inner.b);
        self.challenge(b"join")
    }

    fn point(&mut self, label: &'static [u8], p: &Element) {
        self.0.append_message(label, p.encoding.as_bytes());
    }

    fn scalar(&mut self, label: &'static [u8], s: &Scalar) {
        self.0.append_message(label, &s.to_bytes());
    }

    fn challenge(&mut self, label: &'static [u8]) -> Scalar {
        let mut b = [0; CHALLENGE_BYTES];
        self.0.challenge_bytes(label, &mut b);
        Scalar::from_wide_bytes(&b)
    }
}
