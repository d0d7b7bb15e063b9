//! A node whose disk takes no more: it stops with a message, and goes on where it was when there is room again.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use quil_devnet::network::{Devnet, ORPHAN_GRACE};
use quil_devnet::process::{ProcessId, wait_ended};
use quil_devnet::ready::{Api, Ask as _};
use quil_devnet::{Choice, DevnetError, Program};
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// For a start with a check of the genesis, or for the next growth of a file, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Files of a process may not grow beyond so many bytes from now on.
fn limit_files(process: &ProcessId, bytes: u64) {
    let pid = Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
    let limit = Rlimit {
        current: Some(bytes),
        maximum: None,
    };
    rustix::process::prlimit(Some(pid), Resource::Fsize, limit).unwrap();
}

fn quil() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_quil"))
}

/// Highest final frames (global, shard) that the node tells, until it is gone.
async fn told_until_gone(net: &Devnet) -> (u64, u64) {
    let node = &net.record().nodes[0];
    let mut told = (0, 0);
    for _ in 0..PATIENCE.as_millis() / 50 {
        if let Some(now) = Api.standing(node.api()).await {
            told = (told.0.max(now.global), told.1.max(now.shard().unwrap_or(0)));
        }
        if !node.is_alive() {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the node runs although its files are at their limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_ends_a_node_with_its_cause_and_loses_nothing_final() {
    let dir = tempfile::tempdir().unwrap();
    let choice = Choice {
        nodes: Some(1),
        frame_time: Some("200ms".parse().unwrap()),
        ..Choice::default()
    };
    let mut net = Devnet::open(dir.path(), &choice, Program::new(quil().into())).unwrap();
    net.start().unwrap();
    net.wait_ready(&Api, (2, 2), PATIENCE).await.unwrap();
    let node = net.record().nodes[0].clone();
    let home = dir.path().join(&node.name);

    let state = home.join("store/master/state.redb");
    let size = std::fs::metadata(state).unwrap().len();
    limit_files(node.process.as_ref().unwrap(), size);
    let told = told_until_gone(&net).await;
    let died = net.wait_ready(&Api, (u64::MAX, 0), PATIENCE).await;
    let Err(DevnetError::Died { how, tail, .. }) = died else {
        panic!("{died:?}");
    };
    assert!(how.contains("74"), "{how}\n{tail}");
    for part in [
        "a durable write failed",
        "no space left",
        "File too large",
        "nothing final is lost",
        "start again",
        "code=74",
    ] {
        assert!(tail.contains(part), "`{part}` is missing in:\n{tail}");
    }
    let left = wait_ended(&node.workers, ORPHAN_GRACE);
    assert!(left.is_empty(), "workers of a dead master: {left:?}");

    net.start_node(0).unwrap();
    let again = net
        .wait_ready(&Api, (told.0, told.1), PATIENCE)
        .await
        .unwrap();
    assert!(
        again[0].global >= told.0,
        "{} < {}",
        again[0].global,
        told.0
    );
    let goal = (told.0 + 2, told.1 + 2);
    net.wait_ready(&Api, goal, PATIENCE).await.unwrap();
    net.stop().unwrap();

    a_log_that_takes_nothing_is_no_fault(&home, node.api()).await;
}

/// The log is on the full disk as well, most likely.
async fn a_log_that_takes_nothing_is_no_fault(home: &Path, api: std::net::SocketAddr) {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut node = Command::new(quil())
        .args(["node", "run", "--home"])
        .arg(home)
        .stderr(full)
        .spawn()
        .unwrap();
    let process = ProcessId::of(node.id()).unwrap();
    let mut ready = false;
    for _ in 0..PATIENCE.as_millis() / 100 {
        ready = Api.standing(api).await.is_some_and(|s| s.ready);
        if ready || !process.is_alive() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let pid = Pid::from_raw(i32::try_from(node.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let ended = node.wait().unwrap();
    assert!(ready && ended.success(), "{ended}");
}
