//! Whole sessions: results, every way to deviate, hostile bytes, time.

use std::sync::Arc;

use proptest::prelude::*;
use quil_garble::Plan;
use quil_garble::session::{
    Agreement, Deadlines, Drive, EvaluatorSession, GarblerSession, Gates, HEADER, Kind, Millis,
    Outcome, Phase, SessionError, Setup, run_pair,
};
use quil_ot::OtError;
use quil_qcl::circuit::{Circuit, Recipients};

use crate::circuits::{random_bits, random_circuit};
use crate::rng;

const NOW: Millis = Millis(5);
const AGREEMENT: Agreement = Agreement {
    rendezvous: [1; 32],
    code_address: [2; 32],
};

struct Pair {
    garbler: GarblerSession,
    evaluator: EvaluatorSession,
}

/// Passes bytes to and fro; `tamper` sees every frame with its direction (`true`: from the garbler).
struct Net<'a> {
    tamper: &'a mut dyn FnMut(bool, &mut Vec<u8>),
}

impl Net<'_> {
    fn frames(&mut self, from_garbler: bool, bytes: &[u8]) -> Vec<u8> {
        let (mut rest, mut out) = (bytes, Vec::new());
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..HEADER].try_into().unwrap()) as usize + HEADER;
            let mut frame = rest[..length].to_vec();
            rest = &rest[length..];
            (self.tamper)(from_garbler, &mut frame);
            out.extend_from_slice(&frame);
        }
        out
    }
}

impl Pair {
    fn new(circuit: &Circuit, inputs: &[Vec<bool>; 2], seed: u64) -> Self {
        let plan = Arc::new(Plan::new(circuit).unwrap());
        let setup = Setup::new(plan, AGREEMENT);
        Self {
            garbler: GarblerSession::garbler(setup.clone(), &inputs[0], &mut rng(seed)).unwrap(),
            evaluator: EvaluatorSession::evaluator(setup, &inputs[1], &mut rng(seed + 1)).unwrap(),
        }
    }

    /// Runs with a hand in the wire; gives what stopped each side.
    fn run_tampered(
        &mut self,
        tamper: &mut dyn FnMut(bool, &mut Vec<u8>),
    ) -> [Option<SessionError>; 2] {
        let mut net = Net { tamper };
        let (mut to_e, mut to_g) = (Vec::new(), Vec::new());
        let mut ends = [None, None];
        self.garbler.start(NOW, &mut to_e);
        self.evaluator.start(NOW, &mut to_g);
        loop {
            if to_e.is_empty() && to_g.is_empty() && !self.garbler.produce(NOW, &mut to_e) {
                return ends;
            }
            let bytes = net.frames(false, &std::mem::take(&mut to_g));
            if ends[0].is_none() {
                ends[0] = self.garbler.receive(NOW, &bytes, &mut to_e).err();
            }
            let bytes = net.frames(true, &std::mem::take(&mut to_e));
            if ends[1].is_none() {
                ends[1] = self.evaluator.receive(NOW, &bytes, &mut to_g).err();
            }
        }
    }
}

fn small(seed: u64) -> (Circuit, [Vec<bool>; 2]) {
    let circuit = random_circuit(&mut rng(seed), [9, 11], 700);
    (
        circuit,
        [
            random_bits(&mut rng(seed + 1), 9),
            random_bits(&mut rng(seed + 2), 11),
        ],
    )
}

fn expected(circuit: &Circuit, inputs: &[Vec<bool>; 2], party: u8) -> Vec<Option<Vec<bool>>> {
    let values = circuit.eval(inputs).unwrap();
    circuit
        .outputs()
        .iter()
        .zip(values)
        .map(|(group, bits)| group.to.includes(party).then_some(bits))
        .collect()
}

fn assert_outcomes(circuit: &Circuit, inputs: &[Vec<bool>; 2], outcomes: &[Outcome; 2]) {
    assert_eq!(outcomes[0].outputs, expected(circuit, inputs, 0));
    assert_eq!(outcomes[1].outputs, expected(circuit, inputs, 1));
    assert_eq!(outcomes[0].transcript, outcomes[1].transcript);
}

