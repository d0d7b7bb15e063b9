//! Votes, timeouts and the certificates made of them (C6).
//!
//! These are the wire forms: nothing here says that a signature holds. Verified certificates are another type,
//! made by the verifier of the consensus crate.

use crate::hash::{h, tagged};
use crate::limits::{
    BITMASK_BYTES_MAX, COMMITTEE_MAX, EPOCH_LINKS_MAX, G2_BYTES, SIGNATURE_BYTES_MAX, TC_GROUPS_MAX,
};
use crate::{
    Bounded, Bytes, Chain, Digest, Epoch, FrameId, GenesisHash, Header, PeerKey, ProverId, Rank,
    canonical, tags,
};

/// A signature of the consensus scheme; its meaning is the scheme's (C9).
pub type SignatureBytes = Bytes<SIGNATURE_BYTES_MAX>;

canonical! {
    /// Position in a committee list.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct MemberIndex(pub u16);
}

impl MemberIndex {
    /// As an index into the member list.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

canonical! {
    /// A member of a committee.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Member {
        /// The prover behind it.
        pub prover: ProverId,
        /// The consensus key: the prover key in the global chain, the worker key in a shard (I1).
        pub key: [u8; G2_BYTES],
        /// The Ed25519 key that signs its envelopes.
        pub peer: PeerKey,
    }
}

canonical! {
    /// The frozen member list of one epoch of one chain. Every weight is 1.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Committee {
        /// Members; the position is the member index.
        pub members: Bounded<Member, COMMITTEE_MAX>,
    }
}

impl Committee {
    /// `H("committee", list)`.
    #[must_use]
    pub fn root(&self) -> Digest {
        Digest(h(tags::COMMITTEE, self))
    }

    /// Number of members, which is also the total weight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is a member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member at a position.
    #[must_use]
    pub fn member(&self, index: MemberIndex) -> Option<&Member> {
        self.members.get(index.get())
    }

    /// Smallest weight above two thirds (C6).
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.len().saturating_mul(2).div_euclid(3).saturating_add(1)
    }

    /// Smallest weight above one third (C6).
    #[must_use]
    pub fn amplification(&self) -> usize {
        self.len().div_euclid(3).saturating_add(1)
    }
}

canonical! {
    /// Members as bits: member `i` is bit `i % 8` of byte `i / 8`.
    #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Bitmask {
        bits: Bytes<BITMASK_BYTES_MAX>,
    }
}

impl Bitmask {
    /// The empty mask of a committee of `n`.
    #[must_use]
    pub fn empty(n: usize) -> Self {
        Self {
            bits: Bytes::try_from(vec![0; n.min(COMMITTEE_MAX).div_ceil(8)]).unwrap_or_default(),
        }
    }

    /// A mask from member indices; those outside the committee are left out.
    pub fn of(n: usize, members: impl IntoIterator<Item = MemberIndex>) -> Self {
        let mut bits = vec![0u8; n.min(COMMITTEE_MAX).div_ceil(8)];
        for m in members {
            if m.get() < n
                && let Some(byte) = bits.get_mut(m.get() / 8)
            {
                *byte |= 1 << (m.get() % 8);
            }
        }
        Self {
            bits: Bytes::try_from(bits).unwrap_or_default(),
        }
    }

    /// Whether it has exactly `ceil(n / 8)` bytes and zero padding.
    #[must_use]
    pub fn is_well_formed(&self, n: usize) -> bool {
        self.bits.len() == n.div_ceil(8) && self.iter().all(|m| m.get() < n)
    }

    /// Whether a member is in it.
    #[must_use]
    pub fn contains(&self, m: MemberIndex) -> bool {
        self.bits
            .get(m.get() / 8)
            .is_some_and(|b| b >> (m.get() % 8) & 1 == 1)
    }

    /// Members in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = MemberIndex> + '_ {
        (0..self.bits.len().saturating_mul(8))
            .filter_map(|i| u16::try_from(i).ok().map(MemberIndex))
            .filter(|m| self.contains(*m))
    }

    /// Number of members.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bits.iter().map(|b| b.count_ones() as usize).sum()
    }

    /// Whether no member is in both.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.bits
            .iter()
            .zip(other.bits.iter())
            .all(|(a, b)| a & b == 0)
    }
}

canonical! {
    /// What a vote signs, under tag `vote`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct VoteStatement {
        /// The network.
        pub genesis: GenesisHash,
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank.
        pub rank: Rank,
        /// The frame.
        pub id: FrameId,
    }
}

impl VoteStatement {
    /// The signed bytes.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        tagged(tags::VOTE, self)
    }
}

canonical! {
    /// What a timeout signs, under tag `timeout`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TimeoutStatement {
        /// The network.
        pub genesis: GenesisHash,
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank that failed.
        pub rank: Rank,
        /// Rank of the highest certificate that the signer knows; 0 for the epoch root.
        pub qc_rank: Rank,
    }
}

impl TimeoutStatement {
    /// The signed bytes.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        tagged(tags::TIMEOUT, self)
    }
}

canonical! {
    /// A member's vote for a frame.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Vote {
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank.
        pub rank: Rank,
        /// The frame.
        pub id: FrameId,
        /// The voter.
        pub member: MemberIndex,
        /// Over [`VoteStatement`].
        pub signature: SignatureBytes,
    }
}

