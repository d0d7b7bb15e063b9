//! Exponentiation: signed windows, several bases at once.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    reason = "window digits are odd and below 2^WINDOW in magnitude, tables have 2^(WINDOW-2) entries"
)]

use crate::{error::ForeignGroup, form::Form, limbs};

/// Window width; tables hold the odd powers below `2^(WINDOW - 1)`.
const WINDOW: usize = 5;
const TABLE: usize = 1 << (WINDOW - 2);

/// A base with its exponent, prepared for evaluation: odd powers and the signed digits of the exponent.
#[derive(Clone, Debug)]
pub struct Power {
    table: [Form; TABLE],
    digits: Vec<i8>,
}

impl Power {
    /// Prepares `base^exponent`, the exponent as little-endian limbs. Costs one squaring and seven compositions.
    #[must_use]
    pub fn new(base: &Form, exponent: &[u64]) -> Self {
        let square = base.square();
        let mut table = [*base; TABLE];
        for i in 1..TABLE {
            table[i] = table[i - 1].compose_same_group(&square);
        }
        Self {
            table,
            digits: digits(exponent),
        }
    }

    /// The power.
    #[must_use]
    pub fn evaluate(&self) -> Form {
        evaluate(core::slice::from_ref(self), self.neutral())
    }

    fn neutral(&self) -> Form {
        let x = &self.table[0];
        x.compose_same_group(&x.inverse())
    }

    fn multiply(&self, acc: Form, position: usize) -> Form {
        match self.digits.get(position) {
            None | Some(0) => acc,
            Some(&d) => {
                let x = &self.table[usize::from(d.unsigned_abs()) / 2];
                acc.compose_same_group(&if d < 0 { x.inverse() } else { *x })
            }
        }
    }
}

/// The product of several powers with one run of squarings; `None` for an empty list.
///
/// # Errors
/// [`ForeignGroup`] when the bases have different discriminants.
pub fn multi_pow(powers: &[Power]) -> Result<Option<Form>, ForeignGroup> {
    let Some(first) = powers.first() else {
        return Ok(None);
    };
    if powers
        .iter()
        .any(|p| p.table[0].group != first.table[0].group)
    {
        return Err(ForeignGroup);
    }
    Ok(Some(evaluate(powers, first.neutral())))
}

fn evaluate(powers: &[Power], neutral: Form) -> Form {
    let top = powers.iter().map(|p| p.digits.len()).max().unwrap_or(0);
    (0..top).rev().fold(neutral, |acc, i| {
        powers
            .iter()
            .fold(acc.square(), |acc, p| p.multiply(acc, i))
    })
}

/// Digits that are zero or odd, below `2^(WINDOW - 1)` in magnitude, at most one in `WINDOW` consecutive non-zero.
fn digits(exponent: &[u64]) -> Vec<i8> {
    let bits = limbs::bit_len(exponent);
    let mut out = vec![0i8; bits + 1];
    let (mut i, mut carry) = (0, 0u64);
    while i <= bits {
        if u64::from(limbs::bit(exponent, i)) == carry {
            i += 1;
            continue;
        }
        let mut word = carry;
        for j in 0..WINDOW {
            word += u64::from(limbs::bit(exponent, i + j)) << j;
        }
        carry = word >> (WINDOW - 1);
        out[i] = (word as i64 - ((carry as i64) << WINDOW)) as i8;
        i += WINDOW;
    }
    out
}
