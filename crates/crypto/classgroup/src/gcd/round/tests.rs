//! Both forms of a round, and what rounds promise.

use proptest::prelude::*;

use super::*;

fn check(x: u64, y: u64, floor: u64) -> Rows {
    let rows = run(x, y, floor, false);
    assert_eq!(run(x, y, floor, true), rows, "{x:#x} {y:#x} {floor:#x}");
    let half = |row: u64| (i128::from(row & 0xffff_ffff), i128::from(row >> 32));
    let ((a, b), (c, d)) = (half(rows.ab), half(rows.cd));
    assert_eq!(a * d - b * c, 1, "unimodular");
    if rows != Rows::IDENTITY {
        let (x, y, floor) = (i128::from(x), i128::from(y), i128::from(floor));
        assert!(a * x - b * y >= floor && d * y - c * x >= floor);
        assert!((b + d) * floor <= x && (a + c) * floor <= y);
    }
    rows
}

fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0u64..1 << BITS,
        1 => (0u32..62).prop_map(|e| 1 << e),
        1 => (0u32..62).prop_map(|e| (1 << BITS) - (1 << e)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn both_forms_agree_and_keep_remainders_above_the_floor(x in limb(), y in limb(), f in 31u32..63, odd in 0u64..1 << 31) {
        check(x, y, (1 << f) + odd);
    }

    /// Chains of given quotients: small ones, borders of the cases, large ones.
    #[test]
    fn any_quotients(qs in prop::collection::vec(prop_oneof![1u64..18, 0u64..1 << 20], 1..30), floor in 1u64 << 31..1 << 33) {
        let (mut x, mut y) = (floor + 1, floor);
        for q in qs {
            match q.checked_mul(x).and_then(|t| t.checked_add(y)) {
                Some(t) if t >> BITS == 0 => (x, y) = (t, x),
                _ => break,
            }
        }
        check(x, y, floor);
        check(y, x, floor);
    }
}

#[test]
fn a_round_goes_as_far_as_the_floor_lets_it() {
    // Neighbours among Fibonacci's numbers: quotients of one all the way.
    let rows = check(1_100_087_778_366_101_931, 679_891_637_638_612_258, 3 << 30);
    assert!(
        rows.ab >> 32 > 1 << 25 && rows.cd >> 32 > 1 << 25,
        "{rows:x?}"
    );
    // One more step would pass the floor.
    assert_eq!(check(1 << 61, 1 << 31, 1 << 31), Rows::IDENTITY);
    assert_eq!(check(0, 0, 1 << 31), Rows::IDENTITY);
    assert_eq!(check(1 << 61, 0, 1 << 31), Rows::IDENTITY);
}