#[test]
fn each_party_learns_its_outputs_and_nothing_else() {
    let (circuit, inputs) = small(1);
    let mut pair = Pair::new(&circuit, &inputs, 2);
    let total = circuit.stats().and;
    assert_eq!(pair.garbler.gates(), Gates { done: 0, total });
    let outcomes = run_pair(&mut pair.garbler, &mut pair.evaluator).unwrap();
    assert_eq!(pair.garbler.gates(), Gates { done: total, total });
    assert_eq!(pair.evaluator.gates(), Gates { done: total, total });
    assert_outcomes(&circuit, &inputs, &outcomes);
    let to: Vec<Recipients> = circuit.outputs().iter().map(|group| group.to).collect();
    assert_eq!(
        to,
        [Recipients::GARBLER, Recipients::EVALUATOR, Recipients::BOTH]
    );
    assert!(outcomes[0].outputs[1].is_none() && outcomes[1].outputs[0].is_none());
    assert_eq!(pair.garbler.deadline(), None);
}

#[test]
fn parties_without_inputs_finish_too() {
    for widths in [[0, 5], [5, 0], [0, 0]] {
        let circuit = random_circuit(&mut rng(3), [widths[0].max(1), widths[1].max(1)], 300);
        if widths.contains(&0) {
            let circuit = random_circuit_of(widths);
            let inputs = widths.map(|width| vec![true; width]);
            let mut pair = Pair::new(&circuit, &inputs, 4);
            let outcomes = run_pair(&mut pair.garbler, &mut pair.evaluator).unwrap();
            assert_outcomes(&circuit, &inputs, &outcomes);
        }
        drop(circuit);
    }
}

/// All ANDs of the inputs and a constant; works without any input.
fn random_circuit_of(widths: [usize; 2]) -> Circuit {
    use quil_qcl::circuit::{Assembler, OutWire, OutputGroup, Wire};
    let params = (widths[0] + widths[1]) as u32;
    let mut c = Assembler::new(params);
    let mut sum = c.constant(true);
    for i in 0..params {
        sum = c.and(sum, Wire(i));
    }
    let results = [sum];
    let function = c.finish(&results);
    let ty = crate::circuits::port("", 1).ty;
    let output = OutputGroup {
        name: "r".to_owned(),
        ty,
        to: Recipients::BOTH,
        wires: vec![OutWire::Result(0)],
    };
    let ports = vec![
        crate::circuits::port("a", widths[0]),
        crate::circuits::port("b", widths[1]),
    ];
    Circuit::new(ports, vec![output], vec![function]).unwrap()
}

/// The evaluator answers as soon as it has the last table; the garbler has to be ready for that.
#[test]
fn outputs_for_the_garbler_alone_arrive() {
    let lines = [
        "1 5\n2 2 2\n1 1\n\n2 1 0 2 4 AND\n",
        "1 5\n2 2 2\n1 1\n\n2 1 0 2 4 XOR\n",
        "2 6\n2 2 2\n1 1\n\n2 1 0 2 4 AND\n2 1 4 3 5 XOR\n",
    ];
    for text in lines {
        let circuit = Circuit::from_bristol(text).unwrap();
        let outputs: Vec<_> = circuit
            .outputs()
            .iter()
            .map(|group| quil_qcl::circuit::OutputGroup {
                to: Recipients::GARBLER,
                ..group.clone()
            })
            .collect();
        let circuit = Circuit::new(
            circuit.inputs().to_vec(),
            outputs,
            circuit.functions().to_vec(),
        )
        .unwrap();
        let inputs = [vec![true, false], vec![true, true]];
        let mut pair = Pair::new(&circuit, &inputs, 31);
        let outcomes = run_pair(&mut pair.garbler, &mut pair.evaluator).unwrap();
        assert_outcomes(&circuit, &inputs, &outcomes);
        assert_eq!(outcomes[1].outputs, [None]);
    }
}

#[test]
fn many_inputs_and_outputs_cross_frame_borders() {
    use quil_qcl::circuit::{Assembler, OutWire, OutputGroup, Wire};
    let width = 20_000_u32;
    let mut c = Assembler::new(2 * width);
    let results: Vec<Wire> = (0..width)
        .map(|i| c.and(Wire(i), Wire(width + i)))
        .collect();
    let function = c.finish(&results);
    let port = crate::circuits::port("x", width as usize);
    let wires = (0..width).map(OutWire::Result).collect();
    let output = OutputGroup {
        name: "r".to_owned(),
        ty: port.ty.clone(),
        to: Recipients::BOTH,
        wires,
    };
    let circuit = Circuit::new(vec![port.clone(), port], vec![output], vec![function]).unwrap();
    let inputs = [
        random_bits(&mut rng(5), width as usize),
        random_bits(&mut rng(6), width as usize),
    ];
    let mut pair = Pair::new(&circuit, &inputs, 7);
    let outcomes = run_pair(&mut pair.garbler, &mut pair.evaluator).unwrap();
    assert_outcomes(&circuit, &inputs, &outcomes);
}

