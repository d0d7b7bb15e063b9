//! Two processes on loopback.

use std::net::TcpListener;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{command, document, example, failure, quil, text};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const BIDS: [&str; 2] = ["[100, 7, 30, 2]", "[90, 120, 1, 4]"];

/// An address nobody listens on.
pub(super) fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn start(arguments: &[&str]) -> Child {
    let mut command = command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("starts")
}

/// One side: everything but the format.
struct Side {
    program: String,
    input: String,
    key: String,
}

fn side(index: usize) -> Side {
    Side {
        program: example("auction.qcl"),
        input: BIDS[index].to_owned(),
        key: KEY.to_owned(),
    }
}

impl Side {
    fn start(&self, role: [&str; 2], address: &str, more: &[&str]) -> Child {
        let fixed = [
            role[0],
            &self.program,
            role[1],
            address,
            "--input",
            &self.input,
            "--key",
            &self.key,
        ];
        start(&[&fixed[..], more].concat())
    }
}

const GARBLE: [&str; 2] = ["garble", "--listen"];
const EVALUATE: [&str; 2] = ["evaluate", "--connect"];

/// Both sides at once, with JSON reports.
fn meet(garbler: &Side, evaluator: &Side) -> [Output; 2] {
    let (address, json) = (free(), ["-o", "json", "--wait", "30s"]);
    // The evaluator first: it has to wait.
    let second = evaluator.start(EVALUATE, &address, &json);
    let first = garbler.start(GARBLE, &address, &json);
    [first, second].map(|child| child.wait_with_output().unwrap())
}

fn codes(done: &[Output; 2]) -> Vec<(i32, String)> {
    let code = |done| {
        let (exit, error) = failure(done);
        (exit, error["code"].as_str().unwrap().to_owned())
    };
    done.iter().map(code).collect()
}

#[test]
fn second_price_auction_between_two_processes() {
    let [first, second] = meet(&side(0), &side(1));
    let (first, second) = (document(&first), document(&second));
    let expected = json!({"winner": 5, "price": 100});
    for (report, role) in [(&first, "garbler"), (&second, "evaluator")] {
        assert_eq!(report["schema"], "quil.compute.result/1");
        assert_eq!(
            (&report["role"], &report["output"]),
            (&json!(role), &expected)
        );
        assert_eq!(report["and"], 1101);
        assert!(report["seconds"].as_f64() > Some(0.0));
    }
    for name in ["transcript", "code_id"] {
        assert_eq!(first[name], second[name], "{name}");
    }
}

#[test]
fn keys_inputs_and_circuits_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("key"), format!("{KEY}\n")).unwrap();
    std::fs::write(path("bids"), BIDS[1]).unwrap();
    let circuit = path("auction.qclc");
    let compiled = quil(&["compile", &example("auction.qcl"), "-o", &circuit]);
    assert!(compiled.status.success());
    let evaluator = Side {
        program: circuit,
        input: format!("@{}", path("bids")),
        key: format!("@{}", path("key")),
    };
    let [first, second] = meet(&side(0), &evaluator);
    assert_eq!(document(&first)["output"], document(&second)["output"]);
}

#[test]
fn people_see_where_it_stands_and_the_result() {
    let address = free();
    let second = side(1).start(EVALUATE, &address, &[]);
    let first = side(0)
        .start(GARBLE, &address, &[])
        .wait_with_output()
        .unwrap();
    let second = second.wait_with_output().unwrap();
    for (done, word) in [(&first, "listening on"), (&second, "connected to")] {
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains(word), "{}", text(&done.stderr));
        assert!(
            text(&done.stdout).contains(r#"{"price":100,"winner":5}"#),
            "{}",
            text(&done.stdout)
        );
        assert!(!text(&done.stderr).contains(KEY) && !text(&done.stdout).contains(KEY));
    }
}

#[test]
fn another_key_ends_both() {
    let evaluator = Side {
        key: KEY.replace("00", "ff"),
        ..side(1)
    };
    let codes = codes(&meet(&side(0), &evaluator));
    assert!(
        codes.contains(&(6, "compute.key_differs".to_owned())),
        "{codes:?}"
    );
    let closed = (1, "compute.connection".to_owned());
    assert!(
        codes.iter().all(|code| code.0 == 6 || *code == closed),
        "{codes:?}"
    );
}

