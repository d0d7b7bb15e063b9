//! Key images: each coin can be spent once, and only with its one-time secret (T1, T6).

use quil_decaf::{
    Point, SecretScalar,
    dleq::{self, DleqError, PROOF_BYTES, Proof, Statement},
};
use quil_types::{CoinId, tags};
use rand_core::CryptoRng;

/// Bytes of a spend proof.
pub const SPEND_PROOF_BYTES: usize = PROOF_BYTES;

/// `Hp("image", coin_id)`.
#[must_use]
pub fn image_base(coin: CoinId) -> Point {
    Point::hash_to(tags::IMAGE.as_str(), &coin.0)
}

/// `I = x Hp("image", coin_id)`: the same for every spend of the coin, and tells nothing about others.
#[must_use]
pub fn key_image(secret: &SecretScalar, coin: CoinId) -> Point {
    &image_base(coin) * secret.expose()
}

/// A proof that the spender knows x with P = x G and I = x Hp; `c || s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendProof(Proof);

impl SpendProof {
    /// Signs the message `m` of T6 with the secret of the coin's one-time key.
    pub fn prove<R: CryptoRng + ?Sized>(
        secret: &SecretScalar,
        coin: CoinId,
        message: &[u8; 32],
        rng: &mut R,
    ) -> Self {
        let base = image_base(coin);
        let image = &base * secret.expose();
        let statement = Statement {
            message: *message,
            base,
            public: secret.public(),
            image,
        };
        Self(dleq::prove(tags::DLEQ.as_str(), &statement, secret, rng))
    }

    /// Checks the proof for the coin's one-time key and the announced image. The message must bind the coin id, as
    /// T6's does. Variable time.
    ///
    /// # Errors
    /// [`DleqError::IdentityPoint`], [`DleqError::Invalid`].
    pub fn verify(
        &self,
        key: &Point,
        image: &Point,
        coin: CoinId,
        message: &[u8; 32],
    ) -> Result<(), DleqError> {
        let statement = Statement {
            message: *message,
            base: image_base(coin),
            public: *key,
            image: *image,
        };
        dleq::verify(tags::DLEQ.as_str(), &statement, &self.0)
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SPEND_PROOF_BYTES] {
        self.0.to_bytes()
    }

    /// Strict decoding.
    ///
    /// # Errors
    /// [`DleqError::Encoding`].
    pub fn from_bytes(bytes: &[u8; SPEND_PROOF_BYTES]) -> Result<Self, DleqError> {
        Proof::from_bytes(bytes).map(Self)
    }
}
