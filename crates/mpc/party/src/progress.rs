//! Progress of what takes longer than a second.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use quil_garble::session::Gates;

/// Hears lines of progress.
pub type Say<'a> = dyn Fn(&str) + Sync + 'a;

/// Time to the first line and between lines.
const EVERY: Duration = Duration::from_secs(1);

/// Says nothing.
pub fn silent(_line: &str) {}

/// Runs `work`, saying what it is once a second while it lasts.
pub(crate) fn slowly<T>(say: &Say<'_>, what: &str, work: impl FnOnce() -> T) -> T {
    let (done, waits) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let begin = Instant::now();
            while waits.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                say(&format!("{what}: {} s", begin.elapsed().as_secs()));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Says how far the gates are, at most once a second.
pub(crate) struct Meter<'a> {
    verb: &'static str,
    say: &'a Say<'a>,
    /// When the first gates were done.
    begin: Option<Instant>,
    last: Instant,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(verb: &'static str, say: &'a Say<'a>) -> Self {
        Self {
            verb,
            say,
            begin: None,
            last: Instant::now(),
        }
    }

    pub(crate) fn observe(&mut self, gates: Gates) {
        if gates.done == 0 {
            return;
        }
        let now = Instant::now();
        let begin = *self.begin.get_or_insert(now);
        if now.duration_since(self.last) >= EVERY && gates.done < gates.total {
            self.last = now;
            (self.say)(&line(self.verb, gates, now.duration_since(begin)));
        }
    }

    /// Time since the first gates.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.map_or(Duration::ZERO, |begin| begin.elapsed())
    }
}

/// AND gates per second; zero when there is no time to divide by.
pub(crate) fn rate(gates: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 {
        gates as f64 / seconds
    } else {
        0.0
    }
}

fn line(verb: &str, gates: Gates, elapsed: Duration) -> String {
    let rate = rate(gates.done, elapsed);
    let left = gates.total.saturating_sub(gates.done) as f64;
    let share = 100.0 * gates.done as f64 / gates.total.max(1) as f64;
    let mut text = format!(
        "{verb} {} of {} AND gates ({share:.0} %), {:.1} M/s",
        grouped(gates.done),
        grouped(gates.total),
        rate / 1e6,
    );
    if rate > 0.0 {
        text.push_str(&format!(", {:.0} s left", (left / rate).ceil()));
    }
    text
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_mul(2));
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && digits.len().saturating_sub(i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_tell_count_share_rate_and_what_is_left() {
        let gates = Gates {
            done: 45_000_000,
            total: 182_611_624,
        };
        assert_eq!(
            line("evaluated", gates, Duration::from_secs(3)),
            "evaluated 45,000,000 of 182,611,624 AND gates (25 %), 15.0 M/s, 10 s left"
        );
        let none = line("garbled", gates, Duration::ZERO);
        assert!(none.ends_with("0.0 M/s"), "{none}");
    }

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 12, 123, 1234, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "12", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn short_work_is_silent() {
        let lines = Mutex::new(Vec::new());
        let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
        assert_eq!(slowly(&say, "work", || 7), 7);
        let mut meter = Meter::new("garbled", &say);
        meter.observe(Gates { done: 0, total: 9 });
        meter.observe(Gates { done: 4, total: 9 });
        assert!(lines.lock().unwrap().is_empty());
    }
}
