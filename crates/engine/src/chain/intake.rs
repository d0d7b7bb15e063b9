//! Gossip and clients: cheap checks first, then a job, then the pool (C7, T8, W2).

use std::sync::Arc;

use quil_execution::mempool::InsertError;
use quil_execution::state::StateFault;
use quil_execution::token::{Checked, Refusal, stateless};
use quil_hotstuff::{AdmissionError, Admitted, Input as CoreInput, Place, Scheme};
use quil_reel::SolverInput;
use quil_types::limits::{
    BUNDLE_BYTES_MAX, FINALITY_PROOF_BYTES_MAX, PROPOSAL_BYTES_MAX, VOTE_MESSAGE_BYTES_MAX,
};
use quil_types::{
    BeaconWitness, Bundle, Canonical, Chain, Code, ConsensusMessage, Envelope, FinalityProof,
    PeerKey, SettlementMessage,
};

use super::{ChainEngine, Pool};
use crate::error::LocalFault;
use crate::io::{Class, GossipToken, Now, Output, RequestToken, SubmitError, Verdict};
use crate::jobs::{Admit, Job, moment_of};
use crate::pool::Waiter;

type Origin = (GossipToken, PeerKey);

impl<S: Scheme> ChainEngine<S> {
    pub(super) fn on_gossip(
        &mut self,
        now: Now,
        origin: Origin,
        class: Class,
        data: &[u8],
        out: &mut Vec<Output>,
    ) {
        match class {
            Class::Consensus(chain) if chain == self.chain => self.on_envelope(origin, data, out),
            Class::Settlement if self.chain == Chain::Global => {
                self.on_settlement(now, origin, data, out)
            }
            Class::Bundle(chain) if chain == self.chain => self.on_bundle_gossip(origin, data, out),
            Class::FinalFrame(chain) if chain == self.chain => {
                self.on_final_frame(now, origin, data, out)
            }
            _ => verdict(origin, Verdict::Ignore, out),
        }
    }

    /// Author, position and the author's network signature; everything dearer is the core's.
    fn on_envelope(&mut self, origin: Origin, data: &[u8], out: &mut Vec<Output>) {
        let Ok(envelope) = Envelope::decode(data, PROPOSAL_BYTES_MAX) else {
            return reject(origin, "malformed", out);
        };
        let large = matches!(
            envelope.payload,
            ConsensusMessage::Proposal(_) | ConsensusMessage::EpochProof(_)
        );
        if !large && data.len() > VOTE_MESSAGE_BYTES_MAX {
            return reject(origin, "oversized", out);
        }
        let author = match self.admission.screen(&envelope) {
            Ok(author) => author,
            Err(reason) => return admission_verdict(origin, reason, out),
        };
        if !crate::identity::envelope_holds(self.network.hash(), &envelope, &author) {
            return reject(origin, "envelope", out);
        }
        match self.admission.admit(&envelope) {
            Ok(Admitted::Forward) => verdict(origin, Verdict::Accept, out),
            // Not forwarded, but it may be evidence.
            Ok(Admitted::Conflict) => verdict(origin, Verdict::Ignore, out),
            Err(reason) => return admission_verdict(origin, reason, out),
        }
        let input = CoreInput::Message {
            author: envelope.member,
            message: envelope.payload,
        };
        self.pending.push_back(input);
    }

    fn on_settlement(&mut self, now: Now, origin: Origin, data: &[u8], out: &mut Vec<Output>) {
        match SettlementMessage::decode(data, FINALITY_PROOF_BYTES_MAX) {
            Ok(SettlementMessage::Beacon(witness)) => self.on_beacon(now, origin, *witness, out),
            Ok(SettlementMessage::Update(update)) => self.on_update(origin, *update, out),
            Err(_) => reject(origin, "malformed", out),
        }
    }

    fn on_beacon(
        &mut self,
        now: Now,
        origin: Origin,
        witness: BeaconWitness,
        out: &mut Vec<Output>,
    ) {
        let before = out.len();
        self.beacon_gossip = Some((origin, witness.clone()));
        self.solver(now, SolverInput::Received(witness), out);
        let checks = out
            .iter()
            .skip(before)
            .any(|o| matches!(o, Output::Run(Job::CheckBeacon(..))));
        if !checks {
            self.beacon_gossip = None;
            verdict(origin, Verdict::Ignore, out);
        }
    }

