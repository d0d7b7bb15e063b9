//! Typed tables: ordered encodings, prefixes, strict decoding.

use std::fmt::Debug;

use proptest::prelude::*;
use quil_store::{
    Desc, Direction, Key, KeyRange, MemStore, Prefix, Scan, Store, StoreError, TableDef, Tail,
};
use quil_store::{TypedTable, WriteBatch};

type NodeKey = (u32, [u8; 4], Desc);
const NODES: TypedTable<NodeKey, (u8, Vec<u8>)> = TypedTable::new("nodes", 64);
const HEAD: TypedTable<(), u64> = TypedTable::new("head", 8);

fn filled() -> MemStore {
    let store = MemStore::new();
    let mut batch = WriteBatch::new();
    for set in 0..3_u32 {
        for path in [[0; 4], [0, 0, 0, 1], [255; 4]] {
            for version in [1, 5, 300] {
                NODES
                    .put(&mut batch, &(set, path, Desc(version)), &(9, path.to_vec()))
                    .unwrap();
            }
        }
    }
    HEAD.put(&mut batch, &(), &77).unwrap();
    store.commit(&batch).unwrap();
    store
}

#[test]
fn newest_version_at_or_before_a_frame_is_one_seek() {
    let store = filled();
    let view = store.view().unwrap();
    let at = |frame| {
        let range = TypedTable::<NodeKey, (u8, Vec<u8>)>::range(
            &((1, [0; 4], Desc(frame))..=(1, [0; 4], Desc(0))),
        );
        NODES
            .first(&*view, &range)
            .unwrap()
            .map(|((_, _, version), _)| version.0)
    };
    assert_eq!(
        [at(0), at(1), at(4), at(5), at(299), at(u64::MAX)],
        [None, Some(1), Some(1), Some(5), Some(5), Some(300)]
    );
}

#[test]
fn get_put_delete_and_prefixes() {
    let store = filled();
    let view = store.view().unwrap();
    let key = (2, [255; 4], Desc(5));
    assert_eq!(NODES.get(&*view, &key).unwrap(), Some((9, vec![255; 4])));
    assert!(NODES.contains(&*view, &key).unwrap());
    assert_eq!(HEAD.get(&*view, &()).unwrap(), Some(77));
    let count = |range: KeyRange| NODES.rows(&*view, range, Direction::Forward).count();
    assert_eq!(count(KeyRange::all()), 27);
    assert_eq!(
        count(TypedTable::<NodeKey, (u8, Vec<u8>)>::prefix(&1_u32)),
        9
    );
    assert_eq!(
        count(TypedTable::<NodeKey, (u8, Vec<u8>)>::prefix(&(
            1_u32, [0_u8; 4]
        ))),
        3
    );
    let last = NODES.last(&*view, &KeyRange::all()).unwrap().unwrap().0;
    assert_eq!(last, (2, [255; 4], Desc(1)));

    let mut batch = WriteBatch::new();
    NODES.delete(&mut batch, &key).unwrap();
    NODES.delete_prefix(&mut batch, &0_u32).unwrap();
    NODES
        .delete_range(
            &mut batch,
            &((1, [0; 4], Desc(u64::MAX))..(1, [255; 4], Desc(u64::MAX))),
        )
        .unwrap();
    store.commit(&batch).unwrap();
    let view = store.view().unwrap();
    assert_eq!(
        NODES
            .rows(&*view, KeyRange::all(), Direction::Backward)
            .count(),
        27 - 1 - 9 - 6
    );
}

#[test]
fn stored_bytes_that_do_not_decode_are_errors() {
    let store = MemStore::new();
    let raw = *NODES.def();
    let key = (1_u32, [0_u8; 4], Desc(1)).encoded();
    for (key, value, what) in [
        (key[..15].to_vec(), vec![1, 0, 0, 0, 0], "key"),
        (key.clone(), vec![1, 0, 0, 0], "value"),
        (key.clone(), vec![1, 0, 0, 0, 0, 0], "value"),
    ] {
        let mut batch = WriteBatch::new();
        batch.delete_range(&raw, KeyRange::all()).unwrap();
        batch.put(&raw, key, value).unwrap();
        store.commit(&batch).unwrap();
        let view = store.view().unwrap();
        let row = NODES
            .rows(&*view, KeyRange::all(), Direction::Forward)
            .next()
            .unwrap();
        assert!(matches!(row, Err(StoreError::Decode { table: "nodes", what: w }) if w == what));
    }
    let wide = TableDef::new("nodes", 17, 64);
    let mut batch = WriteBatch::new();
    batch.delete_range(&raw, KeyRange::all()).unwrap();
    batch
        .put(&wide, [&key[..], &[0]].concat(), vec![1, 0, 0, 0, 0])
        .unwrap();
    store.commit(&batch).unwrap();
    assert!(
        NODES
            .first(&*store.view().unwrap(), &KeyRange::all())
            .is_err(),
        "a key with a trailing byte"
    );
}

