//! Known answers: a suite with its own label and generators.

use std::sync::{Arc, LazyLock};

use quil_bulletproofs::{
    Commitment, Generators, RangeBits, RangeProof, RangeSuite, ValueVectors,
    excess::{PublicAmounts, excess},
};
use quil_decaf::{CompressedPoint, Point, Scalar};
use serde_json::Value;
use sha3::{Digest, Sha3_256};
use shake::{ExtendableOutput, Shake256, Update, XofReader};

static DATA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../vectors/bulletproofs.json")).expect("json")
});

static GENERATORS: LazyLock<Arc<Generators>> = LazyLock::new(|| {
    let blinding = shake(&[CompressedPoint::GENERATOR.as_bytes()]).0;
    Arc::new(Generators::new(
        &Point::generator(),
        &hash_to_point(&blinding),
        vectors,
    ))
});

type Reader = <Shake256 as ExtendableOutput>::Reader;

fn shake(parts: &[&[u8]]) -> ([u8; 112], Reader) {
    let mut h = Shake256::default();
    parts.iter().for_each(|p| h.update(p));
    let mut r = h.finalize_xof();
    (next(&mut r), r)
}

fn next(r: &mut Reader) -> [u8; 112] {
    let mut b = [0; 112];
    r.read(&mut b);
    b
}

/// RFC 9380 section 5.3.1 with SHA3-256 and an empty DST.
fn expand_message_xmd(msg: &[u8]) -> [u8; 168] {
    let hash = |parts: &[&[u8]]| -> [u8; 32] {
        let mut h = Sha3_256::new();
        parts.iter().for_each(|p| Digest::update(&mut h, p));
        h.finalize().into()
    };
    let b0 = hash(&[&[0; 136], msg, &168u16.to_be_bytes(), &[0], &[0]]);
    let mut b = hash(&[&b0, &[1], &[0]]);
    let mut out = Vec::new();
    for i in 2..8u8 {
        out.extend_from_slice(&b);
        let x: Vec<u8> = b0.iter().zip(b).map(|(x, y)| x ^ y).collect();
        b = hash(&[&x, &[i], &[0]]);
    }
    out[..168].try_into().expect("168 bytes")
}

/// 84 big-endian bytes modulo p as 56 little-endian ones, by 2^448 = 2^224 + 1.
fn reduce(be: &[u8]) -> [u8; 56] {
    let mut low: Vec<u32> = be.iter().rev().map(|b| u32::from(*b)).collect();
    while low[56..].iter().any(|b| *b != 0) {
        let high = low.split_off(56);
        low.resize(86, 0);
        for (i, h) in high.iter().enumerate() {
            low[i] += h;
            low[i + 28] += h;
        }
        for i in 0..85 {
            low[i + 1] += low[i] >> 8;
            low[i] &= 0xff;
        }
    }
    core::array::from_fn(|i| low[i] as u8)
}

/// Twice the sum of two RFC 9496 maps.
fn hash_to_point(msg: &[u8]) -> Point {
    let wide = expand_message_xmd(msg);
    let mut b = [0; 112];
    b[..56].copy_from_slice(&reduce(&wide[..84]));
    b[56..].copy_from_slice(&reduce(&wide[84..]));
    Point::from_uniform_bytes(&b).double()
}

fn vectors(value: usize) -> ValueVectors {
    let chain = |name: &[u8]| {
        let (first, mut r) = shake(&[b"GeneratorsChain", name, &(value as u32).to_le_bytes()]);
        let mut block = Some(first);
        core::array::from_fn(|_| hash_to_point(&block.take().unwrap_or_else(|| next(&mut r))))
    };
    (chain(b"G"), chain(b"H"))
}

fn suite(bits: u64) -> Option<RangeSuite> {
    let bits = match bits {
        8 => RangeBits::Bits8,
        16 => RangeBits::Bits16,
        32 => RangeBits::Bits32,
        64 => RangeBits::Bits64,
        _ => return None,
    };
    Some(RangeSuite::new(
        b"range_proof",
        bits,
        Arc::clone(&GENERATORS),
    ))
}

fn bytes<const N: usize>(v: &Value) -> [u8; N] {
    hex::decode(v.as_str().expect("hex"))
        .expect("hex")
        .try_into()
        .expect("length")
}

fn scalar(v: &Value) -> Scalar {
    Scalar::from_bytes(&bytes(v)).expect("canonical")
}

fn items(v: &Value) -> &Vec<Value> {
    v.as_array().expect("list")
}

fn number(v: &Value) -> u64 {
    v.as_str().map_or_else(
        || v.as_u64().expect("number"),
        |s| s.parse().expect("number"),
    )
}

fn commitments(v: &Value) -> Option<Vec<Commitment>> {
    items(v)
        .iter()
        .map(|c| Commitment::from_bytes(&bytes(c)).ok())
        .collect()
}

/// Whether the verifier accepts, from bytes.
fn accepts(bits: u64, v: &Value, proof: &[u8]) -> bool {
    let (Some(suite), Some(v)) = (suite(bits), commitments(v)) else {
        return false;
    };
    RangeProof::from_bytes(proof).is_ok_and(|p| p.verify(&suite, b"", &v).is_ok())
}

