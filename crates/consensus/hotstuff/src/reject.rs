//! Why a message is refused: the peer's fault, one variant per rule. Nothing here is fatal.

use crate::proposal::ProposalError;
use crate::verify::VerifyError;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// The message is of another chain.
    #[error("message of another chain")]
    WrongChain,
    /// The author is not a member of the committee of the message's epoch.
    #[error("author is not a member")]
    NotMember,
    /// The message inside names another author.
    #[error("author and inner member differ")]
    AuthorMismatch,
    /// A certificate, proof or signature is refused.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A proposal breaks a rule.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// A timeout's certificate is not below the rank, or is of another chain or epoch.
    #[error("certificate of the timeout")]
    TimeoutCertificate,
    /// A second, different timeout of one rank.
    #[error("second timeout in one rank")]
    SecondTimeout,
    /// A second, different vote of one rank (C10).
    #[error("second vote in one rank")]
    SecondVote,
    /// The execution found the body invalid.
    #[error("body: {0}")]
    Body(&'static str),
}
