//! Bristol Fashion text: `gates wires`, `n_in w…`, `n_out w…`, then one gate per line.
//!
//! Import accepts `XOR XNOR AND OR INV NOT EQ EQW MAND`. Export writes `XOR AND INV` and, for constants and copies that
//! the format needs, `EQ` and `EQW`.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "indices are bounded by the counts checked on entry"
)]

use std::fmt::Write as _;

use super::{
    Assembler, Circuit, CircuitError, Cursor, Gate, IoType, MAX_ENCODED, MAX_PARTIES,
    MAX_PORT_BITS, MAX_SLOTS, OutWire, OutputGroup, Port, Recipients, Wire,
};

/// Text is not a circuit, or a circuit is too large for the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BristolError {
    /// The header is missing or not numbers.
    #[error("line {line}: header expected")]
    Header {
        /// Line, from 1.
        line: usize,
    },
    /// A gate line is malformed.
    #[error("line {line}: malformed gate")]
    Gate {
        /// Line, from 1.
        line: usize,
    },
    /// A wire outside the declared number, read before it is written, or written twice.
    #[error("line {line}: wire out of range, undefined or written twice")]
    Wire {
        /// Line, from 1.
        line: usize,
    },
    /// Fewer or more gates than declared.
    #[error("declared and present number of gates differ")]
    Count,
    /// An output wire is never written.
    #[error("an output wire is never written")]
    Output,
    /// Larger than the limits.
    #[error("circuit above the limits")]
    Limit,
    /// The parts break a structural rule.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl Circuit {
    /// Reads Bristol Fashion. Inputs are parties in order and unsigned integers; every output goes to all of them.
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn from_bristol(text: &str) -> Result<Self, BristolError> {
        if text.len() > MAX_ENCODED {
            return Err(BristolError::Limit);
        }
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(i, line)| (i.saturating_add(1), line.trim()))
            .filter(|(_, line)| !line.is_empty());
        let sizes = header(&mut lines)?;
        let inputs = header(&mut lines)?;
        let outputs = header(&mut lines)?;
        let [gates, wires] = sizes[..] else {
            return Err(BristolError::Header { line: 1 });
        };
        let inputs = widths(&inputs, MAX_PARTIES)?;
        let outputs = widths(&outputs, MAX_PORT_BITS)?;
        let in_bits: usize = inputs.iter().sum();
        let out_bits: usize = outputs.iter().sum();
        if wires < in_bits.max(out_bits) || wires > text.len().saturating_add(in_bits) {
            return Err(BristolError::Count);
        }
        let mut import = Import::new(in_bits, wires);
        let mut seen = 0usize;
        for (line, text) in lines {
            seen = seen.saturating_add(1);
            if seen > gates {
                return Err(BristolError::Count);
            }
            import.line(line, text)?;
        }
        if seen != gates {
            return Err(BristolError::Count);
        }
        import.finish(&inputs, &outputs)
    }

    /// Writes Bristol Fashion, calls expanded, at most 2^26 gates.
    ///
    /// # Errors
    /// The expanded circuit is too large.
    pub fn to_bristol(&self) -> Result<String, BristolError> {
        let stats = self.stats();
        let total = stats
            .and
            .saturating_add(stats.xor)
            .saturating_add(stats.inv);
        if total > u64::from(MAX_SLOTS) {
            return Err(BristolError::Limit);
        }
        let mut export = Export::new(self);
        let mut cursor = Cursor::new(self);
        while let Some(segment) = cursor.next(self) {
            for gate in segment.gates {
                export.gate(segment.base, gate);
            }
        }
        Ok(export.finish(self))
    }
}

type Line<'a> = (usize, &'a str);

fn header<'a>(lines: &mut impl Iterator<Item = Line<'a>>) -> Result<Vec<usize>, BristolError> {
    let (line, text) = lines.next().ok_or(BristolError::Header { line: 1 })?;
    text.split_ascii_whitespace()
        .map(|word| word.parse().map_err(|_| BristolError::Header { line }))
        .collect()
}

fn widths(header: &[usize], limit: usize) -> Result<Vec<usize>, BristolError> {
    let (count, widths) = header
        .split_first()
        .ok_or(BristolError::Header { line: 2 })?;
    if *count != widths.len() || *count == 0 {
        return Err(BristolError::Header { line: 2 });
    }
    if *count > limit || widths.iter().any(|w| *w > MAX_PORT_BITS || *w == 0) {
        return Err(BristolError::Limit);
    }
    Ok(widths.to_vec())
}

