//! Figures of many measurements.

use std::time::Duration;

/// Seconds to the millisecond.
pub(super) fn seconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64(), 1e3)
}

/// Milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Number of things per second, to a tenth; zero without time.
pub(super) fn per_second(count: usize, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    let count = u32::try_from(count).map_or(f64::MAX, f64::from);
    if seconds > 0.0 {
        rounded(count / seconds, 10.0)
    } else {
        0.0
    }
}

/// A time in frame intervals, to the hundredth.
pub(super) fn intervals(time: Duration, frame_ms: u64) -> f64 {
    let interval = Duration::from_millis(frame_ms.max(1)).as_secs_f64();
    rounded(time.as_secs_f64() / interval, 100.0)
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

/// The smallest value that is not below `percent` of all (nearest rank); `None` of none.
pub(super) fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = sorted.len().saturating_mul(percent.min(100)).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Mean time between frames with these numbers and timestamps, milliseconds; `None` of less than two.
pub(super) fn mean_interval(frames: impl IntoIterator<Item = (u64, u64)>) -> Option<u64> {
    let frames: Vec<_> = frames.into_iter().collect();
    let (first, last) = (frames.iter().min()?, frames.iter().max()?);
    let (count, time) = (last.0.checked_sub(first.0)?, last.1.checked_sub(first.1)?);
    time.checked_div(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(list: &[u64]) -> Vec<Duration> {
        list.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let times = ms(&[40, 10, 30, 20]);
        let at = |p| percentile(&times, p).map(millis);
        assert_eq!(
            [at(0), at(25), at(50), at(51)],
            [Some(10), Some(10), Some(20), Some(30)]
        );
        assert_eq!([at(95), at(100), at(500)], [Some(40); 3]);
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&ms(&[7]), 50).map(millis), Some(7));
    }

    #[test]
    fn interval_counts_frames_that_were_not_seen() {
        assert_eq!(
            mean_interval([(5, 1_000), (9, 9_200), (6, 3_000)]),
            Some(2_050)
        );
        assert_eq!(mean_interval([(5, 1_000)]), None);
        assert_eq!(mean_interval([]), None);
    }

    #[test]
    fn rates_and_intervals_are_rounded() {
        assert_eq!(
            per_second(600, Duration::from_millis(12_345)).to_string(),
            "48.6"
        );
        assert_eq!(per_second(1, Duration::ZERO).to_string(), "0");
        assert_eq!(
            intervals(Duration::from_millis(3_333), 2_000).to_string(),
            "1.67"
        );
        assert_eq!(
            seconds(Duration::from_micros(1_234_567)).to_string(),
            "1.235"
        );
    }
}
