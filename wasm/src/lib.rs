#![doc = include_str!("../README.md")]

pub mod abi;
mod account;
mod bls;
mod call;
mod coins;
mod error;
mod network;
mod random;
mod state;

pub use account::{AccountRequest, PhraseRequest, SignRequest, VerifyRequest};
pub use bls::{BlsSecretRequest, BlsSignRequest, BlsVerifyRequest};
pub use call::{Call, INPUT_BYTES_MAX, run};
pub use coins::{FoundCoin, PaymentRequest, RECORDS_MAX, ScanRequest, Transfer, TransferRequest};
pub use error::CallError;
pub use network::GenesisRequest;
pub use state::{ProofRequest, Said};
