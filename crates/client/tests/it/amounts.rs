//! Amounts as people write them.

use proptest::prelude::*;
use quil_client::token::parse_amount;
use quil_keys::{Amount, UNITS_PER_QUIL};

proptest! {
    #[test]
    fn printed_amount_reads_back(units: u64, unit: bool) {
        let amount = Amount::from_units(units);
        let text = if unit { format!("{amount} QUIL") } else { amount.to_string() };
        prop_assert_eq!(parse_amount(&text), Ok(amount));
    }

    #[test]
    fn trailing_zeros_change_nothing(units: u64, zeros in 0usize..30) {
        let amount = Amount::from_units(units);
        let text = amount.to_string();
        let point = if text.contains('.') { "" } else { ".0" };
        prop_assert_eq!(parse_amount(&format!("{text}{point}{}", "0".repeat(zeros))), Ok(amount));
    }

    #[test]
    fn order_of_amounts_is_the_order_of_units(a: u64, b: u64) {
        let read = |n| parse_amount(&Amount::from_units(n).to_string()).unwrap();
        prop_assert_eq!(read(a) < read(b), a < b);
    }

    #[test]
    fn whole_numbers_are_quil(n in 0u64..=u64::MAX / UNITS_PER_QUIL) {
        let expected = Amount::from_units(n * UNITS_PER_QUIL);
        prop_assert_eq!(parse_amount(&n.to_string()), Ok(expected));
    }

    #[test]
    fn less_than_a_unit_is_refused(whole in 0u64..1000, step in 1u64..1_000_000_000_000) {
        let text = format!("{whole}.{step:012}");
        let parsed = parse_amount(&text);
        if step.is_multiple_of(125) {
            prop_assert!(parsed.is_ok());
        } else {
            let failure = parsed.unwrap_err();
            prop_assert_eq!((failure.code, failure.exit_code()), ("amount.precision", 2));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}") {
        let _ = parse_amount(&text);
    }
}

#[test]
fn codes_of_what_is_no_amount() {
    for (text, code) in [
        ("", "amount.malformed"),
        ("1e3", "amount.malformed"),
        ("-1", "amount.malformed"),
        (" 1", "amount.malformed"),
        ("1,5", "amount.malformed"),
        ("01", "amount.malformed"),
        (".5", "amount.malformed"),
        ("5.", "amount.malformed"),
        ("5 quil", "amount.malformed"),
        ("QUIL", "amount.malformed"),
        ("0.000000000001", "amount.precision"),
        ("0.0000000001251", "amount.precision"),
        ("99999999999", "amount.overflow"),
    ] {
        assert_eq!(parse_amount(text).unwrap_err().code, code, "{text}");
    }
    assert_eq!(parse_amount("0.000000000125").map(Amount::units), Ok(1));
}
