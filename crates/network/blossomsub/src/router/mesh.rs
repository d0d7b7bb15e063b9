//! Meshes: who is grafted, who is pruned.
//!
//! The wire has meshes per slice. A group (see [`super::Group`]) is what a subscription needs: its members are the peers
//! in the meshes of *all* its slices, because only those can receive its payloads. Upkeep works on groups and derives
//! the GRAFTs and PRUNEs per slice; a slice shared by two groups stays while either needs it.

use std::collections::BTreeSet;

use quil_types::PeerKey;

use super::{Direction, Group, Router, intersect};
use crate::mask::Mask;

impl Router {
    pub(super) fn group_holders(&self, group: &Group) -> BTreeSet<PeerKey> {
        intersect(&group.slices, |s| self.holders.get(s).cloned())
    }

    /// Whether this node may propose `key` as a member: holds all slices, no bad score, no back-off. One heartbeat more
    /// than the back-off, because the other side's clock started later.
    pub(super) fn may_graft(&self, key: PeerKey, group: &Group) -> bool {
        let slack = self.now_ms.saturating_sub(self.params.heartbeat_ms);
        let holds = |s: &Mask| self.holders.get(s).is_some_and(|h| h.contains(&key));
        let free =
            |s: &Mask| self.is_member(key, s) || self.backoffs.active(key, *s, slack).is_none();
        self.scores.score(&key, self.now_ms) >= 0
            && group.slices.iter().all(|s| holds(s) && free(s))
    }

    pub(super) fn is_member(&self, key: PeerKey, slice: &Mask) -> bool {
        self.mesh.get(slice).is_some_and(|m| m.contains_key(&key))
    }

    /// Puts a peer into the meshes of a group and tells it.
    pub(super) fn graft(&mut self, key: PeerKey, group: &Group) {
        for slice in &group.slices {
            if self.enter_mesh(key, *slice)
                && let Some(q) = self.queue(key)
            {
                q.graft(*slice);
            }
        }
    }

    /// Puts a peer into the mesh of a slice; `false` if it was there or the slice is not subscribed.
    pub(super) fn enter_mesh(&mut self, key: PeerKey, slice: Mask) -> bool {
        let now = self.now_ms;
        let Some(mesh) = self.mesh.get_mut(&slice) else {
            return false;
        };
        let new = mesh.insert(key, now).is_none();
        if new {
            self.scores.joined(key, now);
        }
        new
    }

    pub(super) fn leave_mesh(&mut self, key: PeerKey, slice: Mask) -> bool {
        let gone = self
            .mesh
            .get_mut(&slice)
            .is_some_and(|m| m.remove(&key).is_some());
        if gone {
            self.scores.left(key);
        }
        gone
    }

    /// Removes a peer from the mesh of a slice, or refuses it, and tells it for how long.
    pub(super) fn prune(&mut self, key: PeerKey, slice: Mask, backoff_ms: u64) {
        self.leave_mesh(key, slice);
        self.backoffs.set(key, slice, self.now_ms, backoff_ms);
        if let Some(q) = self.queue(key) {
            q.prune(slice, backoff_ms.div_ceil(1000));
        }
    }

    /// Ends a membership: prunes the slices of the group that no other group with this member needs.
    fn dismiss(&mut self, key: PeerKey, group: &Group) {
        for slice in &group.slices {
            let needed = self.groups.iter().any(|g| {
                g != group
                    && g.slices.contains(slice)
                    && g.slices.iter().all(|s| self.is_member(key, s))
            });
            if !needed {
                self.prune(key, *slice, self.params.prune_backoff_ms);
            }
        }
    }

    /// Peers that may become members, in random order, those from crowded address prefixes last.
    fn candidates(&mut self, group: &Group, members: &BTreeSet<PeerKey>) -> Vec<PeerKey> {
        let mut found: Vec<PeerKey> = self
            .group_holders(group)
            .into_iter()
            .filter(|p| !members.contains(p) && self.may_graft(*p, group))
            .collect();
        self.shuffle(&mut found);
        if !self.params.devnet {
            let prefix = |p: &PeerKey| self.peers.get(p).and_then(|p| p.prefix);
            let taken: Vec<_> = members.iter().filter_map(prefix).collect();
            let crowded = |p: &PeerKey| {
                prefix(p).is_some_and(|x| {
                    taken.iter().filter(|t| **t == x).count() >= self.params.members_per_prefix
                })
            };
            found.sort_by_key(crowded);
        }
        found
    }

