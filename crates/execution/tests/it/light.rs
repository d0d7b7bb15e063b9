//! The hypergraph under execution, and records proven from the root of the shard table (S4, K2).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_execution::frame::execute;
use quil_execution::global::registry::{genesis_row, token_genesis};
use quil_execution::light::{
    LightError, ProveError, RECORD_PROOF_BYTES_MAX, RecordProof, prove_record, verify_record,
};
use quil_execution::state::{RecordKey, StateView, write_to};
use quil_execution::token::TokenRecord;
use quil_execution::token::records::{coin_key, index_key, load_index, supply_key};
use quil_hypergraph::{Family, Mode, ShardState, ShardTable, Snapshot, StateError};
use quil_kzg::Kzg;
use quil_types::bundle::Home;
use quil_types::{Body, Bounded, Canonical, CoinId, ShardAddr};

use crate::world::{World, account};

const SHARD: ShardAddr = ShardAddr([0x42; 32]);

fn kzg() -> Arc<Kzg> {
    Kzg::insecure_shared()
}

/// The same frame on a plain map and on the hypergraph.
fn settled() -> (World, ShardState, ShardTable) {
    let alice = account(1);
    let mut w = World::new();
    let mut genesis = Snapshot::new(ShardState::empty(SHARD)).overlay();
    write_to(&token_genesis(w.rules.domain), &mut genesis).unwrap();
    let snapshot = genesis.freeze().unwrap();
    let body = Body::Shard(Bounded::try_from(vec![w.mint(&alice, 500)]).unwrap());
    let mut overlay = snapshot.overlay();
    let result = execute(&overlay, &body, &w.context()).unwrap();
    assert_eq!(result, execute(&w.state, &body, &w.context()).unwrap());
    write_to(&result.writes, &mut overlay).unwrap();
    w.state.apply(&result.writes);
    let snapshot = overlay.freeze().unwrap();
    let (rest, _) = snapshot.commit_oldest(&kzg(), 0).unwrap().unwrap();
    let (last, _) = rest.commit_oldest(&kzg(), 1).unwrap().unwrap();
    let state = last.base().clone();
    let rows = BTreeMap::from([
        (SHARD, genesis_row(state.roots())),
        (ShardAddr([1; 32]), genesis_row([[0; 64]; 4])),
    ]);
    let table = ShardTable::empty().update(&kzg(), 1, &rows).unwrap().0;
    (w, state, table)
}

fn coin(w: &World) -> RecordKey {
    let d = w.rules.domain;
    let id = load_index(&w.state, &index_key(d, Home::default(), 0))
        .unwrap()
        .unwrap();
    coin_key(d, Home::default(), id)
}

#[test]
fn hypergraph_and_plain_map_hold_the_same_records() {
    let (w, state, _) = settled();
    for (key, entry) in w.state.iter() {
        assert_eq!(state.read(key).unwrap().as_ref(), Some(entry), "{key:?}");
    }
}

#[test]
fn settled_record_and_absence_are_proven_from_the_table_root() {
    let (w, state, table) = settled();
    let key = coin(&w);
    let proof = prove_record(&kzg(), &table, &state, &key).unwrap();
    let shown = verify_record(kzg().verifier(), &table.root(), SHARD, &key, &proof).unwrap();
    let entry = shown.entry.unwrap();
    assert_eq!(
        (shown.row.roots, entry.mode),
        (state.roots(), Mode::InsertOnly)
    );
    assert!(matches!(
        TokenRecord::decode(&entry.content, 4096),
        Ok(TokenRecord::Coin(_))
    ));
    let nothing = coin_key(w.rules.domain, Home::default(), CoinId([7; 32]));
    let absent = prove_record(&kzg(), &table, &state, &nothing).unwrap();
    let shown = verify_record(kzg().verifier(), &table.root(), SHARD, &nothing, &absent).unwrap();
    assert_eq!(shown.entry, None);
}

#[test]
fn proof_is_bound_to_root_shard_key_row_and_entry() {
    let (w, state, table) = settled();
    let key = coin(&w);
    let good = prove_record(&kzg(), &table, &state, &key).unwrap();
    let verify = |root: &[u8; 64], shard, key: &RecordKey, p: &RecordProof| {
        verify_record(kzg().verifier(), root, shard, key, p).is_ok()
    };
    assert!(verify(&table.root(), SHARD, &key, &good));
    assert!(!verify(&[1; 64], SHARD, &key, &good));
    assert!(!verify(&table.root(), ShardAddr([1; 32]), &key, &good));
    assert!(!verify(
        &table.root(),
        SHARD,
        &supply_key(w.rules.domain),
        &good
    ));
    let mut row = good.clone();
    row.row.size += 1;
    assert!(!verify(&table.root(), SHARD, &key, &row));
    let mut entry = good.clone();
    let mut bytes = entry.entry.unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    entry.entry = Some(bytes.try_into().unwrap());
    assert!(!verify(&table.root(), SHARD, &key, &entry));
    let mut none = good.clone();
    none.entry = None;
    assert!(
        !verify(&table.root(), SHARD, &key, &none),
        "presence is no proof of absence"
    );
    let mut junk = good.clone();
    junk.entry = Some(vec![9; 3].try_into().unwrap());
    let got = verify_record(kzg().verifier(), &table.root(), SHARD, &key, &junk);
    assert!(matches!(got, Err(LightError::Entry(_))));
    let bytes = good.encode();
    assert_eq!(
        RecordProof::decode(&bytes, RECORD_PROOF_BYTES_MAX),
        Ok(good)
    );
}

#[test]
fn only_the_settled_state_can_prove() {
    let (w, state, table) = settled();
    let empty = ShardState::empty(SHARD);
    let key = coin(&w);
    assert_eq!(
        prove_record(&kzg(), &table, &empty, &key),
        Err(ProveError::OtherState)
    );
    let stranger = ShardState::empty(ShardAddr([9; 32]));
    assert_eq!(
        prove_record(&kzg(), &table, &stranger, &key),
        Err(ProveError::UnknownShard)
    );
    assert_eq!(state.shard(), SHARD);
}

#[test]
fn token_records_are_written_once_and_counters_by_compare_and_set() {
    let (mut w, state, _) = settled();
    let alice = account(1);
    let before = w.state.clone();
    let bundles = vec![w.mint(&alice, 9)];
    let result = w.execute(bundles).unwrap();
    let mut overlay = Snapshot::new(state).overlay();
    write_to(&result.writes, &mut overlay).unwrap();
    for w in &result.writes {
        let stored = overlay.visible(Family::Vertex, &w.key.atom()).unwrap();
        assert_eq!(
            stored,
            Some(w.graph_entry().unwrap()),
            "the write says what the leaf will be"
        );
    }
    let supply = overlay.read(&supply_key(w.rules.domain)).unwrap().unwrap();
    let old = before.read(&supply_key(w.rules.domain)).unwrap().unwrap();
    assert_eq!(supply.version, old.version + 1);
    let again = write_to(&result.writes, &mut overlay);
    assert!(
        matches!(again, Err(StateError::Exists(_))),
        "a coin is never written twice"
    );
}
