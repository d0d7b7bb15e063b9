//! Back-off: for how long a peer must not be grafted again on a slice, by either side. Outlives the connection, so that
//! a reconnect does not end it.

use std::collections::BTreeMap;

use quil_types::PeerKey;

use crate::{limits::BACKOFFS_MAX, mask::Mask};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) since_ms: u64,
    pub(crate) until_ms: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Backoffs {
    entries: BTreeMap<(PeerKey, Mask), Backoff>,
}

impl Backoffs {
    /// Starts or extends a back-off; a shorter one never cuts a longer one. Ignored when the table is full.
    pub(crate) fn set(&mut self, peer: PeerKey, slice: Mask, now_ms: u64, duration_ms: u64) {
        let until_ms = now_ms.saturating_add(duration_ms);
        let full = self.entries.len() >= BACKOFFS_MAX;
        match self.entries.get_mut(&(peer, slice)) {
            Some(b) => {
                *b = Backoff {
                    since_ms: now_ms,
                    until_ms: b.until_ms.max(until_ms),
                }
            }
            None if full => {}
            None => {
                self.entries.insert(
                    (peer, slice),
                    Backoff {
                        since_ms: now_ms,
                        until_ms,
                    },
                );
            }
        }
    }

    /// The back-off in force at `now_ms`.
    pub(crate) fn active(&self, peer: PeerKey, slice: Mask, now_ms: u64) -> Option<Backoff> {
        self.entries
            .get(&(peer, slice))
            .copied()
            .filter(|b| b.until_ms > now_ms)
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        self.entries.retain(|_, b| b.until_ms > now_ms);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The duration a remote PRUNE asks for, in milliseconds within the clamp; 0 seconds means the default.
///
/// Total for every `u64`: seconds are clamped before they are multiplied.
pub(crate) fn remote_duration_ms(seconds: u64, default_ms: u64, clamp_ms: (u64, u64)) -> u64 {
    if seconds == 0 {
        return default_ms;
    }
    seconds.saturating_mul(1000).max(clamp_ms.0).min(clamp_ms.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: PeerKey = PeerKey([1; 32]);

    #[test]
    fn durations_never_overflow() {
        let clamp = (1_000, 3_600_000);
        for (seconds, want) in [
            (0, 60_000),
            (1, 1_000),
            (60, 60_000),
            (3_600, 3_600_000),
            (3_601, 3_600_000),
            (u64::MAX / 1000, 3_600_000),
            (u64::MAX / 1000 + 1, 3_600_000),
            (u64::MAX, 3_600_000),
        ] {
            assert_eq!(
                remote_duration_ms(seconds, 60_000, clamp),
                want,
                "{seconds}"
            );
        }
    }

    #[test]
    fn end_of_time_saturates() {
        let mut b = Backoffs::default();
        b.set(P, Mask::GLOBAL_FRAMES, u64::MAX - 1, u64::MAX);
        let active = b.active(P, Mask::GLOBAL_FRAMES, u64::MAX - 1).unwrap();
        assert_eq!(active.until_ms, u64::MAX);
        assert!(b.active(P, Mask::GLOBAL_FRAMES, u64::MAX).is_none());
    }

    #[test]
    fn shorter_does_not_cut_longer() {
        let mut b = Backoffs::default();
        b.set(P, Mask::GLOBAL_FRAMES, 0, 100);
        b.set(P, Mask::GLOBAL_FRAMES, 50, 10);
        assert!(b.active(P, Mask::GLOBAL_FRAMES, 99).is_some());
        assert!(b.active(P, Mask::GLOBAL_UPDATES, 99).is_none(), "per slice");
        b.expire(100);
        assert_eq!(b.len(), 0);
    }

    #[test]
    fn table_is_bounded() {
        let mut b = Backoffs::default();
        for n in 0..=BACKOFFS_MAX as u64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            b.set(PeerKey(key), Mask::GLOBAL_FRAMES, 0, 1);
        }
        assert_eq!(b.len(), BACKOFFS_MAX);
    }
}
