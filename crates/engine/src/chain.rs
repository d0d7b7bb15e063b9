//! The engine of one chain: consensus core, execution, state and reel, joined.
//!
//! ```text
//!  gossip --> intake --> core --Validate--> judge --(job)--> verdict --> core
//!                         |  \--Build-----> build --(job)--> draft ---> core
//!                         |  \--Finalised-> finality --(commit job, one durable batch)--> event
//!                         \----Verify / Persist / Broadcast --> driver
//! ```
//!
//! Every module below adds one arrow. Nothing here blocks: what takes more than a millisecond is a [`Job`].

mod build;
mod catchup;
mod finality;
mod intake;
mod judge;
mod outputs;
mod reel;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quil_hotstuff::{Admission, Core, EpochRule, Scheme};
use quil_types::{
    Chain, ConsensusMessage, Epoch, EpochProof, FrameId, Header, MemberIndex, Millis, Rank,
};

use crate::beacons::Beacons;
use crate::identity::Identity;
use crate::io::{BatchId, Event, File, Halt, Input, Now, Output, RequestToken, Write};
use crate::jobs::{Job, JobOutcome};
use crate::ledger::Ledger;
use crate::network::Network;
use crate::pool::{BundlePool, UpdatePool};
use crate::snapshot::Snapshot;
use crate::window::GlobalWindow;

use build::Building;
use catchup::CatchUp;
use judge::Judging;

pub use finality::TxPosition;

/// What happens when a batch is durable.
#[derive(Debug)]
enum After {
    /// The core waits for it.
    Core(quil_hotstuff::RecordId),
    /// The front of the final queue is on disk.
    Final(Arc<Snapshot>),
    /// Nobody waits.
    Nothing,
}

/// Position and identity of a stored proposal.
pub(crate) type CandidateKey = (Epoch, Rank, FrameId);

/// Where a proposal is stored.
pub(crate) fn candidate_key(header: &Header) -> CandidateKey {
    (header.epoch, header.rank, header.id())
}

/// What waits to be ordered.
#[derive(Debug)]
enum Pool {
    Bundles(Box<BundlePool>),
    Updates(UpdatePool),
}

/// See the module documentation.
#[derive(Debug)]
pub struct ChainEngine<S: Scheme> {
    network: Arc<Network>,
    chain: Chain,
    identity: Identity,
    core: Core<S>,
    admission: Admission,
    rule: EpochRule,
    ledger: Ledger,
    pool: Pool,
    beacons: Option<Beacons>,
    globals: GlobalWindow,
    judging: BTreeMap<FrameId, Judging>,
    building: Option<Building>,
    catch_up: CatchUp,
    fetches: BTreeMap<RequestToken, Vec<FrameId>>,
    batches: BTreeMap<BatchId, After>,
    pending: VecDeque<quil_hotstuff::Input>,
    /// Stored proposals.
    candidates: BTreeSet<CandidateKey>,
    /// Given to the core at the start.
    closing: Option<Box<EpochProof>>,
    counter: u64,
    attempts: u32,
    core_deadline: Option<Millis>,
    deadline: Option<Millis>,
    sealing: bool,
    halted: bool,
    /// The beacon from gossip whose check runs: its forwarding waits for the result.
    update_gossip: BTreeMap<quil_types::ShardAddr, (crate::io::GossipToken, quil_types::PeerKey)>,
    beacon_gossip: Option<(
        (crate::io::GossipToken, quil_types::PeerKey),
        quil_types::BeaconWitness,
    )>,
}

/// Parts that a new engine is made of; [`recover()`](crate::recover()) reads them from the store.
#[derive(Debug)]
pub struct Parts<S: Scheme> {
    /// The network.
    pub network: Arc<Network>,
    /// The chain.
    pub chain: Chain,
    /// Keys of this process.
    pub identity: Identity,
    /// The recovered core.
    pub core: Core<S>,
    /// The last final state and what is near it.
    pub ledger: Ledger,
    /// The reel; global chain only.
    pub beacons: Option<Beacons>,
    /// Final global headers; shards only.
    pub globals: GlobalWindow,
    /// Proposals in the store.
    pub candidates: BTreeSet<(Epoch, Rank, FrameId)>,
    /// A proof that the epoch of the last final state is closed, by a frame above it.
    pub closing: Option<Box<EpochProof>>,
}

impl<S: Scheme> ChainEngine<S> {
    /// Puts an engine together. The first input must be [`Input::Start`].
    #[must_use]
    pub fn new(parts: Parts<S>) -> Self {
        let rule = EpochRule::new(parts.network.genesis().epoch_frames);
        let admission = Admission::new(parts.chain);
        Self {
            pool: match parts.chain {
                Chain::Global => Pool::Updates(UpdatePool::default()),
                Chain::Shard(_) => Pool::Bundles(Box::default()),
            },
            network: parts.network,
            chain: parts.chain,
            identity: parts.identity,
            core: parts.core,
            admission,
            rule,
            ledger: parts.ledger,
            beacons: parts.beacons,
            globals: parts.globals,
            judging: BTreeMap::new(),
            building: None,
            catch_up: CatchUp::default(),
            fetches: BTreeMap::new(),
            batches: BTreeMap::new(),
            pending: VecDeque::new(),
            candidates: parts.candidates,
            closing: parts.closing,
            counter: 0,
            attempts: 0,
            core_deadline: None,
            deadline: None,
            sealing: false,
            halted: false,
            update_gossip: BTreeMap::new(),
            beacon_gossip: None,
        }
    }

