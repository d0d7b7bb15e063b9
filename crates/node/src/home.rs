//! The folder of a node.
//!
//! ```text
//! quil.yaml                    configuration
//! genesis.bin                  genesis document
//! keys.qks                     encrypted key store: `prover`, `peer-<core>`, `worker-<core>`
//! passphrase                   of the key store, owner only; the environment goes before it
//! store/master/                safety.redb, state.redb
//! store/worker-<core>/         the same of a worker
//! ```

mod files;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quil_keys::{Alias, KeyStore, OpenError, Passphrase, PassphraseError};
use quil_store::{SafetyFile, StateFile, StateOptions, StoreError};
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{Canonical as _, Chain, Genesis};

use crate::config::{Config, ConfigError, FILE_BYTES_MAX, FILE_NAME, Layers};
use crate::persist::{Files, STATE_SCHEMA};

/// Environment variable with the passphrase of the key store.
pub const PASSPHRASE_VARIABLE: &str = "QUIL_PASSPHRASE";
/// Largest key store read, bytes.
pub const KEYS_BYTES_MAX: usize = 1 << 20;
/// Largest passphrase file, bytes.
pub const PASSPHRASE_FILE_BYTES_MAX: usize = 2048;

const KEYS: &str = "keys.qks";
const PASSPHRASE: &str = "passphrase";
const MIB: usize = 1 << 20;

/// Why a home folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than its cap.
    #[error("{}: more than {cap} bytes", path.display())]
    TooLarge {
        /// What.
        path: PathBuf,
        /// The cap.
        cap: usize,
    },
    /// Others can read a file with a secret.
    #[error("{}: readable by others; set its mode to 0600", .0.display())]
    Exposed(PathBuf),
    /// A home is created where one exists.
    #[error("{}: exists already", .0.display())]
    Exists(PathBuf),
    /// Not UTF-8.
    #[error("{}: not UTF-8", .0.display())]
    Text(PathBuf),
    /// The configuration.
    #[error("{}: {source}", path.display())]
    Config {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: ConfigError,
    },
    /// The genesis document does not decode.
    #[error("{}: not a genesis document", .0.display())]
    Genesis(PathBuf),
    /// Neither the variable nor the file is there.
    #[error("no passphrase: set {PASSPHRASE_VARIABLE} or write it to {}", .0.display())]
    NoPassphrase(PathBuf),
    /// The passphrase is empty or too long.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The key store does not open.
    #[error("{}: {source}", path.display())]
    Keys {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The files of a process.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a new home gets.
#[derive(Debug)]
pub struct NewHome<'a> {
    /// Text of `quil.yaml`.
    pub config: &'a str,
    /// The network.
    pub genesis: &'a Genesis,
    /// A sealed key store.
    pub keys: &'a [u8],
    /// Text of the passphrase file, for networks on one machine.
    pub passphrase: Option<&'a str>,
}

