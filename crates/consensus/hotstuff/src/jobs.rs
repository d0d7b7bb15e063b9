//! Expensive checks, run outside the core (C7).

use std::sync::Arc;

use quil_types::{
    Bitmask, EpochProof, Equivocation, FrameId, MemberIndex, Proposal, Qc, Rank, SignatureBytes,
    Tc, TcGroup, limits::TC_GROUPS_MAX,
};

use crate::proposal::{self, ProposalError};
use crate::roster::Term;
use crate::scheme::{Scheme, SchemeError};
use crate::verify::{
    Verified, VerifyError, certify, verify_epoch_proof, verify_equivocation, verify_qc,
    verify_tc_over,
};

/// Names one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// A member's signature.
pub(crate) type Signed = (MemberIndex, SignatureBytes);

/// A check to run in a pool. Pure: the same job gives the same outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub(crate) id: JobId,
    pub(crate) term: Term,
    pub(crate) task: Task,
}

/// What a job checks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Task {
    Qc(Qc),
    Tc {
        tc: Box<Tc>,
        high: Verified<Qc>,
    },
    Proposal(Arc<Proposal>),
    EpochProof(Box<EpochProof>),
    Votes {
        rank: Rank,
        id: FrameId,
        votes: Vec<Signed>,
    },
    Timeouts {
        rank: Rank,
        high: Verified<Qc>,
        parts: Vec<TimeoutPart>,
    },
    Equivocation(Box<Equivocation>),
}

/// One member's share of a timeout certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeoutPart {
    pub(crate) member: MemberIndex,
    pub(crate) qc_rank: Rank,
    pub(crate) signature: SignatureBytes,
}

/// What a job found. Only [`Job::run`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct JobOutcome {
    pub(crate) id: JobId,
    pub(crate) result: TaskResult,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TaskResult {
    Qc(Result<Verified<Qc>, VerifyError>),
    Tc(Result<Verified<Tc>, VerifyError>),
    Proposal(Result<(), ProposalError>),
    EpochProof(Result<Box<Verified<EpochProof>>, VerifyError>),
    Votes {
        rank: Rank,
        id: FrameId,
        result: Aggregated<Qc>,
    },
    Timeouts {
        rank: Rank,
        result: Aggregated<Tc>,
    },
    Equivocation(Result<Box<Verified<Equivocation>>, VerifyError>),
}

/// The outcome of one aggregate check with bisection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregated<T> {
    /// The certificate, when the good parts reach the quorum.
    pub(crate) certificate: Option<Verified<T>>,
    /// Members whose part is valid.
    pub(crate) good: Vec<MemberIndex>,
    /// Members whose part is not.
    pub(crate) bad: Vec<MemberIndex>,
}

impl Job {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// Relative urgency for a pool: a smaller number first.
    #[must_use]
    pub const fn priority(&self) -> u8 {
        match self.task {
            Task::Votes { .. } | Task::Timeouts { .. } => 0,
            Task::Qc(_) | Task::Tc { .. } | Task::EpochProof(_) => 1,
            Task::Proposal(_) => 2,
            Task::Equivocation(_) => 3,
        }
    }

    /// Runs the check. Cost: milliseconds with a pairing scheme.
    #[must_use]
    pub fn run<S: Scheme>(&self, scheme: &S) -> JobOutcome {
        let term = &self.term;
        let result = match &self.task {
            Task::Qc(qc) => TaskResult::Qc(verify_qc(scheme, term, qc.clone())),
            Task::Tc { tc, high } => {
                TaskResult::Tc(verify_tc_over(scheme, term, (**tc).clone(), high))
            }
            Task::Proposal(proposal) => {
                TaskResult::Proposal(proposal::check_signed(scheme, term, proposal))
            }
            Task::EpochProof(proof) => TaskResult::EpochProof(
                verify_epoch_proof(scheme, term, (**proof).clone()).map(Box::new),
            ),
            Task::Votes { rank, id, votes } => TaskResult::Votes {
                rank: *rank,
                id: *id,
                result: run_votes(scheme, term, *rank, *id, votes),
            },
            Task::Timeouts { rank, high, parts } => TaskResult::Timeouts {
                rank: *rank,
                result: run_timeouts(scheme, term, *rank, high, parts),
            },
            Task::Equivocation(evidence) => TaskResult::Equivocation(
                verify_equivocation(scheme, term, (**evidence).clone()).map(Box::new),
            ),
        };
        JobOutcome {
            id: self.id,
            result,
        }
    }
}

