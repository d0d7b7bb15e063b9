//! A || S || T1 || T2 || t_x || t_x_blinding || e_blinding || (L || R) * rounds || a || b, 56 bytes each.

use quil_decaf::{CompressedPoint, DecodePointError, POINT_BYTES, Point, SCALAR_BYTES, Scalar};

use super::{InnerProof, RangeError, RangeProof};
use crate::{
    commitment::Element,
    limits::{ROUNDS_MAX, proof_bytes},
};

/// Rounds of the smallest proof: one value of 8 bits.
const ROUNDS_MIN: usize = 3;
/// Places of the scalars before the rounds; two more come last.
const SCALARS: core::ops::Range<usize> = 4..7;

/// The pieces of a proof with the points among them decoded.
struct Reader<'a> {
    pieces: core::slice::Iter<'a, [u8; POINT_BYTES]>,
    points: std::vec::IntoIter<Result<Point, DecodePointError>>,
    len: usize,
}

impl<'a> Reader<'a> {
    fn new(pieces: &'a [[u8; POINT_BYTES]], len: usize) -> Self {
        let scalar = |i: usize| SCALARS.contains(&i) || i + 2 >= pieces.len();
        let points = pieces.iter().enumerate().filter(|(i, _)| !scalar(*i));
        let points: Vec<_> = points.map(|(_, p)| CompressedPoint(*p)).collect();
        Self {
            pieces: pieces.iter(),
            points: CompressedPoint::decompress_batch(&points).into_iter(),
            len,
        }
    }

    fn next(&mut self) -> Result<[u8; POINT_BYTES], RangeError> {
        let len = self.len;
        self.pieces
            .next()
            .copied()
            .ok_or(RangeError::Length { len })
    }

    fn point(&mut self) -> Result<Element, RangeError> {
        let encoding = CompressedPoint(self.next()?);
        match self.points.next() {
            Some(Ok(point)) if encoding != CompressedPoint::IDENTITY => {
                Ok(Element { encoding, point })
            }
            _ => Err(RangeError::Point),
        }
    }

    fn scalar(&mut self) -> Result<Scalar, RangeError> {
        Scalar::from_bytes(&self.next()?).ok_or(RangeError::Scalar)
    }
}

impl RangeProof {
    /// Strict decoding: exact length, canonical scalars, canonical points other than the identity.
    ///
    /// Cost: one field power per point, 16 points for one 64-bit value, 24 for sixteen; eight powers at a time where
    /// the machine has vector instructions for them.
    ///
    /// # Errors
    /// [`RangeError::Length`], [`RangeError::Point`], [`RangeError::Scalar`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RangeError> {
        let len = bytes.len();
        let rounds = (ROUNDS_MIN..=ROUNDS_MAX)
            .find(|r| proof_bytes(*r) == len)
            .ok_or(RangeError::Length { len })?;
        let (pieces, _) = bytes.as_chunks();
        let mut r = Reader::new(pieces, len);
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
