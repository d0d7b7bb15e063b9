//! A committee with its root, and the term that it serves.

use std::sync::Arc;

use quil_types::{
    Chain, Committee, Digest, Epoch, GenesisHash, Member, MemberIndex, ProverId, Rank,
    TimeoutStatement, VoteStatement,
};

use crate::epoch::EpochRule;

/// A committee whose root was computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    committee: Committee,
    root: Digest,
}

impl Roster {
    /// Hashes the member list (C2).
    #[must_use]
    pub fn new(committee: Committee) -> Self {
        let root = committee.root();
        Self { committee, root }
    }

    /// The members.
    #[must_use]
    pub const fn committee(&self) -> &Committee {
        &self.committee
    }

    /// Root of the member list.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// Number of members, the total weight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.committee.len()
    }

    /// Whether nobody is a member: such a committee certifies nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.committee.is_empty()
    }

    /// The member at a position.
    #[must_use]
    pub fn member(&self, index: MemberIndex) -> Option<&Member> {
        self.committee.member(index)
    }

    /// The prover at a position.
    #[must_use]
    pub fn prover(&self, index: MemberIndex) -> Option<ProverId> {
        self.member(index).map(|m| m.prover)
    }

    /// Position of a consensus key.
    #[must_use]
    pub fn position(&self, key: &[u8]) -> Option<MemberIndex> {
        let at = self.committee.members.iter().position(|m| m.key == key)?;
        u16::try_from(at).ok().map(MemberIndex)
    }
}

/// One committee's term in one chain: what every signature of an epoch is checked against. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The network.
    pub genesis: GenesisHash,
    /// The chain.
    pub chain: Chain,
    /// The epoch.
    pub epoch: Epoch,
    /// Where epochs end.
    pub rule: EpochRule,
    /// Its committee.
    pub roster: Arc<Roster>,
}

impl Term {
    /// What a vote for a frame of this term signs (C6).
    #[must_use]
    pub fn vote_bytes(&self, rank: Rank, id: quil_types::FrameId) -> Vec<u8> {
        VoteStatement {
            genesis: self.genesis,
            chain: self.chain,
            epoch: self.epoch,
            rank,
            id,
        }
        .signed_bytes()
    }

    /// What a timeout of this term signs (C6).
    #[must_use]
    pub fn timeout_bytes(&self, rank: Rank, qc_rank: Rank) -> Vec<u8> {
        TimeoutStatement {
            genesis: self.genesis,
            chain: self.chain,
            epoch: self.epoch,
            rank,
            qc_rank,
        }
        .signed_bytes()
    }
}
