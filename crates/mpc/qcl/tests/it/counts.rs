//! Sizes that are promised.

use quil_qcl::{Goal, Options, compile};

fn ands(source: &str) -> u64 {
    compile("t.qcl", source, &Options::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .circuit()
        .stats()
        .and
}

fn expr(ty: &str, result: &str, text: &str) -> u64 {
    ands(&format!(
        "package main\nfunc main(a, b {ty}) {result} {{ return {text} }}\n"
    ))
}

#[test]
fn arithmetic_meets_its_targets() {
    assert_eq!(expr("uint64", "uint64", "a + b"), 63);
    assert_eq!(expr("uint64", "uint64", "a - b"), 63);
    assert!(
        expr("uint64", "uint64", "a * b") <= 4006,
        "{}",
        expr("uint64", "uint64", "a * b")
    );
    assert!(
        expr("uint64", "uint64", "a / b") <= 4288,
        "{}",
        expr("uint64", "uint64", "a / b")
    );
    assert!(
        expr("uint64", "uint64", "a % b") <= 4288,
        "{}",
        expr("uint64", "uint64", "a % b")
    );
    assert!(
        expr("int64", "int64", "a / b") <= 4664,
        "{}",
        expr("int64", "int64", "a / b")
    );
    assert_eq!(expr("uint32", "bool", "a == b"), 31);
    assert_eq!(expr("uint32", "bool", "a < b"), 32);
    assert_eq!(expr("int32", "bool", "a < b"), 32);
}

#[test]
fn small_products_are_not_split() {
    assert!(expr("uint16", "uint16", "a * b") <= 241);
    assert!(expr("uint32", "uint32", "a * b") <= 993);
    assert!(expr("uint8", "uint16", "uint16(a) * uint16(b)") <= 120);
}

#[test]
fn constants_cost_little() {
    assert_eq!(expr("uint32", "uint32", "a * 8"), 0);
    assert!(expr("uint32", "uint32", "a * 7") <= 30);
    assert!(expr("uint32", "uint32", "a * 3") <= 31);
    assert_eq!(expr("uint32", "uint32", "a / 16 + b % 1"), 0);
    assert_eq!(expr("uint32", "uint32", "a << 3 ^ b >> 7 ^ ^a"), 0);
}

#[test]
fn choices_meet_their_targets() {
    let table = (0..256)
        .map(|i| ((i * 7 + i * i * 3 + 11) % 256).to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let lookup = format!(
        "package main\nfunc main(a, b uint8) uint8 {{\n t := [256]uint8{{{table}}}\n return t[a ^ b]\n}}\n"
    );
    assert!(ands(&lookup) <= 82, "{}", ands(&lookup));
    let read = "package main\nfunc main(a [16]uint32, i uint4) uint32 { return a[i] }\n";
    assert_eq!(ands(read), 480);
    let write =
        "package main\nfunc main(a [16]uint32, i uint4) [16]uint32 { a[i] = 7\n return a }\n";
    assert!(ands(write) <= 16 * 33, "{}", ands(write));
    assert_eq!(expr("uint32", "int32", "native(\"popcount\", a)"), 31);
    assert!(expr("uint32", "uint32", "a << b") <= 32 * 7);
}

#[test]
fn depth_goal_gives_logarithmic_addition() {
    let options = Options {
        goal: Goal::Depth,
        ..Options::default()
    };
    let source = "package main\nfunc main(a, b uint64) uint64 { return a + b }\n";
    let shallow = compile("t.qcl", source, &options).unwrap();
    assert!(
        shallow.circuit().stats().depth <= 7,
        "{}",
        shallow.circuit().stats().depth
    );
    assert_eq!(
        compile("t.qcl", source, &Options::default())
            .unwrap()
            .circuit()
            .stats()
            .depth,
        63
    );
}

pub(crate) const AES: &str = "package main\nimport \"crypto/aes\"\nfunc main(key, block [16]byte) [16]byte { return aes.EncryptBlock(block, key) }\n";
pub(crate) const AES_EXPANDED: &str = "package main\nimport \"crypto/aes\"\nfunc main(keys [176]byte, block [16]byte) [16]byte { return aes.EncryptBlockExpanded(block, keys) }\n";
pub(crate) const SHA256: &str = "package main\nimport \"crypto/sha256\"\nfunc main(state [8]uint32, block [64]byte) [8]uint32 { return sha256.Block(state, block) }\n";

#[test]
fn aes_and_sha_meet_their_targets() {
    assert_eq!(ands(AES), 6400);
    assert_eq!(ands(AES_EXPANDED), 5120);
    assert!(ands(SHA256) <= 22_573, "{}", ands(SHA256));
}
