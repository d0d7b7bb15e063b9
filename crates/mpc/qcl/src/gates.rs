//! Gate-level construction: a network of XOR and AND over literals, and builders of word operations.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "literals are handed out by the network itself and counted in u32"
)]

pub(crate) mod arith;
pub(crate) mod choose;
pub(crate) mod divide;
pub(crate) mod multiply;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A wire, possibly inverted: `node * 2 + inverted`. Node 0 is the constant false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lit(pub(crate) u32);

pub(crate) const FALSE: Lit = Lit(0);
pub(crate) const TRUE: Lit = Lit(1);

impl Lit {
    pub(crate) const fn not(self) -> Self {
        Self(self.0 ^ 1)
    }

    pub(crate) const fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(crate) const fn inverted(self) -> bool {
        self.0 & 1 == 1
    }

    const fn regular(self) -> Self {
        Self(self.0 & !1)
    }

    pub(crate) const fn is_const(self) -> bool {
        self.0 < 2
    }
}

/// What a node computes. Operands of `Xor` are never inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    False,
    Param,
    Xor(Lit, Lit),
    And(Lit, Lit),
    /// Result bit of a call.
    Result,
}

/// A call in the network: placed before the first node made after it.
#[derive(Clone, Debug)]
pub(crate) struct CallCell {
    pub(crate) function: u32,
    pub(crate) args: Vec<Lit>,
    /// First of the `Result` nodes.
    pub(crate) first: u32,
    pub(crate) outs: u32,
}

/// Multiplicative hash of two words; the table is private and never iterated.
#[derive(Default)]
pub(crate) struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(31);
    }
}

/// What builders minimise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Goal {
    /// Number of AND gates: time and traffic of a session.
    #[default]
    Ands,
    /// Longest chain of AND gates, at the price of more of them.
    Depth,
}

/// The network of one function.
pub(crate) struct Net {
    cells: Vec<Cell>,
    shared: HashMap<u64, Lit, BuildHasherDefault<PairHasher>>,
    calls: Vec<CallCell>,
    simplify: bool,
    pub(crate) goal: Goal,
    costs: multiply::Costs,
}

impl Net {
    pub(crate) fn new(simplify: bool, goal: Goal) -> Self {
        Self {
            cells: vec![Cell::False],
            shared: HashMap::default(),
            calls: Vec::new(),
            simplify,
            goal,
            costs: multiply::Costs::default(),
        }
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn calls(&self) -> &[CallCell] {
        &self.calls
    }

    fn push(&mut self, cell: Cell) -> Lit {
        let lit = Lit((self.cells.len() as u32) << 1);
        self.cells.push(cell);
        lit
    }

    pub(crate) fn params(&mut self, count: u32) -> Vec<Lit> {
        (0..count).map(|_| self.push(Cell::Param)).collect()
    }

    pub(crate) fn call(&mut self, function: u32, args: Vec<Lit>, outs: u32) -> Vec<Lit> {
        let first = self.cells.len() as u32;
        self.calls.push(CallCell {
            function,
            args,
            first,
            outs,
        });
        (0..outs).map(|_| self.push(Cell::Result)).collect()
    }

    fn share(&mut self, cell: Cell, tag: u64, a: Lit, b: Lit) -> Lit {
        let key = tag << 63 | u64::from(a.0) << 32 | u64::from(b.0);
        if self.simplify
            && let Some(lit) = self.shared.get(&key)
        {
            return *lit;
        }
        let lit = self.push(cell);
        if self.simplify {
            self.shared.insert(key, lit);
        }
        lit
    }

    pub(crate) fn xor(&mut self, a: Lit, b: Lit) -> Lit {
        let inverted = a.inverted() != b.inverted();
        let (a, b) = (a.regular().min(b.regular()), a.regular().max(b.regular()));
        let lit = self.xor_regular(a, b);
        if inverted { lit.not() } else { lit }
    }

    fn xor_regular(&mut self, a: Lit, b: Lit) -> Lit {
        if a == FALSE {
            return b;
        }
        if a == b {
            return FALSE;
        }
        if self.simplify {
            // (p ^ q) ^ p = q
            for (whole, part) in [(a, b), (b, a)] {
                if let Cell::Xor(p, q) = self.cells[whole.node()] {
                    if p == part {
                        return q;
                    }
                    if q == part {
                        return p;
                    }
                }
            }
        }
        self.share(Cell::Xor(a, b), 0, a, b)
    }

    pub(crate) fn and(&mut self, a: Lit, b: Lit) -> Lit {
        let (a, b) = (a.min(b), a.max(b));
        if a == FALSE {
            return FALSE;
        }
        if a == TRUE {
            return b;
        }
        if a == b {
            return a;
        }
        if a == b.not() {
            return FALSE;
        }
        if self.simplify {
            // (p & q) & p = p & q, (p & q) & !p = 0
            for (whole, part) in [(a, b), (b, a)] {
                if !whole.inverted()
                    && let Cell::And(p, q) = self.cells[whole.node()]
                {
                    if p == part || q == part {
                        return whole;
                    }
                    if p == part.not() || q == part.not() {
                        return FALSE;
                    }
                }
            }
        }
        self.share(Cell::And(a, b), 1, a, b)
    }

    pub(crate) fn or(&mut self, a: Lit, b: Lit) -> Lit {
        self.and(a.not(), b.not()).not()
    }

    /// `c ? t : f` with one AND.
    pub(crate) fn mux(&mut self, c: Lit, t: Lit, f: Lit) -> Lit {
        if c.is_const() {
            return if c == TRUE { t } else { f };
        }
        let difference = self.xor(t, f);
        let flip = self.and(c, difference);
        self.xor(flip, f)
    }

    pub(crate) fn mux_word(&mut self, c: Lit, t: &[Lit], f: &[Lit]) -> Vec<Lit> {
        t.iter().zip(f).map(|(t, f)| self.mux(c, *t, *f)).collect()
    }

    pub(crate) fn xor_word(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        a.iter().zip(b).map(|(a, b)| self.xor(*a, *b)).collect()
    }

    /// `bits & all`.
    pub(crate) fn gate_word(&mut self, all: Lit, bits: &[Lit]) -> Vec<Lit> {
        bits.iter().map(|b| self.and(all, *b)).collect()
    }

    /// Balanced tree: the same number of gates as a chain at logarithmic depth.
    pub(crate) fn and_all(&mut self, bits: &[Lit]) -> Lit {
        let mut level = bits.to_vec();
        while level.len() > 1 {
            level = level
                .chunks(2)
                .map(|pair| match pair {
                    [a, b] => self.and(*a, *b),
                    rest => rest[0],
                })
                .collect();
        }
        level.first().copied().unwrap_or(TRUE)
    }

    pub(crate) fn or_all(&mut self, bits: &[Lit]) -> Lit {
        let inverted: Vec<Lit> = bits.iter().map(|b| b.not()).collect();
        self.and_all(&inverted).not()
    }
}
