//! Writes, savepoints, layers.

use quil_hypergraph::{
    CONTENT_BYTES_MAX, EntryRef, Family, Mode, SPECULATION_MAX, Savepoint, StateError,
};

use crate::support::{atom, edge, edge_key, empty, kzg, mark, record, token};

#[test]
fn token_records_are_written_once() {
    let mut o = empty().overlay();
    o.insert(token(1), b"coin").unwrap();
    assert_eq!(
        &*o.visible(Family::Vertex, &atom(1))
            .unwrap()
            .unwrap()
            .content,
        b"coin"
    );
    assert_eq!(
        o.insert(token(1), b"coin"),
        Err(StateError::Exists(atom(1)))
    );
    // The same address under another kind of key does not open a way around.
    let seen = o
        .entry(Family::Vertex, &atom(1))
        .unwrap()
        .unwrap()
        .reference();
    assert_eq!(
        o.put(record(1), Some(seen), b"x", 0),
        Err(StateError::Mode(Mode::InsertOnly))
    );
    assert_eq!(
        o.put(record(1), None, b"x", 0),
        Err(StateError::Exists(atom(1)))
    );
    assert_eq!(o.remove(record(1)), Err(StateError::Mode(Mode::InsertOnly)));
    assert_eq!(o.unmark(mark(1)), Err(StateError::Mode(Mode::InsertOnly)));
    assert_eq!(o.mark(mark(1), b""), Err(StateError::Exists(atom(1))));
}

#[test]
fn replacements_name_what_they_replace() {
    let mut o = empty().overlay();
    let first = o.put(record(1), None, b"a", 0).unwrap();
    assert_eq!(first.version, 0);
    let second = o.put(record(1), Some(first), b"b", 7).unwrap();
    assert_eq!(second.version, 1);
    assert_eq!(
        o.put(record(1), Some(first), b"c", 0),
        Err(StateError::Stale { have: second })
    );
    let forged = EntryRef {
        hash: [9; 32],
        ..second
    };
    assert_eq!(
        o.put(record(1), Some(forged), b"c", 0),
        Err(StateError::Stale { have: second })
    );
    let ahead = EntryRef {
        version: 2,
        ..second
    };
    assert_eq!(
        o.put(record(1), Some(ahead), b"c", 0),
        Err(StateError::Stale { have: second })
    );
    assert_eq!(
        o.put(record(1), None, b"c", 0),
        Err(StateError::Exists(atom(1)))
    );
    assert_eq!(
        o.put(record(2), Some(first), b"c", 0),
        Err(StateError::NotFound(atom(2)))
    );
    let entry = o.entry(Family::Vertex, &atom(1)).unwrap().unwrap();
    assert_eq!(
        (entry.version, entry.external, &*entry.content),
        (1, 7, b"b".as_slice())
    );
    // Writing the same content again is a new version with another hash.
    let third = o.put(record(1), Some(second), b"b", 7).unwrap();
    assert_ne!(third.hash, second.hash);
}

#[test]
fn removals_are_final() {
    let mut o = empty().overlay();
    let seen = o.put(record(1), None, b"a", 0).unwrap();
    o.remove(record(1)).unwrap();
    assert_eq!(o.visible(Family::Vertex, &atom(1)), Ok(None));
    assert!(
        o.entry(Family::Vertex, &atom(1)).unwrap().is_some(),
        "the entry stays, it is not visible"
    );
    let removed = StateError::Removed(atom(1));
    assert_eq!(o.remove(record(1)), Err(removed.clone()));
    assert_eq!(o.put(record(1), Some(seen), b"b", 0), Err(removed.clone()));
    assert_eq!(o.put(record(1), None, b"b", 0), Err(removed.clone()));
    assert_eq!(o.insert(token(1), b"b"), Err(removed));
    assert_eq!(o.remove(record(2)), Err(StateError::NotFound(atom(2))));
}

#[test]
fn marks_are_deleted_after_their_time() {
    let mut o = empty().overlay();
    o.mark(mark(1), b"m").unwrap();
    assert_eq!(o.mark(mark(1), b"m"), Err(StateError::Exists(atom(1))));
    assert_eq!(o.remove(record(1)), Err(StateError::Mode(Mode::Mark)));
    o.unmark(mark(1)).unwrap();
    assert_eq!(o.visible(Family::Vertex, &atom(1)), Ok(None));
    assert_eq!(o.unmark(mark(1)), Err(StateError::NotFound(atom(1))));
    assert!(
        o.writes().is_empty(),
        "written and deleted in one frame is no change"
    );
}

#[test]
fn hyperedges_are_a_family_of_their_own() {
    let mut o = empty().overlay();
    o.put(record(1), None, b"a", 0).unwrap();
    let first = o.put_edge(edge_key(1), None, &edge(&[1, 2])).unwrap();
    assert!(o.edge(&edge_key(1)).unwrap().unwrap().connects(&atom(2)));
    assert!(!o.edge(&edge_key(1)).unwrap().unwrap().connects(&atom(3)));
    o.put_edge(edge_key(1), Some(first), &edge(&[1, 3]))
        .unwrap();
    assert!(o.edge(&edge_key(1)).unwrap().unwrap().connects(&atom(3)));
    o.remove_edge(edge_key(1)).unwrap();
    assert_eq!(o.edge(&edge_key(1)), Ok(None));
    assert!(o.visible(Family::Vertex, &atom(1)).unwrap().is_some());
    assert_eq!(
        o.remove_edge(edge_key(1)),
        Err(StateError::Removed(atom(1)))
    );
}

