#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// Variable that restricts the kernels of a process: `off` or `0` leaves out vectors, `portable` every instruction that
/// not all machines have.
pub const VARIABLE: &str = "QUIL_SIMD";

/// Groups of instructions that kernels use, found once per process. All but [`adx`](Self::adx) work on vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// AVX-512 F, DQ, BW, VL and IFMA: products of 52-bit limbs, eight at a time.
    pub ifma: bool,
    /// AVX-512 F, BW, VL with VAES and VPCLMULQDQ.
    pub vaes: bool,
    /// AES on 128 bits and carry-less products: AES-NI, PCLMULQDQ and SSSE3 of x86-64, or AES, PMULL and NEON of
    /// `AArch64`.
    pub aes: bool,
    /// BMI2 and ADX: `mulx`, `adcx`, `adox`.
    pub adx: bool,
}

impl Features {
    /// Nothing that not all machines have.
    pub const PORTABLE: Self = Self {
        ifma: false,
        vaes: false,
        aes: false,
        adx: false,
    };

    /// What this machine offers, whatever [`VARIABLE`] says.
    #[cfg(target_arch = "x86_64")]
    #[must_use]
    pub fn of_machine() -> Self {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        let aes = is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("ssse3");
        Self {
            ifma: wide
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512ifma"),
            vaes: wide
                && aes
                && is_x86_feature_detected!("vaes")
                && is_x86_feature_detected!("vpclmulqdq"),
            aes,
            adx: is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx"),
        }
    }

    /// What this machine offers, whatever [`VARIABLE`] says.
    #[cfg(target_arch = "aarch64")]
    #[must_use]
    pub fn of_machine() -> Self {
        // Kernels take vectors from memory as little-endian integers.
        Self {
            aes: cfg!(target_endian = "little")
                && std::arch::is_aarch64_feature_detected!("neon")
                && std::arch::is_aarch64_feature_detected!("aes")
                && std::arch::is_aarch64_feature_detected!("pmull"),
            ..Self::PORTABLE
        }
    }

    /// What this machine offers, whatever [`VARIABLE`] says.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    #[must_use]
    pub fn of_machine() -> Self {
        Self::PORTABLE
    }

    /// What the kernels of this process use: [`of_machine`](Self::of_machine), or the part that [`VARIABLE`] leaves.
    ///
    /// Costs one load after the first call.
    #[must_use]
    pub fn get() -> Self {
        static FOUND: OnceLock<Features> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let value = std::env::var(VARIABLE).unwrap_or_default();
            Self::of_machine().restricted(&value)
        })
    }

    /// What a value of [`VARIABLE`] leaves; other words than those listed there leave everything.
    fn restricted(self, value: &str) -> Self {
        match value {
            "off" | "0" => Self {
                adx: self.adx,
                ..Self::PORTABLE
            },
            "portable" => Self::PORTABLE,
            _ => self,
        }
    }

    /// The names of what is used, for reports: `avx512ifma+vaes+aes+adx`, or `portable`.
    #[must_use]
    pub fn name(self) -> String {
        let names = [
            (self.ifma, "avx512ifma"),
            (self.vaes, "vaes"),
            (self.aes, "aes"),
            (self.adx, "adx"),
        ];
        let used: Vec<&str> = names.iter().filter(|n| n.0).map(|n| n.1).collect();
        if used.is_empty() {
            "portable".to_owned()
        } else {
            used.join("+")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Features = Features {
        ifma: true,
        vaes: true,
        aes: true,
        adx: true,
    };

    #[test]
    fn only_listed_words_restrict() {
        let scalar = Features {
            adx: true,
            ..Features::PORTABLE
        };
        assert!(["off", "0"].map(|v| ALL.restricted(v)) == [scalar; 2]);
        assert_eq!(ALL.restricted("portable"), Features::PORTABLE);
        assert!(["", "on", "1", "OFF "].map(|v| ALL.restricted(v)) == [ALL; 4]);
        assert_eq!(
            Features::PORTABLE.restricted("off"),
            Features::PORTABLE,
            "nothing is added"
        );
    }

    #[test]
    fn found_once() {
        assert_eq!(Features::get(), Features::get());
    }

    #[test]
    fn names_list_what_is_used() {
        assert_eq!(Features::PORTABLE.name(), "portable");
        let some = Features {
            ifma: true,
            adx: true,
            ..Features::PORTABLE
        };
        assert_eq!(some.name(), "avx512ifma+adx");
    }
}
