//! Why a local network does not do what was asked.

use std::io;
use std::path::PathBuf;

use quil_client::Failure;
use quil_node::home::HomeError;

use crate::plan::PlanError;

/// Why a local network cannot be made, started, watched or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder holds a network of another shape.
    #[error("{}: {how}", dir.display())]
    Differs {
        /// The folder.
        dir: PathBuf,
        /// What differs.
        how: String,
    },
    /// Its processes run.
    #[error("{}: the network runs already", .0.display())]
    Running(PathBuf),
    /// Another command works on it.
    #[error("{}: another devnet command is at work", .0.display())]
    Busy(PathBuf),
    /// The folder holds other things.
    #[error("{}: not empty, and no devnet", .0.display())]
    Foreign(PathBuf),
    /// The folder is to be removed later and holds something.
    #[error("{}: not empty", .0.display())]
    NotEmpty(PathBuf),
    /// There is no network in the folder.
    #[error("{}: no devnet", .0.display())]
    Missing(PathBuf),
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `devnet.json` is not one.
    #[error("{}: {why}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A home folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Keys or genesis could not be made.
    #[error("genesis: {0}")]
    Genesis(String),
    /// The delay function could not be measured.
    #[error("calibration: {0}")]
    Calibration(String),
    /// No row of free ports was found.
    #[error("no free ports between 20000 and 32000 on 127.0.0.1")]
    NoPorts,
    /// Something else listens on a port of the network.
    #[error("port {0} on 127.0.0.1 is in use by another program")]
    PortTaken(u16),
    /// The operating system gives no random bytes.
    #[error("no randomness: {0}")]
    Random(String),
    /// A process could not be started.
    #[error("{node}: cannot start {}: {source}", program.display())]
    Spawn {
        /// Its node.
        node: String,
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A process ended before the network was ready.
    #[error("{node} ended by itself ({how}); its log ends with:\n{tail}")]
    Died {
        /// Its node.
        node: String,
        /// Exit code or signal.
        how: String,
        /// Last lines of its log.
        tail: String,
    },
    /// The network was not ready in time.
    #[error("not ready after {seconds} s: {what}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// What was missing.
        what: String,
    },
    /// A process does not end.
    #[error("process {0} does not end")]
    Immortal(u32),
    /// There is no such node.
    #[error("there is no node {0}")]
    NoNode(usize),
}

impl DevnetError {
    /// A stable word, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Plan(_) => "devnet.plan",
            Self::Differs { .. } => "devnet.differs",
            Self::Running(_) => "devnet.running",
            Self::Busy(_) => "devnet.busy",
            Self::Foreign(_) => "devnet.foreign",
            Self::NotEmpty(_) => "devnet.not_empty",
            Self::Missing(_) => "devnet.missing",
            Self::Io { .. } => "file.io",
            Self::Record { .. } => "devnet.record",
            Self::Home(_) => "devnet.home",
            Self::Genesis(_) | Self::Calibration(_) => "devnet.genesis",
            Self::NoPorts | Self::PortTaken(_) => "devnet.ports",
            Self::Random(_) => "system.random",
            Self::Spawn { .. } => "devnet.spawn",
            Self::Died { .. } => "devnet.died",
            Self::NotReady { .. } => "devnet.not_ready",
            Self::Immortal(_) => "devnet.stop",
            Self::NoNode(_) => "devnet.node",
        }
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Plan(_) => "see quil devnet up --help",
            Self::Differs { .. } => "leave the option out, or take another --dir",
            Self::Running(_) => "quil devnet status, quil devnet down",
            Self::Busy(_) => "wait for it",
            Self::Foreign(_) | Self::NotEmpty(_) => "take an empty folder with --dir",
            Self::Missing(_) => "quil devnet up, or name the folder with --dir",
            Self::Io { .. } | Self::Home(_) => "check the path and its permissions",
            Self::Record { .. } => "remove the folder and start anew",
            Self::Genesis(_) | Self::Calibration(_) => "try again",
            Self::NoPorts | Self::PortTaken(_) => "end the other program, or take another --dir",
            Self::Random(_) => "check /dev/urandom",
            Self::Spawn { .. } => "check that the program can be run",
            Self::Died { .. } | Self::NotReady { .. } => "read node.log in the home folders",
            Self::Immortal(_) => "look at the process",
            Self::NoNode(_) => "nodes are counted from 0",
        }
    }
}

impl From<DevnetError> for Failure {
    fn from(e: DevnetError) -> Self {
        let failure = Self::new(e.code(), e.to_string(), e.hint());
        match e {
            DevnetError::Plan(_) => failure.usage(),
            DevnetError::Missing(_) => failure.not_found(),
            DevnetError::NotReady { .. } => failure.not_ready(),
            _ => failure,
        }
    }
}
