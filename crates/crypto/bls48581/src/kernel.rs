//! Limb kernels: the only place where words are multiplied.
//!
//! The `const` functions are the definition; [`product`], [`square`] and [`reduce`] are the same code compiled twice, for
//! any machine and for one with `mulx` (BMI2), and take what the process uses.
//!
//! Limits: a field product is 200 products of words and 10 for the quotients. On the machine of the measurements
//! (4.1 GHz) `mulx` with one addition runs at one per cycle, with the two additions that a product needs (`adcx`,
//! `adox`) at one per 1.5 cycles. In the compiled rows, where the first additions fall away, a word product takes 1.27
//! cycles: 65 ns for product and reduction in isolation. Rows with two interleaved chains by hand came to 76 ns, one step
//! of Karatsuba's method to 82 ns, sums by columns to 125 ns.
//! Without `mulx` the multiplier overwrites the carry flag, so each row's products pass through memory: 766
//! instructions for 100 products.
//!
//! Numbers are little-endian arrays of 64-bit limbs. `N` is the length of a field element, `W = 2 N` that of an
//! unreduced product. All loops have constant bounds and no data-dependent branch.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "arithmetic kernel: constant bounds, truncation to limbs is the operation"
)]

#[cfg(target_arch = "x86_64")]
use core::sync::atomic::{AtomicU8, Ordering};

/// `t + a * b + c`, which never overflows two limbs.
#[inline(always)]
pub(crate) const fn mac(t: u64, a: u64, b: u64, c: u64) -> (u64, u64) {
    let r = (a as u128)
        .wrapping_mul(b as u128)
        .wrapping_add(t as u128)
        .wrapping_add(c as u128);
    (r as u64, (r >> 64) as u64)
}

/// `a + b + carry`.
#[inline(always)]
pub(crate) const fn adc(a: u64, b: u64, carry: bool) -> (u64, bool) {
    // In this form the compiler keeps the carry in the flag.
    let (r, c) = a.overflowing_add(b);
    let (r, d) = r.overflowing_add(carry as u64);
    (r, c | d)
}

/// `a - b - borrow`.
#[inline(always)]
const fn sbb(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (r, c) = a.overflowing_sub(b);
    let (r, d) = r.overflowing_sub(borrow as u64);
    (r, c | d)
}

/// Sum modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn add<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut r = [0; N];
    let mut c = false;
    let mut i = 0;
    while i < N {
        (r[i], c) = adc(a[i], b[i], c);
        i += 1;
    }
    r
}

/// Difference modulo `2^(64 N)` and the borrow.
#[inline(always)]
pub(crate) const fn sub<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut r = [0; N];
    let mut c = false;
    let mut i = 0;
    while i < N {
        (r[i], c) = sbb(a[i], b[i], c);
        i += 1;
    }
    (r, c as u64)
}

/// `a += b` modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn add_assign<const N: usize>(a: &mut [u64; N], b: &[u64; N]) {
    let mut c = false;
    let mut i = 0;
    while i < N {
        (a[i], c) = adc(a[i], b[i], c);
        i += 1;
    }
}

/// `a -= b` modulo `2^(64 N)`.
#[inline(always)]
pub(crate) const fn sub_assign<const N: usize>(a: &mut [u64; N], b: &[u64; N]) {
    let mut c = false;
    let mut i = 0;
    while i < N {
        (a[i], c) = sbb(a[i], b[i], c);
        i += 1;
    }
}

/// `a` if `mask` is zero, `b` if it is all ones.
#[inline(always)]
pub(crate) const fn select<const N: usize>(a: &[u64; N], b: &[u64; N], mask: u64) -> [u64; N] {
    let mut r = [0; N];
    let mut i = 0;
    while i < N {
        r[i] = a[i] ^ (mask & (a[i] ^ b[i]));
        i += 1;
    }
    r
}