    /// Grafts candidates up to the wanted degree if the group is below its lower one.
    pub(super) fn fill(&mut self, group: &Group) {
        let members = self.members(&group.slices);
        if members.len() >= self.params.degree_low {
            return;
        }
        let missing = self.params.degree.saturating_sub(members.len());
        for peer in self.candidates(group, &members).into_iter().take(missing) {
            self.graft(peer, group);
        }
    }

    /// Brings a group back between its degrees.
    pub(super) fn maintain(&mut self, group: &Group) {
        self.fill(group);
        self.thin(group);
        self.ensure_outbound(group);
        let (every, count) = self.params.opportunistic;
        if every > 0 && self.heartbeats.is_multiple_of(every) {
            self.graft_better(group, count);
        }
    }

    /// Above the upper degree: keeps the best by score, then draws, but keeps enough that this node dialled.
    fn thin(&mut self, group: &Group) {
        let members = self.members(&group.slices);
        if members.len() <= self.params.degree_high {
            return;
        }
        let mut ranked: Vec<PeerKey> = members.into_iter().collect();
        self.shuffle(&mut ranked);
        ranked.sort_by_key(|p| core::cmp::Reverse(self.scores.score(p, self.now_ms)));
        let mut drawn = ranked.split_off(self.params.degree_score.min(ranked.len()));
        self.shuffle(&mut drawn);
        let have = ranked.iter().filter(|p| self.is_outbound(p)).count();
        let mut wanted = self.params.degree_out.saturating_sub(have);
        // Stable: the outbound peers still wanted come first, the others keep their drawn order.
        drawn.sort_by_key(|p| {
            let first = self.is_outbound(p) && wanted > 0;
            wanted = wanted.saturating_sub(usize::from(first));
            !first
        });
        for peer in drawn
            .into_iter()
            .skip(self.params.degree.saturating_sub(ranked.len()))
        {
            self.dismiss(peer, group);
        }
    }

    fn is_outbound(&self, peer: &PeerKey) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|p| p.direction == Direction::Outbound)
    }

    fn ensure_outbound(&mut self, group: &Group) {
        let members = self.members(&group.slices);
        let have = members.iter().filter(|p| self.is_outbound(p)).count();
        let missing = self.params.degree_out.saturating_sub(have);
        if missing == 0 || members.len() < self.params.degree_low {
            return;
        }
        let outbound: Vec<_> = self
            .candidates(group, &members)
            .into_iter()
            .filter(|p| self.is_outbound(p))
            .take(missing)
            .collect();
        for peer in outbound {
            self.graft(peer, group);
        }
    }

    /// A mesh of mediocre members takes a few better ones, so that it cannot be captured by peers that do just enough.
    fn graft_better(&mut self, group: &Group, count: usize) {
        let members = self.members(&group.slices);
        let mut scores: Vec<i64> = members
            .iter()
            .map(|p| self.scores.score(p, self.now_ms))
            .collect();
        scores.sort_unstable();
        let Some(median) = scores.get(scores.len() / 2).copied() else {
            return;
        };
        if median >= self.params.score.opportunistic_threshold {
            return;
        }
        let better: Vec<_> = self
            .candidates(group, &members)
            .into_iter()
            .filter(|p| self.scores.score(p, self.now_ms) > median)
            .take(count)
            .collect();
        for peer in better {
            self.graft(peer, group);
        }
    }

    /// Removes members with a bad score, and those that are in some meshes of a group but not in all: they can get no
    /// payload. A partial member has one heartbeat to complete its GRAFTs.
    pub(super) fn sweep(&mut self) {
        let all: Vec<(Mask, PeerKey, u64)> = self
            .mesh
            .iter()
            .flat_map(|(s, m)| m.iter().map(|(p, since)| (*s, *p, *since)))
            .collect();
        for (slice, peer, since) in all {
            let bad = self.scores.score(&peer, self.now_ms) < 0;
            let ripe = self.now_ms.saturating_sub(since) >= self.params.heartbeat_ms;
            if bad || (ripe && !self.is_useful(peer, &slice)) {
                self.prune(peer, slice, self.params.prune_backoff_ms);
            }
        }
    }

    fn is_useful(&self, peer: PeerKey, slice: &Mask) -> bool {
        self.groups
            .iter()
            .any(|g| g.slices.contains(slice) && g.slices.iter().all(|s| self.is_member(peer, s)))
    }
}
