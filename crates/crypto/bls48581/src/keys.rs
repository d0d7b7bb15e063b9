//! Secret and public keys.

use core::fmt;

use hkdf::{Hkdf, HkdfExtract};
use rand_core::CryptoRng;
use sha2::{Digest, Sha512};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::curve::{Checked, G2_BYTES, G2Affine, G2Projective};
use crate::error::{KeyError, PointError, SignatureError};
use crate::fr::Fr;
use crate::hash::{Dst, hash_to_g1_projective};
use crate::msm::sum_affine_vartime;
use crate::pairing::G2Prepared;
use crate::signature::{ProofOfPossession, Signature, possession_message};

/// Length of an encoded secret key.
pub const SECRET_KEY_BYTES: usize = Fr::BYTES;
/// Length of an encoded public key.
pub const PUBLIC_KEY_BYTES: usize = G2_BYTES;
/// Shortest seed for key derivation.
pub const MIN_SEED_BYTES: usize = 32;
/// Longest key information: its length must not make the derivation ambiguous or slow.
pub const MAX_KEY_INFO_BYTES: usize = 1024;

const KEYGEN_SALT: &[u8] = b"BLS-SIG-KEYGEN-SALT-";
/// `ceil(3 * 518 / 16)`: 784 bits, so that the reduction is statistically uniform.
const KEYGEN_BYTES: usize = 98;
/// The same as the two bytes that end the key information.
const KEYGEN_LENGTH: [u8; 2] = 98u16.to_be_bytes();
const _: () = assert!(KEYGEN_LENGTH[1] as usize == KEYGEN_BYTES);

/// A secret key: a non-zero scalar. Wiped on drop; its only textual form is redacted.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Fr);

impl SecretKey {
    /// Draws a key.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0u8; 64]);
        rng.fill_bytes(seed.as_mut());
        Self::derive(seed.as_ref(), &[])
    }

    /// Derives a key from at least 32 bytes of secret seed, as `KeyGen` of the BLS signature draft with SHA-512.
    ///
    /// Different `key_info` give independent keys.
    ///
    /// # Errors
    /// [`KeyError::SeedTooShort`], [`KeyError::KeyInfoTooLong`].
    pub fn from_seed(seed: &[u8], key_info: &[u8]) -> Result<Self, KeyError> {
        if seed.len() < MIN_SEED_BYTES {
            return Err(KeyError::SeedTooShort { found: seed.len() });
        }
        if key_info.len() > MAX_KEY_INFO_BYTES {
            return Err(KeyError::KeyInfoTooLong {
                found: key_info.len(),
            });
        }
        Ok(Self::derive(seed, key_info))
    }

    fn derive(seed: &[u8], key_info: &[u8]) -> Self {
        let info = [key_info, &KEYGEN_LENGTH].concat();
        let mut salt = KEYGEN_SALT.to_vec();
        loop {
            let mut extract = HkdfExtract::<Sha512>::new(Some(&salt));
            extract.input_ikm(seed);
            extract.input_ikm(&[0]);
            let (mut prk, hkdf): (_, Hkdf<Sha512>) = extract.finalize();
            prk.as_mut_slice().zeroize();
            let mut okm = Zeroizing::new([0; KEYGEN_BYTES]);
            let expanded = hkdf.expand(&info, okm.as_mut());
            debug_assert!(expanded.is_ok(), "98 bytes are within HKDF's limit");
            let scalar = Fr::from_be_bytes_wide(&okm);
            if !scalar.is_zero() {
                return Self(scalar);
            }
            salt = Sha512::digest(&salt).to_vec();
        }
    }

    /// Reads a canonical non-zero scalar, big-endian.
    ///
    /// # Errors
    /// [`KeyError::NotCanonical`], [`KeyError::Zero`].
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Result<Self, KeyError> {
        let scalar = Fr::from_canonical_bytes(bytes).ok_or(KeyError::NotCanonical)?;
        if scalar.is_zero() {
            Err(KeyError::Zero)
        } else {
            Ok(Self(scalar))
        }
    }

    /// The secret scalar, big-endian. For encrypted key stores only.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        Zeroizing::new(self.0.to_be_bytes())
    }

    /// The public key `[sk] G2`. Constant time.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(Checked::from_subgroup(
            &G2Projective::generator().mul(&self.0),
        ))
    }

    /// Signs the caller's tagged bytes (rule D5: not hashed before). Constant time in the key, not in the message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.sign_with(message, Dst::SIGNATURE)
    }

    pub(crate) fn sign_with(&self, message: &[u8], dst: Dst) -> Signature {
        Signature(Checked::from_subgroup(
            &hash_to_g1_projective(message, dst).mul(&self.0),
        ))
    }

    /// Proves knowledge of the secret key for `context`, the caller's tagged bytes that bind network and operator.
    ///
    /// The encoded public key is always signed in front of `context`, under a tag of its own.
    #[must_use]
    pub fn prove_possession(&self, context: &[u8]) -> ProofOfPossession {
        ProofOfPossession(self.sign_with(
            &possession_message(&self.public_key(), context),
            Dst::POSSESSION,
        ))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

impl ConstantTimeEq for SecretKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// A public key: a point of G2, in the subgroup and not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(crate) Checked<G2Affine>);

impl PublicKey {
    /// Decodes and checks a key. Callers cache the result: this costs a square root and a subgroup test in G2.
    ///
    /// # Errors
    /// Every [`PointError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        Self::from_point(G2Affine::decode_checked(bytes)?)
    }

    /// A key from a checked point.
    ///
    /// # Errors
    /// [`PointError::Identity`].
    pub fn from_point(point: Checked<G2Affine>) -> Result<Self, PointError> {
        if point.is_identity() {
            Err(PointError::Identity)
        } else {
            Ok(Self(point))
        }
    }

    /// The one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.to_bytes()
    }

    /// The point.
    #[must_use]
    pub fn point(&self) -> &Checked<G2Affine> {
        &self.0
    }

    /// The key of the negated secret. Registries refuse a key if it or its negation is present (rule I2).
    #[must_use]
    pub fn neg(&self) -> Self {
        Self(self.0.neg())
    }

    /// Sum of keys, in any order; a key given twice counts twice.
    ///
    /// Means "all of them signed" only if every key has a verified [`ProofOfPossession`].
    ///
    /// # Errors
    /// [`SignatureError::Empty`] for no keys, [`SignatureError::IdentityAggregate`] if they cancel.
    pub fn aggregate<'a>(keys: impl IntoIterator<Item = &'a Self>) -> Result<Self, SignatureError> {
        let points: Vec<G2Affine> = keys.into_iter().map(|key| *key.0).collect();
        if points.is_empty() {
            return Err(SignatureError::Empty);
        }
        let sum = sum_affine_vartime(&points);
        Self::from_point(Checked::from_subgroup(&sum))
            .map_err(|_| SignatureError::IdentityAggregate)
    }

    /// Verifies a signature on the caller's tagged bytes.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.prepare().verify(message, signature)
    }

    /// Precomputes the pairing lines (46 kB), worth it for a key that verifies more than once.
    #[must_use]
    pub fn prepare(&self) -> PreparedPublicKey {
        PreparedPublicKey {
            key: *self,
            lines: G2Prepared::from(&*self.0),
        }
    }
}

/// A public key with its pairing lines.
#[derive(Clone, Debug)]
pub struct PreparedPublicKey {
    key: PublicKey,
    lines: G2Prepared,
}

impl PreparedPublicKey {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn lines(&self) -> &G2Prepared {
        &self.lines
    }
}