#[test]
fn another_program_ends_both() {
    let garbler = Side {
        program: example("median.qcl"),
        input: "[1, 2, 3, 4, 5, 6, 7, 8]".to_owned(),
        ..side(0)
    };
    let codes = codes(&meet(&garbler, &side(1)));
    assert!(
        codes.contains(&(1, "compute.program".to_owned())),
        "{codes:?}"
    );
}

#[test]
fn absent_peers_are_awaited_for_a_bounded_time() {
    let (address, wait) = (free(), ["-o", "json", "--wait", "300ms"]);
    let begin = Instant::now();
    let alone = side(1)
        .start(EVALUATE, &address, &wait)
        .wait_with_output()
        .unwrap();
    assert_eq!(failure(&alone).0, 8);
    assert_eq!(failure(&alone).1["code"], "compute.unreachable");
    let alone = side(0)
        .start(GARBLE, &address, &wait)
        .wait_with_output()
        .unwrap();
    assert_eq!(failure(&alone).0, 5);
    assert_eq!(failure(&alone).1["code"], "compute.no_peer");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn mistakes_are_found_before_anybody_is_awaited() {
    let address = free();
    let run = |side: Side, address: &str| {
        let done = side
            .start(GARBLE, address, &["-o", "json"])
            .wait_with_output();
        let (exit, error) = failure(&done.unwrap());
        (exit, error["code"].as_str().unwrap().to_owned())
    };
    let wrong = |code: &str| (2, format!("compute.{code}"));
    let key = Side {
        key: "12".to_owned(),
        ..side(0)
    };
    assert_eq!(run(key, &address), wrong("key"));
    let key = Side {
        key: "@/nowhere".to_owned(),
        ..side(0)
    };
    assert_eq!(run(key, &address), (7, "compute.key".to_owned()));
    for bad in ["[1, 2", "[1, 2, 3, 4, 5]", "\"text\""] {
        let input = Side {
            input: bad.to_owned(),
            ..side(0)
        };
        assert_eq!(run(input, &address), wrong("input"), "{bad}");
    }
    assert_eq!(run(side(0), "nonsense"), wrong("address"));
    let program = Side {
        program: "/nowhere.qcl".to_owned(),
        ..side(0)
    };
    assert_eq!(run(program, &address), (7, "file.io".to_owned()));
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

/// A program that keeps both parties busy for long.
fn long(folder: &tempfile::TempDir) -> String {
    let file = folder.path().join("long.qcl");
    let source = "package main\n\nfunc mix(a, b uint64) uint64 {\n    return a*b + 1\n}\n\nfunc main(garbler, evaluator uint64) uint64 {\n    x := garbler\n    for i := range 100000 {\n        x = mix(x, evaluator)\n    }\n    return x\n}\n";
    std::fs::write(&file, source).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn interrupt_ends_both_with_a_word() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let run = |index: usize| Side {
        program: long(&folder),
        input: "3".to_owned(),
        ..side(index)
    };
    let address = free();
    let mut garbler = run(0).start(GARBLE, &address, &[]);
    let evaluator = run(1).start(EVALUATE, &address, &["-o", "json"]);
    // The first line of progress shows that tables flow.
    let mut seen = BufReader::new(garbler.stderr.take().unwrap()).lines();
    let progress = seen.find(|line| line.as_ref().is_ok_and(|l| l.contains("AND gates")));
    let progress = progress.unwrap().unwrap();
    assert!(
        progress.contains("garbled") && progress.contains("M/s"),
        "{progress}"
    );
    let begin = Instant::now();
    interrupt(&garbler);
    let last = seen.map_while(Result::ok).last();
    assert_eq!(garbler.wait().unwrap().code(), Some(130));
    assert!(last.unwrap().contains("stopped"));
    let (exit, error) = failure(&evaluator.wait_with_output().unwrap());
    assert_eq!(exit, 1);
    let word = error["code"].as_str().unwrap();
    assert!(
        ["compute.cancelled", "compute.connection"].contains(&word),
        "{error}"
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn interrupt_while_waiting_ends_at_once() {
    use std::io::{BufRead as _, BufReader};
    let address = free();
    let mut garbler = side(0).start(GARBLE, &address, &[]);
    let mut lines = BufReader::new(garbler.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("listening"));
    interrupt(&garbler);
    let done: Value = json!(garbler.wait().unwrap().code());
    assert_eq!(done, 130);
}
