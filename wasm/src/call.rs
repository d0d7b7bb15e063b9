//! Calls by number.

use quil_types::Canonical;
use quil_types::limits::GENESIS_BYTES_MAX;

use crate::error::CallError;
use crate::{account, bls, coins, network, state};

/// Longest request, bytes: a genesis document and as much again for everything else.
pub const INPUT_BYTES_MAX: usize = 2 * GENESIS_BYTES_MAX;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $number:literal => $run:path;)*) => {
        /// What JavaScript can ask for. Requests and structured results are canonical values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Call {
            $($(#[$doc])* $name,)*
        }

        impl Call {
            /// Its number in the interface.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                }
            }
        }

        /// Runs a call by its number.
        ///
        /// # Errors
        /// [`CallError`].
        pub fn run(number: u32, request: &[u8]) -> Result<Vec<u8>, CallError> {
            match number {
                $($number => $run(read(request)?),)*
                _ => Err(CallError::UnknownCall(number)),
            }
        }
    };
}

calls! {
    /// [`crate::PhraseRequest`] to a new recovery phrase.
    WalletPhrase = 1 => account::phrase;
    /// [`crate::AccountRequest`] to the text of the account's address.
    AccountAddress = 2 => account::address;
    /// [`crate::SignRequest`] to a signature of 112 bytes.
    AccountSign = 3 => account::sign;
    /// [`crate::VerifyRequest`] to nothing.
    AccountVerify = 4 => account::verify;
    /// [`crate::BlsSecretRequest`] to a public key of 585 bytes.
    BlsPublicKey = 5 => bls::public_key;
    /// [`crate::BlsSignRequest`] to a signature of 74 bytes.
    BlsSign = 6 => bls::sign;
    /// [`crate::BlsVerifyRequest`] to nothing.
    BlsVerify = 7 => bls::verify;
    /// [`crate::GenesisRequest`] to the hash of the document, 32 bytes.
    GenesisHash = 8 => network::hash;
    /// [`crate::ProofRequest`] to nothing.
    ProofVerify = 9 => state::verify;
    /// [`crate::ScanRequest`] to a sequence of [`crate::FoundCoin`].
    CoinsScan = 10 => coins::scan;
    /// [`crate::TransferRequest`] to [`crate::Transfer`].
    TransferBuild = 11 => coins::transfer;
}

fn read<T: Canonical>(request: &[u8]) -> Result<T, CallError> {
    Ok(T::decode(request, INPUT_BYTES_MAX)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_numbers_and_any_bytes_are_errors() {
        assert_eq!(run(0, &[]).unwrap_err().code(), 1);
        assert_eq!(run(u32::MAX, &[]).unwrap_err().code(), 1);
        for number in 1..=11 {
            for bytes in [&[][..], &[255; 7], &[255; 1000], &[0; 1001]] {
                assert!(run(number, bytes).is_err(), "call {number}");
            }
        }
    }
}
