//! Walks the expanded gate sequence without expanding it in memory.

use super::{Call, Circuit, Gate, Slot, Step};

/// Gates to execute in order. Slot `s` of a gate is wire `base + s` of the run.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Start of the frame.
    pub base: Slot,
    /// The gates, at most [`Cursor::MAX_SEGMENT`].
    pub gates: &'a [Gate],
}

/// Position in a run. Owns no borrow of the circuit, so a state machine can keep it; give [`Cursor::next`] the same
/// circuit every time.
#[derive(Clone, Debug)]
pub struct Cursor {
    stack: Vec<Activation>,
    moves: Vec<Gate>,
}

#[derive(Clone, Copy, Debug)]
struct Activation {
    function: usize,
    base: Slot,
    step: usize,
    gate: usize,
    /// Runs of the current call step that are finished.
    runs: u32,
}

enum Next {
    Gates {
        function: usize,
        step: usize,
        from: usize,
        to: usize,
        base: Slot,
    },
    Moves,
    Again,
    End,
}

impl Cursor {
    /// Longest segment.
    pub const MAX_SEGMENT: usize = 4096;

    /// At the first gate.
    #[must_use]
    pub fn new(circuit: &Circuit) -> Self {
        let entry = circuit.functions.len().saturating_sub(1);
        Self {
            stack: vec![Activation {
                function: entry,
                base: 0,
                step: 0,
                gate: 0,
                runs: 0,
            }],
            moves: Vec::new(),
        }
    }

    /// The next gates; `None` at the end.
    pub fn next<'a>(&'a mut self, circuit: &'a Circuit) -> Option<Segment<'a>> {
        loop {
            match self.advance(circuit) {
                Next::Again => {}
                Next::End => return None,
                Next::Moves => {
                    if !self.moves.is_empty() {
                        return Some(Segment {
                            base: 0,
                            gates: &self.moves,
                        });
                    }
                }
                Next::Gates {
                    function,
                    step,
                    from,
                    to,
                    base,
                } => {
                    let step = circuit.functions.get(function)?.steps.get(step)?;
                    let Step::Gates(gates) = step else {
                        return None;
                    };
                    return Some(Segment {
                        base,
                        gates: gates.get(from..to)?,
                    });
                }
            }
        }
    }

    fn advance(&mut self, circuit: &Circuit) -> Next {
        let Some(top) = self.stack.last_mut() else {
            return Next::End;
        };
        let Some(function) = circuit.functions.get(top.function) else {
            return Next::End;
        };
        match function.steps.get(top.step) {
            Some(Step::Gates(gates)) if top.gate < gates.len() => {
                let from = top.gate;
                let to = gates.len().min(from.saturating_add(Self::MAX_SEGMENT));
                top.gate = to;
                Next::Gates {
                    function: top.function,
                    step: top.step,
                    from,
                    to,
                    base: top.base,
                }
            }
            Some(Step::Gates(_)) => {
                top.step = top.step.saturating_add(1);
                top.gate = 0;
                Next::Again
            }
            Some(Step::Call(call)) if top.runs < call.times => {
                let (base, runs) = (top.base, top.runs);
                let frame = base.saturating_add(function.slots);
                self.enter(call, base, frame, runs);
                Next::Moves
            }
            Some(Step::Call(_)) => {
                top.step = top.step.saturating_add(1);
                top.runs = 0;
                Next::Again
            }
            None => self.leave(circuit),
        }
    }

    fn enter(&mut self, call: &Call, base: Slot, frame: Slot, runs: u32) {
        self.moves.clear();
        let sources = call
            .args
            .iter()
            .enumerate()
            .map(|(i, arg)| match call.outs.get(i) {
                Some(out) if runs > 0 => *out,
                _ => *arg,
            });
        self.moves
            .extend((0u32..).zip(sources).map(|(i, slot)| Gate::Copy {
                a: base.saturating_add(slot),
                out: frame.saturating_add(i),
            }));
        let function = usize::try_from(call.function).unwrap_or(usize::MAX);
        self.stack.push(Activation {
            function,
            base: frame,
            step: 0,
            gate: 0,
            runs: 0,
        });
    }

    /// Returns to the caller: results are moved into its slots.
    fn leave(&mut self, circuit: &Circuit) -> Next {
        let Some(done) = self.stack.pop() else {
            return Next::End;
        };
        let Some(caller) = self.stack.last_mut() else {
            return Next::End;
        };
        caller.runs = caller.runs.saturating_add(1);
        self.moves.clear();
        let callee = circuit.functions.get(done.function);
        let step = circuit
            .functions
            .get(caller.function)
            .and_then(|f| f.steps.get(caller.step));
        if let (Some(callee), Some(Step::Call(call))) = (callee, step) {
            self.moves
                .extend(
                    callee
                        .results
                        .iter()
                        .zip(&call.outs)
                        .map(|(result, out)| Gate::Copy {
                            a: done.base.saturating_add(*result),
                            out: caller.base.saturating_add(*out),
                        }),
                );
        }
        Next::Moves
    }
}
