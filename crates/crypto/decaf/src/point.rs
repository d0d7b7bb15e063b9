//! Decaf448 (RFC 9496 section 5).
//!
//! RFC 9496 describes the group on E: x^2 + y^2 = 1 + d x^2 y^2, d = -39081. We compute on the 2-isogenous curve
//! E': -x^2 + y^2 = 1 + (d - 1) x^2 y^2, whose additions are cheaper. Both curves are images of the Jacobi quartic
//! J: t^2 = s^4 + 2(1 - 2d) s^2 + 1, by (s, t) -> (2s/(1 + s^2), (1 - s^2)/t) and (2s/(1 - s^2), (1 + s^2)/t)
//! (Hamburg, "Decaf", section 4), so an encoding s stands for the same group element either way.
//!
//! The image of J in E' has order 2l: the prime-order subgroup and its translate by (0, -1). The element is the class
//! modulo (0, -1). Its differences are never of order 4 and the curve has no rational 2-torsion at infinity (39082 is
//! no square), so the unified addition formulas have no exceptions here.

use core::fmt;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::{
    field::Fe,
    hash::{self, BLOCK_BYTES},
    lanes::Lanes,
};

mod ops;

pub(crate) use ops::{AffineNiels, Niels, Projective};

/// Bytes of an encoded group element.
pub const POINT_BYTES: usize = 56;

/// -d.
const MINUS_D: u32 = 39_081;
/// 2 (1 - d), that is minus twice the constant of E'.
pub(crate) const TWO_ONE_MINUS_D: u32 = 78_164;
/// 1 - 2d.
const ONE_MINUS_TWO_D: u32 = 78_163;
/// sqrt(-d), not negative.
const SQRT_MINUS_D: Fe = Fe([
    0x42_ef0f_4557_2736,
    0x7b_f6aa_20ce_5296,
    0xf4_fd6e_ded2_6033,
    0x96_8c14_ba83_9a66,
    0xb8_d54b_64a2_d780,
    0x6a_a0a1_f1a7_b8a5,
    0x68_3bf6_8d72_2fa2,
    0x22_d962_fbeb_24f7,
]);
/// 1/sqrt(-d), not negative.
const INVSQRT_MINUS_D: Fe = Fe([
    0xaf_bb5e_b878_682c,
    0x24_79f1_9e94_f353,
    0xe2_c21f_ba15_efbb,
    0x28_a652_1abe_707e,
    0x5b_27a7_d6ba_56f1,
    0xc8_075a_9095_0c3a,
    0x57_902b_e35a_0bca,
    0x6e_f406_52e2_22c0,
]);

/// An element of the prime-order group Decaf448.
#[derive(Clone, Copy)]
pub struct Point {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
    pub(crate) z: Fe,
    pub(crate) t: Fe,
}

/// The encoding of a group element; any 56 bytes, decoded by [`CompressedPoint::decompress`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompressedPoint(pub [u8; POINT_BYTES]);

/// Why bytes are no acceptable group element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodePointError {
    /// Not the canonical encoding of any group element (RFC 9496 section 5.3.1).
    #[error("not a canonical Decaf448 encoding")]
    Invalid,
    /// The identity, where it is not allowed.
    #[error("the identity element is not allowed here")]
    Identity,
}

impl CompressedPoint {
    /// The encoding of the identity.
    pub const IDENTITY: Self = Self([0; POINT_BYTES]);
    /// The encoding of the generator.
    pub const GENERATOR: Self = {
        let mut b = [0x66; POINT_BYTES];
        let mut i = POINT_BYTES / 2;
        while i < POINT_BYTES {
            #[expect(clippy::indexing_slicing, reason = "constant evaluation, i < 56")]
            {
                b[i] = 0x33;
            }
            i += 1;
        }
        Self(b)
    };

    /// Strict decoding (RFC 9496 section 5.3.1). Constant time except for the outcome. Cost: one field power.
    ///
    /// # Errors
    /// [`DecodePointError::Invalid`] for every string that no element encodes to.
    pub fn decompress(&self) -> Result<Point, DecodePointError> {
        let d = Decoding::new(self);
        d.finish(d.argument.pow_p34())
    }

