//! Certificates that were checked, so that none is checked twice (C7).

use std::collections::{BTreeMap, VecDeque};

use quil_types::{Canonical, Digest, FrameId, Qc, Rank, Tc};
use sha3::{Digest as _, Sha3_256};

use crate::limits::{OLD_QCS_MAX, REFUSED_MAX, VERIFIED_TCS_MAX};
use crate::verify::{Verified, VerifyError};

/// Name of a value in a local cache; not part of the protocol.
pub(crate) fn content_key<T: Canonical>(value: &T) -> Digest {
    Digest(Sha3_256::digest(value.encode()).into())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certs {
    high: Verified<Qc>,
    /// One per rank: two for one rank are proof of a broken committee.
    qcs: BTreeMap<Rank, Verified<Qc>>,
    /// Checked ones below the final rank, which late members still name.
    old: VecDeque<Verified<Qc>>,
    tcs: VecDeque<(Digest, Verified<Tc>)>,
    refused: VecDeque<(Digest, VerifyError)>,
}

impl Certs {
    pub(crate) const fn new(root: Verified<Qc>) -> Self {
        Self {
            high: root,
            qcs: BTreeMap::new(),
            old: VecDeque::new(),
            tcs: VecDeque::new(),
            refused: VecDeque::new(),
        }
    }

    /// The certificate of the highest rank.
    pub(crate) const fn high(&self) -> &Verified<Qc> {
        &self.high
    }

    /// The checked certificate of a frame.
    pub(crate) fn qc(&self, rank: Rank, id: &FrameId) -> Option<&Verified<Qc>> {
        let old = || self.old.iter().find(|qc| qc.rank == rank && qc.id == *id);
        self.qcs.get(&rank).filter(|qc| qc.id == *id).or_else(old)
    }

    /// Checked certificates, highest rank first.
    pub(crate) fn descending(&self) -> impl Iterator<Item = &Verified<Qc>> {
        self.qcs.values().rev()
    }

    /// Takes a checked certificate. `Err` is the other one of its rank.
    pub(crate) fn insert(&mut self, qc: Verified<Qc>) -> Result<bool, Verified<Qc>> {
        if let Some(known) = self.qcs.get(&qc.rank) {
            return if known.id == qc.id {
                Ok(false)
            } else {
                Err(known.clone())
            };
        }
        if qc.rank > self.high.rank {
            self.high = qc.clone();
        }
        self.qcs.insert(qc.rank, qc);
        Ok(true)
    }

    /// Remembers a checked certificate below the final rank.
    pub(crate) fn insert_old(&mut self, qc: Verified<Qc>) {
        self.old.push_back(qc);
        while self.old.len() > OLD_QCS_MAX {
            self.old.pop_front();
        }
    }

    pub(crate) fn tc(&self, key: Digest) -> Option<&Verified<Tc>> {
        self.tcs.iter().find(|(k, _)| *k == key).map(|(_, tc)| tc)
    }

    pub(crate) fn insert_tc(&mut self, key: Digest, tc: Verified<Tc>) {
        self.tcs.push_back((key, tc));
        while self.tcs.len() > VERIFIED_TCS_MAX {
            self.tcs.pop_front();
        }
    }

    /// Remembers why a value was refused, so that a repeated copy costs nothing.
    pub(crate) fn refuse(&mut self, key: Digest, reason: VerifyError) {
        self.refused.push_back((key, reason));
        while self.refused.len() > REFUSED_MAX {
            self.refused.pop_front();
        }
    }

    pub(crate) fn refused(&self, key: &Digest) -> Option<VerifyError> {
        let known = self.refused.iter().find(|(k, _)| k == key);
        known.map(|(_, reason)| reason.clone())
    }

    /// Drops certificates below the final rank; that of the final frame stays.
    pub(crate) fn prune(&mut self, from: Rank) {
        let above = self.qcs.split_off(&from);
        for (_, qc) in core::mem::replace(&mut self.qcs, above) {
            self.insert_old(qc);
        }
    }
}
