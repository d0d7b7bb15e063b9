//! What one party of a two-party session sends, bent on its way to the other.

use std::sync::{Arc, LazyLock};

use quil_garble::Plan;
use quil_garble::session::{
    Agreement, Drive, EvaluatorSession, GarblerSession, HEADER, Millis, Outcome, Setup,
};
use quil_qcl::{Options, compile};

use super::{LARGE, decoder, rng};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("garble.garbler", 30, LARGE, to_garbler, garbler),
    decoder("garble.evaluator", 30, LARGE, to_evaluator, evaluator),
];

const SOURCE: &str =
    "package main\nfunc main(a, b uint8) (uint8, bool) {\n\treturn a * b, a > b\n}\n";
const NOW: Millis = Millis(1);
const INPUTS: [u8; 2] = [0x5a, 0xc3];

fn bits(byte: u8) -> Vec<bool> {
    (0..8).map(|i| byte >> i & 1 == 1).collect()
}

fn setup() -> Setup {
    static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
        let compiled = compile("fuzz.qcl", SOURCE, &Options::default()).expect("valid");
        Arc::new(Plan::new(compiled.circuit()).expect("two parties"))
    });
    let agreement = Agreement {
        rendezvous: [1; 32],
        code_address: [2; 32],
    };
    Setup::new(Arc::clone(&PLAN), agreement)
}

fn new_garbler() -> GarblerSession {
    GarblerSession::garbler(setup(), &bits(INPUTS[0]), &mut rng(1)).expect("eight bits")
}

fn new_evaluator() -> EvaluatorSession {
    EvaluatorSession::evaluator(setup(), &bits(INPUTS[1]), &mut rng(2)).expect("eight bits")
}

/// An honest run: what each side received, and its outcome.
struct Run {
    received: [Vec<u8>; 2],
    outcomes: [Outcome; 2],
}

static RUN: LazyLock<Run> = LazyLock::new(|| {
    let (mut g, mut e) = (new_garbler(), new_evaluator());
    let (mut to_g, mut to_e) = (Vec::new(), Vec::new());
    let mut received = [Vec::new(), Vec::new()];
    g.start(NOW, &mut to_e);
    e.start(NOW, &mut to_g);
    while !to_g.is_empty() || !to_e.is_empty() || g.produce(NOW, &mut to_e) {
        let bytes = core::mem::take(&mut to_g);
        received[0].extend_from_slice(&bytes);
        g.receive(NOW, &bytes, &mut to_e).expect("honest");
        let bytes = core::mem::take(&mut to_e);
        received[1].extend_from_slice(&bytes);
        e.receive(NOW, &bytes, &mut to_g).expect("honest");
    }
    let outcome = |o: Option<&Outcome>| o.expect("both are done").clone();
    Run {
        received,
        outcomes: [outcome(g.outcome()), outcome(e.outcome())],
    }
});

/// Gives the frames of a stream to a session one by one, as a peer would send them.
fn feed(session: &mut impl Drive, mut stream: &[u8], expected: &Outcome) -> Verdict {
    let mut out = Vec::new();
    session.start(NOW, &mut out);
    while !stream.is_empty() {
        let frame = frame_length(stream);
        let (now, rest) = stream.split_at(frame);
        stream = rest;
        if session.receive(NOW, now, &mut out).is_err() {
            // Bytes behind the end are an error too; the result stands then.
            assert!(session.outcome().is_none_or(|o| o == expected));
            let after = session.receive(NOW, &RUN.received[0], &mut out);
            assert!(after.is_err(), "a failed session stays failed");
            return Verdict::Refused;
        }
        while session.produce(NOW, &mut out) {}
        out.clear();
    }
    // Bent frames never change a result: the transcripts would differ.
    if let Some(outcome) = session.outcome() {
        assert_eq!(outcome, expected);
    }
    Verdict::when(session.outcome().is_some())
}

fn frame_length(stream: &[u8]) -> usize {
    let length = stream
        .get(1..HEADER)
        .and_then(|b| b.try_into().ok())
        .map_or(u32::MAX, u32::from_be_bytes);
    usize::try_from(length)
        .unwrap_or(usize::MAX)
        .saturating_add(HEADER)
        .min(stream.len())
}

fn to_garbler() -> Vec<Vec<u8>> {
    vec![RUN.received[0].clone()]
}

fn garbler(bytes: &[u8]) -> Verdict {
    feed(&mut new_garbler(), bytes, &RUN.outcomes[0])
}

fn to_evaluator() -> Vec<Vec<u8>> {
    vec![RUN.received[1].clone()]
}

fn evaluator(bytes: &[u8]) -> Verdict {
    feed(&mut new_evaluator(), bytes, &RUN.outcomes[1])
}