/// A node's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The folder at a path; nothing is read.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Creates the folder, readable by its owner only. A folder that holds any of the files is left as it is.
    ///
    /// # Errors
    /// [`HomeError::Exists`], [`HomeError::Io`]; after the latter a part may be there.
    pub fn create(root: PathBuf, content: &NewHome<'_>) -> Result<Self, HomeError> {
        let home = Self::new(root);
        let genesis = home.root.join(Config::built_in().genesis);
        let mut parts = vec![
            (home.config_path(), content.config.as_bytes().to_vec()),
            (genesis, content.genesis.encode()),
            (home.keys_path(), content.keys.to_vec()),
        ];
        parts.extend(
            content
                .passphrase
                .map(|p| (home.passphrase_path(), p.as_bytes().to_vec())),
        );
        if let Some((path, _)) = parts.iter().find(|(path, _)| path.exists()) {
            return Err(HomeError::Exists(path.clone()));
        }
        files::folder(&home.root)?;
        parts
            .iter()
            .try_for_each(|(path, bytes)| files::write_new(path, bytes))?;
        Ok(home)
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `quil.yaml`.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.root.join(FILE_NAME)
    }

    /// The key store.
    #[must_use]
    pub fn keys_path(&self) -> PathBuf {
        self.root.join(KEYS)
    }

    /// The passphrase of the key store.
    #[must_use]
    pub fn passphrase_path(&self) -> PathBuf {
        self.root.join(PASSPHRASE)
    }

    /// Folder of a process's files.
    #[must_use]
    pub fn store_path(&self, config: &Config, core: u16) -> PathBuf {
        let name = if core == 0 {
            "master".to_owned()
        } else {
            format!("worker-{core}")
        };
        self.root.join(&config.store.path).join(name)
    }

    /// The defaults and the configuration file, when there is one. Environment and flags are added by the caller.
    ///
    /// # Errors
    /// [`HomeError::Config`] and what reading gives.
    pub fn layers(&self) -> Result<Layers, HomeError> {
        Self::layers_of(self.config_path())
    }

    /// The same with a configuration file elsewhere.
    ///
    /// # Errors
    /// As [`Self::layers`].
    pub fn layers_of(path: PathBuf) -> Result<Layers, HomeError> {
        let config = |source| HomeError::Config {
            path: path.clone(),
            source,
        };
        let layers = Layers::built_in().map_err(config)?;
        let Some(bytes) = files::read(&path, FILE_BYTES_MAX)? else {
            return Ok(layers);
        };
        let text = String::from_utf8(bytes).map_err(|_| HomeError::Text(path.clone()))?;
        layers.with_file(&text).map_err(config)
    }

    /// The genesis document. Its content is checked by [`quil_engine::Network::open`].
    ///
    /// # Errors
    /// [`HomeError::Genesis`] and what reading gives.
    pub fn genesis(&self, config: &Config) -> Result<Genesis, HomeError> {
        let path = self.root.join(&config.genesis);
        let bytes = files::read_existing(&path, GENESIS_BYTES_MAX)?;
        Genesis::decode(&bytes, GENESIS_BYTES_MAX).map_err(|_| HomeError::Genesis(path))
    }

    /// The passphrase: the value of [`PASSPHRASE_VARIABLE`], else the file without its line end.
    ///
    /// # Errors
    /// [`HomeError::NoPassphrase`], [`HomeError::Exposed`], [`HomeError::Passphrase`] and what reading gives.
    pub fn passphrase(&self, variable: Option<&str>) -> Result<Passphrase, HomeError> {
        if let Some(text) = variable {
            return Ok(Passphrase::new(text.as_bytes())?);
        }
        let path = self.passphrase_path();
        let bytes = files::read_secret(&path, PASSPHRASE_FILE_BYTES_MAX)?
            .ok_or_else(|| HomeError::NoPassphrase(path))?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Ok(Passphrase::new(line.strip_suffix(b"\r").unwrap_or(line))?)
    }

    /// Decrypts the key store. Cost: a key derivation, a tenth of a second and more.
    ///
    /// # Errors
    /// [`HomeError::Keys`] and what reading gives.
    pub fn keys(&self, passphrase: &Passphrase) -> Result<KeyStore, HomeError> {
        let path = self.keys_path();
        let bytes = files::read_existing(&path, KEYS_BYTES_MAX)?;
        KeyStore::open(&bytes, passphrase).map_err(|source| HomeError::Keys { path, source })
    }

    /// Opens the files of a process and locks them for its life; the safety file first, so that a process whose
    /// predecessor still lives touches nothing (I1).
    ///
    /// # Errors
    /// [`HomeError::Store`], whose `exit_code` says how the process should end; [`HomeError::Io`].
    pub fn open_files(&self, config: &Config, core: u16, chain: Chain) -> Result<Files, HomeError> {
        let folder = self.store_path(config, core);
        files::folder(&folder)?;
        let safety = SafetyFile::open(&folder.join("safety.redb"))?;
        let cache = usize::try_from(config.store.cache_mib)
            .unwrap_or(1)
            .saturating_mul(MIB);
        let options = StateOptions {
            cache_bytes: cache,
            ..StateOptions::new(STATE_SCHEMA)
        };
        let state = StateFile::open(&folder.join("state.redb"), options)?;
        Ok(Files::new(Arc::new(state), safety, chain))
    }
}

/// Names of a node's keys.
pub mod alias {
    use super::Alias;

    /// The prover key.
    #[must_use]
    pub fn prover() -> Option<Alias> {
        "prover".parse().ok()
    }

    /// Network identity of a process; the master is core 0.
    #[must_use]
    pub fn peer(core: u16) -> Option<Alias> {
        format!("peer-{core}").parse().ok()
    }

    /// Consensus key of a worker.
    #[must_use]
    pub fn worker(core: u16) -> Option<Alias> {
        format!("worker-{core}").parse().ok()
    }
}
