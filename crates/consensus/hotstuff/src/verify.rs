//! Pure verification of certificates and proofs, for members, followers and light clients (C1, C3, C6, C10).

use core::ops::Deref;

use quil_types::{
    Bitmask, Bytes, Chain, Epoch, EpochProof, Equivocation, FinalityProof, FrameId, Header, Qc,
    Rank, SignatureBytes, Tc, Vote,
};

use crate::epoch::{EpochRule, Place};
use crate::roster::Term;
use crate::scheme::{Group, Scheme, SchemeError};

/// A value whose signatures and rules were checked against its term.
///
/// There is no way to make one but the functions of this module and, for a certificate,
/// [`epoch_root`](Verified::epoch_root).
///
/// ```compile_fail
/// # use quil_hotstuff::Verified;
/// # fn forge(qc: quil_types::Qc) -> Verified<quil_types::Qc> {
/// Verified(qc) // the field is private
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Verified<T> {
    /// Gives the checked value away; it is plain data again.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Verified<Qc> {
    /// The root of an epoch counts as certified at rank 0 (C1): its certificate is the previous epoch's proof.
    #[must_use]
    pub fn epoch_root(chain: Chain, epoch: Epoch, id: FrameId) -> Self {
        Self(Qc {
            chain,
            epoch,
            rank: Rank::ZERO,
            id,
            signers: Bitmask::default(),
            signature: Bytes::new(),
        })
    }

    /// Whether this stands for the epoch root.
    #[must_use]
    pub fn is_epoch_root(&self) -> bool {
        self.rank == Rank::ZERO
    }

    /// The form on the wire: `None` for the epoch root.
    #[must_use]
    pub fn to_wire(&self) -> Option<Qc> {
        (!self.is_epoch_root()).then(|| self.0.clone())
    }
}

/// Why a certificate or proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Of another chain.
    #[error("wrong chain")]
    WrongChain,
    /// Of another epoch than the term's.
    #[error("epoch {got}, expected {expected}")]
    WrongEpoch {
        /// The term's.
        expected: Epoch,
        /// The value's.
        got: Epoch,
    },
    /// Rank 0 is the epoch root and is never certified by votes.
    #[error("rank 0 cannot be certified by votes")]
    RankZero,
    /// The bitmask is not exactly `ceil(n / 8)` bytes with zero padding.
    #[error("bitmask length or padding")]
    Mask,
    /// Too little weight.
    #[error("weight {weight}, quorum is {quorum}")]
    BelowQuorum {
        /// Weight of the signers.
        weight: usize,
        /// Weight needed.
        quorum: usize,
    },
    /// The signature does not hold.
    #[error("signature: {0}")]
    Signature(#[from] SchemeError),
    /// A timeout certificate without groups, or with an empty one.
    #[error("empty group")]
    EmptyGroup,
    /// Groups are not strictly ascending by rank.
    #[error("groups out of order")]
    GroupOrder,
    /// A member is in two groups.
    #[error("overlapping groups")]
    GroupsOverlap,
    /// The highest rank that the groups name is not that of the carried certificate.
    #[error("highest named rank {named}, carried certificate has {carried}")]
    HighQcRank {
        /// By the groups.
        named: Rank,
        /// By the certificate.
        carried: Rank,
    },
    /// The carried certificate is not below the failed rank.
    #[error("carried certificate is not below the failed rank")]
    HighQcNotBelow,
    /// The carried certificate is itself refused.
    #[error("carried certificate: {0}")]
    HighQc(#[source] Box<Self>),
    /// The certificate is not for this header.
    #[error("certificate of another frame")]
    OtherFrame,
    /// The header names another committee.
    #[error("committee root of the header")]
    CommitteeRoot,
    /// The certified header is not one rank above its parent (C3).
    #[error("ranks are not consecutive")]
    NotConsecutive,
    /// The first header of an epoch proof does not close the epoch.
    #[error("not a closing frame")]
    NotClosing,
    /// A header does not follow the one before it.
    #[error("header {0} does not follow its predecessor")]
    BrokenLink(usize),
    /// A header behind the closing frame is not a descendant.
    #[error("header {0} is not a descendant of a closing frame")]
    NotDescendant(usize),
    /// The members given are not those that the closing frame names (C2).
    #[error("not the committee that the closing frame names")]
    NextCommittee,
    /// The two votes do not conflict.
    #[error("votes do not conflict")]
    NoConflict,
}

fn check_position(term: &Term, chain: Chain, epoch: Epoch) -> Result<(), VerifyError> {
    if chain != term.chain {
        return Err(VerifyError::WrongChain);
    }
    if epoch != term.epoch {
        return Err(VerifyError::WrongEpoch {
            expected: term.epoch,
            got: epoch,
        });
    }
    Ok(())
}

fn check_weight(term: &Term, weight: usize) -> Result<(), VerifyError> {
    let quorum = term.roster.committee().quorum();
    // An empty committee has quorum 1 and can never reach it.
    if weight < quorum {
        return Err(VerifyError::BelowQuorum { weight, quorum });
    }
    Ok(())
}

/// Checks a quorum certificate (C6). Cost: two pairings.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_qc<S: Scheme>(scheme: &S, term: &Term, qc: Qc) -> Result<Verified<Qc>, VerifyError> {
    check_position(term, qc.chain, qc.epoch)?;
    if qc.rank == Rank::ZERO {
        return Err(VerifyError::RankZero);
    }
    if !qc.signers.is_well_formed(term.roster.len()) {
        return Err(VerifyError::Mask);
    }
    check_weight(term, qc.signers.count())?;
    let group = Group {
        signers: qc.signers.clone(),
        message: term.vote_bytes(qc.rank, qc.id),
    };
    scheme.verify_same(&term.roster, &group, &qc.signature)?;
    Ok(Verified(qc))
}

