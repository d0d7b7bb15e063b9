//! Known answers: a change of them is a change of the protocol.

use quil_decaf::{CompressedPoint, SecretScalar};
use quil_types::{Canonical, Digest, Domain, GenesisHash};
use quil_verenc::{Context, Draft, ObjectId, Readers, Record, Version, limits::RECORD_BYTES_MAX};
use serde_json::Value;

use crate::support::{key, rng, secret, text};

fn load() -> Value {
    serde_json::from_str(include_str!("../vectors/verenc.json")).expect("json")
}

fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().expect("text")).expect("hex")
}

fn array<const N: usize>(v: &Value) -> [u8; N] {
    bytes(v).try_into().expect("length")
}

fn number(v: &Value) -> u64 {
    v.as_u64().expect("number")
}

fn context(v: &Value) -> Context {
    Context {
        genesis: GenesisHash(array(&v["genesis"])),
        domain: Domain(array(&v["domain"])),
        object: ObjectId(array(&v["object"])),
        version: Version::new(number(&v["version"])),
        writer: array(&v["writer"]),
        previous: Digest(array(&v["previous"])),
    }
}

fn reader_set(v: &Value) -> Readers {
    let keys: Vec<_> = v["readers"]
        .as_array()
        .expect("list")
        .iter()
        .map(|k| CompressedPoint(array(k)))
        .collect();
    Readers::new(&keys).expect("readers")
}

fn digest_of(bytes: &[u8]) -> String {
    use quil_types::{hash::h_bytes, tags};
    hex::encode(h_bytes(tags::CONTENT, bytes))
}

fn hex_of(bytes: &[u8]) -> Value {
    hex::encode(bytes).into()
}

/// One case as it is recorded.
fn case(seed: u64, readers: &[u64], length: usize) -> Value {
    let mut order = readers.to_vec();
    order.sort_by_key(|s| key(*s));
    let keys: Vec<_> = order.iter().map(|s| key(*s)).collect();
    let context = Context {
        genesis: GenesisHash([seed as u8; 32]),
        domain: Domain([2; 32]),
        object: ObjectId([3; 32]),
        version: Version::new(seed),
        writer: key(100).0,
        previous: Digest([seed as u8 + 1; 32]),
    };
    let set = Readers::new(&keys).expect("readers");
    let mut rng = rng(seed);
    let draft = Draft::new(context.clone(), set.clone(), &mut rng).expect("draft");
    let (record, sealed) = draft.seal(&text(length), &mut rng).expect("sealed");
    serde_json::json!({
        "seed": seed,
        "genesis": hex_of(&context.genesis.0),
        "domain": hex_of(&context.domain.0),
        "object": hex_of(&context.object.0),
        "version": context.version.get(),
        "writer": hex_of(&context.writer),
        "previous": hex_of(&context.previous.0),
        "readers": keys.iter().map(|k| hex_of(&k.0)).collect::<Vec<_>>(),
        "reader_secrets": order.iter().map(|s| hex_of(&secret(*s).expose().to_bytes())).collect::<Vec<_>>(),
        "length": length,
        "record": hex_of(&record.encode()),
        "commitment": hex_of(&record.commitment(&context, &set).0),
        "sealed_hash": digest_of(&sealed),
        "sealed_start": hex_of(&sealed[..sealed.len().min(48)]),
    })
}

const CASES: [(u64, &[u64], usize); 5] = [
    (1, &[1], 0),
    (2, &[1], 5),
    (3, &[1, 2, 3], 1000),
    (4, &[4], 65_536),
    (5, &[5, 6], 140_000),
];

#[test]
fn making_gives_the_recorded_objects() {
    let recorded = load();
    let cases = recorded["cases"].as_array().expect("list");
    assert_eq!(cases.len(), CASES.len());
    for ((seed, readers, length), want) in CASES.into_iter().zip(cases) {
        assert_eq!(&case(seed, readers, length), want, "case {seed}");
    }
}

#[test]
fn recorded_objects_verify_and_open() {
    for v in load()["cases"].as_array().expect("list") {
        let (context, set) = (context(v), reader_set(v));
        let record = Record::decode(&bytes(&v["record"]), RECORD_BYTES_MAX).expect("record");
        let verified = record.verify(&context, &set).expect("verifies");
        assert_eq!(verified.commitment().0, array(&v["commitment"]));
        assert_eq!(record.length, number(&v["length"]));
        for secret in v["reader_secrets"].as_array().expect("list") {
            let s = quil_decaf::Scalar::from_bytes(&array(secret)).expect("canonical");
            let k = verified.unlock(&SecretScalar::new(s)).expect("reader");
            let start = bytes(&v["sealed_start"]);
            if verified.layout().sealed_bytes() == start.len() as u64 {
                let plain = text(number(&v["length"]) as usize);
                assert_eq!(k.open(&start).expect("opens").as_slice(), plain);
            }
        }
    }
}

/// Prints the file: `cargo test -p quil-verenc -- --ignored --nocapture print_vectors`.
#[test]
#[ignore = "writes nothing, prints the known answers of this build"]
fn print_vectors() {
    let cases: Vec<Value> = CASES.iter().map(|(s, r, l)| case(*s, r, *l)).collect();
    let file = serde_json::json!({
        "description": "encrypted objects (rule V1): records and sealed bodies from fixed seeds",
        "source": "this implementation, recorded as known answers",
        "cases": cases,
    });
    println!("{}", serde_json::to_string_pretty(&file).expect("json"));
}