    /// [`decompress`](Self::decompress) of each. Cost: eight at a time share one field power where the machine has
    /// vector instructions for it.
    #[must_use]
    pub fn decompress_batch(encodings: &[Self]) -> Vec<Result<Point, DecodePointError>> {
        Self::decompress_batch_with(Lanes::get(), encodings)
    }

    pub(crate) fn decompress_batch_with(
        lanes: Option<Lanes>,
        encodings: &[Self],
    ) -> Vec<Result<Point, DecodePointError>> {
        let open: Vec<Decoding> = encodings.iter().map(Decoding::new).collect();
        let mut powers: Vec<Fe> = open.iter().map(|d| d.argument).collect();
        match lanes {
            Some(l) if open.len() >= LANES_FROM => l.pow_p34_all(&mut powers),
            _ => powers.iter_mut().for_each(|p| *p = p.pow_p34()),
        }
        open.iter().zip(powers).map(|(d, p)| d.finish(p)).collect()
    }

    /// As [`decompress`](Self::decompress), refusing the identity.
    ///
    /// # Errors
    /// [`DecodePointError`].
    pub fn decompress_nonidentity(&self) -> Result<Point, DecodePointError> {
        if *self == Self::IDENTITY {
            return Err(DecodePointError::Identity);
        }
        self.decompress()
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; POINT_BYTES] {
        &self.0
    }
}

/// From this many powers on, eight lanes beat one after the other (measured).
const LANES_FROM: usize = 4;

/// A decoding up to its field power.
struct Decoding {
    s: Fe,
    canonical: Choice,
    ss: Fe,
    den: Fe,
    tt: Fe,
    /// What needs an inverse square root.
    argument: Fe,
}

impl Decoding {
    fn new(encoding: &CompressedPoint) -> Self {
        let (s, canonical) = Fe::from_bytes(&encoding.0);
        let ss = s.square();
        let den = Fe::ONE - ss;
        // t^2 = s^4 + (2 - 4d) s^2 + 1
        let tt = (Fe::ONE + ss).square() + ss.mul_small(4 * MINUS_D);
        let argument = tt.times(&den.square());
        Self {
            s,
            canonical,
            ss,
            den,
            tt,
            argument,
        }
    }

    /// With the argument to the power (p - 3) / 4.
    fn finish(&self, power: Fe) -> Result<Point, DecodePointError> {
        let Self {
            s,
            canonical,
            ss,
            den,
            tt,
            argument,
        } = self;
        let (s, ss) = (*s, *ss);
        let (square, mut isr) = (argument.times(&power.square()).ct_eq(&Fe::ONE), power);
        // isr = 1 / (t den); the sign of t makes 2s sqrt(-d) / t not negative.
        let sign = (s + s)
            .times(&isr.times(den))
            .times(&SQRT_MINUS_D)
            .is_negative();
        isr.conditional_negate(sign);
        let x = (s + s).times(&isr.square()).times(tt).times(den);
        let y = (Fe::ONE + ss).times(&isr).times(den);
        let ok = *canonical & !s.is_negative() & square;
        if !bool::from(ok) {
            return Err(DecodePointError::Invalid);
        }
        Ok(Point {
            x,
            y,
            z: Fe::ONE,
            t: x.times(&y),
        })
    }
}

impl fmt::Debug for CompressedPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompressedPoint(")?;
        for b in self.0 {
            write!(f, "{b:02x}")?;
        }
        f.write_str(")")
    }
}

impl Point {
    /// The neutral element.
    pub const IDENTITY: Self = Self {
        x: Fe::ZERO,
        y: Fe::ONE,
        z: Fe::ONE,
        t: Fe::ZERO,
    };

    /// The generator of RFC 9496.
    #[must_use]
    pub fn generator() -> Self {
        *crate::FixedBase::generator().point()
    }

