//! What waits to be sent to one peer.
//!
//! Subscriptions, GRAFTs and PRUNEs are states, not events: a newer one replaces the older, their number is bounded by
//! our own slices, and they are never dropped. Ids are sets up to [`QUEUE_IDS_MAX`]; beyond it new ones are dropped.
//! Payloads wait in three lanes by priority. When a payload does not fit, the oldest of a *lower* priority gives way;
//! if there is none, the new one is dropped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    id::MessageId,
    limits::{
        FRAME_SOFT_BYTES, QUEUE_BYTES_MAX, QUEUE_IDS_MAX, QUEUE_MESSAGES_MAX, RPC_IHAVE_MAX,
        RPC_MESH_MAX, RPC_MESSAGES_MAX, RPC_SUBS_MAX,
    },
    mask::{Mask, Priority},
    wire::{Message, Rpc},
};

const LANES: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

/// The outbound queue of one peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    subs: BTreeMap<Mask, bool>,
    graft: BTreeSet<Mask>,
    /// Back-off, seconds.
    prune: BTreeMap<Mask, u64>,
    ihave: BTreeMap<Mask, BTreeSet<MessageId>>,
    ihave_ids: usize,
    iwant: BTreeSet<MessageId>,
    idontwant: BTreeSet<MessageId>,
    lanes: [VecDeque<Message>; 3],
    messages: usize,
    bytes: usize,
    /// The driver knows that something waits.
    pub(crate) awake: bool,
    /// Payloads and ids dropped because the queue was full.
    pub(crate) dropped: Drops,
}

