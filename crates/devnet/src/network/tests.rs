use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use super::*;
use crate::plan::FrameTime;
use crate::ready::WorkerStanding;

/// A program in the place of a node: a shell script.
struct Script {
    dir: tempfile::TempDir,
}

/// Ends when asked to, and then its child.
const OBEDIENT: &str = "sleep 600 & trap 'kill $!; exit 0' TERM; wait";
/// Ignores what it is asked, and its child as well.
const STUBBORN: &str = "trap '' TERM; sleep 600 & while true; do wait; done";
/// Cannot start.
const BROKEN: &str = "echo 'cannot open the store'; exit 7";

impl Script {
    fn new(body: &str) -> (Self, Program) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        (Self { dir }, Program::new(path))
    }

    fn net(&self) -> PathBuf {
        self.dir.path().join("net")
    }
}

fn one() -> Choice {
    Choice {
        nodes: Some(1),
        workers: Some(1),
        frame_time: Some(FrameTime::from_millis(500).unwrap()),
    }
}

fn children(net: &Devnet) -> Vec<ProcessId> {
    let start = Instant::now();
    loop {
        let live = net.record().nodes[0].live_workers();
        if !live.is_empty() || start.elapsed() > Duration::from_secs(5) {
            return live;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Answers whatever it was told to.
#[derive(Default)]
struct Told(Mutex<BTreeMap<SocketAddr, Standing>>);

impl Told {
    fn tell(&self, api: SocketAddr, standing: Standing) {
        self.0.lock().unwrap().insert(api, standing);
    }
}

impl Ask for Told {
    async fn standing(&self, api: SocketAddr) -> Option<Standing> {
        self.0.lock().unwrap().get(&api).cloned()
    }
}

#[test]
fn drop_stops_every_process_and_the_folder_can_be_continued() {
    let (script, program) = Script::new(OBEDIENT);
    let mut net = Devnet::open(&script.net(), &one(), program.clone()).unwrap();
    net.start().unwrap();
    let master = net.record().nodes[0].process.clone().unwrap();
    let workers = children(&net);
    assert_eq!(workers.len(), 1);
    let genesis = net.record().genesis.clone();
    let busy = Devnet::open(&script.net(), &one(), program.clone()).unwrap_err();
    assert!(matches!(busy, DevnetError::Busy(_)), "{busy}");
    drop(net);
    assert!(!master.is_alive() && !workers[0].is_alive());
    let record = Record::load(&script.net()).unwrap().unwrap();
    assert!(!record.is_alive());
    let again = Devnet::open(&script.net(), &Choice::default(), program).unwrap();
    assert_eq!(again.record().genesis, genesis, "the same network");
}

#[test]
fn kept_network_is_stopped_from_elsewhere_once() {
    let (script, program) = Script::new(OBEDIENT);
    let mut net = Devnet::open(&script.net(), &one(), program.clone()).unwrap();
    net.start().unwrap();
    let workers = children(&net);
    let record = net.keep();
    assert!(record.is_alive());
    let running = Devnet::open(&script.net(), &one(), program).unwrap_err();
    assert!(matches!(running, DevnetError::Running(_)), "{running}");
    let fates = down(&script.net()).unwrap();
    assert_eq!(fates, [("n0".to_owned(), Stopped::InOrder)]);
    assert!(!record.is_alive() && !workers[0].is_alive());
    let again = down(&script.net()).unwrap();
    assert_eq!(again, [("n0".to_owned(), Stopped::NotRunning)]);
}

#[test]
fn killed_master_leaves_workers_to_themselves() {
    let (script, program) = Script::new(OBEDIENT);
    let mut net = Devnet::open(&script.net(), &one(), program).unwrap();
    net.start().unwrap();
    let before = children(&net);
    let workers = net.kill_master(0).unwrap();
    assert_eq!(workers, before);
    assert!(workers[0].is_alive(), "a shell's child is not told");
    assert!(!net.record().is_alive());
    let fates = net.stop().unwrap();
    assert_eq!(fates, [("n0".to_owned(), Stopped::InOrder)]);
    assert!(
        !workers[0].is_alive(),
        "what is left of it is stopped as well"
    );
}

#[test]
fn contradicting_choice_and_foreign_folder_are_refused() {
    let (script, program) = Script::new(OBEDIENT);
    let open = |choice: &Choice| Devnet::open(&script.net(), choice, program.clone());
    drop(open(&one()).unwrap());
    let other = Choice {
        nodes: Some(2),
        ..Choice::default()
    };
    let differs = open(&other).unwrap_err();
    assert!(
        differs.to_string().contains("--nodes is 1, not 2"),
        "{differs}"
    );
    let foreign = Devnet::open(script.dir.path(), &one(), program.clone()).unwrap_err();
    assert!(matches!(foreign, DevnetError::Foreign(_)), "{foreign}");
    let none = Choice {
        nodes: Some(0),
        ..Choice::default()
    };
    let nowhere = script.dir.path().join("nowhere");
    let refused = Devnet::open(&nowhere, &none, program).unwrap_err();
    assert!(matches!(refused, DevnetError::Plan(_)), "{refused}");
    assert!(!nowhere.exists(), "nothing is made for it");
    assert!(matches!(down(&nowhere), Err(DevnetError::Missing(_))));
}

#[tokio::test]
async fn process_that_cannot_start_is_told_with_its_last_words() {
    let (script, program) = Script::new(BROKEN);
    let mut net = Devnet::open(&script.net(), &one(), program).unwrap();
    net.start().unwrap();
    let limit = Duration::from_secs(5);
    let died = net.wait_ready(&Told::default(), (1, 1), limit).await;
    let text = died.unwrap_err().to_string();
    assert!(text.contains("n0") && text.contains('7'), "{text}");
    assert!(text.contains("cannot open the store"), "{text}");
}

#[tokio::test]
async fn readiness_waits_for_both_chains_and_notes_the_workers() {
    let (script, program) = Script::new(OBEDIENT);
    let mut net = Devnet::open(&script.net(), &one(), program).unwrap();
    net.start().unwrap();
    let worker = children(&net).remove(0);
    let api = net.record().nodes[0].api();
    let told = Told::default();
    let standing = |height| Standing {
        ready: true,
        global: 3,
        workers: vec![WorkerStanding {
            core: 1,
            pid: Some(worker.pid),
            height: Some(height),
            ..WorkerStanding::default()
        }],
        ..Standing::default()
    };
    told.tell(api, standing(0));
    let limit = Duration::from_millis(200);
    let early = net.wait_ready(&told, (1, 1), limit).await.unwrap_err();
    assert!(
        early
            .to_string()
            .contains("n0: global frame 3 (head 0, rank 0), shard frame 0")
    );
    told.tell(api, standing(1));
    let ready = net.wait_ready(&told, (1, 1), limit).await.unwrap();
    assert_eq!(ready, [standing(1)]);
    let record = Record::load(net.dir()).unwrap().unwrap();
    assert_eq!(record.nodes[0].workers, [worker]);
}

#[test]
fn port_taken_by_another_program_is_named() {
    let (script, program) = Script::new(OBEDIENT);
    let mut net = Devnet::open(&script.net(), &one(), program).unwrap();
    let port = net.record().nodes[0].p2p[1];
    let _other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let refused = net.start().unwrap_err();
    assert!(
        matches!(refused, DevnetError::PortTaken(p) if p == port),
        "{refused}"
    );
}

#[test]
fn stubborn_processes_are_killed() {
    let (script, program) = Script::new(STUBBORN);
    let mut net = Devnet::open(&script.net(), &one(), program).unwrap();
    net.start().unwrap();
    let master = net.record().nodes[0].process.clone().unwrap();
    let workers = children(&net);
    let fates = stop_within(&mut net.record, &net.dir, Duration::from_millis(300)).unwrap();
    assert_eq!(fates, [("n0".to_owned(), Stopped::Killed)]);
    assert!(!master.is_alive() && !workers[0].is_alive());
}
