//! Members that break the rules.

use quil_types::{
    Bitmask, ConsensusMessage, Epoch, FrameId, MemberIndex, Proposal, Qc, Rank, SignatureBytes,
    Timeout, Vote,
};

use super::{Sim, bytes};
use crate::roster::Term;
use crate::scheme::{KeyedScheme, Scheme};

/// How a member misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Says nothing.
    Silent,
    /// Leads with two frames, one for each half of the network.
    Equivocate,
    /// Votes for every frame it sees, at once and twice.
    DoubleVote,
    /// Gives up ranks in two ways.
    ConflictingTimeouts,
    /// Sends certificates that only it signed, alone and inside timeouts and proposals.
    SelfSigned,
    /// Proposes in every rank, leader or not.
    NonLeader,
    /// Says everything a second time for the next epoch.
    WrongEpoch,
}

impl Behaviour {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Silent,
        Self::Equivocate,
        Self::DoubleVote,
        Self::ConflictingTimeouts,
        Self::SelfSigned,
        Self::NonLeader,
        Self::WrongEpoch,
    ];
}

impl Sim {
    fn place(&self, node: usize, epoch: Epoch) -> Option<MemberIndex> {
        let at = self.world.members(epoch).iter().position(|i| *i == node)?;
        u16::try_from(at).ok().map(MemberIndex)
    }

    fn sign(&self, node: usize, message: &[u8]) -> SignatureBytes {
        self.nodes
            .get(node)
            .map(|n| KeyedScheme.sign(&n.signer, message))
            .unwrap_or_default()
    }

    fn vote(&self, node: usize, term: &Term, rank: Rank, id: FrameId) -> Option<Vote> {
        Some(Vote {
            chain: term.chain,
            epoch: term.epoch,
            rank,
            id,
            member: self.place(node, term.epoch)?,
            signature: self.sign(node, &term.vote_bytes(rank, id)),
        })
    }

    /// A certificate with one signature, the node's own.
    fn self_signed(&self, node: usize, term: &Term, rank: Rank, id: FrameId) -> Option<Qc> {
        let member = self.place(node, term.epoch)?;
        Some(Qc {
            chain: term.chain,
            epoch: term.epoch,
            rank,
            id,
            signers: Bitmask::of(term.roster.len(), [member]),
            signature: self.sign(node, &term.vote_bytes(rank, id)),
        })
    }

    fn timeout(
        &self,
        node: usize,
        term: &Term,
        rank: Rank,
        high_qc: Option<Qc>,
    ) -> Option<Timeout> {
        let qc_rank = high_qc.as_ref().map_or(Rank::ZERO, |q| q.rank);
        Some(Timeout {
            chain: term.chain,
            epoch: term.epoch,
            rank,
            high_qc,
            member: self.place(node, term.epoch)?,
            signature: self.sign(node, &term.timeout_bytes(rank, qc_rank)),
        })
    }

    /// Broadcasts what the core says, or something else.
    pub(super) fn say(&mut self, node: usize, message: ConsensusMessage) {
        let behaviour = self.nodes.get(node).and_then(|n| n.behaviour);
        match (behaviour, message) {
            (Some(Behaviour::Silent), _) => {}
            (Some(Behaviour::Equivocate), ConsensusMessage::Proposal(p)) => {
                self.say_two(node, &p);
            }
            (Some(Behaviour::ConflictingTimeouts), ConsensusMessage::Timeout(t)) => {
                let term = self.world.term(t.epoch);
                let other = self.timeout(node, &term, t.rank, None);
                self.broadcast(node, ConsensusMessage::Timeout(t));
                if let Some(other) = other {
                    self.broadcast(node, ConsensusMessage::Timeout(other));
                }
            }
            (Some(Behaviour::WrongEpoch), message) => {
                self.say_later(node, &message);
                self.broadcast(node, message);
            }
            (_, message) => self.broadcast(node, message),
        }
    }

