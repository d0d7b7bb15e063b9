//! The token intrinsic (T1-T9): identities, records, checks in their order, proofs in batches, application.

pub mod apply;
pub mod cache;
pub mod check;
pub mod contextual;
pub mod ids;
pub mod proofs;
pub mod records;

pub use apply::apply;
pub use cache::ProofCache;
pub use check::{Checked, CheckedDebit, CheckedPart, CheckedTransfer, stateless};
pub use contextual::{Moment, Ready, contextual};
pub use ids::{BundleHash, bundle_hash};
pub use proofs::{verify_batch, verify_cached};
pub use records::{CoinRecord, FeeAccount, Supply, TokenRecord};

use quil_types::Code;

use crate::state::StateFault;

/// Why a bundle is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bundle breaks a rule of T8.
    #[error("{0}")]
    Code(Code),
    /// The local state cannot answer; says nothing about the bundle.
    #[error(transparent)]
    Fault(#[from] StateFault),
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}
