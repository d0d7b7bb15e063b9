//! What must hold at every step, whatever the network, the disks and a third of the members do.

use std::collections::{BTreeMap, BTreeSet};

use quil_types::{
    Canonical, ConsensusMessage, Epoch, FrameId, Millis, PeerKey, Rank, Timeout, Vote,
};
use sha3::{Digest as _, Sha3_256};

use super::node::Node;
use super::{SimConfig, World, peer};
use crate::core::RecoverError;
use crate::io::{Finality, Halt, Output};
use crate::proposal::ProposalError;
use crate::reject::Reject;
use crate::scheme::KeyedScheme;
use crate::verify::{VerifyError, verify_epoch_proof, verify_equivocation, verify_finality_proof};

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Two honest nodes hold different final frames of one number.
    #[error("node {node}: frame {number} is final as {got}, elsewhere as {known}")]
    Fork {
        /// The node.
        node: usize,
        /// The frame number.
        number: u64,
        /// Its frame.
        got: FrameId,
        /// The other one.
        known: FrameId,
    },
    /// Final frames do not follow each other.
    #[error("node {node}: final frame {number} does not follow the one before")]
    NotConsecutive {
        /// The node.
        node: usize,
        /// The frame number.
        number: u64,
    },
    /// A second vote left an honest node.
    #[error("node {node} voted twice in epoch {epoch}, rank {rank}")]
    TwoVotes {
        /// The node.
        node: usize,
        /// The epoch.
        epoch: Epoch,
        /// The rank.
        rank: Rank,
    },
    /// A vote left after a timeout of its rank or of a later one.
    #[error("node {node} voted in epoch {epoch}, rank {rank} after giving it up")]
    VoteAfterTimeout {
        /// The node.
        node: usize,
        /// The epoch.
        epoch: Epoch,
        /// The rank.
        rank: Rank,
    },
    /// Two different timeouts of one rank left an honest node.
    #[error("node {node} gave up epoch {epoch}, rank {rank} in two ways")]
    TwoTimeouts {
        /// The node.
        node: usize,
        /// The epoch.
        epoch: Epoch,
        /// The rank.
        rank: Rank,
    },
    /// Something signed left before its record was durable.
    #[error("node {node}: {what} left before it was durable")]
    NotDurable {
        /// The node.
        node: usize,
        /// What.
        what: &'static str,
    },
    /// A proof that a node holds does not verify.
    #[error("node {node} holds a proof that does not verify: {error}")]
    BadProof {
        /// The node.
        node: usize,
        /// Why.
        error: VerifyError,
    },
    /// An epoch was closed in two ways, or its closing frame does not name the next committee.
    #[error("node {node}: epoch {epoch} closed wrongly")]
    BadClosing {
        /// The node.
        node: usize,
        /// The epoch.
        epoch: Epoch,
    },
    /// An honest node was blamed.
    #[error("node {node} blames honest node {blamed}: {reason}")]
    FalseBlame {
        /// The accuser.
        node: usize,
        /// The accused.
        blamed: usize,
        /// The reason.
        reason: Reject,
    },
    /// An honest node found its own frame refused.
    #[error("node {node} built a frame that is refused: {error}")]
    BadDraft {
        /// The node.
        node: usize,
        /// Why.
        error: ProposalError,
    },
    /// An honest node stopped.
    #[error("node {node} halted: {halt:?}")]
    Halted {
        /// The node.
        node: usize,
        /// Its evidence.
        halt: Box<Halt>,
    },
    /// A node could not start from its own disk.
    #[error("node {node} does not recover: {error}")]
    NoRecovery {
        /// The node.
        node: usize,
        /// Why.
        error: RecoverError,
    },
    /// No progress within the bound after the network calmed down.
    #[error("stalled at {at}: final frames {finals:?}")]
    Stalled {
        /// When.
        at: Millis,
        /// Final frame of every node.
        finals: Vec<u64>,
    },
}

#[derive(Debug)]
pub(crate) struct Checker {
    byzantine: BTreeSet<usize>,
    pool: usize,
    finals: BTreeMap<u64, FrameId>,
    closed: BTreeMap<Epoch, FrameId>,
    votes: BTreeMap<(usize, Epoch, Rank), FrameId>,
    timeouts: BTreeMap<(usize, Epoch, Rank), Timeout>,
    evidence: u64,
    blame: BTreeMap<String, u64>,
    trace: Sha3_256,
}

