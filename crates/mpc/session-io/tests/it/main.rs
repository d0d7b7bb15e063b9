//! Sessions over real streams.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is the report of a failure"
)]

use std::sync::Arc;

use quil_garble::Plan;
use quil_garble::bench::aes;
use quil_garble::session::{
    Agreement, Deadlines, EvaluatorSession, GarblerSession, Outcome, SessionError, Setup,
    StockEvaluatorSession, StockGarblerSession, StockOrder, StockSetup,
};
use quil_qcl::circuit::{Circuit, Recipients};
use quil_session_io::{
    End, KeyError, RecordError, RunError, SessionKey, bench, connect, listen, run_plain, run_sealed,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;

const KEY: [u8; 32] = [3; 32];

fn circuit(blocks: u32) -> Circuit {
    aes::aes128(Recipients::BOTH)
        .unwrap()
        .iterate(blocks)
        .unwrap()
}

fn inputs() -> [Vec<bool>; 2] {
    let bits = |count: usize, step: usize| (0..count).map(|i| i % step == 1).collect();
    [bits(aes::BLOCK_BITS, 3), bits(aes::KEY_BITS, 5)]
}

fn setup(circuit: &Circuit) -> Setup {
    let agreement = Agreement {
        rendezvous: [1; 32],
        code_address: [0; 32],
    };
    Setup::new(Arc::new(Plan::new(circuit).unwrap()), agreement)
}

fn sessions(first: Setup, second: Setup) -> (GarblerSession, EvaluatorSession) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let [garbler, evaluator] = inputs();
    let garbler = GarblerSession::garbler(first, &garbler, &mut rng).unwrap();
    (
        garbler,
        EvaluatorSession::evaluator(second, &evaluator, &mut rng).unwrap(),
    )
}

fn assert_result(circuit: &Circuit, first: &Outcome, second: &Outcome) {
    let expected = circuit.eval(&inputs()).unwrap().remove(0);
    assert_eq!(first.outputs, [Some(expected)]);
    assert_eq!(first, second);
}

#[tokio::test]
async fn parties_agree_over_tcp() {
    let circuit = circuit(20);
    let setup = setup(&circuit);
    let (mut garbler, mut evaluator) = sessions(setup.clone(), setup);
    let key = SessionKey::new(KEY);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut seen = Vec::new();
    let (first, second) = tokio::join!(
        listen(&mut garbler, &listener, &key, |_| {}),
        connect(&mut evaluator, address, &key, |gates| seen.push(gates.done)),
    );
    assert_result(&circuit, &first.unwrap().0, &second.unwrap());
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&circuit.stats().and));
}

/// One connection makes a stock; sessions on further connections take their transfers from it.
#[tokio::test]
async fn stock_made_over_tcp_serves_later_sessions() {
    let agreement = Agreement {
        rendezvous: [9; 32],
        code_address: [0; 32],
    };
    let (circuit, key) = (circuit(2), SessionKey::new(KEY));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let order = StockOrder::new(2 * aes::KEY_BITS + 20_000).unwrap();
    let stock = StockSetup::new(order, agreement);
    let mut first = StockGarblerSession::stock_garbler(&stock, &mut rng);
    let mut second = StockEvaluatorSession::stock_evaluator(&stock, &mut rng);
    let (served, connected) = tokio::join!(
        listen(&mut first, &listener, &key, |_| {}),
        connect(&mut second, address, &key, |_| {}),
    );
    assert_eq!(served.unwrap().0, connected.unwrap());
    let mut stocks = (first.into_stock(), second.into_stock());
    for run in 1..=2 {
        let [input, keys] = inputs();
        let own = GarblerSession::garbler_with(setup(&circuit), &input, stocks.0, &mut rng);
        let other = EvaluatorSession::evaluator_with(setup(&circuit), &keys, stocks.1, &mut rng);
        let (mut garbler, mut evaluator) = (own.unwrap(), other.unwrap());
        let (first, second) = tokio::join!(
            listen(&mut garbler, &listener, &key, |_| {}),
            connect(&mut evaluator, address, &key, |_| {}),
        );
        assert_result(&circuit, &first.unwrap().0, &second.unwrap());
        stocks = (garbler.into_stock(), evaluator.into_stock());
        let left = order.total() - run * aes::KEY_BITS;
        assert_eq!(stocks.0.as_ref().unwrap().left(), left);
        assert_eq!(stocks.1.as_ref().unwrap().left(), left);
    }
}

#[tokio::test]
async fn parties_agree_over_a_plain_stream_of_tiny_pieces() {
    let circuit = circuit(1);
    let setup = setup(&circuit);
    let (mut garbler, mut evaluator) = sessions(setup.clone(), setup);
    let (left, right) = duplex(777);
    let (first, second) = tokio::join!(
        run_plain(&mut garbler, left, |_| {}),
        run_plain(&mut evaluator, right, |_| {})
    );
    assert_result(&circuit, &first.unwrap(), &second.unwrap());
}

#[tokio::test]
async fn nothing_of_the_session_is_readable_on_the_wire() {
    let circuit = circuit(1);
    let setup = setup(&circuit);
    let (mut garbler, _) = sessions(setup.clone(), setup);
    let (left, mut right) = duplex(1 << 16);
    let key = SessionKey::new(KEY);
    let spy = async {
        let mut greeting = [0; 40];
        right.read_exact(&mut greeting).await.unwrap();
        right.write_all(&greeting).await.unwrap();
        let mut rest = vec![0; 4 + 5 + 193 + 16];
        right.read_exact(&mut rest).await.unwrap();
        drop(right);
        rest
    };
    let (result, bytes) = tokio::join!(
        run_sealed(&mut garbler, left, &key, End::Listening, |_| {}),
        spy
    );
    assert!(matches!(result, Err(RunError::Closed)));
    // The rendezvous is 32 times the same byte.
    assert!(!bytes.windows(8).any(|window| window == [1; 8]));
}

