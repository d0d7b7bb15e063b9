//! Versions in a store: reopening, pruning, damage.

use std::sync::Arc;

use quil_trie::{
    Key, LeafValue, MemoryNodes, NodeKey, NodeSource, RootRecord, SetId, SourceError, Trie,
    TrieError, Update,
};

use crate::support::{SET, changes, key_of, kzg, model_of, random_keys, value};

struct Setup {
    store: Arc<MemoryNodes>,
    keys: Vec<Key>,
    first: Update,
    second: Update,
}

/// Two versions: 60 leaves, then ten changed, five removed, five added.
fn setup() -> Setup {
    let keys = random_keys(1, 60);
    let model = model_of(&keys);
    let store = Arc::new(MemoryNodes::default());
    let list: Vec<_> = model.iter().map(|(k, v)| (*k, Some(*v))).collect();
    let first = Trie::empty(SET)
        .with_source(Arc::<MemoryNodes>::clone(&store))
        .update(&kzg(), 10, &changes(&list))
        .unwrap();
    let mut list: Vec<(Key, Option<LeafValue>)> =
        keys[..10].iter().map(|k| (*k, Some(value(900)))).collect();
    list.extend(keys[20..25].iter().map(|k| (*k, None)));
    list.extend(random_keys(2, 5).iter().map(|k| (*k, Some(value(901)))));
    let second = first.trie.update(&kzg(), 11, &changes(&list)).unwrap();
    Setup {
        store,
        keys,
        first,
        second,
    }
}

fn open(store: &Arc<MemoryNodes>, record: &RootRecord) -> Trie {
    let record = RootRecord::from_bytes(&record.to_bytes()).unwrap();
    Trie::open(SET, record, Arc::<MemoryNodes>::clone(store)).unwrap()
}

#[test]
fn both_versions_are_readable_until_pruned() {
    let s = setup();
    s.store.apply(&s.first.batch, false);
    s.store.apply(&s.second.batch, false);
    let (old, new) = (
        open(&s.store, &s.first.batch.root),
        open(&s.store, &s.second.batch.root),
    );
    assert_eq!(
        (old.root(), new.root()),
        (s.first.trie.root(), s.second.trie.root())
    );
    assert_eq!(old.get(&s.keys[0]).unwrap().unwrap().value, value(1));
    assert_eq!(new.get(&s.keys[0]).unwrap().unwrap().value, value(900));
    assert!(new.get(&s.keys[20]).unwrap().is_none());
    assert_eq!(old.recommit(&kzg()), Ok(old.root()));
    assert_eq!(new.recommit(&kzg()), Ok(new.root()));
    s.store.apply(&s.second.batch, true);
    let new = open(&s.store, &s.second.batch.root);
    assert_eq!(new.recommit(&kzg()), Ok(new.root()));
    assert_eq!(new.loaded_nodes(), s.store.len());
    let old = open(&s.store, &s.first.batch.root);
    assert!(matches!(old.recommit(&kzg()), Err(TrieError::Missing(_))));
}

#[test]
fn reads_load_one_node_per_level_and_proofs_work_from_the_store() {
    let s = setup();
    s.store.apply(&s.first.batch, false);
    let trie = open(&s.store, &s.first.batch.root);
    assert_eq!(trie.loaded_nodes(), 0);
    let leaf = trie.get(&s.keys[3]).unwrap().unwrap();
    assert!((1..=4).contains(&trie.loaded_nodes()));
    assert_eq!(leaf.payload, None);
    let (expect, proof) = trie.prove(&kzg(), &s.keys[3]).unwrap();
    assert_eq!(
        quil_trie::verify(
            kzg().verifier(),
            &trie.root(),
            &SET,
            &s.keys[3],
            expect,
            &proof
        ),
        Ok(())
    );
}

