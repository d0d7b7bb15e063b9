//! From word graphs to gates to slots.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "node numbers, parameters and results were checked when the graphs were built"
)]

use std::rc::Rc;

use crate::circuit::{Assembler, Function, OutWire, Wire};
use crate::gates::{CallCell, Cell, FALSE, Goal, Lit, Net, TRUE};
use crate::ir::{Graph, Node, Op};

/// Most gates of all functions together, calls not expanded.
pub(crate) const MAX_CELLS: usize = 1 << 25;

/// More gates than [`MAX_CELLS`].
#[derive(Debug)]
pub(crate) struct TooManyGates;

/// Gates of the graphs, the entry last, and its result bits.
pub(crate) struct Lowered {
    pub(crate) functions: Vec<Function>,
    pub(crate) results: Vec<OutWire>,
}

/// A function that is called: its place in the circuit and its result bits.
struct Callee {
    function: u32,
    outs: u32,
    results: Vec<OutWire>,
}

struct Lowering<'a> {
    graphs: &'a [Graph],
    live: Vec<Vec<bool>>,
    callees: Vec<Option<Callee>>,
    functions: Vec<Function>,
    cells: usize,
}

/// Lowers `graphs`; the last one is the entry, calls go to earlier ones.
pub(crate) fn lower(graphs: &[Graph], simplify: bool, goal: Goal) -> Result<Lowered, TooManyGates> {
    let live: Vec<Vec<bool>> = graphs.iter().map(Graph::live).collect();
    let uses = call_sites(graphs, &live);
    let mut state = Lowering {
        graphs,
        live,
        callees: graphs.iter().map(|_| None).collect(),
        functions: Vec::new(),
        cells: 0,
    };
    let entry = graphs.len().saturating_sub(1);
    let mut results = Vec::new();
    for (index, graph) in graphs.iter().enumerate() {
        if index != entry && uses[index] < 2 {
            continue;
        }
        let mut net = Net::new(simplify, goal);
        let width: u32 = graph.params.iter().sum();
        let bits = net.params(width);
        let mut params = Vec::new();
        let mut rest = bits.as_slice();
        for width in &graph.params {
            let (head, tail) = rest.split_at(*width as usize);
            params.push(Rc::from(head));
            rest = tail;
        }
        let words = state.graph(&mut net, index, &params)?;
        state.cells = state.cells.saturating_add(net.cells().len());
        if state.cells > MAX_CELLS {
            return Err(TooManyGates);
        }
        let bits: Vec<Lit> = words.iter().flat_map(|w| w.iter().copied()).collect();
        let (function, wires) = emit(&net, width, &bits);
        if index == entry {
            results = wires;
        } else {
            let outs = function.results.len() as u32;
            let place = state.functions.len() as u32;
            state.callees[index] = Some(Callee {
                function: place,
                outs,
                results: wires,
            });
        }
        state.functions.push(function);
    }
    Ok(Lowered {
        functions: drop_uncalled(state.functions),
        results,
    })
}

/// Number of live calls of each graph, from graphs that are reached themselves.
fn call_sites(graphs: &[Graph], live: &[Vec<bool>]) -> Vec<u32> {
    let mut uses = vec![0u32; graphs.len()];
    if let Some(entry) = uses.last_mut() {
        *entry = 1;
    }
    for (index, graph) in graphs.iter().enumerate().rev() {
        if uses[index] == 0 {
            continue;
        }
        for ((_, op, _), live) in graph.nodes().zip(&live[index]) {
            if let (Op::Call(callee, _), true) = (op, live) {
                let place = &mut uses[*callee as usize];
                *place = place.saturating_add(1);
            }
        }
    }
    uses
}

