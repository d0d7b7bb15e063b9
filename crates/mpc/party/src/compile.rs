//! `compile`: from a program to a circuit, a listing, and figures.

use std::fs;
use std::path::PathBuf;

use quil_client::Document;
use serde_json::{Map, Value};

use crate::error::PartyError;
use crate::program::{Program, Sizes};
use crate::progress::Say;
use crate::report::{about, recipients, type_name};

/// Schema of the report.
const SCHEMA: &str = "quil.circuit/1";
/// Bytes that the garbler sends per AND gate.
const TABLE: u64 = 32;

/// A listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Words in single assignment, as executed.
    Ssa,
    /// The word-level circuit: what the results need.
    Ir,
    /// The gates as Bristol Fashion.
    Bristol,
}

/// What to compile, and what to make of it.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// Source or circuit.
    pub file: PathBuf,
    /// Sizes of open types.
    pub sizes: Sizes,
    /// File to write: the listing, or else the circuit.
    pub out: Option<PathBuf>,
    /// Listing instead of a circuit.
    pub emit: Option<Emit>,
    /// With figures.
    pub stats: bool,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// What the circuit is, and the figures if wanted.
    pub report: Document,
    /// The listing, when it was not written to a file.
    pub listing: Option<String>,
}

/// Compiles a program, writes what is wanted.
///
/// # Errors
/// The program is refused, or a file cannot be read or written.
pub fn compile(what: &Compilation, say: &Say<'_>) -> Result<Emitted, PartyError> {
    let program = Program::read(&what.file, &what.sizes, say)?;
    let circuit = program.circuit();
    let bytes = circuit.to_bytes();
    let mut report = describe(&program);
    if what.stats {
        report = with_stats(report, &program, bytes.len());
    }
    let mut listing = match what.emit {
        None => None,
        Some(Emit::Ssa) => Some(program.words()?.ssa()),
        Some(Emit::Ir) => Some(program.words()?.ir()),
        Some(Emit::Bristol) => Some(circuit.to_bristol().map_err(PartyError::Export)?),
    };
    if let Some(path) = &what.out {
        let content = listing.take().map_or(bytes, String::into_bytes);
        let failed = |source| PartyError::Write {
            path: path.clone(),
            source,
        };
        fs::write(path, content).map_err(failed)?;
        report = report.with("written", path.display().to_string());
    }
    Ok(Emitted { report, listing })
}

fn describe(program: &Program) -> Document {
    let circuit = program.circuit();
    let outputs = circuit.outputs().iter().map(|group| {
        Map::from_iter([
            ("output".to_owned(), Value::from(group.name.as_str())),
            ("type".to_owned(), Value::from(type_name(&group.ty))),
            ("to".to_owned(), Value::from(recipients(group.to))),
        ])
    });
    let outputs = outputs.collect();
    let mut report = about(SCHEMA, program);
    for (party, port) in circuit.inputs().iter().enumerate() {
        let name = match party {
            0 => "garbler".to_owned(),
            1 => "evaluator".to_owned(),
            other => format!("party_{other}"),
        };
        report = report.with(&name, type_name(&port.ty));
    }
    report.with_table("outputs", outputs, &["output", "type", "to"])
}

fn with_stats(report: Document, program: &Program, bytes: usize) -> Document {
    let circuit = program.circuit();
    let stats = circuit.stats();
    report
        .with("and", stats.and)
        .with("xor", stats.xor)
        .with("inv", stats.inv)
        .with("depth", stats.depth)
        .with("live_wires", circuit.slots())
        .with("stored_gates", stats.stored)
        .with("bytes", bytes)
        .with("table_bytes", stats.and.saturating_mul(TABLE))
}
