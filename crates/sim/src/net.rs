//! The simulated network.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quil_engine::io::{
    BatchId, Class, Event, File, GossipToken, Halt, Input, Now, Output, RequestToken, SubmitError,
    Write,
};
use quil_engine::jobs::Job;
use quil_engine::state::StateSource;
use quil_engine::tables::Table;
use quil_engine::{ChainEngine, Consensus, Identity, Network, Snapshot, queries, recover};
use quil_hotstuff::KeyedScheme;
use quil_types::hash::h_bytes;
use quil_types::{
    Canonical, Chain, Epoch, FrameId, FrameNumber, FramesRequest, Millis, PeerKey, Rank,
    SettlementMessage, ShardAddr, ShardRow, Timestamp, TxId, tags,
};

use crate::costs::Costs;
use crate::genesis::{START_MS, SimGenesis, peer_secret, signer, sim_genesis};
use crate::rng::Dice;
use crate::store::MemoryTables;

/// A killed process starts again within this time, milliseconds.
const RESTART_MS: u64 = 4_000;

/// One engine: a node's master (core 0) or its worker (core 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineId {
    /// The node.
    pub node: u16,
    /// 0 for the master.
    pub core: u16,
}

/// What goes wrong, all in milliseconds or per mille.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Least latency of a message.
    pub latency_ms: u64,
    /// Added at random.
    pub jitter_ms: u64,
    /// Messages lost.
    pub loss_per_mille: u64,
    /// Time of a durable write.
    pub disk_ms: u64,
    /// Time of a job.
    pub cpu_ms: u64,
    /// Nodes that hear only each other, when not empty.
    pub island: BTreeSet<u16>,
    /// Durable writes at which the process that writes is killed, before or after the write; it starts again within a
    /// few seconds. Never processes of two nodes at once.
    pub crash_per_mille: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            latency_ms: 5,
            jitter_ms: 20,
            loss_per_mille: 0,
            disk_ms: 3,
            cpu_ms: 10,
            island: BTreeSet::new(),
            crash_per_mille: 0,
        }
    }
}

/// What an observer saw.
#[derive(Clone, Debug)]
pub enum Observation {
    /// A frame became final.
    Final(EngineId, FrameNumber, FrameId),
    /// A shard frame is recorded in a final global frame.
    Settled(EngineId, ShardAddr, Box<ShardRow>),
    /// A submitted bundle was answered.
    Answer(RequestToken, Result<TxId, SubmitError>),
    /// An engine whose disk was broken on purpose stopped.
    Halted(EngineId, Halt),
    /// A process was killed at a durable write.
    Killed(EngineId),
}

struct Process {
    /// Of its own: a process shares no verdicts with others.
    network: Arc<Network>,
    engine: Option<ChainEngine<KeyedScheme>>,
    disk: MemoryTables,
    safety: MemoryTables,
    /// Life number: what was under way for an earlier life never arrives.
    life: u32,
    started_at: u64,
    deadline: Option<u64>,
    /// Highest final global frame that a worker got from its master in this life.
    handed: FrameNumber,
}

enum Happening {
    Input(EngineId, u32, Box<Input>),
    Disk(EngineId, u32, BatchId, File, Vec<Write>),
    Timer(EngineId, u32, u64),
    Restart(EngineId),
}

/// A whole network. See the crate documentation.
pub struct SimNet {
    network: Arc<Network>,
    processes: BTreeMap<EngineId, Process>,
    queue: BTreeMap<(u64, u64), Happening>,
    now_ms: u64,
    sequence: u64,
    dice: Dice,
    /// What goes wrong from now on.
    pub faults: Faults,
    trace: [u8; 32],
    votes: BTreeMap<(EngineId, Epoch, Rank), FrameId>,
    finals: BTreeMap<(Chain, FrameNumber), FrameId>,
    seen: VecDeque<Observation>,
    gossip: u64,
    costs: Costs,
}

impl core::fmt::Debug for SimNet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SimNet")
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