/// A function can lose its last caller when gates turn out dead; functions are renumbered without it.
fn drop_uncalled(functions: Vec<Function>) -> Vec<Function> {
    use crate::circuit::Step;
    let mut called = vec![false; functions.len()];
    if let Some(entry) = called.last_mut() {
        *entry = true;
    }
    for (index, function) in functions.iter().enumerate().rev() {
        if called[index] {
            for step in &function.steps {
                if let Step::Call(call) = step {
                    called[call.function as usize] = true;
                }
            }
        }
    }
    let mut place = Vec::with_capacity(functions.len());
    let mut next = 0u32;
    for keep in &called {
        place.push(next);
        next += u32::from(*keep);
    }
    let mut kept: Vec<Function> = functions
        .into_iter()
        .zip(&called)
        .filter(|(_, keep)| **keep)
        .map(|(f, _)| f)
        .collect();
    for function in &mut kept {
        for step in &mut function.steps {
            if let Step::Call(call) = step {
                call.function = place[call.function as usize];
            }
        }
    }
    kept
}

type Word = Rc<[Lit]>;

impl Lowering<'_> {
    /// Adds the gates of a graph to a network.
    fn graph(
        &self,
        net: &mut Net,
        index: usize,
        params: &[Word],
    ) -> Result<Vec<Word>, TooManyGates> {
        let graph = &self.graphs[index];
        let mut words: Vec<Word> = Vec::with_capacity(graph.len());
        for ((_, op, width), live) in graph.nodes().zip(&self.live[index]) {
            // Refused before it is built: one operation can be larger than everything.
            let scale = if matches!(op, Op::Mul(..) | Op::Call(..)) {
                1
            } else {
                4
            };
            let estimate = crate::ir::cost(graph, op, width, &[]).saturating_mul(scale);
            if *live && estimate > MAX_CELLS as u64 {
                return Err(TooManyGates);
            }
            let word = if *live {
                self.word(net, op, width as usize, &words, params)?
            } else {
                Rc::from([])
            };
            words.push(word);
            if net.cells().len().saturating_add(self.cells) > MAX_CELLS {
                return Err(TooManyGates);
            }
        }
        Ok(graph
            .results
            .iter()
            .map(|n| Rc::clone(&words[n.0 as usize]))
            .collect())
    }

    fn word(
        &self,
        net: &mut Net,
        op: &Op,
        width: usize,
        words: &[Word],
        params: &[Word],
    ) -> Result<Word, TooManyGates> {
        let at = |n: &Node| &*words[n.0 as usize];
        let bits = match op {
            Op::Param(index) => return Ok(Rc::clone(&params[*index as usize])),
            Op::Const(value) => (0..width as u32)
                .map(|i| if value.bit(i) { TRUE } else { FALSE })
                .collect(),
            Op::Slice(a, lo) => at(a)[*lo as usize..*lo as usize + width].to_vec(),
            Op::Concat(list) => list.iter().flat_map(|n| at(n).iter().copied()).collect(),
            Op::Zext(a) => crate::gates::arith::widen(at(a), width),
            Op::Sext(a) => {
                let mut bits = at(a).to_vec();
                let top = bits.last().copied().unwrap_or(FALSE);
                bits.resize(width, top);
                bits
            }
            Op::Select(index, list) => {
                let elements: Vec<Vec<Lit>> = list.iter().map(|n| at(n).to_vec()).collect();
                net.select(at(index), &elements, width)
            }
            Op::Call(callee, list) => {
                let args: Vec<Word> = list
                    .iter()
                    .map(|n| Rc::clone(&words[n.0 as usize]))
                    .collect();
                return self.call(net, *callee as usize, &args);
            }
            Op::Not(a) => at(a).iter().map(|b| b.not()).collect(),
            Op::Popcount(a) => net.popcount(at(a), width),
            Op::Decode(a) => net.decode(at(a), width),
            Op::Mux(c, t, f) => net.mux_word(at(c)[0], at(t), at(f)),
            Op::Shl(a, count) => net.shift_left(at(a), at(count)),
            Op::Lshr(a, count) => net.shift_right(at(a), at(count), FALSE),
            Op::Ashr(a, count) => {
                let sign = at(a).last().copied().unwrap_or(FALSE);
                net.shift_right(at(a), at(count), sign)
            }
            Op::Add(a, b)
            | Op::Sub(a, b)
            | Op::Mul(a, b)
            | Op::Udiv(a, b)
            | Op::Urem(a, b)
            | Op::Sdiv(a, b)
            | Op::Srem(a, b)
            | Op::And(a, b)
            | Op::Or(a, b)
            | Op::Xor(a, b)
            | Op::Ult(a, b)
            | Op::Slt(a, b)
            | Op::Eq(a, b) => binary(net, op, at(a), at(b)),
        };
        Ok(bits.into())
    }

    fn call(&self, net: &mut Net, callee: usize, args: &[Word]) -> Result<Word, TooManyGates> {
        let Some(shared) = &self.callees[callee] else {
            let words = self.graph(net, callee, args)?;
            return Ok(words.iter().flat_map(|w| w.iter().copied()).collect());
        };
        let args: Vec<Lit> = args.iter().flat_map(|w| w.iter().copied()).collect();
        let outs = net.call(shared.function, args, shared.outs);
        Ok(shared
            .results
            .iter()
            .map(|wire| match *wire {
                OutWire::Const(value) => {
                    if value {
                        TRUE
                    } else {
                        FALSE
                    }
                }
                OutWire::Result(index) => outs[index as usize],
            })
            .collect())
    }
}

