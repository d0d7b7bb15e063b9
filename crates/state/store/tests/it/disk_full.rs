//! A real file that may not grow: the child runs under a file size limit set on itself.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use quil_store::{StateFile, StateOptions, Store, StoreError, TableDef};

use crate::model;

const DIR: &str = "QUIL_STORE_LIMIT_DIR";
const BIG: TableDef = TableDef::new("big", 8, 1 << 20);

/// Not a test by itself: the program that runs into the limit.
#[test]
fn child_process() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let path = Path::new(&dir).join("state");
    let store = StateFile::open(&path, StateOptions::new(1)).unwrap();
    let limit = store.size_bytes().unwrap() + 200_000;
    let limits = rustix::process::Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limits).unwrap();
    let mut out = std::io::stdout().lock();
    for n in 1..1000 {
        let mut batch = model::batch(n);
        batch
            .put(&BIG, n.to_be_bytes().to_vec(), vec![5; 200_000])
            .unwrap();
        match store.commit(&batch) {
            Ok(()) => writeln!(out, "acked {n}").unwrap(),
            Err(e) => {
                let space = matches!(e, StoreError::NoSpace { .. });
                let next = store.commit(&model::batch(n));
                let poisoned = matches!(next, Err(StoreError::Poisoned { .. }));
                writeln!(out, "failed {space} {poisoned} {e}").unwrap();
                break;
            }
        }
    }
}

#[test]
fn file_size_limit_gives_a_clear_error_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // A shell ignores the signal for us (ignored signals stay ignored over exec); the write then returns EFBIG.
    let out = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; exec \"$0\" --exact disk_full::child_process --nocapture",
        ])
        .arg(std::env::current_exe().unwrap())
        .env(DIR, dir.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{:?} {text}", out.status);
    let acked = text
        .lines()
        .filter_map(|l| l.strip_prefix("acked "))
        .filter_map(|n| n.parse().ok())
        .max();
    let acked: u64 = acked.unwrap_or(0);
    let failure = text
        .lines()
        .find_map(|l| l.strip_prefix("failed "))
        .expect("the child met the limit");
    assert!(
        failure.starts_with("true true no space left while trying to commit a batch"),
        "{failure}"
    );
    let store = StateFile::open(&dir.path().join("state"), StateOptions::new(1)).unwrap();
    let found = model::check(&store, acked);
    model::commit(&store, found + 1).unwrap();
}
