//! Key records (rule I2): the public keys of one owner, bound together by every one of them.

use quil_bls48581::{PublicKey, Signature as BlsSignature};
use quil_decaf::{CompressedPoint, schnorr};
use quil_types::limits::{DECAF_POINT_BYTES, DECAF_PROOF_BYTES, G2_BYTES};
use quil_types::{
    Bounded, Bytes, Canonical, DecodeError, FrameNumber, GenesisHash, PeerKey, Sorted, canonical,
    hash, tags,
};

use crate::peer::verify_peer;

/// Most keys in a record: verifying costs a signature each.
pub const KEYS_MAX: usize = 16;
/// Most revoked keys in a record.
pub const REVOKED_MAX: usize = 32;
/// Largest signed record, bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

const _: () =
    assert!((KEYS_MAX + REVOKED_MAX) * (G2_BYTES + 1) + KEYS_MAX * 116 + 128 < RECORD_BYTES_MAX);

canonical! {
    /// A public key with its role. The order is the order of strength: a later role may replace records of an
    /// earlier one, see [`VerifiedKeyRecord::supersedes`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum RecordKey {
        /// Network identity of a process; lives on the machine that is reachable from outside.
        Peer(PeerKey) = 0,
        /// View key of an account.
        View([u8; DECAF_POINT_BYTES]) = 1,
        /// Key of a worker.
        Worker([u8; G2_BYTES]) = 2,
        /// Spend key of an account.
        Spend([u8; DECAF_POINT_BYTES]) = 3,
        /// Key of a prover.
        Prover([u8; G2_BYTES]) = 4,
    }
}

canonical! {
    /// What every key signs under tag `keyrecord`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyRecord {
        /// The network.
        pub genesis: GenesisHash,
        /// Higher wins.
        pub seq: u64,
        /// Keys in force.
        pub keys: Sorted<RecordKey, KEYS_MAX>,
        /// Keys that are not to be used any more.
        pub revoked: Sorted<RecordKey, REVOKED_MAX>,
        /// Last global frame at which the record holds.
        pub expiry: FrameNumber,
    }
}

canonical! {
    /// A record as it travels: one signature per key, in the order of the keys.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedKeyRecord {
        /// The record.
        pub record: KeyRecord,
        /// Ed25519 (64 bytes), BLS (74) or Schnorr (112), as the key demands.
        pub signatures: Bounded<Bytes<DECAF_PROOF_BYTES>, KEYS_MAX>,
    }
}

/// Why a record is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not an encoding.
    #[error("key record: {0}")]
    Encoding(#[from] DecodeError),
    /// Of another network.
    #[error("key record of another network")]
    Network,
    /// Without keys there is nobody to vouch.
    #[error("key record without keys")]
    Empty,
    /// A key is both in force and revoked.
    #[error("key {index} of the record is also revoked")]
    RevokedKeyInForce {
        /// Index of the key.
        index: usize,
    },
    /// The same key stands in two roles.
    #[error("key {index} of the record stands in another role as well")]
    KeyReused {
        /// Index of the second one.
        index: usize,
    },
    /// Expired at the given frame.
    #[error("key record expired at frame {expiry}")]
    Expired {
        /// Last frame at which it held.
        expiry: FrameNumber,
    },
    /// Not one signature per key.
    #[error("{found} signatures for {expected} keys")]
    SignatureCount {
        /// Number of keys.
        expected: usize,
        /// Number of signatures.
        found: usize,
    },
    /// A key is no valid public key.
    #[error("key {index} of the record is not a valid public key")]
    InvalidKey {
        /// Index of the key.
        index: usize,
    },
    /// A signature does not verify.
    #[error("signature of key {index} of the record does not verify")]
    Signature {
        /// Index of the key.
        index: usize,
    },
    /// A secret key was given that is not in the record, or none for a key that is.
    #[error("no signer for key {index} of the record")]
    MissingSigner {
        /// Index of the key.
        index: usize,
    },
}

