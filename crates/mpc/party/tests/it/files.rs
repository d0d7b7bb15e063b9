//! Programs, circuits and inputs in files.

use std::fs;
use std::path::PathBuf;

use quil_client::Failure;
use quil_party::{
    Compilation, Emit, LocalRun, PartyError, Program, Sizes, Stop, compile, local, silent,
};
use serde_json::{Value, json};

use super::{example, json};

fn compilation(file: PathBuf) -> Compilation {
    Compilation {
        file,
        sizes: Sizes::default(),
        out: None,
        emit: None,
        stats: true,
    }
}

fn run(file: PathBuf, garbler: &str, evaluator: &str) -> Result<Value, PartyError> {
    let run = LocalRun {
        file,
        sizes: Sizes::default(),
        garbler: garbler.to_owned().into(),
        evaluator: evaluator.to_owned().into(),
    };
    local(&run, &Stop::new(), &silent).map(|document| json(&document))
}

const BIDS: [&str; 2] = ["[100, 7, 30, 2]", "[90, 120, 1, 4]"];

#[test]
fn every_form_of_a_program_gives_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![example("auction.qcl")];
    for (name, emit) in [("a.qclc", None), ("a.txt", Some(Emit::Bristol))] {
        let what = Compilation {
            out: Some(folder.path().join(name)),
            emit,
            ..compilation(example("auction.qcl"))
        };
        assert!(compile(&what, &silent).unwrap().listing.is_none());
        files.extend(what.out);
    }
    let expected = json!({"winner": 5, "price": 100});
    let [source, circuit, text] = files.try_into().unwrap();
    for file in [source, circuit] {
        let report = run(file, BIDS[0], BIDS[1]).unwrap();
        assert_eq!(
            (&report["garbler"], &report["evaluator"]),
            (&expected, &expected)
        );
        assert_eq!(
            (&report["schema"], &report["and"]),
            (&json!("quil.compute.local/1"), &json!(1101))
        );
    }
    // Bristol Fashion knows numbers only: lists are joined, the first in the lowest bits.
    let packed = |bids: [u128; 4]| {
        let number = bids.iter().rev().fold(0, |sum, bid| (sum << 32) | bid);
        format!("\"{number}\"")
    };
    let report = run(text, &packed([100, 7, 30, 2]), &packed([90, 120, 1, 4])).unwrap();
    let values: Vec<&Value> = report["evaluator"].as_object().unwrap().values().collect();
    assert_eq!(values, [5, 100]);
}

#[test]
fn circuit_file_has_the_identity_of_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("m");
    let what = Compilation {
        out: Some(out.clone()),
        ..compilation(example("millionaires.qcl"))
    };
    let first = json(&compile(&what, &silent).unwrap().report);
    let second = json(&compile(&compilation(out.clone()), &silent).unwrap().report);
    for name in ["code_id", "and", "depth", "bytes", "garbler", "outputs"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    assert_eq!(first["bytes"], fs::metadata(&out).unwrap().len());
    let words = Compilation {
        emit: Some(Emit::Ir),
        ..compilation(out)
    };
    let error = compile(&words, &silent).unwrap_err();
    assert!(matches!(error, PartyError::NoWords { .. }), "{error}");
}

#[test]
fn open_types_take_their_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("open.qcl");
    let source = "package main\nfunc main(garbler []byte, evaluator uint) (int32, bool) {\n    return int32(len(garbler)), int32(garbler[0]) == int32(evaluator)\n}\n";
    fs::write(&file, source).unwrap();
    let mut run = LocalRun {
        file,
        sizes: Sizes::default(),
        garbler: "\"hex:050607\"".to_owned().into(),
        evaluator: "5".to_owned().into(),
    };
    assert!(matches!(
        local(&run, &Stop::new(), &silent),
        Err(PartyError::Source(_))
    ));
    run.sizes = Sizes {
        garbler: vec![3],
        evaluator: vec![16],
    };
    let report = json(&local(&run, &Stop::new(), &silent).unwrap());
    assert_eq!(report["evaluator"], json!({"r0": 3, "r1": true}));
}