/// What a full queue dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Payloads.
    pub payloads: u64,
    /// Ids of IHAVE, IWANT and IDONTWANT.
    pub ids: u64,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
            && self.subs.is_empty()
            && self.graft.is_empty()
            && self.prune.is_empty()
            && self.ihave.is_empty()
            && self.iwant.is_empty()
            && self.idontwant.is_empty()
    }

    pub(crate) fn sub(&mut self, slice: Mask, on: bool) {
        self.subs.insert(slice, on);
    }

    pub(crate) fn graft(&mut self, slice: Mask) {
        self.prune.remove(&slice);
        self.graft.insert(slice);
    }

    pub(crate) fn prune(&mut self, slice: Mask, backoff_s: u64) {
        self.graft.remove(&slice);
        self.prune.insert(slice, backoff_s);
    }

    pub(crate) fn ihave(&mut self, mask: Mask, ids: &[MessageId]) {
        if self.ihave.len() >= RPC_IHAVE_MAX && !self.ihave.contains_key(&mask) {
            self.dropped.ids = self
                .dropped
                .ids
                .saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
            return;
        }
        for id in ids {
            if self.ihave_ids >= QUEUE_IDS_MAX {
                self.dropped.ids = self.dropped.ids.saturating_add(1);
            } else if self.ihave.entry(mask).or_default().insert(*id) {
                self.ihave_ids = self.ihave_ids.saturating_add(1);
            }
        }
    }

    pub(crate) fn iwant(&mut self, id: MessageId) -> bool {
        insert_bounded(&mut self.iwant, id, &mut self.dropped)
    }

    pub(crate) fn idontwant(&mut self, id: MessageId) -> bool {
        insert_bounded(&mut self.idontwant, id, &mut self.dropped)
    }

    /// Takes a payload; `false` if it was dropped. A payload that waits already is not added twice.
    pub(crate) fn payload(&mut self, message: &Message) -> bool {
        let priority = message.mask.class().priority();
        if self
            .lane(priority)
            .is_some_and(|lane| lane.iter().any(|m| m.id == message.id))
        {
            return true;
        }
        while self.messages >= QUEUE_MESSAGES_MAX
            || self.bytes.saturating_add(message.data.len()) > QUEUE_BYTES_MAX
        {
            self.dropped.payloads = self.dropped.payloads.saturating_add(1);
            if !self.evict_below(priority) {
                return false;
            }
        }
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(message.data.len());
        if let Some(lane) = self.lane(priority) {
            lane.push_back(message.clone());
        }
        true
    }

    fn lane(&mut self, priority: Priority) -> Option<&mut VecDeque<Message>> {
        self.lanes.get_mut(usize::from(priority as u8))
    }

    fn evict_below(&mut self, priority: Priority) -> bool {
        for low in LANES.into_iter().rev().take_while(|p| *p > priority) {
            if let Some(m) = self.lane(low).and_then(VecDeque::pop_front) {
                self.forget(&m);
                return true;
            }
        }
        false
    }

    fn forget(&mut self, m: &Message) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(m.data.len());
    }

    /// The peer has these messages: payloads that still wait are not worth sending.
    pub(crate) fn cancel(&mut self, ids: &BTreeSet<MessageId>) {
        let (mut messages, mut bytes) = (0, 0usize);
        for lane in &mut self.lanes {
            lane.retain(|m| !ids.contains(&m.id));
            messages += lane.len();
            bytes = lane
                .iter()
                .fold(bytes, |sum, m| sum.saturating_add(m.data.len()));
        }
        (self.messages, self.bytes) = (messages, bytes);
    }

    /// The next frame: everything but payloads, then payloads by priority up to [`FRAME_SOFT_BYTES`] and at least one.
    pub(crate) fn pop(&mut self) -> Option<Rpc> {
        if self.is_empty() {
            return None;
        }
        let mut rpc = Rpc {
            subs: split_map(&mut self.subs, RPC_SUBS_MAX),
            graft: split_set(&mut self.graft, RPC_MESH_MAX),
            prune: split_map(&mut self.prune, RPC_MESH_MAX),
            ihave: core::mem::take(&mut self.ihave),
            iwant: core::mem::take(&mut self.iwant),
            idontwant: core::mem::take(&mut self.idontwant),
            messages: Vec::new(),
        };
        self.ihave_ids = 0;
        let mut bytes = 0usize;
        while rpc.messages.len() < RPC_MESSAGES_MAX {
            let Some(next) = self.lanes.iter_mut().find(|l| !l.is_empty()) else {
                break;
            };
            let size = next.front().map_or(0, |m| m.data.len());
            if bytes > 0 && bytes.saturating_add(size) > FRAME_SOFT_BYTES {
                break;
            }
            bytes = bytes.saturating_add(size);
            if let Some(m) = next.pop_front() {
                self.forget(&m);
                rpc.messages.push(m);
            }
        }
        Some(rpc)
    }
}

fn insert_bounded(set: &mut BTreeSet<MessageId>, id: MessageId, dropped: &mut Drops) -> bool {
    if set.len() >= QUEUE_IDS_MAX && !set.contains(&id) {
        dropped.ids = dropped.ids.saturating_add(1);
        return false;
    }
    set.insert(id);
    true
}

fn split_map<V>(map: &mut BTreeMap<Mask, V>, max: usize) -> BTreeMap<Mask, V> {
    let at = map.keys().nth(max).copied();
    let rest = at.map(|at| map.split_off(&at)).unwrap_or_default();
    core::mem::replace(map, rest)
}

