//! The simulated network.

mod life;
mod views;
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quil_engine::io::{BatchId, File, Halt, Input, Now, RequestToken, SubmitError, Write};
use quil_engine::{ChainEngine, Network};
use quil_hotstuff::KeyedScheme;
use quil_types::{
    Canonical, Chain, Epoch, FrameId, FrameNumber, Millis, Rank, ShardAddr, ShardRow, Timestamp,
    TxId,
};

use crate::costs::Costs;
use crate::genesis::{START_MS, SimGenesis, sim_genesis};
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

    fn chain(&self, id: EngineId) -> Chain {
        match (id.core, self.network.genesis().shards.first()) {
            (1.., Some(shard)) => Chain::Shard(shard.addr),
            _ => Chain::Global,
        }
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
}
