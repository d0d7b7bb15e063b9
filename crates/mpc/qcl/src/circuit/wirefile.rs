//! Import of flat binary gate lists (13 bytes a gate, big-endian, magic `crc\0`): XOR, XNOR, AND, OR, INV over wires that
//! are written once, inputs first, outputs last.

use super::bristol::{BristolError, Import};
use super::{Circuit, IoType, MAX_ENCODED, MAX_PARTIES, MAX_PORT_BITS};

const MAGIC: u32 = 0x6372_6300;

/// Bytes are not a gate list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireFileError {
    /// Not this format.
    #[error("not a gate list")]
    Magic,
    /// The bytes end early.
    #[error("gate list ends early")]
    Short,
    /// Bytes are left over.
    #[error("bytes after the declared gates")]
    Trailing,
    /// A count or nesting above its limit, or impossible for the number of bytes.
    #[error("count above the limit")]
    Limit,
    /// Unknown gate code.
    #[error("gate {index}: unknown code")]
    Code {
        /// Gate, from 0.
        index: u32,
    },
    /// A wire out of range, undefined or written twice.
    #[error("gate {index}: wire out of range, undefined or written twice")]
    Wire {
        /// Gate, from 0.
        index: u32,
    },
    /// Outputs or structure.
    #[error(transparent)]
    Circuit(#[from] BristolError),
}

impl Circuit {
    /// Reads a flat binary gate list. Parties and outputs become unsigned integers.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_wire_file(bytes: &[u8]) -> Result<Self, WireFileError> {
        if bytes.len() > MAX_ENCODED {
            return Err(WireFileError::Limit);
        }
        let mut reader = Reader { bytes };
        if reader.u32()? != MAGIC {
            return Err(WireFileError::Magic);
        }
        let gates = reader.u32()?;
        let wires = reader.size()?;
        let inputs = reader.size()?;
        let outputs = reader.size()?;
        if inputs > MAX_PARTIES || inputs == 0 || outputs > MAX_PORT_BITS {
            return Err(WireFileError::Limit);
        }
        let inputs = reader.widths(inputs)?;
        let outputs = reader.widths(outputs)?;
        let in_bits: usize = inputs.iter().sum();
        let out_bits: usize = outputs.iter().sum();
        // Each wire that is no input is written by a gate of 9 bytes at least.
        let written = wires.checked_sub(in_bits).ok_or(WireFileError::Limit)?;
        if written > reader.bytes.len() / 9 || out_bits > wires {
            return Err(WireFileError::Limit);
        }
        let mut import = Import::new(in_bits, wires);
        for index in 0..gates {
            reader.gate(index, &mut import)?;
        }
        if !reader.bytes.is_empty() {
            return Err(WireFileError::Trailing);
        }
        Ok(import.finish(&inputs, &outputs)?)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn u8(&mut self) -> Result<u8, WireFileError> {
        let (first, rest) = self.bytes.split_first().ok_or(WireFileError::Short)?;
        self.bytes = rest;
        Ok(*first)
    }

    fn u32(&mut self) -> Result<u32, WireFileError> {
        let (head, rest) = self.bytes.split_first_chunk().ok_or(WireFileError::Short)?;
        self.bytes = rest;
        Ok(u32::from_be_bytes(*head))
    }

    fn size(&mut self) -> Result<usize, WireFileError> {
        usize::try_from(self.u32()?).map_err(|_| WireFileError::Limit)
    }

    fn skip_text(&mut self) -> Result<(), WireFileError> {
        let len = self.size()?;
        if len > IoType::MAX_NAME {
            return Err(WireFileError::Limit);
        }
        self.bytes = self.bytes.get(len..).ok_or(WireFileError::Short)?;
        Ok(())
    }

    fn widths(&mut self, count: usize) -> Result<Vec<usize>, WireFileError> {
        (0..count).map(|_| self.argument(0)).collect()
    }

    /// Name, type, bits, nested arguments.
    fn argument(&mut self, depth: usize) -> Result<usize, WireFileError> {
        if depth >= IoType::MAX_DEPTH {
            return Err(WireFileError::Limit);
        }
        self.skip_text()?;
        self.skip_text()?;
        let bits = self.size()?;
        if bits > MAX_PORT_BITS {
            return Err(WireFileError::Limit);
        }
        for _ in 0..self.u32()? {
            self.argument(depth.saturating_add(1))?;
        }
        Ok(bits)
    }

    fn gate(&mut self, index: u32, import: &mut Import) -> Result<(), WireFileError> {
        let code = self.u8()?;
        let a = self.size()?;
        let done = if code == 4 {
            let out = self.size()?;
            import.unary(true, a, out)
        } else {
            let b = self.size()?;
            let out = self.size()?;
            let op = match code {
                0 => "XOR",
                1 => "XNOR",
                2 => "AND",
                3 => "OR",
                _ => return Err(WireFileError::Code { index }),
            };
            import.binary(op, a, b, out)
        };
        done.ok_or(WireFileError::Wire { index })
    }
}
