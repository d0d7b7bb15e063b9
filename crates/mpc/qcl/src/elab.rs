//! Elaboration: symbolic execution of `main` into word graphs.
//!
//! Every value is a tree of words; a word is a node of the graph of the function being executed. Variables are
//! objects; a write under a secret condition is recorded and merged with a multiplexer when the condition ends, also
//! when it happens through a pointer or in a callee. A function without effects is executed once for each combination
//! of argument types and constants; large ones become calls.
#![expect(
    clippy::indexing_slicing,
    reason = "objects and packages are numbered by this module itself"
)]

mod builtin;
mod call;
mod entry;
mod expr;
mod literal;
mod ops;
mod package;
mod place;
mod resolve;
mod stmt;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::ir::{Graph, MAX_NODES, Node};
use crate::source::{Fault, Result, Span};
use crate::syntax::ast;
use crate::types::Ty;

pub(crate) use entry::Program;
pub(crate) use package::Packages;
use place::Place;
use value::{Frozen, Val};

/// Deepest execution: statements and expressions inside each other, through calls. Less than 0.8 MB of stack.
pub(crate) const MAX_DEPTH: u32 = 500;

/// Levels that an arm of a secret condition counts for.
const ARM_DEPTH: u32 = 2;

/// Limits of one compilation.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) unroll: u64,
    pub(crate) work: u64,
}

/// What a name stands for inside a function.
#[derive(Clone, Debug)]
enum Binding {
    Object(usize),
    Const(Val),
}

/// A variable.
#[derive(Clone, Debug)]
struct Object {
    /// Declared type, may be open.
    ty: Ty,
    val: Val,
}

/// Values before the first write under a secret condition.
#[derive(Default)]
struct Log {
    /// Objects from this number on were created under the condition.
    first_new: usize,
    saved: BTreeMap<usize, Val>,
}

/// The function being executed.
struct Frame<'a> {
    package: usize,
    scopes: Vec<BTreeMap<&'a str, Binding>>,
    /// Object of one bit: a return was executed.
    returned: usize,
    results: Vec<usize>,
}

/// A function specialised to types and constants.
struct Instance {
    graph: Rc<Graph>,
    results: Vec<(Ty, Frozen)>,
    /// Estimated AND gates.
    cost: u64,
    /// Number of the graph in the program, once it is called rather than copied.
    number: Option<u32>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    package: usize,
    func: usize,
    args: Vec<(Ty, Frozen)>,
}

