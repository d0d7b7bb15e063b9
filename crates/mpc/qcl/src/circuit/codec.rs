//! The `.qclc` encoding: one byte string per circuit, and its identity.
//!
//! ```text
//! "QCLC" version:u8
//! count, { name, type }                            inputs
//! count, { name, type, recipients, bits }          outputs; bit: 0, 1 = constant, r + 2 = result r
//! count, { function }
//! function = params slots count {result} items 7
//! item     = head [operands]; head = op + 8 * zigzag(out - previous out)
//!            op 0 XOR, 1 AND (a, b)   2 INV, 3 COPY (a)   4, 5 CONST 0, 1   6 CALL   7 end
//! CALL     = 6 function times {args} {outs}         counts follow from the callee
//! ```
//! Numbers are LEB128 without superfluous bytes. Operands are zigzag differences to `out`.

use quil_types::tags;
use sha3::{Digest, Sha3_256};

use super::{
    Call, Circuit, CircuitError, Function, Gate, IoType, MAX_ENCODED, MAX_FUNCTIONS, MAX_PARTIES,
    MAX_PORT_BITS, MAX_SLOTS, OutWire, OutputGroup, Port, Recipients, Slot, Step,
};

const MAGIC: &[u8; 4] = b"QCLC";
const VERSION: u8 = 1;
const CALL: u64 = 6;
const END: u64 = 7;

/// Bytes are not a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not this format or not this version.
    #[error("not a circuit file of version 1")]
    Magic,
    /// The bytes end early.
    #[error("circuit file ends early")]
    Short,
    /// Bytes are left over.
    #[error("bytes after the end of the circuit")]
    Trailing,
    /// A number is not in its shortest form or does not fit.
    #[error("number out of range or not in shortest form")]
    Number,
    /// A count above its limit.
    #[error("count above the limit")]
    Limit,
    /// A name is not UTF-8.
    #[error("name is not UTF-8")]
    Name,
    /// An unknown type code.
    #[error("unknown type code")]
    Type,
    /// The parts break a structural rule.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl Circuit {
    /// Canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        put(&mut out, self.inputs.len() as u64);
        for port in &self.inputs {
            put_name(&mut out, &port.name);
            put_type(&mut out, &port.ty);
        }
        put(&mut out, self.outputs.len() as u64);
        for group in &self.outputs {
            put_name(&mut out, &group.name);
            put_type(&mut out, &group.ty);
            put(&mut out, u64::from(group.to.0));
            for wire in &group.wires {
                put(
                    &mut out,
                    match wire {
                        OutWire::Const(value) => u64::from(*value),
                        OutWire::Result(index) => u64::from(*index).saturating_add(2),
                    },
                );
            }
        }
        put(&mut out, self.functions.len() as u64);
        for function in &self.functions {
            put_function(&mut out, function);
        }
        out
    }

    /// Reads canonical bytes. Memory stays within a small multiple of the input, whatever the bytes say.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_ENCODED {
            return Err(DecodeError::Limit);
        }
        let mut reader = Reader { bytes };
        if reader.take(4)? != MAGIC || reader.byte()? != VERSION {
            return Err(DecodeError::Magic);
        }
        let mut budget = MAX_PORT_BITS;
        let mut inputs = Vec::new();
        for _ in 0..reader.count(MAX_PARTIES)? {
            inputs.push(Port {
                name: reader.name()?,
                ty: reader.ty(0, &mut budget)?,
            });
        }
        let mut outputs = Vec::new();
        for _ in 0..reader.count(MAX_PORT_BITS)? {
            outputs.push(reader.output(&mut budget)?);
        }
        let mut functions: Vec<Function> = Vec::new();
        // The frame of a function that is not the entry is listed by its callers and gates, a byte per slot at least.
        let in_bits: usize = inputs.iter().map(|port: &Port| port.ty.bits()).sum();
        let mut frames = reader.bytes.len().saturating_add(in_bits);
        for _ in 0..reader.count(MAX_FUNCTIONS)? {
            let function = reader.function(&functions, &mut frames)?;
            functions.push(function);
        }
        if !reader.bytes.is_empty() {
            return Err(DecodeError::Trailing);
        }
        Ok(Self::new(inputs, outputs, functions)?)
    }

    /// Identity of the circuit: SHA3-256 of the tag `circuit` and the canonical bytes with their length.
    #[must_use]
    pub fn code_id(&self) -> [u8; 32] {
        let bytes = self.to_bytes();
        let mut hash = Sha3_256::new();
        hash.update(tags::CIRCUIT.prefix());
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(bytes);
        hash.finalize().into()
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    put(out, name.len() as u64);
    out.extend_from_slice(name.as_bytes());
}

