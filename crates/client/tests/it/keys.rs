//! Keys and ceremony, on real files.

use std::fs;
use std::path::Path;

use quil_client::Output;
use quil_client::ceremony;
use quil_client::key::{KeyFile, NewKind};

fn keys(home: &Path, passphrase: &str) -> KeyFile {
    KeyFile::new(home, passphrase).unwrap().cheap()
}

fn json(doc: &quil_client::Document) -> serde_json::Value {
    serde_json::from_str(&doc.render(Output::Json)).unwrap()
}

#[test]
fn exported_phrase_brings_the_address_back() {
    let home = tempfile::tempdir().unwrap();
    let keys = keys(home.path(), "a passphrase");
    let made = json(&keys.create("alice", NewKind::Wallet).unwrap());
    let phrase = json(&keys.export("alice").unwrap())["phrase"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = json(&keys.import("again", &phrase).unwrap());
    assert_eq!(made["identity"], again["identity"]);
    let list = json(&keys.list().unwrap());
    assert_eq!(list["keys"].as_array().unwrap().len(), 2);
    assert!(
        !list.to_string().contains(&phrase),
        "a list shows no secret"
    );
}

#[test]
fn failures_have_codes_and_exit_codes() {
    let home = tempfile::tempdir().unwrap();
    let keys_of = keys(home.path(), "right");
    keys_of.create("p", NewKind::Prover).unwrap();
    let code = |f: quil_client::Failure| (f.code, f.exit_code());
    assert_eq!(
        code(keys_of.create("p", NewKind::Peer).unwrap_err()),
        ("key.exists", 1)
    );
    assert_eq!(
        code(keys_of.export("nobody").unwrap_err()),
        ("key.unknown", 7)
    );
    assert_eq!(
        code(keys_of.import("w", "one two").unwrap_err()),
        ("key.phrase", 2)
    );
    assert_eq!(
        code(keys(home.path(), "wrong").list().unwrap_err()),
        ("key.passphrase", 6)
    );
    assert_eq!(
        code(KeyFile::new(home.path(), "").unwrap_err()),
        ("passphrase", 2)
    );
    let file = home.path().join("keys.qks");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(keys_of.list().unwrap_err().exit_code(), 1);
}

#[cfg(unix)]
#[test]
fn key_store_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    keys(home.path(), "x").create("a", NewKind::Peer).unwrap();
    let mode = fs::metadata(home.path().join("keys.qks"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn ceremony_of_two_contributions_verifies_and_binds_its_network() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("srs.bin");
    let keys = keys(home.path(), "x");
    keys.create("p", NewKind::Prover).unwrap();
    let seed = "11".repeat(32);
    let network = ceremony::binding("testnet", &seed).unwrap();
    ceremony::init(&file, network.clone()).unwrap();
    for _ in 0..2 {
        ceremony::contribute(&file, &file, &network, &keys, "p").unwrap();
    }
    assert_eq!(
        json(&ceremony::verify(&file, &network).unwrap())["contributions"],
        2
    );
    let other = ceremony::binding("othernet", &seed).unwrap();
    assert_eq!(
        ceremony::verify(&file, &other).unwrap_err().code,
        "ceremony.refused"
    );
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(ceremony::verify(&file, &network).is_err());
    assert!(ceremony::binding("x", "12").is_err());
    assert_eq!(
        ceremony::verify(Path::new("/nowhere/srs"), &network)
            .unwrap_err()
            .exit_code(),
        7
    );
}
