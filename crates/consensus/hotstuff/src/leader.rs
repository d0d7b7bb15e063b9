//! Who leads a rank (C5).

use quil_types::{Beacon, Chain, Digest, GenesisHash, MemberIndex, Rank, canonical, hash, tags};

canonical! {
    struct BlockSeed {
        seed: Digest,
        block: u64,
    }
}

/// `R_0` and `R_1` of a chain.
#[must_use]
pub fn genesis_leader_seed(genesis: GenesisHash, chain: Chain) -> Digest {
    Digest(hash::h(tags::LEADER, &(genesis, chain)))
}

/// `R_{e+1}` from the beacon of the closing frame of epoch `e`, for `e >= 1`.
#[must_use]
pub fn leader_seed(beacon: Beacon, chain: Chain) -> Digest {
    Digest(hash::h(tags::LEADER, &(beacon, chain)))
}

/// The leaders of one epoch: a fresh permutation of the members for every block of `n` ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaders {
    seed: Digest,
    members: u16,
    /// The permutation asked for last.
    block: Option<(u64, Vec<MemberIndex>)>,
}

impl Leaders {
    /// Of a committee of `members`, with the epoch's seed.
    #[must_use]
    pub const fn new(seed: Digest, members: u16) -> Self {
        Self {
            seed,
            members,
            block: None,
        }
    }

    /// The leader of a rank. `None` for the epoch root's rank 0 and for an empty committee.
    pub fn leader(&mut self, rank: Rank) -> Option<MemberIndex> {
        let turn = rank.prev()?.get();
        let block = turn.checked_div(u64::from(self.members))?;
        let place = usize::try_from(turn.checked_rem(u64::from(self.members))?).ok()?;
        match &self.block {
            Some((at, order)) if *at == block => order.get(place).copied(),
            _ => {
                let order = permutation(self.seed, block, self.members);
                let leader = order.get(place).copied();
                self.block = Some((block, order));
                leader
            }
        }
    }
}

/// Fisher-Yates from the last position down, drawing from `SHAKE256(tag, R_e, block)`.
#[must_use]
pub fn permutation(seed: Digest, block: u64, members: u16) -> Vec<MemberIndex> {
    let mut draw = hash::xof(tags::LEADER_BLOCK, &BlockSeed { seed, block });
    let mut order: Vec<MemberIndex> = (0..members).map(MemberIndex).collect();
    for i in (1..order.len()).rev() {
        let bound = u64::try_from(i).unwrap_or(u64::MAX).saturating_add(1);
        let j = usize::try_from(draw.below(bound)).unwrap_or(i);
        order.swap(i, j);
    }
    order
}
