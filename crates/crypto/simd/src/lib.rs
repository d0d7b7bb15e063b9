#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// Variable that keeps every kernel of a process portable when it is `off`, `0` or `portable`.
pub const VARIABLE: &str = "QUIL_SIMD";

/// Groups of instructions that kernels use, found once per process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// AVX-512 F, DQ, BW, VL and IFMA: products of 52-bit limbs, eight at a time.
    pub ifma: bool,
    /// AVX-512 F, BW, VL with VAES and VPCLMULQDQ.
    pub vaes: bool,
    /// AES, PCLMULQDQ and SSSE3 on 128 bits.
    pub aes: bool,
    /// BMI2 and ADX: `mulx`, `adcx`, `adox`.
    pub adx: bool,
}

impl Features {
    /// No vector instructions at all.
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
    #[cfg(not(target_arch = "x86_64"))]
    #[must_use]
    pub fn of_machine() -> Self {
        Self::PORTABLE
    }

    /// What the kernels of this process use: [`of_machine`](Self::of_machine), or nothing when [`VARIABLE`] says so.
    ///
    /// Costs one load after the first call.
    #[must_use]
    pub fn get() -> Self {
        static FOUND: OnceLock<Features> = OnceLock::new();
        *FOUND.get_or_init(|| match std::env::var(VARIABLE) {
            Ok(value) if is_off(&value) => Self::PORTABLE,
            _ => Self::of_machine(),
        })
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

fn is_off(value: &str) -> bool {
    matches!(value, "off" | "0" | "portable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_for_off_switch_off() {
        assert!(["off", "0", "portable"].into_iter().all(is_off));
        assert!(!["on", "", "1", "OFF "].into_iter().any(is_off));
    }

    #[test]
    fn process_uses_a_part_of_the_machine() {
        let (used, machine) = (Features::get(), Features::of_machine());
        assert!(used == machine || used == Features::PORTABLE);
        assert_eq!(used, Features::get(), "found once");
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