fn run_votes<S: Scheme>(
    scheme: &S,
    term: &Term,
    rank: Rank,
    id: FrameId,
    votes: &[Signed],
) -> Aggregated<Qc> {
    if let Ok(qc) = certify(scheme, term, rank, id, votes) {
        return Aggregated {
            certificate: Some(qc),
            good: votes.iter().map(|(m, _)| *m).collect(),
            bad: Vec::new(),
        };
    }
    let message = term.vote_bytes(rank, id);
    let parts: Vec<TimeoutPart> = votes
        .iter()
        .map(|(member, signature)| TimeoutPart {
            member: *member,
            qc_rank: Rank::ZERO,
            signature: signature.clone(),
        })
        .collect();
    let (good, bad) = bisect(scheme, term, &parts, &|_| message.clone());
    let valid: Vec<Signed> = votes
        .iter()
        .filter(|(m, _)| good.contains(m))
        .cloned()
        .collect();
    let certificate = certify(scheme, term, rank, id, &valid).ok();
    Aggregated {
        certificate,
        good,
        bad,
    }
}

fn run_timeouts<S: Scheme>(
    scheme: &S,
    term: &Term,
    rank: Rank,
    high: &Verified<Qc>,
    parts: &[TimeoutPart],
) -> Aggregated<Tc> {
    if let Ok(tc) = combine(scheme, term, rank, high, parts) {
        return Aggregated {
            certificate: Some(tc),
            good: parts.iter().map(|p| p.member).collect(),
            bad: Vec::new(),
        };
    }
    let (good, bad) = bisect(scheme, term, parts, &|p| {
        term.timeout_bytes(rank, p.qc_rank)
    });
    let valid: Vec<TimeoutPart> = parts
        .iter()
        .filter(|p| good.contains(&p.member))
        .cloned()
        .collect();
    // Without the refused parts the highest named rank may be lower; then the pool tries again.
    let certificate = combine(scheme, term, rank, high, &valid).ok();
    Aggregated {
        certificate,
        good,
        bad,
    }
}

fn combine<S: Scheme>(
    scheme: &S,
    term: &Term,
    rank: Rank,
    high: &Verified<Qc>,
    parts: &[TimeoutPart],
) -> Result<Verified<Tc>, VerifyError> {
    let signatures: Vec<SignatureBytes> = parts.iter().map(|p| p.signature.clone()).collect();
    let mut ranks: Vec<Rank> = parts.iter().map(|p| p.qc_rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let groups: Vec<TcGroup> = ranks
        .iter()
        .map(|qc_rank| TcGroup {
            qc_rank: *qc_rank,
            signers: Bitmask::of(
                term.roster.len(),
                parts
                    .iter()
                    .filter(|p| p.qc_rank == *qc_rank)
                    .map(|p| p.member),
            ),
        })
        .collect();
    debug_assert!(
        groups.len() <= TC_GROUPS_MAX,
        "the pool chooses at most so many"
    );
    let tc = Tc {
        chain: term.chain,
        epoch: term.epoch,
        rank,
        high_qc: high.to_wire(),
        groups: groups.try_into().map_err(|_| VerifyError::GroupOrder)?,
        signature: scheme.aggregate(&signatures)?,
    };
    verify_tc_over(scheme, term, tc, high)
}

/// Splits parts into valid and invalid ones by halving: few invalid parts cost few checks.
fn bisect<S: Scheme>(
    scheme: &S,
    term: &Term,
    parts: &[TimeoutPart],
    message: &dyn Fn(&TimeoutPart) -> Vec<u8>,
) -> (Vec<MemberIndex>, Vec<MemberIndex>) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    let mut open = vec![parts];
    while let Some(range) = open.pop() {
        match check_range(scheme, term, range, message) {
            Ok(()) => good.extend(range.iter().map(|p| p.member)),
            Err(_) if range.len() <= 1 => bad.extend(range.iter().map(|p| p.member)),
            Err(_) => {
                let (left, right) = range.split_at(range.len() / 2);
                open.extend([right, left]);
            }
        }
    }
    (good, bad)
}

fn check_range<S: Scheme>(
    scheme: &S,
    term: &Term,
    parts: &[TimeoutPart],
    message: &dyn Fn(&TimeoutPart) -> Vec<u8>,
) -> Result<(), SchemeError> {
    if let [one] = parts {
        return scheme.verify(&term.roster, one.member, &message(one), &one.signature);
    }
    let signatures: Vec<SignatureBytes> = parts.iter().map(|p| p.signature.clone()).collect();
    let sum = scheme.aggregate(&signatures)?;
    let mut groups: Vec<crate::scheme::Group> = Vec::new();
    for part in parts {
        let message = message(part);
        let mask = Bitmask::of(term.roster.len(), [part.member]);
        match groups.iter_mut().find(|g| g.message == message) {
            Some(group) => {
                let all = group.signers.iter().chain(mask.iter()).collect::<Vec<_>>();
                group.signers = Bitmask::of(term.roster.len(), all);
            }
            None => groups.push(crate::scheme::Group {
                signers: mask,
                message,
            }),
        }
    }
    scheme.verify_groups(&term.roster, &groups, &sum)
}