fn binary(net: &mut Net, op: &Op, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
    match op {
        Op::Add(..) => net.add(a, b),
        Op::Sub(..) => net.sub(a, b),
        Op::Mul(..) => net.multiply(a, b),
        Op::Udiv(..) => net.divide(a, b).0,
        Op::Urem(..) => net.divide(a, b).1,
        Op::Sdiv(..) => net.divide_signed(a, b).0,
        Op::Srem(..) => net.divide_signed(a, b).1,
        Op::And(..) => a.iter().zip(b).map(|(a, b)| net.and(*a, *b)).collect(),
        Op::Or(..) => a.iter().zip(b).map(|(a, b)| net.or(*a, *b)).collect(),
        Op::Xor(..) => net.xor_word(a, b),
        Op::Ult(..) => vec![net.less(a, b)],
        Op::Slt(..) => vec![net.less_signed(a, b)],
        _ => vec![net.equal(a, b)],
    }
}

/// Gates of the network that results need, in order, with inversions made explicit.
fn emit(net: &Net, params: u32, results: &[Lit]) -> (Function, Vec<OutWire>) {
    let mut emitter = Emitter {
        assembler: Assembler::new(params),
        wires: vec![None; net.cells().len()],
        inverted: vec![None; net.cells().len()],
    };
    let needed = needed(net, results);
    let mut next_param = 0u32;
    let calls = chains(net, results);
    let mut calls = calls.iter().peekable();
    for (index, cell) in net.cells().iter().enumerate() {
        while let Some(chain) = calls.next_if(|c| c.last.first as usize <= index) {
            let call = chain.last;
            let range = call.first as usize..(call.first + call.outs) as usize;
            if !needed[range.clone()].iter().any(|n| *n) {
                continue;
            }
            let args: Vec<Wire> = chain.args.iter().map(|l| emitter.wire(*l)).collect();
            let outs = call.outs as usize;
            let outs = emitter
                .assembler
                .call(call.function, chain.times, &args, outs);
            for (place, wire) in range.zip(outs) {
                emitter.wires[place] = Some(wire);
            }
        }
        match cell {
            Cell::Param => {
                emitter.wires[index] = Some(Wire(next_param));
                next_param += 1;
            }
            Cell::Xor(a, b) if needed[index] => {
                let (a, b) = (emitter.wire(*a), emitter.wire(*b));
                emitter.wires[index] = Some(emitter.assembler.xor(a, b));
            }
            Cell::And(a, b) if needed[index] => {
                let (a, b) = (emitter.wire(*a), emitter.wire(*b));
                emitter.wires[index] = Some(emitter.assembler.and(a, b));
            }
            _ => {}
        }
    }
    let mut outs: Vec<Wire> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let wires = results
        .iter()
        .map(|lit| {
            if lit.is_const() {
                return OutWire::Const(*lit == TRUE);
            }
            let place = *places.entry(*lit).or_insert_with(|| {
                outs.push(emitter.wire(*lit));
                outs.len() as u32 - 1
            });
            OutWire::Result(place)
        })
        .collect();
    (emitter.assembler.finish(&outs), wires)
}

