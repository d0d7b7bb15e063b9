use quil_keys::{Alias, ENTRIES_MAX, Entry, EntryError, Identity, KeyStore, Kind};

use crate::fixtures::{COST, alias, full_store, pass, peer, prover, rng, wallet, worker};

#[test]
fn every_kind_survives_sealing() {
    let store = full_store();
    let file = store.seal(&pass("x"), COST, &mut rng(1)).unwrap();
    let back = KeyStore::open(&file, &pass("x")).unwrap();
    assert!(store.list().eq(back.list()));
    assert_eq!(
        *back.wallet(&alias("savings")).unwrap().phrase().unwrap(),
        *wallet(1).phrase().unwrap()
    );
    assert_eq!(
        *back.peer(&alias("node")).unwrap().expose_seed(),
        *peer(2).expose_seed()
    );
    assert_eq!(
        *back.prover(&alias("prover")).unwrap().key().expose_bytes(),
        *prover(3).key().expose_bytes()
    );
    assert_eq!(
        *back
            .worker(&alias("worker-1"))
            .unwrap()
            .key()
            .expose_bytes(),
        *worker(4).key().expose_bytes()
    );
    assert_eq!(
        back.address(&alias("bob")).unwrap(),
        *wallet(9).account(3).unwrap().address()
    );
}

#[test]
fn empty_store_survives_sealing() {
    let file = KeyStore::new().seal(&pass("x"), COST, &mut rng(1)).unwrap();
    assert!(KeyStore::open(&file, &pass("x")).unwrap().is_empty());
}

#[test]
fn listing_is_ordered_and_public() {
    let store = full_store();
    let kinds: Vec<_> = store
        .list()
        .map(|line| (line.alias.as_str(), line.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("bob", Kind::Contact),
            ("node", Kind::Peer),
            ("prover", Kind::Prover),
            ("savings", Kind::Wallet),
            ("worker-1", Kind::Worker),
        ]
    );
    let identities: Vec<_> = store.list().map(|line| line.identity.unwrap()).collect();
    assert_eq!(identities[1], Identity::Peer(peer(2).public()));
    assert_eq!(identities[2], Identity::Prover(prover(3).id()));
    assert_eq!(
        identities[3],
        Identity::Address(Box::new(*wallet(1).account(0).unwrap().address()))
    );
    assert_eq!(
        identities[4],
        Identity::Worker(Box::new(worker(4).key().public_bytes()))
    );
}

#[test]
fn add_never_replaces() {
    let mut store = full_store();
    let error = store.add(alias("node"), Entry::Peer(peer(77))).unwrap_err();
    assert_eq!(error, EntryError::Exists(alias("node")));
    assert_eq!(
        store.peer(&alias("node")).unwrap().public(),
        peer(2).public()
    );
}

#[test]
fn remove_and_rename() {
    let mut store = full_store();
    assert_eq!(
        store.rename(&alias("node"), alias("bob")),
        Err(EntryError::Exists(alias("bob")))
    );
    assert_eq!(
        store.rename(&alias("none"), alias("new")),
        Err(EntryError::NotFound(alias("none")))
    );
    store.rename(&alias("node"), alias("host")).unwrap();
    store.rename(&alias("host"), alias("host")).unwrap();
    assert_eq!(
        store.peer(&alias("host")).unwrap().public(),
        peer(2).public()
    );
    assert!(matches!(store.remove(&alias("host")), Ok(Entry::Peer(_))));
    assert_eq!(
        store.remove(&alias("host")).unwrap_err(),
        EntryError::NotFound(alias("host"))
    );
    assert_eq!(store.len(), 4);
}

#[test]
fn kinds_are_not_confused() {
    let store = full_store();
    let wrong = |expected, name: &str, found| EntryError::WrongKind {
        alias: alias(name),
        expected,
        found,
    };
    assert_eq!(
        store.wallet(&alias("node")).unwrap_err(),
        wrong(Kind::Wallet, "node", Kind::Peer)
    );
    assert_eq!(
        store.peer(&alias("bob")).unwrap_err(),
        wrong(Kind::Peer, "bob", Kind::Contact)
    );
    assert_eq!(
        store.prover(&alias("worker-1")).unwrap_err(),
        wrong(Kind::Prover, "worker-1", Kind::Worker)
    );
    assert_eq!(
        store.worker(&alias("prover")).unwrap_err(),
        wrong(Kind::Worker, "prover", Kind::Prover)
    );
    assert_eq!(
        store.address(&alias("node")).unwrap_err(),
        wrong(Kind::Contact, "node", Kind::Peer)
    );
    assert_eq!(
        store.address(&alias("savings")).unwrap(),
        *wallet(1).account(0).unwrap().address()
    );
    assert_eq!(
        store.get(&alias("nobody")).unwrap_err(),
        EntryError::NotFound(alias("nobody"))
    );
}

#[test]
fn full_store_of_the_largest_entries_still_seals() {
    let mut store = KeyStore::new();
    let contact = *wallet(1).account(0).unwrap().address();
    for n in 0..ENTRIES_MAX {
        store
            .add(alias(&format!("{n:032}")), Entry::Contact(contact))
            .unwrap();
    }
    assert_eq!(
        store.add(alias("x"), Entry::Peer(peer(1))),
        Err(EntryError::Full)
    );
    assert!(matches!(
        store.add(alias(&"0".repeat(32)), Entry::Peer(peer(1))),
        Err(EntryError::Exists(_))
    ));
    let file = store.seal(&pass("x"), COST, &mut rng(1)).unwrap();
    assert_eq!(
        KeyStore::open(&file, &pass("x")).unwrap().len(),
        ENTRIES_MAX
    );
}

#[test]
fn aliases_have_a_small_alphabet() {
    for good in ["a", "0", "worker-1", "a.b_c-d", &"a".repeat(32)] {
        assert_eq!(good.parse::<Alias>().unwrap().as_str(), good);
        assert_eq!(alias(good).to_string(), good);
    }
    for bad in [
        "",
        "-a",
        ".a",
        "_a",
        "A",
        "a b",
        "a/b",
        "a\n",
        "\u{e4}",
        &"a".repeat(33),
    ] {
        assert!(bad.parse::<Alias>().is_err(), "{bad:?}");
    }
}
