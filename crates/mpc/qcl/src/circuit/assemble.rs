//! From single-assignment wires to slots: dead gates go, slots are reused as soon as their value is dead.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "wires are handed out by the assembler itself and counted in u32"
)]

use super::{Call, Function, Gate, Slot, Step};

/// A value inside an [`Assembler`]; assigned once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wire(pub u32);

#[derive(Clone, Debug)]
enum Item {
    Xor(u32, u32),
    And(u32, u32),
    Inv(u32),
    Const(bool),
    Call {
        function: u32,
        times: u32,
        args: Vec<u32>,
        outs: u32,
    },
}

/// Builds a [`Function`] gate by gate. Wires `0..params` are the parameters.
#[derive(Clone, Debug)]
pub struct Assembler {
    params: u32,
    next: u32,
    items: Vec<(Item, u32)>,
}

impl Assembler {
    /// A function with this many parameters and no gate yet.
    #[must_use]
    pub const fn new(params: u32) -> Self {
        Self {
            params,
            next: params,
            items: Vec::new(),
        }
    }

    fn push(&mut self, item: Item, outs: u32) -> u32 {
        let first = self.next;
        self.next = self.next.saturating_add(outs);
        self.items.push((item, first));
        first
    }

    /// Exclusive or.
    pub fn xor(&mut self, a: Wire, b: Wire) -> Wire {
        Wire(self.push(Item::Xor(a.0, b.0), 1))
    }

    /// Conjunction.
    pub fn and(&mut self, a: Wire, b: Wire) -> Wire {
        Wire(self.push(Item::And(a.0, b.0), 1))
    }

    /// Inversion.
    pub fn inv(&mut self, a: Wire) -> Wire {
        Wire(self.push(Item::Inv(a.0), 1))
    }

    /// Public constant.
    pub fn constant(&mut self, value: bool) -> Wire {
        Wire(self.push(Item::Const(value), 1))
    }

    /// Call of function `function` of the circuit, `times` times with feedback; see [`Call`].
    pub fn call(&mut self, function: u32, times: u32, args: &[Wire], outs: usize) -> Vec<Wire> {
        let args = args.iter().map(|w| w.0).collect();
        let outs = outs as u32;
        let first = self.push(
            Item::Call {
                function,
                times,
                args,
                outs,
            },
            outs,
        );
        (first..first.saturating_add(outs)).map(Wire).collect()
    }

    /// Allocates slots and gives the function with these results. A wire that does not exist becomes slot
    /// `u32::MAX`, which the checks of [`super::Circuit::new`] refuse.
    #[must_use]
    pub fn finish(self, results: &[Wire]) -> Function {
        let last = self.last_uses(results);
        let mut alloc = Alloc::new(self.params, self.next, last);
        let mut steps = Vec::new();
        let mut run = Vec::new();
        for (index, (item, out)) in self.items.iter().enumerate() {
            match item {
                Item::Call {
                    function,
                    times,
                    args,
                    outs,
                } => {
                    if (*out..*out + *outs).all(|w| alloc.dead(w)) {
                        continue;
                    }
                    if !run.is_empty() {
                        steps.push(Step::Gates(std::mem::take(&mut run)));
                    }
                    let call = alloc.call(index, (*function, *times), args, *out..*out + *outs);
                    steps.push(Step::Call(call));
                }
                simple => {
                    if !alloc.dead(*out) {
                        run.push(alloc.gate(index, simple, *out));
                    }
                }
            }
        }
        if !run.is_empty() {
            steps.push(Step::Gates(run));
        }
        let results = results.iter().map(|w| alloc.slot(w.0)).collect();
        Function {
            params: self.params,
            slots: alloc.high,
            results,
            steps,
        }
    }

