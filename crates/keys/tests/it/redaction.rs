//! Nothing secret is ever printed, in any of the forms it could take.

use std::fmt::Debug;

use quil_keys::{Entry, RecordSigner};

use crate::fixtures::{alias, full_store, pass, peer, prover, wallet, worker};

/// All ways in which bytes could leak through a `Debug` text: hexadecimal of both cases, decimal lists.
fn leaks(text: &str, secret: &[u8]) -> bool {
    let head = secret.first_chunk::<8>().expect("secrets are longer");
    let hex = hex::encode(head);
    let list = format!("{head:?}");
    let forms = [
        hex.to_uppercase(),
        hex,
        list.trim_matches(['[', ']']).to_owned(),
    ];
    forms.iter().any(|form| text.contains(form))
}

fn check(value: &dyn Debug, secrets: &[&[u8]]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        for secret in secrets {
            assert!(!leaks(&text, secret), "{text}");
        }
    }
}

#[test]
fn detector_detects() {
    let secret = [0xab_u8; 32];
    assert!(leaks(&format!("{secret:?}"), &secret));
    assert!(leaks(&format!("{secret:02x?}").replace(", ", ""), &secret));
    assert!(!leaks("PeerKeypair(..)", &secret));
}

#[test]
fn debug_of_every_secret_type_is_redacted() {
    let wallet = wallet(1);
    let phrase = wallet.phrase().unwrap();
    let account = wallet.account(0).unwrap();
    let view = account.view_secret().expose().to_bytes();
    let spend = account.spend_secret().expose().to_bytes();
    let (peer, prover, worker) = (peer(2), prover(3), worker(4));
    let seed = peer.expose_seed();
    let (prover_bytes, worker_bytes) = (prover.key().expose_bytes(), worker.key().expose_bytes());
    let secrets: [&[u8]; 5] = [&view, &spend, &*seed, &*prover_bytes, &*worker_bytes];
    check(&wallet, &secrets);
    check(&account, &secrets);
    check(&peer, &secrets);
    check(&prover, &secrets);
    check(&worker, &secrets);
    for signer in [
        RecordSigner::Peer(&peer),
        RecordSigner::Account(&account),
        RecordSigner::Prover(&prover),
        RecordSigner::Worker(&worker),
    ] {
        check(&signer, &secrets);
    }
    let text = format!("{wallet:?} {:?}", Entry::Wallet(wallet.clone()));
    assert!(
        phrase
            .split(' ')
            .filter(|word| text.split_whitespace().any(|t| t == *word))
            .count()
            == 0
    );
    assert_eq!(format!("{:?}", pass("hunter2")), "Passphrase(redacted)");
}

#[test]
fn debug_of_a_whole_key_store_is_redacted() {
    let store = full_store();
    let seed = store.peer(&alias("node")).unwrap().expose_seed();
    let prover = store.prover(&alias("prover")).unwrap().key().expose_bytes();
    let worker = store
        .worker(&alias("worker-1"))
        .unwrap()
        .key()
        .expose_bytes();
    let spend = store.wallet(&alias("savings")).unwrap().account(0).unwrap();
    let spend = spend.spend_secret().expose().to_bytes();
    check(&store, &[&*seed, &*prover, &*worker, &spend]);
    let lines: Vec<_> = store.list().collect();
    check(&lines, &[&*seed, &*prover, &*worker, &spend]);
}

#[test]
fn errors_do_not_repeat_what_was_typed() {
    let error = quil_keys::Wallet::from_phrase("correct horse battery staple").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("horse"));
    let error = "qacc1correcthorse"
        .parse::<quil_keys::Address>()
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("horse"));
}
