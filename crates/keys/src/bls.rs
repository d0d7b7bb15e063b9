use core::fmt;

use quil_bls48581::{KeyError, PublicKey, SECRET_KEY_BYTES, SecretKey};
use quil_types::genesis::{
    NetworkBinding, PossessionStatement, ProverEntry, WorkerStatement, prover_id,
};
use quil_types::limits::{G1_BYTES, G2_BYTES};
use quil_types::tags::{self, Tag};
use quil_types::{Canonical, PeerKey, ProverId, ShardAddr, hash};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A BLS48-581 key that signs for a prover or one of its workers.
pub struct BlsKey {
    secret: SecretKey,
    public: PublicKey,
}

impl BlsKey {
    /// Draws a key.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::new(SecretKey::generate(rng))
    }

    /// Reads a canonical non-zero scalar, big-endian.
    ///
    /// # Errors
    /// [`KeyError::NotCanonical`], [`KeyError::Zero`].
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Result<Self, KeyError> {
        SecretKey::from_bytes(bytes).map(Self::new)
    }

    /// Cost: one multiplication in G2.
    fn new(secret: SecretKey) -> Self {
        let public = secret.public_key();
        Self { secret, public }
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The encoded public key.
    #[must_use]
    pub fn public_bytes(&self) -> [u8; G2_BYTES] {
        self.public.to_bytes()
    }

    /// Signs the tagged bytes of a value (rule D5: the message is the tagged encoding, not hashed before).
    #[must_use]
    pub fn sign<T: Canonical>(&self, tag: Tag, value: &T) -> [u8; G1_BYTES] {
        self.sign_bytes(&hash::tagged(tag, value))
    }

    /// Signs bytes that the caller has tagged.
    #[must_use]
    pub fn sign_bytes(&self, tagged: &[u8]) -> [u8; G1_BYTES] {
        self.secret.sign(tagged).to_bytes()
    }

    /// The key with its proof of possession for a network and an operator's network identity (rules D2, I2).
    #[must_use]
    pub fn entry(&self, binding: &NetworkBinding, peer: PeerKey) -> ProverEntry {
        let key = self.public_bytes();
        let statement = PossessionStatement {
            binding: binding.clone(),
            key,
            peer,
        };
        let context = hash::tagged(tags::POSSESSION, &statement);
        ProverEntry {
            key,
            possession: self.secret.prove_possession(&context).to_bytes(),
            peer,
        }
    }

    /// The secret scalar, for encrypted key stores.
    #[must_use]
    pub fn expose_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        self.secret.expose_bytes()
    }
}

impl fmt::Debug for BlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlsKey")
            .field(&prover_id(&self.public_bytes()))
            .finish()
    }
}

/// The key of a prover: its identity in the registry, and what certifies its workers.
#[derive(Debug)]
pub struct ProverKey(BlsKey);

impl ProverKey {
    /// Gives a key this role.
    #[must_use]
    pub const fn new(key: BlsKey) -> Self {
        Self(key)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &BlsKey {
        &self.0
    }

    /// `H("prover", public key)`.
    #[must_use]
    pub fn id(&self) -> ProverId {
        prover_id(&self.0.public_bytes())
    }

    /// Certifies a worker's key for a shard: signs ("worker", name, seed, shard, key) (rule D4).
    #[must_use]
    pub fn certify(
        &self,
        binding: &NetworkBinding,
        shard: ShardAddr,
        worker: &[u8; G2_BYTES],
    ) -> [u8; G1_BYTES] {
        let statement = WorkerStatement {
            binding: binding.clone(),
            shard,
            key: *worker,
        };
        self.0.sign(tags::WORKER, &statement)
    }
}

/// The key of one worker process (rule I1). It votes in one shard and certifies nobody.
#[derive(Debug)]
pub struct WorkerKey(BlsKey);

impl WorkerKey {
    /// Gives a key this role.
    #[must_use]
    pub const fn new(key: BlsKey) -> Self {
        Self(key)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &BlsKey {
        &self.0
    }
}
