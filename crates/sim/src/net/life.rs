//! Processes that start, die and start again.

use std::sync::Arc;

use quil_engine::io::{BatchId, File, Input, Write};
use quil_engine::state::StateSource;
use quil_engine::tables::Table;
use quil_engine::{Consensus, Identity, Network, queries, recover};
use quil_hotstuff::KeyedScheme;
use quil_types::FrameNumber;

use super::{EngineId, Happening, Observation, Process, RESTART_MS, SimNet};
use crate::genesis::{peer_secret, signer};
use crate::store::MemoryTables;

impl SimNet {
    pub(super) fn add(&mut self, id: EngineId) {
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
    pub(super) fn hand_down(&mut self, node: u16) {
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

    /// A batch reaches the disk, unless the process is killed right before.
    pub(super) fn write(
        &mut self,
        id: EngineId,
        life: u32,
        batch: BatchId,
        what: (File, Vec<Write>),
    ) {
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
    pub(super) fn may_die(&self, id: EngineId) -> bool {
        let mut others = self.processes.iter().filter(|(o, _)| o.node != id.node);
        others.all(|(_, p)| p.engine.is_some())
    }
}
