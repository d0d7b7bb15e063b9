//! Hashing to G1, RFC 9380: `expand_message_xmd` with SHA-512, two maps of Shallue and van de Woestijne, cofactor.
//!
//! Messages are public: running time depends on them.

use sha2::{Digest, Sha512};

use crate::curve::{Affine, Checked, G1Affine, G1Projective, Projective};
use crate::fp::Fp;
use crate::lanes::{Vectors, g1};

/// Bytes per field element: `ceil((581 + 256) / 8)`.
const ELEMENT_BYTES: usize = 105;
const EXPANDED_BYTES: usize = 2 * ELEMENT_BYTES;
/// The same as it enters the hash.
const EXPANDED_LENGTH: [u8; 2] = 210u16.to_be_bytes();
const _: () = assert!(EXPANDED_LENGTH[1] as usize == EXPANDED_BYTES);
const DIGEST_BYTES: usize = 64;
const BLOCK_BYTES: usize = 128;

/// A domain separation tag of 1 to 255 bytes. Tags of different protocols must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dst(&'static str);

impl Dst {
    /// Signatures of the network, rule D5.
    pub const SIGNATURE: Self = Self("QUIL-V1-BLS48581G1_XMD:SHA-512_SVDW_RO_POP_");
    /// Proofs of possession.
    pub const POSSESSION: Self = Self("QUIL-V1-POP-BLS48581G1_XMD:SHA-512_SVDW_RO_POP_");

    /// A tag for another protocol; `None` if it is empty or longer than 255 bytes.
    #[must_use]
    pub const fn new(tag: &'static str) -> Option<Self> {
        if tag.is_empty() || tag.len() > 255 {
            return None;
        }
        Some(Self(tag))
    }

    /// The tag followed by its length, as it enters the hash.
    fn update(self, hash: &mut Sha512) {
        hash.update(self.0.as_bytes());
        hash.update([u8::try_from(self.0.len()).unwrap_or(u8::MAX)]);
    }
}

/// RFC 9380, 5.3.1.
fn expand_message(message: &[u8], dst: Dst) -> [u8; EXPANDED_BYTES] {
    let mut hash = Sha512::new();
    hash.update([0; BLOCK_BYTES]);
    hash.update(message);
    hash.update(EXPANDED_LENGTH);
    hash.update([0]);
    dst.update(&mut hash);
    let first: [u8; DIGEST_BYTES] = hash.finalize().into();

    let mut out = [0; EXPANDED_BYTES];
    let mut previous = [0; DIGEST_BYTES];
    for (i, chunk) in (1u8..).zip(out.chunks_mut(DIGEST_BYTES)) {
        for (p, f) in previous.iter_mut().zip(&first) {
            *p ^= f;
        }
        let mut hash = Sha512::new();
        hash.update(previous);
        hash.update([i]);
        dst.update(&mut hash);
        previous = hash.finalize().into();
        for (o, p) in chunk.iter_mut().zip(&previous) {
            *o = *p;
        }
    }
    out
}

/// `y^2 = g(x)`.
fn g(x: &Fp) -> Fp {
    x.square().mul(x).add(&Fp::ONE)
}

/// RFC 9380, 6.6.1, with `Z = 2`.
fn map_to_curve(u: &Fp) -> G1Affine {
    const Z: Fp = Fp::from_u64(2);
    /// `g(Z)`
    const C1: Fp = Fp::from_u64(9);
    /// `-Z / 2`
    const C2: Fp = Fp::ZERO.sub(&Fp::ONE);
    /// `sqrt(-g(Z) 3 Z^2)`, the even root.
    const C3: Fp = Fp::from_hex(
        "214e897c406605d77a9870aa3b603bc0c22e0d116c7d8f213f74fe35087bcffd671a087ca237250cef8b488a4860a0059797b971939845a2aafa6ac66e1ba6f4146955b4ac6",
    );
    /// `-4 g(Z) / (3 Z^2)`
    const C4: Fp = Fp::ZERO.sub(&Fp::from_u64(3));

    let t = u.square().mul(&C1);
    let (plus, minus) = (Fp::ONE.add(&t), Fp::ONE.sub(&t));
    let inv = plus.mul(&minus).invert_vartime().unwrap_or_default();
    let shift = u.mul(&minus).mul(&inv).mul(&C3);
    let x3 = || plus.square().mul(&inv).square().mul(&C4).add(&Z);
    let candidates = [C2.sub(&shift), C2.add(&shift)];
    let x = candidates
        .into_iter()
        .find(|x| g(x).is_square_vartime())
        .unwrap_or_else(x3);
    // One of the three is always a square; the fallback is unreachable.
    let y = g(&x).sqrt_vartime().unwrap_or_default();
    let y = if y.is_odd() == u.is_odd() { y } else { y.neg() };
    Affine { x, y, infinity: 0 }
}

