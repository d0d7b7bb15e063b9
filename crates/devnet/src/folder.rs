//! Folders of a local network: a home for each node, one for the accounts.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use quil_node::home::{Home, NewHome};
use quil_types::Canonical as _;

use crate::error::DevnetError;
use crate::genesis::Blueprint;
use crate::ports::NodePorts;

/// Folder of the accounts' key store, below the network's.
pub const CLIENT: &str = "client";
/// Name of the genesis document in every home.
pub const GENESIS: &str = "genesis.bin";
/// Milliseconds that a master gives its workers to stop.
const STOP_MS: u64 = 5_000;
/// Connections of a process: every other process twice, when both sides dial at once.
const CONNECTIONS: u32 = 256;

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> DevnetError {
    let path = path.to_owned();
    move |source| DevnetError::Io { path, source }
}

/// Creates a folder and those above it, readable by the owner only.
pub(crate) fn folder(path: &Path) -> Result<(), DevnetError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(at(path))
}

/// Writes a file whole or not at all, readable by the owner only: a new file beside it, flushed, renamed over it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DevnetError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(at(path))
}

/// Name of a node.
#[must_use]
pub fn node_name(node: usize) -> String {
    format!("n{node}")
}

fn address(port: u16) -> String {
    format!("/ip4/127.0.0.1/tcp/{port}")
}

fn quoted(items: impl IntoIterator<Item = String>) -> String {
    let items = items.into_iter().map(|i| format!("\n    - \"{i}\""));
    items.collect()
}

/// Addresses of all processes but the master of `node`: each one dials all others, so that a message reaches every
/// member whatever order the processes start in. Its own workers are in the list, for the other workers.
fn peers(blueprint: &Blueprint, ports: &[NodePorts], node: usize) -> Vec<String> {
    let all = blueprint.nodes.iter().zip(ports).enumerate();
    let addresses = all.flat_map(|(n, (part, ports))| {
        let processes = part.peers.iter().zip(&ports.p2p).enumerate();
        processes.filter_map(move |(core, (peer, port))| {
            let id = quil_p2p::peer_id(peer)?;
            (n != node || core != 0).then(|| format!("{}/p2p/{id}", address(*port)))
        })
    });
    addresses.collect()
}

/// Text of a node's `quil.yaml`.
fn config(blueprint: &Blueprint, ports: &[NodePorts], node: usize) -> Option<String> {
    let own = ports.get(node)?;
    let (master, workers) = own.p2p.split_first()?;
    let mut text = String::from("version: 1\np2p:\n");
    let mut list = |name: &str, items: String| {
        // Writing to a string does not fail.
        let _ok = writeln!(text, "  {name}:{items}");
    };
    list("listen", quoted([address(*master)]));
    list("worker_listen", quoted(workers.iter().map(|p| address(*p))));
    let peers = peers(blueprint, ports, node);
    let none = peers.is_empty();
    list(
        "peers",
        if none {
            " []".to_owned()
        } else {
            quoted(peers)
        },
    );
    list("max_connections", format!(" {CONNECTIONS}"));
    let _ok = writeln!(
        text,
        "rpc:\n  listen: \"127.0.0.1:{}\"\nworkers:\n  count: {}\n  stop_ms: {STOP_MS}",
        own.rpc,
        workers.len()
    );
    Some(text)
}

/// Writes every home below `dir`.
///
/// # Errors
/// [`DevnetError::Home`], [`DevnetError::Io`]; a part may be there then.
pub fn write_homes(
    dir: &Path,
    blueprint: &Blueprint,
    ports: &[NodePorts],
) -> Result<(), DevnetError> {
    for (n, part) in blueprint.nodes.iter().enumerate() {
        let config = config(blueprint, ports, n).ok_or(DevnetError::NoNode(n))?;
        let content = NewHome {
            config: &config,
            genesis: &blueprint.genesis,
            keys: &part.sealed.keys,
            passphrase: Some(&part.sealed.passphrase),
        };
        Home::create(dir.join(node_name(n)), &content)?;
    }
    let client = dir.join(CLIENT);
    folder(&client)?;
    write(&client.join("keys.qks"), &blueprint.client.keys)?;
    write(
        &client.join("passphrase"),
        blueprint.client.passphrase.as_bytes(),
    )?;
    write(&client.join(GENESIS), &blueprint.genesis.encode())
}

/// Removes what [`write_homes`] wrote for so many nodes.
pub(crate) fn remove_homes(dir: &Path, nodes: usize) {
    let names = (0..nodes).map(node_name).chain([CLIENT.to_owned()]);
    for name in names {
        // What is not there needs no removal.
        let _gone = fs::remove_dir_all(dir.join(name));
    }
}

/// The absolute form of a path, whether it exists or not.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, DevnetError> {
    std::path::absolute(path).map_err(at(path))
}
