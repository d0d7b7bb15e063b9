//! Circuits: evaluation, slots, encoding, text formats.

use proptest::prelude::*;
use quil_qcl::circuit::{
    Assembler, BristolError, Circuit, CircuitError, Cursor, DecodeError, Function, Gate, IoType,
    OutWire, OutputGroup, Port, Recipients, Step, Wire, WireFileError,
};

fn uint(width: u32) -> IoType {
    IoType::Int {
        signed: false,
        width,
    }
}

fn port(name: &str, width: u32) -> Port {
    Port {
        name: name.into(),
        ty: uint(width),
    }
}

fn group(width: u32, first: u32) -> OutputGroup {
    OutputGroup {
        name: "r".into(),
        ty: uint(width),
        to: Recipients::BOTH,
        wires: (first..first + width).map(OutWire::Result).collect(),
    }
}

fn bits(value: u64, width: usize) -> Vec<bool> {
    (0..width).map(|i| value >> i & 1 == 1).collect()
}

fn number(bits: &[bool]) -> u64 {
    bits.iter()
        .rev()
        .fold(0, |sum, bit| sum << 1 | u64::from(*bit))
}

/// `a + b` by a ripple of full adders with one AND each.
fn adder(width: u32) -> Function {
    let mut asm = Assembler::new(2 * width);
    let mut carry: Option<Wire> = None;
    let mut sums = Vec::new();
    for i in 0..width {
        let (a, b) = (Wire(i), Wire(width + i));
        let half = asm.xor(a, b);
        let Some(c) = carry else {
            sums.push(half);
            carry = Some(asm.and(a, b));
            continue;
        };
        sums.push(asm.xor(half, c));
        let ac = asm.xor(a, c);
        let bc = asm.xor(b, c);
        let both = asm.and(ac, bc);
        carry = Some(asm.xor(both, c));
    }
    asm.finish(&sums)
}

fn add_circuit(width: u32) -> Circuit {
    Circuit::new(
        vec![port("a", width), port("b", width)],
        vec![group(width, 0)],
        vec![adder(width)],
    )
    .unwrap()
}

#[test]
fn adder_adds_and_drops_the_dead_carry() {
    let circuit = add_circuit(16);
    assert_eq!(circuit.stats().and, 15);
    assert_eq!(circuit.stats().depth, 15);
    for (a, b) in [(0, 0), (65535, 1), (1234, 4321), (40000, 40000)] {
        let out = circuit.eval(&[bits(a, 16), bits(b, 16)]).unwrap();
        assert_eq!(number(&out[0]), (a + b) & 0xffff);
    }
}

#[test]
fn slots_are_reused() {
    // A chain of 10,000 gates over two inputs needs no more than a handful of slots.
    let mut asm = Assembler::new(2);
    let mut x = Wire(0);
    for i in 0..10_000 {
        x = if i % 2 == 0 {
            asm.and(x, Wire(1))
        } else {
            asm.xor(x, Wire(1))
        };
    }
    let function = asm.finish(&[x]);
    assert!(function.slots <= 3, "{}", function.slots);
}

#[test]
fn lanes_are_independent_runs() {
    let circuit = add_circuit(8);
    let a: Vec<u64> = (0..64).map(|k| k * 37 % 256).collect();
    let b: Vec<u64> = (0..64).map(|k| k * 91 % 256).collect();
    let lanes = |v: &[u64]| -> Vec<u64> {
        (0..8)
            .map(|i| {
                v.iter()
                    .enumerate()
                    .fold(0, |w, (k, x)| w | (x >> i & 1) << k)
            })
            .collect()
    };
    let out = circuit.eval_lanes(&[lanes(&a), lanes(&b)]).unwrap();
    assert_eq!(
        out[0],
        lanes(
            &a.iter()
                .zip(&b)
                .map(|(x, y)| (x + y) & 255)
                .collect::<Vec<_>>()
        )
    );
}

#[test]
fn iterate_feeds_results_back() {
    let circuit = add_circuit(32).iterate(1000).unwrap();
    let out = circuit.eval(&[bits(7, 32), bits(3, 32)]).unwrap();
    assert_eq!(number(&out[0]), 3007);
    assert_eq!(circuit.stats().and, 31_000);
    let thousand_more = circuit.iterate(1000).unwrap();
    assert_eq!(thousand_more.stats().and, 31_000_000);
    assert!(thousand_more.slots() < 500);
    assert_eq!(
        Circuit::from_bytes(&thousand_more.to_bytes()).unwrap(),
        thousand_more
    );
}