impl SimNet {
    /// A network of `nodes` masters, each with a worker, one-second frames and long epochs.
    #[must_use]
    pub fn new(seed: u64, nodes: u16) -> Self {
        Self::with(
            seed,
            &SimGenesis {
                nodes,
                interval_ms: 1_000,
                epoch_frames: 1 << 20,
                authority: [0; 56],
            },
        )
    }

    /// A network of choice.
    #[must_use]
    pub fn with(seed: u64, choice: &SimGenesis) -> Self {
        let genesis = sim_genesis(choice);
        let kzg = quil_kzg::Kzg::insecure_shared();
        let mut net = Self {
            network: Arc::new(Network::unchecked(genesis, kzg)),
            processes: BTreeMap::new(),
            queue: BTreeMap::new(),
            now_ms: 0,
            sequence: 0,
            dice: Dice::new(seed),
            faults: Faults::default(),
            trace: [0; 32],
            votes: BTreeMap::new(),
            finals: BTreeMap::new(),
            seen: VecDeque::new(),
            gossip: 0,
            costs: Costs::default(),
        };
        for node in 0..choice.nodes {
            for core in 0..2 {
                net.add(EngineId { node, core });
            }
        }
        net
    }

    /// The network's constants.
    #[must_use]
    pub const fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Virtual milliseconds since the start.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Digest of everything that happened so far: equal for equal seeds.
    #[must_use]
    pub const fn trace(&self) -> [u8; 32] {
        self.trace
    }

    /// Real time spent so far.
    #[must_use]
    pub const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Starts measuring again.
    pub fn reset_costs(&mut self) {
        self.costs = Costs::default();
    }

    /// Where an executed bundle stands in the final frames of a process.
    #[must_use]
    pub fn transaction(&self, id: EngineId, tx: TxId) -> Option<quil_engine::TxPosition> {
        let process = self.processes.get(&id)?;
        let found = queries::transaction(&process.disk, tx);
        found.ok().flatten().map(|(position, _)| position)
    }

    fn chain(&self, id: EngineId) -> Chain {
        match (id.core, self.network.genesis().shards.first()) {
            (1.., Some(shard)) => Chain::Shard(shard.addr),
            _ => Chain::Global,
        }
    }

    fn add(&mut self, id: EngineId) {
        let process = Process {
            network: Arc::new(Network::unchecked(
                self.network.genesis().clone(),
                Arc::clone(self.network.kzg()),
            )),
            engine: None,
            disk: MemoryTables::default(),
            safety: MemoryTables::default(),
            life: 0,
            started_at: 0,
            deadline: None,
            handed: FrameNumber::ZERO,
        };
        self.processes.insert(id, process);
        self.start(id);
    }