#[test]
fn inputs_can_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bids.json");
    fs::write(&file, BIDS[0]).unwrap();
    let named = format!("@{}", file.display());
    let report = run(example("auction.qcl"), &named, BIDS[1]).unwrap();
    assert_eq!(report["garbler"]["price"], 100);
    let missing = run(example("auction.qcl"), "@/nowhere/at-all", BIDS[1]).unwrap_err();
    assert_eq!(Failure::from(missing).exit_code(), 7);
}

#[test]
fn wrong_inputs_are_named_with_their_place() {
    let auction = || example("auction.qcl");
    let cases = [
        ("[1, 2", "the garbler's input is not JSON"),
        (
            "[1, 2, 3]",
            "the garbler's input: expected 4 elements, found 3",
        ),
        (
            "[1, 2, 3, -1]",
            "the garbler's input[3]: -1 does not fit uint32",
        ),
        (
            "[1, 2, 3, true]",
            "the garbler's input[3]: expected an integer",
        ),
    ];
    for (text, expected) in cases {
        let error = run(auction(), text, BIDS[1]).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(Failure::from(error).exit_code(), 2);
    }
    let error = run(auction(), BIDS[0], "{}").unwrap_err();
    assert!(
        error.to_string().contains("the evaluator's input"),
        "{error}"
    );
}

#[test]
fn wrong_files_are_refused_by_what_they_claim_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 6] = [
        ("a.qclc", b"QCLC\x01\x02", "compute.circuit"),
        ("b", b"crc\0\0\0", "compute.circuit"),
        ("c.txt", b"3 5\n1 1\n", "compute.circuit"),
        ("d", b"\xff\xfe\x00", "file.io"),
        (
            "e.qcl",
            b"package main\nfunc main(a, b uint8) bool { return a > c }\n",
            "compute.source",
        ),
        ("f.qcl", b"3 5\n1 1\n", "compute.source"),
    ];
    for (name, bytes, code) in cases {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = Program::read(&file, &Sizes::default(), &silent).unwrap_err();
        assert_eq!(Failure::from(error).code, code, "{name}");
    }
    let error = Program::read(&folder.path().join("none"), &Sizes::default(), &silent);
    assert_eq!(Failure::from(error.unwrap_err()).exit_code(), 7);
    let error = Program::read(folder.path(), &Sizes::default(), &silent).unwrap_err();
    assert_eq!(Failure::from(error).code, "file.io");
}

#[test]
fn refused_programs_point_at_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.qcl");
    fs::write(
        &file,
        "package main\nfunc main(a, b uint8) bool { return a > c }\n",
    )
    .unwrap();
    let error = Program::read(&file, &Sizes::default(), &silent).unwrap_err();
    assert!(error.to_string().contains("bad.qcl:2:"), "{error}");
    let failure = Failure::from(error).render(quil_client::Output::Json);
    let failure: Value = serde_json::from_str(&failure).unwrap();
    assert_eq!(
        (&failure["code"], &failure["diagnostics"][0]["line"]),
        (&json!("compute.source"), &json!(2))
    );
}

#[test]
fn circuits_of_one_party_do_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.qcl");
    fs::write(
        &file,
        "package main\nfunc main(a uint8) uint8 { return a + 1 }\n",
    )
    .unwrap();
    let report = json(&compile(&compilation(file.clone()), &silent).unwrap().report);
    assert_eq!(
        (&report["garbler"], &report["evaluator"]),
        (&json!("byte"), &Value::Null)
    );
    let error = run(file, "1", "2").unwrap_err();
    assert!(matches!(error, PartyError::Plan(_)), "{error}");
}

#[test]
fn listings_show_words_and_gates() {
    let listing = |emit| {
        let what = Compilation {
            emit: Some(emit),
            ..compilation(example("millionaires.qcl"))
        };
        compile(&what, &silent).unwrap().listing.unwrap()
    };
    assert!(listing(Emit::Ssa).lines().count() >= listing(Emit::Ir).lines().count());
    assert!(listing(Emit::Ir).contains("main"));
    let bristol = listing(Emit::Bristol);
    let ands = bristol
        .lines()
        .filter(|line| line.ends_with(" AND"))
        .count();
    assert_eq!(ands, 127);
}
