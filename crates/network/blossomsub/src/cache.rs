//! Recent messages, kept in windows of one heartbeat to be offered (IHAVE) and served (IWANT).

use std::collections::{BTreeMap, VecDeque};

use quil_types::PeerKey;

use crate::{
    id::MessageId,
    limits::{CACHE_BYTES_MAX, CACHE_MESSAGES_MAX},
    mask::Mask,
    wire::Message,
};

#[derive(Clone, Debug)]
struct Entry {
    message: Message,
    /// Times served, by peer.
    served: BTreeMap<PeerKey, u8>,
}

/// Answer to one id of an IWANT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    Message(Message),
    /// Never had or no longer kept.
    Unknown,
    /// Served to this peer as often as allowed.
    Spent,
}

#[derive(Clone, Debug)]
pub(crate) struct MessageCache {
    entries: BTreeMap<MessageId, Entry>,
    /// Newest first.
    windows: VecDeque<Vec<MessageId>>,
    length: usize,
    bytes: usize,
}

impl MessageCache {
    pub(crate) fn new(length: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            windows: VecDeque::from([Vec::new()]),
            length,
            bytes: 0,
        }
    }

    pub(crate) fn put(&mut self, message: &Message) {
        let entry = Entry {
            message: message.clone(),
            served: BTreeMap::new(),
        };
        if self.entries.insert(message.id, entry).is_some() {
            return;
        }
        self.bytes = self.bytes.saturating_add(message.data.len());
        if let Some(newest) = self.windows.front_mut() {
            newest.push(message.id);
        }
        while self.bytes > CACHE_BYTES_MAX || self.entries.len() > CACHE_MESSAGES_MAX {
            let Some(window) = self.windows.iter_mut().rev().find(|w| !w.is_empty()) else {
                break;
            };
            let oldest = window.remove(0);
            self.remove(&oldest);
        }
    }

    pub(crate) fn serve(&mut self, id: &MessageId, peer: PeerKey, max: u8) -> Served {
        let Some(entry) = self.entries.get_mut(id) else {
            return Served::Unknown;
        };
        let count = entry.served.entry(peer).or_default();
        if *count >= max {
            return Served::Spent;
        }
        *count = count.saturating_add(1);
        Served::Message(entry.message.clone())
    }

    /// Ids of the newest `windows`, by mask.
    pub(crate) fn offers(&self, windows: usize) -> BTreeMap<Mask, Vec<MessageId>> {
        let mut out: BTreeMap<Mask, Vec<MessageId>> = BTreeMap::new();
        for id in self.windows.iter().take(windows).flatten() {
            if let Some(e) = self.entries.get(id) {
                out.entry(e.message.mask).or_default().push(*id);
            }
        }
        out
    }

    /// Opens a new window and drops what is older than the history.
    pub(crate) fn shift(&mut self) {
        self.windows.push_front(Vec::new());
        while self.windows.len() > self.length {
            for id in self.windows.pop_back().unwrap_or_default() {
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &MessageId) {
        if let Some(e) = self.entries.remove(id) {
            self.bytes = self.bytes.saturating_sub(e.message.data.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PAYLOAD_BYTES_MAX;

    fn message(n: u8, len: usize) -> Message {
        Message {
            id: MessageId([n; 32]),
            mask: Mask::GLOBAL_FRAMES,
            data: vec![n; len].into(),
        }
    }

    #[test]
    fn offered_for_some_windows_served_for_more() {
        let mut c = MessageCache::new(3);
        let m = message(1, 10);
        c.put(&m);
        c.put(&m);
        assert_eq!(c.offers(2)[&m.mask], [m.id]);
        c.shift();
        assert_eq!(c.offers(2)[&m.mask], [m.id]);
        c.shift();
        assert!(c.offers(2).is_empty());
        assert_eq!(c.serve(&m.id, PeerKey::ZERO, 1), Served::Message(m.clone()));
        assert_eq!(c.serve(&m.id, PeerKey::ZERO, 1), Served::Spent);
        assert_eq!(
            c.serve(&m.id, PeerKey([1; 32]), 1),
            Served::Message(m.clone())
        );
        c.shift();
        assert_eq!(c.serve(&m.id, PeerKey([2; 32]), 1), Served::Unknown);
        assert_eq!((c.bytes, c.entries.len(), c.windows.len()), (0, 0, 3));
    }

    #[test]
    fn oldest_gives_way_when_bytes_run_out() {
        let mut c = MessageCache::new(9);
        let fit = u8::try_from(CACHE_BYTES_MAX / PAYLOAD_BYTES_MAX).unwrap();
        for n in 0..=fit {
            c.put(&message(n, PAYLOAD_BYTES_MAX));
            c.shift();
        }
        assert!(
            !c.entries.contains_key(&MessageId([0; 32]))
                && c.entries.contains_key(&MessageId([1; 32]))
        );
        assert!(c.bytes <= CACHE_BYTES_MAX);
    }
}
