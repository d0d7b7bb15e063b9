//! `devnet.json`: what other commands must know about a network.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::DevnetError;
use crate::folder::{self, node_name};
use crate::genesis::Blueprint;
use crate::plan::{DevnetPlan, FrameTime};
use crate::ports::NodePorts;
use crate::process::ProcessId;

/// Name of the file.
pub const FILE: &str = "devnet.json";
/// Its schema, and that of what the commands print.
pub const SCHEMA: &str = "quil.devnet/1";
const LOCK: &str = "devnet.lock";
/// Largest file read, bytes: some 500 per node.
const BYTES_MAX: u64 = 1 << 20;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecord {
    /// Its name, and that of its home folder.
    pub name: String,
    /// Port of its API.
    pub rpc: u16,
    /// Ports of its peer-to-peer hosts, by core.
    pub p2p: Vec<u16>,
    /// Its master; `None` when it was stopped.
    pub process: Option<ProcessId>,
    /// Its workers, as they were when the network became ready.
    pub workers: Vec<ProcessId>,
}

impl NodeRecord {
    /// Where its API is.
    #[must_use]
    pub fn api(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.rpc))
    }

    /// Whether its master runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(ProcessId::is_alive)
    }

    /// Its workers that run: children of the master, and recorded ones that outlive it for a moment.
    #[must_use]
    pub fn live_workers(&self) -> Vec<ProcessId> {
        let children = self.process.iter().flat_map(ProcessId::children);
        let mut workers: Vec<_> = children.collect();
        let recorded = self.workers.iter().filter(|w| w.is_alive());
        for worker in recorded {
            if !workers.contains(worker) {
                workers.push(worker.clone());
            }
        }
        workers
    }

    pub(crate) fn ports(&self) -> NodePorts {
        NodePorts {
            rpc: self.rpc,
            p2p: self.p2p.clone(),
        }
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRecord {
    /// Name of its wallet in the key store of the client folder.
    pub alias: String,
    /// Address of its account 0.
    pub address: String,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// Hash of its genesis document.
    pub genesis: String,
    /// Frame interval, milliseconds.
    pub frame_ms: u64,
    /// Squarings of a reel step.
    pub squarings: u64,
    /// Workers of each node.
    pub workers: u16,
    /// Nodes.
    pub nodes: Vec<NodeRecord>,
    /// Accounts.
    pub accounts: Vec<AccountRecord>,
}

impl Record {
    /// Of a network that was just made.
    pub(crate) fn new(plan: &DevnetPlan, blueprint: &Blueprint, ports: &[NodePorts]) -> Self {
        let squarings = match blueprint.genesis.pacing.difficulty {
            quil_types::genesis::Difficulty::Fixed(t) => t,
            quil_types::genesis::Difficulty::Median { initial, .. } => initial,
        };
        let node = |(n, ports): (usize, &NodePorts)| NodeRecord {
            name: node_name(n),
            rpc: ports.rpc,
            p2p: ports.p2p.clone(),
            process: None,
            workers: Vec::new(),
        };
        let account = |(alias, address): &(String, String)| AccountRecord {
            alias: alias.clone(),
            address: address.clone(),
        };
        Self {
            schema: SCHEMA.to_owned(),
            genesis: blueprint.genesis.hash().to_string(),
            frame_ms: plan.frame_time().millis(),
            squarings,
            workers: plan.workers(),
            nodes: ports.iter().enumerate().map(node).collect(),
            accounts: blueprint.accounts.iter().map(account).collect(),
        }
    }

    /// Reads the file of a folder; `None` when there is none.
    ///
    /// # Errors
    /// [`DevnetError::Record`], [`DevnetError::Io`].
    pub fn load(dir: &Path) -> Result<Option<Self>, DevnetError> {
        let path = dir.join(FILE);
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(folder::at(&path)(e)),
        };
        let refused = |why: String| DevnetError::Record {
            path: path.clone(),
            why,
        };
        if length > BYTES_MAX {
            return Err(refused(format!("more than {BYTES_MAX} bytes")));
        }
        let bytes = fs::read(&path).map_err(folder::at(&path))?;
        let record: Self = serde_json::from_slice(&bytes).map_err(|e| refused(e.to_string()))?;
        let names = record.nodes.iter().enumerate();
        let named = names.fold(true, |ok, (n, node)| ok && node.name == node_name(n));
        if record.schema != SCHEMA || !named {
            return Err(refused(format!("not of schema {SCHEMA}")));
        }
        record.plan().map_err(|e| refused(e.to_string()))?;
        Ok(Some(record))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`DevnetError::Io`]; the earlier file is there then.
    pub(crate) fn save(&self, dir: &Path) -> Result<(), DevnetError> {
        let path = dir.join(FILE);
        let bytes = serde_json::to_vec_pretty(self).map_err(|e| DevnetError::Record {
            path: path.clone(),
            why: e.to_string(),
        })?;
        folder::write(&path, &bytes)
    }

    /// What it was made from.
    ///
    /// # Errors
    /// [`DevnetError::Plan`]: the file was edited.
    pub fn plan(&self) -> Result<DevnetPlan, DevnetError> {
        let nodes = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        let frame_time = FrameTime::from_millis(self.frame_ms)?;
        Ok(DevnetPlan::new(nodes, self.workers, frame_time)?)
    }

    /// Whether any of its masters runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.nodes.iter().any(NodeRecord::is_alive)
    }
}