impl Vote {
    /// What the signature covers.
    #[must_use]
    pub const fn statement(&self, genesis: GenesisHash) -> VoteStatement {
        VoteStatement {
            genesis,
            chain: self.chain,
            epoch: self.epoch,
            rank: self.rank,
            id: self.id,
        }
    }
}

canonical! {
    /// A quorum certificate.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Qc {
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank.
        pub rank: Rank,
        /// The certified frame.
        pub id: FrameId,
        /// The voters.
        pub signers: Bitmask,
        /// Aggregate of their signatures.
        pub signature: SignatureBytes,
    }
}

impl Qc {
    /// What the aggregated signatures cover.
    #[must_use]
    pub const fn statement(&self, genesis: GenesisHash) -> VoteStatement {
        VoteStatement {
            genesis,
            chain: self.chain,
            epoch: self.epoch,
            rank: self.rank,
            id: self.id,
        }
    }
}

canonical! {
    /// A member's statement that a rank failed, with the highest certificate it knows.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Timeout {
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank that failed.
        pub rank: Rank,
        /// Highest certificate; `None` stands for the epoch root.
        pub high_qc: Option<Qc>,
        /// The signer.
        pub member: MemberIndex,
        /// Over [`TimeoutStatement`].
        pub signature: SignatureBytes,
    }
}

impl Timeout {
    /// Rank of the highest certificate; 0 for the epoch root.
    #[must_use]
    pub fn qc_rank(&self) -> Rank {
        self.high_qc.as_ref().map_or(Rank::ZERO, |qc| qc.rank)
    }

    /// What the signature covers.
    #[must_use]
    pub fn statement(&self, genesis: GenesisHash) -> TimeoutStatement {
        TimeoutStatement {
            genesis,
            chain: self.chain,
            epoch: self.epoch,
            rank: self.rank,
            qc_rank: self.qc_rank(),
        }
    }
}

canonical! {
    /// Signers of a timeout certificate that named the same highest certificate rank.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct TcGroup {
        /// The rank they named.
        pub qc_rank: Rank,
        /// Who.
        pub signers: Bitmask,
    }
}

canonical! {
    /// A timeout certificate.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Tc {
        /// The chain.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank that failed.
        pub rank: Rank,
        /// Highest certificate among the signers; `None` stands for the epoch root.
        pub high_qc: Option<Qc>,
        /// Signers by the rank they named, ascending, disjoint, non-empty.
        pub groups: Bounded<TcGroup, TC_GROUPS_MAX>,
        /// Aggregate of their signatures.
        pub signature: SignatureBytes,
    }
}

impl Tc {
    /// Rank of the highest certificate; 0 for the epoch root.
    #[must_use]
    pub fn high_qc_rank(&self) -> Rank {
        self.high_qc.as_ref().map_or(Rank::ZERO, |qc| qc.rank)
    }
}

canonical! {
    /// A header and its certificate. When `header.rank == header.parent_rank + 1` it proves that the parent is
    /// final and that the header's roots are the parent's results (C3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FinalityProof {
        /// The certified header.
        pub header: Header,
        /// Its certificate.
        pub qc: Qc,
    }
}

canonical! {
    /// Proof that an epoch was closed by its own committee (C1).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct EpochProof {
        /// The closing frame `B_e`.
        pub closing: Header,
        /// Headers of the descendants between the closing frame and the tip, oldest first. Whole headers: an identity
        /// alone would not say whose child it is.
        pub between: Bounded<Header, EPOCH_LINKS_MAX>,
        /// The certified header one rank above its parent.
        pub tip: Header,
        /// Certificate of the tip.
        pub qc: Qc,
    }
}

canonical! {
    /// Two individually valid votes of one member for different frames of one rank (C10).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Equivocation {
        /// One vote.
        pub a: Vote,
        /// The other.
        pub b: Vote,
    }
}

impl Equivocation {
    /// Whether the two votes conflict; says nothing about their signatures.
    #[must_use]
    pub fn conflicts(&self) -> bool {
        let (a, b) = (&self.a, &self.b);
        a.chain == b.chain
            && a.epoch == b.epoch
            && a.rank == b.rank
            && a.member == b.member
            && a.id != b.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorum_is_above_two_thirds_and_amplification_above_one_third() {
        let member = Member {
            prover: ProverId::ZERO,
            key: [0; G2_BYTES],
            peer: PeerKey::ZERO,
        };
        for n in 1..60usize {
            let c = Committee {
                members: vec![member.clone(); n].try_into().unwrap(),
            };
            assert!(3 * c.quorum() > 2 * n && 3 * (c.quorum() - 1) <= 2 * n);
            assert!(3 * c.amplification() > n && 3 * (c.amplification() - 1) <= n);
        }
    }

    #[test]
    fn bitmask_length_and_padding_are_exact() {
        let m = Bitmask::of(9, [MemberIndex(0), MemberIndex(8), MemberIndex(9)]);
        assert!(m.is_well_formed(9));
        assert_eq!(
            m.iter().collect::<Vec<_>>(),
            [MemberIndex(0), MemberIndex(8)]
        );
        assert!(!m.is_well_formed(8), "padding bit set");
        assert!(!m.is_well_formed(17), "too short");
        assert!(!Bitmask::of(16, [MemberIndex(15)]).is_well_formed(9));
        assert!(Bitmask::empty(9).is_disjoint(&m) && !m.is_disjoint(&m));
        assert_eq!(m.count(), 2);
    }
}
