//! Proofs of visibility and of settled records.

use std::collections::BTreeMap;

use quil_hypergraph::{
    Family, Phase, ShardRoots, ShardState, ShardTable, StateError, row_key, verify_settled,
    verify_visible,
};
use quil_kzg::OpeningError;
use quil_trie::{Expectation, LeafValue, ProofError, verify_many};
use quil_types::{Epoch, FrameId, FrameNumber, ShardAddr, ShardRow};

use crate::support::{SHARD, atom, kzg, record, step, token};

fn state() -> ShardState {
    let s = step(&ShardState::empty(SHARD), 1, |o| {
        for n in 0..30 {
            o.insert(token(n * 2000), b"coin").unwrap();
        }
        for n in 0..5 {
            o.put(record(n * 2000 + 1), None, b"r", 0).unwrap();
        }
    });
    step(&s, 2, |o| {
        o.remove(record(1)).unwrap();
        o.remove(record(2001)).unwrap();
    })
}

fn row(s: &ShardState, height: u64) -> ShardRow {
    ShardRow {
        epoch: Epoch::new(1),
        height: FrameNumber::new(height),
        id: FrameId([7; 32]),
        roots: s.roots(),
        size: s.size(),
    }
}

fn table(s: &ShardState) -> ShardTable {
    let rows: BTreeMap<ShardAddr, ShardRow> = (1..9)
        .map(|n| {
            (
                if n == 5 { SHARD } else { ShardAddr([n; 32]) },
                row(s, u64::from(n)),
            )
        })
        .collect();
    ShardTable::empty().update(&kzg(), 1, &rows).unwrap().0
}

fn value(s: &ShardState, phase: Phase, n: u16) -> LeafValue {
    s.trie(phase).get(&atom(n).key()).unwrap().unwrap().value
}

#[test]
fn visible_means_added_and_not_removed() {
    let s = state();
    let prove = |n| {
        s.prove(
            &kzg(),
            &[
                (Phase::VertexAdds, atom(n)),
                (Phase::VertexRemoves, atom(n)),
            ],
        )
        .unwrap()
    };
    let roots = ShardRoots {
        shard: SHARD,
        roots: s.roots(),
    };
    let verify =
        |n, v, p: &_| verify_visible(kzg().verifier(), &roots, Family::Vertex, &atom(n), v, p);
    let (found, proof) = prove(4001);
    let v = found[0].unwrap();
    assert_eq!(found[1], None);
    assert_eq!(verify(4001, v, &proof), Ok(()));
    assert!(
        verify(
            4001,
            LeafValue {
                size: v.size + 1,
                ..v
            },
            &proof
        )
        .is_err()
    );
    assert!(verify(6001, v, &proof).is_err());
    // Present in both sets: not visible.
    let (found, proof) = prove(2001);
    assert!(found[1].is_some());
    assert_eq!(
        verify(2001, found[0].unwrap(), &proof),
        Err(ProofError::NotAbsent(1))
    );
    // The proof of the adds set does not stand in for the removes set.
    let (_, twice) = s
        .prove(
            &kzg(),
            &[
                (Phase::VertexAdds, atom(4001)),
                (Phase::VertexAdds, atom(4002)),
            ],
        )
        .unwrap();
    assert_eq!(verify(4001, v, &twice), Err(ProofError::Root(1)));
}

