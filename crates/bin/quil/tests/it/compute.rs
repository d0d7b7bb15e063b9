//! Two-party computation as people run it: real processes.

mod examples;
mod guide;
mod processes;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

pub(super) fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    let path: PathBuf = root.unwrap().join("examples/qcl").join(name);
    path.to_str().unwrap().to_owned()
}

pub(super) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quil"));
    command.arg("compute").args(arguments);
    command
}

pub(super) fn quil(arguments: &[&str]) -> Output {
    command(arguments).output().expect("runs")
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

pub(super) fn document(done: &Output) -> Value {
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("one document")
}

/// Exit code and document of a failure.
pub(super) fn failure(done: &Output) -> (i32, Value) {
    assert!(done.stdout.is_empty(), "{}", text(&done.stdout));
    let error: Value = serde_json::from_slice(&done.stderr)
        .unwrap_or_else(|e| panic!("{e}: {}", text(&done.stderr)));
    assert_eq!(error["schema"], "quil.error/1");
    assert!(!error["hint"].as_str().unwrap().is_empty());
    (done.status.code().unwrap(), error)
}

#[test]
fn figures_of_the_examples_are_the_documented_ones() {
    let golden = [
        ("millionaires.qcl", 127),
        ("auction.qcl", 1_101),
        ("intersection.qcl", 13_533),
        ("median.qcl", 3_392),
        ("aes.qcl", 6_400),
        ("preimage.qcl", 21_874),
        ("tree.qcl", 841),
        ("regression.qcl", 14_591),
    ];
    for (name, ands) in golden {
        let done = quil(&["compile", &example(name), "--stats", "--output", "json"]);
        let report = document(&done);
        assert_eq!(report["schema"], "quil.circuit/1");
        assert_eq!(report["and"], ands, "{name}");
        for figure in ["xor", "depth", "live_wires", "bytes"] {
            assert!(report[figure].as_u64() > Some(0), "{name}: {figure}");
        }
        assert_eq!(report["table_bytes"], ands * 32);
        assert_eq!(report["code_id"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn compile_shows_what_a_circuit_takes_and_gives() {
    let done = quil(&["compile", &example("aes.qcl")]);
    assert!(done.status.success() && done.stderr.is_empty());
    let shown = text(&done.stdout);
    for line in [
        "garbler    [16]byte",
        "evaluator  struct { Share [16]byte; Block [16]byte }",
        "OUTPUT      TYPE      TO",
        "ciphertext  [16]byte  evaluator",
    ] {
        assert!(shown.lines().any(|l| l == line), "{line}: {shown}");
    }
    assert!(!shown.contains("depth"));
}

#[test]
fn letter_o_of_compile_is_the_file_and_never_a_format() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.qclc");
    let out = out.to_str().unwrap();
    let auction = example("auction.qcl");
    let written = document(&quil(&["compile", &auction, "-o", out, "--output", "json"]));
    assert_eq!(written["written"], out);
    let again = document(&quil(&["compile", out, "--stats", "--output", "json"]));
    assert_eq!(again["code_id"], written["code_id"]);
    assert_eq!(again["bytes"], std::fs::metadata(out).unwrap().len());

    let taken = quil(&["compile", &auction, "-o", "json"]);
    assert_eq!(taken.status.code(), Some(2));
    assert!(text(&taken.stderr).contains("--output json"));
    assert!(!Path::new("json").exists());
    // Before the command, -o is the format as everywhere.
    let done = Command::new(env!("CARGO_BIN_EXE_quil"))
        .args(["-o", "json", "compute", "compile", &auction])
        .output()
        .unwrap();
    assert_eq!(document(&done)["schema"], "quil.circuit/1");
}

#[test]
fn listings_go_to_stdout_or_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let millionaires = example("millionaires.qcl");
    let shown = quil(&["compile", &millionaires, "--emit", "bristol", "--stats"]);
    let (listing, figures) = (text(&shown.stdout), text(&shown.stderr));
    let ands = listing.lines().filter(|l| l.ends_with(" AND")).count();
    assert_eq!(ands, 127);
    assert!(figures.contains("live_wires"));

    for emit in ["ssa", "ir", "bristol"] {
        let out = folder.path().join(emit);
        let out = out.to_str().unwrap();
        let done = quil(&["compile", &millionaires, "--emit", emit, "-o", out]);
        assert!(done.status.success());
        let shown = quil(&["compile", &millionaires, "--emit", emit]);
        let file = std::fs::read_to_string(out).unwrap();
        assert_eq!(text(&shown.stdout).trim_end(), file.trim_end(), "{emit}");
        let json = document(&quil(&[
            "compile",
            &millionaires,
            "--emit",
            emit,
            "--output",
            "json",
        ]));
        assert_eq!(json["listing"], file, "{emit}");
    }
    let ir = text(&quil(&["compile", &millionaires, "--emit", "ir"]).stdout);
    assert!(ir.contains("main"), "{ir}");
}

#[test]
fn refused_programs_show_line_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.qcl");
    std::fs::write(
        &file,
        "package main\nfunc main(a, b uint8) uint8 {\n    return a + c\n}\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let shown = quil(&["compile", file]);
    assert_eq!(shown.status.code(), Some(1));
    let error = text(&shown.stderr);
    assert!(error.contains("bad.qcl:3:16: unknown name `c`"), "{error}");
    let (exit, error) = failure(&quil(&[
        "local",
        file,
        "--garbler",
        "1",
        "--evaluator",
        "2",
        "-o",
        "json",
    ]));
    assert_eq!((exit, &error["code"]), (1, &json!("compute.source")));
    assert_eq!(error["diagnostics"][0]["line"], 3);
}

#[test]
fn unknown_files_and_wrong_inputs_have_their_exit_codes() {
    let (exit, error) = failure(&quil(&["compile", "/nowhere.qcl", "--output", "json"]));
    assert_eq!((exit, &error["code"]), (7, &json!("file.io")));
    let auction = example("auction.qcl");
    for (input, code) in [
        ("[1, 2", 2),
        ("[1, 2, 3]", 2),
        ("{}", 2),
        ("@/nowhere.json", 7),
    ] {
        let local = [
            "local",
            &auction,
            "--garbler",
            input,
            "--evaluator",
            "[1,2,3,4]",
            "-o",
            "json",
        ];
        assert_eq!(failure(&quil(&local)).0, code, "{input}");
    }
}
