//! Half-gates (Zahur, Rosulek, Evans 2014/756): two blocks per AND gate, XOR free.
//!
//! The hash has its own key for every half gate (`quil_ot::kernel::Isa::hash`); the half-gate counter starts at zero for
//! a fresh offset, runs on through the output hashes, and never restarts.

use core::fmt;

use quil_ot::block::Block;
use quil_ot::kernel::{HashKeys, Isa};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::machine::{AndGates, Machine, Progress};
use crate::plan::{Op, Plan};

/// Bytes of the table of one AND gate.
pub const TABLE_BYTES: usize = 32;
/// Gates hashed at once: a multiple of every kernel's width, small enough for the first-level cache.
const BATCH: usize = 32;

/// A batch of gates: labels in, labels out.
struct Batch {
    labels: [[Block; 2]; BATCH],
    outs: [Block; BATCH],
}

impl Batch {
    const fn new() -> Self {
        Self {
            labels: [[Block::ZERO; 2]; BATCH],
            outs: [Block::ZERO; BATCH],
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "slots of a plan are below the length of its frame"
    )]
    fn gather(&mut self, frame: &[Block], gates: &[Op]) {
        for (pair, gate) in self.labels.iter_mut().zip(gates) {
            *pair = [frame[gate.a as usize], frame[gate.b as usize]];
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "slots of a plan are below the length of its frame"
    )]
    fn scatter(&self, frame: &mut [Block], gates: &[Op]) {
        for (out, gate) in self.outs.iter().zip(gates) {
            frame[gate.out as usize] = *out;
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.labels.as_flattened_mut().zeroize();
        self.outs.zeroize();
    }
}

struct GarbleGates {
    isa: Isa,
    seed: Block,
    offset: Block,
    tweak: u64,
    tables: Vec<u8>,
    /// Pause once the tables have this many bytes.
    limit: usize,
    batch: Batch,
}

impl GarbleGates {
    /// Garbles at most [`BATCH`] gates into as many rows.
    fn batch(&mut self, frame: &mut [Block], gates: &[Op], start: usize) {
        self.batch.gather(frame, gates);
        let bytes = self.tables.get_mut(start..).unwrap_or_default();
        let rows = bytes.as_chunks_mut::<16>().0.as_chunks_mut::<2>().0;
        let Some(inputs) = self.batch.labels.get(..gates.len()) else {
            return;
        };
        let keys = HashKeys {
            seed: self.seed,
            tweak: self.tweak,
        };
        let outs = &mut self.batch.outs;
        self.isa.garble_ands(keys, self.offset, inputs, rows, outs);
        self.tweak = self.tweak.saturating_add(gates.len() as u64 * 2);
        self.batch.scatter(frame, gates);
    }
}

impl AndGates for GarbleGates {
    fn ands(&mut self, frame: &mut [Block], gates: &[Op]) -> usize {
        let room = self.limit.saturating_sub(self.tables.len()) / TABLE_BYTES;
        let todo = gates.get(..room.min(gates.len())).unwrap_or_default();
        let mut start = self.tables.len();
        let end = start.saturating_add(todo.len().saturating_mul(TABLE_BYTES));
        self.tables.resize(end, 0);
        for batch in todo.chunks(BATCH) {
            self.batch(frame, batch, start);
            start = start.saturating_add(batch.len().saturating_mul(TABLE_BYTES));
        }
        todo.len()
    }
}

/// The garbling party of one run.
pub struct Garbling {
    gates: GarbleGates,
    machine: Machine,
}

impl fmt::Debug for Garbling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Garbling")
            .field("half_gates", &self.gates.tweak)
            .finish_non_exhaustive()
    }
}

impl Drop for GarbleGates {
    fn drop(&mut self) {
        self.offset.zeroize();
    }
}

/// A fresh offset: uniform but for its select bit, which is one.
pub fn random_offset(rng: &mut impl CryptoRng) -> Block {
    Block::random(rng).with_select(true)
}

impl Garbling {
    /// Starts a run. `zero_labels` are the labels that mean zero: garbler's inputs, then evaluator's. The offset must be
    /// used for this run only, `seed` is public and chosen after the circuit is fixed.
    #[must_use]
    pub fn new(plan: &Plan, isa: Isa, seed: Block, offset: Block, zero_labels: &[Block]) -> Self {
        let offset = offset.with_select(true);
        let gates = GarbleGates {
            isa,
            seed,
            offset,
            tweak: 0,
            tables: Vec::new(),
            limit: 0,
            batch: Batch::new(),
        };
        Self {
            gates,
            machine: Machine::new(plan, offset, zero_labels),
        }
    }

    /// Appends tables to `out` until it has `limit` bytes or the run is done.
    pub fn run(&mut self, plan: &Plan, out: &mut Vec<u8>, limit: usize) -> Progress {
        core::mem::swap(&mut self.gates.tables, out);
        self.gates.limit = limit;
        let progress = self.machine.run(plan, &mut self.gates);
        core::mem::swap(&mut self.gates.tables, out);
        progress
    }