#[test]
fn generators_of_the_suite_match() {
    let g = &DATA["generators"];
    assert_eq!(GENERATORS.value().encoding().0, bytes(&g["value"]));
    assert_eq!(GENERATORS.blinding().encoding().0, bytes(&g["blinding"]));
    for c in items(&g["vectors"]) {
        let (gs, hs) = vectors(number(&c["value"]) as usize);
        let chain = if c["chain"] == "G" { gs } else { hs };
        for (p, want) in chain.iter().zip(items(&c["first"])) {
            assert_eq!(p.compress().0, bytes(want));
        }
    }
    let abc = shake(&[b"abc"]).0;
    assert_eq!(
        hash_to_point(&abc).compress().0,
        bytes(&g["hash_to_point"]["point"])
    );
}

#[test]
fn maps_match() {
    for m in items(&DATA["map"]) {
        assert_eq!(
            hash_to_point(&bytes::<112>(&m["input"])).compress().0,
            bytes(&m["point"])
        );
    }
}

#[test]
fn commitments_match() {
    for c in items(&DATA["commitments"]) {
        let own = Commitment::new(&GENERATORS, number(&c["value"]), &scalar(&c["blinding"]));
        assert_eq!(own.to_bytes(), bytes(&c["commitment"]));
    }
}

#[test]
fn recorded_proofs_verify_and_their_commitments_open() {
    for p in items(&DATA["range_proofs"]) {
        let proof = hex::decode(p["proof"].as_str().expect("hex")).expect("hex");
        assert!(accepts(number(&p["bits"]), &p["commitments"], &proof));
        assert_eq!(
            RangeProof::from_bytes(&proof).expect("decodes").to_bytes(),
            proof
        );
        for ((v, b), c) in items(&p["values"])
            .iter()
            .zip(items(&p["blindings"]))
            .zip(items(&p["commitments"]))
        {
            assert_eq!(
                Commitment::new(&GENERATORS, number(v), &scalar(b)).to_bytes(),
                bytes(c)
            );
        }
    }
}

#[test]
fn recorded_corruptions_fail() {
    for p in items(&DATA["range_proofs"]) {
        for c in items(&p["corrupted"]) {
            // A corruption records what differs from its case.
            let of = |name: &str| {
                if c[name].is_null() {
                    &p[name]
                } else {
                    &c[name]
                }
            };
            let mut proof = hex::decode(of("proof").as_str().expect("hex")).expect("hex");
            match c["how"].as_str().expect("text") {
                "proof cut by 56 bytes" => proof.truncate(proof.len() - 56),
                "proof with 56 zero bytes appended" => proof.extend_from_slice(&[0; 56]),
                _ => {}
            }
            assert!(
                !accepts(number(&c["bits"]), of("commitments"), &proof),
                "{}",
                c["how"]
            );
        }
    }
}

#[test]
fn recorded_out_of_range_proof_fails() {
    let v = &DATA["out_of_range_8_bits_256"];
    let proof = hex::decode(v["proof"].as_str().expect("hex")).expect("hex");
    let list = Value::Array(vec![v["commitment"].clone()]);
    assert!(!accepts(8, &list, &proof));
}

#[test]
fn recorded_proofs_are_bound_to_label_and_generators() {
    let p = &items(&DATA["range_proofs"])[3];
    let proof = hex::decode(p["proof"].as_str().expect("hex")).expect("hex");
    let proof = RangeProof::from_bytes(&proof).expect("decodes");
    let v = commitments(&p["commitments"]).expect("decode");
    let other = RangeSuite::new(b"range", RangeBits::Bits64, Arc::clone(&GENERATORS));
    assert!(proof.verify(&other, b"", &v).is_err());
    let other = RangeSuite::new(
        b"range_proof",
        RangeBits::Bits64,
        Arc::clone(Generators::standard()),
    );
    assert!(proof.verify(&other, b"", &v).is_err());
    assert!(proof.verify(&suite(64).expect("suite"), b"x", &v).is_err());
}

/// A sum of these cases balances without a residual blinding: the excess is the identity.
#[test]
fn recorded_sums_match() {
    for s in items(&DATA["sums"]) {
        let points = |v: &Value| -> Vec<Point> {
            items(v)
                .iter()
                .map(|c| CompressedPoint(bytes(c)).decompress().expect("point"))
                .collect()
        };
        // Public amounts are 56-byte little-endian numbers.
        let amount = |v: &Value| -> u64 {
            items(v)
                .iter()
                .map(|a| {
                    let b = bytes::<56>(a);
                    assert!(b[8..].iter().all(|x| *x == 0));
                    u64::from_le_bytes(b[..8].try_into().expect("8 bytes"))
                })
                .sum()
        };
        let public = PublicAmounts {
            mint: amount(&s["public_inputs"]),
            fee: amount(&s["public_outputs"]),
            burn: 0,
        };
        let e = excess(
            &GENERATORS,
            &points(&s["inputs"]),
            &points(&s["outputs"]),
            public,
        );
        assert_eq!(e.is_identity(), s["balanced"].as_bool().expect("bool"));
    }
}