/// The same value, of which the compiler knows nothing: with known limbs it breaks carry chains up.
#[inline(always)]
pub(crate) const fn opaque<const N: usize>(m: &[u64; N]) -> &[u64; N] {
    core::hint::black_box(m)
}

/// All ones if `borrow` is one. The compiler does not know that it is a truth value, else it would branch.
#[inline(always)]
const fn mask_of(borrow: u64) -> u64 {
    core::hint::black_box(borrow.wrapping_neg())
}

/// `a + (m & mask)`.
#[inline(always)]
const fn add_masked<const N: usize>(a: &[u64; N], m: &[u64; N], mask: u64) -> [u64; N] {
    let mut part = [0; N];
    let mut i = 0;
    while i < N {
        part[i] = m[i] & mask;
        i += 1;
    }
    add(a, &part)
}

/// `a mod m` for `a < 2 m`.
#[inline(always)]
pub(crate) const fn reduce_once<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    sub_mod(a, opaque(m), m)
}

/// `a - b`, plus `m` if that is negative.
#[inline(always)]
pub(crate) const fn sub_mod<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let (d, borrow) = sub(a, b);
    add_masked(&d, opaque(m), mask_of(borrow))
}

/// `t[at..] += a[from..] x`, into a word `t[at + N - from]` that is zero before.
///
/// The products come first, then one carry chain for their low and one for their high words: with `mulx` both run
/// through the carry flag.
#[inline(always)]
const fn add_row<const N: usize, const W: usize>(
    t: &mut [u64; W],
    at: usize,
    a: &[u64; N],
    from: usize,
    x: u64,
) {
    let (mut low, mut high) = ([0; N], [0; N]);
    let mut j = from;
    while j < N {
        (low[j], high[j]) = mac(0, a[j], x, 0);
        j += 1;
    }
    let mut c = false;
    j = from;
    while j < N {
        (t[at + j - from], c) = adc(t[at + j - from], low[j], c);
        j += 1;
    }
    t[at + N - from] = c as u64;
    c = false;
    j = from;
    while j < N {
        (t[at + j - from + 1], c) = adc(t[at + j - from + 1], high[j], c);
        j += 1;
    }
}

/// `$body` for each `$i` below `N`, written out: a loop of this size would not be unrolled.
macro_rules! each_limb {
    ($n:ident, $i:ident, $body:block) => {
        each_limb!(@ $n, $i, $body, 0 1 2 3 4 5 6 7 8 9)
    };
    (@ $n:ident, $i:ident, $body:block, $($k:literal)*) => {
        assert!($n <= 10, "numbers have at most ten limbs");
        $(if $k < $n {
            let $i = $k;
            $body
        })*
    };
}

/// Full product.
#[inline(always)]
pub(crate) const fn mul_wide<const N: usize, const W: usize>(
    a: &[u64; N],
    b: &[u64; N],
) -> [u64; W] {
    let mut t = [0; W];
    each_limb!(N, i, {
        add_row(&mut t, i, a, 0, b[i]);
    });
    t
}

/// Full square: each cross product once, doubled, then the diagonal.
#[inline(always)]
pub(crate) const fn sqr_wide<const N: usize, const W: usize>(a: &[u64; N]) -> [u64; W] {
    let mut t = [0; W];
    each_limb!(N, i, {
        if i + 1 < N {
            add_row(&mut t, 2 * i + 1, a, i + 1, a[i]);
        }
    });
    let (mut c, mut d, mut i) = (false, false, 0);
    while i < N {
        let (low, high) = mac(0, a[i], a[i], 0);
        let (even, odd);
        (even, d) = adc(t[2 * i], t[2 * i], d);
        (odd, d) = adc(t[2 * i + 1], t[2 * i + 1], d);
        (t[2 * i], c) = adc(even, low, c);
        (t[2 * i + 1], c) = adc(odd, high, c);
        i += 1;
    }
    t
}