fn split_set(set: &mut BTreeSet<Mask>, max: usize) -> BTreeSet<Mask> {
    let at = set.iter().nth(max).copied();
    let rest = at.map(|at| set.split_off(&at)).unwrap_or_default();
    core::mem::replace(set, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PAYLOAD_BYTES_MAX;

    fn message(mask: Mask, n: u64) -> Message {
        Message::new(mask, n.to_le_bytes().to_vec().into())
    }

    fn low(n: u64) -> Message {
        message(Mask::new(&[1, 2]).unwrap(), n)
    }

    #[test]
    fn frames_take_payloads_by_priority_then_order() {
        let mut q = Queue::default();
        let high = |n| message(Mask::GLOBAL_CONSENSUS, n);
        let mid = message(Mask::GLOBAL_FRAMES, 9);
        for m in [low(1), mid.clone(), high(1), high(2)] {
            assert!(q.payload(&m));
        }
        assert_eq!(q.pop().unwrap().messages, [high(1), high(2), mid, low(1)]);
        assert!(q.is_empty() && q.pop().is_none());
    }

    #[test]
    fn full_queue_drops_lower_priority_first_then_the_newcomer() {
        let mut q = Queue::default();
        for n in 0..QUEUE_MESSAGES_MAX as u64 {
            assert!(q.payload(&low(n)));
        }
        assert!(
            !q.payload(&low(u64::MAX)),
            "equal priority does not give way"
        );
        assert!(
            q.payload(&message(Mask::GLOBAL_CONSENSUS, 1)),
            "higher priority does"
        );
        assert_eq!(q.dropped.payloads, 2);
        assert_eq!(q.messages, QUEUE_MESSAGES_MAX);
        let first = q.pop().unwrap();
        assert_eq!(first.messages.len(), RPC_MESSAGES_MAX);
        assert_eq!(
            first.messages[1],
            low(1),
            "the oldest of the lower lane left"
        );
    }

    #[test]
    fn bytes_are_bounded() {
        let mut q = Queue::default();
        let big = |n: u8| Message::new(Mask::GLOBAL_FRAMES, vec![n; PAYLOAD_BYTES_MAX].into());
        let fit = QUEUE_BYTES_MAX / PAYLOAD_BYTES_MAX;
        let sent: Vec<bool> = (0..=u8::try_from(fit).unwrap())
            .map(|n| q.payload(&big(n)))
            .collect();
        assert_eq!(sent.iter().filter(|ok| **ok).count(), fit);
        assert_eq!(
            q.pop().unwrap().messages.len(),
            1,
            "large payloads travel alone"
        );
    }

    #[test]
    fn newer_mesh_state_replaces_older() {
        let (mut q, s) = (Queue::default(), Mask::GLOBAL_FRAMES);
        q.graft(s);
        q.prune(s, 7);
        let rpc = q.pop().unwrap();
        assert!(rpc.graft.is_empty() && rpc.prune.get(&s) == Some(&7));
        q.prune(s, 7);
        q.graft(s);
        q.sub(s, true);
        q.sub(s, false);
        let rpc = q.pop().unwrap();
        assert!(rpc.prune.is_empty() && rpc.graft.contains(&s) && rpc.subs.get(&s) == Some(&false));
    }

    #[test]
    fn ids_are_bounded_and_counted() {
        let mut q = Queue::default();
        let id = |n: usize| MessageId::of(&Mask::GLOBAL_FRAMES, &n.to_le_bytes());
        for n in 0..QUEUE_IDS_MAX + 5 {
            q.iwant(id(n));
            q.idontwant(id(n));
            q.ihave(Mask::GLOBAL_FRAMES, &[id(n)]);
        }
        assert_eq!(q.dropped.ids, 15);
        let rpc = q.pop().unwrap();
        assert_eq!(
            (rpc.iwant.len(), rpc.idontwant.len()),
            (QUEUE_IDS_MAX, QUEUE_IDS_MAX)
        );
        assert!(
            Rpc::decode(&rpc.encode().to_bytes()).is_ok(),
            "a full queue makes an acceptable frame"
        );
    }

    #[test]
    fn cancelled_payloads_leave_and_free_their_bytes() {
        let mut q = Queue::default();
        q.payload(&low(1));
        q.payload(&low(2));
        assert!(q.payload(&low(2)), "no duplicates");
        q.cancel(&[low(1).id].into());
        assert_eq!((q.messages, q.bytes), (1, 8));
        assert_eq!(q.pop().unwrap().messages, [low(2)]);
        assert_eq!((q.messages, q.bytes), (0, 0));
    }
}