fn ports(widths: &[usize]) -> impl Iterator<Item = (String, IoType)> {
    widths.iter().enumerate().map(|(i, width)| {
        (
            format!("p{i}"),
            IoType::Int {
                signed: false,
                width: *width as u32,
            },
        )
    })
}

/// A wire of the file: not yet written, a wire, or a constant.
#[derive(Clone, Copy)]
enum Known {
    No,
    Wire(Wire),
    Const(bool),
}

pub(super) struct Import {
    known: Vec<Known>,
    assembler: Assembler,
}

impl Import {
    pub(super) fn new(in_bits: usize, wires: usize) -> Self {
        let known = (0..wires)
            .map(|i| {
                if i < in_bits {
                    Known::Wire(Wire(i as u32))
                } else {
                    Known::No
                }
            })
            .collect();
        Self {
            known,
            assembler: Assembler::new(in_bits as u32),
        }
    }

    fn line(&mut self, line: usize, text: &str) -> Result<(), BristolError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let malformed = BristolError::Gate { line };
        let (op, numbers) = words.split_last().ok_or(malformed)?;
        let numbers: Vec<usize> = numbers
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_, _>>()
            .map_err(|_| malformed)?;
        let [ins, outs, wires @ ..] = numbers.as_slice() else {
            return Err(malformed);
        };
        if ins.checked_add(*outs) != Some(wires.len()) || *outs == 0 {
            return Err(malformed);
        }
        let (ins, outs) = wires.split_at(*ins);
        let done = match (*op, ins, outs) {
            ("MAND", _, _) if ins.len() == 2 * outs.len() => {
                let (left, right) = ins.split_at(outs.len());
                left.iter()
                    .zip(right)
                    .zip(outs)
                    .all(|((a, b), out)| self.binary("AND", *a, *b, *out).is_some())
            }
            ("EQ", [value @ (0 | 1)], [out]) => {
                self.write(*out, Known::Const(*value == 1)).is_some()
            }
            ("EQW", [a], [out]) => self.unary(false, *a, *out).is_some(),
            ("INV" | "NOT", [a], [out]) => self.unary(true, *a, *out).is_some(),
            ("XOR" | "XNOR" | "AND" | "OR", [a, b], [out]) => {
                self.binary(op, *a, *b, *out).is_some()
            }
            _ => return Err(malformed),
        };
        if done {
            Ok(())
        } else {
            Err(BristolError::Wire { line })
        }
    }

    fn read(&self, wire: usize) -> Option<Known> {
        self.known
            .get(wire)
            .copied()
            .filter(|known| !matches!(known, Known::No))
    }

    fn write(&mut self, wire: usize, value: Known) -> Option<()> {
        let place = self.known.get_mut(wire)?;
        if !matches!(place, Known::No) {
            return None;
        }
        *place = value;
        Some(())
    }

    fn invert(&mut self, value: Known) -> Known {
        match value {
            Known::No => Known::No,
            Known::Const(bit) => Known::Const(!bit),
            Known::Wire(wire) => Known::Wire(self.assembler.inv(wire)),
        }
    }

    pub(super) fn unary(&mut self, inverted: bool, a: usize, out: usize) -> Option<()> {
        let mut value = self.read(a)?;
        if inverted {
            value = self.invert(value);
        }
        self.write(out, value)
    }

    /// `op` is one of `XOR XNOR AND OR`; constants are folded.
    pub(super) fn binary(&mut self, op: &str, a: usize, b: usize, out: usize) -> Option<()> {
        let (mut a, mut b) = (self.read(a)?, self.read(b)?);
        if op == "OR" {
            a = self.invert(a);
            b = self.invert(b);
        }
        let value = match (op, a, b) {
            ("XOR" | "XNOR", Known::Const(bit), other)
            | ("XOR" | "XNOR", other, Known::Const(bit)) => {
                if bit {
                    self.invert(other)
                } else {
                    other
                }
            }
            ("XOR" | "XNOR", Known::Wire(a), Known::Wire(b)) => {
                Known::Wire(self.assembler.xor(a, b))
            }
            (_, Known::Const(bit), other) | (_, other, Known::Const(bit)) => {
                if bit {
                    other
                } else {
                    Known::Const(false)
                }
            }
            (_, Known::Wire(a), Known::Wire(b)) => Known::Wire(self.assembler.and(a, b)),
            _ => return None,
        };
        let inverted = matches!(op, "XNOR" | "OR");
        let value = if inverted { self.invert(value) } else { value };
        self.write(out, value)
    }

    pub(super) fn finish(
        self,
        inputs: &[usize],
        outputs: &[usize],
    ) -> Result<Circuit, BristolError> {
        let ports = ports(inputs).map(|(name, ty)| Port { name, ty }).collect();
        let all = Recipients(((1u32 << inputs.len()) - 1) as u16);
        let out_bits: usize = outputs.iter().sum();
        let first = self.known.len().saturating_sub(out_bits);
        let mut results = Vec::new();
        let mut wires = Vec::new();
        for known in &self.known[first..] {
            wires.push(match known {
                Known::No => return Err(BristolError::Output),
                Known::Const(bit) => OutWire::Const(*bit),
                Known::Wire(wire) => {
                    results.push(*wire);
                    OutWire::Result(results.len() as u32 - 1)
                }
            });
        }
        let mut rest = wires.as_slice();
        let mut groups = Vec::new();
        for (index, (_, ty)) in ports_named(outputs) {
            let (head, tail) = rest.split_at(ty.bits());
            rest = tail;
            groups.push(OutputGroup {
                name: format!("r{index}"),
                ty,
                to: all,
                wires: head.to_vec(),
            });
        }
        Ok(Circuit::new(
            ports,
            groups,
            vec![self.assembler.finish(&results)],
        )?)
    }
}

