use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use quil_execution::state::{Overlay, RecordKey, StateFault, StateView as _, WriteSet};
use quil_trie::{Key, SourceError, verify};
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, Pacing, TokenGenesis, native_domain,
};
use quil_types::{Bounded, Bytes, Domain, Genesis, Sorted, Text, Timestamp};

use super::*;
use crate::io::Write;
use crate::ledger::HISTORY_MAX;
use crate::recover::kept_state;
use crate::tables::Table;

const SHARD: ShardAddr = ShardAddr([8; 32]);
const CHAIN: Chain = Chain::Shard(SHARD);

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

#[derive(Default)]
struct Disk {
    rows: Mutex<Rows>,
    broken: AtomicBool,
}

impl Disk {
    fn apply(&self, writes: Vec<Write>) {
        let mut rows = self.rows.lock().unwrap();
        for w in writes {
            match w.value {
                Some(value) => rows.insert((w.table, w.key), value),
                None => rows.remove(&(w.table, w.key)),
            };
        }
    }

    fn count(&self, table: Table) -> usize {
        let rows = self.rows.lock().unwrap();
        rows.keys().filter(|(t, _)| *t == table).count()
    }

    fn bytes(&self) -> usize {
        let rows = self.rows.lock().unwrap();
        rows.iter().map(|((_, k), v)| k.len() + v.len()).sum()
    }
}

impl StateSource for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(SourceError("read failed".to_owned()));
        }
        let rows = self.rows.lock().map_err(|e| SourceError(e.to_string()))?;
        Ok(rows.get(&(table, key.to_vec())).cloned())
    }
}

fn network() -> Network {
    let genesis = Genesis {
        version: 1,
        binding: NetworkBinding {
            name: Text::new("test").unwrap(),
            seed: [1; 32],
        },
        devnet: true,
        time: Timestamp::new(1),
        pacing: Pacing {
            min_spacing_ms: 1000,
            target_ms: 1000,
            difficulty: Difficulty::Fixed(100),
            discriminant_bits: 128,
        },
        epoch_frames: 100,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: 250_000,
            anchor_age: 8,
        },
        lifecycle: Lifecycle {
            shard_stall: 2,
            weak_subjectivity: 10,
            validity: 100,
        },
        srs: Bytes::new(),
        committee: Bounded::new(),
        shards: Bounded::new(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: [0; 56],
            fee_per_byte: 2,
        },
        upgrades: Sorted::try_from(vec![]).unwrap(),
    };
    Network::unchecked(genesis, quil_kzg::Kzg::insecure_shared())
}

fn key(n: u32) -> RecordKey {
    RecordKey {
        domain: Domain([8; 32]),
        data: quil_types::hash::h_bytes(quil_types::tags::FRAME, &n.to_le_bytes()),
    }
}

/// A chain over a disk.
struct Chained {
    network: Network,
    disk: Arc<Disk>,
    state: ChainState,
    number: u64,
}

impl Chained {
    fn new() -> Self {
        let disk = Arc::new(Disk::default());
        let source: Arc<dyn StateSource> = disk.clone();
        Self {
            network: network(),
            state: ChainState::empty(CHAIN).stored_in(FrameNumber::ZERO, source),
            disk,
            number: 0,
        }
    }

    fn writes(&self, change: impl FnOnce(&mut Overlay<&ChainState>)) -> WriteSet {
        let mut overlay = Overlay::new(&self.state);
        change(&mut overlay);
        overlay.into_writes()
    }

    /// One frame: committed, not yet on disk.
    fn make(&mut self, change: impl FnOnce(&mut Overlay<&ChainState>)) -> Commit {
        self.number += 1;
        let effects = Effects {
            writes: self.writes(change),
            ..Effects::default()
        };
        let number = FrameNumber::new(self.number);
        let (state, commit) = self.state.apply(&self.network, number, &effects).unwrap();
        self.state = state;
        commit
    }

    fn seal(&self, commit: Commit) {
        let number = commit.number;
        self.disk.apply(commit.into_writes());
        self.state.note_durable(number);
    }

    fn step(&mut self, change: impl FnOnce(&mut Overlay<&ChainState>)) {
        let commit = self.make(change);
        self.seal(commit);
    }

    fn source(&self) -> Arc<dyn StateSource> {
        self.disk.clone()
    }

    fn kept(&self, number: u64) -> Option<ChainState> {
        kept_state(CHAIN, FrameNumber::new(number), &self.source()).unwrap()
    }

    /// Starts again from the disk.
    fn restart(&mut self) {
        self.state = self.kept(self.number).unwrap();
    }
}

