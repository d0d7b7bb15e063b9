//! A necessary condition for primes that is cheap on many numbers at once: Euler's criterion for base 2.
//!
//! It never decides that a number is prime: what passes goes through [`crate::prime`]. So the outcome of a search does
//! not depend on how many numbers are looked at together, or by which instructions.

#[cfg(any(test, target_arch = "x86_64"))]
use crate::limbs;

#[cfg(target_arch = "x86_64")]
mod ifma;

/// Numbers looked at together.
pub(crate) const LANES: usize = 8;
/// Smaller numbers are not worth the vectors.
#[cfg(target_arch = "x86_64")]
const BITS_MIN: usize = 256;
/// What the vectors have room for.
#[cfg(target_arch = "x86_64")]
const BITS_MAX: usize = 2048;

/// Bit `i` is set when `2^floor(n_i / 2)` is 1 or -1 modulo `n_i`, as for every odd prime. `None` without vectors, or
/// when the numbers are not odd and of one size between 256 and 2048 bits.
#[cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "call of a function that needs instructions detected at run time"
    )
)]
pub(crate) fn euler_eight(n: &[&[u64]; LANES]) -> Option<u8> {
    #[cfg(target_arch = "x86_64")]
    if quil_simd::Features::get().ifma {
        let bits = common_bits(n)?;
        // SAFETY: the features were found on this machine.
        return Some(unsafe { ifma::euler(n, bits) });
    }
    let _ = n;
    None
}

#[cfg(target_arch = "x86_64")]
fn common_bits(n: &[&[u64]; LANES]) -> Option<usize> {
    let bits = n.first().map_or(0, |n| limbs::bit_len(n));
    let fits = (BITS_MIN..=BITS_MAX).contains(&bits);
    let usable = |n: &&[u64]| limbs::bit_len(n) == bits && n.first().is_some_and(|l| l & 1 == 1);
    (fits && n.iter().all(usable)).then_some(bits)
}

/// The same for one number in plain code.
#[cfg(test)]
fn euler_one<const N: usize>(n: &[u64]) -> bool {
    let Some(m) = crate::mont::Mont::<N>::new(n) else {
        return false;
    };
    let mut half = m.n;
    limbs::shr_assign(&mut half, 1);
    let x = m.pow_two(&half);
    x == m.one || x == m.neg(&m.one)
}

#[cfg(test)]
mod tests;