#[test]
fn iterate_refuses_other_shapes() {
    assert_eq!(add_circuit(8).iterate(0), Err(CircuitError::NotIterable));
    let mut half = group(4, 0);
    half.wires.truncate(4);
    let circuit =
        Circuit::new(vec![port("a", 8), port("b", 8)], vec![half], vec![adder(8)]).unwrap();
    assert_eq!(circuit.iterate(2), Err(CircuitError::NotIterable));
}

#[test]
fn call_results_may_land_on_argument_slots() {
    // f(x, y) = (y, x & y), run five times by hand and by feedback.
    let mut f = Assembler::new(2);
    let both = f.and(Wire(0), Wire(1));
    let f = f.finish(&[Wire(1), both]);
    let mut main = Assembler::new(2);
    let mut state = vec![Wire(0), Wire(1)];
    for _ in 0..5 {
        state = main.call(0, 1, &state, 2);
    }
    let by_hand = main.finish(&state);
    let mut main = Assembler::new(2);
    let outs = main.call(0, 5, &[Wire(0), Wire(1)], 2);
    let by_feedback = main.finish(&outs);
    let make = |main| {
        Circuit::new(
            vec![port("a", 1), port("b", 1)],
            vec![group(2, 0)],
            vec![f.clone(), main],
        )
    };
    let (left, right) = (make(by_hand).unwrap(), make(by_feedback).unwrap());
    for v in 0..4 {
        let input = [bits(v & 1, 1), bits(v >> 1, 1)];
        assert_eq!(left.eval(&input), right.eval(&input));
    }
}

#[test]
fn cursor_visits_every_gate_once() {
    let circuit = add_circuit(32).iterate(10).unwrap();
    let mut cursor = Cursor::new(&circuit);
    let (mut ands, mut all) = (0, 0u64);
    while let Some(segment) = cursor.next(&circuit) {
        assert!(segment.gates.len() <= Cursor::MAX_SEGMENT);
        ands += segment
            .gates
            .iter()
            .filter(|g| matches!(g, Gate::And { .. }))
            .count() as u64;
        all += segment.gates.len() as u64;
    }
    assert_eq!(ands, circuit.stats().and);
    // One move per call is bookkeeping.
    assert_eq!(all + 10, circuit.stats().total());
}

fn raw(gates: Vec<Gate>, slots: u32, results: Vec<u32>) -> Result<Circuit, CircuitError> {
    let f = Function {
        params: 2,
        slots,
        results,
        steps: vec![Step::Gates(gates)],
    };
    Circuit::new(vec![port("a", 1), port("b", 1)], vec![group(1, 0)], vec![f])
}

#[test]
fn structural_rules_hold() {
    let and = Gate::And { a: 0, b: 1, out: 2 };
    assert!(raw(vec![and], 3, vec![2]).is_ok());
    assert_eq!(raw(vec![and], 2, vec![1]), Err(CircuitError::SlotRange));
    assert_eq!(raw(vec![], 3, vec![2]), Err(CircuitError::Undefined));
    assert_eq!(raw(vec![and], 3, vec![]), Err(CircuitError::OutputWire));
    assert_eq!(
        raw(vec![and], 1 << 27, vec![2]),
        Err(CircuitError::TooManySlots)
    );
    let inputs = || vec![port("a", 8), port("b", 8)];
    assert_eq!(
        Circuit::new(vec![], vec![], vec![adder(8)]),
        Err(CircuitError::Parties)
    );
    assert_eq!(
        Circuit::new(inputs(), vec![], vec![]),
        Err(CircuitError::NoEntry)
    );
    assert_eq!(
        Circuit::new(inputs(), vec![], vec![adder(4)]),
        Err(CircuitError::EntryParams)
    );
    assert_eq!(
        Circuit::new(inputs(), vec![], vec![adder(8), adder(8)]),
        Err(CircuitError::Uncalled)
    );
    let mut nobody = group(8, 0);
    nobody.to = Recipients(0);
    assert_eq!(
        Circuit::new(inputs(), vec![nobody], vec![adder(8)]),
        Err(CircuitError::Recipients)
    );
    let mut stranger = group(8, 0);
    stranger.to = Recipients(4);
    assert_eq!(
        Circuit::new(inputs(), vec![stranger], vec![adder(8)]),
        Err(CircuitError::Recipients)
    );
    let mut wide = group(8, 0);
    wide.ty = uint(9);
    assert_eq!(
        Circuit::new(inputs(), vec![wide], vec![adder(8)]),
        Err(CircuitError::OutputWidth)
    );
    assert_eq!(
        Circuit::new(vec![port("a", 2 << 20)], vec![], vec![adder(1 << 20)]),
        Err(CircuitError::PortBits)
    );
    let deep = (0..20).fold(uint(1), |elem, _| IoType::Array {
        len: 1,
        elem: Box::new(elem),
    });
    let deep = vec![
        Port {
            name: "a".into(),
            ty: deep,
        },
        port("b", 15),
    ];
    assert_eq!(
        Circuit::new(deep, vec![], vec![adder(8)]),
        Err(CircuitError::PortType)
    );
}

