//! The global chain's body: shard updates that move the shard table (S1, S3).
//!
//! Everything that needs no signature is checked here; certificates go to [`Certificates`], anchors to
//! [`FinalAnchors`], both implemented where committees and chains are known.

pub mod registry;

use std::collections::BTreeMap;

use quil_types::{
    Anchor, Body, Chain, Epoch, FinalityProof, FrameNumber, Header, ShardAddr, ShardRow,
};

use crate::rules::Rules;
use crate::state::StateFault;

/// Certificates of shard frames, checked by who knows the committees.
pub trait Certificates {
    /// For each update, whether its certificate is by the committee of its shard and epoch. One batch per body.
    fn verify(&self, updates: &[(ShardAddr, &FinalityProof)]) -> Vec<bool>;
}

/// The final frames of this chain.
pub trait FinalAnchors {
    /// Whether the anchor names a final global frame.
    fn is_final(&self, anchor: &Anchor) -> bool;
}

/// The shard table: the last settled frame of every shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardTable {
    rows: BTreeMap<ShardAddr, ShardRow>,
}

impl ShardTable {
    /// The table of these rows.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = (ShardAddr, ShardRow)>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
        }
    }

    /// The row of a shard.
    #[must_use]
    pub fn row(&self, shard: ShardAddr) -> Option<&ShardRow> {
        self.rows.get(&shard)
    }

    /// Rows in address order.
    pub fn iter(&self) -> impl Iterator<Item = (&ShardAddr, &ShardRow)> {
        self.rows.iter()
    }

    /// Puts the rows of a final frame in place.
    pub fn apply(&mut self, rows: &[(ShardAddr, ShardRow)]) {
        self.rows.extend(rows.iter().cloned());
    }
}

/// Key of a shard's row: `addr || 0 x 32` (K1).
#[must_use]
pub fn row_key(shard: ShardAddr) -> [u8; 64] {
    quil_hypergraph::row_key(&shard).0
}

/// Why a shard update is not valid (S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The header is not of a shard chain.
    #[error("header is not of a shard")]
    NotAShard,
    /// The network has no such shard.
    #[error("shard is not in the table")]
    UnknownShard,
    /// The body has an update of this shard already.
    #[error("second update of one shard")]
    Repeated,
    /// The header has another version than its epoch demands.
    #[error("header version does not fit its epoch")]
    Version,
    /// The certificate is of another frame.
    #[error("certificate is not of this header")]
    OtherCertificate,
    /// `rank` is not `parent_rank + 1`: the certificate does not finalise the parent.
    #[error("certificate does not commit the parent")]
    NotCommitting,
    /// The header is of an epoch below the recorded one.
    #[error("epoch {got} is below the recorded {recorded}")]
    Epoch {
        /// Of the header.
        got: Epoch,
        /// In the table.
        recorded: Epoch,
    },
    /// The finalised frame is not above the recorded one.
    #[error("height is not above the recorded {recorded}")]
    Height {
        /// In the table.
        recorded: FrameNumber,
    },
    /// The header has no anchor.
    #[error("header has no anchor")]
    NoAnchor,
    /// The anchor lies before the end of the epoch below the header's: that epoch cannot be closed (S3).
    #[error("anchor lies before epoch {0}")]
    AnchorEpoch(Epoch),
    /// The header stands behind its epoch's closing frame: what it finalises may be a frame that is discarded (C1).
    #[error("frame behind a closing frame")]
    Discarded,
    /// The anchor is not a final frame of this chain.
    #[error("anchor is not final in this chain")]
    AnchorUnknown,
    /// The certificate is not by the shard's committee.
    #[error("certificate is not by the committee")]
    Certificate,
}

/// Why a global body is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobalError {
    /// A shard body on the global chain.
    #[error("not a global body")]
    WrongChain,
    /// Above `limits.body_bytes`.
    #[error("body has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// Encoded size.
        bytes: usize,
        /// Allowed size.
        limit: u32,
    },
    /// An update is not valid.
    #[error("update {index}: {reason}")]
    Update {
        /// Position in the body.
        index: usize,
        /// The first broken rule.
        reason: UpdateError,
    },
    /// The verifier of certificates gave another number of verdicts than it was asked for.
    #[error("certificate verifier answered {got} of {asked}")]
    Verifier {
        /// Verdicts given.
        got: usize,
        /// Updates asked.
        asked: usize,
    },
    /// The local state cannot answer.
    #[error(transparent)]
    Fault(#[from] StateFault),
}

