//! Proofs and stored rows of the trie.

use std::sync::{Arc, LazyLock};

use quil_kzg::Kzg;
use quil_trie::{
    Changes, Key, LeafValue, LeafWrite, MemoryNodes, NodeKey, NodeSource, Proof, RootRecord, SetId,
    Trie, prove_many, verify,
};
use quil_types::ShardAddr;

use super::{LARGE, SMALL, decoder, one_encoding, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("trie.proof", 2000, SMALL, proof_bytes, proof),
    verifier("trie.verify", 80, proofs, verified),
    decoder("trie.node_key", 3000, SMALL, node_keys, node_key),
    decoder("trie.root_record", 3000, SMALL, root_records, root_record),
    decoder("trie.stored_node", 150, LARGE, stored, stored_node),
];

const SET: SetId = SetId {
    addr: ShardAddr([0x11; 32]),
    phase: 0,
};

struct Fixture {
    trie: Trie,
    root: RootRecord,
    rows: Vec<(NodeKey, Vec<u8>)>,
    queries: Vec<Key>,
}

fn key(i: u8) -> Key {
    Key::join(
        &[7; 32],
        &core::array::from_fn(|j| i.wrapping_mul(37) ^ j as u8),
    )
}

fn value(i: u8) -> LeafValue {
    LeafValue {
        size: u64::from(i),
        content: [i; 32],
    }
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let changes: Changes = (0..40)
        .map(|i| {
            let write = LeafWrite {
                value: value(i),
                payload: None,
            };
            (key(i), Some(write))
        })
        .collect();
    let update = Trie::empty(SET)
        .update(&Kzg::insecure_shared(), 1, &changes)
        .expect("distinct keys");
    Fixture {
        root: update.trie.root_record(),
        rows: update
            .batch
            .writes
            .iter()
            .map(|(k, b)| (*k, b.encode()))
            .collect(),
        trie: update.trie,
        // Present, absent below the common prefix, absent elsewhere.
        queries: vec![key(0), key(39), key(60), Key([9; 64])],
    }
});

/// claim || proof.
fn proofs() -> Vec<Vec<u8>> {
    let f = &*FIXTURE;
    (0..)
        .zip(&f.queries)
        .map(|(claim, key)| {
            let (_, proof) =
                prove_many(&Kzg::insecure_shared(), &[(&f.trie, *key)]).expect("a few openings");
            let mut out = vec![claim];
            out.extend(proof.to_bytes());
            out
        })
        .collect()
}

fn proof_bytes() -> Vec<Vec<u8>> {
    proofs().iter().map(|p| p[1..].to_vec()).collect()
}

fn proof(bytes: &[u8]) -> Verdict {
    one_encoding(bytes, Proof::from_bytes(bytes), Proof::to_bytes)
}

fn verified(bytes: &[u8]) -> Verdict {
    let f = &*FIXTURE;
    let Some((claim, proof)) = bytes.split_first() else {
        return Verdict::Refused;
    };
    let (Some(key), Ok(proof)) = (f.queries.get(usize::from(*claim)), Proof::from_bytes(proof))
    else {
        return Verdict::Refused;
    };
    let expect = match f.trie.get(key).expect("in memory") {
        Some(leaf) => quil_trie::Expectation::Present(leaf.value),
        None => quil_trie::Expectation::Absent,
    };
    let kzg = Kzg::insecure_shared();
    let result = verify(kzg.verifier(), &f.trie.root(), &SET, key, expect, &proof);
    Verdict::of(&result)
}

fn node_keys() -> Vec<Vec<u8>> {
    FIXTURE.rows.iter().map(|(k, _)| k.to_bytes()).collect()
}

fn node_key(bytes: &[u8]) -> Verdict {
    one_encoding(
        bytes,
        NodeKey::from_bytes(bytes).ok_or(()),
        NodeKey::to_bytes,
    )
}

fn root_records() -> Vec<Vec<u8>> {
    vec![FIXTURE.root.to_bytes(), RootRecord::EMPTY.to_bytes()]
}

fn root_record(bytes: &[u8]) -> Verdict {
    let decoded = RootRecord::from_bytes(bytes);
    if let Ok(record) = &decoded {
        // Opening may refuse it; a value may not change.
        let source: Arc<dyn NodeSource> = source(None);
        if let Ok(trie) = Trie::open(SET, record.clone(), source)
            && trie.root() == FIXTURE.trie.root()
            && let Ok(leaf) = trie.get(&key(0))
        {
            assert_eq!(leaf.map(|l| l.value), Some(value(0)));
        }
    }
    one_encoding(bytes, decoded, RootRecord::to_bytes)
}

fn source(top: Option<&[u8]>) -> Arc<MemoryNodes> {
    let nodes = MemoryNodes::default();
    nodes.edit(|rows| {
        for (i, (key, bytes)) in FIXTURE.rows.iter().enumerate() {
            let bytes = if i == 0 { top.unwrap_or(bytes) } else { bytes };
            rows.insert((SET, *key), bytes.to_vec());
        }
    });
    Arc::new(nodes)
}

fn stored() -> Vec<Vec<u8>> {
    vec![FIXTURE.rows[0].1.clone()]
}

/// A bent row is an error, or gives leaves of the keys asked for: rows are the node's own, and their commitments are
/// checked by samples (K5), not at every read.
fn stored_node(bytes: &[u8]) -> Verdict {
    let trie =
        Trie::open(SET, FIXTURE.root.clone(), source(Some(bytes))).expect("the root is whole");
    let mut whole = true;
    for i in 0..40 {
        match trie.get(&key(i)) {
            Ok(leaf) => {
                whole &= leaf.as_ref().is_some_and(|l| l.value == value(i));
                assert!(
                    leaf.is_none_or(|l| l.key == key(i)),
                    "a leaf of another key"
                );
            }
            Err(_) => whole = false,
        }
    }
    Verdict::when(whole)
}