#[test]
fn recursion_and_malformed_calls_are_refused() {
    let call = |function, times, args: &[u32], outs: &[u32]| {
        Step::Call(quil_qcl::circuit::Call {
            function,
            times,
            args: args.to_vec(),
            outs: outs.to_vec(),
        })
    };
    let callee = Function {
        params: 2,
        slots: 2,
        results: vec![0],
        steps: vec![],
    };
    let with = |step| {
        let main = Function {
            params: 2,
            slots: 4,
            results: vec![0],
            steps: vec![step],
        };
        Circuit::new(
            vec![port("a", 1), port("b", 1)],
            vec![group(1, 0)],
            vec![callee.clone(), main],
        )
    };
    assert!(with(call(0, 1, &[0, 1], &[2])).is_ok());
    assert!(with(call(0, 9, &[0, 1], &[0])).is_ok());
    assert_eq!(
        with(call(1, 1, &[0, 1], &[2])),
        Err(CircuitError::CallOrder)
    );
    assert_eq!(
        with(call(0, 0, &[0, 1], &[2])),
        Err(CircuitError::CallShape)
    );
    assert_eq!(with(call(0, 1, &[0], &[2])), Err(CircuitError::CallShape));
    assert_eq!(
        with(call(0, 1, &[0, 1], &[2, 3])),
        Err(CircuitError::CallShape)
    );
    assert_eq!(
        with(call(0, 2, &[0, 1], &[1])),
        Err(CircuitError::CallShape)
    );
    assert_eq!(
        with(call(0, 1, &[0, 3], &[2])),
        Err(CircuitError::Undefined)
    );
    assert_eq!(
        with(call(0, 1, &[0, 1], &[9])),
        Err(CircuitError::SlotRange)
    );
}

#[test]
fn time_of_a_run_is_bounded() {
    // 2^32 runs of 2^32 runs of one gate.
    let mut circuit = add_circuit(1).iterate(u32::MAX);
    for _ in 0..2 {
        circuit = circuit.and_then(|c| c.iterate(u32::MAX));
    }
    assert_eq!(circuit, Err(CircuitError::TooManyGates));
}

#[test]
fn evaluation_checks_shapes() {
    let circuit = add_circuit(8);
    assert!(circuit.eval(&[bits(0, 8)]).is_err());
    assert!(circuit.eval(&[bits(0, 8), bits(0, 7)]).is_err());
}

#[test]
fn bristol_round_trip_computes_the_same() {
    let circuit = add_circuit(8).iterate(3).unwrap();
    let text = circuit.to_bristol().unwrap();
    let back = Circuit::from_bristol(&text).unwrap();
    assert_eq!(back.stats().and, circuit.stats().and);
    for (a, b) in [(1, 2), (200, 99), (255, 255)] {
        let input = [bits(a, 8), bits(b, 8)];
        assert_eq!(back.eval(&input), circuit.eval(&input));
    }
}

#[test]
fn bristol_gates_have_their_meaning() {
    let text = "8 10\n2 1 1\n8 1 1 1 1 1 1 1 1\n\n2 1 0 1 2 XOR\n2 1 0 1 3 XNOR\n2 1 0 1 4 AND\n2 1 0 1 5 OR\n\
                1 1 0 6 INV\n1 1 1 7 EQ\n1 1 1 8 EQW\n2 1 7 8 9 XOR\n";
    let circuit = Circuit::from_bristol(text).unwrap();
    for v in 0..4u64 {
        let (a, b) = (v & 1 == 1, v >> 1 == 1);
        let out = circuit.eval(&[vec![a], vec![b]]).unwrap();
        let flat: Vec<bool> = out.into_iter().flatten().collect();
        assert_eq!(flat, [a ^ b, !(a ^ b), a & b, a | b, !a, true, b, !b]);
    }
    let mand = "1 6\n2 2 2\n1 2\n\n4 2 0 1 2 3 4 5 MAND\n";
    let circuit = Circuit::from_bristol(mand).unwrap();
    assert_eq!(
        circuit.eval(&[bits(3, 2), bits(2, 2)]).unwrap(),
        vec![bits(2, 2)]
    );
}

