//! One definition for both prime fields, in Montgomery form.
//!
//! An element `v` is held as any of its two representatives `v R mod m` in `[0, 2m)`: products then need no final
//! subtraction. Comparison and encoding take the lower one.

/// Defines a prime field of `$n` limbs (`$w = 2 $n`) and `$bytes` canonical big-endian bytes.
macro_rules! prime_field {
    (
        $(#[$doc:meta])* $name:ident, limbs = $n:literal, wide = $w:literal, bytes = $bytes:literal, bits = $bits:literal,
        modulus = $modulus:literal, r2 = $r2:literal, inv62_limbs = $l:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub(crate) [u64; $n]);

        impl $name {
            /// Length of the canonical encoding.
            pub const BYTES: usize = $bytes;
            /// Bit length of the modulus.
            pub const BITS: usize = $bits;
            /// The modulus, little-endian limbs.
            pub(crate) const MODULUS: [u64; $n] = kernel::limbs_from_hex($modulus);
            /// Twice the modulus.
            pub(crate) const TWICE: [u64; $n] = kernel::add(&Self::MODULUS, &Self::MODULUS);
            /// `2^(128 n) mod m`.
            pub(crate) const R2: [u64; $n] = kernel::limbs_from_hex($r2);
            /// `-m^-1 mod 2^64`.
            pub(crate) const INV: u64 = {
                let w = Self::MODULUS[0];
                let mut x = 1u64;
                let mut i = 0;
                while i < 6 {
                    x = x.wrapping_mul(2u64.wrapping_sub(w.wrapping_mul(x)));
                    i += 1;
                }
                x.wrapping_neg()
            };
            const R3: Self = Self(Self::R2).mul_const(&Self(Self::R2));
            const INVERTER: Modulus<$l> = Modulus::new(&Self::MODULUS, $bits);

            /// Zero.
            pub const ZERO: Self = Self([0; $n]);
            /// One.
            pub const ONE: Self = Self::from_limbs_reduced(kernel::limbs_from_hex("1"));

            /// The representative below the modulus.
            const fn representative(&self) -> [u64; $n] {
                kernel::reduce_once(&self.0, &Self::MODULUS)
            }

            /// Montgomery form of an integer below the modulus.
            pub(crate) const fn from_limbs_reduced(limbs: [u64; $n]) -> Self {
                Self(limbs).mul_const(&Self(Self::R2))
            }

            /// A constant from lower-case hexadecimal digits; the value must be below the modulus.
            pub(crate) const fn from_hex(hex: &str) -> Self {
                let limbs = kernel::limbs_from_hex(hex);
                let (_, borrow) = kernel::sub(&limbs, &Self::MODULUS);
                assert!(borrow == 1, "literal not below the modulus");
                Self::from_limbs_reduced(limbs)
            }

            /// The element `v`.
            #[must_use]
            pub const fn from_u64(v: u64) -> Self {
                let mut limbs = [0; $n];
                limbs[0] = v;
                Self::from_limbs_reduced(limbs)
            }

            /// The canonical integer, little-endian limbs.
            pub(crate) const fn to_limbs(self) -> [u64; $n] {
                let mut one = [0; $n];
                one[0] = 1;
                let t: [u64; $w] = kernel::mul_wide(&self.0, &one);
                kernel::reduce_once(&kernel::redc(&t, &Self::MODULUS, Self::INV), &Self::MODULUS)
            }

            /// Sum.
            #[inline]
            #[must_use]
            pub const fn add(&self, rhs: &Self) -> Self {
                Self(kernel::reduce_once(&kernel::add(&self.0, &rhs.0), &Self::TWICE))
            }

            /// Difference.
            #[inline]
            #[must_use]
            pub const fn sub(&self, rhs: &Self) -> Self {
                Self(kernel::sub_mod(&self.0, &rhs.0, &Self::TWICE))
            }

            /// Negation.
            #[inline]
            #[must_use]
            pub const fn neg(&self) -> Self {
                Self::ZERO.sub(self)
            }

            /// `2 self`.
            #[inline]
            #[must_use]
            pub const fn double(&self) -> Self {
                self.add(self)
            }

            /// [`mul`](Self::mul) for constants.
            pub(crate) const fn mul_const(&self, rhs: &Self) -> Self {
                let t: [u64; $w] = kernel::mul_wide(&self.0, &rhs.0);
                Self(kernel::redc(&t, &Self::MODULUS, Self::INV))
            }

            /// Product.
            #[inline]
            #[must_use]
            pub fn mul(&self, rhs: &Self) -> Self {
                let t: [u64; $w] = kernel::product(&self.0, &rhs.0);
                Self(kernel::reduce::<Self, $n, $w>(&t))
            }

            /// Square.
            #[inline]
            #[must_use]
            pub fn square(&self) -> Self {
                let t: [u64; $w] = kernel::square(&self.0);
                Self(kernel::reduce::<Self, $n, $w>(&t))
            }

            /// `2^k`-th power.
            #[must_use]
            pub fn square_n(&self, k: usize) -> Self {
                let mut r = *self;
                let mut i = 0;
                while i < k {
                    r = r.square();
                    i += 1;
                }
                r
            }

            /// Inverse; zero for zero. Constant time.
            #[must_use]
            pub fn invert_or_zero(&self) -> Self {
                Self(Self::INVERTER.invert(&self.representative())).mul(&Self::R3)
            }

            /// Inverse, `None` for zero. Constant time apart from the test for zero.
            #[must_use]
            pub fn invert(&self) -> Option<Self> {
                (!self.is_zero()).then(|| self.invert_or_zero())
            }

            /// Inverse of a public value, `None` for zero.
            #[must_use]
            pub fn invert_vartime(&self) -> Option<Self> {
                (!self.is_zero()).then(|| Self(Self::INVERTER.invert_vartime(&self.representative())).mul(&Self::R3))
            }

            /// Replaces each non-zero element by its inverse; zeros stay. One inversion and three products each.
            ///
            /// The position of zeros is not hidden.
            pub fn batch_invert(values: &mut [Self]) {
                let mut prefix = Vec::with_capacity(values.len());
                let mut acc = Self::ONE;
                for v in values.iter() {
                    prefix.push(acc);
                    if !v.is_zero() {
                        acc = acc.mul(v);
                    }
                }
                let mut inv = acc.invert_or_zero();
                for (v, before) in values.iter_mut().zip(prefix).rev() {
                    if !v.is_zero() {
                        let next = inv.mul(v);
                        *v = inv.mul(&before);
                        inv = next;
                    }
                }
            }

            /// `self^e` for a public exponent given as little-endian limbs. Sliding window of four bits.
            #[must_use]
            pub fn pow_vartime(&self, e: &[u64]) -> Self {
                let bit = |i: usize| (e[i / 64] >> (i % 64)) & 1;
                let sq = self.square();
                let mut odd = [*self; 8];
                for i in 1..8 {
                    odd[i] = odd[i - 1].mul(&sq);
                }
                let mut acc = Self::ONE;
                let mut i = 64 * e.len();
                while i > 0 {
                    if bit(i - 1) == 0 {
                        acc = acc.square();
                        i -= 1;
                        continue;
                    }
                    let mut low = i.saturating_sub(4);
                    while bit(low) == 0 {
                        low += 1;
                    }
                    let mut window = 0;
                    for k in (low..i).rev() {
                        acc = acc.square();
                        window = 2 * window + bit(k) as usize;
                    }
                    acc = acc.mul(&odd[window / 2]);
                    i = low;
                }
                acc
            }

            /// Whether this is zero.
            #[inline]
            #[must_use]
            pub fn is_zero(&self) -> bool {
                self.representative().iter().fold(0, |a, w| a | w) == 0
            }

            /// Canonical encoding, big-endian.
            #[must_use]
            pub fn to_be_bytes(self) -> [u8; $bytes] {
                let limbs = self.to_limbs();
                let mut out = [0; $bytes];
                for (i, b) in out.iter_mut().rev().enumerate() {
                    if i / 8 < $n {
                        *b = (limbs[i / 8] >> (8 * (i % 8))) as u8;
                    }
                }
                out
            }

            /// Reads a canonical encoding, `None` if the integer is not below the modulus.
            #[must_use]
            pub fn from_canonical_bytes(bytes: &[u8; $bytes]) -> Option<Self> {
                let mut limbs = [0u64; $n];
                let mut excess = 0;
                for (i, &b) in bytes.iter().rev().enumerate() {
                    if i / 8 < $n {
                        limbs[i / 8] |= u64::from(b) << (8 * (i % 8));
                    } else {
                        excess |= b;
                    }
                }
                let (_, borrow) = kernel::sub(&limbs, &Self::MODULUS);
                (borrow == 1 && excess == 0).then(|| Self::from_limbs_reduced(limbs))
            }

            /// The big-endian integer of `bytes`, reduced. Any length; constant time for a given length.
            #[must_use]
            pub fn from_be_slice_reduced(bytes: &[u8]) -> Self {
                // 2^512 is below both moduli, so 64-byte pieces are reduced integers.
                const SHIFT: $name = {
                    let mut limbs = [0; $n];
                    limbs[8] = 1;
                    $name::from_limbs_reduced(limbs)
                };
                bytes.rchunks(64).rev().fold(Self::ZERO, |acc, chunk| {
                    let mut limbs = [0u64; $n];
                    for (i, &b) in chunk.iter().rev().enumerate() {
                        limbs[i / 8] |= u64::from(b) << (8 * (i % 8));
                    }
                    acc.mul(&SHIFT).add(&Self::from_limbs_reduced(limbs))
                })
            }

            /// The big-endian integer of `bytes`, reduced; 64 and 128 bytes are the usual lengths.
            #[must_use]
            pub fn from_be_bytes_wide<const L: usize>(bytes: &[u8; L]) -> Self {
                Self::from_be_slice_reduced(bytes)
            }
        }

        impl kernel::Modulus<$n> for $name {
            const MODULUS: [u64; $n] = Self::MODULUS;
            const INV: u64 = Self::INV;
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ZERO
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(0x"))?;
                for b in self.to_be_bytes() {
                    write!(f, "{b:02x}")?;
                }
                f.write_str(")")
            }
        }

        impl ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> Choice {
                self.representative().ct_eq(&other.representative())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl Eq for $name {}

        impl ConditionallySelectable for $name {
            #[inline(always)]
            fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
                Self(kernel::select(&a.0, &b.0, u64::from(choice.unwrap_u8()).wrapping_neg()))
            }
        }

        impl Zeroize for $name {
            fn zeroize(&mut self) {
                self.0.zeroize();
            }
        }

        impl From<u64> for $name {
            fn from(v: u64) -> Self {
                Self::from_u64(v)
            }
        }

        prime_field!(@op $name, Add, add, AddAssign, add_assign);
        prime_field!(@op $name, Sub, sub, SubAssign, sub_assign);
        prime_field!(@op $name, Mul, mul, MulAssign, mul_assign);

        impl core::ops::Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self::neg(&self)
            }
        }

        impl core::ops::Neg for &$name {
            type Output = $name;
            fn neg(self) -> $name {
                $name::neg(self)
            }
        }

        impl core::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, |a, b| a + b)
            }
        }
    };
    (@op $name:ident, $op:ident, $f:ident, $assign:ident, $g:ident) => {
        impl core::ops::$op for $name {
            type Output = Self;
            #[inline]
            fn $f(self, rhs: Self) -> Self {
                Self::$f(&self, &rhs)
            }
        }
        impl core::ops::$op<&$name> for $name {
            type Output = Self;
            #[inline]
            fn $f(self, rhs: &Self) -> Self {
                Self::$f(&self, rhs)
            }
        }
        impl core::ops::$op<&$name> for &$name {
            type Output = $name;
            #[inline]
            fn $f(self, rhs: &$name) -> $name {
                $name::$f(self, rhs)
            }
        }
        impl core::ops::$assign for $name {
            #[inline]
            fn $g(&mut self, rhs: Self) {
                *self = Self::$f(self, &rhs);
            }
        }
        impl core::ops::$assign<&$name> for $name {
            #[inline]
            fn $g(&mut self, rhs: &Self) {
                *self = Self::$f(self, rhs);
            }
        }
    };
}
pub(crate) use prime_field;
