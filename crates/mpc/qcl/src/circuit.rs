//! Boolean circuits over reusable wire slots.
//!
//! A [`Circuit`] is a list of [`Function`]s; the last one is the entry. A function has a frame of wire slots: its
//! parameters are slots `0..params`, gates read and write slots, and a slot is reused as soon as its value is dead.
//! A function may call functions before it in the list (so there is no recursion), optionally many times in a row with
//! the results fed back. Length of the computation and memory are therefore independent: memory is the number of live
//! wires, whatever the number of gates.
//!
//! Gates are `Xor`, `And`, `Inv` and two that move nothing between the parties: `Copy` and `Const`. Only `And` costs.
//! [`Cursor`] walks the expanded gate sequence in order, in slices, without expanding it in memory.

mod assemble;
mod bristol;
mod codec;
mod cursor;
mod eval;
mod port;
mod stats;
mod validate;
mod wirefile;

pub use assemble::{Assembler, Wire};
pub use bristol::BristolError;
pub use codec::DecodeError;
pub use cursor::{Cursor, Segment};
pub use eval::EvalError;
pub use port::{IoType, OutWire, OutputGroup, Port, Recipients};
pub use stats::Stats;
pub use validate::CircuitError;
pub use wirefile::WireFileError;

/// Index of a wire slot.
pub type Slot = u32;

/// Most parties a circuit can name. Two can run it.
pub const MAX_PARTIES: usize = 16;
/// Most input bits of one party, and most output bits in all.
pub const MAX_PORT_BITS: usize = 1 << 20;
/// Most functions of a circuit.
pub const MAX_FUNCTIONS: usize = 1 << 16;
/// Most wire slots of a whole run, all frames together (16 bytes each in a session).
pub const MAX_SLOTS: u32 = 1 << 26;
/// Most nested calls.
pub const MAX_CALL_DEPTH: usize = 64;
/// Most gates and moves of the expanded circuit: bounds the time of a run.
pub const MAX_GATES: u64 = 1 << 42;
/// Longest encoding that is read, bytes.
pub const MAX_ENCODED: usize = 64 << 20;

/// One gate over slots of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// `out = a ^ b`.
    Xor {
        /// Left input.
        a: Slot,
        /// Right input.
        b: Slot,
        /// Output.
        out: Slot,
    },
    /// `out = a & b`.
    And {
        /// Left input.
        a: Slot,
        /// Right input.
        b: Slot,
        /// Output.
        out: Slot,
    },
    /// `out = !a`.
    Inv {
        /// Input.
        a: Slot,
        /// Output.
        out: Slot,
    },
    /// `out = a`.
    Copy {
        /// Input.
        a: Slot,
        /// Output.
        out: Slot,
    },
    /// `out = value`, public.
    Const {
        /// The constant.
        value: bool,
        /// Output.
        out: Slot,
    },
}

impl Gate {
    /// The slot written.
    #[must_use]
    pub const fn out(&self) -> Slot {
        match *self {
            Self::Xor { out, .. }
            | Self::And { out, .. }
            | Self::Inv { out, .. }
            | Self::Copy { out, .. }
            | Self::Const { out, .. } => out,
        }
    }

    /// The slots read.
    #[must_use]
    pub const fn inputs(&self) -> (Option<Slot>, Option<Slot>) {
        match *self {
            Self::Xor { a, b, .. } | Self::And { a, b, .. } => (Some(a), Some(b)),
            Self::Inv { a, .. } | Self::Copy { a, .. } => (Some(a), None),
            Self::Const { .. } => (None, None),
        }
    }
}

/// A run of gates or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Gates executed in order.
    Gates(Vec<Gate>),
    /// A call of an earlier function.
    Call(Call),
}

/// A call: arguments are copied into the frame of the callee, results copied back.
///
/// With `times > 1` the callee runs again with its results in the place of its first arguments; the remaining
/// arguments stay. `outs` then holds the results of the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Index of the callee, less than the index of the caller.
    pub function: u32,
    /// Number of runs, at least 1.
    pub times: u32,
    /// Slots of the caller that hold the arguments.
    pub args: Vec<Slot>,
    /// Slots of the caller that receive the results: distinct, and outside the arguments that stay.
    pub outs: Vec<Slot>,
}

/// A frame layout and its steps.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Function {
    /// Number of parameters: slots `0..params` on entry.
    pub params: u32,
    /// Slots of the frame.
    pub slots: u32,
    /// Slots that hold the results on exit.
    pub results: Vec<Slot>,
    /// What is executed.
    pub steps: Vec<Step>,
}

/// A validated circuit.
///
/// The entry function takes the input bits of party 0, then of party 1, and so on; its results are what
/// [`OutWire::Result`] refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    inputs: Vec<Port>,
    outputs: Vec<OutputGroup>,
    functions: Vec<Function>,
    total_slots: u32,
    stats: Stats,
}

impl Circuit {
    /// Checks the parts and puts them together.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn new(
        inputs: Vec<Port>,
        outputs: Vec<OutputGroup>,
        functions: Vec<Function>,
    ) -> Result<Self, CircuitError> {
        let total_slots = validate::check(&inputs, &outputs, &functions)?;
        let stats = stats::count(&functions);
        if stats.total() > MAX_GATES {
            return Err(CircuitError::TooManyGates);
        }
        Ok(Self {
            inputs,
            outputs,
            functions,
            total_slots,
            stats,
        })
    }

    /// What each party gives.
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What comes out, and for whom.
    #[must_use]
    pub fn outputs(&self) -> &[OutputGroup] {
        &self.outputs
    }

    /// All functions, the entry last.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Input bits of each party.
    #[must_use]
    pub fn input_widths(&self) -> Vec<usize> {
        self.inputs.iter().map(|port| port.ty.bits()).collect()
    }

    /// Slots that hold the results of the entry function when the [`Cursor`] is at its end.
    #[must_use]
    pub fn results(&self) -> &[Slot] {
        self.functions.last().map_or(&[], |f| f.results.as_slice())
    }

    /// Slots of all frames together: the size of the wire array of a run.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.total_slots
    }

    /// Gate counts of the expanded circuit.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The circuit that applies this one `times` times: output bits become the input bits of party 0 of the next run.
    /// Party 1 keeps its input. All outputs must be results, none constant, as many bits as party 0 gives.
    ///
    /// # Errors
    /// The shape does not allow it.
    pub fn iterate(&self, times: u32) -> Result<Self, CircuitError> {
        let widths = self.input_widths();
        let state = widths.first().copied().unwrap_or(0);
        let bits: usize = self.outputs.iter().map(|group| group.wires.len()).sum();
        let entry = self.functions.last().ok_or(CircuitError::NoEntry)?;
        let in_order = self
            .outputs
            .iter()
            .flat_map(|group| &group.wires)
            .enumerate()
            .all(|(i, wire)| matches!(wire, OutWire::Result(r) if usize::try_from(*r) == Ok(i)));
        if times == 0 || bits != state || !in_order || entry.results.len() != bits {
            return Err(CircuitError::NotIterable);
        }
        let params = entry.params;
        let callee = u32::try_from(self.functions.len().saturating_sub(1))
            .map_err(|_| CircuitError::TooManyFunctions)?;
        let mut assembler = Assembler::new(params);
        let args: Vec<Wire> = (0..params).map(Wire).collect();
        let outs = assembler.call(callee, times, &args, bits);
        let mut functions = self.functions.clone();
        functions.push(assembler.finish(&outs));
        Self::new(self.inputs.clone(), self.outputs.clone(), functions)
    }
}
