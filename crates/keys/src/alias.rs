use core::fmt;
use core::str::FromStr;

/// Longest alias, bytes.
pub(crate) const ALIAS_BYTES_MAX: usize = 32;

/// A name for an entry of the key store: 1 to 32 of `a-z 0-9 . _ -`, beginning with a letter or digit.
///
/// The alphabet is small so that an alias can stand in a file name, a flag or a URL, and has no look-alikes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

/// The text is no alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an alias is 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit")]
pub struct AliasError;

impl Alias {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(plain);
        if !first
            || text.len() > ALIAS_BYTES_MAX
            || !bytes.all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
        {
            return Err(AliasError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
