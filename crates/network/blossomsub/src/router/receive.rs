//! Frames of peers, payloads and their verdicts.

use quil_types::PeerKey;

use super::{Outbox, Output, Router};
use crate::{
    id::MessageId,
    mask::Mask,
    seen::Verdict,
    wire::{Message, Rpc},
};

/// Misbehaviours a frame that cannot be decoded counts for: no honest peer sends one.
const MALFORMED_WEIGHT: u64 = 10;

impl Router {
    pub(super) fn frame(&mut self, key: PeerKey, bytes: &[u8], out: &mut Outbox) {
        if self.peers.get(&key).is_none_or(|p| p.graylisted) {
            self.stats.frames_refused = self.stats.frames_refused.saturating_add(1);
            return;
        }
        match Rpc::decode(bytes) {
            Ok(rpc) => self.rpc(key, rpc, out),
            Err(_) => self.malformed(key),
        }
    }

    pub(super) fn malformed(&mut self, key: PeerKey) {
        if self.peers.contains_key(&key) {
            self.stats.malformed = self.stats.malformed.saturating_add(1);
            self.misbehaved(key, MALFORMED_WEIGHT);
        }
    }

    pub(super) fn rpc(&mut self, key: PeerKey, rpc: Rpc, out: &mut Outbox) {
        let budget = self.params.budget.frames;
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.used.frames = peer.used.frames.saturating_add(1);
        let over = peer.used.frames > budget;
        if over || peer.graylisted {
            self.stats.frames_refused = self.stats.frames_refused.saturating_add(1);
            if over {
                self.misbehaved(key, 1);
            }
            return;
        }
        self.stats.frames_in = self.stats.frames_in.saturating_add(1);
        self.announced(key, rpc.subs);
        for message in rpc.messages {
            self.payload(key, message, out);
        }
        self.offered(key, &rpc.ihave);
        self.wanted(key, &rpc.iwant);
        self.grafted(key, &rpc.graft);
        self.pruned(key, &rpc.prune);
        self.unwanted(key, &rpc.idontwant);
    }

    /// Some local subscription takes messages of this mask.
    pub(super) fn wants(&self, mask: &Mask) -> bool {
        self.local.contains(mask) || self.local.iter().any(|local| local.accepts(mask))
    }

    fn payload(&mut self, key: PeerKey, message: Message, out: &mut Outbox) {
        let (id, mask) = (message.id, message.mask);
        // Whatever the verdict will be, the peer kept its promise.
        self.asked.remove(&id);
        if !self.wants(&mask) {
            self.refuse_unwanted(key);
            return;
        }
        if let Some(verdict) = self.seen.get(&id) {
            self.stats.duplicates = self.stats.duplicates.saturating_add(1);
            if verdict == Verdict::Reject {
                self.scores.invalid(key, mask.class());
                self.touched.insert(key);
            }
            return;
        }
        if self.pending.duplicate(&id, key) {
            self.stats.duplicates = self.stats.duplicates.saturating_add(1);
            return;
        }
        let data = message.data.clone();
        if !self.pending.insert(message, key, self.now_ms) {
            self.stats.pending_refused = self.stats.pending_refused.saturating_add(1);
            return;
        }
        self.stats.payloads_in = self.stats.payloads_in.saturating_add(1);
        if data.len() >= self.params.dontwant_bytes {
            self.spare_copies(key, &mask, id);
        }
        out.push(Output::Validate {
            id,
            mask,
            data,
            from: key,
        });
    }

    /// A payload nobody here asked for: two shards may share slices, so a few are nobody's fault.
    fn refuse_unwanted(&mut self, key: PeerKey) {
        self.stats.unwanted = self.stats.unwanted.saturating_add(1);
        let budget = self.params.budget.unwanted;
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.used.unwanted = peer.used.unwanted.saturating_add(1);
        if peer.used.unwanted > budget {
            self.misbehaved(key, 1);
        }
    }

    /// Tells the other mesh members not to send a large message that has arrived.
    fn spare_copies(&mut self, from: PeerKey, mask: &Mask, id: MessageId) {
        for member in self.members_of(mask) {
            if member != from
                && let Some(q) = self.queue(member)
            {
                q.idontwant(id);
            }
        }
    }

    pub(super) fn validated(&mut self, id: MessageId, verdict: Verdict) {
        let Some(waiting) = self.pending.take(&id) else {
            return;
        };
        let p = &self.params;
        let life = if verdict == Verdict::Ignore {
            p.seen_ignored_ms
        } else {
            p.seen_ms
        };
        self.seen
            .insert(id, verdict, self.now_ms.saturating_add(life));
        let class = waiting.message.mask.class();
        match verdict {
            Verdict::Accept => {
                self.stats.accepted = self.stats.accepted.saturating_add(1);
                if let Some(first) = waiting.forwarders.first() {
                    self.scores.first_delivery(*first, class);
                }
                self.forward(&waiting.message, &waiting.forwarders);
            }
            Verdict::Ignore => self.stats.ignored = self.stats.ignored.saturating_add(1),
            Verdict::Reject => {
                self.stats.rejected = self.stats.rejected.saturating_add(1);
                for peer in waiting.forwarders {
                    self.scores.invalid(peer, class);
                    self.touched.insert(peer);
                }
            }
        }
    }

    /// Passes a valid message on to the mesh: peers that hold all its slices, except those known to have it.
    fn forward(&mut self, message: &Message, except: &[PeerKey]) {
        self.cache.put(message);
        for member in self.members_of(&message.mask) {
            if !except.contains(&member) {
                self.send(member, message);
            }
        }
    }

    /// Queues a payload. `None`: the peer asked not to get it; otherwise whether it was queued.
    pub(super) fn send(&mut self, key: PeerKey, message: &Message) -> Option<bool> {
        let peer = self.peers.get_mut(&key)?;
        if peer.dontwant.contains_key(&message.id) {
            return None;
        }
        self.touched.insert(key);
        Some(peer.queue.payload(message))
    }
}
