//! What was measured on.

use quil_simd::Features;

/// The machine and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Model of the processor; empty where the system does not tell.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Instructions that kernels use, or `portable`.
    pub simd: String,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: model(&text).unwrap_or_default().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, core::num::NonZero::get),
            simd: Features::get().name(),
        }
    }
}

fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_is_found_in_what_the_kernel_says() {
        let text =
            "processor\t: 0\nvendor_id\t: X\nmodel name\t: Some CPU @ 2.1GHz\nstepping\t: 8\n";
        assert_eq!(model(text), Some("Some CPU @ 2.1GHz"));
        assert_eq!(model(""), None);
    }
}
