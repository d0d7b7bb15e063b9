//! Recent frames by number: anchors of shard updates, and anchors of shard frames.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_reel::FinalGlobal;
use quil_types::{Anchor, FrameId, FrameNumber, Header};

/// How far behind a frame the anchor of an update in its body may be. A rule of validity, so that every node,
/// however young, decides alike; many times the largest age at which a shard may vote.
pub const SETTLE_WINDOW: u64 = 1024;

/// Identities of the ancestors of a frame: the final ones shared, the speculative ones its own.
///
/// A shard's committee anchors to final frames only, and a final frame is an ancestor of every later valid frame,
/// so "final" and "ancestor" agree wherever the shard is honest; being an ancestor does not depend on what a
/// voter has heard of finality yet.
#[derive(Clone, Debug, Default)]
pub struct Ancestors {
    settled: Arc<BTreeMap<FrameNumber, FrameId>>,
    recent: Vec<(FrameNumber, FrameId)>,
}

impl Ancestors {
    /// From final identities and speculative ones above them.
    #[must_use]
    pub const fn new(
        settled: Arc<BTreeMap<FrameNumber, FrameId>>,
        recent: Vec<(FrameNumber, FrameId)>,
    ) -> Self {
        Self { settled, recent }
    }

    /// Adds the next ancestor.
    pub fn push(&mut self, number: FrameNumber, id: FrameId) {
        self.recent.push((number, id));
    }

    fn id(&self, number: FrameNumber) -> Option<FrameId> {
        let recent = self
            .recent
            .iter()
            .find(|(n, _)| *n == number)
            .map(|(_, id)| *id);
        recent.or_else(|| self.settled.get(&number).copied())
    }

    fn head(&self) -> FrameNumber {
        let settled = self.settled.last_key_value().map(|(n, _)| *n);
        self.recent
            .iter()
            .map(|(n, _)| *n)
            .chain(settled)
            .max()
            .unwrap_or(FrameNumber::ZERO)
    }
}

impl quil_execution::global::FinalAnchors for Ancestors {
    fn is_final(&self, anchor: &Anchor) -> bool {
        let age = self.head().get().saturating_sub(anchor.number.get());
        age <= SETTLE_WINDOW && self.id(anchor.number) == Some(anchor.id)
    }
}

/// Final global headers that a shard engine knows (R5).
#[derive(Clone, Debug, Default)]
pub struct GlobalWindow {
    headers: BTreeMap<FrameNumber, Header>,
}

impl GlobalWindow {
    /// Headers kept.
    pub const KEPT: u64 = 4096;

    /// Takes the next final header; one that does not extend the last is ignored.
    pub fn push(&mut self, header: Header) -> bool {
        let fits = self
            .headers
            .last_key_value()
            .is_none_or(|(n, last)| header.number == n.next() && header.parent == last.id());
        if fits {
            self.headers.insert(header.number, header);
            while u64::try_from(self.headers.len()).is_ok_and(|n| n > Self::KEPT) {
                self.headers.pop_first();
            }
        }
        fits
    }

    /// The last final one.
    #[must_use]
    pub fn last(&self) -> Option<&Header> {
        self.headers.last_key_value().map(|(_, h)| h)
    }
}

impl FinalGlobal for GlobalWindow {
    fn header(&self, number: FrameNumber) -> Option<Header> {
        self.headers.get(&number).cloned()
    }

    fn head(&self) -> FrameNumber {
        self.last().map_or(FrameNumber::ZERO, |h| h.number)
    }
}