impl Checker {
    pub(crate) fn new(world: &World, config: &SimConfig) -> Self {
        Self {
            byzantine: config.byzantine.iter().map(|(n, _)| *n).collect(),
            pool: config.pool,
            finals: [(0, world.genesis.id())].into(),
            closed: BTreeMap::new(),
            votes: BTreeMap::new(),
            timeouts: BTreeMap::new(),
            evidence: 0,
            blame: BTreeMap::new(),
            trace: Sha3_256::new(),
        }
    }

    pub(crate) const fn evidence(&self) -> u64 {
        self.evidence
    }

    pub(crate) fn blame(&self) -> BTreeMap<String, u64> {
        self.blame.clone()
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.trace.clone().finalize().into()
    }

    fn trace(&mut self, now: Millis, node: usize, bytes: &[u8]) {
        self.trace.update(now.get().to_le_bytes());
        self.trace
            .update(u64::try_from(node).unwrap_or(0).to_le_bytes());
        self.trace.update(Sha3_256::digest(bytes));
    }

    /// Looks at an output before it is carried out.
    pub(crate) fn output(
        &mut self,
        world: &World,
        node: &Node,
        now: Millis,
        output: &Output,
    ) -> Result<(), Violation> {
        let index = node.index;
        let honest = !self.byzantine.contains(&index);
        match output {
            Output::Broadcast(m) | Output::Rebroadcast(m) => {
                self.trace(now, index, &m.message().encode());
                if honest {
                    self.sent(node, m.message())
                } else {
                    Ok(())
                }
            }
            Output::SendTo { message, .. } => {
                self.trace(now, index, &message.message().encode());
                Ok(())
            }
            Output::Finalised { frames, finality } => {
                let ids: Vec<u8> = frames
                    .iter()
                    .flat_map(|p| p.header.id().as_bytes().to_vec())
                    .collect();
                self.trace(now, index, &ids);
                if honest {
                    self.finalised(world, node, frames, finality)
                } else {
                    Ok(())
                }
            }
            Output::EpochClosed(proof) if honest => self.epoch_closed(world, index, proof),
            Output::Evidence(evidence) if honest => self.found(world, index, evidence),
            Output::Penalise { peer, reason } if honest => self.blamed(index, *peer, reason),
            Output::SafetyHalt(halt) if honest => Err(Violation::Halted {
                node: index,
                halt: halt.clone(),
            }),
            Output::DraftRefused(error) if honest => Err(Violation::BadDraft {
                node: index,
                error: error.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn sent(&mut self, node: &Node, message: &ConsensusMessage) -> Result<(), Violation> {
        match message {
            ConsensusMessage::Proposal(p) => self.voted(node, &p.vote),
            ConsensusMessage::Vote(v) => self.voted(node, v),
            ConsensusMessage::Timeout(t) => self.timed_out(node, t),
            ConsensusMessage::Qc(_) | ConsensusMessage::Tc(_) | ConsensusMessage::EpochProof(_) => {
                Ok(())
            }
        }
    }

    fn voted(&mut self, node: &Node, vote: &Vote) -> Result<(), Violation> {
        let (index, epoch, rank) = (node.index, vote.epoch, vote.rank);
        let known = self.votes.insert((index, epoch, rank), vote.id);
        if known.is_some_and(|id| id != vote.id) {
            return Err(Violation::TwoVotes {
                node: index,
                epoch,
                rank,
            });
        }
        let later = (index, epoch, rank)..=(index, epoch, Rank::new(u64::MAX));
        if known.is_none() && self.timeouts.range(later).next().is_some() {
            return Err(Violation::VoteAfterTimeout {
                node: index,
                epoch,
                rank,
            });
        }
        let stored = node.disk.candidates.contains_key(&vote.id)
            || node.disk.finals.iter().any(|s| s.header.id() == vote.id);
        if !stored {
            return Err(Violation::NotDurable {
                node: index,
                what: "the frame of a vote",
            });
        }
        let recorded = node.disk.safety.as_ref().is_some_and(|s| {
            s.epoch > epoch
                || s.epoch == epoch
                    && s.last_voted
                        .is_some_and(|(r, id)| r > rank || (r == rank && id == vote.id))
        });
        if recorded {
            Ok(())
        } else {
            Err(Violation::NotDurable {
                node: index,
                what: "a vote",
            })
        }
    }

    fn timed_out(&mut self, node: &Node, timeout: &Timeout) -> Result<(), Violation> {
        let (index, epoch, rank) = (node.index, timeout.epoch, timeout.rank);
        let known = self.timeouts.insert((index, epoch, rank), timeout.clone());
        if known.is_some_and(|t| t != *timeout) {
            return Err(Violation::TwoTimeouts {
                node: index,
                epoch,
                rank,
            });
        }
        let recorded = node.disk.safety.as_ref().is_some_and(|s| {
            s.epoch > epoch || s.last_timeout.as_ref().is_some_and(|t| t.rank >= rank)
        });
        if recorded {
            Ok(())
        } else {
            Err(Violation::NotDurable {
                node: index,
                what: "a timeout",
            })
        }
    }

    fn finalised(
        &mut self,
        world: &World,
        node: &Node,
        frames: &[std::sync::Arc<quil_types::Proposal>],
        finality: &Finality,
    ) -> Result<(), Violation> {
        let index = node.index;
        let mut last = node.head().map(|s| (s.header.number, s.header.id()));
        for frame in frames {
            let header = &frame.header;
            let number = header.number.get();
            if last.is_some_and(|(n, id)| header.number != n.next() || header.parent != id) {
                return Err(Violation::NotConsecutive {
                    node: index,
                    number,
                });
            }
            last = Some((header.number, header.id()));
            let known = *self.finals.entry(number).or_insert_with(|| header.id());
            if known != header.id() {
                return Err(Violation::Fork {
                    node: index,
                    number,
                    got: header.id(),
                    known,
                });
            }
        }
        let Some((_, head)) = last else { return Ok(()) };
        let bad = |error| Violation::BadProof { node: index, error };
        match finality {
            Finality::Child(proof) => {
                let term = world.term(proof.header.epoch);
                verify_finality_proof(&KeyedScheme, &term, (***proof).clone()).map_err(bad)?;
                if proof.parent() != head {
                    return Err(bad(VerifyError::OtherFrame));
                }
            }
            Finality::Closed(proof) if proof.closing.id() != head => {
                return Err(bad(VerifyError::NotClosing));
            }
            Finality::Closed(_) => {}
        }
        Ok(())
    }

    /// The proofs of all epochs make a walk from genesis.
    fn epoch_closed(
        &mut self,
        world: &World,
        node: usize,
        proof: &quil_types::EpochProof,
    ) -> Result<(), Violation> {
        let epoch = proof.closing.epoch;
        verify_epoch_proof(&KeyedScheme, &world.term(epoch), proof.clone())
            .map_err(|error| Violation::BadProof { node, error })?;
        let named = proof.closing.next_committee_root == world.committee(epoch.next()).root();
        let known = *self
            .closed
            .entry(epoch)
            .or_insert_with(|| proof.closing.id());
        if named && known == proof.closing.id() {
            Ok(())
        } else {
            Err(Violation::BadClosing { node, epoch })
        }
    }

    fn found(
        &mut self,
        world: &World,
        node: usize,
        evidence: &quil_types::Equivocation,
    ) -> Result<(), Violation> {
        let term = world.term(evidence.a.epoch);
        verify_equivocation(&KeyedScheme, &term, evidence.clone())
            .map_err(|error| Violation::BadProof { node, error })?;
        self.evidence = self.evidence.saturating_add(1);
        let culprit = term.roster.member(evidence.a.member).map(|m| m.peer);
        culprit.map_or(Ok(()), |p| self.blamed(node, p, &Reject::SecondVote))
    }

    fn blamed(&mut self, node: usize, culprit: PeerKey, reason: &Reject) -> Result<(), Violation> {
        let Some(blamed) = (0..self.pool).find(|i| peer(*i) == culprit) else {
            return Ok(());
        };
        if !self.byzantine.contains(&blamed) {
            return Err(Violation::FalseBlame {
                node,
                blamed,
                reason: reason.clone(),
            });
        }
        let count = self.blame.entry(reason.to_string()).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }
}
