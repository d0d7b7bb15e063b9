//! Random circuits and small helpers.

use quil_ot::block::Block;
use quil_qcl::circuit::{Assembler, Circuit, IoType, OutWire, OutputGroup, Port, Recipients, Wire};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;

/// Bits of bytes, least significant first.
pub(crate) fn bits(bytes: &[u8]) -> Vec<bool> {
    bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |i| (byte >> i) & 1 == 1))
        .collect()
}

/// Round keys of AES-128 by the plain schedule.
pub(crate) fn round_keys(key: Block) -> Vec<bool> {
    let mut words: Vec<[u8; 4]> = key.to_bytes().as_chunks::<4>().0.to_vec();
    let mut rcon = 1_u8;
    for i in 4..44 {
        let mut word = words[i - 1];
        if i % 4 == 0 {
            word.rotate_left(1);
            word = word.map(sbox_byte);
            word[0] ^= rcon;
            rcon = (rcon << 1) ^ if rcon & 0x80 == 0 { 0 } else { 0x1b };
        }
        words.push(core::array::from_fn(|k| word[k] ^ words[i - 4][k]));
    }
    bits(words.as_flattened())
}

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut out = 0;
    while b != 0 {
        if b & 1 == 1 {
            out ^= a;
        }
        a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1b };
        b >>= 1;
    }
    out
}

fn sbox_byte(x: u8) -> u8 {
    let inverse = (0..254).fold(1, |power, _| multiply(power, x));
    let inverse = if x == 0 { 0 } else { inverse };
    (0..5).fold(0x63, |sum, i| sum ^ inverse.rotate_left(i))
}

pub(crate) fn port(name: &str, width: usize) -> Port {
    Port {
        name: name.to_owned(),
        ty: IoType::Array {
            len: width as u32,
            elem: Box::new(IoType::Bool),
        },
    }
}

pub(crate) fn random_bits(rng: &mut ChaCha20Rng, count: usize) -> Vec<bool> {
    (0..count).map(|_| rng.next_u32() & 1 == 1).collect()
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    (rng.next_u64() % bound as u64) as usize
}

fn random_gates(rng: &mut ChaCha20Rng, c: &mut Assembler, wires: &mut Vec<Wire>, count: usize) {
    for _ in 0..count {
        // Prefer recent wires now and then: deep circuits as well as wide ones.
        let span = if rng.next_u32() & 1 == 0 {
            wires.len()
        } else {
            wires.len().min(8)
        };
        let start = wires.len() - span;
        let (a, b) = (
            wires[start + below(rng, span)],
            wires[start + below(rng, span)],
        );
        let wire = match rng.next_u32() % 16 {
            0..=6 => c.and(a, b),
            7..=12 => c.xor(a, b),
            13 | 14 => c.inv(a),
            _ => c.constant(rng.next_u32() & 1 == 1),
        };
        wires.push(wire);
    }
}

/// A circuit with a helper function called several times in a row, loops with feedback, constants, and outputs for
/// every set of recipients.
pub(crate) fn random_circuit(rng: &mut ChaCha20Rng, widths: [usize; 2], gates: usize) -> Circuit {
    let helper_params = 6;
    let mut helper = Assembler::new(helper_params);
    let mut wires: Vec<Wire> = (0..helper_params).map(Wire).collect();
    random_gates(rng, &mut helper, &mut wires, 40);
    let results: Vec<Wire> = wires.iter().rev().take(4).copied().collect();
    let helper = helper.finish(&results);

    let params = (widths[0] + widths[1]) as u32;
    let mut main = Assembler::new(params);
    let mut wires: Vec<Wire> = (0..params).map(Wire).collect();
    let mut called = Vec::new();
    for _ in 0..3 {
        random_gates(rng, &mut main, &mut wires, gates / 3);
        let args: Vec<Wire> = (0..helper_params)
            .map(|_| wires[below(rng, wires.len())])
            .collect();
        let times = 1 + rng.next_u32() % 5;
        called = main.call(0, times, &args, 4);
        wires.extend(&called);
    }
    random_gates(rng, &mut main, &mut wires, gates / 3);
    let outs = 4 + below(rng, 30);
    let mut results: Vec<Wire> = (0..outs).map(|_| wires[below(rng, wires.len())]).collect();
    // The helper must be called by something that matters.
    results[0] = called[0];
    let main = main.finish(&results);
    let groups = [Recipients::GARBLER, Recipients::EVALUATOR, Recipients::BOTH];
    let outputs = groups.iter().enumerate().map(|(i, to)| {
        let mut wires: Vec<OutWire> = (0..outs)
            .skip(i)
            .step_by(3)
            .map(|r| OutWire::Result(r as u32))
            .collect();
        wires.push(OutWire::Const(i == 1));
        let ty = port("", wires.len()).ty;
        OutputGroup {
            name: format!("r{i}"),
            ty,
            to: *to,
            wires,
        }
    });
    let outputs = outputs.collect();
    Circuit::new(
        vec![port("a", widths[0]), port("b", widths[1])],
        outputs,
        vec![helper, main],
    )
    .unwrap()
}

/// All result bits of the entry function in the clear, by a circuit whose only output is them.
pub(crate) fn plain_results(circuit: &Circuit, inputs: &[Vec<bool>; 2]) -> Vec<bool> {
    let count = circuit.results().len();
    let wires = (0..count).map(|i| OutWire::Result(i as u32)).collect();
    let all = OutputGroup {
        name: "all".to_owned(),
        ty: port("", count).ty,
        to: Recipients::BOTH,
        wires,
    };
    let circuit = Circuit::new(
        circuit.inputs().to_vec(),
        vec![all],
        circuit.functions().to_vec(),
    )
    .unwrap();
    circuit.eval(inputs).unwrap().remove(0)
}
