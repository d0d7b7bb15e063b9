//! Why a command of two-party computation gave no result, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use quil_garble::PlanError;
use quil_garble::session::SessionError;
use quil_qcl::CompileError;
use quil_qcl::circuit::{BristolError, DecodeError, WireFileError};
use quil_qcl::json::JsonError;
use quil_session_io::{KeyError, RunError};

use crate::failure::told;

/// No result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartyError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file above the limit.
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Most bytes.
        limit: u64,
    },
    /// A file that should be text is not.
    #[error("{} is neither text nor a circuit file", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// The program is wrong.
    #[error("the program is refused\n{0}")]
    Source(CompileError),
    /// Not a valid `.qclc` file.
    #[error("{}: {source}", path.display())]
    Circuit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DecodeError,
    },
    /// Not a valid Bristol Fashion file.
    #[error("{}: {source}", path.display())]
    Bristol {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BristolError,
    },
    /// Not a valid flat gate list.
    #[error("{}: {source}", path.display())]
    WireFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WireFileError,
    },
    /// Words of a program are wanted and there is only a circuit.
    #[error("{} is a circuit, it has no words to list", path.display())]
    NoWords {
        /// The file.
        path: PathBuf,
    },
    /// The circuit does not fit the format it should be written in.
    #[error("no Bristol Fashion of this circuit: {0}")]
    Export(BristolError),
    /// The circuit cannot be run by two parties.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An input is not JSON.
    #[error("the {role} input is not JSON: {source}")]
    Syntax {
        /// Whose.
        role: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// An input does not fit the program.
    #[error("the {role} {source}")]
    Input {
        /// Whose.
        role: &'static str,
        /// Why.
        source: JsonError,
    },
    /// No session key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not an address.
    #[error("`{0}` is no address")]
    Address(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// Nobody connected.
    #[error("no evaluator came to {address} within {} s", waited.as_secs())]
    NoPeer {
        /// Where it was awaited.
        address: String,
        /// How long.
        waited: Duration,
    },
    /// Nobody listens there.
    #[error("no garbler at {address} within {} s: {source}", waited.as_secs())]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// How long.
        waited: Duration,
        /// The last attempt.
        source: std::io::Error,
    },
    /// The session failed. `met` says whether the handshake was over.
    #[error("{}", told(.source, *.met))]
    Run {
        /// Why.
        source: Box<RunError>,
        /// The parties had compared what they run.
        met: bool,
    },
    /// No session can be made. Found before anything is sent.
    #[error(transparent)]
    Session(SessionError),
    /// The system gives no randomness, thread or timer.
    #[error("the system refuses: {0}")]
    System(std::io::Error),
    /// A party of a local run ended without a word.
    #[error("a party of this process ended early")]
    Ended,
}

impl PartyError {
    /// The own side was stopped by its user.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let Self::Run { source, .. } = self else {
            return false;
        };
        matches!(**source, RunError::Session(SessionError::Cancelled))
    }

    pub(crate) fn run(source: RunError, met: bool) -> Self {
        Self::Run {
            source: Box::new(source),
            met,
        }
    }
}