/// Checks a timeout certificate with everything in it (C6).
///
/// # Errors
/// [`VerifyError`].
pub fn verify_tc<S: Scheme>(scheme: &S, term: &Term, tc: Tc) -> Result<Verified<Tc>, VerifyError> {
    let high = match tc.high_qc.clone() {
        // The identity of the root does not matter to the statement that the groups sign.
        None => Verified::epoch_root(term.chain, term.epoch, FrameId::ZERO),
        Some(qc) => verify_qc(scheme, term, qc).map_err(|e| VerifyError::HighQc(Box::new(e)))?,
    };
    verify_tc_over(scheme, term, tc, &high)
}

/// Checks a timeout certificate whose carried certificate was checked before. The result carries `high`, so that a
/// differently signed twin of it is not passed on.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_tc_over<S: Scheme>(
    scheme: &S,
    term: &Term,
    mut tc: Tc,
    high: &Verified<Qc>,
) -> Result<Verified<Tc>, VerifyError> {
    check_tc_shape(term, &tc)?;
    let same = match &tc.high_qc {
        None => high.is_epoch_root(),
        Some(qc) => qc.rank == high.rank && qc.id == high.id,
    };
    if !same {
        return Err(VerifyError::OtherFrame);
    }
    let groups: Vec<Group> = tc
        .groups
        .iter()
        .map(|g| Group {
            signers: g.signers.clone(),
            message: term.timeout_bytes(tc.rank, g.qc_rank),
        })
        .collect();
    scheme.verify_groups(&term.roster, &groups, &tc.signature)?;
    tc.high_qc = high.to_wire();
    Ok(Verified(tc))
}

fn check_tc_shape(term: &Term, tc: &Tc) -> Result<(), VerifyError> {
    check_position(term, tc.chain, tc.epoch)?;
    if let Some(qc) = &tc.high_qc {
        check_position(term, qc.chain, qc.epoch)?;
    }
    let named = tc.groups.last().ok_or(VerifyError::EmptyGroup)?.qc_rank;
    if !tc.groups.is_sorted_by(|a, b| a.qc_rank < b.qc_rank) {
        return Err(VerifyError::GroupOrder);
    }
    let mut seen: Vec<&Bitmask> = Vec::new();
    let mut weight = 0usize;
    for group in &tc.groups {
        if !group.signers.is_well_formed(term.roster.len()) {
            return Err(VerifyError::Mask);
        }
        if group.signers.count() == 0 {
            return Err(VerifyError::EmptyGroup);
        }
        if seen.iter().any(|s| !s.is_disjoint(&group.signers)) {
            return Err(VerifyError::GroupsOverlap);
        }
        seen.push(&group.signers);
        weight = weight.saturating_add(group.signers.count());
    }
    let carried = tc.high_qc_rank();
    if named != carried {
        return Err(VerifyError::HighQcRank { named, carried });
    }
    if carried >= tc.rank {
        return Err(VerifyError::HighQcNotBelow);
    }
    check_weight(term, weight)
}

/// Checks one vote of a member.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_vote<S: Scheme>(scheme: &S, term: &Term, vote: &Vote) -> Result<(), VerifyError> {
    check_position(term, vote.chain, vote.epoch)?;
    let message = term.vote_bytes(vote.rank, vote.id);
    scheme.verify(&term.roster, vote.member, &message, &vote.signature)?;
    Ok(())
}

/// A finality proof from a checked certificate.
pub(crate) fn finality_over(
    term: &Term,
    header: Header,
    qc: &Verified<Qc>,
) -> Result<Verified<FinalityProof>, VerifyError> {
    if !header.commits_parent() {
        return Err(VerifyError::NotConsecutive);
    }
    check_names(term, &header, qc)?;
    Ok(Verified(FinalityProof {
        header,
        qc: qc.0.clone(),
    }))
}

/// An epoch proof from a checked certificate.
pub(crate) fn epoch_proof_over(
    term: &Term,
    mut proof: EpochProof,
    qc: &Verified<Qc>,
) -> Result<Verified<EpochProof>, VerifyError> {
    check_epoch_chain(term, &proof)?;
    check_names(term, &proof.tip, qc)?;
    proof.qc = qc.0.clone();
    Ok(Verified(proof))
}

