//! Networks of real processes, as people run them.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use quil_devnet::process::{ProcessId, wait_ended};
use serde_json::Value;

/// A folder whose network is stopped when the test ends, however it ends.
pub(crate) struct Net {
    dir: tempfile::TempDir,
}

impl Net {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn folder(&self) -> &Path {
        self.dir.path()
    }

    fn quil(&self, command: &str, more: &[&str]) -> Output {
        let dir = self.folder().join("net");
        Command::new(env!("CARGO_BIN_EXE_quil"))
            .args(["devnet", command, "-o", "json", "--dir"])
            .arg(dir)
            .args(more)
            .env("QUIL_HOME", self.folder())
            .env("QUIL_PASSPHRASE", "not that of a node")
            .output()
            .expect("runs")
    }

    pub(crate) fn document(&self, command: &str, more: &[&str]) -> Value {
        let done = self.quil(command, more);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "devnet {command}: {errors}");
        serde_json::from_slice(&done.stdout).expect("one document")
    }

    pub(crate) fn failure(&self, command: &str, more: &[&str]) -> (i32, String) {
        let done = self.quil(command, more);
        assert!(done.stdout.is_empty());
        let error: Value = serde_json::from_slice(&done.stderr).expect("one document");
        assert_eq!(error["schema"], "quil.error/1");
        let code = error["code"].as_str().unwrap().to_owned();
        (done.status.code().unwrap(), code)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.quil("down", &[]);
    }
}

pub(crate) const SMALL: [&str; 4] = ["--nodes", "1", "--frame-time", "500ms"];

fn process(value: &Value) -> ProcessId {
    let pid = u32::try_from(value.as_u64().expect("a process id")).unwrap();
    ProcessId::of(pid).expect("runs")
}

/// The master and the worker of the only node.
fn processes(document: &Value) -> [ProcessId; 2] {
    let node = &document["nodes"][0];
    [process(&node["pid"]), process(&node["workers"][0])]
}

#[test]
fn network_keeps_running_and_continues_where_it_was_stopped() {
    let net = Net::new();
    assert_eq!(net.failure("status", &[]), (7, "devnet.missing".to_owned()));
    let up = net.document("up", &SMALL);
    assert_eq!(
        (&up["schema"], &up["state"]),
        (&"quil.devnet/1".into(), &"running".into())
    );
    let running = processes(&up);
    let node = &up["nodes"][0];
    for name in ["home", "log"] {
        assert!(Path::new(node[name].as_str().unwrap()).exists(), "{name}");
    }
    assert!(node["ports"]["rpc"].as_u64().is_some_and(|p| p > 0));
    assert!(node["global_frame"].as_u64() >= Some(1) && node["shard_frame"].as_u64() >= Some(1));

    let refused = net.failure("up", &SMALL);
    assert_eq!(refused, (1, "devnet.running".to_owned()));
    let status = net.document("status", &[]);
    assert_eq!(status["state"], "running");
    let accounts = net.document("accounts", &[]);
    let names: Vec<_> = accounts["accounts"].as_array().unwrap().iter().collect();
    assert_eq!(names[0]["alias"], "faucet");
    assert!(names[1]["address"].as_str().unwrap().starts_with("qacc1"));

    let down = net.document("down", &[]);
    assert_eq!(down["nodes"][0]["result"], "stopped");
    assert!(running.iter().all(|p| !p.is_alive()));
    assert_eq!(net.document("status", &[])["state"], "stopped");
    let again = net.document("down", &[]);
    assert_eq!(again["nodes"][0]["result"], "was not running");

    let before = status["nodes"][0]["global_frame"].as_u64().unwrap();
    let continued = net.document("up", &[]);
    assert_eq!(continued["genesis"], up["genesis"]);
    assert!(continued["nodes"][0]["global_frame"].as_u64().unwrap() >= before);
}

#[test]
fn killed_master_leaves_no_orphans() {
    let net = Net::new();
    let [master, worker] = processes(&net.document("up", &SMALL));
    master.kill();
    let start = Instant::now();
    let left = wait_ended(&[master, worker], Duration::from_secs(5));
    assert!(left.is_empty(), "{left:?} after {:?}", start.elapsed());
    assert_eq!(net.document("status", &[])["state"], "stopped");
    let down = net.document("down", &[]);
    assert_eq!(down["nodes"][0]["result"], "was not running");
}

#[test]
fn wrong_plans_are_refused_before_anything_is_made() {
    let net = Net::new();
    let none = net.failure("up", &["--nodes", "0"]);
    assert_eq!(none, (2, "devnet.plan".to_owned()));
    let text = net.quil("up", &["--frame-time", "soon"]);
    assert_eq!(text.status.code(), Some(2));
    assert!(!net.folder().join("net").exists());
    std::fs::create_dir(net.folder().join("net")).unwrap();
    std::fs::write(net.folder().join("net/mine"), b"").unwrap();
    let foreign = net.failure("up", &SMALL);
    assert_eq!(foreign, (1, "devnet.foreign".to_owned()));
}