/// Puts new values into `n` records, which frame numbers choose among 64.
fn turn(number: u64, n: u32) -> impl FnOnce(&mut Overlay<&ChainState>) {
    move |o| {
        for i in 0..n {
            let k = u32::try_from(number).unwrap().wrapping_mul(7 + i) % 64;
            let content = (number, i).0.to_le_bytes().to_vec();
            o.put(key(k), content).unwrap();
        }
    }
}

fn kept_frames() -> u64 {
    u64::try_from(HISTORY_MAX).unwrap()
}

#[test]
fn store_holds_the_kept_states_and_nothing_else() {
    let mut c = Chained::new();
    let mut sizes = Vec::new();
    for number in 1..=2 * kept_frames() {
        c.step(turn(number, 3));
        if number % kept_frames() == 0 {
            sizes.push((c.disk.count(Table::Nodes), c.disk.bytes()));
        }
    }
    // The live state has 64 records all the time: what is stored does not grow once the window is full.
    assert!(sizes[1].0 <= sizes[0].0 + 64, "{sizes:?}");
    assert!(sizes[1].1 <= sizes[0].1 + sizes[0].1 / 4, "{sizes:?}");
    assert_eq!(c.disk.count(Table::Roots), HISTORY_MAX);
    // Linear: the live nodes, and for each kept frame at most the branches on the ways to its three records.
    let live = c.kept(c.number).unwrap();
    live.recommit(&c.network).unwrap();
    let bound = live.loaded_nodes() + HISTORY_MAX * 3 * 3;
    assert!(sizes[1].0 <= bound, "{} of {bound}", sizes[1].0);
    // Every node and value that is stored is read by a kept state: pruning leaves nothing behind.
    let records = c.disk.count(Table::Records);
    assert!(records <= 64 + HISTORY_MAX * 3, "{records}");
    assert!(c.disk.count(Table::Obsolete) <= HISTORY_MAX);
}

#[test]
fn kept_history_is_complete_and_provable_and_older_states_are_gone() {
    let mut c = Chained::new();
    let frames = kept_frames() + 40;
    let mut roots = Vec::new();
    for number in 1..=frames {
        c.step(turn(number, 2));
        roots.push(c.state.roots());
    }
    let oldest = frames - kept_frames() + 1;
    assert!(c.kept(oldest - 1).is_none());
    for number in [oldest, oldest + 1, oldest + 60, frames] {
        let state = c.kept(number).unwrap();
        assert_eq!(state.roots(), roots[usize::try_from(number).unwrap() - 1]);
        state.recommit(&c.network).unwrap();
        // The record that this frame wrote last has this frame's value, whatever came later.
        let k = key(u32::try_from(number).unwrap().wrapping_mul(8) % 64);
        let entry = state.read(&k).unwrap().unwrap();
        assert_eq!(entry.content, number.to_le_bytes());
        let trie = state.trie(Phase::VertexAdds);
        let place = Key(k.to_bytes());
        let (expect, proof) = trie.prove(c.network.kzg(), &place).unwrap();
        let verifier = c.network.kzg().verifier();
        verify(verifier, &trie.root(), trie.set(), &place, expect, &proof).unwrap();
    }
}

#[test]
fn pruning_goes_on_after_restarts_and_a_lost_batch() {
    let (mut c, mut calm) = (Chained::new(), Chained::new());
    for number in 1..=kept_frames() + 30 {
        calm.step(turn(number, 2));
        if number % 37 == 0 {
            // The process ends between the commit and its batch: the frame is executed again from the disk.
            let _lost = c.make(turn(number, 2));
            c.number -= 1;
            c.restart();
        }
        c.step(turn(number, 2));
        if number % 23 == 0 {
            c.restart();
        }
    }
    assert_eq!(c.state.roots(), calm.state.roots());
    assert_eq!(
        *c.disk.rows.lock().unwrap(),
        *calm.disk.rows.lock().unwrap(),
        "the same rows, whatever was lost on the way"
    );
    c.restart();
    c.state.recommit(&c.network).unwrap();
}

#[test]
fn value_that_came_back_is_not_pruned() {
    let mut c = Chained::new();
    let put = |content: &'static [u8]| {
        move |o: &mut Overlay<&ChainState>| o.put(key(1), content.to_vec()).unwrap()
    };
    c.step(put(b"a"));
    for _ in 0..kept_frames() + 5 {
        c.step(put(b"b"));
    }
    c.step(put(b"a"));
    for _ in 0..kept_frames() + 5 {
        c.step(|_| ());
    }
    c.restart();
    assert_eq!(c.state.read(&key(1)).unwrap().unwrap().content, b"a");
    assert_eq!(c.disk.count(Table::Records), 1);
    assert_eq!(c.disk.count(Table::Obsolete), 0);
}

