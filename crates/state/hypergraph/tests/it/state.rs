//! Committed states: roots, storage, reloading, damage.

use std::sync::Arc;

use quil_hypergraph::{AtomId, Family, Phase, Place, ShardState, Snapshot, StateError};
use quil_trie::EMPTY_SLOT;
use quil_types::ShardAddr;

use crate::support::{
    MemoryContents, SHARD, Store, atom, edge, edge_key, empty, kzg, mark, record, step, token,
};

fn filled() -> ShardState {
    step(&ShardState::empty(SHARD), 1, |o| {
        for n in 0..20 {
            o.insert(token(n * 1000), &[u8::try_from(n).unwrap(); 10])
                .unwrap();
        }
        o.put(record(30_000), None, b"record", 100).unwrap();
        o.put_edge(edge_key(31_000), None, &edge(&[0, 1000]))
            .unwrap();
        o.mark(mark(32_000), b"").unwrap();
    })
}

#[test]
fn empty_state_has_zero_roots() {
    let s = ShardState::empty(SHARD);
    assert_eq!(s.roots(), [EMPTY_SLOT; 4]);
    assert_eq!(s.size(), 0);
}

#[test]
fn roots_change_only_for_the_sets_written() {
    let s = filled();
    let removed = step(&s, 2, |o| o.remove(record(30_000)).unwrap());
    assert_eq!(removed.roots()[0], s.roots()[0], "the entry stays");
    assert_ne!(removed.roots()[1], s.roots()[1]);
    assert_eq!(removed.roots()[2..], s.roots()[2..]);
    assert_eq!(removed.visible(Family::Vertex, &atom(30_000)), Ok(None));
    assert!(
        s.visible(Family::Vertex, &atom(30_000)).unwrap().is_some(),
        "the old version is unchanged"
    );
    let edges = step(&s, 2, |o| o.remove_edge(edge_key(31_000)).unwrap());
    assert_eq!(edges.roots()[..3], s.roots()[..3]);
    assert_ne!(edges.roots()[3], s.roots()[3]);
}

#[test]
fn reads_create_nothing() {
    let s = filled();
    let before = s.roots();
    assert_eq!(s.visible(Family::Hyperedge, &atom(1)), Ok(None));
    let o = Snapshot::new(s.clone()).overlay();
    assert_eq!(o.visible(Family::Vertex, &atom(1)), Ok(None));
    let update = s.apply(&kzg(), 2, o.writes()).unwrap();
    assert!(update.batch.nodes.is_empty() && update.batch.contents.is_empty());
    assert_eq!(update.state.roots(), before);
}

#[test]
fn size_counts_entries_and_external_bytes_by_difference() {
    let s = filled();
    let seen = s.entry(Family::Vertex, &atom(30_000)).unwrap().unwrap();
    let grown = step(&s, 2, |o| {
        o.put(record(30_000), Some(seen.reference()), b"record", 150)
            .unwrap();
    });
    assert_eq!(grown.size(), s.size() + 50);
    let unmarked = step(&s, 2, |o| o.unmark(mark(32_000)).unwrap());
    assert_eq!(
        unmarked.size(),
        s.size() - 21,
        "mode, version, external, length"
    );
}

#[test]
fn same_contents_have_the_same_roots_whatever_the_history() {
    let a = step(&filled(), 2, |o| o.unmark(mark(32_000)).unwrap());
    let b = step(&ShardState::empty(SHARD), 9, |o| {
        o.put_edge(edge_key(31_000), None, &edge(&[0, 1000]))
            .unwrap();
        o.put(record(30_000), None, b"record", 100).unwrap();
        for n in (0..20).rev() {
            o.insert(token(n * 1000), &[u8::try_from(n).unwrap(); 10])
                .unwrap();
        }
    });
    assert_eq!(a.roots(), b.roots());
    assert_eq!(a.recommit(&kzg()), Ok(()));
    assert!(a.audit(&kzg(), [3; 32], 64).unwrap() >= 1);
}

#[test]
fn write_sets_apply_only_where_they_were_made() {
    let mut o = empty().overlay();
    o.insert(token(1), b"x").unwrap();
    let writes = o.into_writes();
    let once = ShardState::empty(SHARD)
        .apply(&kzg(), 1, &writes)
        .unwrap()
        .state;
    assert_eq!(
        once.apply(&kzg(), 2, &writes).err(),
        Some(StateError::Conflict(Phase::VertexAdds, atom(1)))
    );
    let other = ShardAddr([6; 32]);
    assert_eq!(
        ShardState::empty(other).apply(&kzg(), 1, &writes).err(),
        Some(StateError::Shard(SHARD))
    );
    assert_ne!(
        ShardState::empty(other)
            .apply(&kzg(), 1, &quil_hypergraph::WriteSet::empty(other))
            .unwrap()
            .batch
            .shard,
        SHARD
    );
    assert!(
        writes
            .get(&Place {
                phase: Phase::VertexAdds,
                atom: atom(1)
            })
            .unwrap()
            .replaces
            .is_none()
    );
}

