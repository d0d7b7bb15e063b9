//! How many squarings a step takes (R2, R3).

use quil_types::genesis::{Difficulty, Pacing};

/// Chooses T for the epochs of a chain.
pub trait DifficultyAdjuster {
    /// T of epoch `e + 2`, from what was measured in epoch `e`.
    ///
    /// `t_e` and `t_next` are T of epochs `e` and `e + 1`.
    fn adjust(&self, measured: &EpochMeasure, t_e: u64, t_next: u64) -> u64;
}

/// What an epoch's final frames say about its pace. Both kinds of adjuster read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochMeasure {
    /// Milliseconds between parent and child, for final frames whose rank follows their parent's (R3): failed
    /// ranks say nothing about the reel.
    pub spacings_ms: Vec<u64>,
    /// Milliseconds between the timestamps of the epoch's root and its closing frame.
    pub elapsed_ms: u64,
    /// Frames between the two.
    pub frames: u64,
}

impl EpochMeasure {
    /// Lower median of the spacings; `None` when every rank of the epoch failed.
    #[must_use]
    pub fn median_ms(&self) -> Option<u64> {
        let mut sorted = self.spacings_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

/// T never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(pub u64);

impl DifficultyAdjuster for Fixed {
    fn adjust(&self, _: &EpochMeasure, _: u64, _: u64) -> u64 {
        self.0
    }
}

/// T follows the median spacing: `T_{e+2} = clamp(T_e * target / m, 7/8 T_{e+1}, 8/7 T_{e+1})`, a multiple of
/// `floor / 16` and at least `floor`. The median was measured under `T_e`, so it scales `T_e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Median {
    /// Frame interval aimed at, milliseconds.
    pub target_ms: u64,
    /// Smallest T.
    pub floor: u64,
}

impl DifficultyAdjuster for Median {
    fn adjust(&self, measured: &EpochMeasure, t_e: u64, t_next: u64) -> u64 {
        let Some(median) = measured.median_ms() else {
            return t_next;
        };
        let wanted = u128::from(t_e) * u128::from(self.target_ms) / u128::from(median.max(1));
        let low = u128::from(t_next) * 7 / 8;
        let high = u128::from(t_next) * 8 / 7;
        quantise(wanted.clamp(low, high), self.floor)
    }
}

/// Absolutely scheduled exponential adjustment with the integer cubic of aserti3-2d: the schedule is a whole
/// epoch, and T halves when the chain is one `half_life` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asert {
    /// Frame interval aimed at, milliseconds.
    pub target_ms: u64,
    /// Milliseconds of lag that halve T.
    pub half_life_ms: u64,
    /// Smallest T.
    pub floor: u64,
}

/// Fraction bits of the exponent.
const RADIX: u32 = 16;
/// Largest exponent magnitude: beyond it T is at its floor or as good as unbounded.
const EXPONENT_MAX: i128 = 32 << RADIX;

impl DifficultyAdjuster for Asert {
    fn adjust(&self, measured: &EpochMeasure, t_e: u64, _: u64) -> u64 {
        let schedule = i128::from(measured.frames).saturating_mul(i128::from(self.target_ms));
        let ahead = schedule.saturating_sub(i128::from(measured.elapsed_ms));
        let exponent = (ahead << RADIX) / i128::from(self.half_life_ms.max(1));
        quantise(
            scale_by_power_of_two(t_e, exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX)),
            self.floor,
        )
    }
}

/// `t * 2^(exponent / 2^16)`, the fraction by the cubic approximation of aserti3-2d.
fn scale_by_power_of_two(t: u64, exponent: i128) -> u128 {
    let shift = exponent >> RADIX;
    let f = u128::try_from(exponent - (shift << RADIX)).unwrap_or(0);
    let poly = 195_766_423_245_049 * f + 971_821_376 * f * f + 5_127 * f * f * f + (1 << 47);
    let factor = (1u128 << RADIX) + (poly >> 48);
    let scaled = u128::from(t).saturating_mul(factor);
    let up = u32::try_from(shift.max(0)).unwrap_or(32);
    let down = u32::try_from((-shift).max(0)).unwrap_or(32);
    ((scaled << up) >> down) >> RADIX
}

/// Nearest multiple of `floor / 16` below, at least `floor`.
fn quantise(t: u128, floor: u64) -> u64 {
    let step = u128::from((floor / 16).max(1));
    u64::try_from(t / step * step)
        .unwrap_or(u64::MAX)
        .max(floor)
        .max(1)
}

/// The adjuster that a network's pacing names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjuster {
    /// See [`Fixed`].
    Fixed(Fixed),
    /// See [`Median`].
    Median(Median),
}

impl Adjuster {
    /// The adjuster and T of the first two epochs.
    #[must_use]
    pub const fn from_pacing(pacing: &Pacing) -> (Self, u64) {
        match pacing.difficulty {
            Difficulty::Fixed(t) => (Self::Fixed(Fixed(t)), t),
            Difficulty::Median { initial, floor } => (
                Self::Median(Median {
                    target_ms: pacing.target_ms,
                    floor,
                }),
                initial,
            ),
        }
    }
}

impl DifficultyAdjuster for Adjuster {
    fn adjust(&self, measured: &EpochMeasure, t_e: u64, t_next: u64) -> u64 {
        match self {
            Self::Fixed(a) => a.adjust(measured, t_e, t_next),
            Self::Median(a) => a.adjust(measured, t_e, t_next),
        }
    }
}