fn ports_named(widths: &[usize]) -> impl Iterator<Item = (usize, (String, IoType))> {
    ports(widths).enumerate()
}

/// Numbers a value by the line that makes it; copies give a slot the number of their source.
struct Export {
    number: Vec<u32>,
    next: u32,
    gates: u32,
    text: String,
    constants: [Option<u32>; 2],
}

impl Export {
    fn new(circuit: &Circuit) -> Self {
        let bits: usize = circuit.input_widths().iter().sum();
        let mut number: Vec<u32> = (0..bits as u32).collect();
        number.resize((circuit.slots() as usize).max(bits), 0);
        Self {
            number,
            next: bits as u32,
            gates: 0,
            text: String::new(),
            constants: [None; 2],
        }
    }

    fn emit(&mut self, ins: &[u32], op: &str) -> u32 {
        let out = self.next;
        self.next += 1;
        self.gates += 1;
        let mut line = format!("{} 1 ", ins.len());
        for wire in ins {
            let _ = write!(line, "{wire} ");
        }
        let _ = writeln!(line, "{out} {op}");
        self.text.push_str(&line);
        out
    }

    fn constant(&mut self, value: bool) -> u32 {
        if let Some(wire) = self.constants[usize::from(value)] {
            return wire;
        }
        let wire = self.emit(&[u32::from(value)], "EQ");
        self.constants[usize::from(value)] = Some(wire);
        wire
    }

    fn gate(&mut self, base: u32, gate: &Gate) {
        let get = |this: &Self, slot: u32| this.number[(base + slot) as usize];
        let value = match *gate {
            Gate::Xor { a, b, .. } => self.emit(&[get(self, a), get(self, b)], "XOR"),
            Gate::And { a, b, .. } => self.emit(&[get(self, a), get(self, b)], "AND"),
            Gate::Inv { a, .. } => self.emit(&[get(self, a)], "INV"),
            Gate::Copy { a, .. } => get(self, a),
            Gate::Const { value, .. } => self.constant(value),
        };
        self.number[(base + gate.out()) as usize] = value;
    }

    /// The format wants outputs on the last wires, so each is copied there.
    fn finish(mut self, circuit: &Circuit) -> String {
        let mut sources = Vec::new();
        for wire in circuit.outputs().iter().flat_map(|group| &group.wires) {
            sources.push(match *wire {
                OutWire::Const(value) => self.constant(value),
                OutWire::Result(index) => self.number[circuit.results()[index as usize] as usize],
            });
        }
        for source in sources {
            self.emit(&[source], "EQW");
        }
        let mut text = format!("{} {}\n{}", self.gates, self.next, circuit.inputs().len());
        for width in circuit.input_widths() {
            let _ = write!(text, " {width}");
        }
        let _ = write!(text, "\n{}", circuit.outputs().len());
        for group in circuit.outputs() {
            let _ = write!(text, " {}", group.wires.len());
        }
        text.push_str("\n\n");
        text.push_str(&self.text);
        text
    }
}