pub(crate) struct Elab<'a> {
    packages: &'a Packages,
    limits: Limits,
    simplify: bool,
    graph: Graph,
    objects: Vec<Object>,
    logs: Vec<Log>,
    frame: Frame<'a>,
    depth: u32,
    work: u64,
    /// Places of the calls being executed.
    calls: Vec<Span>,
    instances: HashMap<Rc<Key>, Instance>,
    /// Instances being executed, outermost first.
    active: Vec<Rc<Key>>,
    /// Graphs of functions that are called.
    graphs: Vec<Rc<Graph>>,
    /// Costs of `graphs`.
    costs: Vec<u64>,
    /// Package-level names that are being evaluated.
    pending: Vec<(usize, &'a str)>,
    consts: HashMap<(usize, &'a str), (Ty, Frozen)>,
    types: HashMap<(usize, &'a str), Ty>,
    /// Objects of package variables that are assigned somewhere.
    globals: HashMap<(usize, &'a str), usize>,
}

impl<'a> Elab<'a> {
    pub(crate) fn new(packages: &'a Packages, limits: Limits, simplify: bool) -> Self {
        Self {
            packages,
            limits,
            simplify,
            graph: Graph::new(simplify),
            objects: Vec::new(),
            logs: Vec::new(),
            frame: Frame {
                package: 0,
                scopes: Vec::new(),
                returned: 0,
                results: Vec::new(),
            },
            depth: 0,
            work: 0,
            calls: Vec::new(),
            instances: HashMap::new(),
            active: Vec::new(),
            graphs: Vec::new(),
            costs: Vec::new(),
            pending: Vec::new(),
            consts: HashMap::new(),
            types: HashMap::new(),
            globals: HashMap::new(),
        }
    }

    /// Counts work and nesting; every recursive step of execution passes here.
    fn enter(&mut self, span: Span) -> Result<()> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(
                span,
                format!("execution is nested deeper than {MAX_DEPTH} levels"),
                "recursion has to end by conditions on constants; use a loop for long computations",
            ));
        }
        self.charge(1, span)
    }

    const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn charge(&mut self, amount: u64, span: Span) -> Result<()> {
        self.work = self.work.saturating_add(amount);
        if self.work > self.limits.work || self.graph.len() > MAX_NODES {
            return Err(Fault::new(
                span,
                "the program is too large to compile",
                "fewer loop iterations, smaller arrays, or repeated work moved into functions",
            ));
        }
        Ok(())
    }

    fn object(&mut self, ty: Ty, val: Val) -> usize {
        self.objects.push(Object { ty, val });
        self.objects.len().saturating_sub(1)
    }

    /// Writes a variable; under a secret condition the old value is kept for the merge.
    fn store(&mut self, id: usize, val: Val) {
        self.note(id);
        self.objects[id].val = val;
    }

    fn note(&mut self, id: usize) {
        if let Some(log) = self.logs.last_mut()
            && id < log.first_new
            && !log.saved.contains_key(&id)
        {
            log.saved.insert(id, self.objects[id].val.clone());
        }
    }

    /// Executes both arms of a secret condition and merges what they wrote.
    fn branch(
        &mut self,
        cond: Node,
        span: Span,
        then: impl FnOnce(&mut Self) -> Result<()>,
        otherwise: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        // An arm takes the stack of several levels.
        self.depth = self.depth.saturating_add(ARM_DEPTH);
        let left = self.arm(then)?;
        let right = self.arm(otherwise)?;
        self.depth = self.depth.saturating_sub(ARM_DEPTH);
        let written: std::collections::BTreeSet<usize> =
            left.keys().chain(right.keys()).copied().collect();
        for id in written {
            let current = || self.objects[id].val.clone();
            let t = left.get(&id).cloned().unwrap_or_else(current);
            let f = right.get(&id).cloned().unwrap_or_else(current);
            let val = self.mux_val(cond, t, f, span)?;
            self.store(id, val);
        }
        Ok(())
    }

    /// Runs one arm; gives what it wrote and restores the state before.
    fn arm(&mut self, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<BTreeMap<usize, Val>> {
        self.logs.push(Log {
            first_new: self.objects.len(),
            saved: BTreeMap::new(),
        });
        run(self)?;
        let log = self.logs.pop().unwrap_or_default();
        let mut written = BTreeMap::new();
        for (id, old) in log.saved {
            let new = std::mem::replace(&mut self.objects[id].val, old);
            written.insert(id, new);
        }
        Ok(written)
    }

    fn bind(&mut self, name: &'a str, binding: Binding) {
        if name != "_"
            && let Some(scope) = self.frame.scopes.last_mut()
        {
            scope.insert(name, binding);
        }
    }

    /// Declares a variable in the innermost scope.
    fn declare(&mut self, name: &'a str, ty: Ty, val: Val) {
        let id = self.object(ty, val);
        self.bind(name, Binding::Object(id));
    }

    fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.frame.scopes.push(BTreeMap::new());
        let value = run(self);
        self.frame.scopes.pop();
        value
    }

    fn lookup(&self, name: &str) -> Option<&Binding> {
        self.frame
            .scopes
            .iter()
            .rev()
            .find_map(|scope| scope.get(name))
    }

    fn package(&self) -> &'a package::Package {
        self.packages.get(self.frame.package)
    }
}
