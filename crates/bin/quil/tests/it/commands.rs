//! The binary as people run it.

use std::path::Path;
use std::process::{Command, Output};

fn quil(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quil"));
    command
        .args(arguments)
        .env("QUIL_HOME", home)
        .env("QUIL_PASSPHRASE", "correct horse")
        .output()
        .expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn results_go_to_stdout_as_one_document_with_a_schema() {
    let home = tempfile::tempdir().unwrap();
    let made = quil(home.path(), &["key", "new", "alice", "-o", "json"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        (made["schema"].as_str(), made["alias"].as_str()),
        (Some("quil.key/1"), Some("alice"))
    );
    assert!(made["identity"].as_str().unwrap().starts_with("qacc1"));
    let list = quil(home.path(), &["key", "ls"]);
    assert!(text(&list.stdout).contains("alice") && list.stderr.is_empty());
}

#[test]
fn errors_go_to_stderr_with_their_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let missing = quil(home.path(), &["key", "export", "nobody", "-o", "json"]);
    assert_eq!(missing.status.code(), Some(7));
    assert!(missing.stdout.is_empty());
    let error: serde_json::Value = serde_json::from_slice(&missing.stderr).unwrap();
    assert_eq!(
        (error["schema"].as_str(), error["code"].as_str()),
        (Some("quil.error/1"), Some("key.unknown"))
    );
    assert_eq!(
        quil(home.path(), &["key", "frobnicate"]).status.code(),
        Some(2)
    );
}

#[test]
fn ceremony_runs_from_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("srs.bin");
    let file = file.to_str().unwrap();
    assert!(
        quil(home.path(), &["key", "new", "p", "--kind", "prover"])
            .status
            .success()
    );
    let seed = "ab".repeat(32);
    let network = ["--name", "net", "--seed", seed.as_str()];
    assert!(
        quil(
            home.path(),
            &[&["ceremony", "init", file][..], &network].concat()
        )
        .status
        .success()
    );
    let contribute = quil(
        home.path(),
        &[
            &["ceremony", "contribute", file, "--key", "p"][..],
            &network,
        ]
        .concat(),
    );
    assert!(contribute.status.success(), "{}", text(&contribute.stderr));
    assert!(
        quil(
            home.path(),
            &[&["ceremony", "verify", file][..], &network].concat()
        )
        .status
        .success()
    );
    let other = [
        "ceremony",
        "verify",
        file,
        "--name",
        "other",
        "--seed",
        seed.as_str(),
    ];
    assert_eq!(quil(home.path(), &other).status.code(), Some(1));
}
