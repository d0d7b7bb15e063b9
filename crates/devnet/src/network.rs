//! A network of processes: made, started, watched, stopped.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quil_types::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroizing;

use crate::calibrate;
use crate::error::DevnetError;
use crate::folder::{self, absolute};
use crate::genesis::{Blueprint, Moment};
use crate::launch::{Program, log_tail};
use crate::plan::{Choice, DevnetPlan};
use crate::ports;
use crate::process::{ProcessId, wait_ended};
use crate::ready::{Ask, Standing, missing};
use crate::record::{Lock, NodeRecord, Record};

/// Masters get this long to stop their workers and themselves before they are killed.
pub const STOP_GRACE: Duration = Duration::from_secs(10);
/// A killed process is gone after this long, whatever it was doing.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// Workers end by themselves this soon after their master (W4).
pub const ORPHAN_GRACE: Duration = Duration::from_secs(5);
/// Pause between two questions to the nodes.
const POLL: Duration = Duration::from_millis(150);

/// What became of a node that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ended when it was asked to.
    InOrder,
    /// It had to be killed, or one of its workers.
    Killed,
    /// It was not running.
    NotRunning,
}

impl Stopped {
    /// The word users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "stopped",
            Self::Killed => "killed",
            Self::NotRunning => "was not running",
        }
    }
}

/// A network whose processes are children of this one. When it is dropped they are stopped, unless it was
/// [kept](Self::keep).
#[derive(Debug)]
pub struct Devnet {
    dir: PathBuf,
    record: Record,
    program: Program,
    children: Vec<Option<Child>>,
    keep: bool,
    lock: Option<Lock>,
}

impl Devnet {
    /// Makes a network in an empty or new folder, or opens the stopped one that is there. Nothing is started. Cost: some
    /// seconds for a new one.
    ///
    /// # Errors
    /// [`DevnetError::Running`], [`DevnetError::Busy`], [`DevnetError::Foreign`], [`DevnetError::Differs`] and those of
    /// making one; what was written of a network that could not be made is removed.
    pub fn open(dir: &Path, choice: &Choice, program: Program) -> Result<Self, DevnetError> {
        let dir = absolute(dir)?;
        // Before anything is touched: numbers that no network can have.
        let plan = DevnetPlan::with(choice)?;
        folder::folder(&dir)?;
        let lock = Lock::take(&dir)?;
        let record = match Record::load(&dir)? {
            Some(record) => resume(&dir, record, choice)?,
            None if lock.is_alone()? => create(&dir, &plan)?,
            None => return Err(DevnetError::Foreign(dir)),
        };
        Ok(Self {
            children: record.nodes.iter().map(|_| None).collect(),
            dir,
            record,
            program,
            keep: false,
            lock: Some(lock),
        })
    }

    /// Its folder, absolute.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What other commands know about it.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Starts every node.
    ///
    /// # Errors
    /// [`DevnetError`]; those that were started stop with the drop.
    pub fn start(&mut self) -> Result<(), DevnetError> {
        (0..self.record.nodes.len()).try_for_each(|n| self.start_node(n))
    }

    /// Starts one node.
    ///
    /// # Errors
    /// [`DevnetError::PortTaken`], [`DevnetError::Spawn`], [`DevnetError::NoNode`].
    pub fn start_node(&mut self, n: usize) -> Result<(), DevnetError> {
        let (node, slot) = self.slot(n)?;
        if node.is_alive() {
            return Ok(());
        }
        if let Some(port) = node.ports().taken() {
            return Err(DevnetError::PortTaken(port));
        }
        let (name, home) = (node.name.clone(), self.dir.join(&node.name));
        let child = self.program.start(&name, &home)?;
        let process = ProcessId::of(child.id());
        if let (Some(node), Some(place)) =
            (self.record.nodes.get_mut(n), self.children.get_mut(slot))
        {
            (node.process, node.workers) = (process, Vec::new());
            *place = Some(child);
        }
        // Before anything else can go wrong: `down` must know about it.
        self.record.save(&self.dir)
    }

    fn slot(&self, n: usize) -> Result<(&NodeRecord, usize), DevnetError> {
        let node = self.record.nodes.get(n).ok_or(DevnetError::NoNode(n))?;
        Ok((node, n))
    }

    /// Where every node stands.
    pub async fn standings(&self, ask: &impl Ask) -> Vec<(String, Option<Standing>)> {
        let mut all = Vec::new();
        for node in &self.record.nodes {
            all.push((node.name.clone(), ask.standing(node.api()).await));
        }
        all
    }

