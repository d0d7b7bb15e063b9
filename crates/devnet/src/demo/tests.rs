use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;
use std::time::Duration;

use quil_client::Output;
use serde_json::{Value, json};

use super::report::Facts;
use super::*;

#[test]
fn flipped_answer_is_still_well_formed_and_differs_in_one_bit_of_its_proof() {
    let answer = br#"{"global_number":7,"proof":"ab12cdef34ab","schema":"quil.proof/1"}"#;
    let (flipped, position) = flip_digit(answer).unwrap();
    let different: Vec<_> = (0..answer.len())
        .filter(|i| answer[*i] != flipped[*i])
        .collect();
    assert_eq!(different, [position]);
    assert_eq!(answer[position] ^ flipped[position], 1);
    let value: Value = serde_json::from_slice(&flipped).unwrap();
    assert_eq!(value["proof"], "ab12cdef24ab");
    assert_eq!(value["global_number"], 7);
    let none: [&[u8]; 4] = [b"", b"{}", br#"{"proof":"abc"#, br#"{"proof":"abcdef"}"#];
    for answer in none {
        assert!(flip_digit(answer).is_none());
    }
}

#[test]
fn report_has_every_step_with_its_time() {
    let said = Mutex::new(Vec::new());
    let say = |s: &StepDone| said.lock().unwrap().push(s.render());
    let mut steps = Steps::new(&say);
    steps.done(
        "genesis",
        Facts::new("made".to_owned()).with("squarings", 9),
    );
    steps.done("start", Facts::new("eight processes".to_owned()));
    let failure = steps.failed("mint", &Unheld("refused".to_owned()), None);
    assert_eq!(failure.to_string(), "step 3 (mint) does not hold: refused");
    let report = steps.finish();
    let lines = said.into_inner().unwrap();
    assert!(lines[0].starts_with(" 1  genesis") && lines[0].ends_with(" s  made"));
    assert!(lines[1].starts_with(" 2  start"));
    let json: Value = serde_json::from_str(&report.render(Output::Json)).unwrap();
    assert_eq!(
        (&json["schema"], &json["ok"]),
        (&json!("quil.demo/1"), &json!(true))
    );
    assert_eq!(json["steps"][0]["squarings"], 9);
    assert_eq!(json["steps"][1]["name"], "start");
    assert!(json["steps"][1]["seconds"].is_number());
    assert!(
        report
            .render(Output::Human)
            .starts_with("all 2 steps held in")
    );
}

/// A node that writes a line and waits; it never answers.
fn silent(dir: &Path) -> Program {
    let path = dir.join("node");
    fs::write(&path, "#!/bin/sh\necho started $*\nexec sleep 600\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    Program::new(path)
}

fn options(dir: &Path, program: Program) -> DemoOptions {
    let time = "500ms".parse().unwrap();
    DemoOptions {
        program,
        plan: DevnetPlan::new(2, 1, time).unwrap(),
        dir: Some(dir.join("stage")),
    }
}

fn masters(dir: &Path) -> Vec<crate::process::ProcessId> {
    let record = crate::record::Record::load(dir).unwrap().unwrap();
    record.nodes.into_iter().filter_map(|n| n.process).collect()
}

#[tokio::test]
async fn interrupted_demonstration_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path(), silent(dir.path()));
    let stage = options.dir.clone().unwrap();
    let say = |_: &StepDone| {};
    let mut running = Box::pin(demo(&options, &say));
    let early = tokio::time::timeout(Duration::from_millis(500), &mut running).await;
    assert!(early.is_err(), "it waits for nodes that never answer");
    let processes = masters(&stage);
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|p| p.is_alive()));
    drop(running);
    assert!(processes.iter().all(|p| !p.is_alive()));
    assert!(!stage.exists());
}

#[tokio::test]
async fn folder_with_something_in_it_is_neither_used_nor_removed() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path(), silent(dir.path()));
    let stage = options.dir.clone().unwrap();
    fs::create_dir(&stage).unwrap();
    fs::write(stage.join("devnet.json"), b"{}").unwrap();
    let failed = demo(&options, &|_: &StepDone| {}).await.unwrap_err();
    assert_eq!((failed.number, failed.kept.clone()), (1, None));
    assert!(failed.why.ends_with("not empty"), "{}", failed.why);
    assert_eq!(fs::read(stage.join("devnet.json")).unwrap(), b"{}");
}

#[tokio::test]
async fn failed_step_is_named_and_its_logs_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node");
    fs::write(&path, "#!/bin/sh\necho no such store\nexit 3\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let options = options(dir.path(), Program::new(path));
    let said = Mutex::new(Vec::new());
    let say = |s: &StepDone| said.lock().unwrap().push(s.name);
    let failed = demo(&options, &say).await.unwrap_err();
    assert_eq!((failed.number, failed.name), (2, "start"));
    assert!(failed.why.contains("no such store"), "{}", failed.why);
    assert_eq!(said.into_inner().unwrap(), ["genesis"]);
    let kept = failed.kept.unwrap();
    let log = fs::read_to_string(kept.join("n0").join(crate::LOG)).unwrap();
    assert!(log.contains("no such store"));
}
