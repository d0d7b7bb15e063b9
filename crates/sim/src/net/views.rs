//! What an observer sees.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use quil_engine::tables::Table;
use quil_engine::{Network, Snapshot, queries};
use quil_types::{Chain, FrameId, FrameNumber, TxId};

use super::{EngineId, Observation, SimNet};
use crate::costs::Costs;

impl SimNet {
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
