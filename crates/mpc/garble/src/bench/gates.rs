//! Circuits of one kind of gate, for the rates of gates.

use quil_qcl::circuit::{
    Assembler, Circuit, CircuitError, IoType, OutWire, OutputGroup, Port, Recipients, Wire,
};

/// Inputs of each party, and outputs.
pub const WIDTH: u32 = 64;
/// Gates of one round.
const ROUND: u32 = 1 << 14;

fn rounds(
    times: u32,
    gate: impl Fn(&mut Assembler, Wire, Wire) -> Wire,
) -> Result<Circuit, CircuitError> {
    let mut c = Assembler::new(2 * WIDTH);
    let mut wires: Vec<Wire> = (0..2 * WIDTH).map(Wire).collect();
    let mut results = Vec::new();
    for _ in 0..ROUND / WIDTH {
        // A round of gates of the latest values with each other: independent, and none of them dead.
        let latest = wires.split_off(WIDTH as usize);
        wires = latest;
        let shifted = wires.iter().cycle().skip(17);
        results = wires
            .iter()
            .zip(shifted)
            .map(|(a, b)| gate(&mut c, *a, *b))
            .collect();
        wires.extend(&results);
    }
    let function = c.finish(&results);
    let port = |name: &str| Port {
        name: name.to_owned(),
        ty: IoType::Array {
            len: WIDTH,
            elem: Box::new(IoType::Bool),
        },
    };
    let output = OutputGroup {
        name: "r".to_owned(),
        ty: port("r").ty,
        to: Recipients::EVALUATOR,
        wires: (0..WIDTH).map(OutWire::Result).collect(),
    };
    Circuit::new(vec![port("a"), port("b")], vec![output], vec![function])?.iterate(times)
}

/// `times` rounds of 16,384 AND gates, in layers of 64.
///
/// # Errors
/// None for a positive count.
pub fn ands(times: u32) -> Result<Circuit, CircuitError> {
    rounds(times, Assembler::and)
}

/// `times` rounds of 16,384 XOR gates.
///
/// # Errors
/// None for a positive count.
pub fn xors(times: u32) -> Result<Circuit, CircuitError> {
    rounds(times, Assembler::xor)
}
