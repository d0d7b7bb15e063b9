//! A circuit prepared for garbling: gates in layers, wires renamed, both parties in the same order.
//!
//! A *layer* is a run of XOR gates in order, then a set of AND gates none of which needs another of the set. Layers are
//! formed inside windows of [`WINDOW`] gates; within a window every gate writes a slot of its own, so that the reuse of
//! slots in the circuit does not chain independent gates. A frame therefore has at most `WINDOW` slots more than the
//! circuit says, and memory follows the number of live wires, not the length of the circuit.
//!
//! Inversions, copies and constants become XOR gates with two fixed slots of every frame: `ZERO` and `OFFSET`. The
//! garbler keeps its offset in the latter, the evaluator zero; that is what an inversion means for their labels.

mod schedule;

use quil_qcl::circuit::{Circuit, Function, Recipients, Step};

/// Gates looked at together.
pub const WINDOW: usize = 2048;
/// Slot that holds the zero block.
pub(crate) const ZERO: u32 = 0;
/// Slot that holds the offset on the garbler's side and the zero block on the evaluator's.
pub(crate) const OFFSET: u32 = 1;
/// First slot after the fixed ones: parameters begin here.
pub(crate) const FIRST: u32 = 2;
/// Most slots of all frames together (16 bytes each).
pub const MAX_WIRES: usize = 1 << 27;

/// A circuit that cannot be run between two parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The circuit has another number of parties than two.
    #[error("the circuit has {0} parties, a session has two")]
    Parties(usize),
    /// Slots or calls that contradict each other. Circuits that passed their checks do not have this.
    #[error("the circuit is not well-formed")]
    Malformed,
    /// More wires at a time than [`MAX_WIRES`].
    #[error("the circuit needs more than {MAX_WIRES} wires at a time")]
    Wires,
}

/// Gate of a layer: two inputs, one output, slots of the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) out: u32,
}

/// Sizes of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub(crate) xors: u32,
    pub(crate) ands: u32,
}

/// Layers of a run of gates, operations one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    pub(crate) layers: Vec<Layer>,
    pub(crate) xors: Vec<Op>,
    pub(crate) ands: Vec<Op>,
}

/// A call with renamed slots.
#[derive(Clone, Debug)]
pub(crate) struct PlanCall {
    pub(crate) function: usize,
    pub(crate) times: u32,
    pub(crate) args: Vec<u32>,
    pub(crate) outs: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum PlanStep {
    Tape(Tape),
    Call(PlanCall),
}

#[derive(Clone, Debug)]
pub(crate) struct PlanFunction {
    pub(crate) slots: u32,
    pub(crate) results: Vec<u32>,
    pub(crate) steps: Vec<PlanStep>,
    /// AND gates of one run, calls included.
    ands: u64,
    /// XOR operations of one run, calls included.
    xors: u64,
    /// Slots of the frame and of the deepest frames it calls.
    depth_slots: usize,
}

/// A prepared circuit. Building it costs some 20 ns per gate of the encoded (not of the expanded) circuit.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) functions: Vec<PlanFunction>,
    pub(crate) widths: [usize; 2],
    pub(crate) outputs: Vec<OutputPlan>,
    code_id: [u8; 32],
}

/// One output bit and who learns it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutputBit {
    /// Index into the results of the entry function.
    Wire(usize),
    /// The same for all inputs.
    Constant(bool),
}

/// One output group.
#[derive(Clone, Debug)]
pub(crate) struct OutputPlan {
    pub(crate) to: Recipients,
    pub(crate) bits: Vec<OutputBit>,
}

impl Plan {
    /// Prepares a circuit of two parties; party 0 garbles.
    ///
    /// # Errors
    /// Not two parties, or too many wires.
    pub fn new(circuit: &Circuit) -> Result<Self, PlanError> {
        let widths = circuit.input_widths();
        let [garbler, evaluator] = *widths.as_slice() else {
            return Err(PlanError::Parties(widths.len()));
        };
        let mut functions: Vec<PlanFunction> = Vec::with_capacity(circuit.functions().len());
        for function in circuit.functions() {
            let planned = plan_function(function, &functions)?;
            functions.push(planned);
        }
        let entry = functions.last().ok_or(PlanError::Malformed)?;
        if entry.depth_slots > MAX_WIRES {
            return Err(PlanError::Wires);
        }
        let outputs = plan_outputs(circuit, entry.results.len())?;
        Ok(Self {
            functions,
            widths: [garbler, evaluator],
            outputs,
            code_id: circuit.code_id(),
        })
    }

