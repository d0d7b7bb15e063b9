//! What may enter and be forwarded, before any expensive check (C7).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{
    Canonical, Chain, ConsensusMessage, Digest, Envelope, Epoch, MemberIndex, PeerKey, Rank,
};
use sha3::{Digest as _, Sha3_256};

use crate::limits::ADMISSION_SLOTS;
use crate::roster::Roster;

/// Why an envelope is refused: not forwarded and not given to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// Of another chain.
    #[error("another chain")]
    WrongChain,
    /// The committee of its epoch is not known here: too old, too new, or nonsense. Says nothing about the author.
    #[error("committee of epoch {0} is not known")]
    UnknownEpoch(Epoch),
    /// The author is not a member of that committee.
    #[error("author is not a member")]
    NotMember,
    /// Chain, epoch or rank of the envelope differ from the payload's.
    #[error("envelope and payload differ")]
    Position,
    /// The payload is signed by another member than the author.
    #[error("payload of another member")]
    Author,
    /// The author's slots have moved past this rank.
    #[error("rank is below what is remembered of the author")]
    Forgotten,
    /// This very attempt, or a later one, was seen.
    #[error("seen before")]
    Repeated,
}

/// What to do with an admitted envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The first of its (epoch, rank, kind, signer), or the author's own repetition of it: forward it and give it
    /// to the core.
    Forward,
    /// It differs from the first one: give it to the core, which looks for evidence, but do not forward it. Said once
    /// per slot.
    Conflict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    content: Digest,
    attempt: u32,
    conflicted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lane {
    slots: BTreeMap<Rank, Slot>,
    /// Ranks up to this one were forgotten.
    floor: Rank,
}

/// The admission filter of one chain. Memory: members of the known committees x kinds x [`ADMISSION_SLOTS`].
///
/// For each envelope: [`screen`](Self::screen), then the Ed25519 check with the key that it returns, then
/// [`admit`](Self::admit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    chain: Chain,
    rosters: BTreeMap<Epoch, Arc<Roster>>,
    lanes: BTreeMap<(Epoch, MemberIndex, u8), Lane>,
}

impl Admission {
    /// For a chain, without any committee yet.
    #[must_use]
    pub const fn new(chain: Chain) -> Self {
        Self {
            chain,
            rosters: BTreeMap::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// Learns the committee of an epoch.
    pub fn learn(&mut self, epoch: Epoch, roster: Arc<Roster>) {
        self.rosters.entry(epoch).or_insert(roster);
    }

    /// Forgets epochs below.
    pub fn prune(&mut self, from: Epoch) {
        self.rosters = self.rosters.split_off(&from);
        self.lanes = self.lanes.split_off(&(from, MemberIndex(0), 0));
    }

    /// The rules that need no signature. Returns the Ed25519 key that must have signed the envelope.
    ///
    /// # Errors
    /// [`AdmissionError`].
    pub fn screen(&self, envelope: &Envelope) -> Result<PeerKey, AdmissionError> {
        let (chain, epoch, rank) = envelope.payload.position();
        if chain != self.chain {
            return Err(AdmissionError::WrongChain);
        }
        if (envelope.chain, envelope.epoch, envelope.rank) != (chain, epoch, rank) {
            return Err(AdmissionError::Position);
        }
        let roster = self
            .rosters
            .get(&epoch)
            .ok_or(AdmissionError::UnknownEpoch(epoch))?;
        let member = roster
            .member(envelope.member)
            .ok_or(AdmissionError::NotMember)?;
        let inner = match &envelope.payload {
            ConsensusMessage::Proposal(p) => Some(p.vote.member),
            ConsensusMessage::Vote(v) => Some(v.member),
            ConsensusMessage::Timeout(t) => Some(t.member),
            ConsensusMessage::Qc(_) | ConsensusMessage::Tc(_) | ConsensusMessage::EpochProof(_) => {
                None
            }
        };
        if inner.is_some_and(|m| m != envelope.member) {
            return Err(AdmissionError::Author);
        }
        let lane = self
            .lanes
            .get(&(epoch, envelope.member, envelope.payload.kind()));
        match lane {
            Some(lane) if rank <= lane.floor => Err(AdmissionError::Forgotten),
            Some(lane) => match lane.slots.get(&rank) {
                Some(slot) if slot.conflicted => Err(AdmissionError::Repeated),
                _ => Ok(member.peer),
            },
            None => Ok(member.peer),
        }
    }

    /// Takes an envelope whose signature holds.
    ///
    /// Attempts of one author must grow, across its restarts as well: senders start counting at the wall clock's
    /// seconds.
    ///
    /// # Errors
    /// [`AdmissionError::Repeated`], and what [`screen`](Self::screen) says.
    pub fn admit(&mut self, envelope: &Envelope) -> Result<Admitted, AdmissionError> {
        self.screen(envelope)?;
        let content = Digest(Sha3_256::digest(envelope.payload.encode()).into());
        let key = (envelope.epoch, envelope.member, envelope.payload.kind());
        let lane = self.lanes.entry(key).or_default();
        let Some(slot) = lane.slots.get_mut(&envelope.rank) else {
            lane.slots.insert(
                envelope.rank,
                Slot {
                    content,
                    attempt: envelope.attempt,
                    conflicted: false,
                },
            );
            while lane.slots.len() > ADMISSION_SLOTS {
                if let Some((rank, _)) = lane.slots.pop_first() {
                    lane.floor = lane.floor.max(rank);
                }
            }
            return Ok(Admitted::Forward);
        };
        if slot.content != content {
            slot.conflicted = true;
            return Ok(Admitted::Conflict);
        }
        if envelope.attempt <= slot.attempt {
            return Err(AdmissionError::Repeated);
        }
        slot.attempt = envelope.attempt;
        Ok(Admitted::Forward)
    }
}