    pub(super) fn settle_beacon_gossip(
        &mut self,
        witness: &BeaconWitness,
        valid: bool,
        out: &mut Vec<Output>,
    ) {
        if let Some((origin, _)) = self.beacon_gossip.take_if(|(_, w)| w == witness) {
            if valid {
                verdict(origin, Verdict::Accept, out)
            } else {
                reject(origin, "beacon", out)
            }
        }
    }

    fn on_update(&mut self, origin: Origin, update: FinalityProof, out: &mut Vec<Output>) {
        let Chain::Shard(shard) = update.header.chain else {
            return reject(origin, "malformed", out);
        };
        let head = self.ledger.head();
        let known = head.table().row(shard).map(|r| r.height);
        let Some(known) = known else {
            return reject(origin, "shard", out);
        };
        // A descendant of a closing frame cannot be recorded (S1); who followed its chain sends one in good faith.
        let recordable = self.rule.place(&update.header) != Place::Descendant;
        let newer = update.header.number > known.next() && recordable;
        let Pool::Updates(pool) = &mut self.pool else {
            return;
        };
        if !newer || !pool.wants(shard, update.header.number.get()) {
            return verdict(origin, Verdict::Ignore, out);
        }
        if let Some(earlier) = self.update_gossip.insert(shard, origin) {
            verdict(earlier, Verdict::Ignore, out);
        }
        out.push(Output::Run(Job::CheckUpdate(Box::new(update))));
    }

    pub(super) fn on_update_checked(
        &mut self,
        update: FinalityProof,
        valid: bool,
        out: &mut Vec<Output>,
    ) {
        if let Chain::Shard(shard) = update.header.chain
            && let Some(origin) = self.update_gossip.remove(&shard)
        {
            if valid {
                verdict(origin, Verdict::Accept, out)
            } else {
                reject(origin, "update", out)
            }
        }
        if let (Pool::Updates(pool), Chain::Shard(shard)) = (&mut self.pool, update.header.chain) {
            pool.checked(shard, update, valid);
        }
    }

    fn on_bundle_gossip(&mut self, origin: Origin, data: &[u8], out: &mut Vec<Output>) {
        match self.check_bundle(data) {
            Ok(checked) => self.queue_bundle(checked, Waiter::Gossip(origin.0), out),
            Err(_) => reject(origin, "bundle", out),
        }
    }

    pub(super) fn on_submit(&mut self, token: RequestToken, data: &[u8], out: &mut Vec<Output>) {
        match self.check_bundle(data) {
            Ok(checked) => self.queue_bundle(checked, Waiter::Client(token), out),
            Err(e) => out.push(Output::Submitted {
                token,
                result: Err(e),
            }),
        }
    }

    fn check_bundle(&self, data: &[u8]) -> Result<Arc<Checked>, SubmitError> {
        let bundle = Bundle::decode(data, BUNDLE_BYTES_MAX).map_err(|_| SubmitError::Malformed)?;
        let version = self
            .network
            .genesis()
            .version_at(self.ledger.head().header().epoch);
        let checked = stateless(Arc::new(bundle), self.network.rules(), version);
        checked.map(Arc::new).map_err(SubmitError::Rejected)
    }

    fn queue_bundle(&mut self, checked: Arc<Checked>, waiter: Waiter, out: &mut Vec<Output>) {
        let tx = checked.tx();
        let Pool::Bundles(pool) = &mut self.pool else {
            return;
        };
        if pool.mempool.contains(checked.hash()) {
            return answer(waiter, Ok(tx), Verdict::Ignore, out);
        }
        if !pool.enqueue(checked, waiter) {
            return answer(waiter, Err(SubmitError::Busy), Verdict::Ignore, out);
        }
        self.check_pool(out);
    }

    /// Starts a check when none runs.
    fn check_pool(&mut self, out: &mut Vec<Output>) {
        let view = Arc::clone(self.ledger.head());
        let mut moment = moment_of(view.header());
        moment.multiplier =
            quil_execution::fee::next_multiplier(moment.multiplier, view.effects().fullness);
        if let Some(last) = self.globals.last() {
            moment.now = moment.now.max(last.number);
        }
        let Pool::Bundles(pool) = &mut self.pool else {
            return;
        };
        if pool.checking {
            return;
        }
        let bundles = pool.batch();
        if bundles.is_empty() {
            return;
        }
        pool.checking = true;
        out.push(Output::Run(Job::Admit(Box::new(Admit {
            view,
            moment,
            bundles,
        }))));
    }

