//! Half-gates (Zahur, Rosulek, Evans 2014/756): two blocks per AND gate, XOR free.
//!
//! The hash has its own key for every half gate (`quil_ot::kernel::Isa::hash`); the half-gate counter starts at zero for
//! a fresh offset, runs on through the output hashes, and never restarts.

use core::fmt;

use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::machine::{AndGates, Machine, Progress};
use crate::plan::{Op, Plan};

/// Bytes of the table of one AND gate.
pub const TABLE_BYTES: usize = 32;
/// Gates hashed at once: a multiple of every kernel's width, small enough for the first-level cache.
const BATCH: usize = 32;

/// A batch of label pairs on its way through the hash.
struct Batch {
    labels: [Block; 2 * BATCH],
    plain: [Block; 2 * BATCH],
    shifted: [Block; 2 * BATCH],
}

impl Batch {
    const fn new() -> Self {
        let zero = [Block::ZERO; 2 * BATCH];
        Self {
            labels: zero,
            plain: zero,
            shifted: zero,
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.labels.zeroize();
        self.plain.zeroize();
        self.shifted.zeroize();
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "slots of a plan are below the length of its frame"
)]
fn gather(frame: &[Block], gates: &[Op], labels: &mut [Block; 2 * BATCH]) {
    for (pair, gate) in labels.as_chunks_mut::<2>().0.iter_mut().zip(gates) {
        *pair = [frame[gate.a as usize], frame[gate.b as usize]];
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
    #[expect(
        clippy::indexing_slicing,
        reason = "slots of a plan are below the length of its frame"
    )]
    fn batch(&mut self, frame: &mut [Block], gates: &[Op]) {
        let Batch {
            labels,
            plain,
            shifted,
        } = &mut self.batch;
        gather(frame, gates, labels);
        let halves = gates.len() * 2;
        plain[..halves].copy_from_slice(&labels[..halves]);
        self.isa.hash_both(
            self.seed,
            self.tweak,
            self.offset,
            &mut plain[..halves],
            &mut shifted[..halves],
        );
        self.tweak += halves as u64;
        let start = self.tables.len();
        self.tables.resize(start + gates.len() * TABLE_BYTES, 0);
        let rows = self.tables[start..]
            .as_chunks_mut::<16>()
            .0
            .as_chunks_mut::<2>()
            .0;
        let pairs = |blocks: &'_ [Block; 2 * BATCH], i: usize| [blocks[2 * i], blocks[2 * i + 1]];
        for (i, (gate, row)) in gates.iter().zip(rows).enumerate() {
            let ([a, b], [ha, hb], [ha1, hb1]) =
                (pairs(labels, i), pairs(plain, i), pairs(shifted, i));
            let (mask_a, mask_b) = (a.select_mask(), b.select_mask());
            let garbler_row = ha ^ ha1 ^ (self.offset & mask_b);
            let evaluator_row = hb ^ hb1 ^ a;
            let garbler_half = ha ^ (garbler_row & mask_a);
            let evaluator_half = hb ^ ((evaluator_row ^ a) & mask_b);
            *row = [garbler_row.to_bytes(), evaluator_row.to_bytes()];
            frame[gate.out as usize] = garbler_half ^ evaluator_half;
        }
    }
}

impl AndGates for GarbleGates {
    fn ands(&mut self, frame: &mut [Block], gates: &[Op]) -> usize {
        let room = self.limit.saturating_sub(self.tables.len()) / TABLE_BYTES;
        let todo = gates.get(..room.min(gates.len())).unwrap_or_default();
        for batch in todo.chunks(BATCH) {
            self.batch(frame, batch);
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
    #[expect(
        clippy::indexing_slicing,
        reason = "slots of a plan are below the length of its frame"
    )]
    fn batch(&mut self, frame: &mut [Block], gates: &[Op], rows: &[[u8; 16]]) {
        let Batch { labels, plain, .. } = &mut *self.batch;
        gather(frame, gates, labels);
        let halves = gates.len() * 2;
        plain[..halves].copy_from_slice(&labels[..halves]);
        self.isa.hash(self.seed, *self.tweak, &mut plain[..halves]);
        *self.tweak += halves as u64;
        let rows = rows.as_chunks::<2>().0;
        for (i, (gate, row)) in gates.iter().zip(rows).enumerate() {
            let (a, b) = (labels[2 * i], labels[2 * i + 1]);
            let [garbler_row, evaluator_row] = row.map(Block::from_bytes);
            let garbler_half = plain[2 * i] ^ (garbler_row & a.select_mask());
            let evaluator_half = plain[2 * i + 1] ^ ((evaluator_row ^ a) & b.select_mask());
            frame[gate.out as usize] = garbler_half ^ evaluator_half;
        }
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
