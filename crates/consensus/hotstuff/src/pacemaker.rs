//! Ranks and their timers (C5).

use std::collections::VecDeque;

use quil_types::{Millis, Rank, Tc};

use crate::limits::{DELAY_SAMPLES, REBROADCAST_MS, TIMER_CAP_MS, TIMER_FREE_FAILURES};
use crate::verify::Verified;

/// How a rank was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// By a certificate of the previous rank, at the start of an epoch, or after a restart.
    Plain,
    /// By a timeout certificate of the previous rank.
    Timeout(Box<Verified<Tc>>),
    /// With more than a third of the members, without a certificate.
    Amplified,
}

/// What a deadline means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// The rank's timer fired now.
    Expired,
    /// Time to send the timeout again.
    Repeat,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pacemaker {
    interval: u64,
    rank: Rank,
    tc: Option<Box<Verified<Tc>>>,
    failed: u32,
    expires: Millis,
    expired: bool,
    repeat: Millis,
    delays: VecDeque<u64>,
}

impl Pacemaker {
    pub(crate) fn new(interval: u64) -> Self {
        Self {
            interval: interval.max(1),
            rank: Rank::ZERO,
            tc: None,
            failed: 0,
            expires: Millis::ZERO,
            expired: false,
            repeat: Millis::ZERO,
            delays: VecDeque::new(),
        }
    }

    pub(crate) const fn rank(&self) -> Rank {
        self.rank
    }

    /// The certificate of the failed previous rank.
    pub(crate) fn tc(&self) -> Option<&Verified<Tc>> {
        self.tc.as_deref()
    }

    /// Whether the current rank was given up.
    pub(crate) const fn has_expired(&self) -> bool {
        self.expired
    }

    /// Moves to a rank and starts its timer.
    pub(crate) fn enter(&mut self, now: Millis, rank: Rank, entry: Entry) {
        self.rank = rank;
        self.tc = None;
        match entry {
            Entry::Plain => {}
            Entry::Timeout(tc) => {
                self.tc = Some(tc);
                self.failed = self.failed.saturating_add(1);
            }
            Entry::Amplified => self.failed = self.failed.saturating_add(1),
        }
        self.expired = false;
        self.expires = now.after(self.duration());
    }

    /// Starts an epoch: ranks begin again, the observed delays stay.
    pub(crate) fn restart(&mut self, now: Millis, rank: Rank) {
        self.failed = 0;
        self.enter(now, rank, Entry::Plain);
    }

    /// Learns the certificate of the previous rank after having entered without it.
    pub(crate) fn justify(&mut self, tc: Verified<Tc>) {
        if tc.rank.next() == self.rank && self.tc.is_none() {
            self.tc = Some(Box::new(tc));
        }
    }

    /// Gives the rank up, by its timer or with others.
    pub(crate) fn expire(&mut self, now: Millis) {
        self.expired = true;
        self.repeat = now.after(self.duration().min(REBROADCAST_MS));
    }

    pub(crate) fn due(&mut self, now: Millis) -> Due {
        if !self.expired && now >= self.expires {
            self.expire(now);
            Due::Expired
        } else if self.expired && now >= self.repeat {
            self.expire(now);
            Due::Repeat
        } else {
            Due::Nothing
        }
    }

    pub(crate) const fn deadline(&self) -> Millis {
        if self.expired {
            self.repeat
        } else {
            self.expires
        }
    }

    /// A frame became final: back-off ends. `delays` are the milliseconds between proposal and certificate.
    pub(crate) fn finalised(&mut self, delays: impl Iterator<Item = u64>) {
        self.failed = 0;
        for delay in delays {
            self.delays.push_back(delay);
            if self.delays.len() > DELAY_SAMPLES {
                self.delays.pop_front();
            }
        }
    }

    /// `I + max(I, 4 p95)`, times 1.5 per failed rank beyond the second, at most the cap.
    pub(crate) fn duration(&self) -> u64 {
        let patience = self.p95().saturating_mul(4).max(self.interval);
        let cap = TIMER_CAP_MS.max(self.interval.saturating_mul(2));
        let mut duration = self.interval.saturating_add(patience).min(cap);
        for _ in TIMER_FREE_FAILURES..self.failed {
            duration = duration.saturating_mul(3).div_euclid(2).min(cap);
            if duration == cap {
                break;
            }
        }
        duration
    }

    fn p95(&self) -> u64 {
        let mut sorted: Vec<u64> = self.delays.iter().copied().collect();
        sorted.sort_unstable();
        let at = sorted
            .len()
            .saturating_mul(95)
            .div_ceil(100)
            .saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tc() -> Entry {
        Entry::Amplified
    }

    #[test]
    fn timer_is_two_intervals_without_observations() {
        let mut p = Pacemaker::new(1000);
        p.enter(Millis::new(5), Rank::new(1), Entry::Plain);
        assert_eq!(p.duration(), 2000);
        assert_eq!(p.deadline(), Millis::new(2005));
    }

    #[test]
    fn timer_grows_by_half_from_the_third_failed_rank_and_is_capped() {
        let mut p = Pacemaker::new(1000);
        let mut seen = Vec::new();
        for r in 1..12 {
            p.enter(Millis::ZERO, Rank::new(r), tc());
            seen.push(p.duration());
        }
        assert_eq!(&seen[..5], &[2000, 2000, 3000, 4500, 6750]);
        assert_eq!(seen.last(), Some(&60_000));
        p.finalised(core::iter::empty());
        assert_eq!(p.duration(), 2000, "reset by a final frame");
    }

    #[test]
    fn certificates_do_not_reset_the_backoff() {
        let mut p = Pacemaker::new(1000);
        (1..6).for_each(|r| p.enter(Millis::ZERO, Rank::new(r), tc()));
        let before = p.duration();
        p.enter(Millis::ZERO, Rank::new(6), Entry::Plain);
        assert_eq!(p.duration(), before);
    }

    #[test]
    fn timer_follows_the_95th_percentile_of_32_delays() {
        let mut p = Pacemaker::new(100);
        p.finalised((0..100).map(|_| 1_000_000));
        p.finalised(1..=32);
        // ceil(0.95 * 32) = 31st of 1..=32
        assert_eq!(p.duration(), 100 + 4 * 31);
        p.finalised((0..32).map(|_| 3));
        assert_eq!(p.duration(), 200, "never below two intervals");
    }

    #[test]
    fn expires_once_then_repeats() {
        let mut p = Pacemaker::new(1000);
        p.enter(Millis::ZERO, Rank::new(1), Entry::Plain);
        assert_eq!(p.due(Millis::new(1999)), Due::Nothing);
        assert_eq!(p.due(Millis::new(2000)), Due::Expired);
        assert_eq!(p.due(Millis::new(3999)), Due::Nothing);
        assert_eq!(p.due(Millis::new(4000)), Due::Repeat);
        assert_eq!(p.deadline(), Millis::new(6000));
    }
}
