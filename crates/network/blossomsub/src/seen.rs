//! Ids that were decided on, for a bounded time and in a bounded number.

use std::collections::{BTreeMap, BTreeSet};

use crate::{id::MessageId, limits::SEEN_MAX};

/// What the validator said about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid: forward it.
    Accept,
    /// Neither useful nor anybody's fault, for example stale: drop it.
    Ignore,
    /// Invalid for every honest node: drop it and lower the score of its forwarders.
    Reject,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    entries: BTreeMap<MessageId, (Verdict, u64)>,
    by_time: BTreeSet<(u64, MessageId)>,
}

impl Seen {
    pub(crate) fn get(&self, id: &MessageId) -> Option<Verdict> {
        self.entries.get(id).map(|(verdict, _)| *verdict)
    }

    /// Remembers a verdict; the entry that would end first leaves when the cache is full.
    pub(crate) fn insert(&mut self, id: MessageId, verdict: Verdict, until_ms: u64) {
        if let Some((_, old)) = self.entries.insert(id, (verdict, until_ms)) {
            self.by_time.remove(&(old, id));
        }
        self.by_time.insert((until_ms, id));
        if self.entries.len() > SEEN_MAX {
            self.pop();
        }
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        while self
            .by_time
            .first()
            .is_some_and(|(until, _)| *until <= now_ms)
        {
            self.pop();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn pop(&mut self) {
        if let Some((_, id)) = self.by_time.pop_first() {
            self.entries.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> MessageId {
        let mut b = [0; 32];
        b[..8].copy_from_slice(&(n as u64).to_be_bytes());
        MessageId(b)
    }

    #[test]
    fn entries_end_at_their_time() {
        let mut s = Seen::default();
        s.insert(id(1), Verdict::Accept, 10);
        s.insert(id(2), Verdict::Ignore, 5);
        s.expire(5);
        assert_eq!(
            (s.get(&id(1)), s.get(&id(2))),
            (Some(Verdict::Accept), None)
        );
        s.insert(id(1), Verdict::Reject, 20);
        s.expire(10);
        assert_eq!(
            s.get(&id(1)),
            Some(Verdict::Reject),
            "the newer time counts"
        );
        s.expire(20);
        assert_eq!((s.len(), s.by_time.len()), (0, 0));
    }

    #[test]
    fn full_cache_forgets_the_oldest() {
        let mut s = Seen::default();
        for n in 0..=SEEN_MAX {
            s.insert(id(n), Verdict::Accept, n as u64);
        }
        assert_eq!((s.len(), s.by_time.len()), (SEEN_MAX, SEEN_MAX));
        assert!(s.get(&id(0)).is_none() && s.get(&id(1)).is_some());
    }
}
