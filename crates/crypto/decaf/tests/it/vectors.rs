use quil_decaf::{CompressedPoint, DecodePointError, FixedBase, Point, Scalar};
use serde_json::Value;

use crate::support::{bytes, items, point, scalar};

fn load(text: &str) -> Value {
    serde_json::from_str(text).expect("json")
}

fn rfc() -> Value {
    load(include_str!("../vectors/rfc9496.json"))
}

fn known() -> Value {
    load(include_str!("../vectors/decaf448.json"))
}

#[test]
fn multiples_of_the_generator_match_rfc_9496() {
    let mut acc = Point::IDENTITY;
    for (i, v) in items(&rfc()["multiples_of_generator"]).iter().enumerate() {
        assert_eq!(acc.compress(), CompressedPoint(bytes(v)));
        assert_eq!(point(v), acc);
        assert_eq!(FixedBase::generator().mul(&Scalar::from(i as u64)), acc);
        acc += Point::generator();
    }
}

#[test]
fn non_canonical_points_rejected_as_rfc_9496_lists_them() {
    for v in items(&rfc()["invalid_encodings"]) {
        assert_eq!(
            CompressedPoint(bytes(v)).decompress().err(),
            Some(DecodePointError::Invalid)
        );
    }
}

#[test]
fn one_way_map_matches_rfc_9496() {
    for v in items(&rfc()["one_way_map"]) {
        let p = Point::from_uniform_bytes(&bytes(&v["input"]));
        assert_eq!(p.compress(), CompressedPoint(bytes(&v["output"])));
        assert_eq!(p, point(&v["output"]));
    }
}

#[test]
fn recorded_points_match() {
    for v in items(&known()["points"]) {
        let p = FixedBase::generator().mul(&scalar(&v["scalar"]));
        assert_eq!(p.compress(), CompressedPoint(bytes(&v["point"])));
        assert_eq!(
            (p + Point::generator()).compress(),
            CompressedPoint(bytes(&v["plus_generator"]))
        );
    }
}

#[test]
fn recorded_decodings_match() {
    for v in items(&known()["decode"]) {
        let want = v["decodes"].as_bool().expect("bool");
        assert_eq!(
            CompressedPoint(bytes(&v["bytes"])).decompress().is_ok(),
            want
        );
    }
}

#[test]
fn recorded_operations_match() {
    for v in items(&known()["operations"]) {
        let (a, b) = (scalar(&v["a"]), scalar(&v["b"]));
        let base = FixedBase::generator();
        let scalars = [
            ("sum", a + b),
            ("difference", a - b),
            ("product", a * b),
            ("inverse", a.invert()),
        ];
        for (name, s) in scalars {
            if !v[name].is_null() {
                assert_eq!(s, scalar(&v[name]), "{name}");
            }
        }
        let (pa, pb) = (base.mul(&a), base.mul(&b));
        let points = [
            ("a_base", pa),
            ("b_base", pb),
            ("product_base", base.mul(&(a * b))),
            ("inverse_base", base.mul(&a.invert())),
            ("a_times_b_base", pb * a),
            ("point_sum", pa + pb),
            ("point_difference", pa - pb),
        ];
        for (name, p) in points {
            if !v[name].is_null() {
                assert_eq!(p.compress(), CompressedPoint(bytes(&v[name])), "{name}");
            }
        }
    }
}
