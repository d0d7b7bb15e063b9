use quil_kzg::{Commitment, DOMAIN_SIZE, Kzg, Srs, TableBits, Verifier};
use serde_json::Value;

use crate::support::Slots;

const SRS: &str = include_str!("../vectors/srs.json");
const OPENINGS: &str = include_str!("../vectors/openings.json");

fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().unwrap()).unwrap()
}

fn commitment(v: &Value) -> Commitment {
    Commitment::from_bytes(bytes(v).try_into().unwrap())
}

fn srs() -> (Srs, Value) {
    let file: Value = serde_json::from_str(SRS).unwrap();
    let mut powers = Vec::new();
    for list in ["g1_powers", "g2_powers"] {
        for p in file[list].as_array().unwrap() {
            powers.extend_from_slice(&bytes(p));
        }
    }
    let srs = Srs::from_bytes(&powers).unwrap();
    assert_eq!(srs.to_bytes(), powers);
    (srs, file)
}

#[test]
fn lagrange_points_of_recorded_powers() {
    let (srs, file) = srs();
    let lagrange = srs.lagrange();
    for (i, p) in file["lagrange_g1"].as_array().unwrap().iter().enumerate() {
        assert_eq!(
            Commitment::from_point(&lagrange[i]),
            commitment(p),
            "point {i}"
        );
    }
}

#[test]
fn commitments_and_openings_of_recorded_vectors() {
    let (srs, _) = srs();
    let kzg = Kzg::new(&srs, TableBits::new(4).unwrap());
    let file: Value = serde_json::from_str(OPENINGS).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let mut slots: Slots = [[0; 64]; DOMAIN_SIZE];
        for (i, s) in case["slots"].as_array().unwrap().iter().enumerate() {
            slots[i] = bytes(s).try_into().unwrap();
        }
        let c = Commitment::from(&kzg.commit_slots(&slots));
        assert_eq!(c, commitment(&case["commitment"]), "{}", case["kind"]);
        for o in case["openings"].as_array().unwrap() {
            let index = u8::try_from(o["index"].as_u64().unwrap()).unwrap();
            let value: [u8; 64] = bytes(&o["value"]).try_into().unwrap();
            assert_eq!(value, slots[usize::from(index)]);
            let proof = kzg.open_single(&slots, index).unwrap();
            assert_eq!(
                proof,
                commitment(&o["proof"]),
                "{} at {index}",
                case["kind"]
            );
            assert_eq!(
                Verifier::new(&srs).verify_single(&c, index, &value, &proof),
                Ok(())
            );
        }
    }
}

/// Every vector file of the folder is used above.
#[test]
fn no_vector_file_is_unused() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["openings.json", "srs.json"]);
}
