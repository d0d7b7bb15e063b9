//! Gate counts of the expanded circuit.

use super::{Function, Gate, Step};

/// Counts, all calls expanded. Saturating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// AND gates.
    pub and: u64,
    /// XOR gates.
    pub xor: u64,
    /// Inversions.
    pub inv: u64,
    /// Moves between frames and public constants: no work for the parties but copying.
    pub moves: u64,
    /// Longest chain of AND gates. Exact without calls; with calls an upper bound (a call counts as a whole).
    pub depth: u64,
    /// Gates stored, calls not expanded.
    pub stored: u64,
}

impl Stats {
    /// Everything a run executes.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.and
            .saturating_add(self.xor)
            .saturating_add(self.inv)
            .saturating_add(self.moves)
    }
}

pub(super) fn count(functions: &[Function]) -> Stats {
    let mut all: Vec<Stats> = Vec::with_capacity(functions.len());
    let mut stored = 0u64;
    for function in functions {
        let stats = count_one(function, &all);
        stored = stored.saturating_add(stats.stored);
        all.push(stats);
    }
    let mut total = all.pop().unwrap_or_default();
    total.stored = stored;
    total
}

fn count_one(function: &Function, before: &[Stats]) -> Stats {
    let mut stats = Stats::default();
    let mut depth = vec![0u64; usize::try_from(function.slots).unwrap_or(0)];
    for step in &function.steps {
        match step {
            Step::Gates(gates) => {
                for gate in gates {
                    count_gate(gate, &mut stats, &mut depth);
                }
            }
            Step::Call(call) => {
                let callee = usize::try_from(call.function)
                    .ok()
                    .and_then(|i| before.get(i))
                    .copied()
                    .unwrap_or_default();
                let times = u64::from(call.times);
                stats.and = stats.and.saturating_add(callee.and.saturating_mul(times));
                stats.xor = stats.xor.saturating_add(callee.xor.saturating_mul(times));
                stats.inv = stats.inv.saturating_add(callee.inv.saturating_mul(times));
                let moved = (call.args.len() as u64).saturating_add(call.outs.len() as u64);
                let moved = moved.saturating_add(callee.moves).saturating_add(1);
                stats.moves = stats.moves.saturating_add(moved.saturating_mul(times));
                let start = call.args.iter().map(|s| get(&depth, *s)).max().unwrap_or(0);
                let end = start.saturating_add(callee.depth.saturating_mul(times));
                for slot in &call.outs {
                    set(&mut depth, *slot, end);
                }
            }
        }
    }
    stats.depth = function
        .results
        .iter()
        .map(|s| get(&depth, *s))
        .max()
        .unwrap_or(0);
    stats
}

fn count_gate(gate: &Gate, stats: &mut Stats, depth: &mut [u64]) {
    stats.stored = stats.stored.saturating_add(1);
    let (a, b) = gate.inputs();
    let deepest = [a, b]
        .into_iter()
        .flatten()
        .map(|s| get(depth, s))
        .max()
        .unwrap_or(0);
    let mut out = deepest;
    match gate {
        Gate::And { .. } => {
            stats.and = stats.and.saturating_add(1);
            out = out.saturating_add(1);
        }
        Gate::Xor { .. } => stats.xor = stats.xor.saturating_add(1),
        Gate::Inv { .. } => stats.inv = stats.inv.saturating_add(1),
        Gate::Copy { .. } | Gate::Const { .. } => stats.moves = stats.moves.saturating_add(1),
    }
    set(depth, gate.out(), out);
}

fn get(depth: &[u64], slot: u32) -> u64 {
    usize::try_from(slot)
        .ok()
        .and_then(|i| depth.get(i))
        .copied()
        .unwrap_or(0)
}

fn set(depth: &mut [u64], slot: u32, value: u64) {
    if let Some(place) = usize::try_from(slot).ok().and_then(|i| depth.get_mut(i)) {
        *place = value;
    }
}
