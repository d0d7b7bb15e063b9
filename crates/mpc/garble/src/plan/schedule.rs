//! Renaming of slots and forming of layers.

use quil_qcl::circuit::{Gate, Slot};

use super::{FIRST, Layer, OFFSET, Op, PlanError, Tape, WINDOW, ZERO};

/// Where the value of each circuit slot is at this point of the function.
pub(super) struct Names {
    /// Renamed slot of each circuit slot; [`ZERO`] while nothing was written.
    current: Vec<u32>,
    free: Vec<u32>,
    /// Slots whose value died in this window; they may be read until its end.
    dying: Vec<u32>,
    used: u32,
}

impl Names {
    pub(super) fn new(params: u32, slots: u32) -> Result<Self, PlanError> {
        let used = FIRST.checked_add(params).ok_or(PlanError::Wires)?;
        let count = usize::try_from(slots.max(params)).map_err(|_| PlanError::Wires)?;
        let mut current = vec![ZERO; count];
        for (name, slot) in current.iter_mut().zip(FIRST..used) {
            *name = slot;
        }
        Ok(Self {
            current,
            free: Vec::new(),
            dying: Vec::new(),
            used,
        })
    }

    fn entry(&mut self, slot: Slot) -> Result<&mut u32, PlanError> {
        let index = usize::try_from(slot).map_err(|_| PlanError::Malformed)?;
        self.current.get_mut(index).ok_or(PlanError::Malformed)
    }

    pub(super) fn read(&mut self, slot: Slot) -> Result<u32, PlanError> {
        self.entry(slot).copied()
    }

    /// A slot that nothing in this window uses yet.
    pub(super) fn write(&mut self, slot: Slot) -> Result<u32, PlanError> {
        let name = match self.free.pop() {
            Some(name) => name,
            None => {
                let name = self.used;
                self.used = self.used.checked_add(1).ok_or(PlanError::Wires)?;
                name
            }
        };
        let old = core::mem::replace(self.entry(slot)?, name);
        if old >= FIRST {
            self.dying.push(old);
        }
        Ok(name)
    }

    pub(super) fn end_window(&mut self) {
        self.free.append(&mut self.dying);
    }

    pub(super) const fn used(&self) -> u32 {
        self.used
    }
}

/// Layer numbers of the slots written in the current window.
#[derive(Default)]
struct Levels {
    level: Vec<u32>,
    touched: Vec<usize>,
}

impl Levels {
    fn get(&self, slot: u32) -> u32 {
        usize::try_from(slot)
            .ok()
            .and_then(|index| self.level.get(index))
            .copied()
            .unwrap_or(0)
    }

    fn set(&mut self, slot: u32, level: u32) -> Result<(), PlanError> {
        let index = usize::try_from(slot).map_err(|_| PlanError::Wires)?;
        if index >= self.level.len() {
            self.level.resize(index.saturating_add(1), 0);
        }
        if let Some(entry) = self.level.get_mut(index) {
            *entry = level;
        }
        self.touched.push(index);
        Ok(())
    }

    fn clear(&mut self) {
        for index in self.touched.drain(..) {
            if let Some(entry) = self.level.get_mut(index) {
                *entry = 0;
            }
        }
    }
}

/// Layers of a run of gates.
pub(super) fn tape(gates: &[Gate], names: &mut Names) -> Result<Tape, PlanError> {
    let mut tape = Tape::default();
    let mut levels = Levels::default();
    let mut placed: Vec<(u32, bool, Op)> = Vec::with_capacity(WINDOW.min(gates.len()));
    for window in gates.chunks(WINDOW) {
        placed.clear();
        for gate in window {
            let (and, a, b) = operands(gate, names)?;
            let out = names.write(gate.out())?;
            let level = levels.get(a).max(levels.get(b));
            levels.set(out, level.saturating_add(u32::from(and)))?;
            placed.push((level, and, Op { a, b, out }));
        }
        levels.clear();
        names.end_window();
        // Stable: XOR gates of a layer stay in order, because one may need the one before.
        placed.sort_by_key(|(level, and, _)| (*level, *and));
        append(&mut tape, &placed)?;
    }
    Ok(tape)
}

fn operands(gate: &Gate, names: &mut Names) -> Result<(bool, u32, u32), PlanError> {
    Ok(match *gate {
        Gate::Xor { a, b, .. } => (false, names.read(a)?, names.read(b)?),
        Gate::And { a, b, .. } => (true, names.read(a)?, names.read(b)?),
        Gate::Inv { a, .. } => (false, names.read(a)?, OFFSET),
        Gate::Copy { a, .. } => (false, names.read(a)?, ZERO),
        Gate::Const { value, .. } => (false, if value { OFFSET } else { ZERO }, ZERO),
    })
}

fn append(tape: &mut Tape, placed: &[(u32, bool, Op)]) -> Result<(), PlanError> {
    for layer in placed.chunk_by(|x, y| x.0 == y.0) {
        let xors = layer.iter().filter(|(_, and, _)| !and).count();
        let ands = layer.len().saturating_sub(xors);
        for (_, and, op) in layer {
            if *and {
                tape.ands.push(*op)
            } else {
                tape.xors.push(*op)
            }
        }
        let size = |count: usize| u32::try_from(count).map_err(|_| PlanError::Wires);
        tape.layers.push(Layer {
            xors: size(xors)?,
            ands: size(ands)?,
        });
    }
    Ok(())
}
