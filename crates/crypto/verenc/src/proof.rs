//! Proof that the writer knows every r_i with c1_i = r_i G and that every ciphertext holds the same M (Schnorr and
//! Chaum-Pedersen under one challenge).
//!
//! The statement is c1_i = r_i G for all i and c2_i - c2_1 = r_i Y_i - r_1 Y_1 for i > 1, which is the same as
//! c2_i - r_i Y_i being equal for all i. With nonces k_i: A_i = k_i G, B_i = k_i Y_i - k_1 Y_1,
//! c = Hs(tag, m, A_1, .., A_n, B_2, .., B_n), s_i = k_i + c r_i. The object commitment m fixes every Y_i, c1_i and c2_i.
//!
//! Each reader has its own r: a shared one would give away M as soon as reader keys have a known linear relation.

use quil_decaf::{FixedBase, POINT_BYTES, Point, Scalar, SecretScalar, hash, msm};
use quil_types::tags;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::readers::Readers;

/// One reader's ciphertext and response, decoded.
#[derive(Clone, Copy)]
pub(crate) struct DecodedShare {
    pub(crate) c1: Point,
    pub(crate) c2: Point,
    pub(crate) response: Scalar,
}

/// c and all s_i, for as many secrets as there are readers. Constant time in the secrets.
pub(crate) fn prove<R: CryptoRng + ?Sized>(
    readers: &Readers,
    commitment: &[u8; 32],
    secrets: &[SecretScalar],
    rng: &mut R,
) -> (Scalar, Vec<Scalar>) {
    let nonces = nonces(commitment, secrets, rng);
    let mut points: Vec<Point> = nonces.iter().map(SecretScalar::public).collect();
    if let ([y1, others @ ..], [k1, rest @ ..]) = (readers.points(), nonces.as_slice()) {
        let first = if others.is_empty() {
            Point::IDENTITY
        } else {
            y1 * k1.expose()
        };
        points.extend(others.iter().zip(rest).map(|(y, k)| y * k.expose() - first));
    }
    let c = challenge(commitment, &points);
    let responses = nonces
        .iter()
        .zip(secrets)
        .map(|(k, r)| *k.expose() + c * *r.expose());
    (c, responses.collect())
}

/// One nonce per secret, hedged over all of them.
fn nonces<R: CryptoRng + ?Sized>(
    commitment: &[u8; 32],
    secrets: &[SecretScalar],
    rng: &mut R,
) -> Vec<SecretScalar> {
    let mut all = Zeroizing::new(Vec::with_capacity(
        secrets.len().saturating_mul(POINT_BYTES),
    ));
    for r in secrets {
        let mut bytes = r.expose().to_bytes();
        all.extend_from_slice(&bytes);
        bytes.zeroize();
    }
    let mut stream = hash::hedged(tags::DATA_PROOF.as_str(), &[&all], rng, &[commitment]);
    secrets
        .iter()
        .map(|_| SecretScalar::new(stream.next_scalar()))
        .collect()
}

/// Whether the equations hold for one share per reader. Variable time; one double product per reader and one product of
/// three points per further reader.
pub(crate) fn verify(
    readers: &Readers,
    commitment: &[u8; 32],
    c: &Scalar,
    shares: &[DecodedShare],
) -> bool {
    let (Some((y1, others)), Some((first, rest))) =
        (readers.points().split_first(), shares.split_first())
    else {
        return false;
    };
    if others.len() != rest.len() {
        return false;
    }
    let minus_c = -*c;
    let mut points: Vec<Point> = shares
        .iter()
        .map(|s| FixedBase::generator().double_mul_vartime(&s.response, &minus_c, &s.c1))
        .collect();
    points.extend(others.iter().zip(rest).map(|(y, s)| {
        msm::straus_vartime(
            &[s.response, -first.response, minus_c],
            &[*y, *y1, s.c2 - first.c2],
        )
    }));
    challenge(commitment, &points) == *c
}

fn challenge(commitment: &[u8; 32], points: &[Point]) -> Scalar {
    let encoded: Vec<[u8; POINT_BYTES]> = points.iter().map(|p| p.compress().0).collect();
    let mut parts: Vec<&[u8]> = vec![commitment];
    parts.extend(encoded.iter().map(<[u8; POINT_BYTES]>::as_slice));
    Scalar::hash(tags::DATA_PROOF.as_str(), &parts)
}
