//! Starting from what is durable (C8).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{
    Committee, Epoch, EpochProof, FrameId, Header, Justify, MemberIndex, Proposal, Rank,
};

use super::fetch::Fetches;
use super::{Config, Core, Cx, Keyring, Source};
use crate::certs::Certs;
use crate::epoch::{EpochRule, Place};
use crate::forest::{Forest, Opinion, Root, Vertex};
use crate::held::Held;
use crate::io::{Finality, Output};
use crate::leader::Leaders;
use crate::pacemaker::Pacemaker;
use crate::proposal::{check_body, check_shape};
use crate::roster::{Roster, Term};
use crate::safety::{Safety, SafetyRecord, Step};
use crate::scheme::Scheme;
use crate::timeouts::TimeoutPool;
use crate::verify::{Verified, verify_qc, verify_tc, verify_vote};
use crate::votes::VotePool;

/// What the stores hold at the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// Header of the last final frame; of frame 0 at first.
    pub head: Header,
    /// Why it is final; `None` for frame 0 and for a trusted checkpoint.
    pub finality: Option<Finality>,
    /// The proof that opened the epoch of `head`; `None` in epoch 0.
    pub opened: Option<Box<Verified<EpochProof>>>,
    /// Committees from final state: at least that of the current epoch, and the next one when known.
    pub committees: Vec<(Epoch, Committee)>,
    /// The safety record; `None` when there is none.
    pub safety: Option<SafetyRecord>,
    /// The key has never signed anything on this chain: it is new, or the operator accepted the loss of the record
    /// together with a fresh key (C8).
    pub fresh_key: bool,
    /// Candidates of the state file, in any order; those at or below `head` are skipped.
    pub candidates: Vec<Proposal>,
}

/// Why the core does not start. Local faults, never the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// There are chain data but no safety record, and the key is not fresh (C8).
    #[error("the safety record is missing while chain data exist")]
    SafetyLost,
    /// The committee of the current epoch was not given or is empty.
    #[error("committee of epoch {0} is missing")]
    NoCommittee(Epoch),
    /// The committee is not the one that the closing frame names.
    #[error("committee of epoch {0} is not the one that the chain names")]
    WrongCommittee(Epoch),
    /// Header, finality and epoch proof do not fit together.
    #[error("last final frame and its proofs do not fit together")]
    Inconsistent,
}

impl<S: Scheme> Core<S> {
    /// Builds the core from durable state. Give [`Input::Start`](crate::Input::Start) next.
    ///
    /// # Errors
    /// [`RecoverError`]: the driver must not sign and should stop.
    pub fn recover(
        config: Config,
        scheme: S,
        signer: Option<Arc<S::Signer>>,
        recovered: Recovered,
    ) -> Result<Self, RecoverError> {
        let Recovered {
            head,
            finality,
            opened,
            committees,
            safety,
            fresh_key,
            candidates,
        } = recovered;
        let signs = signer.is_some() && config.key.is_some();
        let chain_data = head.number.get() > 0 || !candidates.is_empty();
        if safety.is_none() && signs && chain_data && !fresh_key {
            return Err(RecoverError::SafetyLost);
        }
        if head.chain != config.chain {
            return Err(RecoverError::Inconsistent);
        }
        let rosters: BTreeMap<Epoch, Arc<Roster>> = committees
            .into_iter()
            .filter(|(_, c)| !c.is_empty())
            .map(|(e, c)| (e, Arc::new(Roster::new(c))))
            .collect();
        let start = starting_point(&config, &head, finality.as_ref(), opened.map(|p| *p))?;
        let roster = rosters
            .get(&start.epoch)
            .cloned()
            .ok_or(RecoverError::NoCommittee(start.epoch))?;
        let named = start.opened.as_ref().map(|p| p.closing.next_committee_root);
        if named.is_some_and(|root| root != roster.root()) {
            return Err(RecoverError::WrongCommittee(start.epoch));
        }
        let root = Root {
            id: head.id(),
            rank: start.rank,
            header: Arc::new(head),
        };
        let keyring = Keyring(signer.filter(|_| signs));
        let safety = Safety::new(safety.unwrap_or_default());
        let mut core = Self::assemble(config, scheme, keyring, (root, roster, start));
        core.rosters = rosters;
        core.finality = finality;
        core.safety = safety;
        core.candidates = candidates;
        Ok(core)
    }

