//! A full disk and failed writes under the real engine thread: whatever write fails, nothing that depends on it is said,
//! and what was said to be final is there after a restart.

#![allow(
    clippy::unwrap_in_result,
    reason = "only what the store and the boot say is a result; anything else stops the test"
)]

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};

use quil_engine::io::{Class, Event};
use quil_engine::queries;
use quil_hotstuff::{SAFETY_RECORD_BYTES_MAX, SafetyRecord};
use quil_store::test_support::{FaultStore, StoreFault};
use quil_store::{EXIT_STORAGE, MemStore, SafetyFile, Store, StoreError, View, WriteBatch};
use quil_types::limits::PROPOSAL_BYTES_MAX;
use quil_types::{
    Canonical as _, Chain, ConsensusMessage, Envelope, Epoch, FrameId, FrameNumber, Rank, Vote,
};

use super::*;
use crate::boot::BootError;
use crate::fixture;

/// Writes that are made to fail, one in each run: the genesis, then those of some frames.
const WRITES: u64 = 12;
/// A network of one finds its next final frame within this time, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the engine thread did, in its order.
enum Seen {
    Vote(Epoch, Rank, FrameId),
    Final(FrameNumber, FrameId),
    Other,
    WriteFailed,
    Stopped { text: String, exit_code: u8 },
}

/// Both files of a process on one disk that fails, and the disk itself.
struct Disk {
    failing: FaultStore<MemStore>,
    content: MemStore,
}

/// Tells when a write failed, between the outputs before and after it.
#[derive(Debug)]
struct Told<S>(S, Sender<Seen>);

impl<S: Store> Store for Told<S> {
    fn view(&self) -> Result<Box<dyn View>, StoreError> {
        self.0.view()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let done = self.0.commit(batch);
        if done.is_err() {
            self.1.send(Seen::WriteFailed).unwrap();
        }
        done
    }
}

impl Disk {
    fn new() -> Self {
        let content = MemStore::new();
        Self {
            failing: FaultStore::new(content.clone()),
            content,
        }
    }

    fn files(&self, tell: &Sender<Seen>) -> Files {
        let store = || Told(self.failing.clone(), tell.clone());
        let safety = SafetyFile::over(Box::new(store()));
        Files::new(Arc::new(store()), safety, Chain::Global)
    }

    /// As the next process finds it.
    fn restarted(self) -> Self {
        Self {
            failing: self.failing.reopen(),
            content: self.content,
        }
    }
}

/// Compares every vote with the disk at the moment when it leaves.
struct Probe {
    disk: Files,
    tell: Sender<Seen>,
}

impl Probe {
    /// C4: candidate and safety record are durable before the vote leaves.
    fn check(&self, vote: &Vote) {
        let reader = self.disk.reader().unwrap();
        let candidates = queries::candidates(&reader, 1024).unwrap();
        let held = candidates.iter().any(|p| p.header.id() == vote.id)
            || (0..20)
                .map_while(|n| queries::frame(&reader, FrameNumber::new(n)).unwrap())
                .any(|f| f.header.id() == vote.id);
        assert!(held, "a vote left before its frame was durable");
        let record = self.disk.safety_record().unwrap().unwrap();
        let record = SafetyRecord::decode(&record, SAFETY_RECORD_BYTES_MAX).unwrap();
        let voted = record.last_voted.map(|(rank, _)| (record.epoch, rank));
        assert!(
            voted >= Some((vote.epoch, vote.rank)),
            "a vote left before its record"
        );
    }

    fn seen(&self, output: &Output) -> Seen {
        match output {
            Output::Event(Event::Final { header, .. }) => Seen::Final(header.number, header.id()),
            Output::Publish {
                class: Class::Consensus(_),
                data,
            } => {
                let envelope = Envelope::decode(data, PROPOSAL_BYTES_MAX).unwrap();
                let vote = match envelope.payload {
                    ConsensusMessage::Vote(vote) => vote,
                    ConsensusMessage::Proposal(proposal) => proposal.vote,
                    _ => return Seen::Other,
                };
                self.check(&vote);
                Seen::Vote(vote.epoch, vote.rank, vote.id)
            }
            _ => Seen::Other,
        }
    }
}

impl Outside for Probe {
    fn carry_out(&mut self, output: Output) {
        let _ended = self.tell.send(self.seen(&output));
    }

    fn stopped(&mut self, reason: &Stop) {
        let _ended = self.tell.send(Seen::Stopped {
            text: reason.to_string(),
            exit_code: reason.exit_code(),
        });
    }
}

