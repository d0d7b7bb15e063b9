//! Votes per rank: counted unchecked, checked once at the quorum (C7).

use std::collections::{BTreeMap, BTreeSet};

use quil_types::{Equivocation, FrameId, MemberIndex, Rank, Vote};

use crate::jobs::Signed;

/// What a vote did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Counted {
    /// Taken; the frame may have a quorum now.
    New,
    /// Seen before, or from a member whose signature failed in this rank.
    Ignored,
    /// The member voted for two frames; each pair is reported once.
    Conflict(Box<Equivocation>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RankVotes {
    first: BTreeMap<MemberIndex, Vote>,
    bad: BTreeSet<MemberIndex>,
    reported: BTreeSet<MemberIndex>,
    checking: BTreeSet<FrameId>,
}

/// First vote of every member per rank. Bounded by the window of ranks that the core keeps times the committee.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VotePool {
    ranks: BTreeMap<Rank, RankVotes>,
}

impl VotePool {
    pub(crate) fn add(&mut self, vote: Vote) -> Counted {
        let rank = self.ranks.entry(vote.rank).or_default();
        if rank.bad.contains(&vote.member) {
            return Counted::Ignored;
        }
        match rank.first.get(&vote.member) {
            None => {
                rank.first.insert(vote.member, vote);
                Counted::New
            }
            Some(known) if known.id == vote.id => Counted::Ignored,
            Some(known) => {
                if !rank.reported.insert(vote.member) {
                    return Counted::Ignored;
                }
                Counted::Conflict(Box::new(Equivocation {
                    a: known.clone(),
                    b: vote,
                }))
            }
        }
    }

    /// The votes for a frame when they reach the quorum and no check of them is under way.
    pub(crate) fn start_check(
        &mut self,
        rank: Rank,
        id: FrameId,
        quorum: usize,
    ) -> Option<Vec<Signed>> {
        let pool = self.ranks.get_mut(&rank)?;
        let votes: Vec<Signed> = pool
            .first
            .values()
            .filter(|v| v.id == id)
            .map(|v| (v.member, v.signature.clone()))
            .collect();
        (votes.len() >= quorum && pool.checking.insert(id)).then_some(votes)
    }

    /// Ends a check. `bad` members lose their say in this rank.
    pub(crate) fn end_check(&mut self, rank: Rank, id: FrameId, bad: &[MemberIndex]) {
        if let Some(pool) = self.ranks.get_mut(&rank) {
            pool.checking.remove(&id);
            for member in bad {
                pool.first.remove(member);
                pool.bad.insert(*member);
            }
        }
    }

    /// Drops ranks below.
    pub(crate) fn prune(&mut self, from: Rank) {
        self.ranks = self.ranks.split_off(&from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quil_types::{Bytes, Chain, Epoch};

    fn vote(member: u16, rank: u64, id: u8) -> Vote {
        Vote {
            chain: Chain::Global,
            epoch: Epoch::ZERO,
            rank: Rank::new(rank),
            id: FrameId([id; 32]),
            member: MemberIndex(member),
            signature: Bytes::from_slice(&[1]).unwrap(),
        }
    }

    #[test]
    fn quorum_is_checked_once() {
        let mut pool = VotePool::default();
        let (r, id) = (Rank::new(1), FrameId([7; 32]));
        for m in 0..2 {
            assert_eq!(pool.add(vote(m, 1, 7)), Counted::New);
            assert_eq!(pool.start_check(r, id, 3), None);
        }
        pool.add(vote(2, 1, 7));
        assert_eq!(pool.start_check(r, id, 3).unwrap().len(), 3);
        pool.add(vote(3, 1, 7));
        assert_eq!(pool.start_check(r, id, 3), None, "one check at a time");
    }

    #[test]
    fn member_with_bad_signature_has_no_further_say_in_the_rank() {
        let mut pool = VotePool::default();
        let (r, id) = (Rank::new(1), FrameId([7; 32]));
        (0..3).for_each(|m| assert_eq!(pool.add(vote(m, 1, 7)), Counted::New));
        assert!(pool.start_check(r, id, 3).is_some());
        pool.end_check(r, id, &[MemberIndex(1)]);
        assert_eq!(pool.start_check(r, id, 3), None);
        assert_eq!(pool.add(vote(1, 1, 7)), Counted::Ignored);
        assert_eq!(pool.add(vote(1, 2, 7)), Counted::New, "only in that rank");
        pool.add(vote(3, 1, 7));
        assert_eq!(pool.start_check(r, id, 3).unwrap().len(), 3);
    }

    #[test]
    fn second_vote_is_reported_once_and_never_counted() {
        let mut pool = VotePool::default();
        pool.add(vote(0, 1, 7));
        let Counted::Conflict(pair) = pool.add(vote(0, 1, 8)) else {
            panic!("conflict expected")
        };
        assert!(pair.conflicts());
        assert_eq!(pool.add(vote(0, 1, 9)), Counted::Ignored);
        assert_eq!(pool.start_check(Rank::new(1), FrameId([8; 32]), 1), None);
    }
}
