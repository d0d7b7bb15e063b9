//! Stocks: made, used once, given up after a deviation.

use std::sync::Arc;

use proptest::prelude::*;
use quil_garble::Plan;
use quil_garble::session::{
    Agreement, Drive, EvaluatorSession, GarblerSession, HEADER, Kind, MAX_STOCK, Millis, Outcome,
    SessionError, Setup, StockEvaluatorSession, StockGarblerSession, StockOrder, StockSetup,
    run_pair,
};
use quil_ot::OtError;
use quil_ot::silent::Params;
use quil_ot::stock::Stock;
use quil_qcl::circuit::Circuit;

use crate::circuits::{random_bits, random_circuit};
use crate::rng;

const NOW: Millis = Millis(5);
const AGREEMENT: Agreement = Agreement {
    rendezvous: [3; 32],
    code_address: [0; 32],
};
/// Input bits of the evaluator in these tests.
const WIDTH: usize = 11;

type Tamper<'a> = &'a mut dyn FnMut(bool, &mut Vec<u8>);

/// Runs two sessions with a hand in the wire (`true`: frame of the garbler); gives what stopped each side.
fn run(
    garbler: &mut impl Drive,
    evaluator: &mut impl Drive,
    tamper: Tamper<'_>,
) -> [Option<SessionError>; 2] {
    let mut pass = |from_garbler: bool, bytes: Vec<u8>| {
        let (mut rest, mut out) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..HEADER].try_into().unwrap()) as usize + HEADER;
            let mut frame = rest[..length].to_vec();
            rest = &rest[length..];
            tamper(from_garbler, &mut frame);
            out.extend_from_slice(&frame);
        }
        out
    };
    let (mut to_e, mut to_g) = (Vec::new(), Vec::new());
    let mut ends = [None, None];
    garbler.start(NOW, &mut to_e);
    evaluator.start(NOW, &mut to_g);
    loop {
        if to_e.is_empty()
            && to_g.is_empty()
            && !garbler.produce(NOW, &mut to_e)
            && !evaluator.produce(NOW, &mut to_g)
        {
            return ends;
        }
        let bytes = pass(false, std::mem::take(&mut to_g));
        if ends[0].is_none() {
            ends[0] = garbler.receive(NOW, &bytes, &mut to_e).err();
        }
        let bytes = pass(true, std::mem::take(&mut to_e));
        if ends[1].is_none() {
            ends[1] = evaluator.receive(NOW, &bytes, &mut to_g).err();
        }
    }
}

fn makers(order: StockOrder, seed: u64) -> (StockGarblerSession, StockEvaluatorSession) {
    let setup = StockSetup::new(order, AGREEMENT);
    (
        StockGarblerSession::stock_garbler(&setup, &mut rng(seed)),
        StockEvaluatorSession::stock_evaluator(&setup, &mut rng(seed + 1)),
    )
}

fn make(order: StockOrder, seed: u64) -> (Stock, Stock) {
    let (mut garbler, mut evaluator) = makers(order, seed);
    let outcomes = run_pair(&mut garbler, &mut evaluator).unwrap();
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(outcomes[0].outputs.is_empty());
    let halves = (
        garbler.into_stock().unwrap(),
        evaluator.into_stock().unwrap(),
    );
    assert!(halves.0.is_sender() && !halves.1.is_sender());
    assert_eq!(halves.0.id(), halves.1.id());
    assert_eq!(
        (halves.0.left(), halves.1.left()),
        (order.total(), order.total())
    );
    halves
}

fn load(seed: u64) -> (Circuit, [Vec<bool>; 2]) {
    let circuit = random_circuit(&mut rng(seed), [9, WIDTH], 300);
    let inputs = [9, WIDTH].map(|width| random_bits(&mut rng(seed + width as u64), width));
    (circuit, inputs)
}

