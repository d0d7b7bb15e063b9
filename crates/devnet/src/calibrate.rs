//! How fast this machine squares, measured once per genesis (R3).

use std::time::{Duration, Instant};

use quil_vdf::{DISCRIMINANT_BITS, Evaluator, base, derive_discriminant};

use crate::error::DevnetError;

/// Runs of which the fastest counts: others of the machine only ever make one slower.
const RUNS: u32 = 3;
/// Squarings of a run: about 50 ms.
const SQUARINGS: u64 = 2_000;
/// Squarings at once.
const STEP: u64 = 250;
/// Length that an evaluation is prepared for, so that a run does what a long one does.
const PREPARED: u64 = 1 << 20;
/// A step takes this part of a frame interval: the leaders of two ranks solve it, and every process of the network
/// shares the machine.
const SHARE: u32 = 10;
/// Fewest squarings of a step.
pub(crate) const SQUARINGS_MIN: u64 = 16;
/// Most squarings of a step.
pub(crate) const SQUARINGS_MAX: u64 = 1 << 24;

/// Time of one squaring at full size on an idle core. Cost: below a second.
///
/// # Errors
/// [`DevnetError::Calibration`], never seen in practice.
pub fn squaring_time() -> Result<Duration, DevnetError> {
    let d = derive_discriminant(b"quil devnet calibration", DISCRIMINANT_BITS)
        .map_err(|e| DevnetError::Calibration(e.to_string()))?;
    let x = base(&d, &[1; 32]).map_err(|e| DevnetError::Calibration(e.to_string()))?;
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let mut evaluator = Evaluator::new(&d, &x, PREPARED)
            .map_err(|e| DevnetError::Calibration(e.to_string()))?;
        let start = Instant::now();
        for _ in 0..SQUARINGS / STEP {
            evaluator
                .step(STEP)
                .map_err(|e| DevnetError::Calibration(e.to_string()))?;
        }
        best = best.min(start.elapsed());
    }
    Ok(best / u32::try_from(SQUARINGS).unwrap_or(u32::MAX))
}

/// Squarings that take a tenth of a frame interval.
#[must_use]
pub fn squarings(interval: Duration, one: Duration) -> u64 {
    let share = (interval / SHARE).as_nanos();
    let count = share.checked_div(one.as_nanos()).unwrap_or(u128::MAX);
    u64::try_from(count)
        .unwrap_or(u64::MAX)
        .clamp(SQUARINGS_MIN, SQUARINGS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_takes_a_tenth_of_the_interval() {
        let count = squarings(Duration::from_secs(2), Duration::from_micros(20));
        assert_eq!(count, 10_000);
        let slow = squarings(Duration::from_millis(200), Duration::from_secs(1));
        assert_eq!(slow, SQUARINGS_MIN);
        assert_eq!(
            squarings(Duration::from_secs(2), Duration::ZERO),
            SQUARINGS_MAX
        );
    }

    #[test]
    fn measurement_is_of_the_right_order() {
        let one = squaring_time().unwrap();
        let range = Duration::from_micros(1)..Duration::from_millis(10);
        assert!(range.contains(&one), "{one:?}");
    }
}
