//! Why a call fails.

use quil_bls48581::{KeyError, PointError, SignatureError};
use quil_decaf::schnorr::SchnorrError;
use quil_execution::wallet::WalletError as TransferError;
use quil_keys::{AddressError, WalletError};
use quil_kzg::FileError;
use quil_trie::ProofError;
use quil_types::DecodeError;

/// Why a call fails, one variant per part. Messages never repeat secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No [`crate::Call`] has this number.
    #[error("no call has number {0}")]
    UnknownCall(u32),
    /// The request is not the canonical encoding of what the call takes.
    #[error("request: {0}")]
    Request(#[from] DecodeError),
    /// A text is not UTF-8.
    #[error("text is not UTF-8")]
    Text,
    /// The phrase or account does not exist.
    #[error("{0}")]
    Wallet(#[from] WalletError),
    /// Not an address.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// The account did not sign this.
    #[error("{0}")]
    Signature(#[from] SchnorrError),
    /// A BLS seed is too short.
    #[error("{0}")]
    BlsKey(#[from] KeyError),
    /// A BLS key or signature is not a point of its group.
    #[error("{0}")]
    BlsPoint(#[from] PointError),
    /// The BLS key did not sign this.
    #[error("{0}")]
    BlsSignature(#[from] SignatureError),
    /// The genesis document is not one.
    #[error("genesis document: {0}")]
    Genesis(DecodeError),
    /// The ceremony in the genesis document does not hold.
    #[error("genesis document: {0}")]
    Ceremony(#[from] FileError),
    /// The proof is not the canonical encoding of one.
    #[error("proof: {0}")]
    ProofEncoding(DecodeError),
    /// The proof does not show what is claimed.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// The transfer cannot be built.
    #[error("{0}")]
    Transfer(#[from] TransferError),
    /// Record of this position is not a coin of the account.
    #[error("record {0} is not a coin of the account")]
    ForeignCoin(usize),
    /// The transfer has no payments.
    #[error("no payments")]
    NoPayments,
    /// The result exceeds its bounds; bounds of requests exclude it.
    #[error("result exceeds its bounds")]
    Bounds,
}

impl CallError {
    /// A number of the variant, stable, above zero.
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            Self::UnknownCall(_) => 1,
            Self::Request(_) => 2,
            Self::Text => 3,
            Self::Wallet(_) => 4,
            Self::Address(_) => 5,
            Self::Signature(_) => 6,
            Self::BlsKey(_) => 7,
            Self::BlsPoint(_) => 8,
            Self::BlsSignature(_) => 9,
            Self::Genesis(_) => 10,
            Self::Ceremony(_) => 11,
            Self::ProofEncoding(_) => 12,
            Self::Proof(_) => 13,
            Self::Transfer(_) => 14,
            Self::ForeignCoin(_) => 15,
            Self::NoPayments => 16,
            Self::Bounds => 17,
        }
    }
}
