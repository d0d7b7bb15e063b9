//! Sizes of circuits, and what compiling them takes.

use quil_qcl::{Options, compile};

use super::{Sample, Watch, text};

/// What a row counts.
pub(super) enum Figure {
    /// AND gates.
    Ands,
    /// Time of the compiler.
    Time,
}

const AES: &str = "package main
import \"crypto/aes\"
func main(key, block [16]byte) [16]byte { return aes.EncryptBlock(block, key) }
";
const AES_EXPANDED: &str = "package main
import \"crypto/aes\"
func main(keys [176]byte, block [16]byte) [16]byte { return aes.EncryptBlockExpanded(block, keys) }
";
const SHA256: &str = "package main
import \"crypto/sha256\"
func main(state [8]uint32, block [64]byte) [8]uint32 { return sha256.Block(state, block) }
";
const MUL: &str = "package main\nfunc main(a, b uint64) uint64 { return a * b }\n";
const DIV: &str = "package main\nfunc main(a, b uint64) uint64 { return a / b }\n";
const ADD: &str = "package main\nfunc main(a, b uint64) uint64 { return a + b }\n";
/// Verification of a signature.
const ED25519: &str = include_str!("../../../../../examples/qcl/ed25519.qcl");

/// Figure and program of a row.
pub(super) fn load(id: &str) -> Option<(Figure, &'static str)> {
    Some(match id {
        "circuit.aes128_and" => (Figure::Ands, AES),
        "circuit.aes128_expanded_and" => (Figure::Ands, AES_EXPANDED),
        "circuit.sha256_and" => (Figure::Ands, SHA256),
        "circuit.mul64_and" => (Figure::Ands, MUL),
        "circuit.div64_and" => (Figure::Ands, DIV),
        "circuit.add64_and" => (Figure::Ands, ADD),
        "compile.aes128" => (Figure::Time, AES),
        "compile.sha256" => (Figure::Time, SHA256),
        "compile.ed25519" => (Figure::Time, ED25519),
        _ => return None,
    })
}

pub(super) fn ands(source: &str) -> Result<u64, String> {
    let compiled = compile("bench.qcl", source, &Options::default()).map_err(text)?;
    Ok(compiled.circuit().stats().and)
}

/// From source to circuit, packages included.
pub(super) fn compile_time(source: &str) -> Sample {
    let watch = Watch::start();
    let compiled = compile("bench.qcl", source, &Options::default()).map_err(text)?;
    let work = watch.work(1);
    drop(compiled);
    Ok(work)
}