#[test]
fn pieces_of_any_size_give_the_same_session() {
    let (circuit, inputs) = small(8);
    let mut pair = Pair::new(&circuit, &inputs, 9);
    let (mut to_e, mut to_g) = (Vec::new(), Vec::new());
    pair.garbler.start(NOW, &mut to_e);
    pair.evaluator.start(NOW, &mut to_g);
    while pair.garbler.outcome().is_none() || pair.evaluator.outcome().is_none() {
        if to_e.is_empty() && to_g.is_empty() {
            assert!(pair.garbler.produce(NOW, &mut to_e));
        }
        for byte in std::mem::take(&mut to_g).chunks(3) {
            pair.garbler.receive(NOW, byte, &mut to_e).unwrap();
        }
        for byte in std::mem::take(&mut to_e).chunks(7) {
            pair.evaluator.receive(NOW, byte, &mut to_g).unwrap();
        }
    }
    let outcomes = [
        pair.garbler.outcome().unwrap().clone(),
        pair.evaluator.outcome().unwrap().clone(),
    ];
    assert_outcomes(&circuit, &inputs, &outcomes);
}

#[test]
fn wrong_input_width_is_refused_before_anything_is_sent() {
    let (circuit, _) = small(10);
    let setup = Setup::new(Arc::new(Plan::new(&circuit).unwrap()), AGREEMENT);
    let error = GarblerSession::garbler(setup.clone(), &[true; 10], &mut rng(1)).unwrap_err();
    assert_eq!(
        error,
        SessionError::Inputs {
            expected: 9,
            found: 10
        }
    );
    let error = EvaluatorSession::evaluator(setup, &[], &mut rng(1)).unwrap_err();
    assert_eq!(
        error,
        SessionError::Inputs {
            expected: 11,
            found: 0
        }
    );
    assert_eq!(error.code(), None);
}

#[test]
fn every_field_of_the_handshake_is_compared() {
    let (circuit, inputs) = small(11);
    let fields = [
        (0, SessionError::Version),
        (2, SessionError::Suite),
        (4, SessionError::Role),
        (5, SessionError::Rendezvous),
        (68, SessionError::Rendezvous),
        (69, SessionError::Circuit),
        (104, SessionError::Circuit),
        (112, SessionError::Circuit),
    ];
    for (offset, error) in fields {
        let mut pair = Pair::new(&circuit, &inputs, 12);
        let ends = pair.run_tampered(&mut |from_garbler, frame| {
            if !from_garbler && frame[0] == Kind::Hello as u8 {
                frame[HEADER + offset] ^= 1;
            }
        });
        assert_eq!(
            ends,
            [Some(error), Some(SessionError::Peer(error.code().unwrap()))]
        );
    }
}

#[test]
fn both_garblers_notice() {
    let (circuit, inputs) = small(13);
    let mut first = Pair::new(&circuit, &inputs, 14).garbler;
    let mut second = Pair::new(&circuit, &inputs, 15).garbler;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    first.start(NOW, &mut a);
    second.start(NOW, &mut b);
    assert_eq!(
        first.receive(NOW, &b, &mut Vec::new()),
        Err(SessionError::Role)
    );
}

/// A changed nonce changes the context on one side only: whatever comes first fails, here the proof of the base key.
#[test]
fn parties_in_different_contexts_cannot_continue() {
    let (circuit, inputs) = small(16);
    let mut pair = Pair::new(&circuit, &inputs, 17);
    let ends = pair.run_tampered(&mut |from_garbler, frame| {
        if !from_garbler && frame[0] == Kind::Hello as u8 {
            *frame.last_mut().unwrap() ^= 1;
        }
    });
    assert_eq!(
        ends,
        [
            Some(SessionError::Transfer(OtError::KeyProof)),
            Some(SessionError::Peer(8))
        ]
    );
}

/// Flips one bit of the `nth` frame of a kind and says how both sides end.
fn flip(kind: Kind, byte: usize) -> [Option<SessionError>; 2] {
    let (circuit, inputs) = small(18);
    let mut pair = Pair::new(&circuit, &inputs, 19);
    let mut done = false;
    let ends = pair.run_tampered(&mut |_, frame| {
        if frame[0] == kind as u8 && !done && frame.len() > HEADER + byte {
            frame[HEADER + byte] ^= 1;
            done = true;
        }
    });
    assert!(done, "{kind:?}");
    assert!(pair.garbler.outcome().is_none() || pair.evaluator.outcome().is_none());
    ends
}

