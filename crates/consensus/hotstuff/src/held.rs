//! Messages that wait for a check, and the checks under way. The same thing is never checked twice at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{Digest, EpochProof, FrameId, Proposal, Qc, Rank, Tc, Timeout, Vote};

use crate::core::Source;
use crate::jobs::{Job, JobId, Task};
use crate::limits::{HELD_MESSAGES_MAX, HELD_PROPOSALS_MAX};
use crate::roster::Term;

/// A message inside the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// `checked`: body root and leader's signature hold.
    Proposal {
        proposal: Arc<Proposal>,
        checked: bool,
    },
    Vote(Vote),
    Timeout(Timeout),
    Qc(Qc),
    Tc(Tc),
    EpochProof(Box<EpochProof>),
}

/// What is being checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CheckKey {
    Qc(Rank, FrameId),
    Tc(Digest),
    Proposal(FrameId),
    EpochProof(Digest),
    /// Votes, timeouts and evidence: nothing waits for them by name.
    Unnamed(JobId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) key: CheckKey,
    /// Content to remember when the check fails.
    pub(crate) content: Option<Digest>,
    pub(crate) waiting: Vec<(Source, Incoming)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    checks: BTreeMap<JobId, Check>,
    by_key: BTreeMap<CheckKey, JobId>,
    messages: usize,
    proposals: usize,
    next: u64,
}

impl Held {
    pub(crate) fn jobs(&self) -> usize {
        self.checks.len()
    }

    /// Whether a message can wait: the newest is dropped when too many do.
    pub(crate) const fn has_room(&self, incoming: &Incoming) -> bool {
        self.messages < HELD_MESSAGES_MAX
            && (!matches!(incoming, Incoming::Proposal { .. })
                || self.proposals < HELD_PROPOSALS_MAX)
    }

    /// Lets a message wait for a check and returns the job when it is not under way yet.
    pub(crate) fn wait(
        &mut self,
        term: &Term,
        (key, content, task): (CheckKey, Option<Digest>, Task),
        message: (Source, Incoming),
    ) -> Option<Job> {
        if !self.has_room(&message.1) {
            return None;
        }
        self.messages = self.messages.saturating_add(1);
        if matches!(message.1, Incoming::Proposal { .. }) {
            self.proposals = self.proposals.saturating_add(1);
        }
        if let Some(check) = self.by_key.get(&key).and_then(|id| self.checks.get_mut(id)) {
            check.waiting.push(message);
            return None;
        }
        let id = self.fresh();
        self.by_key.insert(key.clone(), id);
        self.checks.insert(
            id,
            Check {
                key,
                content,
                waiting: vec![message],
            },
        );
        Some(Job {
            id,
            term: term.clone(),
            task,
        })
    }

    /// Starts a check that no message waits for.
    pub(crate) fn start(&mut self, term: &Term, task: Task) -> Job {
        let id = self.fresh();
        let key = CheckKey::Unnamed(id);
        self.checks.insert(
            id,
            Check {
                key,
                content: None,
                waiting: Vec::new(),
            },
        );
        Job {
            id,
            term: term.clone(),
            task,
        }
    }

    /// Ends a check. `None` when it belongs to an epoch that was left.
    pub(crate) fn finish(&mut self, id: JobId) -> Option<Check> {
        let check = self.checks.remove(&id)?;
        self.by_key.remove(&check.key);
        self.messages = self.messages.saturating_sub(check.waiting.len());
        let proposals = check
            .waiting
            .iter()
            .filter(|(_, m)| matches!(m, Incoming::Proposal { .. }))
            .count();
        self.proposals = self.proposals.saturating_sub(proposals);
        Some(check)
    }

    /// Forgets everything; outcomes of earlier jobs are ignored.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            next: self.next,
            ..Self::default()
        };
    }

    fn fresh(&mut self) -> JobId {
        let id = JobId(self.next);
        self.next = self.next.saturating_add(1);
        id
    }
}
