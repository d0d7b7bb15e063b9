//! What this key has signed, and the gate that nothing signed passes before its record is durable (C4, C8).

use std::collections::BTreeMap;

use quil_types::{
    ConsensusMessage, Epoch, EpochProof, FrameId, Proposal, Qc, Rank, Tc, Timeout, Vote, canonical,
};

use crate::io::RecordId;
use crate::verify::Verified;

canonical! {
    /// The durable record of one chain (C8).
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct SafetyRecord {
        /// Epoch of everything below.
        pub epoch: Epoch,
        /// The last vote.
        pub last_voted: Option<(Rank, FrameId)>,
        /// The last timeout, whole: it is only ever sent again as it is.
        pub last_timeout: Option<Timeout>,
        /// The timeout certificate by which the rank of `last_timeout` was entered: without it a crash of the only
        /// member that knows it could leave the others behind for good.
        pub entered_by: Option<Tc>,
        /// Highest rank of a certificate that a vote of ours built on; a timeout never names a lower one.
        pub high_qc_rank: Rank,
    }
}

/// Largest encoded [`SafetyRecord`], bytes.
pub const SAFETY_RECORD_BYTES_MAX: usize = 8 * 1024;

impl SafetyRecord {
    fn voted_rank(&self) -> Rank {
        self.last_voted.map_or(Rank::ZERO, |(rank, _)| rank)
    }

    fn timeout_rank(&self) -> Rank {
        self.last_timeout.as_ref().map_or(Rank::ZERO, |t| t.rank)
    }

    /// The highest rank in which this key has signed anything.
    #[must_use]
    pub fn rank(&self) -> Rank {
        self.voted_rank().max(self.timeout_rank())
    }

    /// The record as seen from an epoch: a later epoch starts empty.
    fn at(&self, epoch: Epoch) -> Option<Self> {
        match epoch.cmp(&self.epoch) {
            core::cmp::Ordering::Less => None,
            core::cmp::Ordering::Equal => Some(self.clone()),
            core::cmp::Ordering::Greater => Some(Self {
                epoch,
                ..Self::default()
            }),
        }
    }
}

/// Why nothing is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SafetyError {
    /// The record is of a later epoch.
    #[error("the record is of a later epoch")]
    EpochClosed,
    /// Another frame of this rank, or a frame of a higher rank, has our vote.
    #[error("already voted in this rank or a later one")]
    AlreadyVoted,
    /// This rank or a later one was given up.
    #[error("this rank has timed out")]
    TimedOut,
    /// The certificate to name is lower than one that we voted on.
    #[error("certificate below one that was voted on")]
    QcTooLow,
    /// The certificate is not below the rank.
    #[error("certificate not below the rank")]
    QcNotBelow,
    /// The record that allows this signature is not durable yet.
    #[error("record on its way to the disk")]
    Pending,
}

/// What a durable record allows to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Vote {
        epoch: Epoch,
        rank: Rank,
        id: FrameId,
    },
    Timeout(Box<Timeout>),
}

/// Proof that the record behind a signature is durable. Only this module makes one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Permit(Intent);

impl Permit {
    pub(crate) const fn intent(&self) -> &Intent {
        &self.0
    }

    /// The message that carries the permitted vote.
    pub(crate) fn vote(self, vote: Vote) -> Option<Outgoing> {
        self.allows(&vote)
            .then_some(Outgoing(ConsensusMessage::Vote(vote)))
    }

    /// The message that carries the permitted vote inside its leader's proposal.
    pub(crate) fn proposal(self, proposal: &Proposal) -> Option<Outgoing> {
        self.allows(&proposal.vote)
            .then(|| Outgoing(ConsensusMessage::Proposal(Box::new(proposal.clone()))))
    }

    pub(crate) fn timeout(self) -> Option<(Timeout, Outgoing)> {
        match self.0 {
            Intent::Timeout(t) => Some(((*t).clone(), Outgoing(ConsensusMessage::Timeout(*t)))),
            Intent::Vote { .. } => None,
        }
    }

    fn allows(&self, vote: &Vote) -> bool {
        self.0
            == Intent::Vote {
                epoch: vote.epoch,
                rank: vote.rank,
                id: vote.id,
            }
    }
}

/// A message that may leave the process: a certificate, or something signed whose record is durable. There is no
/// public way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing(ConsensusMessage);

impl Outgoing {
    /// The message.
    #[must_use]
    pub const fn message(&self) -> &ConsensusMessage {
        &self.0
    }

    /// The message, to be put into an envelope.
    #[must_use]
    pub fn into_message(self) -> ConsensusMessage {
        self.0
    }