#[test]
fn tampering_with_transfers_is_caught() {
    assert!(matches!(
        flip(Kind::OtSetup, 40)[0],
        Some(SessionError::Transfer(_))
    ));
    assert!(matches!(
        flip(Kind::OtExtension, 40)[0],
        Some(SessionError::Transfer(OtError::ExtensionCheck))
    ));
}

#[test]
fn tampering_with_tables_labels_or_outputs_is_caught() {
    // The seed: every label of an AND gate is spoiled.
    assert_eq!(flip(Kind::GarblerLabels, 3)[1], Some(SessionError::Output));
    let spoiled = [
        flip(Kind::Tables, 0),
        flip(Kind::Tables, 16),
        flip(Kind::OutDecode, 0),
        flip(Kind::OutDecode, 16),
    ];
    for ends in spoiled {
        // The evaluator notices by an output, or else by the transcript.
        let by_output =
            ends[1] == Some(SessionError::Output) || ends[0] == Some(SessionError::Output);
        let by_transcript = ends.contains(&Some(SessionError::Transcript));
        assert!(by_output || by_transcript, "{ends:?}");
    }
    assert_eq!(flip(Kind::OutLabels, 0)[0], Some(SessionError::Output));
    assert_eq!(flip(Kind::OutLabels, 20)[0], Some(SessionError::Output));
    assert_eq!(flip(Kind::Done, 0)[0], Some(SessionError::Transcript));
}

/// Flipping the decoding bit of an output the evaluator learns changes its value; only the transcript tells.
#[test]
fn flipped_decoding_bit_is_caught_by_the_transcript() {
    assert_eq!(flip(Kind::OutDecode, 32)[0], Some(SessionError::Transcript));
}

#[test]
fn replayed_reordered_and_foreign_frames_are_refused() {
    let (circuit, inputs) = small(20);
    for kind in [
        Kind::OtSetup,
        Kind::OtExtension,
        Kind::GarblerLabels,
        Kind::OutLabels,
        Kind::Hello,
    ] {
        let mut pair = Pair::new(&circuit, &inputs, 21);
        let mut done = false;
        let ends = pair.run_tampered(&mut |_, frame| {
            if frame[0] == kind as u8 && !done {
                frame.extend_from_slice(&frame.clone());
                done = true;
            }
        });
        assert!(ends.iter().flatten().next().is_some(), "{kind:?}");
    }
    let mut pair = Pair::new(&circuit, &inputs, 22);
    let ends = pair.run_tampered(&mut |from_garbler, frame| {
        if !from_garbler && frame[0] == Kind::OtExtension as u8 {
            frame[0] = Kind::Tables as u8;
        }
    });
    assert_eq!(ends[0], Some(SessionError::Order));
}

#[test]
fn oversized_unknown_and_misplaced_frames_are_refused() {
    let (circuit, inputs) = small(23);
    let frames: [(&[u8], SessionError); 6] = [
        (&[0, 0, 0, 0, 0], SessionError::Frame),
        (&[12, 0, 0, 0, 0], SessionError::Frame),
        (&[5, 0xff, 0xff, 0xff, 0xff], SessionError::Frame),
        (&[8, 0, 0, 0, 0], SessionError::Order),
        (&[2, 0, 0, 0, 0], SessionError::Order),
        (&[11, 0, 0, 0, 0], SessionError::Order),
    ];
    for (frame, error) in frames {
        let mut garbler = Pair::new(&circuit, &inputs, 24).garbler;
        let mut out = Vec::new();
        garbler.start(NOW, &mut out);
        out.clear();
        assert_eq!(garbler.receive(NOW, frame, &mut out), Err(error));
        assert_eq!(
            out,
            [
                &[Kind::Abort as u8, 0, 0, 0, 2][..],
                &error.code().unwrap().to_be_bytes()
            ]
            .concat()
        );
        out.clear();
        assert_eq!(
            garbler.receive(NOW, frame, &mut out),
            Err(SessionError::Over)
        );
        assert!(out.is_empty());
    }
}