#[test]
fn unloading_keeps_the_version_and_frees_nodes() {
    let s = setup();
    s.store.apply(&s.first.batch, false);
    let all = s.first.trie.loaded_nodes();
    let top = s.first.trie.unload(1);
    assert_eq!(top.loaded_nodes(), 1);
    assert_eq!(s.first.trie.unload(0).loaded_nodes(), 0);
    assert_eq!(top.root(), s.first.trie.root());
    assert_eq!(top.recommit(&kzg()), Ok(top.root()));
    assert_eq!(top.loaded_nodes(), all);
    let second = s
        .first
        .trie
        .unload(0)
        .update(&kzg(), 11, &changes(&[(s.keys[0], None)]))
        .unwrap();
    let direct = s
        .first
        .trie
        .update(&kzg(), 11, &changes(&[(s.keys[0], None)]))
        .unwrap();
    assert_eq!(second.trie.root(), direct.trie.root());
    assert_eq!(second.batch.obsolete, direct.batch.obsolete);
}

#[test]
fn forks_share_a_base_and_do_not_disturb_each_other() {
    let s = setup();
    let a = s
        .first
        .trie
        .update(&kzg(), 11, &changes(&[(s.keys[0], Some(value(70)))]))
        .unwrap()
        .trie;
    let b = s
        .first
        .trie
        .update(&kzg(), 11, &changes(&[(s.keys[0], Some(value(71)))]))
        .unwrap()
        .trie;
    assert_ne!(a.root(), b.root());
    assert_eq!(a.get(&s.keys[0]).unwrap().unwrap().value, value(70));
    assert_eq!(b.get(&s.keys[0]).unwrap().unwrap().value, value(71));
    assert_eq!(
        s.first.trie.get(&s.keys[0]).unwrap().unwrap().value,
        value(1)
    );
}

#[test]
fn versions_do_not_decrease() {
    let s = setup();
    assert_eq!(
        s.second
            .trie
            .update(&kzg(), 10, &changes(&[(s.keys[1], None)]))
            .err(),
        Some(TrieError::Version {
            have: 11,
            given: 10
        })
    );
    assert!(
        s.second
            .trie
            .update(&kzg(), 11, &changes(&[(s.keys[1], None)]))
            .is_ok()
    );
}

#[test]
fn batches_of_one_version_join() {
    let s = setup();
    let again = s.second.trie.update(
        &kzg(),
        11,
        &changes(&[(s.keys[1], None), (key_of(&[3], 3), Some(value(5)))]),
    );
    let again = again.unwrap();
    let root = again.trie.root();
    let joined = s.second.batch.clone().then(again.batch);
    s.store.apply(&s.first.batch, true);
    s.store.apply(&joined, true);
    let trie = open(&s.store, &joined.root);
    assert_eq!(trie.root(), root);
    assert_eq!(trie.recommit(&kzg()), Ok(root));
    assert_eq!(trie.loaded_nodes(), s.store.len());
}

#[test]
fn missing_and_damaged_nodes_are_errors_not_answers() {
    let s = setup();
    s.store.apply(&s.first.batch, false);
    let trie = || open(&s.store, &s.first.batch.root);
    let top = s
        .first
        .batch
        .writes
        .iter()
        .map(|(k, _)| *k)
        .min_by_key(|k| k.path.len())
        .unwrap();
    let good = s.store.node(&SET, &top).unwrap().unwrap();
    let put = |bytes: Vec<u8>| s.store.edit(|rows| drop(rows.insert((SET, top), bytes)));
    let mut seen = (0, 0, 0);
    for i in 0..good.len() {
        let mut bent = good.clone();
        bent[i] ^= 1;
        put(bent);
        match trie().audit(&kzg(), [0; 32], 1) {
            Err(TrieError::Corrupt(k, _)) if k == top => seen.0 += 1,
            Err(TrieError::SlotMismatch(k)) if k == top => seen.1 += 1,
            Err(TrieError::Commitment(_)) => seen.2 += 1,
            // A changed version of a child sends the loader to a node that does not exist.
            Err(TrieError::Missing(_)) => {}
            // Totals of another child than the one descended into are compared in `recommit` only.
            Ok(_) => assert!(trie().recommit(&kzg()).is_err(), "byte {i}"),
            other => panic!("byte {i}: {other:?}"),
        }
    }
    assert!(seen.0 > 0 && seen.1 > 0 && seen.2 > 0, "{seen:?}");
    put(Vec::new());
    assert!(matches!(
        trie().get(&s.keys[0]),
        Err(TrieError::Corrupt(..))
    ));
    s.store.edit(|rows| drop(rows.remove(&(SET, top))));
    assert_eq!(trie().get(&s.keys[0]).err(), Some(TrieError::Missing(top)));
}

