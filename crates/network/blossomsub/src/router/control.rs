//! GRAFT, PRUNE, IHAVE, IWANT and IDONTWANT of a peer.

use std::collections::{BTreeMap, BTreeSet};

use quil_types::PeerKey;

use super::{Asked, Direction, Peer, Router};
use crate::{
    backoff::remote_duration_ms,
    cache::Served,
    id::MessageId,
    limits::{ASKED_MAX, DONTWANT_MAX},
    mask::Mask,
};

impl Router {
    pub(super) fn grafted(&mut self, key: PeerKey, slices: &BTreeSet<Mask>) {
        for slice in slices {
            if !self.mesh.contains_key(slice) || self.is_member(key, slice) {
                continue;
            }
            if let Some(backoff) = self.backoffs.active(key, *slice, self.now_ms) {
                let early =
                    self.now_ms.saturating_sub(backoff.since_ms) < self.params.graft_flood_ms;
                self.misbehaved(key, if early { 2 } else { 1 });
                self.prune(key, *slice, self.params.prune_backoff_ms);
            } else if self.accepts(key, slice) {
                self.enter_mesh(key, *slice);
            } else {
                self.prune(key, *slice, self.params.prune_backoff_ms);
            }
        }
    }

    /// A member must have no bad score, hold all slices of some group with this one, and find room in it. Peers this
    /// node dialled find room always: an attacker cannot fill the mesh by dialling in.
    fn accepts(&self, key: PeerKey, slice: &Mask) -> bool {
        let Some(peer) = self.peers.get(&key) else {
            return false;
        };
        let room = |slices: &[Mask]| {
            peer.direction == Direction::Outbound
                || self.members(slices).len() < self.params.degree_high
        };
        self.scores.score(&key, self.now_ms) >= 0
            && self.groups.iter().any(|g| {
                g.slices.contains(slice)
                    && g.slices.iter().all(|s| peer.subs.contains(s))
                    && room(&g.slices)
            })
    }

    pub(super) fn pruned(&mut self, key: PeerKey, slices: &BTreeMap<Mask, u64>) {
        for (slice, seconds) in slices {
            // A PRUNE for a slice we are not in the mesh of changes nothing, or a peer could fill the back-off table.
            if self.leave_mesh(key, *slice) {
                let p = &self.params;
                let duration = remote_duration_ms(*seconds, p.prune_backoff_ms, p.backoff_clamp_ms);
                self.backoffs.set(key, *slice, self.now_ms, duration);
            }
        }
    }

    /// Asks for offered messages that are new here, within the budget of the peer.
    pub(super) fn offered(&mut self, key: PeerKey, offers: &BTreeMap<Mask, BTreeSet<MessageId>>) {
        if offers.is_empty() {
            return;
        }
        let budget = self.params.budget.ihave_frames;
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.used.ihave_frames = peer.used.ihave_frames.saturating_add(1);
        if peer.used.ihave_frames > budget {
            self.misbehaved(key, 1);
            return;
        }
        if self.scores.score(&key, self.now_ms) < self.params.score.gossip_threshold {
            return;
        }
        let mut news: Vec<MessageId> = offers
            .iter()
            .filter(|(mask, _)| self.wants(mask))
            .flat_map(|(_, ids)| ids)
            .filter(|id| self.is_new(id))
            .copied()
            .collect();
        self.shuffle(&mut news);
        self.ask(key, &news);
    }

    fn is_new(&self, id: &MessageId) -> bool {
        let busy = self
            .asked
            .get(id)
            .is_some_and(|a| a.count >= self.params.budget.iwant_parallel);
        !busy && self.seen.get(id).is_none() && !self.pending.contains(id)
    }

    /// Sends an IWANT and notes one of its ids as the peer's promise.
    fn ask(&mut self, key: PeerKey, ids: &[MessageId]) {
        let until = self.now_ms.saturating_add(self.params.iwant_followup_ms);
        let mut promise = None;
        for id in ids {
            let full = self.asked.len() >= ASKED_MAX && !self.asked.contains_key(id);
            let budget = self.params.budget.asked_ids;
            let Some(peer) = self.peers.get_mut(&key) else {
                return;
            };
            if full || peer.used.asked_ids >= budget || !peer.queue.iwant(*id) {
                break;
            }
            peer.used.asked_ids = peer.used.asked_ids.saturating_add(1);
            let asked = self.asked.entry(*id).or_default();
            *asked = Asked {
                count: asked.count.saturating_add(1),
                until_ms: until,
                promises: core::mem::take(&mut asked.promises),
            };
            promise.get_or_insert(*id);
        }
        // `ids` is in random order: the peer cannot know which one is watched.
        if let Some(asked) = promise.and_then(|id| self.asked.get_mut(&id)) {
            asked.promises.push((key, until));
            self.touched.insert(key);
        }
    }

    pub(super) fn wanted(&mut self, key: PeerKey, ids: &BTreeSet<MessageId>) {
        if ids.is_empty() {
            return;
        }
        let budget = self.params.budget.clone();
        let score = self.scores.score(&key, self.now_ms);
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.used.iwant_ids = peer
            .used
            .iwant_ids
            .saturating_add(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let mut over = peer.used.iwant_ids > budget.iwant_ids;
        let served = if over || score < self.params.score.gossip_threshold {
            0
        } else {
            ids.len()
        };
        for id in ids.iter().take(served) {
            if peer.dontwant.contains_key(id) {
                continue;
            }
            match self.cache.serve(id, key, budget.retransmissions) {
                Served::Message(m) => {
                    if peer.used.iwant_bytes.saturating_add(m.data.len()) <= budget.iwant_bytes {
                        peer.used.iwant_bytes = peer.used.iwant_bytes.saturating_add(m.data.len());
                        peer.queue.payload(&m);
                    }
                }
                Served::Unknown => {
                    peer.used.iwant_unknown = peer.used.iwant_unknown.saturating_add(1);
                    over |= peer.used.iwant_unknown > budget.iwant_unknown;
                }
                Served::Spent => over = true,
            }
        }
        self.touched.insert(key);
        if over {
            self.misbehaved(key, 1);
        }
    }

    pub(super) fn unwanted(&mut self, key: PeerKey, ids: &BTreeSet<MessageId>) {
        let (budget, until) = (
            self.params.budget.dontwant_ids,
            self.now_ms.saturating_add(self.params.dontwant_ms),
        );
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.queue.cancel(ids);
        let mut over = false;
        for id in ids {
            peer.used.dontwant_ids = peer.used.dontwant_ids.saturating_add(1);
            over = peer.used.dontwant_ids > budget;
            if over {
                break;
            }
            peer.note_dontwant(*id, until);
        }
        if over {
            self.misbehaved(key, 1);
        }
    }
}

impl Peer {
    fn note_dontwant(&mut self, id: MessageId, until_ms: u64) {
        if self.dontwant.len() >= DONTWANT_MAX
            && !self.dontwant.contains_key(&id)
            && let Some(oldest) = self
                .dontwant
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(id, _)| *id)
        {
            self.dontwant.remove(&oldest);
        }
        self.dontwant.insert(id, until_ms);
    }
}
