//! One node: its core, its disks, and what it keeps in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{Epoch, EpochProof, FrameId, Header, Proposal};

use super::{Behaviour, World};
use crate::admission::Admission;
use crate::core::{Core, Recovered};
use crate::io::{Finality, RecordId};
use crate::safety::SafetyRecord;
use crate::scheme::{KeyedScheme, KeyedSigner};
use crate::verify::Verified;

/// A durable write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Candidate {
        record: RecordId,
        proposal: Arc<Proposal>,
    },
    Safety {
        record: RecordId,
        safety: Box<SafetyRecord>,
    },
    Finals {
        frames: Vec<Stored>,
        finality: Finality,
    },
}

/// A final frame at rest. A frame that came by catch-up has no proposal.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) header: Header,
    pub(crate) proposal: Option<Arc<Proposal>>,
    /// Only of the last frame of a batch.
    pub(crate) finality: Option<Finality>,
}

/// What survives a crash.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) safety: Option<SafetyRecord>,
    pub(crate) candidates: BTreeMap<FrameId, Proposal>,
    pub(crate) finals: Vec<Stored>,
    pub(crate) epochs: BTreeMap<Epoch, Verified<EpochProof>>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) signer: Arc<KeyedSigner>,
    pub(crate) behaviour: Option<Behaviour>,
    /// The wall clock runs ahead by so much.
    pub(crate) skew: u64,
    pub(crate) core: Option<Core<KeyedScheme>>,
    pub(crate) life: u32,
    pub(crate) deadline: u64,
    pub(crate) admission: Admission,
    pub(crate) disk: Disk,
    /// Final frames in memory: those on disk and those on their way there.
    pub(crate) finals: Vec<Stored>,
    pub(crate) epochs: BTreeMap<Epoch, Verified<EpochProof>>,
    /// Headers that were executed or built.
    pub(crate) executed: BTreeMap<FrameId, Header>,
    pub(crate) proposals: BTreeMap<FrameId, Arc<Proposal>>,
    /// When the state file, the safety file and the executor are free again.
    pub(crate) busy: (u64, u64, u64),
    pub(crate) attempt: u32,
    pub(crate) catching_up: bool,
}

impl Node {
    pub(crate) fn new(
        index: usize,
        world: &World,
        behaviour: Option<Behaviour>,
        skew: u64,
    ) -> Self {
        let genesis = Stored {
            header: world.genesis.clone(),
            proposal: None,
            finality: None,
        };
        let disk = Disk {
            safety: None,
            candidates: BTreeMap::new(),
            finals: vec![genesis],
            epochs: BTreeMap::new(),
        };
        let signer = world
            .pool
            .get(index)
            .cloned()
            .unwrap_or_else(|| KeyedSigner::new(u64::MAX));
        Self {
            index,
            signer: Arc::new(signer),
            behaviour,
            skew,
            core: None,
            life: 0,
            deadline: 0,
            admission: Admission::new(world.chain),
            finals: disk.finals.clone(),
            epochs: BTreeMap::new(),
            executed: BTreeMap::new(),
            proposals: BTreeMap::new(),
            busy: (0, 0, 0),
            attempt: 0,
            catching_up: false,
            disk,
        }
    }

    pub(crate) fn head(&self) -> Option<&Stored> {
        self.finals.last()
    }

    pub(crate) fn final_number(&self) -> u64 {
        self.head().map_or(0, |s| s.header.number.get())
    }

    /// The epoch that the final frames in memory have reached.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epochs
            .last_key_value()
            .map_or(Epoch::ZERO, |(e, _)| e.next())
    }

    /// Forgets what is not on disk.
    pub(crate) fn crash(&mut self) {
        self.core = None;
        self.life = self.life.saturating_add(1);
        self.finals = self.disk.finals.clone();
        self.epochs = self.disk.epochs.clone();
        self.executed.clear();
        self.proposals.clear();
        self.busy = (0, 0, 0);
        self.catching_up = false;
    }

    /// What the stores give to the core at the start.
    pub(crate) fn recovered(&self, world: &World) -> Option<Recovered> {
        let head = self.disk.finals.last()?;
        let epoch = self
            .disk
            .epochs
            .last_key_value()
            .map_or(Epoch::ZERO, |(e, _)| e.next());
        let opened = head
            .header
            .epoch
            .prev()
            .and_then(|e| self.disk.epochs.get(&e))
            .cloned();
        let first = epoch.get().saturating_sub(3);
        Some(Recovered {
            head: head.header.clone(),
            finality: head.finality.clone(),
            opened: opened.map(Box::new),
            committees: (first..=epoch.get().saturating_add(1))
                .map(|e| (Epoch::new(e), world.committee(Epoch::new(e))))
                .collect(),
            safety: self.disk.safety.clone(),
            fresh_key: self.disk.safety.is_none(),
            candidates: self.disk.candidates.values().cloned().collect(),
        })
    }

    /// Completes a write.
    pub(crate) fn write(&mut self, write: &Write) {
        match write {
            Write::Candidate { proposal, .. } => {
                self.disk
                    .candidates
                    .insert(proposal.header.id(), (**proposal).clone());
            }
            Write::Safety { safety, .. } => self.disk.safety = Some((**safety).clone()),
            Write::Finals { frames, finality } => {
                self.disk.finals.extend(frames.iter().cloned());
                if let Finality::Closed(proof) = finality {
                    self.disk
                        .epochs
                        .insert(proof.closing.epoch, (**proof).clone());
                }
                let Some(last) = frames.last().map(|s| (s.header.epoch, s.header.rank)) else {
                    return;
                };
                self.disk
                    .candidates
                    .retain(|_, p| (p.header.epoch, p.header.rank) > last);
            }
        }
    }

    /// A proposal for somebody who asks.
    pub(crate) fn proposal(&self, id: &FrameId) -> Option<Arc<Proposal>> {
        let live = self.core.as_ref().and_then(|c| c.proposal(id)).cloned();
        live.or_else(|| {
            let stored = self.finals.iter().rev().find(|s| s.header.id() == *id)?;
            stored
                .proposal
                .clone()
                .filter(|p| !p.vote.signature.is_empty())
        })
    }
}
