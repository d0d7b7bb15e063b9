//! Sources and circuits of the compiler, inputs as JSON.

use std::sync::LazyLock;

use quil_garble::Plan;
use quil_qcl::circuit::{Circuit, IoType};
use quil_qcl::{Options, compile, json};

use super::{LARGE, SMALL, decoder, one_encoding};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("qcl.source", 400, COMPILER, sources, source),
    decoder("qcl.circuit", 1500, LARGE, circuits, circuit),
    decoder("qcl.bristol", 600, LARGE, texts, bristol),
    decoder("qcl.wire_file", 600, LARGE, wire_files, wire_file),
    decoder("qcl.json", 1500, SMALL, values, value),
];

/// What the compiler may hold within the work allowed below.
const COMPILER: usize = 64 << 20;
/// Elementary steps allowed to a bent source.
const WORK: u64 = 50_000;
/// Circuits above this many gates are not run.
const GATES_RUN_MAX: u64 = 20_000;

const SOURCES: [&str; 6] = [
    include_str!("../../../examples/qcl/millionaires.qcl"),
    include_str!("../../../examples/qcl/median.qcl"),
    include_str!("../../../examples/qcl/auction.qcl"),
    "package main\nfunc main(a, b uint8) uint8 {\n\treturn a ^ b\n}\n",
    "package main\n\ntype P struct {\n\tx, y int16\n}\n\nfunc add(p, q P) P {\n\treturn P{x: p.x + q.x, y: p.y - q.y}\n}\n\nfunc main(a, b P) P {\n\treturn add(a, b)\n}\n",
    "package main\nfunc main(a, b [4]uint8) (uint8, bool) {\n\tvar s uint8\n\tfor i := 0; i < 4; i++ {\n\t\tif a[i] > b[i] {\n\t\t\ts += a[i] * b[i]\n\t\t}\n\t}\n\treturn s, s != 0\n}\n",
];

fn options() -> Options {
    Options {
        unroll: 100,
        work: WORK,
        ..Options::default()
    }
}

fn sources() -> Vec<Vec<u8>> {
    SOURCES.iter().map(|s| s.as_bytes().to_vec()).collect()
}

fn source(bytes: &[u8]) -> Verdict {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    let compiled = compile("fuzz.qcl", text, &options());
    match &compiled {
        Ok(done) => {
            let circuit = done.circuit();
            let again = Circuit::from_bytes(&circuit.to_bytes());
            assert_eq!(again.as_ref(), Ok(circuit), "a compiled circuit decodes");
        }
        Err(error) => assert!(!error.diagnostics.is_empty()),
    }
    Verdict::of(&compiled)
}

static COMPILED: LazyLock<Vec<Circuit>> = LazyLock::new(|| {
    let compiled = SOURCES
        .iter()
        .map(|s| compile("fuzz.qcl", s, &options()).expect("valid"));
    compiled.map(quil_qcl::Compiled::into_circuit).collect()
});

fn circuits() -> Vec<Vec<u8>> {
    COMPILED.iter().map(Circuit::to_bytes).collect()
}

fn circuit(bytes: &[u8]) -> Verdict {
    let decoded = Circuit::from_bytes(bytes);
    if let Ok(circuit) = &decoded {
        usable(circuit);
    }
    one_encoding(bytes, decoded, Circuit::to_bytes)
}

/// What is done with a circuit of others: planned, and run if small.
fn usable(circuit: &Circuit) {
    // A circuit of other than two parties has no plan.
    let planned = Plan::new(circuit).is_ok();
    assert!(!planned || circuit.inputs().len() == 2);
    if circuit.stats().total() <= GATES_RUN_MAX {
        let inputs: Vec<Vec<u64>> = circuit
            .input_widths()
            .iter()
            .map(|n| vec![0xaaaa_5555; *n])
            .collect();
        let out = circuit.eval_lanes(&inputs).expect("widths are right");
        assert_eq!(out.len(), circuit.outputs().len());
    }
}

fn texts() -> Vec<Vec<u8>> {
    let small = COMPILED.iter().filter(|c| c.stats().total() < 3000);
    small
        .filter_map(|c| c.to_bristol().ok())
        .map(String::into_bytes)
        .collect()
}

fn bristol(bytes: &[u8]) -> Verdict {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    let read = Circuit::from_bristol(text);
    if let Ok(circuit) = &read {
        usable(circuit);
        let again = Circuit::from_bytes(&circuit.to_bytes());
        assert_eq!(again.as_ref(), Ok(circuit));
    }
    Verdict::of(&read)
}

/// Two parties of one bit, and their AND, XOR and inversion.
fn wire_files() -> Vec<Vec<u8>> {
    let mut out = b"crc\0".to_vec();
    // Gates, wires, inputs, outputs; then name, type, bits and parts of each input and output.
    let arguments = [[0, 0, 1, 0]; 3];
    for n in [3, 5, 2, 1].iter().chain(arguments.as_flattened()) {
        out.extend(u32::to_be_bytes(*n));
    }
    for (code, wires) in [(2, &[0, 1, 2][..]), (0, &[0, 2, 3]), (4, &[3, 4])] {
        out.push(code);
        wires.iter().for_each(|w| out.extend(u32::to_be_bytes(*w)));
    }
    vec![out]
}

fn wire_file(bytes: &[u8]) -> Verdict {
    let read = Circuit::from_wire_file(bytes);
    if let Ok(circuit) = &read {
        usable(circuit);
    }
    Verdict::of(&read)
}

static TYPES: LazyLock<Vec<IoType>> = LazyLock::new(|| {
    let ports = COMPILED.iter().flat_map(Circuit::inputs);
    ports.map(|port| port.ty.clone()).collect()
});

/// type number || JSON text.
fn values() -> Vec<Vec<u8>> {
    (0..)
        .zip(TYPES.iter())
        .map(|(i, ty)| {
            let bits: Vec<bool> = (0..ty.bits()).map(|b| b % 3 == 1).collect();
            let mut out = vec![i];
            out.extend(json::decode(ty, &bits).to_string().into_bytes());
            out
        })
        .collect()
}

fn value(bytes: &[u8]) -> Verdict {
    let Some((i, text)) = bytes.split_first() else {
        return Verdict::Refused;
    };
    let (Some(ty), Ok(value)) = (
        TYPES.get(usize::from(*i)),
        serde_json::from_slice::<serde_json::Value>(text),
    ) else {
        return Verdict::Refused;
    };
    let encoded = json::encode(ty, &value);
    if let Ok(bits) = &encoded {
        assert_eq!(bits.len(), ty.bits());
        let again = json::encode(ty, &json::decode(ty, bits));
        assert_eq!(again.as_ref(), Ok(bits), "bits survive JSON");
    }
    Verdict::of(&encoded)
}
