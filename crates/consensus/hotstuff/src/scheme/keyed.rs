//! A keyed-hash scheme for simulations: fast, aggregatable by exclusive or, and not secure (the public key is the
//! secret). Never compiled into a node.

use quil_types::limits::G2_BYTES;
use quil_types::{Bytes, Digest, MemberIndex, SignatureBytes, canonical, hash, tags};

use super::{Group, Scheme, SchemeError};
use crate::roster::Roster;

canonical! {
    struct Mac {
        key: [u8; G2_BYTES],
        message: Digest,
    }
}

/// The scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyedScheme;

/// A key that signs and verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedSigner([u8; G2_BYTES]);

impl KeyedSigner {
    /// The key of a number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut key = [0x5a; G2_BYTES];
        for (to, from) in key.iter_mut().zip(number.to_le_bytes()) {
            *to = from;
        }
        Self(key)
    }

    /// What the committee lists.
    #[must_use]
    pub const fn public(&self) -> [u8; G2_BYTES] {
        self.0
    }
}

fn mac(key: &[u8; G2_BYTES], message: &[u8]) -> [u8; 32] {
    let message = Digest(hash::h_bytes(tags::BATCH, message));
    hash::h(tags::BATCH, &Mac { key: *key, message })
}

fn add(sum: &mut [u8; 32], part: &[u8]) -> Result<(), SchemeError> {
    if part.len() != sum.len() {
        return Err(SchemeError::Malformed);
    }
    sum.iter_mut().zip(part).for_each(|(a, b)| *a ^= b);
    Ok(())
}

impl Scheme for KeyedScheme {
    type Signer = KeyedSigner;

    fn sign(&self, signer: &KeyedSigner, message: &[u8]) -> SignatureBytes {
        Bytes::from_slice(&mac(&signer.0, message)).unwrap_or_default()
    }

    fn verify(
        &self,
        roster: &Roster,
        member: MemberIndex,
        message: &[u8],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError> {
        let key = roster.member(member).ok_or(SchemeError::UnknownMember)?.key;
        if signature.len() != 32 {
            return Err(SchemeError::Malformed);
        }
        if mac(&key, message)[..] == signature[..] {
            Ok(())
        } else {
            Err(SchemeError::Mismatch)
        }
    }

    fn verify_groups(
        &self,
        roster: &Roster,
        groups: &[Group],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError> {
        let mut sum = [0; 32];
        add(&mut sum, signature)?;
        if sum == [0; 32] {
            return Err(SchemeError::Identity);
        }
        for group in groups {
            for member in group.signers.iter() {
                let key = roster.member(member).ok_or(SchemeError::UnknownMember)?.key;
                add(&mut sum, &mac(&key, &group.message))?;
            }
        }
        if sum == [0; 32] {
            Ok(())
        } else {
            Err(SchemeError::Mismatch)
        }
    }

    fn aggregate(&self, signatures: &[SignatureBytes]) -> Result<SignatureBytes, SchemeError> {
        let mut sum = [0; 32];
        for signature in signatures {
            add(&mut sum, signature)?;
        }
        if signatures.is_empty() {
            return Err(SchemeError::Malformed);
        }
        Bytes::from_slice(&sum).map_err(|_| SchemeError::Malformed)
    }
}
