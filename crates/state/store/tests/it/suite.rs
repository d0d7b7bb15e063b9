//! The contract of `Store`, run over every back end.

use quil_store::limits::{BATCH_OPS_MAX, VIEWS_MAX};
use quil_store::{
    Direction, KeyRange, MemStore, Page, Scan, StateFile, StateOptions, Store, StoreError, TableDef,
};
use quil_store::{WriteBatch, prune, rows};

const A: TableDef = TableDef::new("a", 16, 1024);
const B: TableDef = TableDef::new("b", 16, 1 << 20);

/// A store and what must stay alive with it.
pub(crate) struct Subject {
    pub(crate) store: Box<dyn Store>,
    _dir: Option<tempfile::TempDir>,
}

pub(crate) fn memory() -> Subject {
    Subject {
        store: Box::new(MemStore::new()),
        _dir: None,
    }
}

pub(crate) fn file() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let store = StateFile::open(&dir.path().join("state"), StateOptions::new(1)).unwrap();
    Subject {
        store: Box::new(store),
        _dir: Some(dir),
    }
}

pub(crate) fn disk() -> Subject {
    let store = quil_store::test_support::FaultDisk::new()
        .open_state(StateOptions::new(1))
        .unwrap();
    Subject {
        store: Box::new(store),
        _dir: None,
    }
}

fn put(store: &dyn Store, table: &TableDef, pairs: &[(&[u8], &[u8])]) {
    let mut batch = WriteBatch::new();
    for (key, value) in pairs {
        batch.put(table, key.to_vec(), value.to_vec()).unwrap();
    }
    store.commit(&batch).unwrap();
}

fn keys(page: &Page) -> Vec<&[u8]> {
    page.rows.iter().map(|row| row.key.as_slice()).collect()
}

fn scan(store: &dyn Store, range: KeyRange, direction: Direction, limit: usize) -> Page {
    store
        .view()
        .unwrap()
        .scan(
            &A,
            &Scan {
                range,
                direction,
                limit,
            },
        )
        .unwrap()
}

fn unwritten_table_is_empty(store: &dyn Store) {
    let view = store.view().unwrap();
    assert_eq!(view.get(&A, b"k").unwrap(), None);
    assert_eq!(
        view.scan(&A, &Scan::forward(KeyRange::all(), 10)).unwrap(),
        Page::default()
    );
    store.commit(&WriteBatch::new()).unwrap();
    let mut batch = WriteBatch::new();
    batch.delete(&A, b"k".to_vec()).unwrap();
    batch.delete_range(&A, KeyRange::all()).unwrap();
    store.commit(&batch).unwrap();
}

fn put_get_replace_delete(store: &dyn Store) {
    put(store, &A, &[(b"k", b"1"), (b"", b"empty key"), (b"e", b"")]);
    put(store, &A, &[(b"k", b"2")]);
    let view = store.view().unwrap();
    assert_eq!(view.get(&A, b"k").unwrap().unwrap(), b"2");
    assert_eq!(view.get(&A, b"").unwrap().unwrap(), b"empty key");
    assert_eq!(view.get(&A, b"e").unwrap().unwrap(), b"");
    assert_eq!(view.get(&B, b"k").unwrap(), None, "tables are separate");
    let mut batch = WriteBatch::new();
    batch.delete(&A, b"k".to_vec()).unwrap();
    batch.delete(&A, b"absent".to_vec()).unwrap();
    store.commit(&batch).unwrap();
    assert_eq!(store.view().unwrap().get(&A, b"k").unwrap(), None);
}