#[test]
fn unloading_keeps_what_is_not_durable_and_loses_nothing_else() {
    let s = setup();
    s.store.apply(&s.first.batch, false);
    // Version 11 is not in the store yet.
    let light = s.second.trie.unload_stored(0, 10);
    assert!(light.loaded_nodes() < s.second.trie.loaded_nodes());
    assert_eq!(light.loaded_nodes(), s.second.batch.writes.len());
    assert_eq!(light.recommit(&kzg()), Ok(s.second.trie.root()));
    for key in &s.keys {
        assert_eq!(
            light.get(key).unwrap().map(|l| l.value),
            s.second.trie.get(key).unwrap().map(|l| l.value)
        );
    }
    s.store.apply(&s.second.batch, true);
    let bare = s.second.trie.unload_stored(0, 11);
    assert_eq!(bare.loaded_nodes(), 0);
    assert_eq!(bare.recommit(&kzg()), Ok(s.second.trie.root()));
}

#[test]
fn audit_looks_at_each_branch_once_and_at_no_more_than_asked() {
    let s = setup();
    let trie = &s.second.trie;
    let all = trie.loaded_nodes();
    assert!(all > 4);
    for samples in [1, 2, 4] {
        assert_eq!(trie.audit(&kzg(), [7; 32], samples), Ok(samples));
    }
    let many = trie.audit(&kzg(), [7; 32], 64).unwrap();
    assert!(many > 4 && many <= all, "{many} of {all}");
    assert_eq!(Trie::empty(SET).audit(&kzg(), [7; 32], 64), Ok(0));
}

/// A source that fails.
struct Broken;

impl NodeSource for Broken {
    fn node(&self, _: &SetId, _: &NodeKey) -> Result<Option<Vec<u8>>, SourceError> {
        Err(SourceError("disk".into()))
    }
}

#[test]
fn store_failure_is_reported_as_such() {
    let s = setup();
    let trie = Trie::open(SET, s.first.batch.root.clone(), Arc::new(Broken)).unwrap();
    let want = Err(TrieError::Source(SourceError("disk".into())));
    assert_eq!(trie.get(&s.keys[0]).map(drop), want);
    assert_eq!(
        trie.update(&kzg(), 12, &changes(&[(s.keys[0], None)]))
            .map(drop),
        want
    );
    assert_eq!(trie.prove(&kzg(), &s.keys[0]).map(drop), want);
    assert_eq!(trie.range(&Key([0; 64]), None, 1).map(drop), want);
}

#[test]
fn root_record_bytes_are_strict() {
    let s = setup();
    let bytes = s.first.batch.root.to_bytes();
    for cut in 0..bytes.len() {
        assert!(RootRecord::from_bytes(&bytes[..cut]).is_err());
    }
    for i in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[i] ^= 1;
        let same = RootRecord::from_bytes(&bent).ok().and_then(|r| {
            s.store.apply(&s.first.batch, false);
            Trie::open(SET, r, Arc::<MemoryNodes>::clone(&s.store)).ok()
        });
        // Whatever opens is not this version.
        if let Some(t) = same {
            assert!(
                t.recommit(&kzg()) != Ok(s.first.trie.root())
                    || t.root_record() != s.first.batch.root,
                "byte {i}"
            );
        }
    }
}
