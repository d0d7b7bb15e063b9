//! A || S || T1 || T2 || t_x || t_x_blinding || e_blinding || (L || R) * rounds || a || b, 56 bytes each.

use quil_decaf::{POINT_BYTES, SCALAR_BYTES, Scalar};

use super::{InnerProof, RangeError, RangeProof};
use crate::{
    commitment::Element,
    limits::{ROUNDS_MAX, proof_bytes},
};

/// Rounds of the smallest proof: one value of 8 bits.
const ROUNDS_MIN: usize = 3;

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn next(&mut self) -> Result<[u8; POINT_BYTES], RangeError> {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .ok_or(RangeError::Length { len: self.0.len() })?;
        self.0 = rest;
        Ok(*head)
    }

    fn point(&mut self) -> Result<Element, RangeError> {
        Element::from_bytes(&self.next()?).map_err(|_| RangeError::Point)
    }

    fn scalar(&mut self) -> Result<Scalar, RangeError> {
        Scalar::from_bytes(&self.next()?).ok_or(RangeError::Scalar)
    }
}

impl RangeProof {
    /// Strict decoding: exact length, canonical scalars, canonical points other than the identity.
    ///
    /// Cost: one field power per point, 16 points for one 64-bit value, 24 for sixteen.
    ///
    /// # Errors
    /// [`RangeError::Length`], [`RangeError::Point`], [`RangeError::Scalar`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RangeError> {
        let len = bytes.len();
        let rounds = (ROUNDS_MIN..=ROUNDS_MAX)
            .find(|r| proof_bytes(*r) == len)
            .ok_or(RangeError::Length { len })?;
        let mut r = Reader(bytes);
        Ok(Self {
            a: r.point()?,
            s: r.point()?,
            t1: r.point()?,
            t2: r.point()?,
            t_x: r.scalar()?,
            t_x_blinding: r.scalar()?,
            e_blinding: r.scalar()?,
            inner: InnerProof {
                rounds: (0..rounds)
                    .map(|_| Ok((r.point()?, r.point()?)))
                    .collect::<Result<_, _>>()?,
                a: r.scalar()?,
                b: r.scalar()?,
            },
        })
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(proof_bytes(self.inner.rounds.len()));
        for p in [&self.a, &self.s, &self.t1, &self.t2] {
            out.extend_from_slice(p.encoding.as_bytes());
        }
        for s in [&self.t_x, &self.t_x_blinding, &self.e_blinding] {
            out.extend_from_slice(&s.to_bytes());
        }
        for (l, r) in &self.inner.rounds {
            out.extend_from_slice(l.encoding.as_bytes());
            out.extend_from_slice(r.encoding.as_bytes());
        }
        out.extend_from_slice(&self.inner.a.to_bytes());
        out.extend_from_slice(&self.inner.b.to_bytes());
        out
    }
}

const _: () = assert!(POINT_BYTES == SCALAR_BYTES);
