//! Paths recorded as known answers, and the bytes that must never change by accident.

use quil_trie::{Key, Trie};
use serde_json::Value;

use crate::support::{SET, build, key_of, kzg, model_of, random_keys};

#[test]
fn recorded_paths() {
    let file: Value = serde_json::from_str(include_str!("../vectors/paths.json")).unwrap();
    let paths = file["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 9);
    for p in paths {
        let bytes = hex::decode(p["key"].as_str().unwrap()).unwrap();
        let mut key = Key([0; 64]);
        key.0[..bytes.len()].copy_from_slice(&bytes);
        let want: Vec<u8> = p["full_path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| u8::try_from(n.as_u64().unwrap()).unwrap())
            .collect();
        assert_eq!(key.nibbles(0, want.len()).as_slice(), want);
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(quil_trie::content_hash(bytes))
}

/// Roots, records, keys and proofs of a fixed trie over the test SRS.
#[test]
fn formats_are_unchanged() {
    let keys = random_keys(42, 100);
    let trie = build(SET, &model_of(&keys));
    let update = trie.update(&kzg(), 2, &[(keys[0], None)].into()).unwrap();
    let mut nodes = Vec::new();
    for (key, node) in &update.batch.writes {
        nodes.extend(key.to_bytes());
        nodes.extend(node.encode());
    }
    let proof = trie.prove(&kzg(), &keys[7]).unwrap().1.to_bytes();
    let absent = trie.prove(&kzg(), &key_of(&[1], 1)).unwrap().1.to_bytes();
    let got = [
        digest(&trie.root()),
        digest(&update.batch.root.to_bytes()),
        digest(&nodes),
        digest(&proof),
        digest(&absent),
        digest(&Trie::empty(SET).root_record().to_bytes()),
    ];
    assert_eq!(got, FORMATS);
}

const FORMATS: [&str; 6] = [
    "049f807789ecde1c7c2d94955b9cdeb9870f6a34ea59739dc4ff2a3c5566c265",
    "4a4c965c0a3b6557a9b3ff35b56ed297119ae73393a57dd576c72625e11d75d1",
    "c0708fde4dd60a45d57f5fc1631a02588785124cac2bc4b2b0fd9a189788f424",
    "e93af5532716975d4ba6cfa8fe827d65d088f278de5bef61907a5cf5f6e8e78f",
    "ea19bfadaa7a63967b77547d7fdd67ffead6a21e284ada054d363ff9b797274c",
    "6a0dc3e9cd84b4a4c03b98a2afa381b1a853575b8cffb01e962bbbac0e9d80b0",
];
