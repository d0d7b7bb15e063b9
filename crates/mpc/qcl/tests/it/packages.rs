//! Standard packages against known answers and independent implementations.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use quil_qcl::{Options, compile, standard_packages};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::Run;

pub(crate) fn eval(
    imports: &str,
    params: &str,
    result: &str,
    text: &str,
    inputs: &[Value],
) -> Value {
    let imports: String = imports
        .split_whitespace()
        .map(|p| format!("import \"{p}\"\n"))
        .collect();
    let source = format!("package main\n{imports}func main({params}) {result} {{\n{text}\n}}\n");
    let circuit = compile("t.qcl", &source, &Options::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .into_circuit();
    circuit.run_json(inputs).unwrap()[0].clone()
}

pub(crate) fn bytes(data: &[u8]) -> Value {
    json!(format!("hex:{}", hex::encode(data)))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 151 + 7) as u8).collect()
}

#[test]
fn sha2_of_all_paddings() {
    for len in [1usize, 3, 55, 56, 64, 119, 130] {
        let data = pattern(len);
        let (left, right) = data.split_at(len / 2 + 1);
        let params = format!("a [{}]byte, b [{}]byte", left.len(), right.len().max(1));
        let joined = if right.is_empty() { "a[0:]" } else { "a + b" };
        let inputs = [
            bytes(left),
            bytes(if right.is_empty() { &[0] } else { right }),
        ];
        let text = format!("return sha256.Sum256({joined})");
        assert_eq!(
            eval("crypto/sha256", &params, "[32]byte", &text, &inputs),
            bytes(&Sha256::digest(&data)),
            "{len}"
        );
        let text = format!("return sha512.Sum512({joined})");
        assert_eq!(
            eval("crypto/sha512", &params, "[64]byte", &text, &inputs),
            bytes(&Sha512::digest(&data)),
            "{len}"
        );
    }
}

#[test]
fn sha1_of_abc() {
    let out = eval(
        "crypto/sha1",
        "a [2]byte, b [1]byte",
        "[20]byte",
        "return sha1.Sum(a + b)",
        &[bytes(b"ab"), bytes(b"c")],
    );
    assert_eq!(out, "hex:a9993e364706816aba3e25717850c26c9cd0d89d");
}

