//! Own messages: mesh, fan-out and flood.

use std::collections::BTreeSet;

use quil_types::PeerKey;

use super::{DeliveryReport, Fanout, PublishError, Router};
use crate::{limits::FANOUT_MASKS_MAX, mask::Mask, seen::Verdict, wire::Message};

impl Router {
    pub(super) fn publish(
        &mut self,
        message: &Message,
        again: bool,
    ) -> Result<DeliveryReport, PublishError> {
        check_size(&message.mask, message.data.len())?;
        let known = self.seen.get(&message.id).is_some() || self.pending.contains(&message.id);
        if known && !again {
            return Err(PublishError::Duplicate);
        }
        // What this node publishes it vouches for; a copy under validation needs no verdict any more.
        self.pending.take(&message.id);
        self.seen.insert(
            message.id,
            Verdict::Accept,
            self.now_ms.saturating_add(self.params.seen_ms),
        );
        self.cache.put(message);
        let targets = self.targets(&message.mask, message.data.len());
        let mut report = DeliveryReport {
            id: message.id,
            targets: 0,
            queued: 0,
            dropped: 0,
        };
        for peer in targets {
            let Some(queued) = self.send(peer, message) else {
                continue;
            };
            report.targets = report.targets.saturating_add(1);
            if queued {
                report.queued = report.queued.saturating_add(1);
            } else {
                report.dropped = report.dropped.saturating_add(1);
            }
        }
        Ok(report)
    }

    /// Small messages go to every holder. Large ones go to the mesh, or to the fan-out set of a mask this node has no
    /// subscription for, or, while a mesh is still forming, to as many holders as a mesh has members.
    fn targets(&mut self, mask: &Mask, len: usize) -> BTreeSet<PeerKey> {
        let fanout = if self.wants(mask) {
            BTreeSet::new()
        } else {
            self.fanout(mask)
        };
        let mut out = self.members_of(mask);
        out.extend(fanout);
        let wanted = if len <= self.params.flood_bytes {
            self.params.flood_peers
        } else {
            self.params.degree_low
        };
        if out.len() < wanted {
            let more = self.publishable(mask, &out);
            let missing = wanted.saturating_sub(out.len());
            out.extend(more.into_iter().take(missing));
        }
        out
    }

    /// Holders with a score that allows publishing to them, in random order.
    fn publishable(&mut self, mask: &Mask, except: &BTreeSet<PeerKey>) -> Vec<PeerKey> {
        let least = self.params.score.publish_threshold;
        let mut found: Vec<PeerKey> = self
            .holders_of(mask)
            .into_iter()
            .filter(|p| !except.contains(p) && self.scores.score(p, self.now_ms) >= least)
            .collect();
        self.shuffle(&mut found);
        found
    }

    /// The fan-out set of a mask, filled to the mesh degree and marked as used.
    fn fanout(&mut self, mask: &Mask) -> BTreeSet<PeerKey> {
        if !self.fanout.contains_key(mask)
            && self.fanout.len() >= FANOUT_MASKS_MAX
            && let Some(oldest) = self
                .fanout
                .iter()
                .min_by_key(|(_, f)| f.last_ms)
                .map(|(m, _)| *m)
        {
            self.fanout.remove(&oldest);
        }
        self.fanout
            .entry(*mask)
            .or_insert(Fanout {
                peers: BTreeSet::new(),
                last_ms: 0,
            })
            .last_ms = self.now_ms;
        self.refresh_fanout(mask);
        self.fanout
            .get(mask)
            .map(|f| f.peers.clone())
            .unwrap_or_default()
    }

    /// Keeps the members that still qualify and fills up.
    pub(super) fn refresh_fanout(&mut self, mask: &Mask) {
        let good: BTreeSet<PeerKey> = self
            .publishable(mask, &BTreeSet::new())
            .into_iter()
            .collect();
        let mut kept = self
            .fanout
            .get(mask)
            .map(|f| f.peers.clone())
            .unwrap_or_default();
        kept.retain(|p| good.contains(p));
        let missing = self.params.degree.saturating_sub(kept.len());
        let more: Vec<PeerKey> = self
            .publishable(mask, &kept)
            .into_iter()
            .take(missing)
            .collect();
        kept.extend(more);
        if let Some(f) = self.fanout.get_mut(mask) {
            f.peers = kept;
        }
    }
}

/// The rule of sizes for own payloads.
pub(crate) fn check_size(mask: &Mask, len: usize) -> Result<(), PublishError> {
    let max = mask.class().payload_bytes_max();
    match len {
        0 => Err(PublishError::Empty),
        len if len > max => Err(PublishError::TooLarge { len, max }),
        _ => Ok(()),
    }
}
