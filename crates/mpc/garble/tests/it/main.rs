//! Laws, attacks and sessions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::string_slice,
    missing_docs,
    reason = "test code: a panic is the report of a failure"
)]

mod circuits;
mod garbling;
mod model;
mod programs;
mod session;
mod stock;

use quil_garble::bench::aes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

#[test]
fn aes_circuit_computes_aes() {
    use quil_qcl::circuit::Recipients;
    let circuit = aes::aes128(Recipients::BOTH).unwrap();
    assert_eq!(circuit.stats().and, 5120);
    // FIPS 197 appendix B: plaintext, key schedule through the kernel crate, ciphertext.
    let key = quil_ot::block::Block::from_bytes(
        0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes(),
    );
    let keys = circuits::round_keys(key);
    let plain = circuits::bits(&0x3243_f6a8_885a_308d_3131_98a2_e037_0734_u128.to_be_bytes());
    let out = circuit.eval(&[plain, keys]).unwrap();
    assert_eq!(
        out[0],
        circuits::bits(&0x3925_841d_02dc_09fb_dc11_8597_196a_0b32_u128.to_be_bytes())
    );
}
