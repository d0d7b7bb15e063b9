//! Plain evaluation: the meaning of a circuit.
#![expect(
    clippy::indexing_slicing,
    reason = "slots of a validated circuit are inside the wire array"
)]

use super::{Circuit, Cursor, Gate, OutWire};

/// Inputs do not fit the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Wrong number of parties.
    #[error("the circuit takes {expected} parties, {found} given")]
    Parties {
        /// Parties of the circuit.
        expected: usize,
        /// Parties given.
        found: usize,
    },
    /// Wrong number of bits.
    #[error("party {party} gives {expected} bits, {found} given")]
    Width {
        /// Index of the party.
        party: usize,
        /// Bits of the circuit.
        expected: usize,
        /// Bits given.
        found: usize,
    },
}

impl Circuit {
    /// Runs the circuit in the clear. One vector of bits per party in, one per output group out.
    ///
    /// # Errors
    /// Number of parties or bits differs.
    pub fn eval(&self, inputs: &[Vec<bool>]) -> Result<Vec<Vec<bool>>, EvalError> {
        let lanes: Vec<Vec<u64>> = inputs
            .iter()
            .map(|bits| bits.iter().map(|b| u64::from(*b)).collect())
            .collect();
        let out = self.eval_lanes(&lanes)?;
        Ok(out
            .iter()
            .map(|bits| bits.iter().map(|lane| lane & 1 == 1).collect())
            .collect())
    }

    /// Runs 64 independent instances at once: bit `k` of each word belongs to instance `k`.
    ///
    /// # Errors
    /// Number of parties or bits differs.
    pub fn eval_lanes(&self, inputs: &[Vec<u64>]) -> Result<Vec<Vec<u64>>, EvalError> {
        let widths = self.input_widths();
        if widths.len() != inputs.len() {
            return Err(EvalError::Parties {
                expected: widths.len(),
                found: inputs.len(),
            });
        }
        let mut wires = Vec::with_capacity(at(self.slots()));
        for (party, (bits, expected)) in inputs.iter().zip(&widths).enumerate() {
            if bits.len() != *expected {
                return Err(EvalError::Width {
                    party,
                    expected: *expected,
                    found: bits.len(),
                });
            }
            wires.extend_from_slice(bits);
        }
        wires.resize(at(self.slots()), 0);
        let mut cursor = Cursor::new(self);
        while let Some(segment) = cursor.next(self) {
            let frame = &mut wires[at(segment.base)..];
            for gate in segment.gates {
                step(frame, gate);
            }
        }
        let results = self.results();
        Ok(self
            .outputs()
            .iter()
            .map(|group| {
                let bit = |wire: &OutWire| match *wire {
                    OutWire::Const(value) => 0u64.wrapping_sub(u64::from(value)),
                    OutWire::Result(index) => wires[at(results[at(index)])],
                };
                group.wires.iter().map(bit).collect()
            })
            .collect())
    }
}

const fn at(slot: u32) -> usize {
    slot as usize
}

fn step(wires: &mut [u64], gate: &Gate) {
    match *gate {
        Gate::Xor { a, b, out } => wires[at(out)] = wires[at(a)] ^ wires[at(b)],
        Gate::And { a, b, out } => wires[at(out)] = wires[at(a)] & wires[at(b)],
        Gate::Inv { a, out } => wires[at(out)] = !wires[at(a)],
        Gate::Copy { a, out } => wires[at(out)] = wires[at(a)],
        Gate::Const { value, out } => wires[at(out)] = 0u64.wrapping_sub(u64::from(value)),
    }
}