#[test]
fn contents_are_bounded() {
    let mut o = empty().overlay();
    let long = vec![0; CONTENT_BYTES_MAX + 1];
    assert_eq!(
        o.insert(token(1), &long),
        Err(StateError::ContentSize(CONTENT_BYTES_MAX + 1))
    );
    assert_eq!(
        o.put(record(1), None, &long, 0),
        Err(StateError::ContentSize(CONTENT_BYTES_MAX + 1))
    );
    o.insert(token(1), &long[1..]).unwrap();
}

#[test]
fn savepoints_nest_and_undo_exactly() {
    let mut o = empty().overlay();
    let a = o.put(record(1), None, b"a", 0).unwrap();
    let outer = o.savepoint();
    o.put(record(1), Some(a), b"b", 0).unwrap();
    o.insert(token(2), b"t").unwrap();
    let before_inner = o.writes().clone();
    let inner = o.savepoint();
    o.remove(record(1)).unwrap();
    o.mark(mark(3), b"m").unwrap();
    o.unmark(mark(3)).unwrap();
    o.rollback(inner).unwrap();
    assert_eq!(*o.writes(), before_inner);
    o.rollback(outer).unwrap();
    assert_eq!(o.writes().len(), 1);
    assert_eq!(
        &*o.entry(Family::Vertex, &atom(1)).unwrap().unwrap().content,
        b"a"
    );
    assert_eq!(o.visible(Family::Vertex, &atom(2)), Ok(None));
    assert_eq!(o.rollback(inner), Err(StateError::Savepoint));
    let start: Savepoint = empty().overlay().savepoint();
    o.rollback(start).unwrap();
    assert!(o.writes().is_empty());
}

#[test]
fn layers_are_read_through_newest_first() {
    let mut first = empty().overlay();
    let a = first.put(record(1), None, b"a", 0).unwrap();
    first.mark(mark(9), b"m").unwrap();
    let first = first.freeze().unwrap();
    let mut second = first.overlay();
    second.put(record(1), Some(a), b"b", 0).unwrap();
    second.unmark(mark(9)).unwrap();
    let second = second.freeze().unwrap();
    let o = second.overlay();
    assert_eq!(
        &*o.entry(Family::Vertex, &atom(1)).unwrap().unwrap().content,
        b"b"
    );
    assert_eq!(o.visible(Family::Vertex, &atom(9)), Ok(None));
    assert_eq!(
        &*first
            .overlay()
            .entry(Family::Vertex, &atom(1))
            .unwrap()
            .unwrap()
            .content,
        b"a"
    );
    assert_eq!((first.depth(), second.depth()), (1, 2));
}

#[test]
fn speculation_is_at_most_eight_deep() {
    let mut s = empty();
    for n in 0..SPECULATION_MAX {
        let mut o = s.overlay();
        o.insert(token(u16::try_from(n).unwrap()), b"x").unwrap();
        s = o.freeze().unwrap();
    }
    assert_eq!(s.overlay().freeze().err(), Some(StateError::TooDeep));
    let (s, _) = s.commit_oldest(&kzg(), 1).unwrap().unwrap();
    assert_eq!(s.overlay().freeze().unwrap().depth(), SPECULATION_MAX);
}

#[test]
fn layers_committed_one_by_one_equal_direct_commits() {
    let mut s = empty();
    let mut direct = s.base().clone();
    let mut seen = None;
    for n in 0..4u16 {
        let mut o = s.overlay();
        seen = Some(
            o.put(record(7), seen, &[u8::try_from(n).unwrap()], 0)
                .unwrap(),
        );
        o.insert(token(100 + n), b"t").unwrap();
        if n == 3 {
            o.remove(record(7)).unwrap();
        }
        direct = direct
            .apply(&kzg(), u64::from(n) + 1, o.writes())
            .unwrap()
            .state;
        s = o.freeze().unwrap();
    }
    let fork = s.clone();
    let mut version = 0;
    while let Some((next, update)) = s.commit_oldest(&kzg(), version + 1).unwrap() {
        version += 1;
        assert_eq!(update.batch.version, version);
        s = next;
    }
    assert_eq!(version, 4);
    assert_eq!(s.base().roots(), direct.roots());
    assert_eq!(s.base().size(), direct.size());
    // The fork that was left behind still has its layers and its base.
    assert_eq!(fork.depth(), 4);
    assert!(
        fork.base()
            .trie(quil_hypergraph::Phase::VertexAdds)
            .is_empty()
    );
    let (_, update) = fork.commit_oldest(&kzg(), 1).unwrap().unwrap();
    assert_eq!(fork.advanced(update.state).depth(), 3);
    assert!(empty().commit_oldest(&kzg(), 1).unwrap().is_none());
}

#[test]
fn forks_do_not_see_each_other() {
    let base = {
        let mut o = empty().overlay();
        o.insert(token(1), b"x").unwrap();
        o.freeze().unwrap()
    };
    let (mut a, mut b) = (base.overlay(), base.overlay());
    a.insert(token(2), b"a").unwrap();
    b.insert(token(2), b"b").unwrap();
    let (a, b) = (a.freeze().unwrap(), b.freeze().unwrap());
    let content = |s: &quil_hypergraph::Snapshot| {
        s.overlay()
            .entry(Family::Vertex, &atom(2))
            .unwrap()
            .unwrap()
            .content
    };
    assert_eq!(
        (&*content(&a), &*content(&b)),
        (b"a".as_slice(), b"b".as_slice())
    );
    assert_eq!(base.overlay().visible(Family::Vertex, &atom(2)), Ok(None));
}
