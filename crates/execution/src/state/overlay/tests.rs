use std::collections::BTreeMap;

use proptest::prelude::*;
use quil_types::Domain;

use super::*;
use crate::state::MemoryState;

fn key(at: u8) -> RecordKey {
    RecordKey {
        domain: Domain([7; 32]),
        data: [at; 32],
    }
}

fn base(records: &[(u8, u8)]) -> MemoryState {
    let mut o = Overlay::new(MemoryState::new());
    for (at, value) in records {
        o.insert(key(*at), vec![*value]).unwrap();
    }
    let mut state = MemoryState::new();
    state.apply(&o.into_writes());
    state
}

#[test]
fn insert_refuses_records_of_base_and_overlay() {
    let mut o = Overlay::new(base(&[(1, 1)]));
    assert_eq!(o.insert(key(1), vec![]), Err(StateFault::Occupied(key(1))));
    o.insert(key(2), vec![2]).unwrap();
    assert_eq!(o.insert(key(2), vec![]), Err(StateFault::Occupied(key(2))));
    assert_eq!(
        o.put(key(2), vec![]),
        Err(StateFault::Occupied(key(2))),
        "written for ever"
    );
    o.put(key(3), vec![]).unwrap();
    assert_eq!(o.insert(key(3), vec![]), Err(StateFault::Occupied(key(3))));
}

#[test]
fn replacing_twice_is_one_write_over_the_base() {
    let mut o = Overlay::new(base(&[(1, 1)]));
    o.put(key(1), vec![2]).unwrap();
    o.put(key(1), vec![3]).unwrap();
    assert_eq!(o.read(&key(1)).unwrap().unwrap().version, 1);
    let writes = o.into_writes();
    let w = writes.iter().next().unwrap();
    assert_eq!(writes.len(), 1);
    assert_eq!((w.entry.version, &w.entry.content), (1, &vec![3]));
    assert_eq!(w.replaces, Some(vec![1]));
}

#[test]
fn content_that_returns_to_the_base_is_no_write() {
    let mut o = Overlay::new(base(&[(1, 1)]));
    o.put(key(1), vec![2]).unwrap();
    o.put(key(1), vec![1]).unwrap();
    assert!(o.into_writes().is_empty());
}

#[test]
fn inner_rollback_keeps_outer_writes_and_outer_rollback_takes_all() {
    let mut o = Overlay::new(base(&[(1, 1)]));
    let outer: Result<(), ()> = o.atomically(|o| {
        o.put(key(1), vec![5]).map_err(|_| ())?;
        let inner: Result<(), ()> = o.atomically(|o| {
            o.put(key(1), vec![6]).map_err(|_| ())?;
            o.insert(key(9), vec![9]).map_err(|_| ())?;
            Err(())
        });
        assert_eq!(inner, Err(()));
        assert_eq!(o.content(&key(1)), Ok(Some(vec![5])));
        assert_eq!(o.content(&key(9)), Ok(None));
        // An inner step that succeeds is undone with its outer one.
        o.atomically(|o| o.insert(key(8), vec![8]))
            .map_err(|_| ())?;
        Err(())
    });
    assert_eq!(outer, Err(()));
    assert_eq!(o.content(&key(1)), Ok(Some(vec![1])));
    assert!(o.into_writes().is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u8),
    Put(u8, u8),
    Group { steps: Vec<Self>, fails: bool },
}

fn steps(depth: u32) -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        (0u8..6, 0u8..4).prop_map(|(k, v)| Step::Insert(k, v)),
        (6u8..9, 0u8..4).prop_map(|(k, v)| Step::Put(k, v)),
    ];
    let step = leaf.prop_recursive(depth, 24, 6, |inner| {
        (prop::collection::vec(inner, 0..6), any::<bool>())
            .prop_map(|(steps, fails)| Step::Group { steps, fails })
    });
    prop::collection::vec(step, 0..12)
}

/// The same history on a plain map, where undoing is restoring a copy.
fn on_map(map: &mut BTreeMap<u8, u8>, steps: &[Step]) {
    for s in steps {
        match s {
            Step::Insert(k, v) => {
                map.entry(*k).or_insert(*v);
            }
            Step::Put(k, v) => {
                map.insert(*k, *v);
            }
            Step::Group { steps, fails } => {
                let before = map.clone();
                on_map(map, steps);
                if *fails {
                    *map = before;
                }
            }
        }
    }
}

fn on_overlay(o: &mut Overlay<&MemoryState>, steps: &[Step]) {
    for s in steps {
        match s {
            Step::Insert(k, v) => drop(o.insert(key(*k), vec![*v])),
            Step::Put(k, v) => drop(o.put(key(*k), vec![*v])),
            Step::Group { steps, fails } => {
                let _ = o.atomically(|o| {
                    on_overlay(o, steps);
                    if *fails { Err(()) } else { Ok(()) }
                });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn overlay_equals_sequential_application_on_a_map(
        start in prop::collection::btree_map(0u8..9, 0u8..4, 0..6),
        steps in steps(3),
    ) {
        let records: Vec<_> = start.iter().map(|(k, v)| (*k, *v)).collect();
        let before = base(&records);
        let mut overlay = Overlay::new(&before);
        on_overlay(&mut overlay, &steps);
        let mut map = start;
        on_map(&mut map, &steps);
        for k in 0..9 {
            prop_assert_eq!(overlay.content(&key(k)).unwrap(), map.get(&k).map(|v| vec![*v]));
        }
        let writes = overlay.into_writes();
        prop_assert!(writes.iter().is_sorted_by(|a, b| a.key < b.key));
        let mut after = before.clone();
        after.apply(&writes);
        let contents: BTreeMap<_, _> = after.iter().map(|(k, e)| (k.data[0], e.content[0])).collect();
        prop_assert_eq!(contents, map);
        for w in &writes {
            let old = before.read(&w.key).unwrap();
            prop_assert_eq!(w.entry.version, old.as_ref().map_or(0, |e| e.version + 1));
            prop_assert_eq!(&w.replaces, &old.map(|e| e.content));
        }
    }
}
