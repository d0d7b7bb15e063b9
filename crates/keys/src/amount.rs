use core::fmt;
use core::str::FromStr;

/// Units of one QUIL (rule W5).
pub const UNITS_PER_QUIL: u64 = 8_000_000_000;

/// Decimals that print every amount exactly: one unit is 0.000000000125 QUIL.
const DECIMALS: usize = 12;
/// 10^12, the number of smallest decimal steps in one QUIL.
const STEPS_PER_QUIL: u128 = 1_000_000_000_000;
/// Decimal steps of one unit.
const STEPS_PER_UNIT: u128 = 125;
/// Longest text that is looked at; the largest amount has 23 characters.
const TEXT_BYTES_MAX: usize = 64;

const _: () = assert!(STEPS_PER_UNIT * UNITS_PER_QUIL as u128 == STEPS_PER_QUIL);

/// A number of token units. Its text form is decimal QUIL, exact, without rounding anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits, or digits, a point and digits; or a leading zero, a sign, a space.
    #[error("amount.malformed: not a decimal number of QUIL, such as 12 or 0.5")]
    Malformed,
    /// Not a whole number of units.
    #[error("amount.precision: not a whole number of units (1 unit = 0.000000000125 QUIL)")]
    Precision,
    /// More than 2^64 - 1 units.
    #[error("amount.overflow: more than {} QUIL", Amount::MAX)]
    Overflow,
}

impl AmountError {
    /// Stable code for interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "amount.malformed",
            Self::Precision => "amount.precision",
            Self::Overflow => "amount.overflow",
        }
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount (rule T5: amounts are u64).
    pub const MAX: Self = Self(u64::MAX);

    /// An amount of units.
    #[must_use]
    pub const fn from_units(units: u64) -> Self {
        Self(units)
    }

    /// The units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The sum; `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference; `None` when `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(AmountError::Malformed);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(AmountError::Malformed),
            None => (text, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
            return Err(AmountError::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(AmountError::Precision);
        }
        let missing = DECIMALS.saturating_sub(fraction.len());
        let padded = fraction.bytes().chain(core::iter::repeat_n(b'0', missing));
        let steps = digits(whole.bytes())
            .and_then(|n| n.checked_mul(STEPS_PER_QUIL))
            .and_then(|n| n.checked_add(digits(padded)?))
            .ok_or(AmountError::Overflow)?;
        if !steps.is_multiple_of(STEPS_PER_UNIT) {
            return Err(AmountError::Precision);
        }
        let units = steps
            .checked_div(STEPS_PER_UNIT)
            .and_then(|n| u64::try_from(n).ok());
        units.map(Self).ok_or(AmountError::Overflow)
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `None` on overflow.
fn digits(mut text: impl Iterator<Item = u8>) -> Option<u128> {
    text.try_fold(0_u128, |n, b| {
        n.checked_mul(10)?
            .checked_add(u128::from(b.checked_sub(b'0')?))
    })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 / UNITS_PER_QUIL;
        let steps = u128::from(self.0 % UNITS_PER_QUIL).saturating_mul(STEPS_PER_UNIT);
        if steps == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{steps:012}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}
