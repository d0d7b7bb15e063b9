//! Peers coming and going, and subscriptions, own and announced.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::IpAddr,
};

use quil_types::PeerKey;

use super::{
    Group, Peer, Router, Used,
    events::{Direction, Outbox, Output, SubscribeError},
};
use crate::{
    limits::{LOCAL_MASKS_MAX, LOCAL_SLICES_MAX, PEER_SLICES_MAX, PEERS_MAX},
    mask::Mask,
    queue::Queue,
};

impl Router {
    pub(super) fn connected(&mut self, key: PeerKey, direction: Direction, ip: Option<IpAddr>) {
        if self.peers.contains_key(&key) || self.peers.len() >= PEERS_MAX {
            return;
        }
        self.scores.connect(key, ip);
        let mut queue = Queue::default();
        self.mesh.keys().for_each(|slice| queue.sub(*slice, true));
        let peer = Peer {
            direction,
            prefix: ip.map(prefix),
            subs: BTreeSet::new(),
            queue,
            dontwant: BTreeMap::new(),
            used: Used::default(),
            graylisted: false,
        };
        self.peers.insert(key, peer);
        self.touched.insert(key);
    }

    pub(super) fn disconnected(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.remove(&key) else {
            return;
        };
        for slice in &peer.subs {
            self.forget_holder(key, slice);
        }
        self.mesh.values_mut().for_each(|m| {
            m.remove(&key);
        });
        for fanout in self.fanout.values_mut() {
            fanout.peers.remove(&key);
        }
        self.scores.disconnect(key, self.now_ms);
    }

    fn forget_holder(&mut self, key: PeerKey, slice: &Mask) {
        if let Some(set) = self.holders.get_mut(slice) {
            set.remove(&key);
            if set.is_empty() {
                self.holders.remove(slice);
            }
        }
    }

    /// Applies announced subscription changes and fills meshes that lack members.
    pub(super) fn announced(&mut self, key: PeerKey, subs: BTreeMap<Mask, bool>) {
        let mut gained = false;
        let mut over = false;
        for (slice, on) in subs {
            let Some(peer) = self.peers.get_mut(&key) else {
                return;
            };
            if on && peer.subs.len() >= PEER_SLICES_MAX && !peer.subs.contains(&slice) {
                over = true;
            } else if on {
                gained |= peer.subs.insert(slice);
                self.holders.entry(slice).or_default().insert(key);
            } else if peer.subs.remove(&slice) {
                self.forget_holder(key, &slice);
                self.leave_mesh(key, slice);
            }
        }
        if over {
            self.misbehaved(key, 1);
        }
        if gained {
            self.welcome(key);
        }
    }

    /// A new holder joins the meshes that are below their lower degree at once, without waiting for the heartbeat.
    fn welcome(&mut self, key: PeerKey) {
        for group in self.groups.clone() {
            if self.members(&group.slices).len() < self.params.degree_low
                && self.may_graft(key, &group)
            {
                self.graft(key, &group);
            }
        }
    }

    pub(super) fn subscribe(&mut self, mask: Mask, out: &mut Outbox) {
        if self.local.contains(&mask) {
            return;
        }
        let slices = mask.slices();
        let new = slices.iter().filter(|s| !self.mesh.contains_key(s)).count();
        let refused = if self.local.len() >= LOCAL_MASKS_MAX {
            Some(SubscribeError::Masks)
        } else if self.mesh.len().saturating_add(new) > LOCAL_SLICES_MAX {
            Some(SubscribeError::Slices)
        } else {
            None
        };
        if let Some(error) = refused {
            out.push(Output::SubscribeRefused(error));
            return;
        }
        self.local.insert(mask);
        self.groups.extend(groups(&mask));
        for slice in slices {
            if let Entry::Vacant(e) = self.mesh.entry(slice) {
                e.insert(BTreeMap::new());
                self.announce(slice, true);
            }
        }
        self.join(&mask);
    }

    /// Fills the new meshes, first from the fan-out set of the mask.
    fn join(&mut self, mask: &Mask) {
        let known = self
            .fanout
            .remove(mask)
            .map(|f| f.peers)
            .unwrap_or_default();
        for group in groups(mask) {
            for peer in &known {
                if self.members(&group.slices).len() < self.params.degree
                    && self.may_graft(*peer, &group)
                {
                    self.graft(*peer, &group);
                }
            }
            self.fill(&group);
        }
    }

    pub(super) fn unsubscribe(&mut self, mask: Mask) {
        if !self.local.remove(&mask) {
            return;
        }
        self.groups = self.local.iter().flat_map(groups).collect();
        let kept: BTreeSet<Mask> = self
            .groups
            .iter()
            .flat_map(|g| g.slices.iter().copied())
            .collect();
        for slice in mask.slices().into_iter().filter(|s| !kept.contains(s)) {
            let members = self
                .mesh
                .get(&slice)
                .map(|m| m.keys().copied().collect::<Vec<_>>())
                .unwrap_or_default();
            for peer in members {
                self.prune(peer, slice, self.params.unsubscribe_backoff_ms);
            }
            self.mesh.remove(&slice);
            self.announce(slice, false);
        }
    }

    fn announce(&mut self, slice: Mask, on: bool) {
        for (key, peer) in &mut self.peers {
            peer.queue.sub(slice, on);
            self.touched.insert(*key);
        }
    }
}

/// The groups of a subscription: all slices of a narrow mask together, those of a broad one each alone.
pub(super) fn groups(mask: &Mask) -> Vec<Group> {
    if mask.is_broad() {
        mask.slices()
            .into_iter()
            .map(|s| Group { slices: vec![s] })
            .collect()
    } else {
        vec![Group {
            slices: mask.slices(),
        }]
    }
}

/// IPv4 /24 or IPv6 /48; the last byte tells them apart.
fn prefix(ip: IpAddr) -> [u8; 6] {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            [a, b, c, 0, 0, 4]
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, e, f, ..] = v6.octets();
            [a, b, c, d, e, f ^ 0x06]
        }
    }
}