#[test]
fn deadlines_stop_a_silent_peer_in_each_phase() {
    let (circuit, inputs) = small(25);
    let plan = Arc::new(Plan::new(&circuit).unwrap());
    let deadlines = Deadlines {
        hello: 10,
        transfer: 20,
        tables: 30,
        outputs: 40,
    };
    let setup = Setup {
        deadlines,
        ..Setup::new(plan, AGREEMENT)
    };
    let mut garbler = GarblerSession::garbler(setup.clone(), &inputs[0], &mut rng(1)).unwrap();
    let mut evaluator = EvaluatorSession::evaluator(setup, &inputs[1], &mut rng(2)).unwrap();
    let (mut to_e, mut to_g) = (Vec::new(), Vec::new());
    garbler.start(Millis(100), &mut to_e);
    evaluator.start(Millis(100), &mut to_g);
    assert_eq!(garbler.deadline(), Some(Millis(110)));
    assert_eq!(garbler.tick(Millis(110), &mut to_e), Ok(()));
    garbler.receive(Millis(105), &to_g, &mut to_e).unwrap();
    assert_eq!(
        (garbler.phase(), garbler.deadline()),
        (Phase::Transfer, Some(Millis(125)))
    );
    // A keep-alive is no progress.
    let mut keep_alive = Vec::new();
    evaluator.keep_alive(&mut keep_alive);
    garbler
        .receive(Millis(120), &keep_alive, &mut to_e)
        .unwrap();
    assert_eq!(garbler.deadline(), Some(Millis(125)));
    let mut out = Vec::new();
    assert_eq!(
        garbler.tick(Millis(126), &mut out),
        Err(SessionError::Deadline)
    );
    assert_eq!(out[0], Kind::Abort as u8);
    assert_eq!(garbler.deadline(), None);
    assert!(!garbler.produce(Millis(127), &mut out));
}

#[test]
fn cancel_tells_the_other_side() {
    let (circuit, inputs) = small(26);
    let mut pair = Pair::new(&circuit, &inputs, 27);
    let (mut to_e, mut out) = (Vec::new(), Vec::new());
    pair.evaluator.start(NOW, &mut out);
    pair.garbler.start(NOW, &mut to_e);
    pair.garbler.cancel(&mut to_e);
    assert_eq!(
        pair.evaluator.receive(NOW, &to_e, &mut out),
        Err(SessionError::Peer(12))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn session_result_equals_plain_result(seed: u64, widths in (0..30_usize, 1..200_usize), gates in 1..3000_usize) {
        let circuit = random_circuit(&mut rng(seed), [widths.0, widths.1], gates);
        let inputs = [random_bits(&mut rng(seed ^ 1), widths.0), random_bits(&mut rng(seed ^ 2), widths.1)];
        let mut pair = Pair::new(&circuit, &inputs, seed);
        let outcomes = run_pair(&mut pair.garbler, &mut pair.evaluator).unwrap();
        assert_outcomes(&circuit, &inputs, &outcomes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// One frame, somewhere, is mutated, cut or lengthened: never a panic, never two honest-looking ends with different
    /// results.
    #[test]
    fn mutated_frames_give_typed_ends(
        nth in 0..14_usize, position: prop::sample::Index, flip in 1..=255_u8, how in 0..3_u8, seed in 0..3_u64,
    ) {
        let (circuit, inputs) = small(40 + seed);
        let mut pair = Pair::new(&circuit, &inputs, seed);
        let mut count = 0;
        let ends = pair.run_tampered(&mut |_, frame| {
            if count == nth {
                let at = HEADER + position.index(frame.len() - HEADER + 1);
                match how {
                    0 if at < frame.len() => frame[at] ^= flip,
                    1 => frame.truncate(at),
                    _ => frame.insert(at, flip),
                }
                let length = (frame.len() - HEADER) as u32;
                frame[1..HEADER].copy_from_slice(&length.to_be_bytes());
            }
            count += 1;
        });
        if let (Some(first), Some(second)) = (pair.garbler.outcome(), pair.evaluator.outcome()) {
            prop_assert_eq!(&first.transcript, &second.transcript);
            assert_outcomes(&circuit, &inputs, &[first.clone(), second.clone()]);
            prop_assert_eq!(ends, [None, None]);
        } else {
            prop_assert!(ends.iter().any(Option::is_some), "stuck after frame {}", nth);
        }
    }

    #[test]
    fn random_bytes_give_typed_ends(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (circuit, inputs) = small(50);
        let mut pair = Pair::new(&circuit, &inputs, 1);
        pair.garbler.start(NOW, &mut Vec::new());
        let _ = pair.garbler.receive(NOW, &bytes, &mut Vec::new());
        prop_assert!(pair.garbler.outcome().is_none());
    }
}
