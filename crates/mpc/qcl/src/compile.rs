//! The compiler as one function.

use std::rc::Rc;

use crate::circuit::{Circuit, OutputGroup};
use crate::elab::{Elab, Limits, Packages, Program};
use crate::ir::Graph;
use crate::lower::lower;
use crate::packages;
use crate::source::{CompileError, Fault, Sources, Span};

pub use crate::gates::Goal;

/// Parameters of a compilation. The same source and options give the same bytes everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most iterations of one loop.
    pub unroll: u64,
    /// Most elementary steps of execution while compiling; bounds time and memory.
    pub work: u64,
    /// For each party a number for each open type (`int`, `[]byte`, `string`) of its input: bits of an integer, elements
    /// of an array, bytes of a string.
    pub sizes: Vec<Vec<u32>>,
    /// Packages besides the standard ones: import path and source. They come before standard packages of that name.
    pub packages: Vec<(String, String)>,
    /// What the gate builders minimise.
    pub goal: Goal,
    /// Folding, sharing and identities beyond constants; off only to test that it changes nothing.
    pub simplify: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unroll: 1 << 17,
            work: 20_000_000,
            sizes: Vec::new(),
            packages: Vec::new(),
            goal: Goal::Ands,
            simplify: true,
        }
    }
}

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Compiled {
    circuit: Circuit,
    graphs: Rc<[Graph]>,
}

impl Compiled {
    /// The circuit.
    #[must_use]
    pub const fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The circuit alone.
    #[must_use]
    pub fn into_circuit(self) -> Circuit {
        self.circuit
    }

    /// Words in single assignment, as executed.
    #[must_use]
    pub fn ssa(&self) -> String {
        self.print(true)
    }

    /// The word-level circuit: what the results need.
    #[must_use]
    pub fn ir(&self) -> String {
        self.print(false)
    }

    fn print(&self, all: bool) -> String {
        let last = self.graphs.len().saturating_sub(1);
        let name = |i: usize| {
            if i == last {
                "main".to_owned()
            } else {
                format!("f{i}")
            }
        };
        self.graphs
            .iter()
            .enumerate()
            .map(|(i, g)| g.print(&name(i), all))
            .collect()
    }
}

/// Compiles one source file.
///
/// # Errors
/// What is wrong with the program, with places and hints.
pub fn compile(name: &str, source: &str, options: &Options) -> Result<Compiled, CompileError> {
    compile_files(&[(name.to_owned(), source.to_owned())], options)
}

/// Compiles a program of several files of package `main`. Their order does not matter.
///
/// # Errors
/// What is wrong with the program, with places and hints.
pub fn compile_files(
    files: &[(String, String)],
    options: &Options,
) -> Result<Compiled, CompileError> {
    let mut files = files.to_vec();
    files.sort();
    let mut sources = Sources::default();
    let own = |path: &str| options.packages.iter().find(|(name, _)| name == path);
    let library = |path: &str| match own(path) {
        Some((_, text)) => Some(vec![(format!("{path}.qcl"), text.clone())]),
        None => packages::find(path),
    };
    let packages = Packages::load(&mut sources, &files, &library);
    let report = |faults: &[Fault]| CompileError {
        diagnostics: faults.iter().map(|fault| sources.resolve(fault)).collect(),
    };
    let packages = packages.map_err(|faults| report(&faults))?;
    let limits = Limits {
        unroll: options.unroll,
        work: options.work,
    };
    let program = Elab::program(&packages, limits, options.simplify, &options.sizes)
        .map_err(|fault| report(&[*fault]))?;
    finish(program, options).map_err(|fault| report(&[*fault]))
}

fn finish(program: Program, options: &Options) -> Result<Compiled, Box<Fault>> {
    let too_large = |_| {
        Fault::new(
            Span::default(),
            "the circuit is too large",
            "repeat work in functions, so that it is stored once",
        )
    };
    let lowered = lower(&program.graphs, options.simplify, options.goal).map_err(too_large)?;
    let mut wires = lowered.results.into_iter();
    let outputs = program
        .outputs
        .into_iter()
        .map(|output| {
            let bits = output.ty.bits();
            OutputGroup {
                name: output.name,
                to: output.to,
                wires: wires.by_ref().take(bits).collect(),
                ty: output.ty,
            }
        })
        .collect();
    let circuit = Circuit::new(program.inputs, outputs, lowered.functions)
        .map_err(|error| Fault::new(Span::default(), error.to_string(), "simplify the program"))?;
    Ok(Compiled {
        circuit,
        graphs: program.graphs.into(),
    })
}