    fn assemble(
        config: Config,
        scheme: S,
        keyring: Keyring<S>,
        (root, roster, start): (Root, Arc<Roster>, StartingPoint),
    ) -> Self {
        let term = Term {
            genesis: config.genesis,
            chain: config.chain,
            epoch: start.epoch,
            rule: config.rule,
            roster: Arc::clone(&roster),
        };
        let genesis_id = start.genesis_id;
        let certs = Certs::new(Verified::epoch_root(config.chain, start.epoch, root.id));
        let mut core = Self {
            scheme,
            keyring,
            started: false,
            halted: false,
            candidates: Vec::new(),
            rosters: BTreeMap::new(),
            term,
            leaders: Leaders::new(quil_types::Digest::ZERO, 0),
            me: None,
            waiting: false,
            closing: None,
            closed: BTreeMap::new(),
            genesis_id,
            forest: Forest::new(root),
            finality: None,
            certs,
            pace: Pacemaker::new(config.interval_ms),
            building: None,
            votes: VotePool::default(),
            timeouts: TimeoutPool::default(),
            safety: Safety::new(SafetyRecord::default()),
            held: Held::default(),
            early: BTreeMap::new(),
            records: BTreeMap::new(),
            next_record: 0,
            fetches: Fetches::default(),
            answered: BTreeMap::new(),
            deadline: None,
            config,
        };
        core.set_term(start.epoch, roster, start.opened.as_deref());
        if let Some(proof) = start.opened {
            core.closed.insert(proof.closing.epoch, proof);
        }
        core.certs = Certs::new(core.epoch_root_qc());
        core
    }

    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        if self.started {
            return;
        }
        self.started = true;
        cx.out.push(Output::EnteredEpoch {
            epoch: self.term.epoch,
            member: self.me,
        });
        if let Some(Finality::Child(proof)) = self.finality.clone()
            && proof.header.epoch == self.term.epoch
        {
            self.on_qc(cx, proof.qc());
        }
        self.replay_candidates(cx);
        let signed = self.safety.record();
        let signed = if signed.epoch == self.term.epoch {
            signed.rank()
        } else {
            Rank::ZERO
        };
        let rank = self.pace.rank().max(signed).max(Rank::new(1));
        if rank > self.pace.rank() {
            self.pace.restart(cx.now, rank);
            self.announce_rank(cx);
        }
        self.send_again(cx);
        self.take_turn(cx);
    }

    /// Puts stored candidates back. They were checked before they were stored; the certificates in them are checked
    /// again, because only the verifier makes verified ones.
    fn replay_candidates(&mut self, cx: &mut Cx<'_>) {
        let mut candidates = core::mem::take(&mut self.candidates);
        candidates.retain(|p| {
            p.header.chain == self.term.chain
                && p.header.epoch == self.term.epoch
                && p.header.rank > self.forest.root().rank
        });
        candidates.sort_by_key(|p| p.header.rank);
        for proposal in candidates {
            if self.open() && proposal.header.epoch == self.term.epoch {
                self.replay(cx, proposal);
            }
        }
    }

    fn replay(&mut self, cx: &mut Cx<'_>, proposal: Proposal) {
        let (id, rank) = (proposal.header.id(), proposal.header.rank);
        let leader = self.leaders.leader(rank);
        let own = self.me.is_some() && self.me == Some(proposal.vote.member);
        let unsent = own && !self.has_voted(rank, id) && rank > self.safety.record().rank();
        if unsent || check_shape(&self.term, leader, &proposal).is_err() {
            return;
        }
        let signed = verify_vote(&self.scheme, &self.term, &proposal.vote).is_ok();
        if check_body(&proposal).is_err() || !(signed || own) {
            return;
        }
        if let Justify::Qc(qc) = &proposal.justify {
            match verify_qc(&self.scheme, &self.term, qc.clone()) {
                Ok(qc) => self.on_qc(cx, qc),
                Err(_) => return,
            }
        }
        if let Some(Ok(tc)) = proposal
            .tc
            .clone()
            .map(|tc| verify_tc(&self.scheme, &self.term, tc))
        {
            self.on_tc(cx, tc);
        }
        let vertex = Vertex {
            id,
            proposal: Arc::new(proposal),
            own: false,
            connected: false,
            durable: true,
            opinion: Opinion::Unknown,
            arrived: None,
            certified: false,
            delay: None,
        };
        self.plant(cx, vertex, None);
        if let Some(vertex) = self.forest.get_mut(&id) {
            vertex.own = own;
        }
    }

    fn has_voted(&self, rank: Rank, id: FrameId) -> bool {
        let record = self.safety.record();
        record.epoch == self.term.epoch && record.last_voted == Some((rank, id))
    }

    /// Sends what was signed in the current rank once more: it may not have left before the crash.
    fn send_again(&mut self, cx: &mut Cx<'_>) {
        let record = self.safety.record().clone();
        if record.epoch != self.term.epoch || self.me.is_none() || self.keyring.0.is_none() {
            return;
        }
        if let Some((rank, id)) = record.last_voted.filter(|(r, _)| *r == self.pace.rank())
            && let Ok(Step::Again(permit)) = self.safety.vote(record.epoch, rank, id, Rank::ZERO)
        {
            self.release(cx, permit);
        }
        if let Some(tc) = record.entered_by
            && let Ok(tc) = verify_tc(&self.scheme, &self.term, tc)
        {
            self.pace.justify(tc);
        }
        if let Some(timeout) = record.last_timeout.filter(|t| t.rank == self.pace.rank()) {
            self.pace.expire(cx.now);
            self.send_timeout(cx);
            let member: MemberIndex = timeout.member;
            let source = Source {
                peer: self.peer_of(member),
                member: Some(member),
            };
            self.receive(cx, source, crate::held::Incoming::Timeout(timeout));
        }
    }
}