    /// For each wire the last item that reads it, counted from 1; 0 = never, `u32::MAX` = a result. Reads by items
    /// nobody needs do not count.
    fn last_uses(&self, results: &[Wire]) -> Vec<u32> {
        let mut last = vec![0u32; self.next as usize];
        for wire in results {
            read(&mut last, wire.0, u32::MAX);
        }
        for (index, (item, out)) in self.items.iter().enumerate().rev() {
            let time = index as u32 + 1;
            match item {
                Item::Call { args, outs, .. } => {
                    if (*out..*out + *outs).any(|w| last[w as usize] != 0) {
                        for arg in args {
                            read(&mut last, *arg, time);
                        }
                    }
                }
                _ if last[*out as usize] == 0 => {}
                Item::Xor(a, b) | Item::And(a, b) => {
                    read(&mut last, *a, time);
                    read(&mut last, *b, time);
                }
                Item::Inv(a) => read(&mut last, *a, time),
                Item::Const(_) => {}
            }
        }
        last
    }
}

fn read(last: &mut [u32], wire: u32, time: u32) {
    if let Some(place) = last.get_mut(wire as usize)
        && *place == 0
    {
        *place = time;
    }
}

/// Slots by liveness: freed slots are taken again, the most recent first.
struct Alloc {
    slot: Vec<Slot>,
    last: Vec<u32>,
    free: Vec<Slot>,
    high: u32,
}

impl Alloc {
    fn new(params: u32, wires: u32, last: Vec<u32>) -> Self {
        let mut slot = vec![Slot::MAX; wires as usize];
        let mut free = Vec::new();
        for param in 0..params {
            slot[param as usize] = param;
        }
        for param in (0..params).rev() {
            if last[param as usize] == 0 {
                free.push(param);
            }
        }
        Self {
            slot,
            last,
            free,
            high: params,
        }
    }

    fn dead(&self, wire: u32) -> bool {
        self.last[wire as usize] == 0
    }

    fn slot(&self, wire: u32) -> Slot {
        self.slot.get(wire as usize).copied().unwrap_or(Slot::MAX)
    }

    fn take(&mut self, wire: u32) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.high += 1;
            self.high - 1
        });
        self.slot[wire as usize] = slot;
        slot
    }

    /// Frees the slots whose last reader is this item, each once.
    fn release(&mut self, index: usize, wires: &[u32]) {
        let time = index as u32 + 1;
        for wire in wires {
            let place = *wire as usize;
            if self.last.get(place) == Some(&time) {
                self.last[place] = 0;
                self.free.push(self.slot[place]);
            }
        }
    }

    fn gate(&mut self, index: usize, item: &Item, wire: u32) -> Gate {
        match *item {
            Item::Xor(a, b) | Item::And(a, b) => {
                let (left, right) = (self.slot(a), self.slot(b));
                self.release(index, &[a, b]);
                let out = self.take(wire);
                if matches!(item, Item::Xor(..)) {
                    Gate::Xor {
                        a: left,
                        b: right,
                        out,
                    }
                } else {
                    Gate::And {
                        a: left,
                        b: right,
                        out,
                    }
                }
            }
            Item::Inv(a) => {
                let source = self.slot(a);
                self.release(index, &[a]);
                Gate::Inv {
                    a: source,
                    out: self.take(wire),
                }
            }
            Item::Const(value) => Gate::Const {
                value,
                out: self.take(wire),
            },
            // Calls are not gates; `finish` sends them to `call`.
            Item::Call { .. } => Gate::Const {
                value: false,
                out: self.take(wire),
            },
        }
    }

    fn call(
        &mut self,
        index: usize,
        (function, times): (u32, u32),
        args: &[u32],
        outs: std::ops::Range<u32>,
    ) -> Call {
        let arg_slots = args.iter().map(|w| self.slot(*w)).collect();
        if times == 1 {
            self.release(index, args);
        }
        let out_slots: Vec<Slot> = outs.clone().map(|w| self.take(w)).collect();
        if times > 1 {
            self.release(index, args);
        }
        for wire in outs {
            if self.dead(wire) {
                self.free.push(self.slot[wire as usize]);
            }
        }
        Call {
            function,
            times,
            args: arg_slots,
            outs: out_slots,
        }
    }
}
