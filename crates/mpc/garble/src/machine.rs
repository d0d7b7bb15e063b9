//! Walks a plan over an array of labels. Garbler and evaluator differ only in what an AND gate does.

use core::fmt;

use quil_ot::block::Block;
use zeroize::Zeroize;

use crate::plan::{FIRST, OFFSET, Op, Plan, PlanCall, PlanFunction, PlanStep};

/// What a party does with AND gates that do not need each other.
pub(crate) trait AndGates {
    /// Works on the first gates of the list and says on how many; fewer than all means that the run must pause.
    fn ands(&mut self, frame: &mut [Block], gates: &[Op]) -> usize;
}

/// Whether a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More gates are left.
    Paused,
    /// All gates are done.
    Done,
}

#[derive(Clone, Copy, Debug)]
struct Activation {
    function: usize,
    base: usize,
    step: usize,
    /// Runs of the current call that are finished.
    runs: u32,
}

/// Position inside a tape.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    layer: usize,
    xor: usize,
    and: usize,
    /// XOR gates of the layer are done, and this many of its AND gates.
    ands_done: Option<usize>,
}

/// Labels and position of a run.
pub(crate) struct Machine {
    wires: Vec<Block>,
    stack: Vec<Activation>,
    position: Position,
    offset: Block,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("wires", &self.wires.len())
            .field("stack", &self.stack)
            .finish_non_exhaustive()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.wires.zeroize();
        self.offset.zeroize();
    }
}

impl Machine {
    /// At the first gate, with the labels of the inputs: garbler's, then evaluator's.
    pub(crate) fn new(plan: &Plan, offset: Block, inputs: &[Block]) -> Self {
        let mut wires = vec![Block::ZERO; plan.wires()];
        if let Some(slot) = wires.get_mut(OFFSET as usize) {
            *slot = offset;
        }
        for (slot, label) in wires.iter_mut().skip(FIRST as usize).zip(inputs) {
            *slot = *label;
        }
        let entry = plan.functions.len().saturating_sub(1);
        let stack = vec![Activation {
            function: entry,
            base: 0,
            step: 0,
            runs: 0,
        }];
        Self {
            wires,
            stack,
            position: Position::default(),
            offset,
        }
    }

    /// Labels of the results of the entry function, once the run is done.
    pub(crate) fn results(&self, plan: &Plan) -> Vec<Block> {
        let slots = plan
            .functions
            .last()
            .map_or(&[][..], |entry| &entry.results);
        slots
            .iter()
            .map(|slot| self.wires.get(*slot as usize).copied().unwrap_or_default())
            .collect()
    }

    /// Runs until the gates pause or nothing is left.
    pub(crate) fn run(&mut self, plan: &Plan, gates: &mut impl AndGates) -> Progress {
        while let Some(top) = self.stack.last().copied() {
            let Some(function) = plan.functions.get(top.function) else {
                break;
            };
            match function.steps.get(top.step) {
                Some(PlanStep::Tape(_)) => {
                    if self.tape(function, top, gates) == Progress::Paused {
                        return Progress::Paused;
                    }
                    self.advance();
                }
                Some(PlanStep::Call(call)) if top.runs < call.times => {
                    self.enter(call, function, top)
                }
                Some(PlanStep::Call(_)) => self.advance(),
                None => self.leave(plan, function, top),
            }
        }
        Progress::Done
    }

    fn advance(&mut self) {
        self.position = Position::default();
        if let Some(top) = self.stack.last_mut() {
            top.step = top.step.saturating_add(1);
            top.runs = 0;
        }
    }

    fn tape(
        &mut self,
        function: &PlanFunction,
        top: Activation,
        gates: &mut impl AndGates,
    ) -> Progress {
        let Some(PlanStep::Tape(tape)) = function.steps.get(top.step) else {
            return Progress::Done;
        };
        let frame = self.wires.get_mut(top.base..).unwrap_or_default();
        let frame = frame.get_mut(..function.slots as usize).unwrap_or_default();
        let position = &mut self.position;
        while let Some(layer) = tape.layers.get(position.layer) {
            let (xors, ands) = (layer.xors as usize, layer.ands as usize);
            let done = position.ands_done.unwrap_or_else(|| {
                let end = position.xor.saturating_add(xors);
                run_xors(frame, tape.xors.get(position.xor..end).unwrap_or_default());
                position.xor = end;
                0
            });
            let end = position.and.saturating_add(ands.saturating_sub(done));
            let rest = tape.ands.get(position.and..end).unwrap_or_default();
            let worked = if rest.is_empty() {
                0
            } else {
                gates.ands(frame, rest)
            };
            position.and = position.and.saturating_add(worked);
            if worked < rest.len() {
                position.ands_done = Some(done.saturating_add(worked));
                return Progress::Paused;
            }
            position.ands_done = None;
            position.layer = position.layer.saturating_add(1);
        }
        Progress::Done
    }

    fn enter(&mut self, call: &PlanCall, caller: &PlanFunction, top: Activation) {
        let base = top.base.saturating_add(caller.slots as usize);
        let at = base.min(self.wires.len());
        let (lower, upper) = self.wires.split_at_mut(at);
        let frame = lower.get(top.base..).unwrap_or_default();
        for (i, (slot, arg)) in upper
            .iter_mut()
            .skip(FIRST as usize)
            .zip(&call.args)
            .enumerate()
        {
            let source = match call.outs.get(i) {
                Some(out) if top.runs > 0 => out,
                _ => arg,
            };
            *slot = frame.get(*source as usize).copied().unwrap_or_default();
        }
        if let [zero, offset, ..] = upper {
            (*zero, *offset) = (Block::ZERO, self.offset);
        }
        self.stack.push(Activation {
            function: call.function,
            base,
            step: 0,
            runs: 0,
        });
        self.position = Position::default();
    }

    fn leave(&mut self, plan: &Plan, callee: &PlanFunction, top: Activation) {
        self.stack.pop();
        let Some(caller) = self.stack.last_mut() else {
            return;
        };
        caller.runs = caller.runs.saturating_add(1);
        let step = plan
            .functions
            .get(caller.function)
            .and_then(|function| function.steps.get(caller.step));
        let Some(PlanStep::Call(call)) = step else {
            return;
        };
        let at = top.base.min(self.wires.len());
        let (lower, upper) = self.wires.split_at_mut(at);
        let frame = lower.get_mut(caller.base..).unwrap_or_default();
        for (result, out) in callee.results.iter().zip(&call.outs) {
            if let Some(slot) = frame.get_mut(*out as usize) {
                *slot = upper.get(*result as usize).copied().unwrap_or_default();
            }
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "slots of a plan are below the length of its frame; hottest loop"
)]
fn run_xors(frame: &mut [Block], gates: &[Op]) {
    for gate in gates {
        frame[gate.out as usize] = frame[gate.a as usize] ^ frame[gate.b as usize];
    }
}
