//! Word-level circuits: a graph of typed-by-width operations in single assignment, one graph per function body.
//!
//! Nodes are added through [`Graph::add`], which folds constants, applies identities and shares equal nodes. With
//! `simplify` off it only appends, for tests that compare both.
#![expect(
    clippy::indexing_slicing,
    reason = "node numbers are handed out by the graph itself"
)]

mod fold;
mod print;

use std::collections::HashMap;
use std::rc::Rc;

use crate::bigint::BigInt;

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node(pub(crate) u32);

/// Most nodes of one graph.
pub(crate) const MAX_NODES: usize = 1 << 23;

/// What a node computes. The width belongs to the node; operands of arithmetic have that width.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Const(BigInt),
    /// Parameter by position.
    Param(u32),
    Add(Node, Node),
    Sub(Node, Node),
    Mul(Node, Node),
    Udiv(Node, Node),
    Urem(Node, Node),
    Sdiv(Node, Node),
    Srem(Node, Node),
    And(Node, Node),
    Or(Node, Node),
    Xor(Node, Node),
    Not(Node),
    /// Shift by a secret count of any width.
    Shl(Node, Node),
    Lshr(Node, Node),
    Ashr(Node, Node),
    /// Comparisons have width 1.
    Ult(Node, Node),
    Slt(Node, Node),
    Eq(Node, Node),
    /// Condition, then, else.
    Mux(Node, Node, Node),
    /// Bits from `lo` on.
    Slice(Node, u32),
    /// Least significant first.
    Concat(Rc<[Node]>),
    /// Widening.
    Zext(Node),
    Sext(Node),
    /// Number of set bits.
    Popcount(Node),
    /// Bit `i` is set iff the operand is `i`.
    Decode(Node),
    /// Element by index, zero if out of range.
    Select(Node, Rc<[Node]>),
    /// Results of a function, concatenated. Arguments are the parameters in order.
    Call(u32, Rc<[Node]>),
}

/// A graph and what it returns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    ops: Vec<(Op, u32)>,
    index: HashMap<(Op, u32), Node>,
    simplify: bool,
    /// Widths of the parameters.
    pub(crate) params: Vec<u32>,
    /// Nodes returned, in order.
    pub(crate) results: Vec<Node>,
}

impl Graph {
    pub(crate) fn new(simplify: bool) -> Self {
        Self {
            simplify,
            ..Self::default()
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.ops.len()
    }

    pub(crate) fn op(&self, node: Node) -> &Op {
        &self.ops[node.0 as usize].0
    }

    pub(crate) fn width(&self, node: Node) -> u32 {
        self.ops[node.0 as usize].1
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (Node, &Op, u32)> {
        (0u32..)
            .zip(&self.ops)
            .map(|(i, (op, width))| (Node(i), op, *width))
    }

    /// The value of a constant node, as an unsigned pattern.
    pub(crate) fn constant(&self, node: Node) -> Option<&BigInt> {
        match self.op(node) {
            Op::Const(value) => Some(value),
            _ => None,
        }
    }

    fn insert(&mut self, op: Op, width: u32) -> Node {
        let key = (op, width);
        if let Some(node) = self.index.get(&key) {
            return *node;
        }
        let node = Node(u32::try_from(self.ops.len()).unwrap_or(u32::MAX));
        self.ops.push(key.clone());
        self.index.insert(key, node);
        node
    }

    /// Adds a node, or finds an equal one.
    pub(crate) fn add(&mut self, op: Op, width: u32) -> Node {
        match fold::fold(self, &op, width) {
            Some(fold::Folded::Const(value)) => self.insert(Op::Const(value), width),
            Some(fold::Folded::Node(node)) if self.simplify => node,
            Some(fold::Folded::Op(op)) if self.simplify => self.insert(op, width),
            _ => self.insert(op, width),
        }
    }

    pub(crate) fn constant_node(&mut self, value: &BigInt, width: u32) -> Node {
        self.insert(Op::Const(value.mask(width)), width)
    }

    pub(crate) fn bit(&mut self, value: bool) -> Node {
        self.insert(Op::Const(BigInt::from(value)), 1)
    }

    pub(crate) fn param(&mut self, width: u32) -> Node {
        let index = u32::try_from(self.params.len()).unwrap_or(u32::MAX);
        self.params.push(width);
        self.insert(Op::Param(index), width)
    }

    pub(crate) fn slice(&mut self, node: Node, lo: u32, width: u32) -> Node {
        if lo == 0 && width == self.width(node) {
            return node;
        }
        self.add(Op::Slice(node, lo), width)
    }

    /// Truncates or widens.
    pub(crate) fn resize(&mut self, node: Node, width: u32, signed: bool) -> Node {
        let from = self.width(node);
        match from.cmp(&width) {
            std::cmp::Ordering::Equal => node,
            std::cmp::Ordering::Greater => self.slice(node, 0, width),
            std::cmp::Ordering::Less if signed => self.add(Op::Sext(node), width),
            std::cmp::Ordering::Less => self.add(Op::Zext(node), width),
        }
    }

    pub(crate) fn concat(&mut self, nodes: &[Node]) -> Node {
        if let [one] = nodes {
            return *one;
        }
        let width = nodes
            .iter()
            .map(|n| self.width(*n))
            .fold(0, u32::saturating_add);
        self.add(Op::Concat(nodes.into()), width)
    }

    /// Copies `other` into this graph with `args` for its parameters; gives its results.
    pub(crate) fn inline(&mut self, other: &Self, args: &[Node]) -> Vec<Node> {
        let mut map: Vec<Node> = Vec::with_capacity(other.ops.len());
        for (op, width) in &other.ops {
            let node = match op {
                Op::Param(index) => args[*index as usize],
                _ => {
                    let op = op.map(|n| map[n.0 as usize]);
                    self.add(op, *width)
                }
            };
            map.push(node);
        }
        other.results.iter().map(|n| map[n.0 as usize]).collect()
    }

    /// For each node whether a result needs it.
    pub(crate) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.ops.len()];
        for node in &self.results {
            live[node.0 as usize] = true;
        }
        for i in (0..self.ops.len()).rev() {
            if live[i] {
                self.ops[i].0.for_each(|n| live[n.0 as usize] = true);
            }
        }
        live
    }
}

