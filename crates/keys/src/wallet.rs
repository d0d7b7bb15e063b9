use core::fmt;

use bip39::{Language, Mnemonic};
use hkdf::Hkdf;
use quil_decaf::{Scalar, SecretScalar, schnorr};
use quil_types::tags::Tag;
use quil_types::{Canonical, hash};
use rand_core::CryptoRng;
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

use crate::address::Address;

/// Words of a recovery phrase: 256 bits of entropy and 8 of checksum.
pub const PHRASE_WORDS: usize = 24;
/// Bytes of entropy behind the phrase.
pub(crate) const ENTROPY_BYTES: usize = 32;
/// Longest phrase that is looked at, bytes: 24 words of at most 8 letters need 215.
const PHRASE_BYTES_MAX: usize = 1024;
/// Output of the derivation before reduction; 912 bits make the result uniform modulo the 446-bit group order.
const SCALAR_SEED_BYTES: usize = 114;

/// What a derived scalar is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Finds and opens received outputs.
    View,
    /// Spends them.
    Spend,
}

impl Purpose {
    const fn info(self) -> &'static str {
        match self {
            Self::View => "quil/v1/keys/view",
            Self::Spend => "quil/v1/keys/spend",
        }
    }
}

/// Why a phrase is not a wallet. Says where the mistake is, never what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// Not 24 words.
    #[error("a recovery phrase has {PHRASE_WORDS} words, not {found}")]
    WordCount {
        /// Words found.
        found: usize,
    },
    /// A word is not in the English list.
    #[error("word {position} of the recovery phrase is not in the word list")]
    UnknownWord {
        /// Position, counted from 1.
        position: usize,
    },
    /// All words exist but do not belong together.
    #[error("the recovery phrase has a wrong or misplaced word")]
    Checksum,
    /// The derived scalar is zero; happens with probability 2^-446.
    #[error("this account index has no usable key, take another one")]
    ZeroScalar,
}

/// A wallet: BIP39 entropy with an empty BIP39 passphrase (rule W5).
#[derive(Clone)]
pub struct Wallet {
    entropy: Zeroizing<[u8; ENTROPY_BYTES]>,
    seed: Zeroizing<[u8; 64]>,
}

impl Wallet {
    /// Draws a wallet.
    ///
    /// # Errors
    /// None in practice: 32 bytes always make a phrase.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, WalletError> {
        let mut entropy = Zeroizing::new([0; ENTROPY_BYTES]);
        rng.fill_bytes(&mut *entropy);
        Self::from_entropy(entropy)
    }

    /// Reads a recovery phrase: 24 English words, in any case, separated by any white space.
    ///
    /// # Errors
    /// [`WalletError`], with the position of an unknown word.
    pub fn from_phrase(phrase: &str) -> Result<Self, WalletError> {
        let words = phrase.split_whitespace().count();
        if words != PHRASE_WORDS || phrase.len() > PHRASE_BYTES_MAX {
            return Err(WalletError::WordCount { found: words });
        }
        let mut tidy = Zeroizing::new(String::with_capacity(phrase.len()));
        for word in phrase.split_whitespace() {
            if !tidy.is_empty() {
                tidy.push(' ');
            }
            tidy.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &tidy);
        let mnemonic = mnemonic.map_err(|e| match e {
            bip39::Error::UnknownWord(index) => WalletError::UnknownWord {
                position: index.saturating_add(1),
            },
            bip39::Error::BadWordCount(found) => WalletError::WordCount { found },
            _ => WalletError::Checksum,
        })?;
        Self::from_mnemonic(&mnemonic)
    }

    pub(crate) fn from_entropy(
        entropy: Zeroizing<[u8; ENTROPY_BYTES]>,
    ) -> Result<Self, WalletError> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, &*entropy)
            .map_err(|_| WalletError::Checksum)?;
        Self::from_mnemonic(&mnemonic)
    }

    fn from_mnemonic(mnemonic: &Mnemonic) -> Result<Self, WalletError> {
        let (mut padded, len) = mnemonic.to_entropy_array();
        let entropy = padded
            .first_chunk()
            .filter(|_| len == ENTROPY_BYTES)
            .copied();
        padded.zeroize();
        let found = mnemonic.word_count();
        Ok(Self {
            entropy: Zeroizing::new(entropy.ok_or(WalletError::WordCount { found })?),
            seed: Zeroizing::new(mnemonic.to_seed_normalized("")),
        })
    }

    /// The recovery phrase. Show it to nobody but the owner.
    ///
    /// # Errors
    /// None in practice.
    pub fn phrase(&self) -> Result<Zeroizing<String>, WalletError> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, &*self.entropy)
            .map_err(|_| WalletError::Checksum)?;
        Ok(Zeroizing::new(mnemonic.to_string()))
    }

    /// The keys of an account.
    ///
    /// # Errors
    /// [`WalletError::ZeroScalar`], never seen in practice.
    pub fn account(&self, index: u32) -> Result<Account, WalletError> {
        let view = self.scalar(Purpose::View, index)?;
        let spend = self.scalar(Purpose::Spend, index)?;
        let address = Address::new(view.public(), spend.public());
        let address = address.map_err(|_| WalletError::ZeroScalar)?;
        Ok(Account {
            view,
            spend,
            address,
        })
    }

    pub(crate) fn expose_entropy(&self) -> &[u8; ENTROPY_BYTES] {
        &self.entropy
    }

    /// `HKDF-SHA512(seed, "quil/v1/keys/<purpose>" || u32 index, 114 bytes)` reduced; no salt, index little-endian.
    fn scalar(&self, purpose: Purpose, index: u32) -> Result<SecretScalar, WalletError> {
        let mut bytes = Zeroizing::new([0; SCALAR_SEED_BYTES]);
        let info = [purpose.info().as_bytes(), &index.to_le_bytes()];
        let expanded = Hkdf::<Sha512>::new(None, &*self.seed).expand_multi_info(&info, &mut *bytes);
        debug_assert!(expanded.is_ok(), "114 bytes are within the limit of HKDF");
        let scalar = Scalar::from_wide_bytes(&bytes);
        if bool::from(scalar.is_zero()) {
            return Err(WalletError::ZeroScalar);
        }
        Ok(SecretScalar::new(scalar))
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wallet(redacted)")
    }
}

/// The secret keys of one account.
#[derive(Clone)]
pub struct Account {
    view: SecretScalar,
    spend: SecretScalar,
    address: Address,
}

impl Account {
    /// The public side.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The view secret.
    #[must_use]
    pub const fn view_secret(&self) -> &SecretScalar {
        &self.view
    }

    /// The spend secret.
    #[must_use]
    pub const fn spend_secret(&self) -> &SecretScalar {
        &self.spend
    }

    /// Signs a tagged value with the view or the spend key (Schnorr, nonce hedged with `rng`).
    pub fn sign<T: Canonical, R: CryptoRng + ?Sized>(
        &self,
        purpose: Purpose,
        tag: Tag,
        value: &T,
        rng: &mut R,
    ) -> schnorr::Signature {
        let secret = match purpose {
            Purpose::View => &self.view,
            Purpose::Spend => &self.spend,
        };
        schnorr::sign(tag.as_str(), secret, &hash::tagged(tag, value), rng)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
