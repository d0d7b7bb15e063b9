//! The wallet's arithmetic: find coins, choose them, build and prove transfers. No IO, no clock; randomness is an
//! argument.

mod builder;
mod coin;
mod select;

pub use builder::{BuiltTransfer, Mint, Payment, TransferBuilder};
pub use coin::{OwnedCoin, ScanKeys};
pub use select::{Selection, select};

use quil_types::Code;

/// Why a transfer cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The coins do not cover amounts and fee.
    #[error("coins are worth {have}, {need} are needed")]
    Insufficient {
        /// Units of the usable coins.
        have: u64,
        /// Units of amounts, burn and fee.
        need: u64,
    },
    /// The coins cover it, but not with as many as one transfer takes: merge some first.
    #[error("more than {max} coins are needed")]
    TooManyCoins {
        /// Inputs of one transfer.
        max: usize,
    },
    /// More receivers than one transfer takes, beside the change.
    #[error("{got} payments, at most {max} fit beside the change")]
    TooManyPayments {
        /// Payments asked for.
        got: usize,
        /// Payments that fit.
        max: usize,
    },
    /// Amounts, burn and fee exceed 64 bits.
    #[error("amounts exceed 64 bits")]
    Overflow,
    /// A mint of nothing, or neither coins nor a mint.
    #[error("nothing to build")]
    Nothing,
    /// A receiver's key is the identity.
    #[error("address is not valid")]
    Address,
    /// The range proof could not be made.
    #[error("range proof could not be made")]
    RangeProof,
    /// The finished transfer did not pass its own check: wrong keys for the coins, or a fault of the machine.
    #[error("transfer fails its own check: {0}")]
    SelfCheck(Code),
}