#[test]
fn bristol_errors_name_the_line() {
    let head = "1 3\n2 1 1\n1 1\n";
    let read = |body: &str| Circuit::from_bristol(&format!("{head}{body}")).unwrap_err();
    assert_eq!(read("2 1 0 1 2 NAND"), BristolError::Gate { line: 4 });
    assert_eq!(read("2 1 0 1 AND"), BristolError::Gate { line: 4 });
    assert_eq!(read("2 1 0 3 2 AND"), BristolError::Wire { line: 4 });
    assert_eq!(read("2 1 0 2 2 AND"), BristolError::Wire { line: 4 });
    assert_eq!(read("2 1 0 1 1 AND"), BristolError::Wire { line: 4 });
    assert_eq!(read(""), BristolError::Count);
    assert_eq!(read("2 1 0 1 2 AND\n2 1 0 1 2 AND"), BristolError::Count);
    assert_eq!(
        Circuit::from_bristol("x"),
        Err(BristolError::Header { line: 1 })
    );
    assert_eq!(
        Circuit::from_bristol("1 99999999999\n1 1\n1 1\n"),
        Err(BristolError::Count)
    );
    assert_eq!(
        Circuit::from_bristol("0 2\n1 1\n1 1\n"),
        Err(BristolError::Output)
    );
}

const ONE_AND: &str = "637263000000000100000003000000020000000100000001610000000575696e743100000001000000000000000162\
0000000575696e7431000000010000000000000000c25726574307b312c317d75310000000575696e7431000000010000000002000000000000000100000002";

