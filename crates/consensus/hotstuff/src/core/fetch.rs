//! Missing frames: asked for one by one when few, by catch-up when many.

use std::collections::BTreeMap;

use quil_types::{FrameId, Millis, PeerKey, Rank};

use super::{Core, Cx};
use crate::io::Output;
use crate::limits::{FETCH_ATTEMPTS_MAX, FETCH_DELAY_MS, FETCH_IDS_MAX, FETCH_RETRY_MS};
use crate::scheme::Scheme;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Want {
    rank: Rank,
    hint: Option<PeerKey>,
    attempts: u32,
    at: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lag {
    hint: Option<PeerKey>,
    at: Millis,
}

/// What is missing. At the bound a new wish is turned into catch-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetches {
    wants: BTreeMap<FrameId, Want>,
    lag: Option<Lag>,
}

impl Fetches {
    pub(super) fn want(&mut self, now: Millis, id: FrameId, rank: Rank, hint: Option<PeerKey>) {
        if self.wants.contains_key(&id) {
            return;
        }
        if self.wants.len() >= FETCH_IDS_MAX {
            return self.lag_now(now, hint);
        }
        let at = now.after(FETCH_DELAY_MS);
        self.wants.insert(
            id,
            Want {
                rank,
                hint,
                attempts: 0,
                at,
            },
        );
    }

    pub(super) fn wants(&self, id: &FrameId) -> bool {
        self.wants.contains_key(id)
    }

    pub(super) fn found(&mut self, id: &FrameId) {
        self.wants.remove(id);
    }

    /// Others are ahead: catch up unless finality moves soon.
    pub(super) fn lag(&mut self, now: Millis, hint: PeerKey) {
        let at = now.after(FETCH_RETRY_MS);
        self.lag.get_or_insert(Lag {
            hint: Some(hint),
            at,
        });
    }

    /// Catch up without waiting.
    pub(super) fn lag_now(&mut self, now: Millis, hint: Option<PeerKey>) {
        self.lag.get_or_insert(Lag { hint, at: now });
    }

    /// Finality moved.
    pub(super) fn progressed(&mut self) {
        self.lag = None;
    }

    pub(super) fn prune(&mut self, rank: Rank) {
        self.wants.retain(|_, w| w.rank > rank);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        let lag = self.lag.map(|l| l.at);
        self.wants.values().map(|w| w.at).chain(lag).min()
    }

    /// What to ask for now; repeated until it arrives.
    fn due(&mut self, now: Millis) -> (Vec<FrameId>, Option<PeerKey>) {
        let mut ids = Vec::new();
        let mut hint = None;
        let mut hopeless = None;
        for (id, want) in &mut self.wants {
            if want.at <= now {
                want.at = now.after(FETCH_RETRY_MS);
                want.attempts = want.attempts.saturating_add(1);
                if want.attempts > FETCH_ATTEMPTS_MAX {
                    hopeless = Some(want.hint);
                }
                hint = hint.or_else(|| want.hint.filter(|_| want.attempts == 1));
                ids.push(*id);
            }
        }
        if let Some(hint) = hopeless {
            self.lag_now(now, hint);
        }
        (ids, hint)
    }

    fn lag_due(&mut self, now: Millis) -> Option<Option<PeerKey>> {
        let lag = self.lag.as_mut().filter(|l| l.at <= now)?;
        lag.at = now.after(FETCH_RETRY_MS);
        // The hint is tried once; later any member will do.
        Some(lag.hint.take())
    }
}

impl<S: Scheme> Core<S> {
    pub(super) fn fetch_due(&mut self, cx: &mut Cx<'_>) {
        let (ids, hint) = self.fetches.due(cx.now);
        if !ids.is_empty() {
            cx.out.push(Output::Fetch { ids, hint });
        }
        if let Some(hint) = self.fetches.lag_due(cx.now) {
            let from = self.forest.root().header.number.next();
            cx.out.push(Output::NeedCatchUp { from, hint });
        }
    }
}
