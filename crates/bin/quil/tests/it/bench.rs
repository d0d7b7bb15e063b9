//! `quil bench` as people run it. The figures of a test build mean nothing; that they are there does.

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quil"))
        .arg("bench")
        .args(arguments)
        .output()
        .expect("runs")
}

fn document(arguments: &[&str]) -> Value {
    let done = bench(arguments);
    assert!(done.status.success() && done.stderr.is_empty());
    let document: Value = serde_json::from_slice(&done.stdout).expect("one document");
    assert_eq!(document["schema"], "quil.bench/1");
    for name in ["cpu", "simd"] {
        assert!(document[name].is_string(), "{name}");
    }
    document
}

fn ids(document: &Value) -> Vec<&str> {
    let rows = document["rows"].as_array().expect("rows").iter();
    rows.map(|row| row["id"].as_str().expect("an id")).collect()
}

#[test]
fn rows_have_figure_unit_samples_and_spread() {
    let report = document(&["crypto", "--only", "decaf.", "-o", "json"]);
    assert_eq!(
        ids(&report),
        [
            "decaf.mul_fixed",
            "decaf.mul",
            "decaf.decode",
            "decaf.encode"
        ]
    );
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["unit"], "s");
        let [low, value, high] = ["p10", "value", "p90"].map(|name| row[name].as_f64().unwrap());
        assert!(0.0 < low && low <= value && value <= high, "{row}");
        assert!(row["samples"].as_u64() >= Some(1), "{row}");
    }
}

#[test]
fn rows_that_read_tables_tell_their_size() {
    let report = document(&["crypto", "--only", "kzg.update", "--smoke", "-o", "json"]);
    assert_eq!(ids(&report), ["kzg.update_slot"]);
    assert!(report["rows"][0]["table_bytes"].as_u64() > Some(1_000_000));
}

#[test]
fn sizes_of_circuits_are_rows_of_the_same_form() {
    let report = document(&["mpc", "--only", "circuit.", "-o", "json"]);
    assert_eq!(ids(&report).len(), 6);
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(
            (&row["unit"], &row["samples"]),
            (&"gates".into(), &1.into())
        );
    }
}

#[test]
fn people_see_progress_targets_and_states() {
    let done = bench(&["crypto", "--only", "fp.", "--smoke"]);
    assert!(done.status.success());
    let progress = String::from_utf8(done.stderr).unwrap();
    assert!(progress.contains("1 of 4: fp.mul"), "{progress}");
    let table = String::from_utf8(done.stdout).unwrap();
    let head = table.lines().find(|line| line.starts_with("ID"));
    let columns: Vec<&str> = head.unwrap().split_whitespace().collect();
    let expected = [
        "ID", "FIGURE", "TARGET", "STATE", "P10", "P90", "SAMPLES", "TABLES",
    ];
    assert_eq!(columns, expected);
    let row = table
        .lines()
        .find(|line| line.starts_with("fp.mul "))
        .unwrap();
    assert!(
        row.contains("57.0 ns") && (row.contains("met") || row.contains("missed")),
        "{row}"
    );
}

#[test]
fn unknown_rows_are_refused_with_the_known_ones() {
    let done = bench(&["crypto", "--only", "nothing", "-o", "json"]);
    assert_eq!(done.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&done.stderr).unwrap();
    assert_eq!(error["code"], "bench.no_row");
    assert_eq!(error["ids"].as_array().unwrap().len(), 48);
}
