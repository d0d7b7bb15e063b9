//! A child process writes numbered batches; the parent kills it at random moments and compares with the model.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use quil_store::{SafetyFile, StateFile, StateOptions};
use quil_types::Chain;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model;

/// Directory the child works in; its presence makes `child_process` do something.
const DIR: &str = "QUIL_STORE_CRASH_DIR";
/// Kills per run of the test. Default 20; raise it for a long run.
const KILLS: &str = "QUIL_STORE_CRASH_KILLS";
/// Seed of the moments.
const SEED: &str = "QUIL_STORE_CRASH_SEED";

const CHAIN: &Chain = &Chain::Global;

/// Not a test by itself: the program that is killed.
#[test]
fn child_process() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let dir = Path::new(&dir);
    let state = StateFile::open(&dir.join("state"), StateOptions::new(1)).unwrap();
    let safety = SafetyFile::open(&dir.join("safety")).unwrap();
    let mut out = std::io::stdout().lock();
    // The test harness begins a line of its own; the first acknowledgement must not stand at its end.
    writeln!(out).unwrap();
    let mut say = |word: &str, n: u64| {
        writeln!(out, "{word} {n}").unwrap();
        out.flush().unwrap();
    };
    // As a voter does: the candidate is durable, then the safety record, then the vote leaves.
    for n in model::cursor(&state) + 1.. {
        model::commit(&state, n).unwrap();
        say("state", n);
        safety.put(CHAIN, &(n, vec![7_u8; 100])).unwrap();
        say("safety", n);
    }
}

fn spawn(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child_process",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Numbers the child acknowledged.
#[derive(Clone, Copy, Debug, Default)]
struct Acked {
    state: u64,
    safety: u64,
}

impl Acked {
    /// Takes a line of the child, which may be cut off by the kill or come from the test harness.
    fn read(&mut self, line: &str) -> bool {
        let Some((word, number)) = line.strip_suffix('\n').and_then(|l| l.split_once(' ')) else {
            return false;
        };
        let Ok(number) = number.parse() else {
            return false;
        };
        match word {
            "state" => self.state = number,
            "safety" => self.safety = number,
            _ => return false,
        }
        true
    }
}

/// Lets the child acknowledge `after` steps, waits a moment shorter than a commit, kills it and reads what it had said.
fn run_and_kill(dir: &Path, after: u64, jitter: Duration, acked: &mut Acked) {
    let mut child = spawn(dir);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    let mut seen = 0;
    while seen < after {
        line.clear();
        assert!(
            lines.read_line(&mut line).unwrap() > 0,
            "the child ended by itself"
        );
        seen += u64::from(acked.read(&line));
    }
    let until = Instant::now() + jitter;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    loop {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            break;
        }
        acked.read(&line);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_after_kill() {
    let number =
        |name, default| std::env::var(name).map_or(default, |v: String| v.parse().unwrap());
    let (kills, seed) = (
        number(KILLS, 20_u64),
        number(SEED, u64::from(std::process::id())),
    );
    println!("{SEED}={seed} {KILLS}={kills}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut acked = Acked::default();
    for round in 0..kills {
        // Every fifth kill comes early: during start, creation or recovery.
        let after = if round % 5 == 0 {
            0
        } else {
            1 + rng.next_u64() % 12
        };
        let jitter =
            Duration::from_micros(rng.next_u64() % if after == 0 { 20_000 } else { 3_000 });
        run_and_kill(dir.path(), after, jitter, &mut acked);

        let state = StateFile::open(&dir.path().join("state"), StateOptions::new(1)).unwrap();
        let found = model::check(&state, acked.state);
        let safety = SafetyFile::open(&dir.path().join("safety")).unwrap();
        let record = safety.get::<(u64, Vec<u8>)>(CHAIN).unwrap();
        let signed = record.map_or(0, |(n, rest)| {
            assert_eq!(rest, [7; 100]);
            n
        });
        assert!(
            (acked.safety..=acked.safety + 1).contains(&signed),
            "{acked:?}, signed {signed}"
        );
        assert!(signed <= found, "a vote for a candidate that is not there");
        // The next child goes on behind the batch that was in flight.
        acked = Acked {
            state: found,
            safety: signed.max(acked.safety),
        };
        if signed < found {
            safety.put(CHAIN, &(found, vec![7_u8; 100])).unwrap();
            acked.safety = found;
        }
    }
    assert!(
        kills < 20 || acked.state > 20,
        "the children did some work: {acked:?}"
    );
}