#[test]
fn settled_record_is_proven_from_the_shards_root() {
    let s = state();
    let t = table(&s);
    let r = t.get(&SHARD).unwrap().unwrap();
    assert_eq!(r, row(&s, 5));
    let present = |n| {
        (
            Phase::VertexAdds,
            atom(n),
            Expectation::Present(value(&s, Phase::VertexAdds, n)),
        )
    };
    let records = [
        present(4000),
        (Phase::VertexRemoves, atom(4000), Expectation::Absent),
    ];
    let queries: Vec<_> = records.iter().map(|(p, a, _)| (*p, *a)).collect();
    let proof = t.prove_settled(&kzg(), &s, &queries).unwrap();
    let verify = |row: &ShardRow, records: &[_]| {
        verify_settled(kzg().verifier(), &t.root(), &SHARD, row, records, &proof)
    };
    assert_eq!(verify(&r, &records), Ok(()));
    let rejected = Err(ProofError::Opening(OpeningError::Rejected));
    assert_eq!(
        verify(
            &ShardRow {
                height: FrameNumber::new(6),
                ..r
            },
            &records
        ),
        rejected
    );
    assert_eq!(verify(&ShardRow { size: 0, ..r }, &records), rejected);
    let mut roots = r.roots;
    roots[0] = [3; 64];
    assert_eq!(
        verify(&ShardRow { roots, ..r }, &records),
        Err(ProofError::Root(1))
    );
    assert!(verify(&r, &[present(2000), records[1]]).is_err());
    assert_eq!(
        verify(&r, &records[..1]),
        Err(ProofError::PathCount {
            paths: 3,
            claims: 2
        })
    );
    let other = ShardAddr([3; 32]);
    assert!(verify_settled(kzg().verifier(), &t.root(), &other, &r, &records, &proof).is_err());
}

#[test]
fn proofs_of_another_state_do_not_fit_the_row() {
    let s = state();
    let t = table(&s);
    let later = step(&s, 3, |o| o.insert(token(9), b"new").unwrap());
    let queries = [(Phase::VertexAdds, atom(9))];
    let proof = t.prove_settled(&kzg(), &later, &queries).unwrap();
    let expect = Expectation::Present(value(&later, Phase::VertexAdds, 9));
    let records = [(Phase::VertexAdds, atom(9), expect)];
    assert_eq!(
        verify_settled(
            kzg().verifier(),
            &t.root(),
            &SHARD,
            &row(&s, 5),
            &records,
            &proof
        ),
        Err(ProofError::Root(1))
    );
}

#[test]
fn table_updates_replace_rows_and_keep_the_rest() {
    let s = state();
    let t = table(&s);
    let rows = [(SHARD, row(&s, 99)), (ShardAddr([200; 32]), row(&s, 1))].into();
    let (next, update) = t.update(&kzg(), 2, &rows).unwrap();
    assert_eq!(
        next.get(&SHARD).unwrap().unwrap().height,
        FrameNumber::new(99)
    );
    assert_eq!(
        next.get(&ShardAddr([1; 32])).unwrap().unwrap().height,
        FrameNumber::new(1)
    );
    assert_eq!(next.get(&ShardAddr([77; 32])), Ok(None));
    assert_ne!(next.root(), t.root());
    assert_eq!(next.trie().recommit(&kzg()), Ok(next.root()));
    assert!(!update.batch.writes.is_empty());
    let proof = next.prove(&kzg(), &SHARD).unwrap();
    let claim = quil_hypergraph::row_claim(&next.root(), &SHARD, &row(&s, 99));
    assert_eq!(claim.key, row_key(&SHARD));
    assert_eq!(verify_many(kzg().verifier(), &[claim], &proof), Ok(()));
}

#[test]
fn tables_reload_from_their_store() {
    let s = state();
    let rows: BTreeMap<ShardAddr, ShardRow> =
        [(SHARD, row(&s, 1)), (ShardAddr([9; 32]), row(&s, 2))].into();
    let (t, update) = ShardTable::<ShardRow>::empty()
        .update(&kzg(), 1, &rows)
        .unwrap();
    let store = crate::support::Store::default();
    store.nodes.apply(&update.batch, true);
    let nodes = std::sync::Arc::<quil_trie::MemoryNodes>::clone(&store.nodes);
    let contents = std::sync::Arc::<crate::support::MemoryContents>::clone(&store.contents);
    let reopened = ShardTable::<ShardRow>::open(update.batch.root, nodes, contents).unwrap();
    assert_eq!(reopened.root(), t.root());
    assert!(matches!(
        reopened.get(&SHARD),
        Err(StateError::ContentMissing(..))
    ));
    for (shard, r) in &rows {
        let bytes = quil_types::Canonical::encode(r);
        let value = (quil_trie::content_hash(&bytes), bytes.into());
        store
            .contents
            .0
            .lock()
            .unwrap()
            .insert((quil_trie::SetId::SHARDS, row_key(shard)), value);
    }
    assert_eq!(reopened.get(&SHARD), Ok(Some(row(&s, 1))));
}