/// Calls in a row that only feed each other: one call, repeated.
struct Chain<'a> {
    times: u32,
    /// Arguments of the first call.
    args: &'a [Lit],
    last: &'a CallCell,
}

fn chains<'a>(net: &'a Net, results: &[Lit]) -> Vec<Chain<'a>> {
    let uses = uses(net, results);
    let mut chains: Vec<Chain<'a>> = Vec::new();
    for call in net.calls() {
        if let Some(chain) = chains.last_mut()
            && feeds(chain, call, &uses)
        {
            chain.times += 1;
            chain.last = call;
            continue;
        }
        chains.push(Chain {
            times: 1,
            args: &call.args,
            last: call,
        });
    }
    chains
}

/// Whether a call continues a chain: the results before are its first arguments and nothing else uses them, the other
/// arguments stay.
fn feeds(chain: &Chain<'_>, next: &CallCell, uses: &[u32]) -> bool {
    let (last, outs) = (chain.last, chain.last.outs as usize);
    last.function == next.function
        && outs > 0
        && chain.times < u32::MAX
        && outs <= next.args.len()
        && next.args[outs..] == chain.args[outs..]
        && (last.first..)
            .zip(&next.args[..outs])
            .all(|(node, arg)| *arg == Lit(node << 1) && uses[node as usize] == 1)
}

/// How often each node is read.
fn uses(net: &Net, results: &[Lit]) -> Vec<u32> {
    let mut uses = vec![0u32; net.cells().len()];
    if net.calls().is_empty() {
        return uses;
    }
    let mut read = |lit: &Lit| uses[lit.node()] = uses[lit.node()].saturating_add(1);
    for cell in net.cells() {
        if let Cell::Xor(a, b) | Cell::And(a, b) = cell {
            read(a);
            read(b);
        }
    }
    net.calls()
        .iter()
        .flat_map(|c| &c.args)
        .chain(results)
        .for_each(read);
    uses
}

fn needed(net: &Net, results: &[Lit]) -> Vec<bool> {
    let mut needed = vec![false; net.cells().len()];
    for lit in results {
        needed[lit.node()] = true;
    }
    let mut calls = net.calls().iter().rev().peekable();
    for index in (0..needed.len()).rev() {
        while let Some(call) = calls.next_if(|c| c.first as usize > index) {
            mark_call(call, &mut needed);
        }
        if needed[index]
            && let Cell::Xor(a, b) | Cell::And(a, b) = net.cells()[index]
        {
            needed[a.node()] = true;
            needed[b.node()] = true;
        }
    }
    needed
}

fn mark_call(call: &CallCell, needed: &mut [bool]) {
    let range = call.first as usize..(call.first + call.outs) as usize;
    if needed[range].iter().any(|n| *n) {
        for arg in &call.args {
            needed[arg.node()] = true;
        }
    }
}

struct Emitter {
    assembler: Assembler,
    wires: Vec<Option<Wire>>,
    inverted: Vec<Option<Wire>>,
}

impl Emitter {
    fn wire(&mut self, lit: Lit) -> Wire {
        let node = lit.node();
        if node == 0 {
            // Only arguments of calls can be constant here.
            return self.assembler.constant(lit == TRUE);
        }
        let wire = self.wires[node].unwrap_or(Wire(u32::MAX));
        if !lit.inverted() {
            return wire;
        }
        if let Some(inverted) = self.inverted[node] {
            return inverted;
        }
        let inverted = self.assembler.inv(wire);
        self.inverted[node] = Some(inverted);
        inverted
    }
}
