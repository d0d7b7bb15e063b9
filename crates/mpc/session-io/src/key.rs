//! The key two parties share before a session.

use core::fmt;
use std::path::Path;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest key file that is read, bytes.
const MAX_FILE: u64 = 4096;

/// 32 secret bytes known to both parties and to nobody else. One key may serve many sessions: every connection mixes in
/// fresh X25519 shares.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKey([u8; 32]);

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// A text that names no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not 64 hexadecimal digits.
    #[error("a session key is 64 hexadecimal digits, or @ and the name of a file that holds them")]
    Format,
    /// The key file cannot be read.
    #[error("cannot read the key file: {0}")]
    File(#[from] std::io::Error),
}

impl SessionKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from the randomness of the operating system.
    ///
    /// # Errors
    /// There is none.
    pub fn generate() -> Result<Self, std::io::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(bytes))
    }

    /// 64 hexadecimal digits, or `@` and the name of a file that holds them (white space around them is ignored).
    ///
    /// # Errors
    /// Wrong format or unreadable file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match text.strip_prefix('@') {
            Some(path) => Self::digits(&read_key_file(Path::new(path))?),
            None => Self::digits(text),
        }
    }

    fn digits(text: &str) -> Result<Self, KeyError> {
        let mut key = Self([0; 32]);
        hex::decode_to_slice(text.trim(), &mut key.0).map_err(|_| KeyError::Format)?;
        Ok(key)
    }

    /// The digits, to hand over to the other party.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn read_key_file(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    if std::fs::metadata(path)?.len() > MAX_FILE {
        return Err(KeyError::Format);
    }
    Ok(Zeroizing::new(std::fs::read_to_string(path)?))
}