/// Hashes a message to G1 as a random oracle. About two square roots and a multiplication by 33 bits.
#[must_use]
pub fn hash_to_g1(message: &[u8], dst: Dst) -> Checked<G1Affine> {
    Checked::from_subgroup(&hash_to_g1_projective(message, dst))
}

pub(crate) fn hash_to_g1_projective(message: &[u8], dst: Dst) -> G1Projective {
    let expanded = expand_message(message, dst);
    let (first, second) = expanded.split_at(ELEMENT_BYTES);
    let map = |bytes| map_to_curve(&Fp::from_be_slice_reduced(bytes));
    let sum = Projective::from_affine(&map(first)).add_mixed(&map(second));
    // Effective cofactor 1 - x = |x| + 1.
    clear_cofactor(&sum)
}

fn clear_cofactor(p: &G1Projective) -> G1Projective {
    if Vectors::available()
        && let Some(product) = g1::mul_cofactor::<Vectors>(p)
    {
        return product;
    }
    p.mul_x_abs().add(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptional_inputs_map_to_the_curve() {
        // 9 u^2 = 1 and u = 0 make the inverse undefined; the map must still land on the curve.
        let third = Fp::from_u64(3).invert_vartime().unwrap();
        for u in [Fp::ZERO, third, third.neg(), Fp::ONE] {
            let p = map_to_curve(&u);
            assert!(p.is_on_curve());
            assert!(p.y.is_zero() || p.y.is_odd() == u.is_odd());
        }
    }

    #[test]
    fn map_follows_the_rfc_selection_order() {
        let mut counts = [0; 3];
        for i in 0..200u64 {
            let u = Fp::from_u64(i * i + 2).square().add(&Fp::from_u64(i));
            let t = u.square().mul(&Fp::from_u64(9));
            let inv = Fp::ONE.sub(&t.square()).invert_vartime().unwrap();
            let c3 = Fp::from_u64(108).neg().sqrt_vartime().unwrap();
            let c3 = if c3.is_odd() { c3.neg() } else { c3 };
            let shift = u.mul(&Fp::ONE.sub(&t)).mul(&inv).mul(&c3);
            let x3 = Fp::ONE
                .add(&t)
                .square()
                .mul(&inv)
                .square()
                .mul(&Fp::from_u64(3))
                .neg()
                .add(&Fp::from_u64(2));
            let xs = [Fp::ONE.neg().sub(&shift), Fp::ONE.neg().add(&shift), x3];
            let chosen = xs
                .iter()
                .position(|x| g(x).sqrt_vartime().is_some())
                .unwrap();
            counts[chosen] += 1;
            let p = map_to_curve(&u);
            assert_eq!(p.x, xs[chosen]);
            assert!(p.is_on_curve());
        }
        assert!(counts.iter().all(|&c| c > 10), "{counts:?}");
    }

    #[test]
    fn tags_are_bounded_and_distinct() {
        assert!(Dst::new("").is_none());
        assert_ne!(Dst::SIGNATURE, Dst::POSSESSION);
        assert_ne!(
            hash_to_g1(b"m", Dst::SIGNATURE),
            hash_to_g1(b"m", Dst::POSSESSION)
        );
    }
}