#[test]
fn disjoint_write_sets_commute() {
    let write = |n: u16| {
        let mut o = empty().overlay();
        o.insert(token(n), b"x").unwrap();
        o.into_writes()
    };
    let (a, b) = (write(1), write(2));
    assert!(a.is_disjoint(&b) && !a.is_disjoint(&a));
    let start = ShardState::empty(SHARD);
    let apply = |s: &ShardState, w| s.apply(&kzg(), 1, w).unwrap().state;
    assert_eq!(
        apply(&apply(&start, &a), &b).roots(),
        apply(&apply(&start, &b), &a).roots()
    );
}

#[test]
fn states_reload_from_their_store() {
    let store = Store::default();
    let nodes: Arc<dyn quil_trie::NodeSource> = Arc::<quil_trie::MemoryNodes>::clone(&store.nodes);
    let contents = Arc::<MemoryContents>::clone(&store.contents);
    let mut state = ShardState::empty(SHARD).with_sources(&nodes, contents);
    let mut model = state.clone();
    for n in 1..6u16 {
        let mut o = Snapshot::new(state.clone()).overlay();
        for k in 0..15 {
            o.insert(token(n * 5000 + k * 7), &[1, 2, 3]).unwrap();
        }
        if n > 1 {
            o.unmark(mark(n - 1)).unwrap();
        }
        o.mark(mark(n), b"m").unwrap();
        let update = state.apply(&kzg(), u64::from(n), o.writes()).unwrap();
        model = model.apply(&kzg(), u64::from(n), o.writes()).unwrap().state;
        store.apply(&update.batch);
        // Every other version goes on from the store alone, or with little of it in memory.
        state = if n % 2 == 0 {
            store.open(&update.batch)
        } else {
            update.state.unload(1)
        };
        assert_eq!(state.roots(), model.roots());
        assert_eq!(state.size(), model.size());
        assert_eq!(state.recommit(&kzg()), Ok(()));
    }
    let entry = state.visible(Family::Vertex, &atom(5007)).unwrap().unwrap();
    assert_eq!(&*entry.content, [1, 2, 3]);
    assert_eq!(
        state.visible(Family::Vertex, &atom(4)),
        Ok(None),
        "marks were deleted"
    );
    let all = |s: &ShardState| s.range(Family::Vertex, &atom(0), None, 1000).unwrap();
    assert_eq!(all(&state), all(&model));
    assert_eq!(all(&state).len(), 76);
    assert_eq!(
        state
            .range(Family::Vertex, &atom(5000), Some(&atom(10_000)), 4)
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        store.contents.0.lock().unwrap().len(),
        76,
        "no values of deleted leaves"
    );
}

#[test]
fn missing_or_damaged_values_are_errors_not_answers() {
    let store = Store::default();
    let mut o = empty().overlay();
    o.insert(token(1), b"x").unwrap();
    o.insert(token(2), b"y").unwrap();
    let update = ShardState::empty(SHARD)
        .apply(&kzg(), 1, o.writes())
        .unwrap();
    store.apply(&update.batch);
    let read = |a: &AtomId| {
        store
            .open(&update.batch)
            .visible(Family::Vertex, a)
            .map(drop)
    };
    assert_eq!(read(&atom(1)), Ok(()));
    {
        let mut rows = store.contents.0.lock().unwrap();
        for (_, value) in rows.values_mut() {
            *value = Arc::from(b"damaged".as_slice());
        }
    }
    let bad = StateError::ContentMismatch(Phase::VertexAdds, atom(1));
    assert_eq!(read(&atom(1)), Err(bad.clone()));
    assert!(!bad.is_writers_fault() && StateError::Exists(atom(1)).is_writers_fault());
    store.contents.0.lock().unwrap().clear();
    assert_eq!(
        read(&atom(1)),
        Err(StateError::ContentMissing(Phase::VertexAdds, atom(1)))
    );
    let mut overlay = Snapshot::new(store.open(&update.batch)).overlay();
    assert_eq!(
        overlay.insert(token(1), b"z"),
        Err(StateError::ContentMissing(Phase::VertexAdds, atom(1)))
    );
}