impl SignedKeyRecord {
    /// Reads a record from the wire.
    ///
    /// # Errors
    /// [`RecordError::Encoding`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(Self::decode(bytes, RECORD_BYTES_MAX)?)
    }

    /// Checks everything: network, expiry at global frame `now`, shape, and that every key signed the whole record.
    ///
    /// # Errors
    /// [`RecordError`], cheap rules first.
    pub fn verify(
        self,
        genesis: &GenesisHash,
        now: FrameNumber,
    ) -> Result<VerifiedKeyRecord, RecordError> {
        let record = &self.record;
        if record.genesis != *genesis {
            return Err(RecordError::Network);
        }
        if record.expiry < now {
            return Err(RecordError::Expired {
                expiry: record.expiry,
            });
        }
        check_shape(record)?;
        if self.signatures.len() != record.keys.len() {
            return Err(RecordError::SignatureCount {
                expected: record.keys.len(),
                found: self.signatures.len(),
            });
        }
        for (index, (key, signature)) in record.keys.iter().zip(&self.signatures).enumerate() {
            verify_one(index, key, record, signature)?;
        }
        Ok(VerifiedKeyRecord(self))
    }
}

/// A record that every one of its keys has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKeyRecord(SignedKeyRecord);

impl VerifiedKeyRecord {
    /// The record.
    #[must_use]
    pub const fn record(&self) -> &KeyRecord {
        &self.0.record
    }

    /// The record with its signatures, to pass on.
    #[must_use]
    pub const fn signed(&self) -> &SignedKeyRecord {
        &self.0
    }

    /// Whether `key` is in force.
    #[must_use]
    pub fn contains(&self, key: &RecordKey) -> bool {
        self.record().keys.binary_search(key).is_ok()
    }

    /// The strongest key: what identifies the owner of this record.
    #[must_use]
    pub fn anchor(&self) -> Option<&RecordKey> {
        self.record().keys.last()
    }

    /// Whether this record takes the place of `old`: same network, higher seq, and signed by the strongest key of
    /// `old`. So a thief of a weaker key, such as a peer key, cannot speak for the owner.
    #[must_use]
    pub fn supersedes(&self, old: &Self) -> bool {
        let (new, old_record) = (self.record(), old.record());
        new.genesis == old_record.genesis
            && new.seq > old_record.seq
            && old.anchor().is_some_and(|anchor| self.contains(anchor))
    }
}

/// Rules that need no cryptography.
pub(crate) fn check_shape(record: &KeyRecord) -> Result<(), RecordError> {
    if record.keys.is_empty() {
        return Err(RecordError::Empty);
    }
    for (index, key) in record.keys.iter().enumerate() {
        if record.revoked.binary_search(key).is_ok() {
            return Err(RecordError::RevokedKeyInForce { index });
        }
        let twice = record
            .keys
            .iter()
            .take(index)
            .any(|other| other.same_point(key));
        if twice {
            return Err(RecordError::KeyReused { index });
        }
    }
    Ok(())
}

impl RecordKey {
    /// Whether two keys of different roles are one point. Roles with keys of different groups never are.
    fn same_point(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::View(a) | Self::Spend(a), Self::View(b) | Self::Spend(b)) => a == b,
            (Self::Worker(a) | Self::Prover(a), Self::Worker(b) | Self::Prover(b)) => a == b,
            _ => self == other,
        }
    }
}

fn verify_one(
    index: usize,
    key: &RecordKey,
    record: &KeyRecord,
    signature: &[u8],
) -> Result<(), RecordError> {
    let invalid_key = || RecordError::InvalidKey { index };
    let invalid = || RecordError::Signature { index };
    let message = hash::tagged(tags::KEY_RECORD, record);
    match key {
        RecordKey::Peer(key) => {
            let signature = signature.try_into().map_err(|_| invalid())?;
            verify_peer(key, tags::KEY_RECORD, record, signature).map_err(|e| match e {
                crate::PeerError::Key => invalid_key(),
                crate::PeerError::Signature => invalid(),
            })
        }
        RecordKey::View(key) | RecordKey::Spend(key) => {
            let bytes: &[u8; DECAF_PROOF_BYTES] = signature.try_into().map_err(|_| invalid())?;
            let signature = schnorr::Signature::from_bytes(bytes).map_err(|_| invalid())?;
            let key = CompressedPoint(*key)
                .decompress_nonidentity()
                .map_err(|_| invalid_key())?;
            let tag = tags::KEY_RECORD.as_str();
            schnorr::verify(tag, &key, &message, &signature).map_err(|_| invalid())
        }
        RecordKey::Worker(key) | RecordKey::Prover(key) => {
            let signature = BlsSignature::from_bytes(signature).map_err(|_| invalid())?;
            let key = PublicKey::from_bytes(key).map_err(|_| invalid_key())?;
            key.verify(&message, &signature).map_err(|_| invalid())
        }
    }
}