    /// Identity of the circuit.
    #[must_use]
    pub const fn code_id(&self) -> &[u8; 32] {
        &self.code_id
    }

    /// Input bits of garbler and evaluator.
    #[must_use]
    pub const fn widths(&self) -> [usize; 2] {
        self.widths
    }

    /// AND gates of a run.
    #[must_use]
    pub fn ands(&self) -> u64 {
        self.functions.last().map_or(0, |entry| entry.ands)
    }

    /// XOR operations of a run; inversions, copies inside functions and constants count as such.
    #[must_use]
    pub fn xors(&self) -> u64 {
        self.functions.last().map_or(0, |entry| entry.xors)
    }

    /// Wire slots of a run, 16 bytes each.
    #[must_use]
    pub fn wires(&self) -> usize {
        self.functions.last().map_or(0, |entry| entry.depth_slots)
    }

    /// Mean number of AND gates per layer of the encoded circuit.
    #[must_use]
    pub fn mean_layer(&self) -> u64 {
        let tapes = self
            .functions
            .iter()
            .flat_map(|f| &f.steps)
            .filter_map(|step| match step {
                PlanStep::Tape(tape) => Some(tape),
                PlanStep::Call(_) => None,
            });
        let (ands, layers) = tapes.fold((0_u64, 0_u64), |(ands, layers), tape| {
            let full = tape.layers.iter().filter(|layer| layer.ands > 0).count();
            (
                ands.saturating_add(tape.ands.len() as u64),
                layers.saturating_add(full as u64),
            )
        });
        ands.checked_div(layers).unwrap_or(0)
    }
}

fn plan_outputs(circuit: &Circuit, results: usize) -> Result<Vec<OutputPlan>, PlanError> {
    use quil_qcl::circuit::OutWire;
    let bit = |wire: &OutWire| match *wire {
        OutWire::Const(value) => Ok(OutputBit::Constant(value)),
        OutWire::Result(index) => {
            let index = usize::try_from(index).map_err(|_| PlanError::Malformed)?;
            if index < results {
                Ok(OutputBit::Wire(index))
            } else {
                Err(PlanError::Malformed)
            }
        }
    };
    let group = |group: &quil_qcl::circuit::OutputGroup| {
        Ok(OutputPlan {
            to: group.to,
            bits: group.wires.iter().map(bit).collect::<Result<_, _>>()?,
        })
    };
    circuit.outputs().iter().map(group).collect()
}

fn plan_function(function: &Function, earlier: &[PlanFunction]) -> Result<PlanFunction, PlanError> {
    let mut names = schedule::Names::new(function.params, function.slots)?;
    let mut steps = Vec::with_capacity(function.steps.len());
    let (mut ands, mut xors, mut deepest) = (0_u64, 0_u64, 0_usize);
    for step in &function.steps {
        match step {
            Step::Gates(gates) => {
                let tape = schedule::tape(gates, &mut names)?;
                ands = ands.saturating_add(tape.ands.len() as u64);
                xors = xors.saturating_add(tape.xors.len() as u64);
                steps.push(PlanStep::Tape(tape));
            }
            Step::Call(call) => {
                let index = usize::try_from(call.function).map_err(|_| PlanError::Malformed)?;
                let callee = earlier.get(index).ok_or(PlanError::Malformed)?;
                if callee.results.len() != call.outs.len() {
                    return Err(PlanError::Malformed);
                }
                let args = call
                    .args
                    .iter()
                    .map(|slot| names.read(*slot))
                    .collect::<Result<_, _>>()?;
                let outs = call
                    .outs
                    .iter()
                    .map(|slot| names.write(*slot))
                    .collect::<Result<_, _>>()?;
                names.end_window();
                ands = ands.saturating_add(callee.ands.saturating_mul(u64::from(call.times)));
                xors = xors.saturating_add(callee.xors.saturating_mul(u64::from(call.times)));
                deepest = deepest.max(callee.depth_slots);
                steps.push(PlanStep::Call(PlanCall {
                    function: index,
                    times: call.times,
                    args,
                    outs,
                }));
            }
        }
    }
    let results = function
        .results
        .iter()
        .map(|slot| names.read(*slot))
        .collect::<Result<_, _>>()?;
    let slots = names.used();
    let depth_slots = deepest.saturating_add(usize::try_from(slots).map_err(|_| PlanError::Wires)?);
    if depth_slots > MAX_WIRES {
        return Err(PlanError::Wires);
    }
    Ok(PlanFunction {
        slots,
        results,
        steps,
        ands,
        xors,
        depth_slots,
    })
}
