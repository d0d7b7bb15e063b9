//! One-time keys of outputs, and how their receivers find and open them (T7).
//!
//! The sender draws r and publishes R = r G. Both sides know S = r V = v R. From
//! `shared = H("share", enc(R), enc(S), rho, index)` come, each by its own tag, the key scalar k, the blinding, the
//! amount mask and the view tag. The one-time key is P = k G + spend key. rho and the index keep keys apart even if a
//! sender repeats r.

use core::fmt;

use quil_decaf::{
    CompressedPoint, DecodePointError, FixedBase, POINT_BYTES, Point, Scalar, SecretScalar,
};
use quil_types::{
    Digest,
    bundle::{CoinKind, Output},
    hash::h,
    tags,
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Generators, Opening};

/// The public keys of an account: whom to pay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    view: Point,
    spend: Point,
}

/// Finds and opens the coins of an account; cannot spend them.
#[derive(Clone, Debug)]
pub struct ViewKey {
    secret: SecretScalar,
    spend: Point,
}

/// Spends the coins of an account.
#[derive(Clone, Debug)]
pub struct SpendKey(SecretScalar);

/// Where an output stands: both enter its shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// rho of the transaction (T1).
    pub rho: Digest,
    /// Index of the output in it.
    pub index: u16,
}

/// A coin that its receiver found: everything but the spend key that spending it needs.
#[derive(Clone, Debug)]
pub struct FoundCoin {
    /// Amount and blinding.
    pub opening: Opening,
    /// k: the one-time secret is k + spend secret.
    pub offset: SecretScalar,
}

impl Recipient {
    /// Strict decoding of view and spend key; neither is the identity.
    ///
    /// # Errors
    /// [`DecodePointError`].
    pub fn from_bytes(
        view: &[u8; POINT_BYTES],
        spend: &[u8; POINT_BYTES],
    ) -> Result<Self, DecodePointError> {
        let decode = |b: &[u8; POINT_BYTES]| CompressedPoint(*b).decompress_nonidentity();
        Ok(Self {
            view: decode(view)?,
            spend: decode(spend)?,
        })
    }

    /// From decoded keys.
    ///
    /// # Errors
    /// [`DecodePointError::Identity`].
    pub fn new(view: Point, spend: Point) -> Result<Self, DecodePointError> {
        if view.is_identity() || spend.is_identity() {
            return Err(DecodePointError::Identity);
        }
        Ok(Self { view, spend })
    }

    /// Makes an output of `amount` for this account with a fresh r, and the opening that the sender needs for the
    /// range and excess proofs. Constant time in amount and r.
    pub fn pay<R: CryptoRng + ?Sized>(
        &self,
        generators: &Generators,
        amount: u64,
        position: Position,
        rng: &mut R,
    ) -> (Output, Opening) {
        let r = SecretScalar::random(rng);
        let ephemeral = r.public().compress();
        let shared = SharedSecret::new(&ephemeral, &self.view, &r, position);
        let key = shared.key_point(&self.spend);
        let opening = Opening {
            amount,
            blinding: shared.blinding(),
        };
        let output = Output {
            key: key.0,
            commitment: opening.commit(generators).to_bytes(),
            ephemeral: ephemeral.0,
            view_tag: shared.view_tag(),
            enc_amount: shared.mask_amount(amount.to_le_bytes()),
            kind: CoinKind::Plain,
        };
        (output, opening)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Recipient({:?}, {:?})",
            self.view.compress(),
            self.spend.compress()
        )
    }
}

impl ViewKey {
    /// From the view secret and the public spend key.
    #[must_use]
    pub const fn new(secret: SecretScalar, spend: Point) -> Self {
        Self { secret, spend }
    }

    /// Whom to pay.
    ///
    /// # Errors
    /// [`DecodePointError::Identity`] if a key is the identity.
    pub fn recipient(&self) -> Result<Recipient, DecodePointError> {
        Recipient::new(self.secret.public(), self.spend)
    }

    /// Opens an output if it belongs to this account: view tag, P and C must all recompute (T7).
    ///
    /// Cost: one decoding and one product; 255 of 256 foreign outputs stop there. Whether an output is one's own shows
    /// in the time: scan where nobody measures.
    #[must_use]
    pub fn scan(
        &self,
        generators: &Generators,
        output: &Output,
        position: Position,
    ) -> Option<FoundCoin> {
        let ephemeral = CompressedPoint(output.ephemeral);
        let r = ephemeral.decompress_nonidentity().ok()?;
        let shared = SharedSecret::new(&ephemeral, &r, &self.secret, position);
        if shared.view_tag() != output.view_tag || shared.key_point(&self.spend).0 != output.key {
            return None;
        }
        let amount = u64::from_le_bytes(shared.mask_amount(output.enc_amount));
        let opening = Opening {
            amount,
            blinding: shared.blinding(),
        };
        (opening.commit(generators).to_bytes() == output.commitment).then(|| FoundCoin {
            opening,
            offset: shared.key_scalar(),
        })
    }
}

impl SpendKey {
    /// From the spend secret.
    #[must_use]
    pub const fn new(secret: SecretScalar) -> Self {
        Self(secret)
    }

    /// The public spend key.
    #[must_use]
    pub fn public(&self) -> Point {
        self.0.public()
    }

    /// x = k + spend secret: the logarithm of the coin's one-time key.
    #[must_use]
    pub fn coin_secret(&self, coin: &FoundCoin) -> SecretScalar {
        SecretScalar::new(*coin.offset.expose() + *self.0.expose())
    }
}

/// `shared` of T7.
#[derive(Zeroize, ZeroizeOnDrop)]
struct SharedSecret([u8; 32]);

impl SharedSecret {
    /// From one public and one secret half: (V, r) or (R, v).
    fn new(
        ephemeral: &CompressedPoint,
        public: &Point,
        secret: &SecretScalar,
        position: Position,
    ) -> Self {
        let mut s = public * secret.expose();
        let mut encoded = s.compress().0;
        let shared = h(
            tags::SHARE,
            &(ephemeral.0, encoded, position.rho, position.index),
        );
        s.zeroize();
        encoded.zeroize();
        Self(shared)
    }

    fn key_scalar(&self) -> SecretScalar {
        SecretScalar::new(Scalar::hash(tags::SHARE_KEY.as_str(), &[&self.0]))
    }

    fn blinding(&self) -> SecretScalar {
        SecretScalar::new(Scalar::hash(tags::SHARE_BLINDING.as_str(), &[&self.0]))
    }

    fn key_point(&self, spend: &Point) -> CompressedPoint {
        (FixedBase::generator().mul(self.key_scalar().expose()) + *spend).compress()
    }

    /// The amount under its mask, and back.
    fn mask_amount(&self, amount: [u8; 8]) -> [u8; 8] {
        let mut mask = h(tags::SHARE_AMOUNT, &self.0);
        let mut out = amount;
        for (o, m) in out.iter_mut().zip(mask) {
            *o ^= m;
        }
        mask.zeroize();
        out
    }

    fn view_tag(&self) -> u8 {
        let [first, ..] = h(tags::SHARE_VIEW, &self.0);
        first
    }
}