impl Op {
    /// Calls `f` for each operand.
    pub(crate) fn for_each(&self, mut f: impl FnMut(Node)) {
        let _ = self.map(|n| {
            f(n);
            n
        });
    }

    /// The same operation on other operands.
    pub(crate) fn map(&self, mut f: impl FnMut(Node) -> Node) -> Self {
        match self {
            Self::Const(v) => Self::Const(v.clone()),
            Self::Param(i) => Self::Param(*i),
            Self::Add(a, b) => Self::Add(f(*a), f(*b)),
            Self::Sub(a, b) => Self::Sub(f(*a), f(*b)),
            Self::Mul(a, b) => Self::Mul(f(*a), f(*b)),
            Self::Udiv(a, b) => Self::Udiv(f(*a), f(*b)),
            Self::Urem(a, b) => Self::Urem(f(*a), f(*b)),
            Self::Sdiv(a, b) => Self::Sdiv(f(*a), f(*b)),
            Self::Srem(a, b) => Self::Srem(f(*a), f(*b)),
            Self::And(a, b) => Self::And(f(*a), f(*b)),
            Self::Or(a, b) => Self::Or(f(*a), f(*b)),
            Self::Xor(a, b) => Self::Xor(f(*a), f(*b)),
            Self::Not(a) => Self::Not(f(*a)),
            Self::Shl(a, b) => Self::Shl(f(*a), f(*b)),
            Self::Lshr(a, b) => Self::Lshr(f(*a), f(*b)),
            Self::Ashr(a, b) => Self::Ashr(f(*a), f(*b)),
            Self::Ult(a, b) => Self::Ult(f(*a), f(*b)),
            Self::Slt(a, b) => Self::Slt(f(*a), f(*b)),
            Self::Eq(a, b) => Self::Eq(f(*a), f(*b)),
            Self::Mux(a, b, c) => Self::Mux(f(*a), f(*b), f(*c)),
            Self::Slice(a, lo) => Self::Slice(f(*a), *lo),
            Self::Concat(list) => Self::Concat(list.iter().map(|n| f(*n)).collect()),
            Self::Zext(a) => Self::Zext(f(*a)),
            Self::Sext(a) => Self::Sext(f(*a)),
            Self::Popcount(a) => Self::Popcount(f(*a)),
            Self::Decode(a) => Self::Decode(f(*a)),
            Self::Select(a, list) => Self::Select(f(*a), list.iter().map(|n| f(*n)).collect()),
            Self::Call(i, list) => Self::Call(*i, list.iter().map(|n| f(*n)).collect()),
        }
    }
}

/// Estimated AND gates of an operation; `calls` are the costs of functions.
pub(crate) fn cost(graph: &Graph, op: &Op, width: u32, calls: &[u64]) -> u64 {
    let w = u64::from(width);
    // Widened operands cost what they were before.
    let size = |n: &Node| -> u64 {
        match graph.op(*n) {
            Op::Zext(inner) | Op::Sext(inner) => u64::from(graph.width(*inner)),
            Op::Const(_) => 1,
            _ => u64::from(graph.width(*n)),
        }
    };
    let of = |n: &Node| u64::from(graph.width(*n));
    let logic = |a: &Node, b: &Node| {
        if graph.constant(*a).is_some() || graph.constant(*b).is_some() {
            0
        } else {
            w
        }
    };
    match op {
        Op::Const(_)
        | Op::Param(_)
        | Op::Xor(..)
        | Op::Not(_)
        | Op::Slice(..)
        | Op::Concat(_)
        | Op::Zext(_)
        | Op::Sext(_) => 0,
        Op::Add(..) | Op::Sub(..) | Op::Mux(..) => w,
        Op::Mul(a, b) => 2u64
            .saturating_mul(size(a))
            .saturating_mul(size(b))
            .min(w.saturating_mul(w)),
        Op::Udiv(..) | Op::Urem(..) | Op::Sdiv(..) | Op::Srem(..) => {
            w.saturating_mul(w.saturating_add(6))
        }
        Op::And(a, b) | Op::Or(a, b) => logic(a, b),
        Op::Shl(..) | Op::Lshr(..) | Op::Ashr(..) => {
            w.saturating_mul(u64::from(width.max(2).ilog2()).saturating_add(2))
        }
        Op::Ult(a, _) | Op::Slt(a, _) | Op::Eq(a, _) | Op::Popcount(a) => of(a),
        Op::Decode(_) => w,
        Op::Select(_, list) => w.saturating_mul(list.len() as u64),
        Op::Call(callee, _) => usize::try_from(*callee)
            .ok()
            .and_then(|i| calls.get(i))
            .copied()
            .unwrap_or(0),
    }
}

impl Graph {
    /// Estimated AND gates of everything the results need.
    pub(crate) fn cost(&self, calls: &[u64]) -> u64 {
        self.nodes()
            .zip(self.live())
            .filter(|(_, live)| *live)
            .fold(0u64, |sum, ((_, op, width), _)| {
                sum.saturating_add(cost(self, op, width, calls))
            })
    }
}