fn operations_apply_in_order(store: &dyn Store) {
    let mut batch = WriteBatch::new();
    batch.put(&A, b"x".to_vec(), b"1".to_vec()).unwrap();
    batch.delete(&A, b"x".to_vec()).unwrap();
    batch.put(&A, b"y".to_vec(), b"1".to_vec()).unwrap();
    batch
        .put(&B, b"y".to_vec(), b"other table".to_vec())
        .unwrap();
    batch.delete_range(&A, KeyRange::all()).unwrap();
    batch.put(&A, b"y".to_vec(), b"2".to_vec()).unwrap();
    batch.put(&A, b"y".to_vec(), b"3".to_vec()).unwrap();
    store.commit(&batch).unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.get(&A, b"x").unwrap(), None);
    assert_eq!(view.get(&A, b"y").unwrap().unwrap(), b"3");
    assert_eq!(view.get(&B, b"y").unwrap().unwrap(), b"other table");
}

fn scans_are_ordered_and_bounded(store: &dyn Store) {
    put(
        store,
        &A,
        &[
            (b"b", b"2"),
            (b"a", b"1"),
            (b"ba", b"3"),
            (b"c", b"4"),
            (b"\xff\xff", b"5"),
        ],
    );
    let all = scan(store, KeyRange::all(), Direction::Forward, 100);
    assert_eq!(keys(&all), [&b"a"[..], b"b", b"ba", b"c", b"\xff\xff"]);
    assert!(!all.more);
    let two = scan(store, KeyRange::all(), Direction::Backward, 2);
    assert_eq!(keys(&two), [&b"\xff\xff"[..], b"c"]);
    assert!(two.more);
    let prefix = scan(store, KeyRange::prefix(b"b"), Direction::Backward, 2);
    assert_eq!(keys(&prefix), [&b"ba"[..], b"b"]);
    assert!(
        !prefix.more,
        "a full page at the end of the range has no more"
    );
    assert_eq!(
        keys(&scan(
            store,
            KeyRange::prefix(b"\xff"),
            Direction::Forward,
            9
        )),
        [&b"\xff\xff"[..]]
    );
    let half_open = KeyRange::of::<&[u8]>(&(&b"b"[..]..&b"c"[..]));
    assert_eq!(
        keys(&scan(store, half_open, Direction::Forward, 9)),
        [&b"b"[..], b"ba"]
    );
    let none = scan(store, KeyRange::all(), Direction::Forward, 0);
    assert!(none.rows.is_empty() && none.more);
}

fn inverted_range_is_empty(store: &dyn Store) {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    put(store, &A, &[(b"a", b"1"), (b"b", b"2")]);
    let (a, b) = (b"a".to_vec(), b"b".to_vec());
    for range in [
        KeyRange::from_bounds(Included(b.clone()), Included(a.clone())),
        KeyRange::from_bounds(Included(a.clone()), Excluded(a.clone())),
        KeyRange::from_bounds(Excluded(a.clone()), Excluded(a.clone())),
        KeyRange::from_bounds(Excluded(a.clone()), Included(a)),
        KeyRange::from_bounds(Excluded(b.clone()), Excluded(b)),
        KeyRange::from_bounds(Unbounded, Excluded(Vec::new())),
    ] {
        for direction in [Direction::Forward, Direction::Backward] {
            assert_eq!(
                scan(store, range.clone(), direction, 9),
                Page::default(),
                "{range:?}"
            );
        }
        let mut batch = WriteBatch::new();
        batch.delete_range(&A, range).unwrap();
        store.commit(&batch).unwrap();
    }
    assert_eq!(
        scan(store, KeyRange::all(), Direction::Forward, 9)
            .rows
            .len(),
        2
    );
}

fn view_is_a_snapshot(store: &dyn Store) {
    put(store, &A, &[(b"k", b"old"), (b"gone", b"x")]);
    let before = store.view().unwrap();
    put(store, &A, &[(b"k", b"new"), (b"n", b"1")]);
    put(store, &B, &[(b"k", b"new table")]);
    let mut batch = WriteBatch::new();
    batch.delete(&A, b"gone".to_vec()).unwrap();
    store.commit(&batch).unwrap();
    assert_eq!(before.get(&A, b"k").unwrap().unwrap(), b"old");
    assert_eq!(before.get(&B, b"k").unwrap(), None);
    let page = before.scan(&A, &Scan::forward(KeyRange::all(), 9)).unwrap();
    assert_eq!(keys(&page), [&b"gone"[..], b"k"]);
    let after = store.view().unwrap();
    assert_eq!(after.get(&A, b"k").unwrap().unwrap(), b"new");
    assert_eq!(after.get(&B, b"k").unwrap().unwrap(), b"new table");
}