    /// The unique encoding (RFC 9496 section 5.3.2). Constant time. Cost: one field power.
    #[must_use]
    pub fn compress(&self) -> CompressedPoint {
        let u1 = self.x.lazy_add(&self.t).times(&self.x.lazy_sub(&self.t));
        let (_, isr) = u1.times(&self.x.square()).mul_small(MINUS_D).inverse_sqrt();
        let ratio = isr.times(&u1).times(&SQRT_MINUS_D).abs();
        let u2 = INVSQRT_MINUS_D.times(&ratio).times(&self.z) - self.t;
        let s = isr.times(&self.x).times(&u2).mul_small(MINUS_D).abs();
        CompressedPoint(s.to_bytes())
    }

    /// The one-way map of 112 uniform bytes (RFC 9496 section 5.3.4): the sum of two maps of a field element.
    #[must_use]
    pub fn from_uniform_bytes(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let (mut a, mut b) = ([0; 56], [0; 56]);
        let (lo, hi) = bytes.split_at(56);
        a.copy_from_slice(lo);
        b.copy_from_slice(hi);
        map(&Fe::from_bytes_reducing(&a)) + map(&Fe::from_bytes_reducing(&b))
    }

    /// `Hp(tag, data)`: the one-way map of the 112-byte SHAKE256 block of `u8 len(tag) || tag || data`.
    ///
    /// Nobody knows a discrete logarithm between two such points. `data` must be a canonical encoding of one value.
    #[must_use]
    pub fn hash_to(tag: &str, data: &[u8]) -> Self {
        Self::from_uniform_bytes(&hash::block(tag, &[data]))
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.x.is_zero().into()
    }

    /// Twice the element.
    #[must_use]
    pub fn double(&self) -> Self {
        self.projective().double().extended()
    }
}

/// MAP of RFC 9496 section 5.3.4, landing on E'.
fn map(t0: &Fe) -> Point {
    let r = -t0.square();
    let u0 = (Fe::ONE - r).mul_small(MINUS_D);
    let u1 = (u0 + Fe::ONE).times(&(u0 - r));
    let (square, v) = Fe::sqrt_ratio(
        &Fe::small(u64::from(ONE_MINUS_TWO_D)),
        &(r + Fe::ONE).times(&u1),
    );
    let v = Fe::conditional_select(&t0.times(&v), &v, square);
    let sign = Fe::conditional_select(&-Fe::ONE, &Fe::ONE, square);
    let s = v.times(&(r + Fe::ONE));
    let w0 = {
        let a = s.abs();
        a + a
    };
    let ss = s.square();
    let (w1, w2) = (ss + Fe::ONE, ss - Fe::ONE);
    let w3 = v.times(&s).times(&(r - Fe::ONE)).mul_small(ONE_MINUS_TWO_D) + sign;
    // E has (w0/w1, w2/w3), so (s, t) = (w0/2, -w3) and E' has (-w0/w2, -w1/w3), equal to (w0/w2, w1/w3) in the group.
    Point {
        x: w0.times(&w3),
        y: w1.times(&w2),
        z: w2.times(&w3),
        t: w0.times(&w1),
    }
}

impl ConstantTimeEq for Point {
    /// RFC 9496 section 5.3.3: the classes are equal iff x1 y2 = y1 x2.
    fn ct_eq(&self, other: &Self) -> Choice {
        self.x.times(&other.y).ct_eq(&self.y.times(&other.x))
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Point {}

impl ConditionallySelectable for Point {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: Fe::conditional_select(&a.x, &b.x, choice),
            y: Fe::conditional_select(&a.y, &b.y, choice),
            z: Fe::conditional_select(&a.z, &b.z, choice),
            t: Fe::conditional_select(&a.t, &b.t, choice),
        }
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
        self.t.zeroize();
    }
}

impl Default for Point {
    fn default() -> Self {
        Self::IDENTITY
    }
}

/// Redacted: a point may be a shared secret. Print `compress()` for public points.
impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Point(..)")
    }
}