fn one_and() -> Vec<u8> {
    // magic, 1 gate, 3 wires, 2 inputs, 1 output; two arguments of one bit, one result; AND 0 1 -> 2
    let mut bytes = Vec::new();
    for word in [0x6372_6300u32, 1, 3, 2, 1] {
        bytes.extend(word.to_be_bytes());
    }
    for name in ["a", "b", "%ret0{1,1}u1"] {
        for text in [name, "uint1"] {
            bytes.extend((text.len() as u32).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(1u32.to_be_bytes());
        bytes.extend(0u32.to_be_bytes());
    }
    bytes.push(2);
    for word in [0u32, 1, 2] {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

#[test]
fn gate_list_of_one_and_is_read() {
    let bytes = one_and();
    assert_eq!(bytes.len(), 110);
    assert!(hex::encode(&bytes).starts_with(&ONE_AND[..96]));
    let circuit = Circuit::from_wire_file(&bytes).unwrap();
    assert_eq!(circuit.stats().and, 1);
    assert_eq!(
        circuit.eval(&[vec![true], vec![true]]).unwrap(),
        vec![vec![true]]
    );
    assert_eq!(
        circuit.eval(&[vec![true], vec![false]]).unwrap(),
        vec![vec![false]]
    );
}

#[test]
fn damaged_gate_lists_are_errors() {
    let good = one_and();
    for len in 0..good.len() {
        assert!(Circuit::from_wire_file(&good[..len]).is_err(), "{len}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(
        Circuit::from_wire_file(&longer),
        Err(WireFileError::Trailing)
    );
    let mut huge = good.clone();
    huge[8] = 0x7f;
    assert_eq!(Circuit::from_wire_file(&huge), Err(WireFileError::Limit));
    let mut code = good.clone();
    code[97] = 9;
    assert_eq!(
        Circuit::from_wire_file(&code),
        Err(WireFileError::Code { index: 0 })
    );
    let mut wire = good;
    *wire.last_mut().unwrap() = 1;
    assert_eq!(
        Circuit::from_wire_file(&wire),
        Err(WireFileError::Wire { index: 0 })
    );
}

#[test]
fn encoding_is_stable() {
    // The identity of this circuit is part of the format.
    assert_eq!(
        hex::encode(add_circuit(4).code_id()),
        "eba3f24c721f415b2e0a79c609a17b053b6719503be8bfd07f0187e43066fe12"
    );
}

#[test]
fn decoder_names_what_is_wrong() {
    let good = add_circuit(4).to_bytes();
    for len in 0..good.len() {
        assert!(Circuit::from_bytes(&good[..len]).is_err(), "{len}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(Circuit::from_bytes(&longer), Err(DecodeError::Trailing));
    let mut version = good.clone();
    version[4] = 2;
    assert_eq!(Circuit::from_bytes(&version), Err(DecodeError::Magic));
    let mut slack = good.clone();
    slack.splice(5..6, [0x82, 0x00]);
    assert_eq!(Circuit::from_bytes(&slack), Err(DecodeError::Number));
    let mut many = good;
    many.splice(5..6, [0x20]);
    assert_eq!(Circuit::from_bytes(&many), Err(DecodeError::Limit));
}

/// Gates over random earlier wires, with a call in the middle.
fn random_circuit() -> impl Strategy<Value = Circuit> {
    let gates = prop::collection::vec((0u8..4, any::<u32>(), any::<u32>()), 1..200);
    (gates, 1u32..8, 1u32..8, 1u32..9, 1u32..4).prop_map(|(gates, wa, wb, outs, times)| {
        let build = |params: u32, outs: u32, times: u32, callee: Option<&Function>| {
            let mut asm = Assembler::new(params);
            let mut wires: Vec<Wire> = (0..params).map(Wire).collect();
            for (i, (op, a, b)) in gates.iter().enumerate() {
                let pick = |wires: &[Wire], x: u32| wires[x as usize % wires.len()];
                let (a, b) = (pick(&wires, *a), pick(&wires, *b));
                let wire = match op {
                    0 => asm.xor(a, b),
                    1 => asm.and(a, b),
                    2 => asm.inv(a),
                    _ => asm.constant(i % 2 == 0),
                };
                wires.push(wire);
                if let (Some(f), true) = (callee, i == gates.len() / 2) {
                    let args: Vec<Wire> = (0..f.params).map(|k| pick(&wires, k * 7 + 1)).collect();
                    wires.extend(asm.call(0, times, &args, f.results.len()));
                }
            }
            let results: Vec<Wire> = wires.iter().rev().take(outs as usize).copied().collect();
            asm.finish(&results)
        };
        let params = outs + 3;
        let f = build(params, outs.min(params), 1, None);
        let main = build(wa + wb, outs, times, Some(&f));
        let calls = main.steps.iter().any(|s| matches!(s, Step::Call(_)));
        let results = main.results.len() as u32;
        let functions = if calls { vec![f, main] } else { vec![main] };
        Circuit::new(
            vec![port("a", wa), port("b", wb)],
            vec![group(results, 0)],
            functions,
        )
        .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn encoding_round_trips(circuit in random_circuit()) {
        let bytes = circuit.to_bytes();
        let back = Circuit::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&back, &circuit);
        prop_assert_eq!(back.to_bytes(), bytes);
    }

    #[test]
    fn text_form_computes_the_same(circuit in random_circuit(), seed in any::<u64>()) {
        let back = Circuit::from_bristol(&circuit.to_bristol().unwrap()).unwrap();
        let inputs: Vec<Vec<u64>> = circuit.input_widths().iter().enumerate()
            .map(|(p, w)| (0..*w).map(|i| seed.rotate_left((p * 13 + i * 7) as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect())
            .collect();
        prop_assert_eq!(back.eval_lanes(&inputs).unwrap(), circuit.eval_lanes(&inputs).unwrap());
    }

    #[test]
    fn mutated_bytes_never_panic_and_stay_canonical(
        circuit in random_circuit(),
        edits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = circuit.to_bytes();
        for (at, value) in edits {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        if let Ok(other) = Circuit::from_bytes(&bytes) {
            prop_assert_eq!(other.to_bytes(), bytes);
        }
    }

    #[test]
    fn mutated_text_never_panics(at in any::<usize>(), byte in 0u8..128) {
        let mut text = add_circuit(4).to_bristol().unwrap().into_bytes();
        let len = text.len();
        text[at % len] = byte;
        let _ = Circuit::from_bristol(std::str::from_utf8(&text).unwrap());
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Circuit::from_bytes(&bytes).is_err());
        prop_assert!(Circuit::from_wire_file(&bytes).is_err());
    }
}