#[test]
fn memory_holds_a_bounded_number_of_nodes_and_everything_stays_readable() {
    const LIMIT: usize = 40;
    let mut c = Chained::new();
    let stored = Stored::new(c.source(), FrameNumber::ZERO).limited(LIMIT);
    c.state = ChainState::empty(CHAIN).over(Arc::new(stored));
    let mut waiting = Vec::new();
    let (frames, each) = (300, 4);
    let (mut most, mut made) = (0, 0);
    for frame in 0..frames {
        let commit = c.make(|o| {
            for i in 0..each {
                o.insert(key(frame * each + i), vec![1; 40]).unwrap();
            }
        });
        made = made.max(commit.nodes.iter().map(|b| b.writes.len()).sum());
        // Batches become durable two frames late, as those of speculative frames do.
        waiting.push(commit);
        if waiting.len() > 2 {
            let done = waiting.remove(0);
            c.seal(done);
        }
        most = most.max(c.state.loaded_nodes());
    }
    waiting.into_iter().for_each(|w| c.seal(w));
    let all = c.kept(c.number).unwrap();
    all.recommit(&c.network).unwrap();
    // What a frame makes and reads comes on top, and so does what is not durable for some frames.
    let bound = LIMIT + 13 * made;
    assert!(
        all.loaded_nodes() > bound,
        "{} of {bound}",
        all.loaded_nodes()
    );
    assert!(most <= bound, "{most} of {bound}");
    assert_eq!(c.state.roots(), all.roots());
    for n in (0..frames * each).step_by(97) {
        assert_eq!(c.state.read(&key(n)).unwrap().unwrap().content, [1; 40]);
    }
}

#[test]
fn archived_state_keeps_nothing_in_memory() {
    let mut c = Chained::new();
    for number in 1..=10 {
        c.step(turn(number, 3));
    }
    let archived = c.state.archived();
    assert!(c.state.loaded_nodes() > 0);
    assert_eq!(archived.loaded_nodes(), 0);
    assert_eq!(archived.roots(), c.state.roots());
    for k in 0..64 {
        assert_eq!(
            archived.read(&key(k)).unwrap(),
            c.state.read(&key(k)).unwrap()
        );
    }
}

#[test]
fn failing_disk_is_an_error_and_never_an_absent_record() {
    let mut c = Chained::new();
    for number in 1..=10 {
        c.step(turn(number, 3));
    }
    c.restart();
    c.disk.broken.store(true, Ordering::Relaxed);
    assert_eq!(c.state.read(&key(0)), Err(StateFault::Unavailable));
    c.disk.broken.store(false, Ordering::Relaxed);
    let writes = c.writes(turn(11, 3));
    c.restart();
    c.disk.broken.store(true, Ordering::Relaxed);
    let effects = Effects {
        writes,
        ..Effects::default()
    };
    let number = FrameNumber::new(11);
    assert!(c.state.apply(&c.network, number, &effects).is_err());
    assert!(c.state.audit(&c.network, [0; 32], 1).is_err());
    assert!(kept_state(CHAIN, FrameNumber::new(10), &c.source()).is_err());
    // The list of what may be deleted is not taken for empty either.
    let later = FrameNumber::new(kept_frames() + 1);
    let nothing = Effects::default();
    assert!(c.state.apply(&c.network, later, &nothing).is_err());
    c.disk.broken.store(false, Ordering::Relaxed);
    assert!(c.state.apply(&c.network, number, &effects).is_ok());
}

#[test]
fn damaged_leaf_is_found_by_the_audit_and_by_the_recommit() {
    let mut c = Chained::new();
    c.step(|o| {
        for n in 0..30 {
            o.insert(key(n), vec![7; 10]).unwrap();
        }
    });
    c.restart();
    assert!(c.state.audit(&c.network, [3; 32], AUDIT_BRANCHES).unwrap() >= 1);
    {
        // The content hash of the last leaf: the node still hashes to its slot, which binds the commitment only.
        let mut rows = c.disk.rows.lock().unwrap();
        let node = rows.iter_mut().find(|((t, _), _)| *t == Table::Nodes);
        *node.unwrap().1.last_mut().unwrap() ^= 1;
    }
    c.restart();
    assert!(matches!(
        c.state.audit(&c.network, [3; 32], AUDIT_BRANCHES),
        Err(StateError::Graph(_))
    ));
    c.restart();
    assert!(matches!(
        c.state.recommit(&c.network),
        Err(StateError::Graph(_))
    ));
}