/// A run of an engine over a disk: what it did until it ended.
fn run(disk: &Disk, until: impl Fn(&Seen) -> bool) -> Result<Vec<Seen>, BootError> {
    let (tell, seen) = channel();
    let files = disk.files(&tell);
    let scheme = BlsScheme::new();
    let engine = fixture::master().start(scheme.clone(), &files)?;
    let content = SafetyFile::over(Box::new(disk.content.clone()));
    let probe = Probe {
        disk: Files::new(Arc::new(disk.content.clone()), content, Chain::Global),
        tell,
    };
    let driver = Driver {
        engine,
        network: fixture::network(),
        scheme: Arc::new(scheme),
        files,
        threads: JobThreads::start().unwrap(),
        outside: Box::new(probe),
    };
    let (handle, join) = spawn(driver).unwrap();
    let mut all = Vec::new();
    while let Ok(next) = seen.recv_timeout(PATIENCE) {
        if until(&next) {
            handle.stop();
        }
        all.push(next);
    }
    join.join().expect("the engine thread does not panic");
    Ok(all)
}

/// Frames and votes that a run showed to others.
#[derive(Default)]
struct Said {
    finals: BTreeMap<FrameNumber, FrameId>,
    votes: BTreeMap<(Epoch, Rank), FrameId>,
}

impl Said {
    fn take(&mut self, seen: &[Seen]) {
        for one in seen {
            match one {
                Seen::Final(number, id) => {
                    let first = *self.finals.entry(*number).or_insert(*id);
                    assert_eq!(first, *id, "two final frames {number}");
                }
                Seen::Vote(epoch, rank, id) => {
                    let first = *self.votes.entry((*epoch, *rank)).or_insert(*id);
                    assert_eq!(first, *id, "two votes at {epoch} {rank}");
                }
                _ => {}
            }
        }
    }

    fn last(&self) -> FrameNumber {
        self.finals.keys().next_back().copied().unwrap_or_default()
    }
}

/// The n-th write fails; the process stops; the next one has everything and goes on.
fn write_fails(n: u64, fault: StoreFault) {
    let disk = Disk::new();
    disk.failing.fail_after(n, fault);
    let mut said = Said::default();
    match run(&disk, |_| false) {
        Err(BootError::Store(e)) => assert_eq!(e.exit_code(), EXIT_STORAGE),
        Err(other) => panic!("write {n}: {other}"),
        Ok(seen) => {
            let failed = seen.iter().position(|s| matches!(s, Seen::WriteFailed));
            let rest = &seen[failed.expect("the write fails") + 1..];
            let [Seen::Stopped { text, exit_code }] = rest else {
                panic!("write {n}: {} outputs after the failed write", rest.len());
            };
            assert_eq!(*exit_code, EXIT_STORAGE);
            assert!(
                text.contains("nothing final is lost") && text.contains("start again"),
                "{text}"
            );
            let cause = match fault {
                StoreFault::DiskFull => "no space left",
                _ => "flush failed",
            };
            assert!(text.contains(cause), "{text}");
            said.take(&seen);
        }
    }
    assert_eq!(disk.failing.commits(), n, "writes before the failed one");
    let silent = said.votes.is_empty() || said.finals.is_empty();
    assert!(
        n < WRITES - 1 || !silent,
        "the last writes are those of running frames"
    );

    let disk = disk.restarted();
    let last = said.last();
    let seen = run(
        &disk,
        |s| matches!(s, Seen::Final(number, _) if *number > last),
    )
    .unwrap();
    assert!(matches!(
        seen.last(),
        Some(Seen::Stopped { exit_code: 0, .. })
    ));
    said.take(&seen);
    assert!(said.last() > last);
    let reader = disk.files(&channel().0).reader().unwrap();
    for (number, id) in &said.finals {
        let kept = queries::frame(&reader, *number)
            .unwrap()
            .expect("a final frame");
        assert_eq!(kept.header.id(), *id, "final frame {number}");
    }
}

/// Every write under one fault, at the same time: they wait for clocks, not for the processor.
fn every_write_fails(fault: StoreFault) {
    fixture::network();
    thread::scope(|scope| {
        for n in 0..WRITES {
            scope.spawn(move || write_fails(n, fault));
        }
    });
}

#[test]
fn full_disk_stops_the_process_and_loses_no_final_frame() {
    every_write_fails(StoreFault::DiskFull);
}

#[test]
fn failed_flush_of_a_lost_batch_loses_no_final_frame() {
    every_write_fails(StoreFault::SyncFailedLost);
}

#[test]
fn failed_flush_of_a_kept_batch_contradicts_no_vote() {
    every_write_fails(StoreFault::SyncFailedApplied);
}