/// Where the chain stands.
struct StartingPoint {
    epoch: Epoch,
    /// Rank of the last final frame in that epoch; 0 when it is the epoch's root.
    rank: Rank,
    opened: Option<Verified<EpochProof>>,
    genesis_id: FrameId,
}

fn starting_point(
    config: &Config,
    head: &Header,
    finality: Option<&Finality>,
    opened: Option<Verified<EpochProof>>,
) -> Result<StartingPoint, RecoverError> {
    if head.number.get() == 0 {
        let genesis_id = head.id();
        return Ok(StartingPoint {
            epoch: Epoch::ZERO,
            rank: Rank::ZERO,
            opened: None,
            genesis_id,
        });
    }
    let genesis_id = FrameId::ZERO;
    let rule: EpochRule = config.rule;
    match finality {
        Some(Finality::Closed(proof)) if proof.closing.id() == head.id() => Ok(StartingPoint {
            epoch: head.epoch.next(),
            rank: Rank::ZERO,
            opened: Some((**proof).clone()),
            genesis_id,
        }),
        Some(Finality::Closed(_)) => Err(RecoverError::Inconsistent),
        Some(Finality::Child(proof)) if proof.header.parent != head.id() => {
            Err(RecoverError::Inconsistent)
        }
        // A closing frame is stored with the proof of its epoch.
        Some(Finality::Child(_)) | None if rule.place(head) != Place::Normal => {
            Err(RecoverError::Inconsistent)
        }
        Some(Finality::Child(_)) | None => {
            let fits = match &opened {
                Some(proof) => proof.closing.epoch.next() == head.epoch,
                None => head.epoch == Epoch::ZERO,
            };
            if !fits {
                return Err(RecoverError::Inconsistent);
            }
            Ok(StartingPoint {
                epoch: head.epoch,
                rank: head.rank,
                opened,
                genesis_id,
            })
        }
    }
}