/// Montgomery reduction `t / 2^(64 N) mod m` of `t`, not fully reduced.
///
/// For `0 <= t <= e m 2^(64 N)` the result is below `(1 + e) m`.
#[inline(always)]
pub(crate) const fn redc<const N: usize, const W: usize>(
    t: &[u64; W],
    m: &[u64; N],
    inv: u64,
) -> [u64; N] {
    // The low half becomes zero, what replaces it is below `m`; the high half is added last.
    let mut low = [0; W];
    let mut i = 0;
    while i < N {
        low[i] = t[i];
        i += 1;
    }
    each_limb!(N, i, {
        let q = low[i].wrapping_mul(inv);
        add_row(&mut low, i, m, 0, q);
    });
    let mut r = [0; N];
    let mut c = false;
    i = 0;
    while i < N {
        (r[i], c) = adc(t[i + N], low[i + N], c);
        i += 1;
    }
    r
}

/// Limbs of a big-endian hexadecimal literal of at most `16 N` digits. Only for constants.
pub(crate) const fn limbs_from_hex<const N: usize>(hex: &str) -> [u64; N] {
    let bytes = hex.as_bytes();
    assert!(bytes.len() <= 16 * N, "literal too long");
    let mut r = [0; N];
    let mut i = 0;
    while i < bytes.len() {
        let ch = bytes[bytes.len() - 1 - i];
        let digit = match ch {
            b'0'..=b'9' => ch - b'0',
            b'a'..=b'f' => ch - b'a' + 10,
            _ => 255,
        };
        assert!(digit < 16, "not a lower-case hexadecimal digit");
        r[i / 16] |= (digit as u64) << (4 * (i % 16));
        i += 1;
    }
    r
}

/// An odd modulus known to the compiler: its words become immediate operands.
pub(crate) trait Modulus<const N: usize> {
    /// The modulus.
    const MODULUS: [u64; N];
    /// `-m^-1 mod 2^64`.
    const INV: u64;
}

