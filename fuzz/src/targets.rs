//! The targets, by crate.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "corpora are made by honest provers from constants; a panic is what a target reports"
)]

mod bls;
mod bulletproofs;
mod classgroup;
mod decaf;
mod garble;
mod kzg;
mod qcl;
mod samples;
mod trie;
mod verenc;
mod wire;

use quil_types::{Canonical, DecodeError};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{Kind, Target, Verdict};

/// Every target.
pub static ALL: std::sync::LazyLock<Vec<Target>> = std::sync::LazyLock::new(|| {
    [
        bls::TARGETS,
        bulletproofs::TARGETS,
        classgroup::TARGETS,
        decaf::TARGETS,
        garble::TARGETS,
        kzg::TARGETS,
        qcl::TARGETS,
        trie::TARGETS,
        verenc::TARGETS,
        wire::TARGETS,
    ]
    .concat()
});

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|t| t.name == name)
}

/// Memory of targets that only parse.
const SMALL: usize = 64 << 10;
/// Memory of targets that compute with tables and products.
const LARGE: usize = 8 << 20;

const fn decoder(
    name: &'static str,
    iterations: u32,
    memory: usize,
    corpus: fn() -> Vec<Vec<u8>>,
    run: fn(&[u8]) -> Verdict,
) -> Target {
    Target {
        name,
        kind: Kind::Decoder,
        corpus,
        run,
        iterations,
        memory,
    }
}

const fn verifier(
    name: &'static str,
    iterations: u32,
    corpus: fn() -> Vec<Vec<u8>>,
    run: fn(&[u8]) -> Verdict,
) -> Target {
    Target {
        name,
        kind: Kind::Verifier,
        corpus,
        run,
        iterations,
        memory: LARGE,
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Asserts that what decoded encodes to the same bytes.
fn one_encoding<T, E>(
    bytes: &[u8],
    decoded: Result<T, E>,
    encode: impl FnOnce(&T) -> Vec<u8>,
) -> Verdict {
    if let Ok(value) = &decoded {
        assert_eq!(encode(value), bytes, "decoded bytes encode to others");
    }
    Verdict::of(&decoded)
}

/// A canonical type. Debug builds compare inside `decode` and say so with an error of its own.
fn canonical<T: Canonical>(bytes: &[u8], cap: usize) -> Result<T, DecodeError> {
    let decoded = T::decode(bytes, cap);
    if let Ok(value) = &decoded {
        assert_eq!(value.encode(), bytes, "decoded bytes encode to others");
    }
    assert_ne!(
        decoded.as_ref().err(),
        Some(&DecodeError::NotCanonical),
        "a value has two encodings"
    );
    decoded
}

/// Cuts fixed fields off the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(head)
    }
}
