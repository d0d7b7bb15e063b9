//! The heartbeat: everything that time alone changes.

use quil_types::PeerKey;

use super::{Router, Used};
use crate::{id::MessageId, limits::RPC_IDS_MAX, mask::Mask, seen::Verdict};

impl Router {
    /// One heartbeat if it is due. After a long pause there is one, not one for every interval missed.
    pub(super) fn tick(&mut self) {
        if self.now_ms < self.next_heartbeat_ms {
            return;
        }
        let next = self
            .next_heartbeat_ms
            .saturating_add(self.params.heartbeat_ms);
        self.next_heartbeat_ms = if next > self.now_ms {
            next
        } else {
            self.now_ms.saturating_add(self.params.heartbeat_ms)
        };
        self.heartbeats = self.heartbeats.saturating_add(1);
        self.expire();
        self.break_promises();
        self.sweep();
        for group in self.groups.clone() {
            self.maintain(&group);
        }
        self.keep_fanout();
        self.gossip();
        self.cache.shift();
        self.touched.extend(self.peers.keys());
    }

    fn expire(&mut self) {
        let now = self.now_ms;
        self.scores.decay(now);
        self.seen.expire(now);
        // Back-offs are kept past their end as long as `may_graft` looks at them.
        self.backoffs
            .expire(now.saturating_sub(self.params.heartbeat_ms));
        for peer in self.peers.values_mut() {
            peer.used = Used::default();
            peer.dontwant.retain(|_, until| *until > now);
        }
        for id in self.pending.overdue(now, self.params.validation_ms) {
            self.stats.overdue = self.stats.overdue.saturating_add(1);
            self.validated(id, Verdict::Ignore);
        }
    }

    /// Ids that were promised and did not come cost the peers that promised them.
    fn break_promises(&mut self) {
        let now = self.now_ms;
        let mut broken: Vec<PeerKey> = Vec::new();
        self.asked.retain(|_, asked| {
            asked.promises.retain(|(peer, until)| {
                if *until <= now {
                    broken.push(*peer);
                }
                *until > now
            });
            asked.until_ms > now
        });
        for peer in broken {
            self.stats.broken_promises = self.stats.broken_promises.saturating_add(1);
            self.misbehaved(peer, 1);
        }
    }

    fn keep_fanout(&mut self) {
        let (now, life) = (self.now_ms, self.params.fanout_ms);
        self.fanout
            .retain(|_, f| now.saturating_sub(f.last_ms) < life);
        let masks: Vec<Mask> = self.fanout.keys().copied().collect();
        for mask in masks {
            self.refresh_fanout(&mask);
        }
    }

    /// Offers recent messages to holders, first those outside the mesh: this is how a message gets past a lossy mesh.
    /// Members fill the places that are left, because in a small network nobody is outside and a full queue loses
    /// payloads all the same.
    fn gossip(&mut self) {
        for (mask, mut ids) in self.cache.offers(self.params.history_gossip) {
            let (mut outside, mut inside) = self.gossip_peers(&mask);
            self.shuffle(&mut outside);
            self.shuffle(&mut inside);
            let share = outside.len().saturating_mul(self.params.gossip_percent) / 100;
            let wanted = self.params.degree_lazy.max(share);
            for peer in outside.into_iter().chain(inside).take(wanted) {
                self.offer(peer, mask, &mut ids);
            }
        }
    }

    /// Holders with a score that allows gossip: outside mesh and fan-out set, and inside.
    fn gossip_peers(&self, mask: &Mask) -> (Vec<PeerKey>, Vec<PeerKey>) {
        let members = self.members_of(mask);
        let fanout = self.fanout.get(mask);
        let least = self.params.score.gossip_threshold;
        self.holders_of(mask)
            .into_iter()
            .filter(|p| self.scores.score(p, self.now_ms) >= least)
            .partition(|p| !members.contains(p) && !fanout.is_some_and(|f| f.peers.contains(p)))
    }

    /// Another random subset for every peer when there are more ids than fit.
    fn offer(&mut self, peer: PeerKey, mask: Mask, ids: &mut [MessageId]) {
        if ids.len() > RPC_IDS_MAX {
            self.shuffle(ids);
        }
        let part: Vec<MessageId> = ids.iter().take(RPC_IDS_MAX).copied().collect();
        if let Some(q) = self.queue(peer) {
            q.ihave(mask, &part);
        }
    }
}