fn delete_range_takes_exactly_the_range(store: &dyn Store) {
    let rows: Vec<[u8; 2]> = (0..1000_u16).map(u16::to_be_bytes).collect();
    let pairs: Vec<(&[u8], &[u8])> = rows.iter().map(|k| (&k[..], &b"v"[..])).collect();
    put(store, &A, &pairs);
    let mut batch = WriteBatch::new();
    batch
        .delete_range(&A, KeyRange::of::<&[u8]>(&(&rows[100][..]..&rows[900][..])))
        .unwrap();
    store.commit(&batch).unwrap();
    let left = scan(store, KeyRange::all(), Direction::Forward, 2000);
    let expected: Vec<&[u8]> = rows[..100]
        .iter()
        .chain(&rows[900..])
        .map(|k| &k[..])
        .collect();
    assert_eq!(keys(&left), expected);
}

fn row_iterator_crosses_pages(store: &dyn Store) {
    let data: Vec<[u8; 2]> = (0..1000_u16).map(u16::to_be_bytes).collect();
    let pairs: Vec<(&[u8], &[u8])> = data.iter().map(|k| (&k[..], &b"v"[..])).collect();
    put(store, &A, &pairs);
    let view = store.view().unwrap();
    let walk = |direction| -> Vec<Vec<u8>> {
        rows(&*view, &A, KeyRange::all(), direction)
            .map(|row| row.unwrap().key)
            .collect()
    };
    let forward = walk(Direction::Forward);
    assert_eq!(forward, data.iter().map(|k| k.to_vec()).collect::<Vec<_>>());
    let mut backward = walk(Direction::Backward);
    backward.reverse();
    assert_eq!(backward, forward);
}

fn prune_deletes_in_chunks(store: &dyn Store) {
    let data: Vec<[u8; 2]> = (0..500_u16).map(u16::to_be_bytes).collect();
    let pairs: Vec<(&[u8], &[u8])> = data.iter().map(|k| (&k[..], &b"v"[..])).collect();
    put(store, &A, &pairs);
    let old = KeyRange::of::<&[u8]>(&(..&data[450][..]));
    assert_eq!(prune(store, &A, &old, 100).unwrap(), 450);
    assert_eq!(
        prune(store, &A, &old, 0).unwrap(),
        0,
        "a chunk of zero counts as one"
    );
    assert_eq!(
        scan(store, KeyRange::all(), Direction::Forward, 999)
            .rows
            .len(),
        50
    );
}

fn bounds_are_enforced_and_harmless(store: &dyn Store) {
    let mut batch = WriteBatch::new();
    let long = batch.put(&A, vec![0; 17], Vec::new());
    assert!(matches!(
        long,
        Err(StoreError::KeyTooLong {
            table: "a",
            len: 17,
            max: 16
        })
    ));
    let big = batch.put(&A, vec![0; 16], vec![0; 1025]);
    assert!(matches!(
        big,
        Err(StoreError::ValueTooLong {
            table: "a",
            len: 1025,
            max: 1024
        })
    ));
    assert!(matches!(
        batch.delete(&A, vec![0; 17]),
        Err(StoreError::KeyTooLong { .. })
    ));
    assert!(batch.is_empty() && batch.byte_len() == 0);
    assert!(matches!(
        store.view().unwrap().get(&A, &[0; 17]),
        Err(StoreError::KeyTooLong { .. })
    ));
    put(store, &A, &[(&[0; 16], &[7; 1024])]);
    assert_eq!(
        store.view().unwrap().get(&A, &[0; 16]).unwrap().unwrap(),
        [7; 1024]
    );
}