/// Whether a certificate is for this header of this term.
fn check_names(term: &Term, header: &Header, qc: &Qc) -> Result<(), VerifyError> {
    check_position(term, header.chain, header.epoch)?;
    if header.committee_root != term.roster.root() {
        return Err(VerifyError::CommitteeRoot);
    }
    if qc.epoch != header.epoch || qc.rank != header.rank || qc.id != header.id() {
        return Err(VerifyError::OtherFrame);
    }
    Ok(())
}

fn check_certified<S: Scheme>(
    scheme: &S,
    term: &Term,
    header: &Header,
    qc: &Qc,
) -> Result<(), VerifyError> {
    check_names(term, header, qc)?;
    verify_qc(scheme, term, qc.clone()).map(|_| ())
}

/// Checks that a header's parent is final and the header's roots are its results (C3). Cost: one certificate.
///
/// The parent may be a discarded descendant of a closing frame: see [`Verified::closes`].
///
/// # Errors
/// [`VerifyError`].
pub fn verify_finality_proof<S: Scheme>(
    scheme: &S,
    term: &Term,
    proof: FinalityProof,
) -> Result<Verified<FinalityProof>, VerifyError> {
    if !proof.header.commits_parent() {
        return Err(VerifyError::NotConsecutive);
    }
    check_certified(scheme, term, &proof.header, &proof.qc)?;
    Ok(Verified(proof))
}

impl Verified<FinalityProof> {
    /// The frame that is final.
    #[must_use]
    pub const fn parent(&self) -> FrameId {
        self.0.header.parent
    }

    /// The certificate of the header.
    #[must_use]
    pub fn qc(&self) -> Verified<Qc> {
        Verified(self.0.qc.clone())
    }

    /// Whether the certified header is a descendant of the closing frame: then its epoch is closed, the roots are
    /// those after the closing frame, and the parent is that frame or a discarded descendant of it.
    #[must_use]
    pub fn closes(&self, rule: EpochRule) -> bool {
        rule.place(&self.0.header) == Place::Descendant
    }
}

/// A certified header without a claim about its parent, for followers (R6).
///
/// # Errors
/// [`VerifyError`].
pub fn verify_certified<S: Scheme>(
    scheme: &S,
    term: &Term,
    certified: Certified,
) -> Result<Verified<Certified>, VerifyError> {
    check_certified(scheme, term, &certified.header, &certified.qc)?;
    Ok(Verified(certified))
}

/// A header with its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The header.
    pub header: Header,
    /// Its certificate.
    pub qc: Qc,
}

/// Checks that an epoch was closed by its own committee (C1). Cost: one certificate and one hash per header.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_epoch_proof<S: Scheme>(
    scheme: &S,
    term: &Term,
    proof: EpochProof,
) -> Result<Verified<EpochProof>, VerifyError> {
    check_epoch_chain(term, &proof)?;
    check_certified(scheme, term, &proof.tip, &proof.qc)?;
    Ok(Verified(proof))
}

fn check_epoch_chain(term: &Term, proof: &EpochProof) -> Result<(), VerifyError> {
    let closing = &proof.closing;
    check_position(term, closing.chain, closing.epoch)?;
    if term.rule.place(closing) != Place::Closing || !term.rule.committee_root_in_place(closing) {
        return Err(VerifyError::NotClosing);
    }
    let chain = proof.between.iter().chain(core::iter::once(&proof.tip));
    let mut last = closing;
    for (i, header) in chain.enumerate() {
        check_position(term, header.chain, header.epoch)?;
        let linked = header.parent == last.id()
            && header.parent_rank == last.rank
            && header.rank > last.rank
            && header.number == last.number.next();
        if !linked {
            return Err(VerifyError::BrokenLink(i));
        }
        if term.rule.place(header) != Place::Descendant
            || !term.rule.committee_root_in_place(header)
        {
            return Err(VerifyError::NotDescendant(i));
        }
        last = header;
    }
    if proof.tip.commits_parent() {
        Ok(())
    } else {
        Err(VerifyError::NotConsecutive)
    }
}

/// Checks evidence (C10): two different votes of one member for one rank, each valid by itself.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_equivocation<S: Scheme>(
    scheme: &S,
    term: &Term,
    evidence: Equivocation,
) -> Result<Verified<Equivocation>, VerifyError> {
    if !evidence.conflicts() {
        return Err(VerifyError::NoConflict);
    }
    verify_vote(scheme, term, &evidence.a)?;
    verify_vote(scheme, term, &evidence.b)?;
    Ok(Verified(evidence))
}

/// Aggregates votes for one frame that each were checked, or checks the aggregate.
pub(crate) fn certify<S: Scheme>(
    scheme: &S,
    term: &Term,
    rank: Rank,
    id: FrameId,
    votes: &[(quil_types::MemberIndex, SignatureBytes)],
) -> Result<Verified<Qc>, VerifyError> {
    let parts: Vec<SignatureBytes> = votes.iter().map(|(_, s)| s.clone()).collect();
    let signature = scheme.aggregate(&parts)?;
    let signers = Bitmask::of(term.roster.len(), votes.iter().map(|(m, _)| *m));
    verify_qc(
        scheme,
        term,
        Qc {
            chain: term.chain,
            epoch: term.epoch,
            rank,
            id,
            signers,
            signature,
        },
    )
}
