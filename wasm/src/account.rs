//! Wallets and accounts.

use quil_decaf::schnorr::{self, SIGNATURE_BYTES, Signature};
use quil_keys::{Account, Address, Wallet};
use quil_types::{Bytes, canonical};
use zeroize::Zeroizing;

use crate::error::CallError;
use crate::random::{RANDOM_BYTES, generator};

/// Longest recovery phrase, bytes.
pub(crate) const PHRASE_BYTES_MAX: usize = 1024;
/// Longest text of an address that is looked at, bytes.
pub(crate) const ADDRESS_BYTES_MAX: usize = 256;
/// Longest message, bytes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Tag of messages: what an account signs here is never a statement of the protocol.
const MESSAGE_TAG: &str = "quil/v1/wasm/message";

canonical! {
    /// Draws a wallet.
    #[derive(Clone)]
    pub struct PhraseRequest {
        /// Fresh randomness.
        pub random: [u8; RANDOM_BYTES],
    }
}

canonical! {
    /// An account of a wallet.
    #[derive(Clone)]
    pub struct AccountRequest {
        /// Recovery phrase of 24 words.
        pub phrase: Bytes<PHRASE_BYTES_MAX>,
        /// Which account.
        pub index: u32,
    }
}

canonical! {
    /// A message to sign with the spend key of an account.
    #[derive(Clone)]
    pub struct SignRequest {
        /// Fresh randomness.
        pub random: [u8; RANDOM_BYTES],
        /// Who signs.
        pub account: AccountRequest,
        /// What.
        pub message: Bytes<MESSAGE_BYTES_MAX>,
    }
}

canonical! {
    /// A signature to check.
    #[derive(Clone)]
    pub struct VerifyRequest {
        /// Text of the signer's address.
        pub address: Bytes<ADDRESS_BYTES_MAX>,
        /// What was signed.
        pub message: Bytes<MESSAGE_BYTES_MAX>,
        /// Its signature.
        pub signature: [u8; SIGNATURE_BYTES],
    }
}

/// The account, with the phrase erased.
pub(crate) fn open(request: AccountRequest) -> Result<Account, CallError> {
    let phrase = Zeroizing::new(request.phrase.into_vec());
    let phrase = core::str::from_utf8(&phrase).map_err(|_| CallError::Text)?;
    Ok(Wallet::from_phrase(phrase)?.account(request.index)?)
}

/// An address from its text.
pub(crate) fn parse_address(text: &[u8]) -> Result<Address, CallError> {
    let text = core::str::from_utf8(text).map_err(|_| CallError::Text)?;
    Ok(text.parse::<Address>()?)
}

pub(crate) fn phrase(request: PhraseRequest) -> Result<Vec<u8>, CallError> {
    let random = Zeroizing::new(request.random);
    let phrase = Wallet::generate(&mut generator(&random))?.phrase()?;
    Ok(phrase.as_bytes().to_vec())
}

pub(crate) fn address(request: AccountRequest) -> Result<Vec<u8>, CallError> {
    Ok(open(request)?.address().to_string().into_bytes())
}

pub(crate) fn sign(request: SignRequest) -> Result<Vec<u8>, CallError> {
    let random = Zeroizing::new(request.random);
    let secret = open(request.account)?.spend_secret().clone();
    let rng = &mut generator(&random);
    let signature = schnorr::sign(MESSAGE_TAG, &secret, &request.message, rng);
    Ok(signature.to_bytes().to_vec())
}

pub(crate) fn verify(request: VerifyRequest) -> Result<Vec<u8>, CallError> {
    let signature = Signature::from_bytes(&request.signature)?;
    let address = parse_address(&request.address)?;
    schnorr::verify(MESSAGE_TAG, address.spend(), &request.message, &signature)?;
    Ok(Vec::new())
}