#[tokio::test]
async fn different_keys_stop_both_sides() {
    let circuit = circuit(1);
    let setup = setup(&circuit);
    let (mut garbler, mut evaluator) = sessions(setup.clone(), setup);
    let (left, right) = duplex(1 << 16);
    let (one, two) = (SessionKey::new([1; 32]), SessionKey::new([2; 32]));
    let (first, second) = tokio::join!(
        run_sealed(&mut garbler, left, &one, End::Listening, |_| {}),
        run_sealed(&mut evaluator, right, &two, End::Connecting, |_| {}),
    );
    assert!(matches!(first, Err(RunError::Record(RecordError::Seal))));
    assert!(second.is_err());
}

#[tokio::test]
async fn another_circuit_is_told_to_the_other_side() {
    let (mut garbler, mut evaluator) = sessions(setup(&circuit(1)), setup(&circuit(2)));
    let (left, right) = duplex(1 << 16);
    let (first, second) = tokio::join!(
        run_plain(&mut garbler, left, |_| {}),
        run_plain(&mut evaluator, right, |_| {})
    );
    let ends = [first.unwrap_err(), second.unwrap_err()];
    for end in ends {
        let told = matches!(
            end,
            RunError::Session(SessionError::Circuit | SessionError::Peer(5))
        );
        assert!(
            told || matches!(end, RunError::Closed | RunError::Io(_)),
            "{end}"
        );
    }
}

#[tokio::test]
async fn silent_peers_run_into_the_deadline() {
    let circuit = circuit(1);
    let deadlines = Deadlines {
        hello: 30,
        ..Deadlines::default()
    };
    let setup = Setup {
        deadlines,
        ..setup(&circuit)
    };
    let (mut garbler, _) = sessions(setup.clone(), setup);
    let (left, _right) = duplex(1 << 16);
    let result = run_plain(&mut garbler, left, |_| {}).await;
    assert!(matches!(
        result,
        Err(RunError::Session(SessionError::Deadline))
    ));
}

#[tokio::test]
async fn closed_streams_end_the_run() {
    let circuit = circuit(1);
    let setup = setup(&circuit);
    let (mut garbler, _) = sessions(setup.clone(), setup);
    let (left, right) = duplex(1 << 16);
    drop(right);
    let result = run_plain(&mut garbler, left, |_| {}).await;
    assert!(matches!(result, Err(RunError::Closed | RunError::Io(_))));
}

#[test]
fn keys_are_read_from_text_and_from_files() {
    let key = SessionKey::new(KEY);
    assert_eq!(
        *SessionKey::parse(&key.to_hex()).unwrap().to_hex(),
        *key.to_hex()
    );
    assert!(matches!(SessionKey::parse("12"), Err(KeyError::Format)));
    assert!(matches!(
        SessionKey::parse(&"z".repeat(64)),
        Err(KeyError::Format)
    ));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{}\n", *key.to_hex())).unwrap();
    let parsed = SessionKey::parse(&format!("@{}", path.display())).unwrap();
    assert_eq!(*parsed.to_hex(), *key.to_hex());
    std::fs::write(&path, "0".repeat(5000)).unwrap();
    assert!(matches!(
        SessionKey::parse(&format!("@{}", path.display())),
        Err(KeyError::Format)
    ));
    assert!(matches!(
        SessionKey::parse("@/does/not/exist"),
        Err(KeyError::File(_))
    ));
    assert_eq!(format!("{key:?}"), "SessionKey(..)");
    assert_ne!(
        *SessionKey::generate().unwrap().to_hex(),
        *SessionKey::generate().unwrap().to_hex()
    );
}

#[test]
fn bench_rows_have_sane_figures() {
    let rows = [
        ("session.setup", "s", 2),
        ("garble.and.portable", "1/s", 2),
        ("circuit.add64", "gates", 1),
        ("compile.aes128", "s", 2),
    ];
    for (prefix, unit, samples) in rows {
        let rows = bench::run(prefix, 2).unwrap();
        let row = rows.last().unwrap();
        assert!(row.id.starts_with(prefix));
        assert_eq!((row.unit, row.samples), (unit, samples));
        assert!(0.0 < row.p10 && row.p10 <= row.value && row.value <= row.p90);
    }
    assert!(bench::run("nothing", 1).unwrap().is_empty());
    assert!(bench::resident_peak().is_none_or(|bytes| bytes > 1 << 20));
}

#[test]
fn bench_ids_are_distinct() {
    let mut ids = bench::IDS.to_vec();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), bench::IDS.len());
}

#[test]
fn circuit_rows_meet_their_targets() {
    let targets = [
        ("circuit.aes128_and", 6400.0),
        ("circuit.aes128_expanded_and", 5120.0),
        ("circuit.sha256_and", 22_573.0),
        ("circuit.mul64_and", 4006.0),
        ("circuit.div64_and", 4288.0),
        ("circuit.add64_and", 63.0),
    ];
    let rows = bench::run("circuit.", 1).unwrap();
    assert_eq!(rows.len(), targets.len());
    for (row, (id, most)) in rows.iter().zip(targets) {
        assert_eq!(row.id, id);
        assert!(row.value <= most, "{id}: {}", row.value);
    }
}
