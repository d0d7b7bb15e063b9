//! Starting the process of a node.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::DevnetError;
use crate::folder::at;

/// Name of a node's log, inside its home; its workers write there too.
pub const LOG: &str = "node.log";
/// A log of at least so many bytes is set aside as `node.log.old` when its node starts.
pub const LOG_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a log that are shown when its process has ended.
const TAIL_BYTES: u64 = 2_000;

/// The program that runs a node, with what comes before `node run --home DIR`.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// The program that is running.
    ///
    /// # Errors
    /// [`DevnetError::Io`] when the system does not tell.
    pub fn current() -> Result<Self, DevnetError> {
        let path = std::env::current_exe().map_err(at(Path::new("/proc/self/exe")))?;
        Ok(Self::new(path))
    }

    /// A program at a path.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            arguments: Vec::new(),
        }
    }

    /// Starts a node in a process group of its own, so that an interrupt at the terminal reaches the devnet command
    /// only, which then stops the nodes in order. Standard output and error go to the log; variables of the user's
    /// own node (`QUIL_*`) are not passed on, except those about the log.
    ///
    /// # Errors
    /// [`DevnetError::Spawn`], [`DevnetError::Io`].
    pub(crate) fn start(&self, node: &str, home: &Path) -> Result<Child, DevnetError> {
        let log = open_log(home)?;
        let errors = log.try_clone().map_err(at(home))?;
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .args(["node", "run", "--home"])
            .arg(home)
            .current_dir(home)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_private(name)) {
            command.env_remove(name);
        }
        command.spawn().map_err(|source| DevnetError::Spawn {
            node: node.to_owned(),
            program: self.path.clone(),
            source,
        })
    }
}

fn is_private(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("QUIL_") && !name.starts_with("QUIL_LOG__")
}

fn open_log(home: &Path) -> Result<File, DevnetError> {
    let path = home.join(LOG);
    if fs::metadata(&path).is_ok_and(|m| m.len() >= LOG_BYTES_MAX) {
        fs::rename(&path, home.join("node.log.old")).map_err(at(&path))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(&path).map_err(at(&path))
}

/// The last lines of a node's log; empty when there is none.
pub(crate) fn log_tail(home: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(home.join(LOG))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_kept_short_and_its_end_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(log_tail(dir.path()), "");
        let path = dir.path().join(LOG);
        fs::write(&path, format!("{}\nthe last line\n", "x".repeat(5_000))).unwrap();
        let tail = log_tail(dir.path());
        assert!(tail.ends_with("the last line") && tail.len() <= 2_000);
        drop(open_log(dir.path()).unwrap());
        assert!(
            log_tail(dir.path()).ends_with("the last line"),
            "appended to"
        );
        let big = File::create(&path).unwrap();
        big.set_len(LOG_BYTES_MAX).unwrap();
        drop(open_log(dir.path()).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        let old = fs::metadata(dir.path().join("node.log.old")).unwrap();
        assert_eq!(old.len(), LOG_BYTES_MAX);
    }

    #[test]
    fn program_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let program = Program::new(dir.path().join("nothing"));
        let refused = program.start("n3", dir.path()).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("n3") && text.contains("nothing"), "{text}");
    }

    #[test]
    fn variables_of_the_users_node_stay_with_the_user() {
        for name in ["QUIL_PASSPHRASE", "QUIL_HOME", "QUIL_RPC__LISTEN"] {
            assert!(is_private(OsStr::new(name)), "{name}");
        }
        for name in ["QUIL_LOG__FILTER", "PATH", "RAYON_NUM_THREADS"] {
            assert!(!is_private(OsStr::new(name)), "{name}");
        }
    }
}
