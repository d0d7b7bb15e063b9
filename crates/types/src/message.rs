//! Consensus and catch-up messages (W1, W3).

use crate::hash::tagged;
use crate::limits::{FRAMES_PER_RESPONSE_MAX, PROPOSALS_PER_REQUEST_MAX};
use crate::{
    BeaconWitness, Body, Bounded, Chain, Epoch, EpochProof, FinalityProof, FrameId, FrameNumber,
    GenesisHash, Header, MemberIndex, Qc, Rank, Tc, Timeout, Vote, canonical, tags,
};

canonical! {
    /// Why a proposal's parent is certified.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Justify {
        /// The parent is the genesis frame, the root of epoch 0.
        Genesis = 0,
        /// The parent has a certificate in the same epoch.
        Qc(Qc) = 1,
        /// The parent is the root of this epoch, closed by the previous one's committee.
        Epoch(Box<EpochProof>) = 2,
    }
}

canonical! {
    /// A leader's frame with everything a member needs to vote (W1).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Proposal {
        /// The header.
        pub header: Header,
        /// The body.
        pub body: Body,
        /// Reel output and proof; global chain only.
        pub beacon: Option<BeaconWitness>,
        /// Certification of the parent.
        pub justify: Justify,
        /// Certificate of the failed previous rank, when the parent is not from that rank.
        pub tc: Option<Tc>,
        /// The leader's vote, which is also its signature of the proposal (C10).
        pub vote: Vote,
    }
}

canonical! {
    /// A frame at rest: header, body and witness, without certificates.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SealedFrame {
        /// The header.
        pub header: Header,
        /// The body.
        pub body: Body,
        /// Reel output and proof; global chain only.
        pub beacon: Option<BeaconWitness>,
    }
}

canonical! {
    /// What consensus members send each other.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum ConsensusMessage {
        /// A leader's frame.
        Proposal(Box<Proposal>) = 0,
        /// A vote.
        Vote(Vote) = 1,
        /// A timeout.
        Timeout(Timeout) = 2,
        /// A certificate that lets others enter the next rank.
        Qc(Qc) = 3,
        /// A timeout certificate.
        Tc(Tc) = 4,
        /// The answer to a message of a closed epoch (C1).
        EpochProof(Box<EpochProof>) = 5,
    }
}

impl ConsensusMessage {
    /// Chain, epoch and rank that the message is about.
    #[must_use]
    pub const fn position(&self) -> (Chain, Epoch, Rank) {
        match self {
            Self::Proposal(p) => (p.header.chain, p.header.epoch, p.header.rank),
            Self::Vote(v) => (v.chain, v.epoch, v.rank),
            Self::Timeout(t) => (t.chain, t.epoch, t.rank),
            Self::Qc(q) => (q.chain, q.epoch, q.rank),
            Self::Tc(t) => (t.chain, t.epoch, t.rank),
            Self::EpochProof(p) => (p.tip.chain, p.tip.epoch, p.tip.rank),
        }
    }

    /// Number of the message kind, for admission and metrics (C7).
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Proposal(_) => 0,
            Self::Vote(_) => 1,
            Self::Timeout(_) => 2,
            Self::Qc(_) => 3,
            Self::Tc(_) => 4,
            Self::EpochProof(_) => 5,
        }
    }
}

canonical! {
    /// A consensus message with its author's network signature, which is cheap to check before forwarding (C7).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Envelope {
        /// Chain, epoch and rank of the payload, repeated so that admission reads only the front.
        pub chain: Chain,
        /// The epoch.
        pub epoch: Epoch,
        /// The rank.
        pub rank: Rank,
        /// The author.
        pub member: MemberIndex,
        /// How often the author sent this before: a repetition is a new message for gossip, which would otherwise
        /// suppress it as a duplicate.
        pub attempt: u32,
        /// The message.
        pub payload: ConsensusMessage,
        /// Ed25519 signature of the author's peer key.
        pub signature: [u8; 64],
    }
}

impl Envelope {
    /// What the signature covers.
    #[must_use]
    pub fn signed_bytes(&self, genesis: GenesisHash) -> Vec<u8> {
        envelope_bytes(genesis, self.member, self.attempt, &self.payload)
    }
}

/// What the signature of an envelope covers: `("envelope", genesis, member, attempt, payload)`; the payload names chain,
/// epoch and rank.
#[must_use]
pub fn envelope_bytes(
    genesis: GenesisHash,
    member: MemberIndex,
    attempt: u32,
    payload: &ConsensusMessage,
) -> Vec<u8> {
    use borsh::BorshSerialize as _;
    let mut out = tagged(tags::ENVELOPE, &(genesis, member, attempt));
    let written = payload.serialize(&mut out);
    debug_assert!(written.is_ok(), "encoding into memory is total");
    out
}

canonical! {
    /// What travels on the settlement mask of the global chain (W2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum SettlementMessage {
        /// A shard frame with the certificate that makes its parent final (S1).
        Update(Box<FinalityProof>) = 0,
        /// A solved reel step (R2).
        Beacon(Box<BeaconWitness>) = 1,
    }
}

canonical! {
    /// A final frame, published by its proposer for those who follow without voting (R6).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FinalFrame {
        /// The frame.
        pub frame: SealedFrame,
        /// Why it is final.
        pub proof: FinalityProof,
    }
}

canonical! {
    /// Catch-up request (W3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FramesRequest {
        /// The last final frame.
        Head {
            /// Of this chain.
            chain: Chain,
        } = 0,
        /// Final frames by number.
        Frames {
            /// Of this chain.
            chain: Chain,
            /// The first one wanted.
            from: FrameNumber,
            /// At most this many.
            max: u16,
        } = 1,
        /// Proposals that are not final yet.
        Proposals {
            /// Of this chain.
            chain: Chain,
            /// By identity.
            ids: Bounded<FrameId, PROPOSALS_PER_REQUEST_MAX>,
        } = 2,
    }
}

canonical! {
    /// Catch-up answer (W3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FramesResponse {
        /// The chain is not kept here.
        Unknown = 0,
        /// The last final frame; no proof when that is the genesis frame.
        Head {
            /// Its number.
            number: FrameNumber,
            /// Its identity.
            id: FrameId,
            /// Why it is final.
            proof: Option<Box<FinalityProof>>,
        } = 1,
        /// Consecutive final frames and why the last one is final.
        Frames {
            /// Oldest first.
            frames: Bounded<SealedFrame, FRAMES_PER_RESPONSE_MAX>,
            /// Finality of the last one.
            proof: Option<Box<FinalityProof>>,
            /// Proofs of epochs that end within the range.
            epochs: Bounded<EpochProof, 4>,
        } = 2,
        /// Those of the proposals that are known.
        Proposals(Bounded<Proposal, PROPOSALS_PER_REQUEST_MAX>) = 3,
    }
}
