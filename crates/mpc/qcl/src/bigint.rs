//! Integers of any size for compile-time constants. Schoolbook algorithms: constants are short.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "limb loops stay below the lengths they compute; splitting words into limbs is the point"
)]

use std::cmp::Ordering;

/// Sign and magnitude, limbs least significant first, no leading zero limb, zero is not negative.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct BigInt {
    negative: bool,
    mag: Vec<u32>,
}

fn trim(mag: &mut Vec<u32>) {
    while let Some(0) = mag.last() {
        let _ = mag.pop();
    }
}

impl BigInt {
    fn new(negative: bool, mut mag: Vec<u32>) -> Self {
        trim(&mut mag);
        Self {
            negative: negative && !mag.is_empty(),
            mag,
        }
    }

    pub(crate) const fn zero() -> Self {
        Self {
            negative: false,
            mag: Vec::new(),
        }
    }

    pub(crate) fn one() -> Self {
        Self::from(1u64)
    }

    pub(crate) const fn is_zero(&self) -> bool {
        self.mag.is_empty()
    }

    pub(crate) const fn is_negative(&self) -> bool {
        self.negative
    }

    /// 2^n.
    pub(crate) fn pow2(n: u32) -> Self {
        Self::one().shl(n)
    }

    /// Digits of one radix up to 16; `None` if there is none or a wrong one.
    pub(crate) fn parse(digits: &str, radix: u32) -> Option<Self> {
        let mut mag: Vec<u32> = Vec::new();
        for c in digits.chars() {
            let mut carry = u64::from(c.to_digit(radix)?);
            for limb in &mut mag {
                let value = u64::from(*limb) * u64::from(radix) + carry;
                *limb = value as u32;
                carry = value >> 32;
            }
            if carry != 0 {
                mag.push(carry as u32);
            }
        }
        (!digits.is_empty()).then(|| Self::new(false, mag))
    }

    /// Bits of the magnitude.
    pub(crate) fn bits(&self) -> u32 {
        match self.mag.last() {
            None => 0,
            Some(top) => self.mag.len() as u32 * 32 - top.leading_zeros(),
        }
    }

    /// Bit `i` of the magnitude.
    pub(crate) fn bit(&self, i: u32) -> bool {
        self.mag
            .get((i / 32) as usize)
            .is_some_and(|limb| limb >> (i % 32) & 1 == 1)
    }

    pub(crate) fn from_bits(bits: impl IntoIterator<Item = bool>) -> Self {
        let mut mag = Vec::new();
        for (i, bit) in bits.into_iter().enumerate() {
            if i % 32 == 0 {
                mag.push(0);
            }
            mag[i / 32] |= u32::from(bit) << (i % 32);
        }
        Self::new(false, mag)
    }

    pub(crate) fn neg(&self) -> Self {
        Self::new(!self.negative, self.mag.clone())
    }

