//! Structural rules. Everything that walks a circuit relies on them.

use super::{
    Call, Function, Gate, IoType, MAX_CALL_DEPTH, MAX_FUNCTIONS, MAX_PARTIES, MAX_PORT_BITS,
    MAX_SLOTS, OutWire, OutputGroup, Port, Slot, Step,
};

/// A broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CircuitError {
    /// No function.
    #[error("a circuit needs an entry function")]
    NoEntry,
    /// More than [`MAX_FUNCTIONS`].
    #[error("too many functions")]
    TooManyFunctions,
    /// More than [`MAX_PARTIES`], or none.
    #[error("number of parties outside 1..=16")]
    Parties,
    /// More bits than [`MAX_PORT_BITS`].
    #[error("too many input or output bits")]
    PortBits,
    /// A type is nested too deeply, empty where it must not be, or a name is too long.
    #[error("type or name outside limits")]
    PortType,
    /// Parameters of the entry differ from the input bits.
    #[error("entry function does not take the input bits")]
    EntryParams,
    /// Width of the type and number of wires differ.
    #[error("output width and wires differ")]
    OutputWidth,
    /// Recipients name a party that does not exist, or nobody.
    #[error("output goes to a party that does not exist")]
    Recipients,
    /// A result index outside the entry function.
    #[error("output refers to a missing result")]
    OutputWire,
    /// A slot index outside the frame.
    #[error("slot outside the frame")]
    SlotRange,
    /// A slot is read before it is written.
    #[error("slot read before it is written")]
    Undefined,
    /// A call of the same or a later function.
    #[error("call of a function that is not earlier in the list")]
    CallOrder,
    /// Arguments or results of a call have the wrong number, repeat, or overlap.
    #[error("call with a wrong shape")]
    CallShape,
    /// A function that nothing calls.
    #[error("function that nothing calls")]
    Uncalled,
    /// More than [`MAX_CALL_DEPTH`] nested calls.
    #[error("calls nested too deeply")]
    CallDepth,
    /// More than [`MAX_SLOTS`].
    #[error("too many wire slots")]
    TooManySlots,
    /// More gates and moves than [`super::MAX_GATES`].
    #[error("too many gates")]
    TooManyGates,
    /// The outputs are not the next input of party 0.
    #[error("outputs cannot be fed back as the input of party 0")]
    NotIterable,
}

/// Checks all rules; gives the number of slots of a run.
pub(super) fn check(
    inputs: &[Port],
    outputs: &[OutputGroup],
    functions: &[Function],
) -> Result<u32, CircuitError> {
    if inputs.is_empty() || inputs.len() > MAX_PARTIES {
        return Err(CircuitError::Parties);
    }
    if functions.len() > MAX_FUNCTIONS {
        return Err(CircuitError::TooManyFunctions);
    }
    let entry = functions.last().ok_or(CircuitError::NoEntry)?;
    let mut bits = 0usize;
    for port in inputs {
        check_name_and_type(&port.name, &port.ty)?;
        if port.ty.bits() > MAX_PORT_BITS {
            return Err(CircuitError::PortBits);
        }
        bits = bits.saturating_add(port.ty.bits());
    }
    if usize::try_from(entry.params) != Ok(bits) {
        return Err(CircuitError::EntryParams);
    }
    check_outputs(inputs.len(), outputs, entry)?;
    let mut frames: Vec<(u32, usize)> = Vec::with_capacity(functions.len());
    for function in functions {
        let shape = check_function(function, functions, &frames)?;
        frames.push(shape);
    }
    check_called(functions)?;
    Ok(frames.last().map_or(0, |f| f.0))
}

/// Every function but the entry has a caller, so the parameters of all functions are bounded by the encoding.
fn check_called(functions: &[Function]) -> Result<(), CircuitError> {
    let mut called = vec![false; functions.len()];
    if let Some(entry) = called.last_mut() {
        *entry = true;
    }
    for step in functions.iter().flat_map(|f| &f.steps) {
        if let Step::Call(call) = step
            && let Some(place) =
                called.get_mut(usize::try_from(call.function).unwrap_or(usize::MAX))
        {
            *place = true;
        }
    }
    if called.iter().all(|c| *c) {
        Ok(())
    } else {
        Err(CircuitError::Uncalled)
    }
}

fn check_name_and_type(name: &str, ty: &IoType) -> Result<(), CircuitError> {
    if name.len() > IoType::MAX_NAME || ty.depth() > IoType::MAX_DEPTH || !names_ok(ty) {
        return Err(CircuitError::PortType);
    }
    Ok(())
}

fn names_ok(ty: &IoType) -> bool {
    match ty {
        IoType::Bool | IoType::Text { .. } => true,
        IoType::Int { width, .. } => *width > 0,
        IoType::Array { elem, .. } => names_ok(elem),
        IoType::Struct { fields } => fields
            .iter()
            .all(|(name, ty)| name.len() <= IoType::MAX_NAME && names_ok(ty)),
    }
}