fn sessions(
    circuit: &Circuit,
    inputs: &[Vec<bool>; 2],
    stocks: (Option<Stock>, Option<Stock>),
    seed: u64,
) -> (GarblerSession, EvaluatorSession) {
    let setup = Setup::new(Arc::new(Plan::new(circuit).unwrap()), AGREEMENT);
    let (mut first, mut second) = (rng(seed), rng(seed + 1));
    (
        GarblerSession::garbler_with(setup.clone(), &inputs[0], stocks.0, &mut first).unwrap(),
        EvaluatorSession::evaluator_with(setup, &inputs[1], stocks.1, &mut second).unwrap(),
    )
}

fn assert_right(circuit: &Circuit, inputs: &[Vec<bool>; 2], party: u8, outcome: &Outcome) {
    let values = circuit.eval(inputs).unwrap();
    for ((group, bits), got) in circuit.outputs().iter().zip(values).zip(&outcome.outputs) {
        assert_eq!(got.as_ref(), group.to.includes(party).then_some(&bits));
    }
}

/// Runs a session over these stocks; returns what is left, and whether base transfers were made.
fn session(
    seed: u64,
    stocks: (Option<Stock>, Option<Stock>),
) -> (Option<Stock>, Option<Stock>, bool) {
    let (circuit, inputs) = load(seed);
    let (mut garbler, mut evaluator) = sessions(&circuit, &inputs, stocks, seed);
    let mut base = false;
    let ends = run(&mut garbler, &mut evaluator, &mut |_, frame| {
        base |= frame[0] == Kind::OtSetup as u8;
    });
    assert_eq!(ends, [None, None]);
    let (first, second) = (garbler.outcome().unwrap(), evaluator.outcome().unwrap());
    assert_right(&circuit, &inputs, 0, first);
    assert_right(&circuit, &inputs, 1, second);
    assert_eq!(first.transcript, second.transcript);
    (garbler.into_stock(), evaluator.into_stock(), base)
}

#[test]
fn one_stock_serves_many_sessions_and_no_correlation_twice() {
    let order = StockOrder::new(4 * WIDTH + 3).unwrap();
    let (sender, receiver) = make(order, 1);
    let mut stocks = (Some(sender), Some(receiver));
    for run in 0..4_u64 {
        let (sender, receiver, base) = session(100 + run, stocks);
        assert!(!base, "no transfers but those of the stock");
        let (sender, receiver) = (sender.unwrap(), receiver.unwrap());
        assert_eq!(sender.position(), (run + 1) * WIDTH as u64);
        assert_eq!(receiver.position(), sender.position());
        stocks = (Some(sender), Some(receiver));
    }
    // Three are left, too few: transfers are made anew and the rest stays.
    let (sender, receiver, base) = session(200, stocks);
    assert!(base);
    assert_eq!((sender.unwrap().left(), receiver.unwrap().left()), (3, 3));
}

#[test]
fn silent_rounds_fill_a_stock() {
    let order = StockOrder::silent(Params::TOY, 2).unwrap();
    assert_eq!(order.total(), 2 * Params::TOY.usable());
    let (sender, receiver) = make(order, 2);
    let (sender, _, base) = session(300, (Some(sender), Some(receiver)));
    assert!(!base);
    assert_eq!(sender.unwrap().left(), order.total() - WIDTH);
}

