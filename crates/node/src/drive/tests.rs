use std::sync::mpsc::Sender;

use quil_engine::io::{Class, Event, GossipToken};
use quil_store::{MemStore, SafetyFile, StateFile, StateOptions, Store};
use quil_types::{Chain, PeerKey};

use super::*;
use crate::fixture;
use crate::persist::STATE_SCHEMA;

/// An output, or whether the end was asked for.
type Seen = Result<Output, bool>;

struct Probe(Sender<Seen>);

impl Outside for Probe {
    fn carry_out(&mut self, output: Output) {
        let _ = self.0.send(Ok(output));
    }

    fn stopped(&mut self, reason: &Stop) {
        let _ = self.0.send(Err(matches!(reason, Stop::Asked)));
    }
}

struct Running {
    handle: EngineHandle,
    seen: Receiver<Seen>,
    join: thread::JoinHandle<()>,
}

fn start(files: Files) -> Running {
    let scheme = BlsScheme::new();
    let engine = fixture::master().start(scheme.clone(), &files).unwrap();
    let (send, seen) = std::sync::mpsc::channel();
    let driver = Driver {
        engine,
        network: fixture::network(),
        scheme: Arc::new(scheme),
        files,
        threads: JobThreads::start().unwrap(),
        outside: Box::new(Probe(send)),
    };
    let (handle, join) = spawn(driver).unwrap();
    Running { handle, seen, join }
}

impl Running {
    /// Waits for the next final frame.
    fn next_final(&self) -> u64 {
        loop {
            match self
                .seen
                .recv_timeout(Duration::from_secs(60))
                .expect("a final frame")
            {
                Ok(Output::Event(Event::Final { header, .. })) => {
                    return header.number.get();
                }
                Ok(_) => {}
                Err(_) => panic!("stopped"),
            }
        }
    }

    fn stop(self) {
        self.handle.stop();
        self.join.join().unwrap();
        assert!(self.seen.iter().any(|s| matches!(s, Err(true))));
        assert!(matches!(
            self.handle.offer(Input::Deadline),
            Err(OfferError::Ended)
        ));
    }
}

#[test]
fn lone_prover_finalises_and_continues_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let state: Arc<dyn Store> = Arc::new(
            StateFile::open(
                &dir.path().join("state.redb"),
                StateOptions::new(STATE_SCHEMA),
            )
            .unwrap(),
        );
        let safety = SafetyFile::open(&dir.path().join("safety.redb")).unwrap();
        Files::new(state, safety, Chain::Global)
    };
    let running = start(open());
    let first = running.next_final();
    running.stop();

    let files = open();
    assert!(
        files
            .safety_record()
            .unwrap()
            .is_some_and(|r| !r.is_empty()),
        "votes are on record"
    );
    let running = start(files);
    assert!(running.next_final() > first);
    running.stop();
}

#[test]
fn every_gossip_message_gets_a_verdict() {
    let safety = SafetyFile::over(Box::new(MemStore::new()));
    let running = start(Files::new(Arc::new(MemStore::new()), safety, Chain::Global));
    let input = Input::Gossip {
        token: GossipToken(7),
        from: PeerKey([3; 32]),
        class: Class::Consensus(Chain::Global),
        data: vec![0xff; 10],
    };
    running.handle.offer(input).unwrap();
    let verdict = running.seen.iter().find_map(|s| match s {
        Ok(Output::Verdict {
            token: GossipToken(7),
            verdict,
        }) => Some(verdict),
        _ => None,
    });
    assert_eq!(verdict, Some(quil_engine::io::Verdict::Reject));
    running.stop();
}