#[test]
fn values_over_the_bound_of_their_table_are_refused() {
    let mut batch = WriteBatch::new();
    let result = NODES.put(&mut batch, &(0, [0; 4], Desc(0)), &(1, vec![0; 60]));
    assert!(matches!(
        result,
        Err(StoreError::ValueTooLong {
            table: "nodes",
            len: 65,
            max: 64
        })
    ));
}

#[test]
fn debug_of_tables_names_them() {
    assert!(format!("{NODES:?}").contains("nodes"));
}

#[test]
fn a_tail_longer_than_its_bound_is_refused_in_both_directions() {
    const T: TypedTable<(u8, Tail<4>), u8> = TypedTable::new("tails", 1);
    let mut batch = WriteBatch::new();
    assert!(T.put(&mut batch, &(1, Tail(vec![0; 4])), &1).is_ok());
    assert!(matches!(
        T.put(&mut batch, &(1, Tail(vec![0; 5])), &1),
        Err(StoreError::KeyTooLong { .. })
    ));
    assert_eq!(Tail::<4>::decode_from(&mut &[0_u8; 5][..]), None);
}

fn order_and_round_trip<K: Key + Ord + Debug>(a: &K, b: &K) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.cmp(b), a.encoded().cmp(&b.encoded()));
    let bytes = a.encoded();
    prop_assert!(bytes.len() <= K::ENCODED_MAX);
    let mut rest = bytes.as_slice();
    prop_assert_eq!(&K::decode_from(&mut rest).unwrap(), a);
    prop_assert!(rest.is_empty());
    for cut in 0..bytes.len() {
        if let Some(other) = K::decode_from(&mut &bytes[..cut]) {
            prop_assert!(other != *a, "a cut key must not decode to the same key");
        }
    }
    Ok(())
}

fn is_prefix<K: Key, P: Prefix<K>>(prefix: &P, key: &K) -> bool {
    key.encoded().starts_with(&prefix.encoded())
}

#[test]
fn protocol_ids_are_keys_in_their_order() {
    use quil_types::{Chain, Epoch, FrameId, FrameNumber, Rank, ShardAddr, Timestamp};
    let chains = [
        Chain::Global,
        Chain::Shard(ShardAddr::ZERO),
        Chain::Shard(ShardAddr([9; 32])),
    ];
    for a in chains {
        for b in chains {
            order_and_round_trip(&a, &b).unwrap();
            order_and_round_trip(&(a, FrameNumber::new(2)), &(b, FrameNumber::new(1))).unwrap();
        }
        let key = (a, Epoch::new(3), Rank::new(4), FrameId([1; 32]));
        order_and_round_trip(&key, &(a, Epoch::new(3), Rank::new(300), FrameId([0; 32]))).unwrap();
        assert!(is_prefix(&(a, Epoch::new(3)), &key));
    }
    order_and_round_trip(&Timestamp::new(1), &Timestamp::new(256)).unwrap();
    let mut alias = [0_u8; 33];
    alias[32] = 1;
    assert_eq!(
        Chain::decode_from(&mut &alias[..]),
        None,
        "one encoding of the global chain"
    );
    assert_eq!(Chain::decode_from(&mut &[2_u8; 33][..]), None);
}

proptest! {
    #[test]
    fn key_encodings_keep_order(
        a: (u8, u16, u32, u64), b: (u8, u16, u32, u64), wide: (u128, u128), arrays: ([u8; 3], [u8; 3]),
        tails: (Vec<u8>, Vec<u8>), heads: (u8, u8),
    ) {
        order_and_round_trip(&a, &b)?;
        order_and_round_trip(&wide.0, &wide.1)?;
        order_and_round_trip(&(arrays.0, a.0), &(arrays.1, b.0))?;
        order_and_round_trip(&(a.0, Desc(a.3), a.1), &(b.0, Desc(b.3), b.1))?;
        order_and_round_trip(&(heads.0 & 1, Tail::<200>(tails.0)), &(heads.1 & 1, Tail::<200>(tails.1)))?;
        prop_assert!(is_prefix::<(u8, u16, u32, u64), _>(&a.0, &a));
        prop_assert!(is_prefix::<(u8, u16, u32, u64), _>(&(a.0, a.1), &a));
        prop_assert!(is_prefix::<(u8, u16, u32, u64), _>(&(a.0, a.1, a.2), &a));
    }

    #[test]
    fn prefix_range_holds_exactly_the_keys_with_the_prefix(prefix: Vec<u8>, key: Vec<u8>, join: bool) {
        let key = if join { [&prefix[..], &key[..]].concat() } else { key };
        prop_assert_eq!(KeyRange::prefix(&prefix).contains(&key), key.starts_with(&prefix));
    }
}

#[test]
fn prefix_of_all_ones_is_open_above() {
    let range = KeyRange::prefix(&[255, 255]);
    assert!(range.contains(&[255, 255, 255]) && !range.contains(&[255, 254]));
    assert!(KeyRange::prefix(&[]).contains(&[]));
    let store = MemStore::new();
    assert!(
        !store
            .view()
            .unwrap()
            .scan(HEAD.def(), &Scan::backward(range, 1))
            .unwrap()
            .more
    );
}