    /// Waits until all nodes serve and have final frames up to `heights` (global, shard), then notes their workers.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`DevnetError::Died`], [`DevnetError::NotReady`].
    pub async fn wait_ready(
        &mut self,
        ask: &impl Ask,
        heights: (u64, u64),
        limit: Duration,
    ) -> Result<Vec<Standing>, DevnetError> {
        let start = Instant::now();
        loop {
            self.check_children()?;
            let standings = self.standings(ask).await;
            let what = missing(&standings, self.record.workers, heights);
            if what.is_empty() {
                self.note_workers(&standings)?;
                return Ok(standings.into_iter().filter_map(|(_, s)| s).collect());
            }
            if start.elapsed() >= limit {
                let seconds = limit.as_secs();
                return Err(DevnetError::NotReady { seconds, what });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Fails when a node that was started has ended.
    fn check_children(&mut self) -> Result<(), DevnetError> {
        for (node, child) in self.record.nodes.iter().zip(&mut self.children) {
            let ended = child.as_mut().and_then(|c| c.try_wait().ok().flatten());
            if let Some(status) = ended {
                return Err(DevnetError::Died {
                    node: node.name.clone(),
                    how: status.to_string(),
                    tail: log_tail(&self.dir.join(&node.name)),
                });
            }
        }
        Ok(())
    }

    fn note_workers(
        &mut self,
        standings: &[(String, Option<Standing>)],
    ) -> Result<(), DevnetError> {
        for (node, (_, standing)) in self.record.nodes.iter_mut().zip(standings) {
            let workers = standing.iter().flat_map(|s| &s.workers);
            let told = workers.filter_map(|w| ProcessId::of(w.pid?));
            node.workers = told.collect();
        }
        self.record.save(&self.dir)
    }

    /// Kills the master of a node, as a crash would, and reaps it. Its workers are returned as they were: they have to
    /// end by themselves.
    ///
    /// # Errors
    /// [`DevnetError::NoNode`], [`DevnetError::Immortal`].
    pub fn kill_master(&mut self, n: usize) -> Result<Vec<ProcessId>, DevnetError> {
        let (node, slot) = self.slot(n)?;
        let workers = node.live_workers();
        let master = node.process.clone();
        if let Some(master) = master {
            master.kill();
            let left = wait_ended(std::slice::from_ref(&master), KILL_GRACE);
            if !left.is_empty() {
                return Err(DevnetError::Immortal(master.pid));
            }
        }
        if let Some(mut child) = self.children.get_mut(slot).and_then(Option::take) {
            // It has ended.
            let _status = child.wait();
        }
        if let Some(node) = self.record.nodes.get_mut(n) {
            (node.process, node.workers) = (None, workers.clone());
        }
        self.record.save(&self.dir)?;
        Ok(workers)
    }

    /// Lets other commands change the folder: the network is to be watched only.
    pub fn unlock(&mut self) {
        self.lock = None;
    }

    /// Waits until no master runs, whoever stopped them. Cancel safe.
    pub async fn wait_stopped(&self) {
        while self.record.is_alive() {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Leaves the processes running when this process ends.
    #[must_use]
    pub fn keep(mut self) -> Record {
        self.keep = true;
        self.record.clone()
    }

    /// Stops everything.
    ///
    /// # Errors
    /// [`DevnetError::Immortal`], [`DevnetError::Io`].
    pub fn stop(mut self) -> Result<Vec<(String, Stopped)>, DevnetError> {
        self.keep = true;
        self.stop_all()
    }

    fn stop_all(&mut self) -> Result<Vec<(String, Stopped)>, DevnetError> {
        let stopped = stop(&mut self.record, &self.dir);
        for child in self.children.iter_mut().filter_map(Option::as_mut) {
            // Reaps; one that cannot be ended is reported above.
            let _status = child.try_wait();
        }
        stopped
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        if !self.keep {
            // There is nobody to tell; the record still names what could not be ended.
            let _stopped = self.stop_all();
        }
    }
}

/// Stops the network of a folder, whoever started it.
///
/// # Errors
/// [`DevnetError::Missing`], [`DevnetError::Busy`], [`DevnetError::Immortal`], [`DevnetError::Io`].
pub fn down(dir: &Path) -> Result<Vec<(String, Stopped)>, DevnetError> {
    let dir = absolute(dir)?;
    if Record::load(&dir)?.is_none() {
        return Err(DevnetError::Missing(dir));
    }
    let _lock = Lock::take(&dir)?;
    // Again, now that nobody changes it.
    let record = Record::load(&dir)?;
    let mut record = record.ok_or_else(|| DevnetError::Missing(dir.clone()))?;
    stop(&mut record, &dir)
}

/// Asks all masters to end, waits, then kills what is left: masters first, because they would start workers again.
fn stop(record: &mut Record, dir: &Path) -> Result<Vec<(String, Stopped)>, DevnetError> {
    stop_within(record, dir, STOP_GRACE)
}

fn stop_within(
    record: &mut Record,
    dir: &Path,
    grace: Duration,
) -> Result<Vec<(String, Stopped)>, DevnetError> {
    let families: Vec<Vec<ProcessId>> = record.nodes.iter().map(family).collect();
    // The first is the master, which stops its workers; without one every worker is asked.
    for (node, family) in record.nodes.iter().zip(&families) {
        let asked = if node.is_alive() { 1 } else { family.len() };
        family.iter().take(asked).for_each(ProcessId::terminate);
    }
    let all: Vec<_> = families.iter().flatten().cloned().collect();
    let stubborn = wait_ended(&all, grace);
    // A worker may have been started meanwhile.
    let late = stubborn.iter().flat_map(ProcessId::children);
    let doomed: Vec<_> = stubborn.iter().cloned().chain(late).collect();
    doomed.iter().for_each(ProcessId::kill);
    if let Some(immortal) = wait_ended(&doomed, KILL_GRACE).first() {
        return Err(DevnetError::Immortal(immortal.pid));
    }
    let fate = |(node, family): (&NodeRecord, &Vec<ProcessId>)| {
        let stopped = match family {
            f if f.is_empty() => Stopped::NotRunning,
            f if f.iter().any(|p| stubborn.contains(p)) => Stopped::Killed,
            _ => Stopped::InOrder,
        };
        (node.name.clone(), stopped)
    };
    let fates = record.nodes.iter().zip(&families).map(fate).collect();
    for node in &mut record.nodes {
        (node.process, node.workers) = (None, Vec::new());
    }
    if dir.exists() {
        record.save(dir)?;
    }
    Ok(fates)
}

/// Processes of a node that run, the master first.
fn family(node: &NodeRecord) -> Vec<ProcessId> {
    let master = node.process.iter().filter(|p| p.is_alive()).cloned();
    let mut all: Vec<_> = master.collect();
    all.extend(node.live_workers());
    all
}

/// A network that was stopped, or whose masters died.
fn resume(dir: &Path, record: Record, choice: &Choice) -> Result<Record, DevnetError> {
    if let Some(how) = record.plan()?.contradiction(choice) {
        let dir = dir.to_owned();
        return Err(DevnetError::Differs { dir, how });
    }
    if record.is_alive() {
        return Err(DevnetError::Running(dir.to_owned()));
    }
    // Workers of a master that died a moment ago still hold their files.
    let orphans: Vec<_> = record
        .nodes
        .iter()
        .flat_map(NodeRecord::live_workers)
        .collect();
    match wait_ended(&orphans, ORPHAN_GRACE).first() {
        Some(orphan) => Err(DevnetError::Immortal(orphan.pid)),
        None => Ok(record),
    }
}

/// Keys, ceremony, genesis, homes, ports, and the record last: without it a folder is no network.
fn create(dir: &Path, plan: &DevnetPlan) -> Result<Record, DevnetError> {
    let interval = Duration::from_millis(plan.frame_time().millis());
    let squarings = calibrate::squarings(interval, calibrate::squaring_time()?);
    let mut rng = system_rng()?;
    let ports = ports::allocate(plan, &mut rng).ok_or(DevnetError::NoPorts)?;
    let moment = Moment {
        time: now(),
        squarings,
    };
    let blueprint = Blueprint::draw(plan, moment, &mut rng)?;
    let record = Record::new(plan, &blueprint, &ports);
    let written = folder::write_homes(dir, &blueprint, &ports).and_then(|()| record.save(dir));
    written.inspect_err(|_| folder::remove_homes(dir, blueprint.nodes.len()))?;
    Ok(record)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |d| d.as_millis());
    Timestamp::new(u64::try_from(ms).unwrap_or(u64::MAX))
}

/// A generator seeded by the operating system.
pub(crate) fn system_rng() -> Result<ChaCha20Rng, DevnetError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|e| DevnetError::Random(e.to_string()))?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// How long a network may take until it is ready: every process checks the genesis first, then two frames must follow
/// each other on both chains.
#[must_use]
pub fn ready_limit(record: &Record) -> Duration {
    let processes = u64::try_from(record.nodes.len())
        .unwrap_or(u64::MAX)
        .saturating_mul(u64::from(record.workers).saturating_add(1));
    let frames = Duration::from_millis(record.frame_ms.saturating_mul(20));
    Duration::from_secs(processes.saturating_mul(5).saturating_add(30)).saturating_add(frames)
}