fn leaked_views_are_refused(store: &dyn Store) {
    let mut views: Vec<_> = (0..VIEWS_MAX).map(|_| store.view().unwrap()).collect();
    assert!(matches!(store.view(), Err(StoreError::TooManyViews { .. })));
    views.pop();
    store.view().unwrap();
}

fn large_values_survive(store: &dyn Store) {
    let value: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    put(store, &B, &[(b"large", &value), (b"after", b"x")]);
    assert_eq!(
        store.view().unwrap().get(&B, b"large").unwrap().unwrap(),
        value
    );
}

fn a_page_of_large_rows_ends_early(store: &dyn Store) {
    let value = vec![1; 1 << 20];
    for n in 0..40_u8 {
        put(store, &B, &[(&[n], &value)]);
    }
    let view = store.view().unwrap();
    let page = view
        .scan(&B, &Scan::forward(KeyRange::all(), 1000))
        .unwrap();
    assert!(page.more && page.rows.len() < 40);
    assert_eq!(
        rows(&*view, &B, KeyRange::all(), Direction::Forward).count(),
        40
    );
}

fn concurrent_writers_and_readers_see_whole_batches(store: &dyn Store) {
    // Each batch writes one number to two tables; no view may see two different numbers.
    std::thread::scope(|scope| {
        for writer in 0..2_u8 {
            scope.spawn(move || {
                for n in 0..20_u8 {
                    let value = vec![writer, n];
                    let mut batch = WriteBatch::new();
                    batch.put(&A, b"k".to_vec(), value.clone()).unwrap();
                    batch.put(&B, b"k".to_vec(), value).unwrap();
                    store.commit(&batch).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..200 {
                let view = store.view().unwrap();
                assert_eq!(view.get(&A, b"k").unwrap(), view.get(&B, b"k").unwrap());
            }
        });
    });
}

macro_rules! suite {
    ($($case:ident),* $(,)?) => {
        mod mem { $(#[test] fn $case() { super::$case(&*super::memory().store); })* }
        mod redb_file { $(#[test] fn $case() { super::$case(&*super::file().store); })* }
        mod redb_disk { $(#[test] fn $case() { super::$case(&*super::disk().store); })* }
    };
}

suite!(
    unwritten_table_is_empty,
    put_get_replace_delete,
    operations_apply_in_order,
    scans_are_ordered_and_bounded,
    inverted_range_is_empty,
    view_is_a_snapshot,
    delete_range_takes_exactly_the_range,
    row_iterator_crosses_pages,
    prune_deletes_in_chunks,
    bounds_are_enforced_and_harmless,
    leaked_views_are_refused,
    large_values_survive,
    a_page_of_large_rows_ends_early,
    concurrent_writers_and_readers_see_whole_batches,
);

#[test]
fn batch_bounds_leave_the_batch_unchanged() {
    let wide = TableDef::new("wide", 16, 16 << 20);
    let mut batch = WriteBatch::new();
    for n in 0..15_u8 {
        batch.put(&wide, vec![n], vec![0; 16 << 20]).unwrap();
    }
    let bytes = batch.byte_len();
    let mut other = batch.clone();
    assert!(matches!(
        batch.append(other.clone()),
        Err(StoreError::BatchTooLarge { unit: "bytes", .. })
    ));
    assert!(batch.put(&wide, vec![15], vec![0; (16 << 20) - 32]).is_ok());
    assert!(matches!(
        batch.put(&wide, vec![16], vec![0; 64]),
        Err(StoreError::BatchTooLarge { .. })
    ));
    assert_eq!((other.len(), other.byte_len()), (15, bytes));
    other.append(WriteBatch::new()).unwrap();
    assert_eq!(other.iter().count(), 15);

    let mut many = WriteBatch::new();
    for _ in 0..BATCH_OPS_MAX {
        many.delete(&A, Vec::new()).unwrap();
    }
    assert!(matches!(
        many.delete(&A, Vec::new()),
        Err(StoreError::BatchTooLarge {
            unit: "operations",
            ..
        })
    ));
    assert_eq!(many.len(), BATCH_OPS_MAX);
}
