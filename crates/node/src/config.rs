//! Configuration of a node: defaults, then `quil.yaml`, then `QUIL_*` variables, then flags.
//!
//! The layers are merged as one value tree that remembers where each key came from; the tree is decoded once.
//! An unknown key is an error that names the nearest known one. Secrets are never in it.

mod layers;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use layers::{ConfigError, Layers, Origin};

/// File name inside the home folder.
pub const FILE_NAME: &str = "quil.yaml";
/// Largest accepted file, bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Most worker processes of one master.
pub const WORKERS_MAX: u16 = 64;

/// A node's configuration. Every field has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Format of this file; 1.
    pub version: u32,
    /// Genesis document of the network, a path relative to the home folder.
    pub genesis: PathBuf,
    /// Peer-to-peer host of the master process; a worker's listens on port 0 next to it unless named below.
    pub p2p: P2p,
    /// API of the master process.
    pub rpc: Rpc,
    /// Worker processes.
    pub workers: Workers,
    /// Embedded store.
    pub store: Store,
    /// Log.
    pub log: Log,
}

/// Peer-to-peer host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct P2p {
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
    /// Multiaddresses of workers, by core; a missing entry means loopback or any address on port 0, as the master's.
    pub worker_listen: Vec<String>,
    /// Multiaddresses with `/p2p/` ids that are dialled and kept.
    pub peers: Vec<String>,
    /// Most connections.
    pub max_connections: u32,
}

impl Default for P2p {
    fn default() -> Self {
        Self {
            listen: vec![
                "/ip4/0.0.0.0/udp/8336/quic-v1".into(),
                "/ip4/0.0.0.0/tcp/8336".into(),
            ],
            worker_listen: Vec::new(),
            peers: Vec::new(),
            max_connections: 128,
        }
    }
}

/// Public API: gRPC and REST on one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rpc {
    /// Where it listens.
    pub listen: SocketAddr,
}

impl Default for Rpc {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8337)),
        }
    }
}

/// Worker processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workers {
    /// How many, one per shard membership in the genesis at most.
    pub count: u16,
    /// Milliseconds between SIGTERM and SIGKILL when the master stops.
    pub stop_ms: u64,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            count: 1,
            stop_ms: 10_000,
        }
    }
}

/// Embedded store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Folder, relative to the home folder; every process has its own below it.
    pub path: PathBuf,
    /// Read cache of the state file, MiB.
    pub cache_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "store".into(),
            cache_mib: 16,
        }
    }
}

/// Log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Filter in the syntax of `tracing`, for example `info` or `info,quil_p2p=debug`.
    pub filter: String,
    /// Shape of the lines.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "info".into(),
            format: LogFormat::Human,
        }
    }
}

/// Shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            version: 1,
            genesis: "genesis.bin".into(),
            ..Self::default()
        }
    }

    /// Checks what types cannot express.
    ///
    /// # Errors
    /// [`ConfigError::Value`] naming the key, the value and what is allowed.
    pub fn check(self) -> Result<Self, ConfigError> {
        if self.version != 1 {
            return Err(ConfigError::value("version", &self.version, "1"));
        }
        if self.workers.count > WORKERS_MAX {
            return Err(ConfigError::value(
                "workers.count",
                &self.workers.count,
                "0 to 64",
            ));
        }
        if self.p2p.listen.is_empty() {
            return Err(ConfigError::value(
                "p2p.listen",
                &"[]",
                "at least one multiaddress",
            ));
        }
        if !(1..=4096).contains(&self.store.cache_mib) {
            return Err(ConfigError::value(
                "store.cache_mib",
                &self.store.cache_mib,
                "1 to 4096",
            ));
        }
        Ok(self)
    }
}