#[test]
fn large_extension_takes_several_messages() {
    let order = StockOrder::new(40_000).unwrap();
    let (mut sender, mut receiver) = make(order, 3);
    let (theirs, ours) = (sender.take(40_000).unwrap(), receiver.take(40_000).unwrap());
    let ones = ours.blocks.iter().filter(|block| block.select()).count();
    assert!((19_400..20_600).contains(&ones), "{ones}");
    let differences: Vec<_> = theirs
        .blocks
        .iter()
        .zip(ours.blocks.iter())
        .filter(|(_, ours)| ours.select())
        .map(|(theirs, ours)| (*theirs ^ *ours).value())
        .collect();
    assert!(differences.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(theirs.blocks.iter().all(|block| !block.select()));
}

#[test]
fn parties_at_different_positions_meet_at_the_later() {
    let (mut sender, receiver) = make(StockOrder::new(60).unwrap(), 4);
    sender.skip_to(17);
    let (sender, receiver, base) = session(400, (Some(sender), Some(receiver)));
    assert!(!base);
    let (sender, mut receiver) = (sender.unwrap(), receiver.unwrap());
    assert_eq!((sender.position(), receiver.position()), (28, 28));
    receiver.skip_to(30);
    let (sender, receiver, base) = session(410, (Some(sender), Some(receiver)));
    assert!(!base);
    assert_eq!((sender.unwrap().left(), receiver.unwrap().left()), (19, 19));
}

#[test]
fn stock_that_only_one_party_has_is_left_alone() {
    let (sender, receiver) = make(StockOrder::new(20).unwrap(), 5);
    let (_, other) = make(StockOrder::new(20).unwrap(), 6);
    let (sender, other, base) = session(500, (Some(sender), Some(other)));
    assert!(base);
    assert_eq!(
        (sender.as_ref().unwrap().left(), other.unwrap().left()),
        (20, 20)
    );
    let (sender, none, base) = session(510, (sender, None));
    assert!(base && none.is_none());
    assert_eq!(sender.unwrap().left(), 20);
    let (none, receiver, base) = session(520, (None, Some(receiver)));
    assert!(base && none.is_none());
    assert_eq!(receiver.unwrap().left(), 20);
}

#[test]
fn stored_halves_go_on_where_they_were() {
    let (sender, receiver) = make(StockOrder::new(30).unwrap(), 7);
    let (sender, receiver, _) = session(600, (Some(sender), Some(receiver)));
    let store = |stock: Option<Stock>| Stock::from_bytes(&stock.unwrap().to_bytes()).unwrap();
    let (sender, receiver) = (store(sender), store(receiver));
    let (sender, _, base) = session(610, (Some(sender), Some(receiver)));
    assert!(!base);
    assert_eq!(sender.unwrap().left(), 30 - 2 * WIDTH);
}

#[test]
fn wrong_half_and_odd_sizes_are_refused_before_anything_is_sent() {
    let (circuit, inputs) = load(1);
    let setup = Setup::new(Arc::new(Plan::new(&circuit).unwrap()), AGREEMENT);
    let (sender, receiver) = make(StockOrder::new(20).unwrap(), 8);
    let garbler =
        GarblerSession::garbler_with(setup.clone(), &inputs[0], Some(receiver), &mut rng(1));
    assert_eq!(garbler.unwrap_err(), SessionError::StockHalf);
    let evaluator = EvaluatorSession::evaluator_with(setup, &inputs[1], Some(sender), &mut rng(1));
    assert_eq!(evaluator.unwrap_err(), SessionError::StockHalf);
    for count in [0, MAX_STOCK + 1] {
        assert_eq!(
            StockOrder::new(count).unwrap_err(),
            SessionError::StockSize(count)
        );
    }
    assert!(StockOrder::silent(Params::BULK, 0).is_err());
    assert!(StockOrder::silent(Params::BULK, 4).is_err());
    // Large orders are silent rounds, small ones are not.
    assert_eq!(
        StockOrder::new(5_000_000).unwrap().total(),
        Params::BULK.usable()
    );
    assert_eq!(StockOrder::new(100).unwrap().total(), 100);
}

#[test]
fn different_orders_are_noticed_in_the_handshake() {
    let (mut garbler, _) = makers(StockOrder::new(20).unwrap(), 9);
    let (_, mut evaluator) = makers(StockOrder::new(21).unwrap(), 9);
    let end = run_pair(&mut garbler, &mut evaluator).unwrap_err();
    assert_eq!(end, SessionError::Circuit);
    assert!(garbler.into_stock().is_none() && evaluator.into_stock().is_none());
}

#[test]
fn lie_in_a_silent_round_leaves_no_stock() {
    let (mut garbler, mut evaluator) = makers(StockOrder::silent(Params::TOY, 1).unwrap(), 10);
    let mut done = false;
    let ends = run(&mut garbler, &mut evaluator, &mut |from_garbler, frame| {
        if from_garbler && frame[0] == Kind::OtStock as u8 && !done {
            frame[HEADER + 3] ^= 1;
            done = true;
        }
    });
    assert_eq!(
        ends,
        [
            Some(SessionError::Peer(8)),
            Some(SessionError::Transfer(OtError::SilentCheck))
        ]
    );
    assert!(garbler.into_stock().is_none() && evaluator.into_stock().is_none());
}

#[test]
fn lost_connection_costs_only_what_was_taken() {
    let (sender, receiver) = make(StockOrder::new(30).unwrap(), 11);
    let (circuit, inputs) = load(2);
    let (mut garbler, mut evaluator) =
        sessions(&circuit, &inputs, (Some(sender), Some(receiver)), 12);
    let (mut to_e, mut to_g) = (Vec::new(), Vec::new());
    garbler.start(NOW, &mut to_e);
    evaluator.start(NOW, &mut to_g);
    garbler.receive(NOW, &to_g, &mut to_e).unwrap();
    // The evaluator never gets the answer: it took nothing, the garbler did.
    let (sender, receiver) = (
        garbler.into_stock().unwrap(),
        evaluator.into_stock().unwrap(),
    );
    assert_eq!((sender.left(), receiver.left()), (30 - WIDTH, 30));
    let (sender, _, base) = session(700, (Some(sender), Some(receiver)));
    assert!(!base);
    assert_eq!(sender.unwrap().left(), 30 - 2 * WIDTH);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever frame of a session over a stock is changed: no wrong result, and a noticed deviation costs the stock.
    #[test]
    fn deviation_gives_up_the_stock(which in 0..12_usize, at: prop::sample::Index, flip in 1..=255_u8) {
        let (sender, receiver) = make(StockOrder::new(WIDTH + 5).unwrap(), 13);
        let (circuit, inputs) = load(3);
        let (mut garbler, mut evaluator) =
            sessions(&circuit, &inputs, (Some(sender), Some(receiver)), 14);
        let mut count = 0;
        let ends = run(&mut garbler, &mut evaluator, &mut |_, frame| {
            if count == which && frame.len() > HEADER {
                let at = HEADER + at.index(frame.len() - HEADER);
                frame[at] ^= flip;
            }
            count += 1;
        });
        for (party, outcome) in [(0, garbler.outcome()), (1, evaluator.outcome())] {
            if let Some(outcome) = outcome {
                assert_right(&circuit, &inputs, party, outcome);
            }
        }
        for (end, stock) in ends.iter().zip([garbler.into_stock(), evaluator.into_stock()]) {
            let deviation = matches!(
                end,
                Some(SessionError::Frame | SessionError::Order | SessionError::Transfer(_))
                    | Some(SessionError::Output | SessionError::Transcript | SessionError::Peer(6..=10))
            );
            prop_assert_eq!(stock.is_none(), deviation);
        }
    }

    /// A stock session with a changed frame ends in an error or in halves that fit.
    #[test]
    fn changed_stock_sessions_never_give_halves_that_differ(
        which in 0..14_usize, at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let (mut garbler, mut evaluator) = makers(StockOrder::new(300).unwrap(), 15);
        let mut count = 0;
        let ends = run(&mut garbler, &mut evaluator, &mut |_, frame| {
            if count == which && frame.len() > HEADER {
                let at = HEADER + at.index(frame.len() - HEADER);
                frame[at] ^= flip;
            }
            count += 1;
        });
        let halves = (garbler.into_stock(), evaluator.into_stock());
        // Frame 8 is the empty acknowledgement; behind it stand only the hashes of the end.
        if which < count && which < 8 {
            prop_assert!(ends.iter().any(Option::is_some));
        }
        if let (Some(sender), Some(receiver)) = halves {
            prop_assert_eq!(sender.id(), receiver.id());
            session(800, (Some(sender), Some(receiver)));
        }
    }
}