    pub(super) fn on_admitted(
        &mut self,
        verdicts: Vec<(Arc<Checked>, Result<(), Refusal>)>,
        out: &mut Vec<Output>,
    ) {
        if let Pool::Bundles(pool) = &mut self.pool {
            pool.checking = false;
        }
        let fault = verdicts.iter().find_map(|(_, result)| match result {
            // The store failed or is damaged; other faults are of the bundle's own making at worst.
            Err(Refusal::Fault(fault @ (StateFault::Unavailable | StateFault::Corrupt(_)))) => {
                Some(*fault)
            }
            _ => None,
        });
        if let Some(fault) = fault {
            return self.halt(LocalFault::from(fault).into(), out);
        }
        for (checked, result) in verdicts {
            self.admit(&checked, result, out);
        }
        self.check_pool(out);
    }

    fn admit(
        &mut self,
        checked: &Arc<Checked>,
        result: Result<(), Refusal>,
        out: &mut Vec<Output>,
    ) {
        let (hash, tx) = (checked.hash(), checked.tx());
        let Pool::Bundles(pool) = &mut self.pool else {
            return;
        };
        let waiters = pool.waiters(hash);
        let (result, gossip) = match result {
            Ok(()) => match pool.mempool.insert(Arc::clone(checked)) {
                Ok(_) => (Ok(tx), Verdict::Accept),
                Err(InsertError::Duplicate) => (Ok(tx), Verdict::Ignore),
                Err(InsertError::Conflict(_)) => (
                    Err(SubmitError::Rejected(Code::InputSpent)),
                    Verdict::Ignore,
                ),
                Err(_) => (Err(SubmitError::Busy), Verdict::Ignore),
            },
            Err(Refusal::Code(code)) => (Err(SubmitError::Rejected(code)), code_verdict(code)),
            Err(Refusal::Fault(_)) => (Err(SubmitError::Busy), Verdict::Ignore),
        };
        let from_client = waiters.iter().any(|w| matches!(w, Waiter::Client(_)));
        for waiter in waiters {
            answer(waiter, result, gossip, out);
        }
        if from_client && gossip == Verdict::Accept {
            let data = checked.bundle().encode();
            out.push(Output::Publish {
                class: Class::Bundle(self.chain),
                data,
            });
        }
    }
}

/// Whether a refused bundle is its sender's fault: a proof that fails was never good, while what depends on the
/// state may have been good where it came from.
const fn code_verdict(code: Code) -> Verdict {
    match code {
        Code::TxNetwork
        | Code::TxMalformed
        | Code::InputDuplicate
        | Code::OutputKeyReused
        | Code::SumUnbalanced
        | Code::MintAmountMismatch
        | Code::InputSignature
        | Code::OutputRange => Verdict::Reject,
        Code::TxExpired
        | Code::FeeLow
        | Code::TxReplayed
        | Code::InputUnknown
        | Code::InputSpent
        | Code::MintUnauthorised => Verdict::Ignore,
    }
}

fn answer(
    waiter: Waiter,
    result: Result<quil_types::TxId, SubmitError>,
    gossip: Verdict,
    out: &mut Vec<Output>,
) {
    out.push(match waiter {
        Waiter::Client(token) => Output::Submitted { token, result },
        Waiter::Gossip(token) => Output::Verdict {
            token,
            verdict: gossip,
        },
    });
}

/// What the deliverer of a refused envelope deserves.
fn admission_verdict(origin: Origin, reason: AdmissionError, out: &mut Vec<Output>) {
    match reason {
        // Late, repeated or of an epoch that is not known here: nobody's fault.
        AdmissionError::UnknownEpoch(_) | AdmissionError::Forgotten | AdmissionError::Repeated => {
            verdict(origin, Verdict::Ignore, out);
        }
        AdmissionError::WrongChain
        | AdmissionError::NotMember
        | AdmissionError::Position
        | AdmissionError::Author => reject(origin, "admission", out),
    }
}

fn verdict(origin: Origin, verdict: Verdict, out: &mut Vec<Output>) {
    out.push(Output::Verdict {
        token: origin.0,
        verdict,
    });
}

fn reject(origin: Origin, reason: &'static str, out: &mut Vec<Output>) {
    verdict(origin, Verdict::Reject, out);
    out.push(Output::Penalise {
        peer: origin.1,
        reason,
        detail: String::new(),
    });
}