/// A folder that this command changes. Others are refused until it is dropped; the system frees it when the process
/// ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    dir: PathBuf,
}

impl Lock {
    /// Takes it. The folder must exist.
    ///
    /// # Errors
    /// [`DevnetError::Busy`], [`DevnetError::Io`].
    pub fn take(dir: &Path) -> Result<Self, DevnetError> {
        let path = dir.join(LOCK);
        let mut options = File::options();
        let opened = options.create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(folder::at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                _file: file,
                dir: dir.to_owned(),
            }),
            Err(fs::TryLockError::WouldBlock) => Err(DevnetError::Busy(dir.to_owned())),
            Err(fs::TryLockError::Error(e)) => Err(folder::at(&path)(e)),
        }
    }

    /// Whether the folder holds anything but the lock.
    ///
    /// # Errors
    /// [`DevnetError::Io`].
    pub(crate) fn is_alone(&self) -> Result<bool, DevnetError> {
        let mut entries = fs::read_dir(&self.dir).map_err(folder::at(&self.dir))?;
        Ok(entries.all(|e| e.is_ok_and(|e| e.file_name() == LOCK)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            schema: SCHEMA.to_owned(),
            genesis: "ab".to_owned(),
            frame_ms: 2_000,
            squarings: 9,
            workers: 1,
            nodes: vec![NodeRecord {
                name: "n0".to_owned(),
                rpc: 20_000,
                p2p: vec![20_001, 20_002],
                process: ProcessId::of(std::process::id()),
                workers: Vec::new(),
            }],
            accounts: vec![AccountRecord {
                alias: "alice".to_owned(),
                address: "qacc1x".to_owned(),
            }],
        }
    }

    #[test]
    fn record_is_read_as_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), None);
        record().save(dir.path()).unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), Some(record()));
        assert!(record().is_alive());
        assert_eq!(record().nodes[0].api().to_string(), "127.0.0.1:20000");
        let other = Record {
            squarings: 10,
            ..record()
        };
        other.save(dir.path()).unwrap();
        assert_eq!(Record::load(dir.path()).unwrap(), Some(other));
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing beside it"
        );
    }

    #[test]
    fn file_that_is_no_record_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let good = serde_json::to_string(&record()).unwrap();
        let bad = [
            String::new(),
            "{}".to_owned(),
            good.replace("quil.devnet/1", "quil.devnet/2"),
            good.replace("\"n0\"", "\"../n0\""),
            good.replace("\"frame_ms\":2000", "\"frame_ms\":1"),
            good.replace("\"workers\":1", "\"workers\":0"),
            good.replace("\"squarings\"", "\"unknown\""),
            " ".repeat(2 << 20),
        ];
        for text in bad {
            fs::write(dir.path().join(FILE), &text).unwrap();
            let refused = Record::load(dir.path()).unwrap_err();
            assert!(matches!(refused, DevnetError::Record { .. }), "{refused}");
        }
    }

    #[test]
    fn second_command_is_refused_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(first.is_alone().unwrap());
        let second = Lock::take(dir.path()).unwrap_err();
        assert!(matches!(second, DevnetError::Busy(_)), "{second}");
        drop(first);
        fs::write(dir.path().join("x"), b"").unwrap();
        assert!(!Lock::take(dir.path()).unwrap().is_alone().unwrap());
    }
}
