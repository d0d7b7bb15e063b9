//! Programs and circuits in files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use quil_qcl::circuit::{Circuit, MAX_ENCODED};
use quil_qcl::{Compiled, Options};

use crate::error::PartyError;
use crate::progress::{Say, slowly};

/// Longest program or circuit file, bytes.
pub const MAX_FILE: u64 = MAX_ENCODED as u64;
/// First bytes of a `.qclc` file.
const CIRCUIT_MAGIC: &[u8] = b"QCLC";
/// First bytes of a flat gate list.
const WIRE_MAGIC: &[u8] = b"crc\0";

/// For each party, a number for each open type (`int`, `[]byte`, `string`) of its input: bits or elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Of party 0.
    pub garbler: Vec<u32>,
    /// Of party 1.
    pub evaluator: Vec<u32>,
}

/// A circuit and where it came from.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    circuit: Circuit,
    /// Of a source file.
    compiled: Option<Compiled>,
}

impl Program {
    /// Reads a file: a circuit (`.qclc`, Bristol Fashion, flat gate list) is known by its first bytes, everything else is
    /// source and compiled.
    ///
    /// # Errors
    /// The file cannot be read, or is no valid program.
    pub fn read(path: &Path, sizes: &Sizes, say: &Say<'_>) -> Result<Self, PartyError> {
        let path = path.to_owned();
        let bytes = read_limited(&path, MAX_FILE)?;
        let is_source = path.extension().is_some_and(|e| e == "qcl");
        if !is_source && let Some(circuit) = circuit_of(&path, &bytes)? {
            return Ok(Self {
                path,
                circuit,
                compiled: None,
            });
        }
        let Ok(source) = String::from_utf8(bytes) else {
            return Err(PartyError::NoText { path });
        };
        let name = path
            .file_name()
            .map_or_else(|| "main.qcl".into(), |name| name.to_string_lossy());
        let options = Options {
            sizes: vec![sizes.garbler.clone(), sizes.evaluator.clone()],
            ..Options::default()
        };
        let compile = || quil_qcl::compile(&name, &source, &options);
        let compiled = slowly(say, &format!("compiling {name}"), compile);
        let compiled = compiled.map_err(PartyError::Source)?;
        Ok(Self {
            circuit: compiled.circuit().clone(),
            compiled: Some(compiled),
            path: path.clone(),
        })
    }

    /// The file it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The circuit.
    #[must_use]
    pub const fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// What a source file was compiled to.
    pub(crate) fn words(&self) -> Result<&Compiled, PartyError> {
        let none = || PartyError::NoWords {
            path: self.path.clone(),
        };
        self.compiled.as_ref().ok_or_else(none)
    }
}

fn circuit_of(path: &Path, bytes: &[u8]) -> Result<Option<Circuit>, PartyError> {
    let path = || path.to_owned();
    if bytes.starts_with(CIRCUIT_MAGIC) {
        let circuit = Circuit::from_bytes(bytes);
        let circuit = circuit.map_err(|source| PartyError::Circuit {
            path: path(),
            source,
        });
        return circuit.map(Some);
    }
    if bytes.starts_with(WIRE_MAGIC) {
        let circuit = Circuit::from_wire_file(bytes);
        let circuit = circuit.map_err(|source| PartyError::WireFile {
            path: path(),
            source,
        });
        return circuit.map(Some);
    }
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    let Some(text) = first
        .filter(|b| b.is_ascii_digit())
        .and_then(|_| core::str::from_utf8(bytes).ok())
    else {
        return Ok(None);
    };
    let circuit = Circuit::from_bristol(text);
    let circuit = circuit.map_err(|source| PartyError::Bristol {
        path: path(),
        source,
    });
    circuit.map(Some)
}

/// A whole file of at most `limit` bytes.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, PartyError> {
    let failed = |source| PartyError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(limit.saturating_add(1));
    limited.read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(PartyError::TooLong {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}
