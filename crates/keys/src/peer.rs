use core::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use quil_types::tags::Tag;
use quil_types::{Canonical, PeerKey, hash};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of an Ed25519 signature.
pub const PEER_SIGNATURE_BYTES: usize = 64;

/// Bytes of an Ed25519 seed.
pub(crate) const PEER_SEED_BYTES: usize = 32;

/// The network identity of a process: an Ed25519 key (RFC 8032). Also signs as author of consensus envelopes.
#[derive(Clone)]
pub struct PeerKeypair(SigningKey);

/// Why a signature of a peer is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// The key is no point, or one of small order.
    #[error("not a usable Ed25519 key")]
    Key,
    /// The signature does not verify, or its encoding is not canonical.
    #[error("peer signature does not verify")]
    Signature,
}

impl PeerKeypair {
    /// Draws a key.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0; PEER_SEED_BYTES]);
        rng.fill_bytes(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; PEER_SEED_BYTES]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PeerKey {
        PeerKey(self.0.verifying_key().to_bytes())
    }

    /// Signs the tagged bytes of a value. Deterministic.
    #[must_use]
    pub fn sign<T: Canonical>(&self, tag: Tag, value: &T) -> [u8; PEER_SIGNATURE_BYTES] {
        self.sign_bytes(&hash::tagged(tag, value))
    }

    /// Signs bytes that the caller has tagged.
    #[must_use]
    pub fn sign_bytes(&self, tagged: &[u8]) -> [u8; PEER_SIGNATURE_BYTES] {
        self.0.sign(tagged).to_bytes()
    }

    /// The seed, for the network host and for encrypted key stores.
    #[must_use]
    pub fn expose_seed(&self) -> Zeroizing<[u8; PEER_SEED_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for PeerKeypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerKeypair").field(&self.public()).finish()
    }
}

/// Verifies a peer's signature of a tagged value, strictly: no small-order keys, no second encoding of a
/// key or a signature.
///
/// # Errors
/// [`PeerError`].
pub fn verify_peer<T: Canonical>(
    key: &PeerKey,
    tag: Tag,
    value: &T,
    signature: &[u8; PEER_SIGNATURE_BYTES],
) -> Result<(), PeerError> {
    if !is_reduced(key.as_bytes()) {
        return Err(PeerError::Key);
    }
    let key = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| PeerError::Key)?;
    if key.is_weak() {
        return Err(PeerError::Key);
    }
    key.verify_strict(&hash::tagged(tag, value), &Signature::from_bytes(signature))
        .map_err(|_| PeerError::Signature)
}

/// Whether the y-coordinate is below 2^255 - 19. The library takes it modulo the prime, which would give a few points
/// a second encoding (RFC 8032, 5.1.3).
fn is_reduced(key: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = key;
    *first < 0xed || middle.iter().any(|b| *b != 0xff) || *last & 0x7f != 0x7f
}
