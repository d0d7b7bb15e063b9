//! Random histories against a map, over every back end, with reopening of the file in between.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;
use quil_store::test_support::FaultDisk;
use quil_store::{
    Direction, KeyRange, MemStore, Op, Row, Scan, StateOptions, Store, TableDef, View, WriteBatch,
};

const TABLES: [TableDef; 2] = [TableDef::new("one", 4, 64), TableDef::new("two", 4, 64)];

type Model = [BTreeMap<Vec<u8>, Vec<u8>>; 2];

/// A short alphabet, so that keys collide and prefixes nest.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, 254, 255]), 0..4)
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        Just(Bound::Unbounded),
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
    ]
}

fn range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        3 => (bound(), bound()).prop_map(|(a, b)| KeyRange::from_bounds(a, b)),
        1 => key().prop_map(|p| KeyRange::prefix(&p)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (key(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(key, value)| Op::Put { key, value }),
        2 => key().prop_map(|key| Op::Delete { key }),
        1 => range().prop_map(|range| Op::DeleteRange { range }),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(usize, Op)>),
    Reopen,
    Read {
        table: usize,
        range: KeyRange,
        backward: bool,
        limit: usize,
        key: Vec<u8>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..2_usize, op()), 0..12).prop_map(Step::Commit),
        1 => Just(Step::Reopen),
        4 => (0..2_usize, range(), any::<bool>(), 0..9_usize, key())
            .prop_map(|(table, range, backward, limit, key)| Step::Read { table, range, backward, limit, key }),
    ]
}

fn apply(model: &mut Model, ops: &[(usize, Op)]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for (index, op) in ops.iter().cloned() {
        let (rows, table) = (&mut model[index], &TABLES[index]);
        match op {
            Op::Put { key, value } => {
                rows.insert(key.clone(), value.clone());
                batch.put(table, key, value).unwrap();
            }
            Op::Delete { key } => {
                rows.remove(&key);
                batch.delete(table, key).unwrap();
            }
            Op::DeleteRange { range } => {
                rows.retain(|key, _| !range.contains(key));
                batch.delete_range(table, range).unwrap();
            }
        }
    }
    batch
}

fn check_read(view: &dyn View, model: &Model, table: usize, scan: &Scan, key: &[u8]) {
    let rows = &model[table];
    assert_eq!(
        view.get(&TABLES[table], key).unwrap().as_ref(),
        rows.get(key)
    );
    let inside = rows.iter().filter(|(k, _)| scan.range.contains(k));
    let mut expected: Vec<Row> = inside
        .map(|(k, v)| Row {
            key: k.clone(),
            value: v.clone(),
        })
        .collect();
    assert!(!scan.range.is_empty() || expected.is_empty());
    if scan.direction == Direction::Backward {
        expected.reverse();
    }
    let page = view.scan(&TABLES[table], scan).unwrap();
    assert_eq!(page.more, expected.len() > scan.limit);
    expected.truncate(scan.limit);
    assert_eq!(page.rows, expected);
}

/// One history on one store; `reopen` gives the store after a restart.
fn run(
    steps: &[Step],
    mut store: Box<dyn Store>,
    mut reopen: impl FnMut(Box<dyn Store>) -> Box<dyn Store>,
) {
    let mut model = Model::default();
    let mut old: Option<(Box<dyn View>, Model)> = None;
    for step in steps {
        match step {
            Step::Commit(ops) => {
                old = Some((store.view().unwrap(), model.clone()));
                store.commit(&apply(&mut model, ops)).unwrap();
            }
            Step::Reopen => {
                old = None;
                store = reopen(store);
            }
            Step::Read {
                table,
                range,
                backward,
                limit,
                key,
            } => {
                let direction = if *backward {
                    Direction::Backward
                } else {
                    Direction::Forward
                };
                let scan = Scan {
                    range: range.clone(),
                    direction,
                    limit: *limit,
                };
                check_read(&*store.view().unwrap(), &model, *table, &scan, key);
                if let Some((view, model)) = &old {
                    check_read(&**view, model, *table, &scan, key);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn histories_agree_with_a_map(steps in prop::collection::vec(step(), 0..24)) {
        let memory = MemStore::new();
        run(&steps, Box::new(memory.clone()), |_| Box::new(memory.clone()));
        let mut disk = FaultDisk::new();
        let store = disk.open_state(StateOptions::new(1)).unwrap();
        run(&steps, Box::new(store), |store| {
            // Every restart is a power cut: all batches were acknowledged, so all must be there.
            let cut = disk.power_cut(steps.len() as u64);
            drop(store);
            disk = cut;
            Box::new(disk.open_state(StateOptions::new(1)).unwrap())
        });
    }
}
