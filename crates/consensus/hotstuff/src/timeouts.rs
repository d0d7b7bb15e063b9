//! Timeouts per member and rank (C5, C6).

use std::collections::{BTreeMap, BTreeSet};

use quil_types::{MemberIndex, Qc, Rank, Timeout, limits::TC_GROUPS_MAX};

use crate::jobs::TimeoutPart;
use crate::verify::Verified;

/// Timeouts kept per member, those of the highest ranks: enough for a member that gives up ranks faster than we.
const PER_MEMBER: usize = 4;

/// What a timeout did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    New,
    Ignored,
    /// Another timeout of this rank is known.
    Second,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    timeout: Timeout,
    high: Verified<Qc>,
}

/// Timeouts whose certificates are verified and whose signatures are checked at the quorum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeoutPool {
    members: BTreeMap<MemberIndex, BTreeMap<Rank, Entry>>,
    bad: BTreeMap<Rank, BTreeSet<MemberIndex>>,
    checking: BTreeSet<Rank>,
}

/// What to check for a timeout certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) high: Verified<Qc>,
    pub(crate) parts: Vec<TimeoutPart>,
}

impl TimeoutPool {
    pub(crate) fn add(&mut self, timeout: Timeout, high: Verified<Qc>) -> Counted {
        let rank = timeout.rank;
        if self
            .bad
            .get(&rank)
            .is_some_and(|b| b.contains(&timeout.member))
        {
            return Counted::Ignored;
        }
        let ranks = self.members.entry(timeout.member).or_default();
        if let Some(known) = ranks.get(&rank) {
            // The certificate is not signed: only rank and signature tell two timeouts apart.
            let same = known.timeout.qc_rank() == timeout.qc_rank();
            return if same {
                Counted::Ignored
            } else {
                Counted::Second
            };
        }
        ranks.insert(rank, Entry { timeout, high });
        while ranks.len() > PER_MEMBER {
            ranks.pop_first();
        }
        if ranks.contains_key(&rank) {
            Counted::New
        } else {
            Counted::Ignored
        }
    }

    /// The highest rank that at least `weight` members have given up, that one or a later one.
    pub(crate) fn given_up_by(&self, weight: usize) -> Option<Rank> {
        let mut highest: Vec<Rank> = self
            .members
            .values()
            .filter_map(|r| r.keys().next_back().copied())
            .collect();
        highest.sort_unstable_by(|a, b| b.cmp(a));
        highest.get(weight.checked_sub(1)?).copied()
    }

    /// The parts of a timeout certificate when they reach the quorum and no check is under way.
    pub(crate) fn start_check(&mut self, rank: Rank, quorum: usize) -> Option<Ready> {
        if self.checking.contains(&rank) {
            return None;
        }
        let entries: Vec<&Entry> = self.members.values().filter_map(|r| r.get(&rank)).collect();
        let allowed = largest_groups(&entries);
        let chosen: Vec<&Entry> = entries
            .into_iter()
            .filter(|e| allowed.contains(&e.timeout.qc_rank()))
            .collect();
        if chosen.len() < quorum {
            return None;
        }
        let high = chosen
            .iter()
            .map(|e| &e.high)
            .max_by_key(|q| q.rank)?
            .clone();
        let parts = chosen
            .iter()
            .map(|e| TimeoutPart {
                member: e.timeout.member,
                qc_rank: e.timeout.qc_rank(),
                signature: e.timeout.signature.clone(),
            })
            .collect();
        self.checking.insert(rank);
        Some(Ready { high, parts })
    }

    /// Ends a check. `bad` members lose their say in this rank.
    pub(crate) fn end_check(&mut self, rank: Rank, bad: &[MemberIndex]) {
        self.checking.remove(&rank);
        for member in bad {
            if let Some(ranks) = self.members.get_mut(member) {
                ranks.remove(&rank);
            }
            self.bad.entry(rank).or_default().insert(*member);
        }
    }

    /// Drops ranks below.
    pub(crate) fn prune(&mut self, from: Rank) {
        for ranks in self.members.values_mut() {
            *ranks = ranks.split_off(&from);
        }
        self.members.retain(|_, ranks| !ranks.is_empty());
        self.bad = self.bad.split_off(&from);
        self.checking = self.checking.split_off(&from);
    }
}

/// Named ranks of the largest groups, as many as a certificate may have.
fn largest_groups(entries: &[&Entry]) -> BTreeSet<Rank> {
    let mut sizes: BTreeMap<Rank, usize> = BTreeMap::new();
    for entry in entries {
        let size = sizes.entry(entry.timeout.qc_rank()).or_default();
        *size = size.saturating_add(1);
    }
    let mut order: Vec<(usize, Rank)> =
        sizes.into_iter().map(|(rank, size)| (size, rank)).collect();
    order.sort_unstable_by(|a, b| b.cmp(a));
    order
        .into_iter()
        .take(TC_GROUPS_MAX)
        .map(|(_, rank)| rank)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quil_types::{Bytes, Chain, Epoch, FrameId};

    fn timeout(member: u16, rank: u64) -> Timeout {
        Timeout {
            chain: Chain::Global,
            epoch: Epoch::ZERO,
            rank: Rank::new(rank),
            high_qc: None,
            member: MemberIndex(member),
            signature: Bytes::from_slice(&[1]).unwrap(),
        }
    }

    fn root() -> Verified<Qc> {
        Verified::epoch_root(Chain::Global, Epoch::ZERO, FrameId::ZERO)
    }

    #[test]
    fn amplification_counts_members_at_or_beyond_a_rank() {
        let mut pool = TimeoutPool::default();
        for (member, rank) in [(0, 5), (1, 6), (2, 7), (3, 8)] {
            pool.add(timeout(member, rank), root());
        }
        assert_eq!(pool.given_up_by(2), Some(Rank::new(7)));
        assert_eq!(pool.given_up_by(4), Some(Rank::new(5)));
        assert_eq!(pool.given_up_by(5), None);
        assert_eq!(pool.given_up_by(0), None);
    }

    #[test]
    fn one_member_cannot_fill_the_pool() {
        let mut pool = TimeoutPool::default();
        (1..100).for_each(|r| assert_eq!(pool.add(timeout(0, r), root()), Counted::New));
        assert_eq!(pool.members[&MemberIndex(0)].len(), PER_MEMBER);
        assert_eq!(pool.add(timeout(0, 1), root()), Counted::Ignored);
        assert_eq!(pool.add(timeout(0, 99), root()), Counted::Ignored);
    }

    #[test]
    fn quorum_of_one_rank_is_checked_once() {
        let mut pool = TimeoutPool::default();
        pool.add(timeout(0, 3), root());
        pool.add(timeout(1, 3), root());
        pool.add(timeout(2, 4), root());
        assert_eq!(pool.start_check(Rank::new(3), 3), None);
        pool.add(timeout(2, 3), root());
        assert_eq!(pool.start_check(Rank::new(3), 3).unwrap().parts.len(), 3);
        assert_eq!(pool.start_check(Rank::new(3), 3), None);
        pool.end_check(Rank::new(3), &[MemberIndex(2)]);
        assert_eq!(pool.start_check(Rank::new(3), 3), None);
        assert_eq!(pool.add(timeout(2, 3), root()), Counted::Ignored);
    }
}
