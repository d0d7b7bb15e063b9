//! Numbered batches whose effect is known: after batch `n` the store holds exactly `expected(n)`.

use std::collections::BTreeMap;

use quil_store::{Direction, KeyRange, Store, StoreError, TableDef, WriteBatch, rows};

/// Sliding window of numbered rows with bulky values.
pub(crate) const LOG: TableDef = TableDef::new("log", 8, 1 << 16);
/// Rows that are overwritten again and again.
pub(crate) const SLOTS: TableDef = TableDef::new("slots", 8, 8);
/// Number of the last batch.
pub(crate) const CURSOR: TableDef = TableDef::new("cursor", 0, 8);

const WINDOW: u64 = 24;
const SLOT_COUNT: u64 = 7;

pub(crate) type Content = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// Bytes of the log row of batch `n`: a length and a content that depend on `n`.
fn payload(n: u64) -> Vec<u8> {
    let len = usize::try_from(n * 7_919 % 9_000).unwrap();
    (0..len)
        .map(|i| u8::try_from((n + i as u64) % 251).unwrap())
        .collect()
}

pub(crate) fn batch(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch
        .put(&CURSOR, Vec::new(), n.to_be_bytes().to_vec())
        .unwrap();
    batch
        .put(&LOG, n.to_be_bytes().to_vec(), payload(n))
        .unwrap();
    batch
        .put(
            &SLOTS,
            (n % SLOT_COUNT).to_be_bytes().to_vec(),
            n.to_be_bytes().to_vec(),
        )
        .unwrap();
    let end = n.saturating_sub(WINDOW).to_be_bytes();
    batch
        .delete_range(&LOG, KeyRange::of::<&[u8]>(&(..&end[..])))
        .unwrap();
    batch
}

pub(crate) fn commit(store: &dyn Store, n: u64) -> Result<(), StoreError> {
    store.commit(&batch(n))
}

/// Commits batches behind `acked` until one fails; returns the last that succeeded and the error.
pub(crate) fn commit_until_error(store: &dyn Store, acked: u64) -> (u64, StoreError) {
    for n in acked + 1..acked + 1000 {
        if let Err(error) = commit(store, n) {
            return (n - 1, error);
        }
    }
    panic!("the fault never struck");
}

/// What the store must hold after batches `1..=n`.
pub(crate) fn expected(n: u64) -> Content {
    let mut content = Content::new();
    if n == 0 {
        return content;
    }
    content.insert((CURSOR.name(), Vec::new()), n.to_be_bytes().to_vec());
    for k in n.saturating_sub(WINDOW).max(1)..=n {
        content.insert((LOG.name(), k.to_be_bytes().to_vec()), payload(k));
    }
    for k in n.saturating_sub(SLOT_COUNT - 1).max(1)..=n {
        content.insert(
            (SLOTS.name(), (k % SLOT_COUNT).to_be_bytes().to_vec()),
            k.to_be_bytes().to_vec(),
        );
    }
    content
}

pub(crate) fn content(store: &dyn Store) -> Content {
    let view = store.view().unwrap();
    let mut content = Content::new();
    for table in [&LOG, &SLOTS, &CURSOR] {
        for row in rows(&*view, table, KeyRange::all(), Direction::Forward) {
            let row = row.unwrap();
            content.insert((table.name(), row.key), row.value);
        }
    }
    content
}

/// Number of the last batch in the store.
pub(crate) fn cursor(store: &dyn Store) -> u64 {
    let value = store.view().unwrap().get(&CURSOR, &[]).unwrap();
    value.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

/// The store holds everything up to `acked`, at most the one batch in flight beyond it, and nothing half.
pub(crate) fn check(store: &dyn Store, acked: u64) -> u64 {
    let found = cursor(store);
    assert!(
        (acked..=acked + 1).contains(&found),
        "acknowledged {acked}, found {found}"
    );
    assert_eq!(content(store), expected(found), "half a batch at {found}");
    found
}

#[test]
fn model_agrees_with_the_memory_store() {
    let store = quil_store::MemStore::new();
    for n in 1..=60 {
        commit(&store, n).unwrap();
        assert_eq!(content(&store), expected(n));
    }
}
