//! Who this process is in a chain's committee, and the network signature on its messages (C7).

use std::sync::Arc;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use quil_hotstuff::Roster;
use quil_types::limits::G2_BYTES;
use quil_types::{
    ConsensusMessage, Envelope, GenesisHash, MemberIndex, PeerKey, ProverId, envelope_bytes,
};

/// Keys of one process.
#[derive(Clone)]
pub struct Identity {
    peer: Arc<SigningKey>,
    key: Option<[u8; G2_BYTES]>,
    prover: ProverId,
}

impl core::fmt::Debug for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Identity")
            .field("prover", &self.prover)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// From the Ed25519 secret of the process, its consensus key (`None` for an observer) and its prover.
    #[must_use]
    pub fn new(peer_secret: &[u8; 32], key: Option<[u8; G2_BYTES]>, prover: ProverId) -> Self {
        Self {
            peer: Arc::new(SigningKey::from_bytes(peer_secret)),
            key,
            prover,
        }
    }

    /// The network identity.
    #[must_use]
    pub fn peer(&self) -> PeerKey {
        PeerKey(self.peer.verifying_key().to_bytes())
    }

    /// The prover.
    #[must_use]
    pub const fn prover(&self) -> ProverId {
        self.prover
    }

    /// Our place in a committee.
    #[must_use]
    pub fn position(&self, roster: &Roster) -> Option<MemberIndex> {
        roster.position(self.key.as_ref()?)
    }

    /// Signs an envelope.
    #[must_use]
    pub fn sign_envelope(
        &self,
        genesis: GenesisHash,
        member: MemberIndex,
        attempt: u32,
        payload: &ConsensusMessage,
    ) -> [u8; 64] {
        self.peer
            .sign(&envelope_bytes(genesis, member, attempt, payload))
            .to_bytes()
    }
}

/// Whether an envelope is signed by its author's network key. Strict: one signature per message and key.
#[must_use]
pub(crate) fn envelope_holds(genesis: GenesisHash, envelope: &Envelope, author: &PeerKey) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&author.0) else {
        return false;
    };
    key.verify_strict(
        &envelope.signed_bytes(genesis),
        &Signature::from_bytes(&envelope.signature),
    )
    .is_ok()
}
