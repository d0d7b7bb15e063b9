//! The rules of a proposal that need no state (W1, C1, C2, C5, C6).

use quil_types::{Chain, Header, Justify, MemberIndex, Proposal, Rank};

use crate::epoch::{EpochRule, Place};
use crate::roster::Term;
use crate::scheme::Scheme;
use crate::verify::{VerifyError, verify_vote};

/// Why a proposal is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// Of another chain or epoch.
    #[error("chain or epoch")]
    Position,
    /// Not by the leader of its rank.
    #[error("not by the leader of its rank")]
    NotLeader,
    /// The attached vote is not the leader's vote for this frame.
    #[error("attached vote is for something else")]
    Vote,
    /// The leader's vote does not verify.
    #[error("leader's signature: {0}")]
    Signature(#[source] VerifyError),
    /// The parent's rank is not below the frame's.
    #[error("rank is not above the parent's")]
    Rank,
    /// The header names another committee.
    #[error("committee root")]
    CommitteeRoot,
    /// The next committee's root is set where it must not be, missing, or not that committee's.
    #[error("next committee root")]
    NextCommitteeRoot,
    /// The justification is not for the parent.
    #[error("justification is not for the parent")]
    Justify,
    /// A timeout certificate is missing.
    #[error("rank was skipped without a timeout certificate")]
    MissingTc,
    /// A timeout certificate where the parent is of the previous rank.
    #[error("timeout certificate without a skipped rank")]
    NeedlessTc,
    /// The timeout certificate is not of the previous rank.
    #[error("timeout certificate of another rank")]
    OtherTc,
    /// The parent is older than a certificate that the timeout certificate names.
    #[error("parent is older than the timeout certificate allows")]
    StaleParent,
    /// The body is of the wrong kind or does not have the root that the header commits to.
    #[error("body does not match the header")]
    Body,
    /// A reel witness is missing, needless or of another frame.
    #[error("reel witness")]
    Beacon,
    /// A shard frame without an anchor before its epoch's end, or a global frame with one.
    #[error("anchor")]
    Anchor,
    /// A descendant of a closing frame with a body.
    #[error("descendant of a closing frame with a body")]
    NotEmpty,
    /// The frame number is not the parent's plus one.
    #[error("frame number")]
    Number,
    /// The frame cannot stand behind its parent in the epoch.
    #[error("place in the epoch")]
    Place,
    /// A descendant of a closing frame that does not repeat beacon and anchor.
    #[error("descendant does not repeat beacon and anchor")]
    NotRepeated,
    /// The parent has another rank than the header says.
    #[error("parent rank")]
    ParentRank,
    /// The parent is not the frame that is final at its rank.
    #[error("does not extend the final frame")]
    Conflict,
    /// The leader proposed another frame in this rank.
    #[error("second proposal in one rank")]
    Second,
}

/// Cheap rules, in order of cost: position, leader, certificates' positions, header fields.
pub(crate) fn check_shape(
    term: &Term,
    leader: Option<MemberIndex>,
    p: &Proposal,
) -> Result<(), ProposalError> {
    let h = &p.header;
    if h.chain != term.chain || h.epoch != term.epoch {
        return Err(ProposalError::Position);
    }
    if p.vote.id != h.id() {
        return Err(ProposalError::Vote);
    }
    if h.rank <= h.parent_rank {
        return Err(ProposalError::Rank);
    }
    let leads =
        leader.is_some_and(|m| p.vote.member == m && term.roster.prover(m) == Some(h.proposer));
    if !leads {
        return Err(ProposalError::NotLeader);
    }
    if p.vote.chain != h.chain || p.vote.epoch != h.epoch || p.vote.rank != h.rank {
        return Err(ProposalError::Vote);
    }
    if h.committee_root != term.roster.root() {
        return Err(ProposalError::CommitteeRoot);
    }
    if !term.rule.committee_root_in_place(h) {
        return Err(ProposalError::NextCommitteeRoot);
    }
    check_justify(p)?;
    check_tc(p)?;
    check_content(term.rule, p)
}

