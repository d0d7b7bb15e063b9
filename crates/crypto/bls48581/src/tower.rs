//! The tower `Fp -> Fp2 -> Fp4 -> Fp8 -> Fp16 -> Fp48`.
//!
//! `i^2 = -1`, `s^2 = -(1 + i)`, `t^2 = -s`, `u^2 = -t`, `v^3 = u`. Products are built from unreduced products of the
//! base field with Karatsuba's method at each level and reduced once per coordinate.

mod fp2;
mod fp48;
mod quad;

pub use fp2::Fp2;
pub use fp48::Fp48;
pub(crate) use fp48::{Line, mul_kappa2, mul_kappa3};
pub use quad::{Quad, Tower};

/// `a + b s`.
pub type Fp4 = Quad<Fp2>;
/// `a + b t`.
pub type Fp8 = Quad<Fp4>;
/// `a + b u`.
pub type Fp16 = Quad<Fp8>;
