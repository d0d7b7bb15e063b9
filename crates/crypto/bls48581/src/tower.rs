//! The tower `Fp -> Fp2 -> Fp4 -> Fp8 -> Fp16 -> Fp48`.
//!
//! `i^2 = -1`, `s^2 = -(1 + i)`, `t^2 = -s`, `u^2 = -t`, `v^3 = u`. Products are built from unreduced products of the
//! base field with Karatsuba's method at each level and reduced once per coordinate.

mod fp2;
mod fp48;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod quad;

pub(crate) use fp2::Fp2;
pub(crate) use fp48::{Fp48, Line, mul_kappa2, mul_kappa3};
#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::{F4, Fp48V, LinePointV, W4, fp4_mul, zero_w};
pub(crate) use quad::{Quad, Tower};

/// `a + b s`.
pub(crate) type Fp4 = Quad<Fp2>;
/// `a + b t`.
pub(crate) type Fp8 = Quad<Fp4>;
/// `a + b u`.
pub(crate) type Fp16 = Quad<Fp8>;

#[cfg(test)]
mod tests;
