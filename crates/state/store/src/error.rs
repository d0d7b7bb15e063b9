use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

/// Exit code of a process that cannot lock its files (rule I1): another process of the same operator still runs.
pub const EXIT_CANNOT_LOCK: u8 = 75;

/// Exit code of a process that stops because its storage failed.
pub const EXIT_STORAGE: u8 = 74;

/// Who must act on a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call broke a documented bound; nothing was written and the store stays usable.
    Caller,
    /// The files cannot be used by this program now; refuse to start.
    Refuse,
    /// The disk or the file failed: the process must stop, what it believes and what is on disk may differ.
    Stop,
}

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another handle of this one, holds the file.
    #[error("cannot lock {}: {}", path.display(), holder_text(*holder))]
    Locked {
        /// The file that is in use.
        path: PathBuf,
        /// Process id the holder left behind, when it could be read.
        holder: Option<u32>,
    },
    /// The file exists but is not one of ours, or it was cut off.
    #[error("{} is not a store file or is damaged at its head; restore it from a backup or move it away", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// Written by a program with another storage format.
    #[error("{} has storage format {found}, this program reads format {supported}; run the program version that wrote it", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u16,
        /// Version this crate reads and writes.
        supported: u16,
    },
    /// Written by a program with another table layout.
    #[error("{} has table layout {found}, this program reads layout {supported}; run the program version that wrote it", path.display())]
    UnknownSchema {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u16,
        /// Version the caller asked for.
        supported: u16,
    },
    /// A safety file was opened as a state file or the other way round.
    #[error("{} is a {found} file, expected a {expected} file", path.display())]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// Kind recorded in the file.
        found: crate::FileKind,
        /// Kind asked for.
        expected: crate::FileKind,
    },
    /// A key is longer than its table allows.
    #[error("key of {len} bytes in table {table}, at most {max} allowed")]
    KeyTooLong {
        /// Table name.
        table: &'static str,
        /// Length given, bytes.
        len: usize,
        /// Limit, bytes.
        max: usize,
    },
    /// A value is longer than its table allows.
    #[error("value of {len} bytes in table {table}, at most {max} allowed")]
    ValueTooLong {
        /// Table name.
        table: &'static str,
        /// Length given, bytes.
        len: usize,
        /// Limit, bytes.
        max: usize,
    },
    /// A batch holds too many operations or bytes.
    #[error("batch exceeds {max} {unit}")]
    BatchTooLarge {
        /// `operations` or `bytes`.
        unit: &'static str,
        /// Limit in that unit.
        max: usize,
    },
    /// Too many views are alive; somebody leaks them.
    #[error("more than {max} views alive")]
    TooManyViews {
        /// Limit.
        max: usize,
    },
    /// The safety file holds its maximum of chains.
    #[error("safety file holds {max} chains already")]
    TooManyChains {
        /// Limit.
        max: usize,
    },
    /// A value could not be encoded.
    #[error("value for table {table} does not encode")]
    Encode {
        /// Table name.
        table: &'static str,
        /// What the encoder said.
        source: io::Error,
    },
    /// A stored key or value does not decode: written by other code, or damaged.
    #[error("{what} in table {table} does not decode")]
    Decode {
        /// Table name.
        table: &'static str,
        /// `key` or `value`.
        what: &'static str,
    },
    /// The disk, the quota or the file size limit is exhausted.
    #[error("no space left while trying to {step}; free disk space and restart")]
    NoSpace {
        /// What was being done.
        step: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The system reported an error.
    #[error("input or output error while trying to {step}")]
    Io {
        /// What was being done.
        step: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The storage engine reported an error, such as a damaged page.
    #[error("storage engine failed while trying to {step}")]
    Engine {
        /// What was being done.
        step: &'static str,
        /// What the engine said.
        source: EngineError,
    },
    /// Pages of the file contradict each other or their checksums.
    #[error(
        "storage file is damaged (found while trying to {step}); restore it from a backup or sync again"
    )]
    Damaged {
        /// What was being done.
        step: &'static str,
    },
    /// An earlier write failed, so the state on disk is unknown until the file is opened again.
    #[error("an earlier attempt to {step} failed; the process must stop and open the store again")]
    Poisoned {
        /// The step that failed.
        step: &'static str,
    },
}

fn holder_text(holder: Option<u32>) -> String {
    holder.map_or_else(
        || "it is in use".to_owned(),
        |pid| format!("it is in use by process {pid}"),
    )
}

impl StoreError {
    /// Who must act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::KeyTooLong { .. }
            | Self::ValueTooLong { .. }
            | Self::BatchTooLarge { .. }
            | Self::TooManyViews { .. }
            | Self::TooManyChains { .. }
            | Self::Encode { .. } => Fault::Caller,
            Self::Locked { .. }
            | Self::NotAStore { .. }
            | Self::UnknownFormat { .. }
            | Self::UnknownSchema { .. }
            | Self::WrongKind { .. } => Fault::Refuse,
            Self::Decode { .. }
            | Self::NoSpace { .. }
            | Self::Io { .. }
            | Self::Engine { .. }
            | Self::Damaged { .. }
            | Self::Poisoned { .. } => Fault::Stop,
        }
    }

    /// The code a process that gives up because of this error should exit with.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Locked { .. } => EXIT_CANNOT_LOCK,
            _ => EXIT_STORAGE,
        }
    }

    pub(crate) fn io(step: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::NoSpace { step, source },
            _ => Self::Io { step, source },
        }
    }

    pub(crate) fn engine(step: &'static str, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::Io(source) => Self::io(step, source),
            other => Self::Engine {
                step,
                source: EngineError(Box::new(other)),
            },
        }
    }

    /// Like [`Self::engine`], with the meanings that errors have while a file is being opened.
    pub(crate) fn opening(path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Locked { path, holder: None },
            redb::Error::Corrupted(_) => Self::NotAStore { path },
            redb::Error::Io(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Self::NotAStore { path }
            }
            other => Self::engine("open the store", other),
        }
    }
}

/// Runs a call into the engine. The engine trusts the pages it reads, so a damaged page can make it panic; nothing
/// read from disk may bring the process down uncontrolled, so that becomes an error like any other damage.
pub(crate) fn guarded<T>(
    step: &'static str,
    call: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Unwind safety: an error here is a reason to stop, and the engine's own locks stay poisoned behind it.
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(StoreError::Damaged { step }))
}

/// An error of the storage engine, kept opaque so that no engine type is part of this crate's interface.
pub struct EngineError(Box<redb::Error>);

impl fmt::Debug for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EngineError")
            .field(&self.0.to_string())
            .finish()
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for EngineError {}
