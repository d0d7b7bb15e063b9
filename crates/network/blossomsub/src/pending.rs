//! Messages that wait for their verdict. Nothing is forwarded before it (rule C7).

use std::collections::BTreeMap;

use quil_types::PeerKey;

use crate::{
    id::MessageId,
    limits::{
        FORWARDERS_MAX, PEER_PENDING_BYTES_MAX, PEER_PENDING_MAX, PENDING_BYTES_MAX, PENDING_MAX,
    },
    wire::Message,
};

#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) message: Message,
    /// Who sent it, first sender first.
    pub(crate) forwarders: Vec<PeerKey>,
    since_ms: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Share {
    messages: usize,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    waiting: BTreeMap<MessageId, Waiting>,
    bytes: usize,
    /// By first sender; entries vanish when they fall to zero.
    shares: BTreeMap<PeerKey, Share>,
}

impl Pending {
    /// `false`: no room, over all peers or for this one. The message is then as if never received.
    pub(crate) fn insert(&mut self, message: Message, from: PeerKey, now_ms: u64) -> bool {
        let len = message.data.len();
        let share = self.shares.get(&from).copied().unwrap_or_default();
        let (bytes, peer_bytes) = (
            self.bytes.saturating_add(len),
            share.bytes.saturating_add(len),
        );
        if self.waiting.len() >= PENDING_MAX
            || bytes > PENDING_BYTES_MAX
            || share.messages >= PEER_PENDING_MAX
            || peer_bytes > PEER_PENDING_BYTES_MAX
        {
            return false;
        }
        self.bytes = bytes;
        self.shares.insert(
            from,
            Share {
                messages: share.messages.saturating_add(1),
                bytes: peer_bytes,
            },
        );
        self.waiting.insert(
            message.id,
            Waiting {
                message,
                forwarders: vec![from],
                since_ms: now_ms,
            },
        );
        true
    }

    /// Notes a further sender; `false` if the message does not wait.
    pub(crate) fn duplicate(&mut self, id: &MessageId, from: PeerKey) -> bool {
        let Some(w) = self.waiting.get_mut(id) else {
            return false;
        };
        if w.forwarders.len() < FORWARDERS_MAX && !w.forwarders.contains(&from) {
            w.forwarders.push(from);
        }
        true
    }

    pub(crate) fn contains(&self, id: &MessageId) -> bool {
        self.waiting.contains_key(id)
    }

    pub(crate) fn take(&mut self, id: &MessageId) -> Option<Waiting> {
        let w = self.waiting.remove(id)?;
        let len = w.message.data.len();
        self.bytes = self.bytes.saturating_sub(len);
        if let Some(first) = w.forwarders.first()
            && let Some(s) = self.shares.get_mut(first)
        {
            s.messages = s.messages.saturating_sub(1);
            s.bytes = s.bytes.saturating_sub(len);
            if s.messages == 0 {
                self.shares.remove(first);
            }
        }
        Some(w)
    }

    /// Messages whose validator did not answer in time.
    pub(crate) fn overdue(&self, now_ms: u64, limit_ms: u64) -> Vec<MessageId> {
        self.waiting
            .iter()
            .filter(|(_, w)| now_ms.saturating_sub(w.since_ms) >= limit_ms)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::Mask;

    fn message(n: u64, len: usize) -> Message {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&n.to_be_bytes());
        Message {
            id: MessageId(id),
            mask: Mask::GLOBAL_FRAMES,
            data: vec![0; len].into(),
        }
    }

    fn peer(n: u8) -> PeerKey {
        PeerKey([n; 32])
    }

    #[test]
    fn one_peer_cannot_take_all_room() {
        let mut p = Pending::default();
        let taken = (0..PENDING_MAX as u64)
            .filter(|n| p.insert(message(*n, 1), peer(1), 0))
            .count();
        assert_eq!(taken, PEER_PENDING_MAX);
        assert!(p.insert(message(u64::MAX, 1), peer(2), 0));
        assert!(p.take(&message(0, 1).id).is_some());
        assert!(
            p.insert(message(1 << 40, 1), peer(1), 0),
            "a verdict makes room"
        );
    }

    #[test]
    fn bytes_are_bounded_per_peer_and_over_all() {
        let mut p = Pending::default();
        let half = PEER_PENDING_BYTES_MAX / 2;
        let mut n = 0;
        let mut taken = 0;
        for who in 0..20 {
            for _ in 0..3 {
                n += 1;
                taken += usize::from(p.insert(message(n, half), peer(who), 0));
            }
        }
        assert_eq!(taken, PENDING_BYTES_MAX / half);
    }

    #[test]
    fn forwarders_are_distinct_and_bounded() {
        let mut p = Pending::default();
        let m = message(1, 1);
        p.insert(m.clone(), peer(0), 0);
        for n in 0..100 {
            assert!(p.duplicate(&m.id, peer(n % 50)));
        }
        let w = p.take(&m.id).unwrap();
        assert_eq!(
            (w.forwarders.len(), w.forwarders[0]),
            (FORWARDERS_MAX, peer(0))
        );
        assert!(!p.duplicate(&m.id, peer(0)));
        assert!(p.shares.is_empty() && p.bytes == 0);
    }

    #[test]
    fn late_verdicts_are_listed() {
        let mut p = Pending::default();
        p.insert(message(1, 1), peer(0), 5);
        assert!(p.overdue(14, 10).is_empty());
        assert_eq!(p.overdue(15, 10).len(), 1);
        assert!(
            p.overdue(0, 10).is_empty(),
            "a clock that runs back is no reason"
        );
    }
}