    /// The chain.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// States that are kept, for queries.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// One input, outputs in order. A halted engine answers nothing.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        if self.halted {
            return;
        }
        match input {
            Input::Start => self.start(now, out),
            Input::Gossip {
                token,
                from,
                class,
                data,
            } => self.on_gossip(now, (token, from), class, &data, out),
            Input::Submit { token, data } => self.on_submit(token, &data, out),
            Input::Done(outcome) => self.on_done(now, outcome, out),
            Input::Persisted(batch) => self.on_persisted(now, batch, out),
            Input::Deadline => self.on_deadline(now, out),
            Input::Fetched {
                from,
                token,
                response,
            } => self.on_fetched(now, from, token, response, out),
            Input::GlobalFinal(header) => self.on_global_final(now, *header, out),
        }
        self.run_core(now, out);
        self.set_deadline(out);
    }

    fn start(&mut self, now: Now, out: &mut Vec<Output>) {
        // Attempts of one author must grow across its restarts (admission remembers the highest): seconds of the wall
        // clock are above every count of an earlier life.
        self.attempts = u32::try_from(now.wall.get() / 1_000).unwrap_or(u32::MAX);
        self.give_committees(self.ledger.last().header().epoch);
        self.pending.push_back(quil_hotstuff::Input::Start);
        if let Some(proof) = self.closing.take() {
            // As if a member had sent it: the core checks it and fetches what is missing.
            self.pending.push_back(quil_hotstuff::Input::Message {
                author: MemberIndex::default(),
                message: ConsensusMessage::EpochProof(proof),
            });
        }
        self.aim_reel(now, out);
    }

    fn on_done(&mut self, now: Now, outcome: JobOutcome, out: &mut Vec<Output>) {
        match outcome {
            JobOutcome::Consensus(outcome) => self
                .pending
                .push_back(quil_hotstuff::Input::Checked(outcome)),
            JobOutcome::Judged { id, result } => self.on_judged(now, id, result, out),
            JobOutcome::Built { ticket, result } => self.on_built(now, ticket, result, out),
            JobOutcome::Committed(result) => self.on_committed(now, &result, out),
            JobOutcome::Admitted(verdicts) => self.on_admitted(verdicts, out),
            JobOutcome::Solved(witness) => self.on_solved(now, witness, out),
            JobOutcome::BeaconChecked { witness, valid } => {
                self.on_beacon_checked(now, witness, valid, out)
            }
            JobOutcome::UpdateChecked { update, valid } => {
                self.on_update_checked(*update, valid, out)
            }
            JobOutcome::Replayed(result) => self.on_replayed(now, result, out),
        }
    }

    fn on_persisted(&mut self, now: Now, batch: BatchId, out: &mut Vec<Output>) {
        match self.batches.remove(&batch) {
            Some(After::Core(record)) => self
                .pending
                .push_back(quil_hotstuff::Input::Persisted(record)),
            Some(After::Final(snapshot)) => self.on_sealed(now, snapshot, out),
            Some(After::Nothing) | None => {}
        }
    }

    fn on_deadline(&mut self, now: Now, out: &mut Vec<Output>) {
        self.deadline = None;
        if self.core_deadline.is_some_and(|at| at <= now.tick) {
            self.core_deadline = None;
            self.pending.push_back(quil_hotstuff::Input::Deadline);
        }
        self.try_build(now, out);
        self.retry_catch_up(now, out);
    }

    /// Asks for the earliest of all deadlines when it changed.
    fn set_deadline(&mut self, out: &mut Vec<Output>) {
        let build = self.building.as_ref().and_then(Building::due);
        let wanted = [self.core_deadline, build, self.catch_up.due()]
            .into_iter()
            .flatten()
            .min();
        if let Some(at) = wanted.filter(|_| wanted != self.deadline) {
            out.push(Output::Deadline(at));
        }
        self.deadline = wanted;
    }

    const fn next_id(&mut self) -> u64 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }

    fn persist(&mut self, file: File, writes: Vec<Write>, after: After, out: &mut Vec<Output>) {
        let id = BatchId(self.next_id());
        self.batches.insert(id, after);
        out.push(Output::Persist { id, file, writes });
    }

    fn halt(&mut self, reason: Halt, out: &mut Vec<Output>) {
        self.halted = true;
        out.push(Output::Halt(reason));
    }

    fn commit_soon(snapshot: &Arc<Snapshot>, out: &mut Vec<Output>) {
        if snapshot.roots().is_none() {
            out.push(Output::Run(Job::Commit(Arc::clone(snapshot))));
        }
    }

    fn event(event: Event, out: &mut Vec<Output>) {
        out.push(Output::Event(event));
    }
}
