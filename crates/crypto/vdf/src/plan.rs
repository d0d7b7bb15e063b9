//! How a proof is cut into windows. Not observable: the proof is the same for every plan.
//!
//! The quotient `floor(2^T / l)` is written in base `2^k`. Digit `i` applies to `x^(2^(k i))`; every `g`-th of these
//! powers is kept as a checkpoint, the others follow by raising the partial products to `2^k`. Work is about one
//! composition per digit and `2^k` per residue class of `i` modulo `g`.

/// Checkpoints kept at most: about 20 MiB of forms at any size of the group.
pub(crate) const CHECKPOINTS_MAX: u64 = 1 << 15;
/// Widest window, bits: bounds the bucket memory and the longest uninterruptible piece of work.
const WINDOW_MAX: u32 = 13;

/// Windows of a proof over a number of squarings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Window width `k`, bits.
    pub(crate) window: u32,
    /// Digits, `floor(T / k)`: higher ones are zero because `l` is longer than a window.
    pub(crate) digits: u64,
    /// Digits per checkpoint `g`.
    pub(crate) stride: u64,
}

impl Plan {
    /// The cheapest plan.
    pub(crate) fn new(squarings: u64) -> Self {
        let plan = |window: u32| {
            let digits = squarings / u64::from(window);
            Self {
                window,
                digits,
                stride: digits.div_ceil(CHECKPOINTS_MAX).max(1),
            }
        };
        (3..=WINDOW_MAX)
            .map(plan)
            .min_by_key(Self::cost)
            .unwrap_or_else(|| plan(2))
    }

    /// Compositions, about.
    const fn cost(&self) -> u64 {
        self.digits
            .saturating_add(self.stride.saturating_mul(1 << self.window))
    }

    /// Number of checkpoints.
    pub(crate) const fn checkpoints(&self) -> u64 {
        self.digits.div_ceil(self.stride)
    }

    /// Squarings from one checkpoint to the next.
    pub(crate) const fn spacing(&self) -> u64 {
        self.stride.saturating_mul(self.window as u64)
    }

    /// Buckets: digits are signed, so half the window.
    pub(crate) const fn buckets(&self) -> usize {
        1 << (self.window - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_work_is_a_fraction_for_every_length() {
        for t in [
            0,
            1,
            2,
            3,
            10,
            255,
            1000,
            100_000,
            10_000_001,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let p = Plan::new(t);
            assert!(p.checkpoints() <= CHECKPOINTS_MAX, "{t}: {p:?}");
            assert!(p.digits <= t / 3 && p.spacing() >= 3);
            assert!(u128::from(p.digits) * u128::from(p.window) <= u128::from(t));
            if t >= 100_000 {
                assert!(p.cost() <= t / 7, "{t}: {p:?} costs {}", p.cost());
            }
        }
    }
}