fn put_type(out: &mut Vec<u8>, ty: &IoType) {
    match ty {
        IoType::Bool => out.push(0),
        IoType::Int { signed, width } => {
            out.push(1 + u8::from(*signed));
            put(out, u64::from(*width));
        }
        IoType::Text { bytes } => {
            out.push(3);
            put(out, u64::from(*bytes));
        }
        IoType::Array { len, elem } => {
            out.push(4);
            put(out, u64::from(*len));
            put_type(out, elem);
        }
        IoType::Struct { fields } => {
            out.push(5);
            put(out, fields.len() as u64);
            for (name, ty) in fields {
                put_name(out, name);
                put_type(out, ty);
            }
        }
    }
}

const fn zigzag(from: Slot, to: Slot) -> u64 {
    let difference = to as i64 - from as i64;
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

fn put_function(out: &mut Vec<u8>, function: &Function) {
    put(out, u64::from(function.params));
    put(out, u64::from(function.slots));
    put(out, function.results.len() as u64);
    for slot in &function.results {
        put(out, u64::from(*slot));
    }
    let mut previous = 0;
    for step in &function.steps {
        match step {
            Step::Gates(gates) => {
                for gate in gates {
                    put_gate(out, gate, previous);
                    previous = gate.out();
                }
            }
            Step::Call(call) => {
                put(out, CALL);
                put(out, u64::from(call.function));
                put(out, u64::from(call.times));
                for slot in call.args.iter().chain(&call.outs) {
                    put(out, u64::from(*slot));
                }
            }
        }
    }
    put(out, END);
}

fn put_gate(out: &mut Vec<u8>, gate: &Gate, previous: Slot) {
    let op = match gate {
        Gate::Xor { .. } => 0,
        Gate::And { .. } => 1,
        Gate::Inv { .. } => 2,
        Gate::Copy { .. } => 3,
        Gate::Const { value, .. } => 4 + u64::from(*value),
    };
    put(out, op | zigzag(previous, gate.out()) << 3);
    let (a, b) = gate.inputs();
    for slot in [a, b].into_iter().flatten() {
        put(out, zigzag(gate.out(), slot));
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(DecodeError::Short)?;
        self.bytes = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, tail) = self.bytes.split_first().ok_or(DecodeError::Short)?;
        self.bytes = tail;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let minimal = byte != 0 || shift == 0;
                return if minimal {
                    Ok(value)
                } else {
                    Err(DecodeError::Number)
                };
            }
        }
        Err(DecodeError::Number)
    }

    fn small(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.number()?).map_err(|_| DecodeError::Number)
    }

    /// A count; every counted thing takes a byte at least, so more than the bytes left is an error at once.
    fn count(&mut self, limit: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.number()?).map_err(|_| DecodeError::Limit)?;
        if count > limit {
            return Err(DecodeError::Limit);
        }
        if count > self.bytes.len() {
            return Err(DecodeError::Short);
        }
        Ok(count)
    }

    fn name(&mut self) -> Result<String, DecodeError> {
        let len = self.count(IoType::MAX_NAME)?;
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::Name)?;
        Ok(text.to_owned())
    }

    fn ty(&mut self, depth: usize, budget: &mut usize) -> Result<IoType, DecodeError> {
        if depth >= IoType::MAX_DEPTH {
            return Err(DecodeError::Limit);
        }
        *budget = budget.checked_sub(1).ok_or(DecodeError::Limit)?;
        Ok(match self.byte()? {
            0 => IoType::Bool,
            code @ (1 | 2) => IoType::Int {
                signed: code == 2,
                width: self.small()?,
            },
            3 => IoType::Text {
                bytes: self.small()?,
            },
            4 => {
                let len = self.small()?;
                IoType::Array {
                    len,
                    elem: Box::new(self.ty(depth.saturating_add(1), budget)?),
                }
            }
            5 => {
                let count = self.count(MAX_PORT_BITS)?;
                let mut fields = Vec::new();
                for _ in 0..count {
                    let name = self.name()?;
                    fields.push((name, self.ty(depth.saturating_add(1), budget)?));
                }
                IoType::Struct { fields }
            }
            _ => return Err(DecodeError::Type),
        })
    }

    fn output(&mut self, budget: &mut usize) -> Result<OutputGroup, DecodeError> {
        let name = self.name()?;
        let ty = self.ty(0, budget)?;
        let to = u16::try_from(self.number()?).map_err(|_| DecodeError::Number)?;
        let bits = ty.bits();
        if bits > MAX_PORT_BITS {
            return Err(DecodeError::Limit);
        }
        if bits > self.bytes.len() {
            return Err(DecodeError::Short);
        }
        let mut wires = Vec::with_capacity(bits);
        for _ in 0..bits {
            wires.push(match self.small()? {
                value @ (0 | 1) => OutWire::Const(value == 1),
                index => OutWire::Result(index.saturating_sub(2)),
            });
        }
        Ok(OutputGroup {
            name,
            ty,
            to: Recipients(to),
            wires,
        })
    }

    fn slots(&mut self, count: usize) -> Result<Vec<Slot>, DecodeError> {
        if count > self.bytes.len() {
            return Err(DecodeError::Short);
        }
        (0..count).map(|_| self.small()).collect()
    }

    fn function(
        &mut self,
        before: &[Function],
        frames: &mut usize,
    ) -> Result<Function, DecodeError> {
        let params = self.small()?;
        let slots = self.small()?;
        let frame = usize::try_from(slots).map_err(|_| DecodeError::Limit)?;
        *frames = frames.checked_sub(frame).ok_or(DecodeError::Limit)?;
        if slots > MAX_SLOTS {
            return Err(DecodeError::Limit);
        }
        let count = self.count(MAX_ENCODED)?;
        let results = self.slots(count)?;
        let steps = self.steps(before)?;
        Ok(Function {
            params,
            slots,
            results,
            steps,
        })
    }

    fn steps(&mut self, before: &[Function]) -> Result<Vec<Step>, DecodeError> {
        let mut steps = Vec::new();
        let mut run = Vec::new();
        let mut previous = 0;
        loop {
            let head = self.number()?;
            match head & 7 {
                CALL | END if head > 7 => return Err(DecodeError::Number),
                END => break,
                CALL => {
                    if !run.is_empty() {
                        steps.push(Step::Gates(std::mem::take(&mut run)));
                    }
                    steps.push(Step::Call(self.call(before)?));
                }
                op => {
                    let gate = self.gate(op, near(previous, head >> 3)?)?;
                    previous = gate.out();
                    run.push(gate);
                }
            }
        }
        if !run.is_empty() {
            steps.push(Step::Gates(run));
        }
        Ok(steps)
    }

    fn call(&mut self, before: &[Function]) -> Result<Call, DecodeError> {
        let function = self.small()?;
        let times = self.small()?;
        let callee = usize::try_from(function)
            .ok()
            .and_then(|i| before.get(i))
            .ok_or(CircuitError::CallOrder)?;
        let params = usize::try_from(callee.params).map_err(|_| DecodeError::Limit)?;
        let args = self.slots(params)?;
        let outs = self.slots(callee.results.len())?;
        Ok(Call {
            function,
            times,
            args,
            outs,
        })
    }

    fn gate(&mut self, op: u64, out: Slot) -> Result<Gate, DecodeError> {
        Ok(match op {
            0 => Gate::Xor {
                a: self.operand(out)?,
                b: self.operand(out)?,
                out,
            },
            1 => Gate::And {
                a: self.operand(out)?,
                b: self.operand(out)?,
                out,
            },
            2 => Gate::Inv {
                a: self.operand(out)?,
                out,
            },
            3 => Gate::Copy {
                a: self.operand(out)?,
                out,
            },
            value => Gate::Const {
                value: value == 5,
                out,
            },
        })
    }

    fn operand(&mut self, out: Slot) -> Result<Slot, DecodeError> {
        near(out, self.number()?)
    }
}

/// Undoes [`zigzag`].
fn near(from: Slot, code: u64) -> Result<Slot, DecodeError> {
    let half = i64::try_from(code >> 1).map_err(|_| DecodeError::Number)?;
    let difference = if code & 1 == 1 { -half - 1 } else { half };
    i64::from(from)
        .checked_add(difference)
        .and_then(|slot| Slot::try_from(slot).ok())
        .ok_or(DecodeError::Number)
}
