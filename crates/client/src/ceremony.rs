//! `quil ceremony`: the powers-of-tau ceremony of a network (D2, D5).

use std::path::Path;

use quil_bls48581::SecretKey;
use quil_kzg::{Ceremony, SrsFile};
use quil_types::genesis::{NetworkBinding, NetworkName};
use quil_types::hash::h_bytes;
use quil_types::{limits::SRS_BYTES_MAX, tags};

use crate::files;
use crate::key::KeyFile;
use crate::output::{Document, Failure};
use crate::random::system_rng;

/// Name and seed of the network that a ceremony is for.
///
/// # Errors
/// [`Failure`] when the name is too long or the seed is not 64 hex digits.
pub fn binding(name: &str, seed_hex: &str) -> Result<NetworkBinding, Failure> {
    let bad = |message: String| {
        Failure::new("ceremony.network", message, "see quil ceremony --help").usage()
    };
    let name = NetworkName::new(name).map_err(|e| bad(format!("name: {e}")))?;
    let seed = hex::decode(seed_hex).ok().and_then(|b| b.try_into().ok());
    Ok(NetworkBinding {
        name,
        seed: seed.ok_or_else(|| bad("the seed must be 64 hex digits".to_owned()))?,
    })
}

fn load(path: &Path) -> Result<SrsFile, Failure> {
    let bytes = files::read(path, SRS_BYTES_MAX as u64)?;
    SrsFile::decode(&bytes).map_err(|e| refused(path, &e.to_string()))
}

fn refused(path: &Path, why: &str) -> Failure {
    let message = format!("{}: {why}", path.display());
    Failure::new(
        "ceremony.refused",
        message,
        "get the file again from the contributor before you",
    )
}

fn save(path: &Path, ceremony: &Ceremony) -> Result<Document, Failure> {
    let bytes = SrsFile::of(ceremony).encode();
    files::write(path, &bytes, false)?;
    Ok(describe(
        path,
        ceremony.transcript().contributions.len(),
        &bytes,
    ))
}

fn describe(path: &Path, contributions: usize, bytes: &[u8]) -> Document {
    Document::new("quil.ceremony/1")
        .with("file", path.display().to_string())
        .with("contributions", contributions)
        .with("bytes", bytes.len())
        .with("digest", hex::encode(h_bytes(tags::CONTENT, bytes)))
}

/// `quil ceremony init`: a ceremony without contributions.
///
/// # Errors
/// [`Failure`] when the file cannot be written.
pub fn init(out: &Path, binding: NetworkBinding) -> Result<Document, Failure> {
    save(out, &Ceremony::init(binding))
}

/// `quil ceremony contribute`: checks the file, adds a secret that is forgotten at once, writes the result.
///
/// # Errors
/// [`Failure`] when the file does not hold or there is no such prover key.
pub fn contribute(
    input: &Path,
    out: &Path,
    binding: &NetworkBinding,
    keys: &KeyFile,
    alias: &str,
) -> Result<Document, Failure> {
    let file = load(input)?;
    let mut ceremony = file
        .into_ceremony(binding)
        .map_err(|e| refused(input, &e.to_string()))?;
    let secret = keys.with_prover(alias, |prover| {
        SecretKey::from_bytes(&prover.key().expose_bytes())
    })?;
    let secret =
        secret.map_err(|e| Failure::new("key.store", e.to_string(), "restore the key store"))?;
    let mut rng = system_rng()?;
    ceremony
        .contribute(&secret, &mut rng)
        .map_err(|e| refused(input, &e.to_string()))?;
    save(out, &ceremony)
}

/// `quil ceremony verify`: checks every step and the powers.
///
/// # Errors
/// [`Failure`] naming the first thing that does not hold.
pub fn verify(path: &Path, binding: &NetworkBinding) -> Result<Document, Failure> {
    let file = load(path)?;
    file.verify(binding)
        .map_err(|e| refused(path, &e.to_string()))?;
    Ok(describe(
        path,
        file.transcript().contributions.len(),
        &file.encode(),
    ))
}
