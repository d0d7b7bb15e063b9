use ed448_goldilocks::{CompressedDecaf, DecafPoint, DecafScalar};
use quil_decaf::schnorr;
use quil_keys::{Purpose, Wallet, WalletError};
use quil_types::{hash, tags};
use serde_json::Value;

use crate::fixtures::{rng, wallet};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/wallet.json")).unwrap()
}

/// `s G` computed by another library.
fn oracle_public(scalar: &str) -> String {
    let bytes: [u8; 56] = hex::decode(scalar).unwrap().try_into().unwrap();
    let scalar = DecafScalar::from_canonical_bytes(&bytes.into()).unwrap();
    let point: CompressedDecaf = (DecafPoint::GENERATOR * scalar).compress();
    hex::encode(point.as_bytes())
}

#[test]
fn recorded_phrases_give_the_recorded_keys() {
    for case in vectors()["cases"].as_array().unwrap() {
        let phrase = case["phrase"].as_str().unwrap();
        let wallet = Wallet::from_phrase(phrase).unwrap();
        assert_eq!(wallet.phrase().unwrap().as_str(), phrase);
        for known in case["accounts"].as_array().unwrap() {
            let index = u32::try_from(known["index"].as_u64().unwrap()).unwrap();
            let account = wallet.account(index).unwrap();
            let (view, spend) = (
                known["view"].as_str().unwrap(),
                known["spend"].as_str().unwrap(),
            );
            assert_eq!(hex::encode(account.view_secret().expose().to_bytes()), view);
            assert_eq!(
                hex::encode(account.spend_secret().expose().to_bytes()),
                spend
            );
            let address = account.address();
            assert_eq!(
                hex::encode(address.view().compress().as_bytes()),
                oracle_public(view)
            );
            assert_eq!(
                hex::encode(address.spend().compress().as_bytes()),
                oracle_public(spend)
            );
        }
    }
}

#[test]
fn phrase_is_forgiving_about_case_and_white_space_only() {
    let wallet = wallet(5);
    let phrase = wallet.phrase().unwrap();
    let address = *wallet.account(0).unwrap().address();
    let sloppy = format!("  {}\n", phrase.to_uppercase().replace(' ', "\t \n"));
    assert_eq!(
        *Wallet::from_phrase(&sloppy)
            .unwrap()
            .account(0)
            .unwrap()
            .address(),
        address
    );
    let dashed = phrase.replace(' ', "-");
    assert!(matches!(
        Wallet::from_phrase(&dashed),
        Err(WalletError::WordCount { found: 1 })
    ));
}

#[test]
fn wrong_phrases_are_refused_without_repeating_them() {
    let phrase = wallet(5).phrase().unwrap();
    let words: Vec<&str> = phrase.split(' ').collect();
    assert_eq!(
        Wallet::from_phrase("").unwrap_err(),
        WalletError::WordCount { found: 0 }
    );
    assert_eq!(
        Wallet::from_phrase(&words[..12].join(" ")).unwrap_err(),
        WalletError::WordCount { found: 12 }
    );
    let long = [&words[..], &["art"]].concat().join(" ");
    assert_eq!(
        Wallet::from_phrase(&long).unwrap_err(),
        WalletError::WordCount { found: 25 }
    );
    for position in [1, 7, 24] {
        let mut typo = words.clone();
        typo[position - 1] = "quilibrate";
        let error = Wallet::from_phrase(&typo.join(" ")).unwrap_err();
        assert_eq!(error, WalletError::UnknownWord { position });
        assert!(!error.to_string().contains("quilibrate"));
    }
    // Words may not be in another order: the checksum has 8 bits, so of many swaps nearly all are noticed.
    let noticed = (0..23).filter(|at| {
        let mut swapped = words.clone();
        swapped.swap(*at, at + 1);
        matches!(
            Wallet::from_phrase(&swapped.join(" ")),
            Err(WalletError::Checksum)
        )
    });
    assert!(noticed.count() >= 20);
    let huge = vec!["abandon".repeat(100); 24].join(" ");
    assert!(matches!(
        Wallet::from_phrase(&huge),
        Err(WalletError::WordCount { .. })
    ));
}

#[test]
fn accounts_purposes_and_wallets_are_independent() {
    let mut seen = Vec::new();
    for wallet in [wallet(1), wallet(2)] {
        for index in [0, 1, 1 << 24, u32::MAX] {
            let account = wallet.account(index).unwrap();
            seen.push(account.view_secret().expose().to_bytes());
            seen.push(account.spend_secret().expose().to_bytes());
        }
    }
    let total = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), total);
}

#[test]
fn generation_follows_the_given_randomness() {
    assert_eq!(wallet(7).phrase().unwrap(), wallet(7).phrase().unwrap());
    assert_ne!(wallet(7).phrase().unwrap(), wallet(8).phrase().unwrap());
}

#[test]
fn account_signature_is_bound_to_key_tag_and_value() {
    let account = wallet(1).account(0).unwrap();
    let signature = account.sign(Purpose::Spend, tags::DEBIT, &7_u64, &mut rng(1));
    let check = |key, tag: tags::Tag, value: u64| {
        schnorr::verify(tag.as_str(), key, &hash::tagged(tag, &value), &signature).is_ok()
    };
    let (spend, view) = (account.address().spend(), account.address().view());
    assert!(check(spend, tags::DEBIT, 7));
    assert!(!check(view, tags::DEBIT, 7));
    assert!(!check(spend, tags::AUTHORITY, 7));
    assert!(!check(spend, tags::DEBIT, 8));
    let viewed = account.sign(Purpose::View, tags::DEBIT, &7_u64, &mut rng(1));
    let message = hash::tagged(tags::DEBIT, &7_u64);
    assert!(schnorr::verify(tags::DEBIT.as_str(), view, &message, &viewed).is_ok());
}