    pub(crate) fn abs(&self) -> Self {
        Self::new(false, self.mag.clone())
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            return Self::new(self.negative, add_mag(&self.mag, &other.mag));
        }
        match cmp_mag(&self.mag, &other.mag) {
            Ordering::Equal => Self::zero(),
            Ordering::Greater => Self::new(self.negative, sub_mag(&self.mag, &other.mag)),
            Ordering::Less => Self::new(other.negative, sub_mag(&other.mag, &self.mag)),
        }
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut mag = vec![0u32; self.mag.len() + other.mag.len()];
        for (i, a) in self.mag.iter().enumerate() {
            let mut carry = 0u64;
            for (j, b) in other.mag.iter().enumerate() {
                let value = u64::from(*a) * u64::from(*b) + u64::from(mag[i + j]) + carry;
                mag[i + j] = value as u32;
                carry = value >> 32;
            }
            mag[i + other.mag.len()] = carry as u32;
        }
        Self::new(self.negative != other.negative, mag)
    }

    /// Quotient toward zero and remainder with the sign of `self`; `None` for a zero divisor.
    pub(crate) fn div_rem(&self, other: &Self) -> Option<(Self, Self)> {
        if other.is_zero() {
            return None;
        }
        let mut rest: Vec<u32> = Vec::new();
        let mut quotient = vec![0u32; self.mag.len()];
        for i in (0..self.bits()).rev() {
            shl_one(&mut rest, self.bit(i));
            if cmp_mag(&rest, &other.mag) != Ordering::Less {
                rest = sub_mag(&rest, &other.mag);
                trim(&mut rest);
                quotient[(i / 32) as usize] |= 1 << (i % 32);
            }
        }
        Some((
            Self::new(self.negative != other.negative, quotient),
            Self::new(self.negative, rest),
        ))
    }

    pub(crate) fn shl(&self, n: u32) -> Self {
        let mut mag = vec![0u32; (n / 32) as usize];
        let shift = n % 32;
        let mut carry = 0u64;
        for limb in &self.mag {
            let value = u64::from(*limb) << shift | carry;
            mag.push(value as u32);
            carry = value >> 32;
        }
        mag.push(carry as u32);
        Self::new(self.negative, mag)
    }

    /// Rounds toward minus infinity, as a two's complement shift does.
    pub(crate) fn shr(&self, n: u32) -> Self {
        if self.negative {
            // floor(-m / 2^n) = -ceil(m / 2^n) = -((m - 1) / 2^n) - 1
            return self.abs().sub(&Self::one()).shr(n).add(&Self::one()).neg();
        }
        let skip = (n / 32) as usize;
        let shift = n % 32;
        let limb = |i: usize| u64::from(self.mag.get(i).copied().unwrap_or(0));
        let mag = (skip..self.mag.len().max(skip))
            .map(|i| ((limb(i) | limb(i + 1) << 32) >> shift) as u32)
            .collect();
        Self::new(false, mag)
    }

    /// The non-negative number congruent mod 2^width.
    pub(crate) fn mask(&self, width: u32) -> Self {
        if self.negative {
            let m = self.abs().mask(width);
            return if m.is_zero() {
                m
            } else {
                Self::pow2(width).sub(&m)
            };
        }
        let limbs = (width as usize).div_ceil(32);
        let mut mag: Vec<u32> = self.mag.iter().copied().take(limbs).collect();
        if mag.len() == limbs && !width.is_multiple_of(32) {
            mag[limbs - 1] &= (1u32 << (width % 32)) - 1;
        }
        Self::new(false, mag)
    }

    /// Reads a pattern of `width` bits as two's complement.
    pub(crate) fn signed(&self, width: u32) -> Self {
        if width > 0 && self.bit(width - 1) {
            self.sub(&Self::pow2(width))
        } else {
            self.clone()
        }
    }

    /// Whether the value is representable.
    pub(crate) fn fits(&self, signed: bool, width: u32) -> bool {
        match (signed, self.negative) {
            (false, false) => self.bits() <= width,
            (false, true) => false,
            (true, false) => self.bits() < width,
            (true, true) => self.add(&Self::one()).bits() < width,
        }
    }

    /// `op` on the infinite two's complement patterns.
    pub(crate) fn bitwise(&self, other: &Self, op: impl Fn(u32, u32) -> u32) -> Self {
        let width = self.bits().max(other.bits()) + 1;
        let width = width.next_multiple_of(32);
        let (a, b) = (self.mask(width), other.mask(width));
        let limb = |v: &Self, i: usize| v.mag.get(i).copied().unwrap_or(0);
        let mag = (0..(width / 32) as usize)
            .map(|i| op(limb(&a, i), limb(&b, i)))
            .collect();
        Self::new(false, mag).signed(width)
    }

    pub(crate) fn to_u64(&self) -> Option<u64> {
        if self.negative || self.mag.len() > 2 {
            return None;
        }
        let limb = |i: usize| u64::from(self.mag.get(i).copied().unwrap_or(0));
        Some(limb(0) | limb(1) << 32)
    }

    pub(crate) fn to_u32(&self) -> Option<u32> {
        self.to_u64().and_then(|v| u32::try_from(v).ok())
    }
}

impl From<u64> for BigInt {
    fn from(value: u64) -> Self {
        Self::new(false, vec![value as u32, (value >> 32) as u32])
    }
}

impl From<u32> for BigInt {
    fn from(value: u32) -> Self {
        Self::new(false, vec![value])
    }
}

impl From<bool> for BigInt {
    fn from(value: bool) -> Self {
        Self::from(u32::from(value))
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => cmp_mag(&self.mag, &other.mag),
            (true, true) => cmp_mag(&other.mag, &self.mag),
        }
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for BigInt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut mag = self.mag.clone();
        let mut groups = Vec::new();
        while !mag.is_empty() {
            let mut rest = 0u64;
            for limb in mag.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                *limb = (value / 1_000_000_000) as u32;
                rest = value % 1_000_000_000;
            }
            trim(&mut mag);
            groups.push(rest);
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        f.pad_integral(!self.negative, "", &text)
    }
}

fn add_mag(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len().max(b.len()) + 1);
    let mut carry = 0u64;
    for i in 0..a.len().max(b.len()) {
        let limb = |v: &[u32]| u64::from(v.get(i).copied().unwrap_or(0));
        let value = limb(a) + limb(b) + carry;
        out.push(value as u32);
        carry = value >> 32;
    }
    out.push(carry as u32);
    out
}

/// `a >= b`.
fn sub_mag(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut borrow = 0u32;
    let mut out = Vec::with_capacity(a.len());
    for (i, limb) in a.iter().enumerate() {
        let (first, under) = limb.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (second, again) = first.overflowing_sub(borrow);
        borrow = u32::from(under || again);
        out.push(second);
    }
    out
}

fn cmp_mag(a: &[u32], b: &[u32]) -> Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn shl_one(mag: &mut Vec<u32>, low: bool) {
    let mut carry = u32::from(low);
    for limb in mag.iter_mut() {
        let next = *limb >> 31;
        *limb = *limb << 1 | carry;
        carry = next;
    }
    if carry != 0 {
        mag.push(carry);
    }
}

#[cfg(test)]
#[path = "bigint_tests.rs"]
mod tests;