#[test]
fn hmac_with_short_and_long_keys() {
    for key_len in [20usize, 64, 131] {
        let (key, data) = (pattern(key_len), pattern(50));
        let params = format!("key [{key_len}]byte, data [50]byte");
        let inputs = [bytes(&key), bytes(&data)];
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
        mac.update(&data);
        let text = "return hmac.SumSHA256(data, key)";
        assert_eq!(
            eval("crypto/hmac", &params, "[32]byte", text, &inputs),
            bytes(&mac.finalize().into_bytes())
        );
    }
    let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(&pattern(30)).unwrap();
    mac.update(&pattern(9));
    let inputs = [bytes(&pattern(30)), bytes(&pattern(9))];
    let out = eval(
        "crypto/hmac",
        "key [30]byte, data [9]byte",
        "[64]byte",
        "return hmac.SumSHA512(data, key)",
        &inputs,
    );
    assert_eq!(out, bytes(&mac.finalize().into_bytes()));
    // RFC 2202, test case 2.
    let inputs = [bytes(b"Jefe"), bytes(b"what do ya want for nothing?")];
    let out = eval(
        "crypto/hmac",
        "key [4]byte, data [28]byte",
        "[20]byte",
        "return hmac.SumSHA1(data, key)",
        &inputs,
    );
    assert_eq!(out, "hex:effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

#[test]
fn aes_of_fips_197() {
    let plain = "hex:00112233445566778899aabbccddeeff";
    for (n, cipher) in [
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ] {
        let key: Vec<u8> = (0..n as u8).collect();
        let params = format!("key [{n}]byte, block [16]byte");
        let out = eval(
            "crypto/aes",
            &params,
            "[16]byte",
            &format!("return aes.Block{}(key, block)", 8 * n),
            &[bytes(&key), json!(plain)],
        );
        assert_eq!(out, format!("hex:{cipher}"));
        let back = eval(
            "crypto/aes",
            &params,
            "[16]byte",
            "return aes.DecryptBlock(block, key)",
            &[bytes(&key), out],
        );
        assert_eq!(back, plain);
    }
}

#[test]
fn aes_key_length_is_checked() {
    let source = "package main\nimport \"crypto/aes\"\nfunc main(a [17]byte, b [16]byte) [16]byte { return aes.EncryptBlock(b, a) }\n";
    let error = compile("t.qcl", source, &Options::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("an AES key has 16, 24 or 32 bytes"),
        "{error}"
    );
    assert!(error.to_string().contains("called from t.qcl:3"), "{error}");
}

#[test]
fn sorting_networks_sort() {
    for n in [1usize, 2, 3, 5, 8, 13, 20] {
        let list: Vec<i64> = (0..n as i64).map(|i| (i * 7919 + 13) % 41 - 20).collect();
        let mut sorted = list.clone();
        sorted.sort_unstable();
        let params = format!("a [{n}]int16, b bool");
        let out = eval(
            "sort",
            &params,
            "[]int16",
            "return sort.Slice(a)",
            &[json!(list), json!(true)],
        );
        assert_eq!(out, json!(sorted), "{n}");
        sorted.reverse();
        let out = eval(
            "sort",
            &params,
            "[]int16",
            "return sort.Reverse(sort.Slice(a))",
            &[json!(list), json!(true)],
        );
        assert_eq!(out, json!(sorted));
    }
}

#[test]
fn sorting_networks_sort_all_zero_one_inputs() {
    // The zero-one principle: a network that sorts all of these sorts everything.
    let source = "package main\nimport \"sort\"\nfunc main(a [9]uint1, b bool) []uint1 { return sort.Uint(a) }\n";
    let circuit = compile("t.qcl", source, &Options::default())
        .unwrap()
        .into_circuit();
    for value in 0..512u32 {
        let bits: Vec<bool> = (0..9).map(|i| value >> i & 1 == 1).collect();
        let out = circuit.eval(&[bits, vec![true]]).unwrap();
        let ones = value.count_ones() as usize;
        assert_eq!(out[0], (0..9).map(|i| i >= 9 - ones).collect::<Vec<_>>());
    }
}

#[test]
fn bytes_compare_is_lexicographic() {
    for (a, b, expected) in [
        ("0102", "0102", 0),
        ("0102", "0103", -1),
        ("0201", "0103", 1),
        ("ff00", "00ff", 1),
    ] {
        let inputs = [json!(format!("hex:{a}")), json!(format!("hex:{b}"))];
        assert_eq!(
            eval(
                "bytes",
                "a, b [2]byte",
                "int32",
                "return bytes.Compare(a, b)",
                &inputs
            ),
            expected
        );
    }
    let inputs = [json!("hex:0102"), json!("hex:010203")];
    assert_eq!(
        eval(
            "bytes",
            "a [2]byte, b [3]byte",
            "int32",
            "return bytes.Compare(a, b)",
            &inputs
        ),
        -1
    );
    assert_eq!(
        eval(
            "bytes",
            "a [2]byte, b [3]byte",
            "bool",
            "return bytes.Equal(a, b)",
            &inputs
        ),
        false
    );
}

#[test]
fn encodings_round_trip() {
    let inputs = [json!("hex:deadbeef"), json!(0x0102_0304)];
    let text = "x := binary.GetUint32(a)\nout := binary.PutUint32(a, 0, b)\nreturn x, binary.GetUint32LSB(a), out, binary.HammingDistance(x, b)";
    let out = eval(
        "encoding/binary",
        "a [4]byte, b uint32",
        "(uint32, uint32, [4]byte, int32)",
        text,
        &inputs,
    );
    assert_eq!(
        out,
        json!({"r0": 0xdead_beefu32, "r1": 0xefbe_addeu32, "r2": "hex:01020304", "r3": (0xdead_beefu32 ^ 0x0102_0304).count_ones()})
    );
    let out = eval(
        "encoding/hex",
        "a [4]byte, b uint32",
        "(string, []byte)",
        "return hex.EncodeToString(a), hex.DecodeString(hex.EncodeToString(a))",
        &inputs,
    );
    assert_eq!(out, json!({"r0": "deadbeef", "r1": "hex:deadbeef"}));
}

#[test]
fn math_and_bits() {
    let inputs = [json!(0x8000_0001u32), json!(5)];
    let text = "return bits.RotateLeft32(a, 4), bits.RotateLeft(a, b), bits.OnesCount(a), bits.LeadingZeros(a >> 9), bits.Reverse(a ^ 2), math.MaxUint(a, 7), math.MinUint(a, 7)";
    let out = eval(
        "math math/bits",
        "a uint32, b int32",
        "(uint32, uint32, int32, int32, uint32, uint32, uint32)",
        text,
        &inputs,
    );
    let a = 0x8000_0001u32;
    assert_eq!(
        out,
        json!({"r0": a.rotate_left(4), "r1": a.rotate_left(5), "r2": 2, "r3": 9, "r4": (a ^ 2).reverse_bits(), "r5": a, "r6": 7})
    );
}

#[test]
fn modular_exponentiation_both_ways() {
    let inputs = [json!(0x321a_f130), json!(9)];
    for name in ["Exp", "ExpMontgomery"] {
        let text = format!(
            "var base, m uint32 = 0x6d7472, 0xd60b2b09\nreturn math.{name}(base, a + b, m)"
        );
        assert_eq!(
            eval("math", "a, b uint32", "uint32", &text, &inputs),
            0x55a8_3b79u32,
            "{name}"
        );
    }
}

#[test]
fn list_of_packages_is_sorted_and_loads() {
    let list = standard_packages();
    assert!(list.windows(2).all(|w| w[0] < w[1]));
    for path in list {
        let name = path.rsplit('/').next().unwrap();
        let source = format!(
            "package main\nimport p \"{path}\"\nfunc main(a, b bool) bool {{ return a && b }}\n"
        );
        compile("t.qcl", &source, &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

proptest! {
    // Each case compiles both hashes.
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn hashes_agree_on_random_messages(data in prop::collection::vec(any::<u8>(), 2..140)) {
        let (left, right) = data.split_at(1);
        let params = format!("a [1]byte, b [{}]byte", right.len());
        let inputs = [bytes(left), bytes(right)];
        let out = eval("crypto/sha256 crypto/sha512", &params, "([32]byte, [64]byte)", "return sha256.Sum256(a + b), sha512.Sum512(a + b)", &inputs);
        prop_assert_eq!(&out["r0"], &bytes(&Sha256::digest(&data)));
        prop_assert_eq!(&out["r1"], &bytes(&Sha512::digest(&data)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn aes_agrees_with_an_independent_implementation(key in any::<[u8; 32]>(), block in any::<[u8; 16]>()) {
        use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
        let circuit = |n: usize, f: &str| {
            let source = format!("package main\nimport \"crypto/aes\"\nfunc main(key [{n}]byte, block [16]byte) [16]byte {{ return aes.{f}(block, key) }}\n");
            compile("t.qcl", &source, &Options::default()).unwrap().into_circuit()
        };
        let mut expected = block.into();
        aes::Aes128::new_from_slice(&key[..16]).unwrap().encrypt_block(&mut expected);
        let out = circuit(16, "EncryptBlock").run_json(&[bytes(&key[..16]), bytes(&block)]).unwrap();
        prop_assert_eq!(&out[0], &bytes(&expected));
        let mut expected = block.into();
        aes::Aes256::new_from_slice(&key).unwrap().decrypt_block(&mut expected);
        let out = circuit(32, "DecryptBlock").run_json(&[bytes(&key), bytes(&block)]).unwrap();
        prop_assert_eq!(&out[0], &bytes(&expected));
    }

    #[test]
    fn sorting_agrees(list in prop::collection::vec(any::<i16>(), 1..24)) {
        let params = format!("a [{}]int16, b bool", list.len());
        let out = eval("sort", &params, "[]int16", "return sort.Slice(a)", &[json!(list), json!(false)]);
        let mut sorted = list;
        sorted.sort_unstable();
        prop_assert_eq!(out, json!(sorted));
    }

    #[test]
    fn modular_powers_agree(b in any::<u16>(), e in any::<u8>(), m in 1u16..) {
        let m = m | 1;
        let inputs = [json!(b), json!(e)];
        let expected = (0..e).fold(1 % u64::from(m), |x, _| x * u64::from(b) % u64::from(m));
        for name in ["Exp", "ExpMontgomery"] {
            let text = format!("var m uint16 = {m}\nreturn math.{name}(b, e, m)");
            prop_assert_eq!(eval("math", "b uint16, e uint8", "uint16", &text, &inputs), json!(expected));
        }
    }

    #[test]
    fn compare_agrees(a in prop::collection::vec(0u8..3, 1..6), b in prop::collection::vec(0u8..3, 1..6)) {
        let params = format!("a [{}]byte, b [{}]byte", a.len(), b.len());
        let out = eval("bytes", &params, "(int32, bool)", "return bytes.Compare(a, b), bytes.Equal(a, b)", &[bytes(&a), bytes(&b)]);
        prop_assert_eq!(out, json!({"r0": a.cmp(&b) as i32, "r1": a == b}));
    }
}