/// Executes a global body on the shard table: the rows that change, in body order.
///
/// # Errors
/// [`GlobalError`]; the first update that breaks a rule, certificates last.
pub fn execute_global(
    table: &ShardTable,
    body: &Body,
    rules: &Rules,
    anchors: &impl FinalAnchors,
    certificates: &impl Certificates,
) -> Result<Vec<(ShardAddr, ShardRow)>, GlobalError> {
    let Body::Global(updates) = body else {
        return Err(GlobalError::WrongChain);
    };
    let (bytes, limit) = (body.bytes(), rules.limits.body_bytes);
    if u32::try_from(bytes).map_or(true, |b| b > limit) {
        return Err(GlobalError::TooLarge { bytes, limit });
    }
    let mut rows = BTreeMap::new();
    let mut order = Vec::with_capacity(updates.len());
    for (index, update) in updates.iter().enumerate() {
        let reject = |reason| GlobalError::Update { index, reason };
        let (shard, row) = check_update(table, update, rules, anchors).map_err(reject)?;
        if rows.insert(shard, row).is_some() {
            return Err(reject(UpdateError::Repeated));
        }
        order.push((shard, update));
    }
    let verdicts = certificates.verify(&order);
    if verdicts.len() != order.len() {
        let (got, asked) = (verdicts.len(), order.len());
        return Err(GlobalError::Verifier { got, asked });
    }
    if let Some(index) = verdicts.iter().position(|ok| !ok) {
        let reason = UpdateError::Certificate;
        return Err(GlobalError::Update { index, reason });
    }
    Ok(order
        .into_iter()
        .filter_map(|(s, _)| rows.remove(&s).map(|r| (s, r)))
        .collect())
}

/// Checks one update except for its signature and gives the row it leads to; also what a leader asks before it
/// takes an update into a body.
///
/// # Errors
/// [`UpdateError`], the first broken rule.
pub fn check_update(
    table: &ShardTable,
    update: &FinalityProof,
    rules: &Rules,
    anchors: &impl FinalAnchors,
) -> Result<(ShardAddr, ShardRow), UpdateError> {
    let (header, qc) = (&update.header, &update.qc);
    let Chain::Shard(shard) = header.chain else {
        return Err(UpdateError::NotAShard);
    };
    let row = table.row(shard).ok_or(UpdateError::UnknownShard)?;
    if header.version != rules.version_at(header.epoch) {
        return Err(UpdateError::Version);
    }
    let certified = (qc.chain, qc.epoch, qc.rank, qc.id);
    if certified != (header.chain, header.epoch, header.rank, header.id()) {
        return Err(UpdateError::OtherCertificate);
    }
    if !header.commits_parent() {
        return Err(UpdateError::NotCommitting);
    }
    if header.epoch < row.epoch {
        let (got, recorded) = (header.epoch, row.epoch);
        return Err(UpdateError::Epoch { got, recorded });
    }
    let height = header.number.prev().filter(|h| *h > row.height);
    let height = height.ok_or(UpdateError::Height {
        recorded: row.height,
    })?;
    let anchor = header.anchor.as_ref().ok_or(UpdateError::NoAnchor)?;
    check_place(header, anchor, rules)?;
    if !anchors.is_final(anchor) {
        return Err(UpdateError::AnchorUnknown);
    }
    let after = ShardRow {
        epoch: header.epoch,
        height,
        id: header.parent,
        roots: header.state_roots,
        size: row.size,
    };
    Ok((shard, after))
}

/// Where the header stands in its epoch (C1, S3).
///
/// A frame anchored at or behind the global closing frame is either the closing frame itself, which names the
/// committee after the next one, or a descendant, which does not. A descendant alone does not say whether its parent
/// is the closing frame or a descendant too, so none is recorded: the closing frame is the parent of the first frame
/// of the next epoch, which is in rank 1 and records it.
fn check_place(header: &Header, anchor: &Anchor, rules: &Rules) -> Result<(), UpdateError> {
    let first_of = |epoch: u64| epoch.saturating_mul(rules.epoch_frames);
    let closing_of = |next: u64| first_of(next).saturating_sub(1);
    let epoch = header.epoch.get();
    if anchor.number.get() < closing_of(epoch) {
        return Err(UpdateError::AnchorEpoch(header.epoch));
    }
    let behind = anchor.number.get() >= closing_of(epoch.saturating_add(1));
    if behind && header.next_committee_root == quil_types::Digest::ZERO {
        return Err(UpdateError::Discarded);
    }
    Ok(())
}
