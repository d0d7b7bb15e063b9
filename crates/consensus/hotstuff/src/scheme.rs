//! The signature scheme that the core is generic over (C9).

mod bls;
#[cfg(any(test, feature = "test-support"))]
mod keyed;

use quil_types::{Bitmask, MemberIndex, SignatureBytes};

use crate::roster::Roster;

pub use bls::BlsScheme;
#[cfg(any(test, feature = "test-support"))]
pub use keyed::{KeyedScheme, KeyedSigner};

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// A signer is not in the committee.
    #[error("signer is not a member")]
    UnknownMember,
    /// The signature or a key does not decode.
    #[error("malformed signature or key")]
    Malformed,
    /// The signature, a key or an aggregate is the identity (C6).
    #[error("identity point")]
    Identity,
    /// The equation does not hold.
    #[error("signature does not match")]
    Mismatch,
}

/// One message and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The signers.
    pub signers: Bitmask,
    /// What each of them signed.
    pub message: Vec<u8>,
}

/// An aggregatable signature scheme over committees. Keys come from the roster; implementations may cache them by
/// roster root. Proofs of possession were checked when the committee was formed.
pub trait Scheme {
    /// A secret key.
    type Signer;

    /// Signs. Deterministic: the same key and message give the same bytes, so a vote can be sent again (C8).
    fn sign(&self, signer: &Self::Signer, message: &[u8]) -> SignatureBytes;

    /// Checks one member's signature.
    ///
    /// # Errors
    /// [`SchemeError`].
    fn verify(
        &self,
        roster: &Roster,
        member: MemberIndex,
        message: &[u8],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError>;

    /// Checks an aggregate over one message (a quorum certificate).
    ///
    /// # Errors
    /// [`SchemeError`].
    fn verify_same(
        &self,
        roster: &Roster,
        group: &Group,
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError> {
        self.verify_groups(roster, core::slice::from_ref(group), signature)
    }

    /// Checks an aggregate over several messages (a timeout certificate). Cost: one pairing per group.
    ///
    /// # Errors
    /// [`SchemeError`].
    fn verify_groups(
        &self,
        roster: &Roster,
        groups: &[Group],
        signature: &SignatureBytes,
    ) -> Result<(), SchemeError>;

    /// Adds signatures up. The result is valid when each part is.
    ///
    /// # Errors
    /// [`SchemeError::Malformed`] when a part does not decode or there is none.
    fn aggregate(&self, signatures: &[SignatureBytes]) -> Result<SignatureBytes, SchemeError>;
}
