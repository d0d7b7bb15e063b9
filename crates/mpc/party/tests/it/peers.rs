//! Two parties over TCP inside one process.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use quil_client::{Document, Failure};
use quil_party::{PartyError, PeerRun, Sizes, Stop, evaluate, garble, silent};
use serde_json::json;

use super::{example, json};

const WAIT: Duration = Duration::from_secs(20);

/// An address nobody listens on.
fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn side(address: &str, input: &str) -> PeerRun {
    PeerRun {
        file: example("auction.qcl"),
        sizes: Sizes::default(),
        input: input.to_owned().into(),
        key: "ab".repeat(32).into(),
        address: address.to_owned(),
        wait: WAIT,
    }
}

fn both(address: &str) -> (PeerRun, PeerRun) {
    (
        side(address, "[100, 7, 30, 2]"),
        side(address, "[90, 120, 1, 4]"),
    )
}

type End = Result<Document, PartyError>;

fn meet(first: &PeerRun, second: &PeerRun) -> (End, End) {
    thread::scope(|scope| {
        let other = scope.spawn(|| evaluate(second, &Stop::new(), &silent));
        let own = garble(first, &Stop::new(), &silent);
        (own, other.join().unwrap())
    })
}

fn code(end: End) -> &'static str {
    Failure::from(end.unwrap_err()).code
}

#[test]
fn parties_find_each_other_and_agree() {
    let (garbler, evaluator) = both(&free());
    let (first, second) = meet(&garbler, &evaluator);
    let (first, second) = (json(&first.unwrap()), json(&second.unwrap()));
    let expected = json!({"winner": 5, "price": 100});
    assert_eq!(
        (&first["output"], &second["output"]),
        (&expected, &expected)
    );
    assert_eq!(
        (&first["role"], &second["role"]),
        (&json!("garbler"), &json!("evaluator"))
    );
    assert_eq!(first["transcript"], second["transcript"]);
    assert_eq!(first["code_id"], second["code_id"]);
}

#[test]
fn only_the_named_party_learns() {
    let address = free();
    let (mut garbler, mut evaluator) = both(&address);
    for run in [&mut garbler, &mut evaluator] {
        run.file = example("preimage.qcl");
    }
    garbler.input = format!("\"hex:{}\"", "00".repeat(40)).into();
    evaluator.input = format!("\"hex:{}\"", "00".repeat(32)).into();
    let (first, second) = meet(&garbler, &evaluator);
    assert_eq!(json(&first.unwrap())["output"], json!(null));
    assert_eq!(json(&second.unwrap())["output"], json!(false));
}

#[test]
fn another_key_is_named() {
    let (garbler, mut evaluator) = both(&free());
    evaluator.key = "cd".repeat(32).into();
    let (first, second) = meet(&garbler, &evaluator);
    let codes = [code(first), code(second)];
    assert!(codes.contains(&"compute.key_differs"), "{codes:?}");
    let fits = |code: &&str| ["compute.key_differs", "compute.connection"].contains(code);
    assert!(codes.iter().all(fits), "{codes:?}");
}

#[test]
fn another_program_is_named() {
    let (mut garbler, evaluator) = both(&free());
    garbler.file = example("intersection.qcl");
    garbler.input = json!((0..16).collect::<Vec<u32>>()).to_string().into();
    let (first, second) = meet(&garbler, &evaluator);
    let codes = [code(first), code(second)];
    assert!(codes.contains(&"compute.program"), "{codes:?}");
}

#[test]
fn absent_peers_are_awaited_for_a_bounded_time() {
    let address = free();
    let (mut garbler, mut evaluator) = both(&address);
    let begin = Instant::now();
    garbler.wait = Duration::from_millis(300);
    let failure = Failure::from(garble(&garbler, &Stop::new(), &silent).unwrap_err());
    assert_eq!((failure.code, failure.exit_code()), ("compute.no_peer", 5));
    evaluator.wait = Duration::from_millis(300);
    let failure = Failure::from(evaluate(&evaluator, &Stop::new(), &silent).unwrap_err());
    assert_eq!(
        (failure.code, failure.exit_code()),
        ("compute.unreachable", 8)
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn wrong_addresses_and_keys_are_found_before_anything_else() {
    let (mut garbler, mut evaluator) = both("127.0.0.1");
    assert_eq!(
        code(garble(&garbler, &Stop::new(), &silent)),
        "compute.address"
    );
    garbler.address = "203.0.113.1:7".to_owned();
    assert_eq!(
        code(garble(&garbler, &Stop::new(), &silent)),
        "compute.listen"
    );
    evaluator.key = "12".to_owned().into();
    assert_eq!(
        code(evaluate(&evaluator, &Stop::new(), &silent)),
        "compute.key"
    );
}

#[test]
fn strangers_do_not_end_the_wait() {
    let address = free();
    let (garbler, evaluator) = both(&address);
    let lines = Mutex::new(Vec::new());
    let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
    thread::scope(|scope| {
        let own = scope.spawn(|| garble(&garbler, &Stop::new(), &say));
        let mut stranger = loop {
            if let Ok(stream) = TcpStream::connect(&address) {
                break stream;
            }
        };
        stranger.write_all(&[b'G'; 64]).unwrap();
        let other = evaluate(&evaluator, &Stop::new(), &silent);
        assert!(other.is_ok() && own.join().unwrap().is_ok());
    });
    let lines = lines.lock().unwrap();
    assert!(
        lines.iter().any(|line| line.contains("ignored")),
        "{lines:?}"
    );
}

#[test]
fn a_stopped_party_tells_the_other() {
    // Much work, so that the stop comes while tables flow.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.qcl");
    let source = "package main\n\nfunc mix(a, b uint64) uint64 {\n    return a*b + 1\n}\n\nfunc main(garbler, evaluator uint64) uint64 {\n    x := garbler\n    for i := range 30000 {\n        x = mix(x, evaluator)\n    }\n    return x\n}\n";
    std::fs::write(&file, source).unwrap();
    let (mut garbler, mut evaluator) = both(&free());
    for run in [&mut garbler, &mut evaluator] {
        run.file.clone_from(&file);
        run.input = "3".to_owned().into();
    }
    let stop = Stop::new();
    let wish = stop.clone();
    thread::scope(|scope| {
        let own = scope.spawn(|| garble(&garbler, &stop, &silent));
        let other = scope.spawn(|| evaluate(&evaluator, &Stop::new(), &silent));
        while !wish.stop() && !own.is_finished() {
            thread::yield_now();
        }
        let own = own.join().unwrap().unwrap_err();
        assert!(own.is_stopped(), "{own}");
        let other = other.join().unwrap().unwrap_err();
        assert!(!other.is_stopped());
        let text = other.to_string();
        assert!(
            text.contains("cancelled") || text.contains("closed"),
            "{text}"
        );
    });
}
