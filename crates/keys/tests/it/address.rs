use quil_decaf::{Point, Scalar};
use quil_keys::{ADDRESS_TEXT_BYTES, Address, AddressError};
use serde_json::Value;

use crate::fixtures::wallet;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/address.json")).unwrap()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn known_addresses_in_both_directions() {
    for case in vectors()["good"].as_array().unwrap() {
        let text = text_of(&case["text"]);
        assert_eq!(text.len(), ADDRESS_TEXT_BYTES);
        let address: Address = text.parse().unwrap();
        assert_eq!(
            hex::encode(address.view().compress().as_bytes()),
            text_of(&case["view"])
        );
        assert_eq!(
            hex::encode(address.spend().compress().as_bytes()),
            text_of(&case["spend"])
        );
        assert_eq!(address.to_string(), text);
        assert_eq!(Address::from_bytes(&address.to_bytes()), Ok(address));
        assert_eq!(Address::new(*address.view(), *address.spend()), Ok(address));
    }
}

#[test]
fn recorded_non_addresses_are_refused_for_their_reason() {
    for case in vectors()["bad"].as_array().unwrap() {
        let why = text_of(&case["why"]);
        let error = text_of(&case["text"]).parse::<Address>().unwrap_err();
        let expected = match why {
            "bech32 checksum instead of bech32m" => matches!(error, AddressError::Checksum),
            "padding bits not zero" | "upper case" => matches!(error, AddressError::NotCanonical),
            "another prefix" | "a longer prefix with one byte less" => {
                matches!(error, AddressError::Prefix)
            }
            "view key is the identity" | "view key is no point" => {
                matches!(error, AddressError::ViewKey)
            }
            "spend key is the identity" | "spend key is no point" => {
                matches!(error, AddressError::SpendKey)
            }
            "one key only" | "a byte too many" => matches!(error, AddressError::Length { .. }),
            other => panic!("unknown case {other}"),
        };
        assert!(expected, "{why}: {error}");
    }
}

#[test]
fn every_single_mistyped_character_is_noticed() {
    let text = wallet(1).account(0).unwrap().address().to_string();
    for at in 0..text.len() {
        for replacement in ['q', 'z', '7', '1', 'b', 'Q', ' '] {
            let mut chars: Vec<char> = text.chars().collect();
            if chars[at] == replacement {
                continue;
            }
            chars[at] = replacement;
            let typed: String = chars.into_iter().collect();
            assert!(typed.parse::<Address>().is_err(), "{typed}");
        }
    }
}

#[test]
fn swapped_cut_and_padded_texts_are_refused() {
    let text = wallet(1).account(0).unwrap().address().to_string();
    let bytes = text.as_bytes();
    for at in 5..text.len() - 1 {
        if bytes[at] != bytes[at + 1] {
            let mut swapped = bytes.to_vec();
            swapped.swap(at, at + 1);
            assert!(
                String::from_utf8(swapped)
                    .unwrap()
                    .parse::<Address>()
                    .is_err()
            );
        }
    }
    for other in [
        format!("{text} "),
        format!(" {text}"),
        text.trim_start_matches('q').to_owned(),
        String::new(),
        "\u{e9}".repeat(96),
    ] {
        assert!(other.parse::<Address>().is_err(), "{other}");
    }
}

#[test]
fn identity_keys_are_refused() {
    let (identity, g) = (Point::default(), Point::generator());
    assert_eq!(Address::new(identity, g), Err(AddressError::ViewKey));
    assert_eq!(
        Address::new(g, g * Scalar::from(0_u64)),
        Err(AddressError::SpendKey)
    );
}
