//! The light client: what one answer of an untrusted node proves to somebody who has the genesis document (S4).

use quil_engine::light::{
    LIGHT_PROOF_BYTES_MAX, LightError, LightNetwork, LightProof, LightRecord,
};
use quil_engine::{NetworkError, check_genesis};
use quil_execution::state::RECORD_BYTES_MAX;
use quil_execution::token::records::coin_key;
use quil_execution::token::{CoinRecord, TokenRecord};
use quil_execution::wallet::{OwnedCoin, ScanKeys};
use quil_hotstuff::BlsScheme;
use quil_kzg::Verifier;
use quil_types::bundle::Home;
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{Canonical as _, DecodeError, Domain, Genesis, GenesisHash};
use serde::Deserialize;

use crate::output::Failure;

/// Schema of the answer that carries a proof.
pub const PROOF_SCHEMA: &str = "quil.proof/1";
/// Largest answer that is looked at, bytes: the proof in hexadecimal, and the envelope.
pub const ANSWER_BYTES_MAX: usize = 2 * LIGHT_PROOF_BYTES_MAX + 1024;

/// Why an answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightClientError {
    /// The genesis document is not one.
    #[error("genesis document: {0}")]
    Genesis(DecodeError),
    /// The genesis document breaks a rule: a key without possession, a ceremony that does not hold.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The answer is longer than any proof.
    #[error("answer of {0} bytes")]
    TooLarge(usize),
    /// The answer is not the JSON document of this schema.
    #[error("answer: {0}")]
    Json(String),
    /// Another schema.
    #[error("answer has another schema than {PROOF_SCHEMA}")]
    Schema,
    /// The proof is not lower-case hexadecimal.
    #[error("proof is not lower-case hexadecimal")]
    Hex,
    /// The proof is no encoding.
    #[error("proof: {0}")]
    Encoding(DecodeError),
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] LightError),
    /// The answer names another global frame than its proof.
    #[error("answer names global frame {told}, its proof shows {proven}")]
    GlobalNumber {
        /// Of the answer.
        told: u64,
        /// Of the proof.
        proven: u64,
    },
    /// The answer names another shard frame than its proof.
    #[error("answer names shard frame {told}, its proof shows {proven}")]
    ShardHeight {
        /// Of the answer.
        told: u64,
        /// Of the proof.
        proven: u64,
    },
}

impl From<LightClientError> for Failure {
    fn from(error: LightClientError) -> Self {
        let message = error.to_string();
        match error {
            LightClientError::Genesis(_) | LightClientError::Network(_) => Self::new(
                "genesis.invalid",
                message,
                "get the genesis document of the network",
            )
            .configuration(),
            _ => Self::new(
                "proof.invalid",
                message,
                "do not trust this node; ask another one",
            ),
        }
    }
}

/// The body of `GET /v1/proofs/{shard}/{key}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    schema: String,
    proof: String,
    global_number: u64,
    shard_height: u64,
}

/// A checked genesis document: verifies any number of answers. Making it costs tens of milliseconds per key of the
/// committee and per contribution of the ceremony; it builds no commitment tables.
#[derive(Debug)]
pub struct LightClient {
    genesis: Genesis,
    verifier: Verifier,
    scheme: BlsScheme,
}

impl LightClient {
    /// Decodes and checks the bytes of a genesis document.
    ///
    /// # Errors
    /// [`LightClientError::Genesis`], [`LightClientError::Network`].
    pub fn new(genesis: &[u8]) -> Result<Self, LightClientError> {
        let genesis =
            Genesis::decode(genesis, GENESIS_BYTES_MAX).map_err(LightClientError::Genesis)?;
        let verifier = Verifier::new(&check_genesis(&genesis)?);
        Ok(Self {
            genesis,
            verifier,
            scheme: BlsScheme::new(),
        })
    }

    /// The document.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Verifies an answer of the REST API.
    ///
    /// # Errors
    /// [`LightClientError`], one variant per rule.
    pub fn verify_answer(&self, answer: &[u8]) -> Result<VerifiedRecord, LightClientError> {
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(LightClientError::TooLarge(answer.len()));
        }
        let answer: Answer =
            serde_json::from_slice(answer).map_err(|e| LightClientError::Json(e.to_string()))?;
        if answer.schema != PROOF_SCHEMA {
            return Err(LightClientError::Schema);
        }
        let proof = hex::decode(&answer.proof).map_err(|_| LightClientError::Hex)?;
        if hex::encode(&proof) != answer.proof {
            return Err(LightClientError::Hex);
        }
        let verified = self.verify(&proof)?;
        let proven = verified.record.global_number.get();
        if answer.global_number != proven {
            let told = answer.global_number;
            return Err(LightClientError::GlobalNumber { told, proven });
        }
        let proven = verified.record.row.height.get();
        if answer.shard_height != proven {
            let told = answer.shard_height;
            return Err(LightClientError::ShardHeight { told, proven });
        }
        Ok(verified)
    }

    /// Verifies an encoded [`LightProof`]. Cost: one certificate per epoch, and one opening.
    ///
    /// # Errors
    /// [`LightClientError::Encoding`], [`LightClientError::Proof`].
    pub fn verify(&self, proof: &[u8]) -> Result<VerifiedRecord, LightClientError> {
        let proof = LightProof::from_bytes(proof).map_err(LightClientError::Encoding)?;
        let network = LightNetwork::new(&self.genesis);
        let record = network.verify(&self.scheme, &self.verifier, &proof)?;
        Ok(VerifiedRecord {
            genesis: network.hash(),
            domain: self.genesis.token.domain,
            record,
        })
    }
}

/// Verifies one answer of a node with nothing but the bytes of the genesis document.
///
/// What is shown: the record of [`LightRecord::key`] in [`LightRecord::shard`], or that there is none, after the final
/// global frame [`LightRecord::global_number`]. That the key is the one that was asked for, and that the frame is recent
/// enough, is for the caller to compare; a proof of absence may also hold for neighbours of the key, and then shows that.
///
/// # Errors
/// [`LightClientError`], one variant per rule.
pub fn verify_answer(genesis: &[u8], answer: &[u8]) -> Result<VerifiedRecord, LightClientError> {
    LightClient::new(genesis)?.verify_answer(answer)
}

/// A record, or its absence, that was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRecord {
    genesis: GenesisHash,
    domain: Domain,
    record: LightRecord,
}

impl VerifiedRecord {
    /// What was proven.
    #[must_use]
    pub const fn record(&self) -> &LightRecord {
        &self.record
    }

    /// The record as one of the native token; `None` when there is none or it is of another domain.
    #[must_use]
    pub fn token_record(&self) -> Option<TokenRecord> {
        let entry = self.record.entry.as_ref()?;
        if self.record.key.domain != self.domain {
            return None;
        }
        TokenRecord::decode(&entry.content, RECORD_BYTES_MAX).ok()
    }

    /// The coin with its home, when the record is one and stands where its identity says.
    #[must_use]
    pub fn coin(&self) -> Option<(Home, CoinRecord)> {
        let Some(TokenRecord::Coin(coin)) = self.token_record() else {
            return None;
        };
        let [a, b, ..] = self.record.key.data;
        let home = Home([a, b]);
        let at = coin_key(self.domain, home, coin.id(self.genesis, self.domain));
        (at == self.record.key).then_some((home, coin))
    }

    /// Opens the coin with a view key: `None` when the record is no coin or not one of this account.
    #[must_use]
    pub fn open(&self, keys: &ScanKeys) -> Option<OwnedCoin> {
        let (home, coin) = self.coin()?;
        keys.open(self.genesis, self.domain, home, &coin)
    }
}
