use proptest::prelude::*;
use quil_keys::{Amount, AmountError, UNITS_PER_QUIL};

fn parse(text: &str) -> Result<u64, AmountError> {
    text.parse::<Amount>().map(Amount::units)
}

#[test]
fn known_amounts_in_both_directions() {
    for (text, units) in [
        ("0", 0),
        ("1", UNITS_PER_QUIL),
        ("0.5", UNITS_PER_QUIL / 2),
        ("12.25", 98_000_000_000),
        ("0.000000000125", 1),
        ("0.00000000025", 2),
        ("0.000000001", 8),
        ("1.000000000125", UNITS_PER_QUIL + 1),
        ("2305843009.213693951875", u64::MAX),
    ] {
        assert_eq!(parse(text), Ok(units), "{text}");
        assert_eq!(Amount::from_units(units).to_string(), text);
    }
}

#[test]
fn trailing_zeros_are_accepted_without_bound_on_their_meaning() {
    assert_eq!(parse("1.50"), Ok(12_000_000_000));
    assert_eq!(parse("0.0"), Ok(0));
    assert_eq!(parse("0.00000000012500000000000"), Ok(1));
}

#[test]
fn fraction_of_a_unit_is_refused_never_rounded() {
    for text in [
        "0.000000000001",
        "0.000000000124",
        "0.000000000126",
        "1.0000000001",
        "0.0000000001251",
        "0.1234567890123",
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error, AmountError::Precision, "{text}");
        assert_eq!(error.code(), "amount.precision");
        assert!(error.to_string().starts_with("amount.precision: "));
    }
}

#[test]
fn overflow_is_refused() {
    for text in [
        "2305843009.213693952",
        "2305843010",
        "99999999999999999999",
        "340282366920938463463374607431768211456",
    ] {
        assert_eq!(parse(text), Err(AmountError::Overflow), "{text}");
    }
    assert_eq!(AmountError::Overflow.code(), "amount.overflow");
}

#[test]
fn anything_but_plain_decimals_is_malformed() {
    let long = format!("0.{}", "0".repeat(80));
    for text in [
        "", ".", "1.", ".5", "-1", "+1", "1e3", "0x10", "1_000", "1,5", " 1", "1 ", "01", "00",
        "1.2.3", "1.-5", "NaN", "inf", "\u{0661}", "1\0", &long,
    ] {
        assert_eq!(parse(text), Err(AmountError::Malformed), "{text:?}");
    }
    assert_eq!(AmountError::Malformed.code(), "amount.malformed");
}

#[test]
fn arithmetic_is_checked() {
    let one = Amount::from_units(1);
    assert_eq!(Amount::MAX.checked_add(one), None);
    assert_eq!(Amount::ZERO.checked_sub(one), None);
    assert_eq!(
        one.checked_add(one).and_then(|two| two.checked_sub(one)),
        Some(one)
    );
}

proptest! {
    #[test]
    fn every_amount_prints_and_parses_back(units: u64) {
        let text = Amount::from_units(units).to_string();
        prop_assert_eq!(parse(&text), Ok(units));
        prop_assert!(text.len() <= 23);
    }

    #[test]
    fn parsing_agrees_with_integer_arithmetic(whole in 0_u64..2_305_843_009, fraction in 0_u64..1_000_000_000_000) {
        let steps = u128::from(whole) * 1_000_000_000_000 + u128::from(fraction);
        let expected = if steps % 125 == 0 { Ok(u64::try_from(steps / 125).unwrap()) } else { Err(AmountError::Precision) };
        prop_assert_eq!(parse(&format!("{whole}.{fraction:012}")), expected);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,70}") {
        let _ = parse(&text);
    }
}
