//! BLS48-581 signatures (D5).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use quil_bls48581::{PublicKey, SecretKey, Signature, SignatureError, verify_aggregate};
use quil_types::{Bitmask, Bytes, Digest, MemberIndex, SignatureBytes};

use super::{Group, Scheme, SchemeError};
use crate::limits::CLOSED_EPOCHS_MAX;
use crate::roster::Roster;

/// Committees whose decoded keys are kept: those of the epochs that the core keeps, of two chains (a shard member
/// checks global certificates as well). The least recently used one is dropped.
const COMMITTEES_CACHED: usize = 2 * (CLOSED_EPOCHS_MAX + 3);

/// Keys of one committee; `None` for a key that does not decode, which then signs nothing.
type Keys = Arc<Vec<Option<PublicKey>>>;

/// The pairing scheme. Clones share the cache of decoded keys.
///
/// Aggregation is sound only because every key's proof of possession was checked when it entered the registry or the
/// genesis (D2, I2).
#[derive(Clone, Debug, Default)]
pub struct BlsScheme {
    cache: Arc<Mutex<VecDeque<(Digest, Keys)>>>,
}

impl BlsScheme {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the keys of a committee ahead of the first check. Cost: a square root and a subgroup test per member.
    pub fn prepare(&self, roster: &Roster) {
        let _ = self.keys(roster);
    }

    fn keys(&self, roster: &Roster) -> Keys {
        let root = roster.root();
        {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = cache.iter().position(|(r, _)| *r == root)
                && let Some(entry) = cache.remove(at)
            {
                let keys = Arc::clone(&entry.1);
                cache.push_back(entry);
                return keys;
            }
        }
        // Decoded without the lock: two threads may do the same work once, none waits for it.
        let members = roster.committee().members.iter();
        let keys: Keys = Arc::new(
            members
                .map(|m| PublicKey::from_bytes(&m.key).ok())
                .collect(),
        );
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.iter().all(|(r, _)| *r != root) {
            cache.push_back((root, Arc::clone(&keys)));
            while cache.len() > COMMITTEES_CACHED {
                cache.pop_front();
            }
        }
        keys
    }
}

fn key(keys: &Keys, member: MemberIndex) -> Result<&PublicKey, SchemeError> {
    let key = keys.get(member.get()).ok_or(SchemeError::UnknownMember)?;
    key.as_ref().ok_or(SchemeError::Malformed)
}

fn sum(keys: &Keys, signers: &Bitmask) -> Result<PublicKey, SchemeError> {
    let members: Vec<&PublicKey> = signers
        .iter()
        .map(|m| key(keys, m))
        .collect::<Result<_, _>>()?;
    PublicKey::aggregate(members).map_err(failure)
}

fn decode(signature: &SignatureBytes) -> Result<Signature, SchemeError> {
    Signature::from_bytes(signature).map_err(|e| match e {
        quil_bls48581::PointError::Identity => SchemeError::Identity,
        _ => SchemeError::Malformed,
    })
}

const fn failure(error: SignatureError) -> SchemeError {
    match error {
        SignatureError::IdentityAggregate => SchemeError::Identity,
        SignatureError::Empty => SchemeError::Malformed,
        SignatureError::Invalid => SchemeError::Mismatch,
    }
}

fn encode(signature: &Signature) -> SignatureBytes {
    // 74 bytes fit into the limit of `SignatureBytes`.
    Bytes::from_slice(&signature.to_bytes()).unwrap_or_default()
}

impl Scheme for BlsScheme {
    type Signer = SecretKey;

    fn sign(&self, signer: &SecretKey, message: &[u8]) -> SignatureBytes {
        encode(&signer.sign(message))
    }

    fn verify(
        &self,
        roster: &Roster,
        member: MemberIndex,
        message: &[u8],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError> {
        let keys = self.keys(roster);
        key(&keys, member)?
            .verify(message, &decode(signature)?)
            .map_err(failure)
    }

    fn verify_groups(
        &self,
        roster: &Roster,
        groups: &[Group],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError> {
        let signature = decode(signature)?;
        let keys = self.keys(roster);
        let sums: Vec<PublicKey> = groups
            .iter()
            .map(|g| sum(&keys, &g.signers))
            .collect::<Result<_, _>>()?;
        let entries: Vec<(&PublicKey, &[u8])> = sums
            .iter()
            .zip(groups)
            .map(|(key, g)| (key, g.message.as_slice()))
            .collect();
        verify_aggregate(&entries, &signature).map_err(failure)
    }

    fn aggregate(&self, signatures: &[SignatureBytes]) -> Result<SignatureBytes, SchemeError> {
        let parts: Vec<Signature> = signatures.iter().map(decode).collect::<Result<_, _>>()?;
        Signature::aggregate(&parts)
            .map(|s| encode(&s))
            .map_err(failure)
    }
}
