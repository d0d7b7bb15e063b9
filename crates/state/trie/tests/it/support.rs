use std::collections::BTreeMap;
use std::sync::Arc;

use quil_kzg::{Commitment, Kzg};
use quil_trie::{
    Changes, EMPTY_SLOT, KEY_NIBBLES, Key, LeafValue, LeafWrite, Nibbles, SetId, Slot, Trie,
    branch_slot, leaf_slot,
};
use quil_types::ShardAddr;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) const SET: SetId = SetId {
    addr: ShardAddr([0x11; 32]),
    phase: 0,
};
pub(crate) const OTHER_SET: SetId = SetId {
    addr: ShardAddr([0x11; 32]),
    phase: 1,
};

pub(crate) type Model = BTreeMap<Key, LeafValue>;

pub(crate) fn kzg() -> Arc<Kzg> {
    Kzg::insecure_shared()
}

pub(crate) fn value(n: u64) -> LeafValue {
    LeafValue {
        size: n,
        content: [u8::try_from(n % 251).unwrap(); 32],
    }
}

pub(crate) fn random_keys(seed: u64, n: usize) -> Vec<Key> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..n)
        .map(|_| {
            let mut low = [0; 32];
            rng.fill_bytes(&mut low);
            Key::join(&[7; 32], &low)
        })
        .collect()
}

/// A key whose nibbles begin with `head`; the rest is `fill`.
pub(crate) fn key_of(head: &[u8], fill: u8) -> Key {
    let mut bits = Vec::new();
    for i in 0..KEY_NIBBLES {
        let n = head.get(i).copied().unwrap_or(fill);
        bits.extend((0..6).rev().map(|b| (n >> b) & 1));
    }
    let mut out = [0; 64];
    for (i, bit) in bits.iter().take(512).enumerate() {
        out[i / 8] |= bit << (7 - i % 8);
    }
    Key(out)
}

pub(crate) fn changes(list: &[(Key, Option<LeafValue>)]) -> Changes {
    list.iter()
        .map(|(k, v)| {
            (
                *k,
                v.map(|value| LeafWrite {
                    value,
                    payload: None,
                }),
            )
        })
        .collect()
}

pub(crate) fn build(set: SetId, model: &Model) -> Trie {
    let list: Vec<_> = model.iter().map(|(k, v)| (*k, Some(*v))).collect();
    Trie::empty(set)
        .update(&kzg(), 1, &changes(&list))
        .unwrap()
        .trie
}

pub(crate) fn model_of(keys: &[Key]) -> Model {
    keys.iter().zip(1..).map(|(k, n)| (*k, value(n))).collect()
}

/// K1 from its definition: group by nibble, commit by plain multiplication.
pub(crate) fn naive_root(set: &SetId, model: &Model) -> Slot {
    let leaves: Vec<(Key, LeafValue)> = model.iter().map(|(k, v)| (*k, *v)).collect();
    naive(set, &leaves, 0)
}

fn naive(set: &SetId, leaves: &[(Key, LeafValue)], depth: usize) -> Slot {
    match leaves {
        [] => EMPTY_SLOT,
        [(key, value)] => leaf_slot(set, key, value),
        _ => {
            let nibble = |k: &Key, i: usize| k.nibble(i).unwrap();
            let at = (depth..)
                .find(|&i| {
                    leaves
                        .iter()
                        .any(|(k, _)| nibble(k, i) != nibble(&leaves[0].0, i))
                })
                .unwrap();
            let prefix: Vec<u8> = (depth..at).map(|i| nibble(&leaves[0].0, i)).collect();
            let kzg = kzg();
            let mut sum = quil_bls48581::G1Projective::identity();
            for index in 0..64u8 {
                let below: Vec<_> = leaves
                    .iter()
                    .filter(|(k, _)| nibble(k, at) == index)
                    .copied()
                    .collect();
                let slot = naive(set, &below, at + 1);
                if slot != EMPTY_SLOT {
                    let point = kzg.lagrange()[usize::from(index)];
                    sum = sum.add(&point.mul_vartime(&quil_kzg::slot_scalar(&slot)));
                }
            }
            branch_slot(
                set,
                &Nibbles::from_slice(&prefix).unwrap(),
                &Commitment::from(&sum),
            )
        }
    }
}