/// A function twice: for any machine, and with `mulx`; `$name` calls what this process uses.
macro_rules! versions {
    ($($(#[$doc:meta])* fn $name:ident<{ $($g:tt)* }, { $($c:tt)* }>($($arg:ident: $ty:ty),*) -> $ret:ty = $body:expr;)*) => {
        /// For any machine.
        pub(crate) mod portable {
            use super::*;

            $(
                #[inline(never)]
                pub(crate) fn $name<$($g)*>($($arg: $ty),*) -> $ret {
                    $body
                }
            )*
        }

        /// With BMI2 and ADX.
        #[cfg(target_arch = "x86_64")]
        pub(crate) mod mulx {
            use super::*;

            $(
                #[inline(never)]
                #[target_feature(enable = "bmi2,adx")]
                pub(crate) fn $name<$($g)*>($($arg: $ty),*) -> $ret {
                    $body
                }
            )*
        }

        $(
            $(#[$doc])*
            #[inline(always)]
            pub(crate) fn $name<$($g)*>($($arg: $ty),*) -> $ret {
                #[cfg(target_arch = "x86_64")]
                if has_mulx() {
                    // SAFETY: the instructions were found on this machine.
                    #[expect(unsafe_code, reason = "call of a function that needs detected instructions")]
                    return unsafe { mulx::$name::<$($c)*>($($arg),*) };
                }
                portable::$name::<$($c)*>($($arg),*)
            }
        )*
    };
}

versions! {
    /// [`mul_wide`].
    fn product<{ const N: usize, const W: usize }, { N, W }>(a: &[u64; N], b: &[u64; N]) -> [u64; W] =
        mul_wide(a, b);
    /// [`sqr_wide`].
    fn square<{ const N: usize, const W: usize }, { N, W }>(a: &[u64; N]) -> [u64; W] =
        sqr_wide(a);
    /// [`redc`].
    fn reduce<{ M: Modulus<N>, const N: usize, const W: usize }, { M, N, W }>(t: &[u64; W]) -> [u64; N] =
        redc(t, &M::MODULUS, M::INV);
}

/// Whether this process uses the functions of [`mulx`]: `Features::get`, kept where one load finds it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn has_mulx() -> bool {
    static FOUND: AtomicU8 = AtomicU8::new(0);

    #[cold]
    fn find() -> bool {
        let adx = quil_simd::Features::get().adx;
        FOUND.store(1 + u8::from(adx), Ordering::Relaxed);
        adx
    }

    match FOUND.load(Ordering::Relaxed) {
        0 => find(),
        found => found == 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fp::Fp;

    fn numbers() -> Vec<[u64; 10]> {
        let mut all = vec![[0; 10], [u64::MAX; 10], Fp::MODULUS, Fp::TWICE];
        let mut x = 0x9e37_79b9_7f4a_7c15u64;
        for i in 0..200 {
            let mut a = [0; 10];
            for w in &mut a {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                *w = match i % 4 {
                    0 => x,
                    1 => 0u64.wrapping_sub(x & 1),
                    2 => x | !0 << (x % 64),
                    _ => x >> (x % 64),
                };
            }
            all.push(a);
        }
        all
    }

    /// Product by single words, the carries kept in 128 bits.
    fn schoolbook(a: &[u64; 10], b: &[u64; 10]) -> [u64; 20] {
        let mut t = [0u64; 20];
        for i in 0..10 {
            let mut carry = 0;
            for j in 0..10 {
                (t[i + j], carry) = mac(t[i + j], a[i], b[j], carry);
            }
            t[i + 10] = carry;
        }
        t
    }

    #[test]
    fn every_version_is_the_product_of_integers() {
        let all = numbers();
        for (a, b) in all.iter().zip(all.iter().rev()) {
            let expected = schoolbook(a, b);
            assert_eq!(portable::product::<10, 20>(a, b), expected);
            assert_eq!(portable::square::<10, 20>(a), schoolbook(a, a));
            assert_eq!(mul_wide::<10, 20>(a, b), expected);
            #[cfg(target_arch = "x86_64")]
            if quil_simd::Features::of_machine().adx {
                #[expect(
                    unsafe_code,
                    reason = "call of a function that needs detected instructions"
                )]
                // SAFETY: the instructions were found.
                let product = unsafe { mulx::product::<10, 20>(a, b) };
                #[expect(
                    unsafe_code,
                    reason = "call of a function that needs detected instructions"
                )]
                // SAFETY: the instructions were found.
                let square = unsafe { mulx::square::<10, 20>(a) };
                assert_eq!(product, expected);
                assert_eq!(square, schoolbook(a, a));
            }
        }
    }

    #[test]
    fn every_version_reduces_alike() {
        for a in numbers() {
            let mut t = schoolbook(&a, &Fp::MODULUS);
            t[0] ^= 5;
            t[19] >>= 8;
            let r = portable::reduce::<Fp, 10, 20>(&t);
            // r 2^640 = t + q p with q below 2^640: the difference is a multiple of p.
            {
                let mut low = [0; 10];
                low.copy_from_slice(&t[..10]);
                let mut high = [0; 10];
                high.copy_from_slice(&t[10..]);
                let shift = Fp::from_limbs_reduced(high_part());
                let of = |w: &[u64; 10]| Fp::from_be_slice_reduced(&be(w));
                let value = of(&low).add(&of(&high).mul(&shift));
                let expected = of(&r).mul(&shift);
                assert_eq!(value, expected);
            }
            #[cfg(target_arch = "x86_64")]
            if quil_simd::Features::of_machine().adx {
                #[expect(
                    unsafe_code,
                    reason = "call of a function that needs detected instructions"
                )]
                // SAFETY: the instructions were found.
                let other = unsafe { mulx::reduce::<Fp, 10, 20>(&t) };
                assert_eq!(other, r);
            }
        }
    }

    /// `2^640 mod p` as an integer.
    fn high_part() -> [u64; 10] {
        Fp::ONE.0
    }

    fn be(a: &[u64; 10]) -> Vec<u8> {
        a.iter().rev().flat_map(|w| w.to_be_bytes()).collect()
    }
}
