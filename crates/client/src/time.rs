//! Times as text.

use std::time::Duration;

use crate::output::Failure;

/// Longest wait that is asked for: a day.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

/// Reads a duration such as `500ms`, `60s` or `2m`; at most a day.
///
/// # Errors
/// [`Failure`] of usage.
pub fn parse_duration(text: &str) -> Result<Duration, Failure> {
    let at = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let ms_per = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    let ms = number.zip(ms_per).and_then(|(n, per)| n.checked_mul(per));
    let duration = ms.map(Duration::from_millis).filter(|d| *d <= WAIT_MAX);
    duration.ok_or_else(|| {
        let message = format!("`{text}` is no duration up to a day");
        Failure::new("duration.malformed", message, "write 500ms, 60s or 2m").usage()
    })
}

/// Milliseconds since 1970 as RFC 3339 in UTC, such as `2026-11-20T18:42:07.250Z`.
#[must_use]
pub(crate) fn rfc3339(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar: whole 400-year cycles, then years that begin
/// in March, so that the leap day is the last day of a year.
fn civil(days: u64) -> (u64, u64, u64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    let z = days.saturating_add(EPOCH);
    let (cycle, day) = (z / 146_097, z % 146_097);
    // Leap days passed within the cycle.
    let leaps = (day / 1_460).saturating_add(day / 146_096);
    let year = day.saturating_add(day / 36_524).saturating_sub(leaps) / 365;
    let started = (year.saturating_mul(365))
        .saturating_add(year / 4)
        .saturating_sub(year / 100);
    let of_year = day.saturating_sub(started);
    let shifted = of_year.saturating_mul(5).saturating_add(2) / 153;
    let of_month = of_year
        .saturating_sub(shifted.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(1);
    let month = if shifted < 10 {
        shifted.saturating_add(3)
    } else {
        shifted.saturating_sub(9)
    };
    let year = year
        .saturating_add(cycle.saturating_mul(400))
        .saturating_add(u64::from(month <= 2));
    (year, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by counting days.
    fn slow(mut days: u64) -> (u64, u64, u64) {
        let leap =
            |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
        let mut year = 1970;
        while days >= 365 + u64::from(leap(year)) {
            days -= 365 + u64::from(leap(year));
            year += 1;
        }
        let february = 28 + u64::from(leap(year));
        let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut month = 1;
        for length in months {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        (year, month, days + 1)
    }

    #[test]
    fn days_agree_with_counting() {
        for days in 0..400 * 366 {
            assert_eq!(civil(days), slow(days), "day {days}");
        }
    }

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("60s"), Ok(60_000));
        assert_eq!(ms("2m"), Ok(120_000));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "1h",
            "90000s",
            "99999999999999999999s",
            "1 s",
        ] {
            assert_eq!(
                parse_duration(bad).unwrap_err().code,
                "duration.malformed",
                "{bad}"
            );
        }
    }

    #[test]
    fn known_instants() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
    }
}
