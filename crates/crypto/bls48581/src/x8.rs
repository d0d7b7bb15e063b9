//! Eight elements of the base field at once.
//!
//! One representation serves a whole process: with AVX-512 IFMA, twelve vectors of 52-bit limbs in Montgomery form with
//! `R = 2^624` ([`ifma`]); otherwise eight [`Fp`] one after the other ([`portable`]). Values enter and leave through
//! [`FpX8::from_array`] and [`FpX8::to_array`], which cost about one product each with IFMA.

#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
pub(crate) mod portable;

use core::fmt;

use zeroize::Zeroize;

use crate::fp::Fp;

/// Elements in one vector.
pub const LANES: usize = 8;
/// Words of a vector: twelve limbs of eight lanes, or eight elements of ten limbs and a rest of zeros.
const WORDS: usize = 96;
/// Words of a vector of unreduced products.
const WIDE_WORDS: usize = 192;

/// Eight independent elements of the base field, each below `2p`; operations act on all lanes. Constant time.
///
/// The `_lazy` operations leave lanes above `2p`: their results (up to `2^16 p`) may enter products and further lazy
/// operations, nothing else.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct FpX8(pub(crate) [u64; WORDS]);

/// Sums of at most 32 unreduced products per lane.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct FpX8Wide([u64; WIDE_WORDS]);

/// Calls the kernel of this process.
macro_rules! kernel {
    ($f:ident($($arg:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        {
            if quil_simd::Features::get().ifma {
                // SAFETY: the instructions of the kernel were found on this machine.
                #[expect(unsafe_code, reason = "call of a function that needs detected instructions")]
                unsafe { ifma::$f($($arg),*) }
            } else {
                portable::$f($($arg),*)
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        { portable::$f($($arg),*) }
    }};
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub fn $name(&self, rhs: &Self) -> Self {
            let mut out = Self::ZERO;
            kernel!($name(&self.0, &rhs.0, &mut out.0));
            out
        }
    )*};
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub fn $name(&self) -> Self {
            let mut out = Self::ZERO;
            kernel!($name(&self.0, &mut out.0));
            out
        }
    )*};
}

impl FpX8 {
    /// Zero in every lane.
    pub const ZERO: Self = Self([0; WORDS]);

    /// The same element in every lane.
    #[must_use]
    pub fn splat(v: &Fp) -> Self {
        Self::from_array(&[*v; LANES])
    }

    /// Lane `i` becomes `values[i]`.
    #[must_use]
    pub fn from_array(values: &[Fp; LANES]) -> Self {
        let mut out = Self::ZERO;
        kernel!(from_array(values, &mut out.0));
        out
    }

    /// The lanes.
    #[must_use]
    pub fn to_array(&self) -> [Fp; LANES] {
        kernel!(to_array(&self.0))
    }

    binary! {
        /// Sum.
        add;
        /// Difference.
        sub;
        /// Sum without reduction.
        add_lazy;
        /// Difference plus `2^10 p`, without reduction; `rhs` below `2^10 p`.
        sub_lazy;
        /// Product of lazy operands.
        mul;
    }

    unary! {
        /// Negation.
        neg;
        /// Square of a lazy operand.
        square;
    }

    /// `2 self`.
    #[inline]
    #[must_use]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// Lanes of `b` where the bit of `mask` is set (bit 0 for lane 0), of `a` elsewhere.
    #[must_use]
    pub fn select(a: &Self, b: &Self, mask: u8) -> Self {
        let mut out = Self::ZERO;
        kernel!(select(&a.0, &b.0, mask, &mut out.0));
        out
    }

    /// Bit `i` is set where lane `i` is zero.
    #[must_use]
    pub fn zero_lanes(&self) -> u8 {
        kernel!(zero_lanes(&self.0))
    }

    /// Bit `i` is set where the lanes `i` are equal.
    #[must_use]
    pub fn equal_lanes(&self, rhs: &Self) -> u8 {
        self.sub(rhs).zero_lanes()
    }

    /// Unreduced products of lazy operands.
    #[inline]
    #[must_use]
    pub fn mul_wide(&self, rhs: &Self) -> FpX8Wide {
        let mut out = FpX8Wide([0; WIDE_WORDS]);
        kernel!(mul_wide(&self.0, &rhs.0, &mut out.0));
        out
    }

    /// Unreduced squares of a lazy operand.
    #[inline]
    #[must_use]
    pub fn sqr_wide(&self) -> FpX8Wide {
        let mut out = FpX8Wide([0; WIDE_WORDS]);
        kernel!(sqr_wide(&self.0, &mut out.0));
        out
    }
}

impl FpX8Wide {
    /// `self += rhs`.
    #[inline]
    pub fn add_assign(&mut self, rhs: &Self) {
        kernel!(wide_add_assign(&mut self.0, &rhs.0));
    }

    /// `self -= rhs`.
    #[inline]
    pub fn sub_assign(&mut self, rhs: &Self) {
        kernel!(wide_sub_assign(&mut self.0, &rhs.0));
    }

    /// The elements.
    #[inline]
    #[must_use]
    pub fn reduce(&self) -> FpX8 {
        let mut out = FpX8::ZERO;
        kernel!(reduce(&self.0, &mut out.0));
        out
    }
}

impl Default for FpX8 {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Zeroize for FpX8 {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for FpX8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.to_array()).finish()
    }
}

impl fmt::Debug for FpX8Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FpX8Wide")
    }
}

#[cfg(test)]
mod tests;
