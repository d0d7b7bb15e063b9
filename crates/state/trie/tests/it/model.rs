//! The incremental trie against a rebuild from its contents.

use std::sync::Arc;

use proptest::prelude::*;
use quil_trie::{EMPTY_SLOT, Key, LeafWrite, MemoryNodes, Totals, Trie};

use crate::support::{
    Model, SET, build, changes, key_of, kzg, model_of, naive_root, random_keys, value,
};

#[test]
fn roots_equal_those_of_the_definition() {
    for n in [0, 1, 2, 3, 17, 70, 150] {
        let model = model_of(&random_keys(n, usize::try_from(n).unwrap()));
        assert_eq!(
            build(SET, &model).root(),
            naive_root(&SET, &model),
            "{n} leaves"
        );
    }
}

#[test]
fn crowded_and_deep_shapes_equal_the_definition() {
    // 64 children under one branch; a pair that differs in the last nibble only; branches under every ancestor.
    let mut model: Model = (0..64)
        .map(|i| (key_of(&[5, i], 3), value(u64::from(i))))
        .collect();
    let (mut a, mut b) = (key_of(&[9], 9), key_of(&[9], 9));
    a.0[63] &= !3;
    b.0[63] |= 3;
    model.insert(a, value(100));
    model.insert(b, value(101));
    for d in 0..6 {
        let mut head = vec![1; d];
        head.push(2);
        model.insert(key_of(&head, 0), value(200));
        head.push(3);
        model.insert(key_of(&head, 1), value(201));
    }
    let trie = build(SET, &model);
    assert_eq!(trie.root(), naive_root(&SET, &model));
    assert_eq!(trie.recommit(&kzg()), Ok(trie.root()));
    assert!(trie.audit(&kzg(), [1; 32], 8).unwrap() <= 8);
}

#[test]
fn order_of_changes_does_not_matter() {
    let keys = random_keys(3, 40);
    let model = model_of(&keys);
    let all = build(SET, &model);
    let mut trie = Trie::empty(SET);
    for (version, k) in (1..).zip(keys.iter().rev()) {
        trie = trie
            .update(&kzg(), version, &changes(&[(*k, Some(model[k]))]))
            .unwrap()
            .trie;
    }
    assert_eq!(trie.root(), all.root());
    assert_eq!(trie.totals(), all.totals());
    for (version, k) in (100..).zip(&keys) {
        trie = trie
            .update(&kzg(), version, &changes(&[(*k, None)]))
            .unwrap()
            .trie;
    }
    assert_eq!(trie.root(), EMPTY_SLOT);
    assert!(trie.is_empty());
}

#[test]
fn sets_do_not_share_roots() {
    let model = model_of(&random_keys(4, 5));
    assert_ne!(
        build(SET, &model).root(),
        build(crate::support::OTHER_SET, &model).root()
    );
}