    pub(crate) fn qc(qc: &Verified<Qc>) -> Option<Self> {
        qc.to_wire().map(|qc| Self(ConsensusMessage::Qc(qc)))
    }

    pub(crate) fn tc(tc: &Verified<Tc>) -> Self {
        Self(ConsensusMessage::Tc((**tc).clone()))
    }

    pub(crate) fn epoch_proof(proof: &Verified<EpochProof>) -> Self {
        Self(ConsensusMessage::EpochProof(Box::new((**proof).clone())))
    }
}

/// The answer to a wish to sign.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write this first.
    Persist(Box<SafetyRecord>),
    /// The very same thing was signed and is durable.
    Again(Permit),
}

/// The rules of C8 over the record. `intended` runs ahead of `durable` while a write is on its way, so that two
/// wishes in flight can never conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Safety {
    durable: SafetyRecord,
    intended: SafetyRecord,
    last_durable: Option<RecordId>,
    pending: BTreeMap<RecordId, (SafetyRecord, Intent)>,
}

impl Safety {
    pub(crate) fn new(record: SafetyRecord) -> Self {
        Self {
            durable: record.clone(),
            intended: record,
            last_durable: None,
            pending: BTreeMap::new(),
        }
    }

    pub(crate) const fn record(&self) -> &SafetyRecord {
        &self.intended
    }

    /// Wish to vote for a frame whose parent is certified at `parent_rank`.
    pub(crate) fn vote(
        &self,
        epoch: Epoch,
        rank: Rank,
        id: FrameId,
        parent_rank: Rank,
    ) -> Result<Step, SafetyError> {
        let mut record = self.intended.at(epoch).ok_or(SafetyError::EpochClosed)?;
        if record.last_voted == Some((rank, id)) {
            return self.again(epoch, rank, id);
        }
        if rank <= record.voted_rank() {
            return Err(SafetyError::AlreadyVoted);
        }
        if rank <= record.timeout_rank() {
            return Err(SafetyError::TimedOut);
        }
        if parent_rank >= rank {
            return Err(SafetyError::QcNotBelow);
        }
        record.last_voted = Some((rank, id));
        record.high_qc_rank = record.high_qc_rank.max(parent_rank);
        Ok(Step::Persist(Box::new(record)))
    }

    fn again(&self, epoch: Epoch, rank: Rank, id: FrameId) -> Result<Step, SafetyError> {
        if self.durable.epoch == epoch && self.durable.last_voted == Some((rank, id)) {
            return Ok(Step::Again(Permit(Intent::Vote { epoch, rank, id })));
        }
        Err(SafetyError::Pending)
    }

    /// Wish to give up a rank, naming a certificate of `qc_rank`. `entered_by` led into the rank; `sign` makes the timeout; it runs only when the
    /// rules allow it.
    pub(crate) fn timeout(
        &self,
        epoch: Epoch,
        rank: Rank,
        qc_rank: Rank,
        entered_by: Option<Tc>,
        sign: impl FnOnce() -> Timeout,
    ) -> Result<Step, SafetyError> {
        let mut record = self.intended.at(epoch).ok_or(SafetyError::EpochClosed)?;
        if let Some(last) = record.last_timeout.as_ref().filter(|t| t.rank == rank) {
            let durable =
                self.durable.epoch == epoch && self.durable.last_timeout.as_ref() == Some(last);
            return if durable {
                Ok(Step::Again(Permit(Intent::Timeout(Box::new(last.clone())))))
            } else {
                Err(SafetyError::Pending)
            };
        }
        if rank < record.timeout_rank() {
            return Err(SafetyError::TimedOut);
        }
        if rank < record.voted_rank() {
            return Err(SafetyError::AlreadyVoted);
        }
        if qc_rank < record.high_qc_rank {
            return Err(SafetyError::QcTooLow);
        }
        if qc_rank >= rank {
            return Err(SafetyError::QcNotBelow);
        }
        record.last_timeout = Some(sign());
        record.entered_by = entered_by;
        Ok(Step::Persist(Box::new(record)))
    }

    /// Notes that a record was handed to the driver.
    pub(crate) fn submitted(&mut self, id: RecordId, record: SafetyRecord, intent: Intent) {
        self.intended = record.clone();
        self.pending.insert(id, (record, intent));
    }

    /// The driver says that a record is durable. Records become durable in order, so earlier ones are as well.
    pub(crate) fn persisted(&mut self, id: RecordId) -> Option<Permit> {
        let (record, intent) = self.pending.remove(&id)?;
        if self.last_durable < Some(id) {
            self.last_durable = Some(id);
            self.durable = record;
        }
        Some(Permit(intent))
    }
}
