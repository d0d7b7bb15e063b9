//! Fee market (F2): the multiplier follows the fullness of frames, a fee covers bytes times rate times multiplier.

use quil_types::genesis::Limits;

/// Multiplier one, parts per million: the floor, and the value of genesis.
pub const MULTIPLIER_ONE: u64 = 1_000_000;
/// Largest multiplier: a million. About 118 full frames reach it; it keeps every product below inside `u128`.
pub const MULTIPLIER_MAX: u64 = MULTIPLIER_ONE * 1_000_000;
/// The multiplier moves by at most this part of itself per frame (F2).
const STEP_DIVISOR: u64 = 8;
/// A full frame, parts per million.
const FULL: u64 = 1_000_000;
/// Fullness at which the multiplier rests.
const TARGET: u64 = FULL / 2;

/// How full a body was, parts per million of the genesis limits: the larger of bytes and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fullness(u64);

impl Fullness {
    /// Of a body with this size and cost. A limit of zero counts as full.
    #[must_use]
    pub fn of(bytes: u64, cost_us: u64, limits: &Limits) -> Self {
        let share = |used: u64, limit: u64| match u128::from(used)
            .saturating_mul(u128::from(FULL))
            .checked_div(u128::from(limit))
        {
            Some(ppm) => u64::try_from(ppm).map_or(FULL, |p| p.min(FULL)),
            None => FULL,
        };
        Self(share(bytes, u64::from(limits.body_bytes)).max(share(cost_us, limits.body_cost_us)))
    }

    /// Parts per million, at most a million.
    #[must_use]
    pub const fn ppm(self) -> u64 {
        self.0
    }
}

/// Multiplier of the child of a frame with this multiplier and fullness: an empty frame lowers it by one eighth,
/// a full one raises it by one eighth, linear between, never below one (F2).
///
/// The child's header must carry exactly this value; a multiplier outside the bounds is brought inside first.
#[must_use]
pub fn next_multiplier(parent: u64, fullness: Fullness) -> u64 {
    let parent = parent.clamp(MULTIPLIER_ONE, MULTIPLIER_MAX);
    let distance = fullness.0.abs_diff(TARGET);
    let step = u128::from(parent).saturating_mul(u128::from(distance))
        / (u128::from(TARGET) * u128::from(STEP_DIVISOR));
    let step = u64::try_from(step).unwrap_or(u64::MAX);
    let next = if fullness.0 >= TARGET {
        parent.saturating_add(step)
    } else {
        parent.saturating_sub(step)
    };
    next.clamp(MULTIPLIER_ONE, MULTIPLIER_MAX)
}

/// Least fee of a bundle: `bytes * fee_per_byte * multiplier`, rounded up, units. Saturates at `u64::MAX`.
#[must_use]
pub fn least_fee(bytes: usize, fee_per_byte: u64, multiplier: u64) -> u64 {
    let bytes = u128::try_from(bytes).unwrap_or(u128::MAX);
    let product = bytes
        .saturating_mul(u128::from(fee_per_byte))
        .saturating_mul(u128::from(multiplier));
    u64::try_from(product.div_ceil(u128::from(MULTIPLIER_ONE))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits() -> Limits {
        Limits {
            body_bytes: 1_000,
            body_cost_us: 5_000,
            anchor_age: 8,
        }
    }

    #[test]
    fn fullness_is_the_larger_share() {
        assert_eq!(Fullness::of(500, 0, &limits()).ppm(), 500_000);
        assert_eq!(Fullness::of(500, 4_000, &limits()).ppm(), 800_000);
        assert_eq!(Fullness::of(9_999, 0, &limits()).ppm(), FULL);
        let none = Limits {
            body_bytes: 0,
            ..limits()
        };
        assert_eq!(Fullness::of(0, 0, &none).ppm(), FULL);
    }

    #[test]
    fn full_and_empty_frames_move_by_one_eighth() {
        let m = 8_000_000;
        assert_eq!(next_multiplier(m, Fullness(FULL)), 9_000_000);
        assert_eq!(next_multiplier(m, Fullness(0)), 7_000_000);
        assert_eq!(next_multiplier(m, Fullness(TARGET)), m);
        assert_eq!(next_multiplier(MULTIPLIER_ONE, Fullness(0)), MULTIPLIER_ONE);
        assert_eq!(
            next_multiplier(MULTIPLIER_MAX, Fullness(FULL)),
            MULTIPLIER_MAX
        );
        assert_eq!(next_multiplier(0, Fullness(TARGET)), MULTIPLIER_ONE);
    }

    #[test]
    fn floor_is_left_when_frames_are_full() {
        assert_eq!(next_multiplier(MULTIPLIER_ONE, Fullness(FULL)), 1_125_000);
    }

    #[test]
    fn least_fee_rounds_up_and_saturates() {
        assert_eq!(least_fee(10, 3, MULTIPLIER_ONE), 30);
        assert_eq!(least_fee(1, 1, MULTIPLIER_ONE + 1), 2);
        assert_eq!(least_fee(0, 3, MULTIPLIER_MAX), 0);
        assert_eq!(least_fee(usize::MAX, u64::MAX, u64::MAX), u64::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn multiplier_stays_in_bounds_and_within_one_eighth(m in MULTIPLIER_ONE..=MULTIPLIER_MAX, f in 0..=FULL) {
            let n = next_multiplier(m, Fullness(f));
            prop_assert!((MULTIPLIER_ONE..=MULTIPLIER_MAX).contains(&n));
            prop_assert!(n.abs_diff(m) <= m / STEP_DIVISOR);
        }

        #[test]
        fn multiplier_is_monotone_in_fullness(m in MULTIPLIER_ONE..=MULTIPLIER_MAX, a in 0..=FULL, b in 0..=FULL) {
            let (lo, hi) = (a.min(b), a.max(b));
            prop_assert!(next_multiplier(m, Fullness(lo)) <= next_multiplier(m, Fullness(hi)));
        }
    }
}
