use core::fmt;
use core::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use quil_decaf::{CompressedPoint, POINT_BYTES, Point};

/// Human-readable part of an address.
pub const ADDRESS_HRP: &str = "qacc";

/// Bytes of `V || S`.
pub(crate) const ADDRESS_BYTES: usize = 2 * POINT_BYTES;

/// Length of an address as text: the part in front, "1", 180 data characters, 6 of checksum.
pub const ADDRESS_TEXT_BYTES: usize = ADDRESS_HRP.len() + 1 + (ADDRESS_BYTES * 8).div_ceil(5) + 6;

/// Where an account receives: its view key `V` and its spend key `S` (rule W5).
///
/// Both are canonical encodings of points other than the identity. Each address has exactly one text, in lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    view: Point,
    spend: Point,
}

/// Why a text or bytes are not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not [`ADDRESS_TEXT_BYTES`] long.
    #[error("an address has {ADDRESS_TEXT_BYTES} characters, not {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// Begins with something other than `qacc1`.
    #[error("an address begins with qacc1")]
    Prefix,
    /// A mistyped character, or the other checksum variant.
    #[error("the checksum of the address does not match: a character is mistyped")]
    Checksum,
    /// The text is not the one that printing the address gives, such as upper case.
    #[error("not the canonical text of an address")]
    NotCanonical,
    /// The view key is no point, or the identity.
    #[error("the view key in the address is not a valid point")]
    ViewKey,
    /// The spend key is no point, or the identity.
    #[error("the spend key in the address is not a valid point")]
    SpendKey,
}

impl Address {
    /// An address from its keys.
    ///
    /// # Errors
    /// A key is the identity.
    pub fn new(view: Point, spend: Point) -> Result<Self, AddressError> {
        if view.is_identity() {
            return Err(AddressError::ViewKey);
        }
        if spend.is_identity() {
            return Err(AddressError::SpendKey);
        }
        Ok(Self { view, spend })
    }

    /// Reads `V || S`.
    ///
    /// # Errors
    /// [`AddressError::ViewKey`], [`AddressError::SpendKey`].
    pub fn from_bytes(bytes: &[u8; ADDRESS_BYTES]) -> Result<Self, AddressError> {
        let (view, spend) = bytes.split_at(POINT_BYTES);
        let point = |half: &[u8]| {
            let bytes: [u8; POINT_BYTES] = half.try_into().ok()?;
            CompressedPoint(bytes).decompress_nonidentity().ok()
        };
        Ok(Self {
            view: point(view).ok_or(AddressError::ViewKey)?,
            spend: point(spend).ok_or(AddressError::SpendKey)?,
        })
    }

    /// `V || S`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ADDRESS_BYTES] {
        let mut out = [0; ADDRESS_BYTES];
        let (view, spend) = out.split_at_mut(POINT_BYTES);
        view.copy_from_slice(self.view.compress().as_bytes());
        spend.copy_from_slice(self.spend.compress().as_bytes());
        out
    }

    /// The view key: outputs are encrypted to it.
    #[must_use]
    pub const fn view(&self) -> &Point {
        &self.view
    }

    /// The spend key: output keys are offsets of it.
    #[must_use]
    pub const fn spend(&self) -> &Point {
        &self.spend
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() != ADDRESS_TEXT_BYTES {
            return Err(AddressError::Length { found: text.len() });
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(AddressError::NotCanonical);
        }
        if text
            .rsplit_once('1')
            .is_none_or(|(hrp, _)| hrp != ADDRESS_HRP)
        {
            return Err(AddressError::Prefix);
        }
        let parsed = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| AddressError::Checksum)?;
        let mut bytes = [0; ADDRESS_BYTES];
        let mut data = parsed.byte_iter();
        for byte in &mut bytes {
            *byte = data.next().ok_or(AddressError::NotCanonical)?;
        }
        let address = Self::from_bytes(&bytes)?;
        // Catches what the checksum does not: padding bits that are not zero.
        if address.to_string() != text {
            return Err(AddressError::NotCanonical);
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The length is far below the 1023 characters for which the checksum is defined; both steps are total here.
        let hrp = Hrp::parse(ADDRESS_HRP).map_err(|_| fmt::Error)?;
        let text = bech32::encode::<Bech32m>(hrp, &self.to_bytes()).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