#[test]
fn size_content_and_key_are_bound() {
    let key = random_keys(1, 1)[0];
    let root = |k: Key, size: u64, byte: u8| {
        build(
            SET,
            &[(
                k,
                quil_trie::LeafValue {
                    size,
                    content: [byte; 32],
                },
            )]
            .into(),
        )
        .root()
    };
    let mut other = key;
    other.0[63] ^= 1;
    let all = [
        root(key, 1, 1),
        root(key, 2, 1),
        root(key, 1, 2),
        root(other, 1, 1),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn changes_without_effect_change_nothing() {
    let keys = random_keys(5, 10);
    let trie = build(SET, &model_of(&keys));
    let same = trie
        .update(
            &kzg(),
            2,
            &changes(&[(keys[3], Some(value(4))), (key_of(&[1], 1), None)]),
        )
        .unwrap();
    assert_eq!(same.trie.root(), trie.root());
    assert!(same.batch.writes.is_empty() && same.batch.obsolete.is_empty());
    assert_eq!(same.batch.root, trie.root_record());
}

#[test]
fn ranges_are_ordered_bounded_and_exact() {
    let keys = random_keys(6, 80);
    let model = model_of(&keys);
    let trie = build(SET, &model);
    let low = Key([0; 64]);
    let sorted: Vec<Key> = model.keys().copied().collect();
    let got = |from: &Key, to: Option<&Key>, limit| -> Vec<Key> {
        trie.range(from, to, limit)
            .unwrap()
            .iter()
            .map(|l| l.key)
            .collect()
    };
    assert_eq!(got(&low, None, 1000), sorted);
    assert_eq!(got(&low, None, 7), sorted[..7]);
    assert_eq!(got(&sorted[10], Some(&sorted[20]), 1000), sorted[10..20]);
    assert_eq!(got(&sorted[79], None, 10), sorted[79..]);
    assert_eq!(got(&Key([0xff; 64]), None, 10), []);
    assert_eq!(got(&low, None, 0), []);
    assert_eq!(got(&key_of(&[63], 63), Some(&low), 5), []);
}

#[test]
fn payloads_stay_with_their_leaves() {
    let keys = random_keys(7, 20);
    let bytes: Arc<[u8]> = Arc::from(b"payload".as_slice());
    let writes = keys
        .iter()
        .map(|k| (*k, Some(LeafWrite::of(Arc::clone(&bytes)))))
        .collect();
    let trie = Trie::empty(SET).update(&kzg(), 1, &writes).unwrap().trie;
    let leaf = trie.get(&keys[4]).unwrap().unwrap();
    assert_eq!(leaf.payload.as_deref(), Some(b"payload".as_slice()));
    assert_eq!(leaf.value.size, 7);
}

/// Few distinct nibbles, so that prefixes, splits and collapses are frequent.
fn key() -> impl Strategy<Value = Key> {
    (prop::collection::vec(0u8..3, 0..5), 0u8..3).prop_map(|(head, fill)| key_of(&head, fill * 20))
}

fn steps() -> impl Strategy<Value = Vec<Vec<(Key, Option<u64>)>>> {
    let change = (key(), prop::option::weighted(0.6, 1u64..50));
    prop::collection::vec(prop::collection::vec(change, 1..8), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every version equals the rebuild, stays readable, and the store holds exactly the nodes of the last one.
    #[test]
    fn versions_equal_rebuilds_and_leave_no_garbage(steps in steps()) {
        let store = Arc::new(MemoryNodes::default());
        let mut model = Model::new();
        let mut trie = Trie::empty(SET).with_source(Arc::<MemoryNodes>::clone(&store));
        for (version, step) in (1u64..).zip(&steps) {
            let list: Vec<_> = step.iter().map(|(k, v)| (*k, v.map(value))).collect();
            let before = (trie.clone(), naive_root(&SET, &model));
            let update = trie.update(&kzg(), version, &changes(&list)).unwrap();
            for (k, v) in changes(&list) {
                match v {
                    Some(w) => model.insert(k, w.value),
                    None => model.remove(&k),
                };
            }
            store.apply(&update.batch, true);
            prop_assert_eq!(before.0.root(), before.1, "the old version is unchanged");
            // Half of the time the next step starts from the store alone.
            trie = if version % 2 == 0 {
                Trie::open(SET, update.batch.root.clone(), Arc::<MemoryNodes>::clone(&store)).unwrap()
            } else {
                update.trie
            };
            prop_assert_eq!(trie.root(), naive_root(&SET, &model));
            let bytes = model.values().map(|v| u128::from(v.size)).sum();
            prop_assert_eq!(trie.totals(), Totals { leaves: u64::try_from(model.len()).unwrap(), bytes });
        }
        let fresh = Trie::open(SET, trie.root_record(), Arc::<MemoryNodes>::clone(&store)).unwrap();
        for (k, v) in &model {
            prop_assert_eq!(fresh.get(k).unwrap().map(|l| l.value), Some(*v));
        }
        prop_assert_eq!(fresh.recommit(&kzg()), Ok(trie.root()));
        prop_assert_eq!(fresh.loaded_nodes(), store.len());
    }
}