fn check_justify(p: &Proposal) -> Result<(), ProposalError> {
    let h = &p.header;
    let fits = match &p.justify {
        Justify::Genesis => h.epoch.prev().is_none() && h.parent_rank == Rank::ZERO,
        Justify::Qc(qc) => {
            qc.chain == h.chain
                && qc.epoch == h.epoch
                && qc.rank == h.parent_rank
                && qc.rank != Rank::ZERO
                && qc.id == h.parent
        }
        Justify::Epoch(proof) => {
            h.parent_rank == Rank::ZERO
                && Some(proof.closing.epoch) == h.epoch.prev()
                && proof.closing.chain == h.chain
                && proof.closing.id() == h.parent
        }
    };
    if fits {
        Ok(())
    } else {
        Err(ProposalError::Justify)
    }
}

fn check_tc(p: &Proposal) -> Result<(), ProposalError> {
    let h = &p.header;
    match &p.tc {
        None if h.rank == h.parent_rank.next() => Ok(()),
        None => Err(ProposalError::MissingTc),
        Some(_) if h.rank == h.parent_rank.next() => Err(ProposalError::NeedlessTc),
        Some(tc) if tc.chain != h.chain || tc.epoch != h.epoch || tc.rank.next() != h.rank => {
            Err(ProposalError::OtherTc)
        }
        Some(tc) if h.parent_rank < tc.high_qc_rank() => Err(ProposalError::StaleParent),
        Some(_) => Ok(()),
    }
}

fn check_content(rule: EpochRule, p: &Proposal) -> Result<(), ProposalError> {
    let h = &p.header;
    let place = rule.place(h);
    if !p.body.fits(h.chain) {
        return Err(ProposalError::Body);
    }
    if place == Place::Descendant && !p.body.is_empty() {
        return Err(ProposalError::NotEmpty);
    }
    let global = h.chain == Chain::Global;
    if h.anchor.is_none() != global {
        return Err(ProposalError::Anchor);
    }
    let witness = global && place != Place::Descendant;
    if p.beacon.as_ref().map(|b| b.number) != witness.then_some(h.number) {
        return Err(ProposalError::Beacon);
    }
    Ok(())
}

/// Rules between a frame and its parent. `parent_rank` is 0 when the parent is the epoch root.
pub(crate) fn check_child(
    rule: EpochRule,
    parent: &Header,
    parent_rank: Rank,
    child: &Header,
) -> Result<(), ProposalError> {
    if child.parent_rank != parent_rank {
        return Err(ProposalError::ParentRank);
    }
    if child.number != parent.number.next() {
        return Err(ProposalError::Number);
    }
    let place = rule.place(child);
    let before = (parent_rank != Rank::ZERO).then(|| rule.place(parent));
    if !EpochRule::follows(before, place) {
        return Err(ProposalError::Place);
    }
    let anchored = |h: &Header| h.anchor.map(|a| a.number);
    if anchored(child) < anchored(parent) {
        return Err(ProposalError::Anchor);
    }
    let repeats = child.beacon == parent.beacon && child.anchor == parent.anchor;
    if place == Place::Descendant && !repeats {
        return Err(ProposalError::NotRepeated);
    }
    Ok(())
}

/// The expensive part: body root and the leader's signature.
pub(crate) fn check_signed<S: Scheme>(
    scheme: &S,
    term: &Term,
    p: &Proposal,
) -> Result<(), ProposalError> {
    check_body(p)?;
    verify_vote(scheme, term, &p.vote).map_err(ProposalError::Signature)
}

/// Whether the body is what the header commits to.
pub(crate) fn check_body(p: &Proposal) -> Result<(), ProposalError> {
    if p.body.requests_root() != p.header.requests_root {
        return Err(ProposalError::Body);
    }
    Ok(())
}
