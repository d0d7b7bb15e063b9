//! Prints size and compile time of some programs: `cargo run --release -p quil-qcl --example sizes`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a table for people"
)]

use std::time::Instant;

use quil_qcl::{Options, compile};

fn row(name: &str, source: &str) {
    let start = Instant::now();
    let circuit = compile(name, source, &Options::default())
        .unwrap()
        .into_circuit();
    let time = start.elapsed();
    let s = circuit.stats();
    let (slots, bytes) = (circuit.slots(), circuit.to_bytes().len());
    println!(
        "{name:<14} {:>11} and {:>11} xor {:>8} deep {:>9} stored {slots:>7} live {bytes:>9} bytes {:>6} ms",
        s.and,
        s.xor,
        s.depth,
        s.stored,
        time.as_millis()
    );
}

fn op(name: &str, ty: &str, expr: &str) {
    row(
        name,
        &format!("package main\nfunc main(a, b {ty}) {ty} {{ return {expr} }}\n"),
    );
}

fn call(name: &str, import: &str, params: &str, result: &str, expr: &str) {
    row(
        name,
        &format!(
            "package main\nimport \"{import}\"\nfunc main({params}) {result} {{ return {expr} }}\n"
        ),
    );
}

const EXAMPLES: [(&str, &str); 9] = [
    (
        "millionaires",
        include_str!("../../../../examples/qcl/millionaires.qcl"),
    ),
    (
        "auction",
        include_str!("../../../../examples/qcl/auction.qcl"),
    ),
    (
        "intersection",
        include_str!("../../../../examples/qcl/intersection.qcl"),
    ),
    (
        "median",
        include_str!("../../../../examples/qcl/median.qcl"),
    ),
    ("aes", include_str!("../../../../examples/qcl/aes.qcl")),
    (
        "preimage",
        include_str!("../../../../examples/qcl/preimage.qcl"),
    ),
    ("tree", include_str!("../../../../examples/qcl/tree.qcl")),
    (
        "regression",
        include_str!("../../../../examples/qcl/regression.qcl"),
    ),
    (
        "ed25519",
        include_str!("../../../../examples/qcl/ed25519.qcl"),
    ),
];

fn main() {
    op("add64", "uint64", "a + b");
    op("mul64", "uint64", "a * b");
    op("udiv64", "uint64", "a / b");
    op("sdiv64", "int64", "a / b");
    op("mul256", "uint256", "a * b");
    call(
        "aes128",
        "crypto/aes",
        "key, block [16]byte",
        "[16]byte",
        "aes.EncryptBlock(block, key)",
    );
    call(
        "aes128 expanded",
        "crypto/aes",
        "keys [176]byte, block [16]byte",
        "[16]byte",
        "aes.EncryptBlockExpanded(block, keys)",
    );
    call(
        "sha256 block",
        "crypto/sha256",
        "state [8]uint32, block [64]byte",
        "[8]uint32",
        "sha256.Block(state, block)",
    );
    call(
        "sha512 block",
        "crypto/sha512",
        "state [8]uint64, block [128]byte",
        "[8]uint64",
        "sha512.Block(state, block)",
    );
    call(
        "x25519",
        "crypto/curve25519",
        "k, u [32]byte",
        "[32]byte",
        "curve25519.ScalarMult(k, u)",
    );
    for (name, source) in EXAMPLES {
        row(name, source);
    }
}
