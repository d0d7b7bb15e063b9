//! Proof of one record for somebody who has nothing but the genesis document (S4).
//!
//! The way up: the record is in the roots of its shard's row, the row is in the `shards_root` of a global header, the
//! header carries a certificate one rank above its parent (C3), the certificate is by the committee of its epoch, and
//! that committee is named by the frame that closed the epoch before (C2), down to the one of genesis.

use std::sync::Arc;

use quil_execution::light::{RECORD_PROOF_BYTES_MAX, RecordProof, verify_record};
use quil_execution::state::RecordKey;
use quil_hotstuff::{EpochRule, EpochWalk, Roster, Scheme, Term, VerifyError};
use quil_hypergraph::Entry;
use quil_kzg::Verifier;
use quil_types::limits::FINALITY_PROOF_BYTES_MAX;
use quil_types::{
    Bounded, Canonical, Chain, DecodeError, Epoch, EpochProof, FinalityProof, FrameNumber, Genesis,
    GenesisHash, ShardAddr, ShardRow, Timestamp, canonical,
};

/// Epochs between genesis and the proof. A verifier pays one certificate for each; above it a checkpoint is needed
/// (R6).
pub const LIGHT_EPOCHS_MAX: usize = 1024;
/// Room for the proof of an epoch that closed without trouble: three headers and a certificate, bytes.
const EPOCH_BYTES: usize = 3 * 1024;
/// Largest encoded [`LightProof`], bytes.
pub const LIGHT_PROOF_BYTES_MAX: usize =
    LIGHT_EPOCHS_MAX * EPOCH_BYTES + FINALITY_PROOF_BYTES_MAX + RECORD_PROOF_BYTES_MAX + 1024;

canonical! {
    /// A record with everything that ties it to the genesis document.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LightProof {
        /// The shard.
        pub shard: ShardAddr,
        /// The record: domain, data address.
        pub key: [u8; 64],
        /// Proofs of the closed epochs, from epoch 0 to the one before `finality`'s.
        pub epochs: Bounded<EpochProof, LIGHT_EPOCHS_MAX>,
        /// A certified global header: its `shards_root` is that after its final parent.
        pub finality: FinalityProof,
        /// Row, record and their paths.
        pub record: RecordProof,
    }
}

impl LightProof {
    /// Reads a proof from the wire.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes, LIGHT_PROOF_BYTES_MAX)
    }
}

/// Why a record is not proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightError {
    /// The certified header is not one of the global chain.
    #[error("header is not of the global chain")]
    NotGlobal,
    /// The header has another version than its epoch demands (D3).
    #[error("version {0} is not that of its epoch")]
    Version(u16),
    /// The proof of a closed epoch does not hold (C1, C2).
    #[error("epoch {0}: {1}")]
    Epoch(Epoch, #[source] VerifyError),
    /// The certificate of the header does not hold, or makes no parent final (C3).
    #[error("finality: {0}")]
    Finality(#[source] VerifyError),
    /// The header is the genesis frame's own: it has no parent whose results it could carry.
    #[error("header has number 0")]
    Number,
    /// Row or record are not in the header's roots (K1, K2).
    #[error(transparent)]
    Record(#[from] quil_execution::light::LightError),
}

/// What a light client takes from the genesis document. The caller has checked possession of the committee's keys and
/// the ceremony: see [`crate::check_genesis`].
#[derive(Clone, Debug)]
pub struct LightNetwork<'a> {
    genesis: &'a Genesis,
    hash: GenesisHash,
    roster: Arc<Roster>,
}

impl<'a> LightNetwork<'a> {
    /// Hashes the document and its committee.
    #[must_use]
    pub fn new(genesis: &'a Genesis) -> Self {
        Self {
            genesis,
            hash: genesis.hash(),
            roster: Arc::new(Roster::new(genesis.global_committee())),
        }
    }

    /// The network.
    #[must_use]
    pub const fn hash(&self) -> GenesisHash {
        self.hash
    }

    const fn rule(&self) -> EpochRule {
        EpochRule::new(self.genesis.epoch_frames)
    }

    fn walk(&self) -> EpochWalk {
        EpochWalk::new(Term {
            genesis: self.hash,
            chain: Chain::Global,
            epoch: Epoch::new(0),
            rule: self.rule(),
            roster: Arc::clone(&self.roster),
        })
    }

    /// Checks a proof from the genesis committee up to the record. Pure: the answer depends on the arguments alone.
    ///
    /// Whether the answer is recent is the caller's question: [`LightRecord::timestamp`] and
    /// [`LightRecord::global_number`] are certified.
    ///
    /// Cost: one certificate (two pairings) per epoch and one for the header, two pairings for the opening.
    ///
    /// # Errors
    /// [`LightError`], one variant per rule.
    pub fn verify<S: Scheme>(
        &self,
        scheme: &S,
        verifier: &Verifier,
        proof: &LightProof,
    ) -> Result<LightRecord, LightError> {
        let header = &proof.finality.header;
        if header.chain != Chain::Global {
            return Err(LightError::NotGlobal);
        }
        if header.version != self.genesis.version_at(header.epoch) {
            return Err(LightError::Version(header.version));
        }
        let before = header.number.get().checked_sub(1);
        let before = before.ok_or(LightError::Number)?;
        self.check_certificates(scheme, proof)?;
        let key = RecordKey::from_bytes(&proof.key);
        let settled = verify_record(
            verifier,
            &header.shards_root,
            proof.shard,
            &key,
            &proof.record,
        )?;
        // Behind the closing frame the roots stay those after it; the frames there are discarded.
        let last = self.rule().boundary(header.epoch).get();
        Ok(LightRecord {
            shard: proof.shard,
            key,
            entry: settled.entry,
            row: settled.row,
            global_number: FrameNumber::new(before.min(last)),
            timestamp: header.timestamp,
        })
    }

    fn check_certificates<S: Scheme>(
        &self,
        scheme: &S,
        proof: &LightProof,
    ) -> Result<(), LightError> {
        let mut walk = self.walk();
        for closed in &proof.epochs {
            let epoch = walk.term().epoch;
            // The registry changes no committee in this version: every epoch has that of genesis (C2).
            walk.advance(scheme, closed.clone(), self.roster.committee().clone())
                .map_err(|e| LightError::Epoch(epoch, e))?;
        }
        quil_hotstuff::verify_finality_proof(scheme, walk.term(), proof.finality.clone())
            .map_err(LightError::Finality)?;
        Ok(())
    }
}

/// What a [`LightProof`] shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightRecord {
    /// The shard.
    pub shard: ShardAddr,
    /// The record's key.
    pub key: RecordKey,
    /// The record; `None` when it is proven that there is none.
    pub entry: Option<Entry>,
    /// The shard's row: epoch, height and roots that the record was read from.
    pub row: ShardRow,
    /// Number of the final global frame after which this holds.
    pub global_number: FrameNumber,
    /// When the certified header was made, by its leader's clock.
    pub timestamp: Timestamp,
}