    fn say_two(&mut self, node: usize, p: &Proposal) {
        let mut twin = p.clone();
        twin.header.multiplier = twin.header.multiplier.wrapping_add(1);
        let term = self.world.term(p.header.epoch);
        let Some(vote) = self.vote(node, &term, p.header.rank, twin.header.id()) else {
            return;
        };
        twin.vote = vote;
        for to in 0..self.nodes.len() {
            // Accomplices see both.
            let accomplice = self.nodes.get(to).is_some_and(|n| n.behaviour.is_some());
            let halves = [(to % 2 == 0, p), (to % 2 == 1, &twin)];
            for (_, half) in halves.into_iter().filter(|(mine, _)| *mine || accomplice) {
                self.send_to(node, to, ConsensusMessage::Proposal(Box::new(half.clone())));
                self.send_to(node, to, ConsensusMessage::Vote(half.vote.clone()));
            }
        }
    }

    fn say_later(&mut self, node: usize, message: &ConsensusMessage) {
        let (_, epoch, rank) = message.position();
        let term = self.world.term(epoch.next());
        let other = match message {
            ConsensusMessage::Vote(v) => self
                .vote(node, &term, rank, v.id)
                .map(ConsensusMessage::Vote),
            ConsensusMessage::Timeout(_) => self
                .timeout(node, &term, rank, None)
                .map(ConsensusMessage::Timeout),
            ConsensusMessage::Proposal(p) => {
                let mut p = p.clone();
                p.header.epoch = term.epoch;
                self.vote(node, &term, rank, p.header.id()).map(|vote| {
                    p.vote = vote;
                    ConsensusMessage::Proposal(p)
                })
            }
            _ => None,
        };
        if let Some(other) = other {
            self.broadcast(node, other);
        }
    }

    /// A Byzantine member sees a message.
    pub(super) fn tempt(&mut self, node: usize, message: &ConsensusMessage) {
        let behaviour = self.nodes.get(node).and_then(|n| n.behaviour);
        let (Some(behaviour), ConsensusMessage::Proposal(p)) = (behaviour, message) else {
            return;
        };
        let term = self.world.term(p.header.epoch);
        let rank = p.header.rank;
        match behaviour {
            Behaviour::DoubleVote => {
                for id in [p.header.id(), FrameId(bytes("twin", rank.get()))] {
                    if let Some(vote) = self.vote(node, &term, rank, id) {
                        self.broadcast(node, ConsensusMessage::Vote(vote));
                    }
                }
            }
            Behaviour::NonLeader => {
                let mut p = (**p).clone();
                p.header.proposer = self
                    .place(node, term.epoch)
                    .and_then(|m| term.roster.prover(m))
                    .unwrap_or_default();
                if let Some(vote) = self.vote(node, &term, rank, p.header.id()) {
                    p.vote = vote;
                    self.broadcast(node, ConsensusMessage::Proposal(Box::new(p)));
                }
            }
            Behaviour::SelfSigned => {
                let far = Rank::new(rank.get().saturating_add(3));
                let id = FrameId(bytes("forged", far.get()));
                let qc = self.self_signed(node, &term, far, id);
                let timeout = self.timeout(node, &term, far.next(), qc.clone());
                if let (Some(qc), Some(timeout)) = (qc, timeout) {
                    self.broadcast(node, ConsensusMessage::Qc(qc));
                    self.broadcast(node, ConsensusMessage::Timeout(timeout));
                }
            }
            _ => {}
        }
    }

    /// A Byzantine member enters a rank.
    pub(super) fn misbehave(&mut self, node: usize, rank: Rank) {
        let Some(n) = self.nodes.get(node) else {
            return;
        };
        if n.behaviour != Some(Behaviour::SelfSigned) {
            return;
        }
        let term = self.world.term(n.epoch());
        let id = FrameId(bytes("forged", rank.get()));
        if let Some(qc) = self.self_signed(node, &term, rank, id) {
            self.broadcast(node, ConsensusMessage::Qc(qc));
        }
    }
}