fn check_outputs(
    parties: usize,
    outputs: &[OutputGroup],
    entry: &Function,
) -> Result<(), CircuitError> {
    let mut bits = 0usize;
    for group in outputs {
        check_name_and_type(&group.name, &group.ty)?;
        if group.ty.bits() != group.wires.len() {
            return Err(CircuitError::OutputWidth);
        }
        bits = bits.saturating_add(group.wires.len());
        if group.to.0 == 0 || u32::from(group.to.0) >> parties != 0 {
            return Err(CircuitError::Recipients);
        }
        for wire in &group.wires {
            if let OutWire::Result(index) = wire
                && usize::try_from(*index).map_or(true, |i| i >= entry.results.len())
            {
                return Err(CircuitError::OutputWire);
            }
        }
    }
    if bits > MAX_PORT_BITS || entry.results.len() > MAX_PORT_BITS {
        return Err(CircuitError::PortBits);
    }
    Ok(())
}

/// Slots and call depth of a function with everything it calls.
fn check_function(
    function: &Function,
    functions: &[Function],
    frames: &[(u32, usize)],
) -> Result<(u32, usize), CircuitError> {
    if function.slots > MAX_SLOTS {
        return Err(CircuitError::TooManySlots);
    }
    if function.params > function.slots {
        return Err(CircuitError::SlotRange);
    }
    let mut frame = Frame::new(function)?;
    let mut below = 0u32;
    let mut depth = 0usize;
    for step in &function.steps {
        match step {
            Step::Gates(gates) => {
                for gate in gates {
                    frame.gate(gate)?;
                }
            }
            Step::Call(call) => {
                let index = usize::try_from(call.function).unwrap_or(usize::MAX);
                let &(slots, calls) = frames.get(index).ok_or(CircuitError::CallOrder)?;
                let callee = functions.get(index).ok_or(CircuitError::CallOrder)?;
                frame.call(call, callee)?;
                below = below.max(slots);
                depth = depth.max(calls.saturating_add(1));
            }
        }
    }
    for slot in &function.results {
        frame.read(*slot)?;
    }
    if depth > MAX_CALL_DEPTH {
        return Err(CircuitError::CallDepth);
    }
    let total = function.slots.saturating_add(below);
    if total > MAX_SLOTS {
        return Err(CircuitError::TooManySlots);
    }
    Ok((total, depth))
}

/// Which slots hold a value.
struct Frame {
    defined: Vec<bool>,
    marks: Vec<u32>,
    mark: u32,
}

impl Frame {
    fn new(function: &Function) -> Result<Self, CircuitError> {
        let slots = usize::try_from(function.slots).map_err(|_| CircuitError::TooManySlots)?;
        let params = usize::try_from(function.params).map_err(|_| CircuitError::TooManySlots)?;
        let mut defined = vec![false; slots];
        for slot in defined.iter_mut().take(params) {
            *slot = true;
        }
        Ok(Self {
            defined,
            marks: Vec::new(),
            mark: 0,
        })
    }

    fn read(&self, slot: Slot) -> Result<(), CircuitError> {
        let index = usize::try_from(slot).unwrap_or(usize::MAX);
        match self.defined.get(index) {
            Some(true) => Ok(()),
            Some(false) => Err(CircuitError::Undefined),
            None => Err(CircuitError::SlotRange),
        }
    }

    fn write(&mut self, slot: Slot) -> Result<(), CircuitError> {
        let index = usize::try_from(slot).unwrap_or(usize::MAX);
        let place = self.defined.get_mut(index).ok_or(CircuitError::SlotRange)?;
        *place = true;
        Ok(())
    }

    fn gate(&mut self, gate: &Gate) -> Result<(), CircuitError> {
        let (a, b) = gate.inputs();
        for slot in [a, b].into_iter().flatten() {
            self.read(slot)?;
        }
        self.write(gate.out())
    }

    fn call(&mut self, call: &Call, callee: &Function) -> Result<(), CircuitError> {
        let shape = call.times >= 1
            && usize::try_from(callee.params) == Ok(call.args.len())
            && callee.results.len() == call.outs.len()
            && (call.times == 1 || call.outs.len() <= call.args.len());
        if !shape {
            return Err(CircuitError::CallShape);
        }
        for slot in &call.args {
            self.read(*slot)?;
        }
        if self.marks.is_empty() {
            self.marks = vec![0; self.defined.len()];
        }
        self.mark = self.mark.wrapping_add(1);
        if call.times > 1 {
            for slot in call.args.iter().skip(call.outs.len()) {
                self.set_mark(*slot)?;
            }
        }
        for slot in &call.outs {
            if self.set_mark(*slot)? {
                return Err(CircuitError::CallShape);
            }
        }
        for slot in &call.outs {
            self.write(*slot)?;
        }
        Ok(())
    }

    /// Marks a slot for this call; tells whether it was marked already.
    fn set_mark(&mut self, slot: Slot) -> Result<bool, CircuitError> {
        let index = usize::try_from(slot).unwrap_or(usize::MAX);
        let place = self.marks.get_mut(index).ok_or(CircuitError::SlotRange)?;
        let seen = *place == self.mark;
        *place = self.mark;
        Ok(seen)
    }
}