    /// Half gates garbled so far: the next tweak.
    #[must_use]
    pub const fn tweak(&self) -> u64 {
        self.gates.tweak
    }

    /// Zero-labels of the results, once the run is done.
    #[must_use]
    pub fn results(&self, plan: &Plan) -> Vec<Block> {
        self.machine.results(plan)
    }

    /// The offset of this run.
    #[must_use]
    pub const fn offset(&self) -> Block {
        self.gates.offset
    }

    /// Hashes of both labels of every given wire, under fresh tweaks: the one of the label with select bit zero first.
    pub fn output_hashes(&mut self, zero_labels: &[Block]) -> Vec<[Block; 2]> {
        let mut plain = zero_labels.to_vec();
        let mut shifted = vec![Block::ZERO; plain.len()];
        let gates = &mut self.gates;
        gates.isa.hash_both(
            gates.seed,
            gates.tweak,
            gates.offset,
            &mut plain,
            &mut shifted,
        );
        gates.tweak = gates.tweak.saturating_add(plain.len() as u64);
        let order = |((zero, one), label): ((Block, Block), &Block)| {
            let swap = (zero ^ one) & label.select_mask();
            [zero ^ swap, one ^ swap]
        };
        plain
            .into_iter()
            .zip(shifted)
            .zip(zero_labels)
            .map(order)
            .collect()
    }
}

struct EvaluateGates<'a> {
    isa: Isa,
    seed: Block,
    tweak: &'a mut u64,
    tables: &'a [[u8; 16]],
    batch: &'a mut Batch,
}

impl EvaluateGates<'_> {
    fn batch(&mut self, frame: &mut [Block], gates: &[Op], rows: &[[u8; 16]]) {
        self.batch.gather(frame, gates);
        let Some(inputs) = self.batch.labels.get(..gates.len()) else {
            return;
        };
        let (rows, outs) = (rows.as_chunks::<2>().0, &mut self.batch.outs);
        let keys = HashKeys {
            seed: self.seed,
            tweak: *self.tweak,
        };
        self.isa.evaluate_ands(keys, inputs, rows, outs);
        *self.tweak = self.tweak.saturating_add(gates.len() as u64 * 2);
        self.batch.scatter(frame, gates);
    }
}

impl AndGates for EvaluateGates<'_> {
    fn ands(&mut self, frame: &mut [Block], gates: &[Op]) -> usize {
        let count = gates.len().min(self.tables.len() / 2);
        let (rows, rest) = self.tables.split_at(count * 2);
        let todo = gates.get(..count).unwrap_or_default();
        for (batch, rows) in todo.chunks(BATCH).zip(rows.chunks(2 * BATCH)) {
            self.batch(frame, batch, rows);
        }
        self.tables = rest;
        count
    }
}

/// The evaluating party of one run.
pub struct Evaluation {
    isa: Isa,
    seed: Block,
    tweak: u64,
    batch: Batch,
    machine: Machine,
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation")
            .field("half_gates", &self.tweak)
            .finish_non_exhaustive()
    }
}

impl Evaluation {
    /// Starts a run with the labels that stand for the inputs: garbler's, then evaluator's.
    #[must_use]
    pub fn new(plan: &Plan, isa: Isa, seed: Block, labels: &[Block]) -> Self {
        Self {
            isa,
            seed,
            tweak: 0,
            batch: Batch::new(),
            machine: Machine::new(plan, Block::ZERO, labels),
        }
    }

    /// Uses up tables; returns how far the run is and how many bytes are left over. Bytes are left only when the run is
    /// done or the length is no multiple of [`TABLE_BYTES`].
    pub fn run(&mut self, plan: &Plan, tables: &[u8]) -> (Progress, usize) {
        let (whole, tail) = tables.as_chunks::<16>();
        let mut gates = EvaluateGates {
            isa: self.isa,
            seed: self.seed,
            tweak: &mut self.tweak,
            tables: whole,
            batch: &mut self.batch,
        };
        let progress = self.machine.run(plan, &mut gates);
        (progress, gates.tables.len() * Block::BYTES + tail.len())
    }

    /// Half gates evaluated so far: the next tweak.
    #[must_use]
    pub const fn tweak(&self) -> u64 {
        self.tweak
    }

    /// Labels of the results, once the run is done.
    #[must_use]
    pub fn results(&self, plan: &Plan) -> Vec<Block> {
        self.machine.results(plan)
    }

    /// Hash of each label under fresh tweaks, to be compared with the garbler's.
    pub fn output_hashes(&mut self, labels: &[Block]) -> Vec<Block> {
        let mut hashes = labels.to_vec();
        self.isa.hash(self.seed, self.tweak, &mut hashes);
        self.tweak = self.tweak.saturating_add(hashes.len() as u64);
        hashes
    }
}
