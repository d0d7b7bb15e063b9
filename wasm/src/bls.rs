//! BLS signatures, as nodes make them: the message is the signer's tagged bytes.

use quil_bls48581::{
    MAX_KEY_INFO_BYTES, PUBLIC_KEY_BYTES, PublicKey, SIGNATURE_BYTES, SecretKey, Signature,
};
use quil_types::{Bytes, canonical};
use zeroize::Zeroizing;

use crate::error::CallError;

/// Longest seed, bytes.
const SEED_BYTES_MAX: usize = 1024;
/// Longest message, bytes.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

canonical! {
    /// A secret key by what it is derived from.
    #[derive(Clone)]
    pub struct BlsSecretRequest {
        /// At least 32 secret bytes.
        pub seed: Bytes<SEED_BYTES_MAX>,
        /// Different information gives independent keys.
        pub info: Bytes<MAX_KEY_INFO_BYTES>,
    }
}

canonical! {
    /// A message to sign.
    #[derive(Clone)]
    pub struct BlsSignRequest {
        /// Who signs.
        pub secret: BlsSecretRequest,
        /// What.
        pub message: Bytes<MESSAGE_BYTES_MAX>,
    }
}

canonical! {
    /// A signature to check.
    #[derive(Clone)]
    pub struct BlsVerifyRequest {
        /// The signer.
        pub public: [u8; PUBLIC_KEY_BYTES],
        /// What was signed.
        pub message: Bytes<MESSAGE_BYTES_MAX>,
        /// Its signature.
        pub signature: [u8; SIGNATURE_BYTES],
    }
}

fn open(request: BlsSecretRequest) -> Result<SecretKey, CallError> {
    let seed = Zeroizing::new(request.seed.into_vec());
    Ok(SecretKey::from_seed(&seed, &request.info)?)
}

pub(crate) fn public_key(request: BlsSecretRequest) -> Result<Vec<u8>, CallError> {
    Ok(open(request)?.public_key().to_bytes().to_vec())
}

pub(crate) fn sign(request: BlsSignRequest) -> Result<Vec<u8>, CallError> {
    let secret = open(request.secret)?;
    Ok(secret.sign(&request.message).to_bytes().to_vec())
}

pub(crate) fn verify(request: BlsVerifyRequest) -> Result<Vec<u8>, CallError> {
    let signature = Signature::from_bytes(&request.signature)?;
    PublicKey::from_bytes(&request.public)?.verify(&request.message, &signature)?;
    Ok(Vec::new())
}