    /// Starts a process from its disk.
    ///
    /// # Panics
    /// When it does not start: a defect of the code under test.
    #[expect(
        clippy::panic,
        reason = "a simulation that cannot go on has found a defect"
    )]
    pub fn start(&mut self, id: EngineId) {
        let chain = self.chain(id);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let prover = self
            .network
            .genesis()
            .committee
            .get(usize::from(id.node))
            .map(|p| p.id());
        let key = signer(id.node, id.core);
        let identity = Identity::new(
            &peer_secret(id.node, id.core),
            Some(key.public()),
            prover.unwrap_or_default(),
        );
        let safety = process.safety.value(Table::Safety, b"record");
        let consensus = Consensus {
            scheme: KeyedScheme,
            signer: Some(Arc::new(key.clone())),
            key: Some(key.public()),
            // Simulated disks lose nothing, so a missing record means that nothing was signed.
            fresh_key: safety.is_none(),
            safety,
        };
        let source: Arc<dyn StateSource> = Arc::new(process.disk.clone());
        let started = recover(
            &process.network,
            chain,
            identity,
            consensus,
            &process.disk,
            &source,
        );
        let (engine, writes) = started.unwrap_or_else(|e| panic!("{id:?} does not start: {e}"));
        process.disk.apply(writes);
        process.engine = Some(engine);
        process.life = process.life.saturating_add(1);
        process.started_at = self.now_ms;
        process.deadline = None;
        process.handed = FrameNumber::ZERO;
        let life = process.life;
        self.at(0, Happening::Input(id, life, Box::new(Input::Start)));
        if id.core > 0 {
            self.hand_down(id.node);
        }
    }

    /// A worker gets the final global headers that its master has on disk, each once per life.
    fn hand_down(&mut self, node: u16) {
        let (master, worker) = (EngineId { node, core: 0 }, EngineId { node, core: 1 });
        let (Some(from), Some(above)) = (
            self.processes.get(&worker).map(|p| p.handed.next()),
            self.processes.get(&master),
        ) else {
            return;
        };
        let disk = above.disk.clone();
        let mut number = from;
        while let Ok(Some(frame)) = queries::frame(&disk, number) {
            self.deliver(worker, 1, Input::GlobalFinal(Box::new(frame.header)));
            if let Some(process) = self.processes.get_mut(&worker) {
                process.handed = number;
            }
            number = number.next();
        }
    }

    /// Kills a process: memory and writes under way are lost.
    pub fn crash(&mut self, id: EngineId) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.engine = None;
            process.life = process.life.saturating_add(1);
        }
    }

    /// From now on no read of the state of a process succeeds.
    pub fn break_disk(&mut self, id: EngineId) {
        if let Some(process) = self.processes.get(&id) {
            process.disk.break_reads();
        }
    }

    /// The frame that a process voted for at each epoch and rank.
    pub fn votes(&self, id: EngineId) -> impl Iterator<Item = &FrameId> {
        let own = self.votes.iter().filter(move |((by, ..), _)| *by == id);
        own.map(|(_, frame)| frame)
    }

    /// Processes killed at a durable write so far.
    #[must_use]
    pub fn killed(&self) -> usize {
        let kills = |o: &&Observation| matches!(o, Observation::Killed(_));
        self.seen.iter().filter(kills).count()
    }

    /// Whether every process runs.
    #[must_use]
    pub fn all_run(&self) -> bool {
        self.processes.values().all(|p| p.engine.is_some())
    }

    /// Kills a whole node.
    pub fn crash_node(&mut self, node: u16) {
        self.crash(EngineId { node, core: 0 });
        self.crash(EngineId { node, core: 1 });
    }

    /// Starts a whole node.
    pub fn start_node(&mut self, node: u16) {
        self.start(EngineId { node, core: 0 });
        self.start(EngineId { node, core: 1 });
    }

    fn at(&mut self, delay_ms: u64, happening: Happening) {
        self.sequence = self.sequence.saturating_add(1);
        self.queue.insert(
            (self.now_ms.saturating_add(delay_ms), self.sequence),
            happening,
        );
    }

    fn deliver(&mut self, id: EngineId, delay_ms: u64, input: Input) {
        let Some(life) = self
            .processes
            .get(&id)
            .filter(|p| p.engine.is_some())
            .map(|p| p.life)
        else {
            return;
        };
        self.at(delay_ms, Happening::Input(id, life, Box::new(input)));
    }

    /// Runs until `done` holds or `limit_ms` of virtual time have passed; tells whether it held.
    pub fn run_until(&mut self, limit_ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now_ms.saturating_add(limit_ms);
        while !done(self) {
            let Some(((at, _), happening)) = self.queue.pop_first() else {
                return false;
            };
            if at > end {
                self.queue.insert((at, 0), happening);
                self.now_ms = end;
                return done(self);
            }
            self.now_ms = at;
            self.happen(happening);
        }
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input(id, life, input) => self.input(id, life, *input),
            Happening::Disk(id, life, batch, file, writes) => {
                self.write(id, life, batch, (file, writes))
            }
            Happening::Restart(id) => {
                let down = self.processes.get(&id).is_some_and(|p| p.engine.is_none());
                if down {
                    self.start(id);
                }
            }
            Happening::Timer(id, life, at) => {
                let due = self
                    .processes
                    .get(&id)
                    .is_some_and(|p| p.life == life && p.deadline == Some(at));
                if due {
                    self.input(id, life, Input::Deadline);
                }
            }
        }
    }

    /// A batch reaches the disk, unless the process is killed right before.
    fn write(&mut self, id: EngineId, life: u32, batch: BatchId, what: (File, Vec<Write>)) {
        let alive = |p: &&mut Process| p.life == life && p.engine.is_some();
        if self.processes.get_mut(&id).filter(alive).is_none() {
            return;
        }
        let killed = self.may_die(id) && self.dice.per_mille(self.faults.crash_per_mille);
        let before = killed && self.dice.per_mille(500);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if !before {
            match what {
                (File::Safety, writes) => process.safety.apply(writes),
                (File::State, writes) => process.disk.apply(writes),
            }
        }
        if !killed {
            return self.input(id, life, Input::Persisted(batch));
        }
        self.seen.push_back(Observation::Killed(id));
        self.crash(id);
        let pause = self.dice.below(RESTART_MS);
        self.at(pause, Happening::Restart(id));
    }

    /// Whether all processes of other nodes run.
    fn may_die(&self, id: EngineId) -> bool {
        let mut others = self.processes.iter().filter(|(o, _)| o.node != id.node);
        others.all(|(_, p)| p.engine.is_some())
    }

    fn input(&mut self, id: EngineId, life: u32, input: Input) {
        let Some(process) = self.processes.get_mut(&id).filter(|p| p.life == life) else {
            return;
        };
        let now = Now {
            tick: Millis::new(self.now_ms.saturating_sub(process.started_at)),
            wall: Timestamp::new(START_MS.saturating_add(self.now_ms)),
        };
        if matches!(input, Input::Deadline) {
            process.deadline = None;
        }
        let Some(engine) = &mut process.engine else {
            return;
        };
        let mut outputs = Vec::new();
        let label = input.label();
        self.costs.time(id.core, "handle", label, || {
            engine.handle(now, input, &mut outputs)
        });
        for output in outputs {
            self.output(id, life, output);
        }
    }

    #[expect(
        clippy::panic,
        reason = "a halted engine is a defect of the code under test"
    )]
    fn output(&mut self, id: EngineId, life: u32, output: Output) {
        match output {
            Output::Persist {
                id: batch,
                file,
                writes,
            } => {
                self.at(
                    self.faults.disk_ms,
                    Happening::Disk(id, life, batch, file, writes),
                );
            }
            Output::Publish { class, data } => self.publish(id, class, &data),
            Output::Run(job) => self.run(id, job),
            Output::Deadline(at) => {
                let Some(process) = self.processes.get_mut(&id) else {
                    return;
                };
                let at = at.get().saturating_add(process.started_at);
                process.deadline = Some(at);
                self.at(
                    at.saturating_sub(self.now_ms),
                    Happening::Timer(id, life, at),
                );
            }
            Output::Fetch {
                token,
                request,
                hint,
            } => self.fetch(id, token, &request, hint),
            Output::Submitted { token, result } => {
                self.seen.push_back(Observation::Answer(token, result))
            }
            Output::Event(event) => self.event(id, event),
            Output::Halt(reason) => {
                let expected = self.processes.get(&id).is_some_and(|p| p.disk.is_broken());
                if !expected {
                    panic!("{id:?} halted: {reason}");
                }
                self.crash(id);
                self.seen.push_back(Observation::Halted(id, reason));
            }
            Output::Verdict { .. } | Output::CancelSolve | Output::Penalise { .. } => {}
        }
    }

    fn run(&mut self, id: EngineId, job: Job) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let network = &process.network;
        let outcome = self.costs.time(id.core, "job", job.label(), || {
            job.run(network, &KeyedScheme, &|| false)
        });
        self.deliver(id, self.faults.cpu_ms, Input::Done(outcome));
    }

    fn reaches(&mut self, from: EngineId, to: EngineId) -> bool {
        let apart =
            self.faults.island.contains(&from.node) != self.faults.island.contains(&to.node);
        !apart && !self.dice.per_mille(self.faults.loss_per_mille)
    }

    fn link_ms(&mut self) -> u64 {
        self.faults
            .latency_ms
            .saturating_add(self.dice.below(self.faults.jitter_ms.saturating_add(1)))
    }

    fn peer(&self, id: EngineId) -> PeerKey {
        Identity::new(
            &peer_secret(id.node, id.core),
            None,
            quil_types::ProverId::ZERO,
        )
        .peer()
    }

    /// Gossip reaches everybody whose chain it concerns; the sender hears nothing of its own.
    fn publish(&mut self, from: EngineId, class: Class, data: &[u8]) {
        let mut record = self.trace.to_vec();
        record.extend_from_slice(&self.now_ms.to_le_bytes());
        record.extend_from_slice(data);
        self.trace = h_bytes(tags::GOSSIP, &record);
        let peer = self.peer(from);
        let all: Vec<EngineId> = self.processes.keys().copied().collect();
        for to in all {
            let concerned = match class {
                Class::Consensus(c) | Class::FinalFrame(c) | Class::Bundle(c) => {
                    self.chain(to) == c
                }
                Class::Settlement => to.core == 0,
            };
            if to != from && concerned && self.reaches(from, to) {
                self.gossip = self.gossip.saturating_add(1);
                let token = GossipToken(self.gossip);
                let delay = self.link_ms();
                self.deliver(
                    to,
                    delay,
                    Input::Gossip {
                        token,
                        from: peer,
                        class,
                        data: data.to_vec(),
                    },
                );
            }
        }
    }

    fn fetch(
        &mut self,
        id: EngineId,
        token: RequestToken,
        request: &FramesRequest,
        hint: Option<PeerKey>,
    ) {
        let chain = self.chain(id);
        let others: Vec<EngineId> = self
            .processes
            .iter()
            .filter(|(to, p)| **to != id && to.core == id.core && p.engine.is_some())
            .map(|(to, _)| *to)
            .collect();
        let hinted = others
            .iter()
            .copied()
            .find(|to| Some(self.peer(*to)) == hint);
        let n = u64::try_from(others.len()).unwrap_or(1);
        let pick = usize::try_from(self.dice.below(n)).unwrap_or(0);
        let Some(to) = hinted.or_else(|| others.get(pick).copied()) else {
            return;
        };
        let delay = self.link_ms().saturating_add(self.link_ms());
        if !self.reaches(id, to) {
            return self.deliver(
                id,
                delay.saturating_add(1_000),
                Input::Fetched {
                    from: None,
                    token,
                    response: None,
                },
            );
        }
        let Some(process) = self.processes.get(&to) else {
            return;
        };
        let response = queries::serve(&process.disk, chain, request).ok();
        let from = Some(self.peer(to));
        self.deliver(
            id,
            delay,
            Input::Fetched {
                from,
                token,
                response,
            },
        );
    }

    #[expect(
        clippy::panic,
        reason = "a broken invariant is what simulations look for"
    )]
    fn event(&mut self, id: EngineId, event: Event) {
        match event {
            Event::Final { header, proof, .. } => {
                let (chain, number, frame) = (header.chain, header.number, header.id());
                let agreed = *self.finals.entry((chain, number)).or_insert(frame);
                assert!(
                    agreed == frame,
                    "{id:?} finalised another frame {number} of {chain}"
                );
                self.seen.push_back(Observation::Final(id, number, frame));
                if id.core == 0 {
                    self.hand_down(id.node);
                } else if let Some(proof) = proof {
                    self.hand_up(id, &SettlementMessage::Update(proof).encode());
                }
            }
            Event::Settled { shard, row } => {
                let known = self.finals.get(&(Chain::Shard(shard), row.height));
                assert!(
                    known == Some(&row.id),
                    "{id:?} settled another frame {} of {shard} than {known:?}",
                    row.height
                );
                self.seen.push_back(Observation::Settled(id, shard, row))
            }
            Event::Voted {
                epoch,
                rank,
                id: frame,
            } => {
                let first = *self.votes.entry((id, epoch, rank)).or_insert(frame);
                if first != frame {
                    panic!("{id:?} voted twice at epoch {epoch}, rank {rank}");
                }
            }
            Event::Head { .. }
            | Event::Included { .. }
            | Event::RankFailed { .. }
            | Event::Equivocation(_) => {}
        }
    }

    /// A worker tells its master that a frame is final; the master publishes it.
    fn hand_up(&mut self, worker: EngineId, data: &[u8]) {
        let master = EngineId { core: 0, ..worker };
        self.gossip = self.gossip.saturating_add(1);
        let token = GossipToken(self.gossip);
        let from = self.peer(worker);
        self.deliver(
            master,
            1,
            Input::Gossip {
                token,
                from,
                class: Class::Settlement,
                data: data.to_vec(),
            },
        );
        self.publish(master, Class::Settlement, data);
    }

    /// Submits a bundle to a node's worker; the answer is an [`Observation`].
    pub fn submit(&mut self, node: u16, bundle: &quil_types::Bundle) -> RequestToken {
        self.gossip = self.gossip.saturating_add(1);
        let token = RequestToken(self.gossip);
        self.deliver(
            EngineId { node, core: 1 },
            1,
            Input::Submit {
                token,
                data: bundle.encode(),
            },
        );
        token
    }

    /// What was seen so far, oldest first.
    #[must_use]
    pub const fn observations(&self) -> &VecDeque<Observation> {
        &self.seen
    }

    /// Identity of a final frame on the disk of a process.
    #[must_use]
    pub fn final_frame(&self, id: EngineId, number: FrameNumber) -> Option<FrameId> {
        let process = self.processes.get(&id)?;
        let frame = queries::frame(&process.disk, number);
        frame.ok().flatten().map(|f| f.header.id())
    }

    /// Number of rows in a table of a process.
    #[must_use]
    pub fn rows(&self, id: EngineId, table: Table) -> usize {
        self.processes.get(&id).map_or(0, |p| p.disk.count(table))
    }

    /// Last final frame of a process; `None` while it is down.
    #[must_use]
    pub fn final_number(&self, id: EngineId) -> Option<FrameNumber> {
        self.processes
            .get(&id)?
            .engine
            .as_ref()
            .map(|e| e.ledger().last().number())
    }

    /// The last final state of a process.
    #[must_use]
    pub fn state(&self, id: EngineId) -> Option<Arc<Snapshot>> {
        self.processes
            .get(&id)?
            .engine
            .as_ref()
            .map(|e| Arc::clone(e.ledger().last()))
    }

    /// Last final number of every running process.
    #[must_use]
    pub fn finals_of_all(&self) -> Vec<(EngineId, FrameNumber)> {
        let running = self.processes.iter();
        let running = running.filter_map(|(id, p)| Some((*id, p.engine.as_ref()?)));
        running
            .map(|(id, e)| (id, e.ledger().last().number()))
            .collect()
    }

    /// Lowest final number over all running processes.
    #[must_use]
    pub fn final_number_everywhere(&self) -> u64 {
        let running = self.processes.values().filter_map(|p| p.engine.as_ref());
        running
            .map(|e| e.ledger().last().number().get())
            .min()
            .unwrap_or(0)
    }

    /// Lowest final number over the running processes of one kind.
    #[must_use]
    pub fn final_number_of(&self, core: u16) -> u64 {
        let running = self
            .processes
            .iter()
            .filter(|(id, _)| id.core == core)
            .filter_map(|(_, p)| p.engine.as_ref());
        running
            .map(|e| e.ledger().last().number().get())
            .min()
            .unwrap_or(0)
    }

    /// Every pair of processes of one chain agrees on every final frame that both have on disk, and on its state.
    ///
    /// # Panics
    /// When two differ.
    pub fn check_agreement(&self) {
        let mut states: BTreeMap<(Chain, FrameNumber), (FrameId, Option<quil_engine::Roots>)> =
            BTreeMap::new();
        for (id, process) in &self.processes {
            let Some(engine) = &process.engine else {
                continue;
            };
            for snapshot in engine.ledger().history() {
                let key = (self.chain(*id), snapshot.number());
                let value = (snapshot.id(), snapshot.roots());
                let first = states.entry(key).or_insert(value);
                assert!(*first == value, "{id:?} differs at {key:?}");
            }
        }
    }
}
