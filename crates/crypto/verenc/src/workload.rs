//! The rows of this crate in `quil bench crypto`.

use quil_decaf::SecretScalar;
use quil_types::{Digest, Domain, GenesisHash};
use quil_workload::{Unit, Workload};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{
    body::Cipher,
    context::{Context, ObjectId, Version},
    draft::Draft,
    limits::CHUNK_BYTES,
    readers::Readers,
};

/// Chunks of the body that is timed: 1 MiB.
const CHUNKS: usize = 16;

/// `verenc.make` (one reader, empty body), `verenc.verify` and `verenc.body` (sealing, bytes per second).
///
/// Nothing when the fixed inputs are refused, which the tests of the crate exclude.
#[must_use]
pub fn all() -> Vec<Workload> {
    rows().unwrap_or_default()
}

fn rows() -> Option<Vec<Workload>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (reader, writer) = (
        SecretScalar::random(&mut rng),
        SecretScalar::random(&mut rng),
    );
    let readers = Readers::one(reader.public().compress()).ok()?;
    let context = Context {
        genesis: GenesisHash([1; 32]),
        domain: Domain([2; 32]),
        object: ObjectId([3; 32]),
        version: Version::new(1),
        writer: writer.public().compress().0,
        previous: Digest::ZERO,
    };
    let draft = Draft::new(context.clone(), readers.clone(), &mut rng).ok()?;
    let (record, _) = draft.seal(b"", &mut rng).ok()?;
    let (make_context, make_readers) = (context.clone(), readers.clone());
    let cipher = Cipher::new(&[7; 32], &context);
    let mut chunks = vec![vec![5; CHUNK_BYTES]; CHUNKS];
    Some(vec![
        Workload::new("verenc.make", move || {
            Draft::new(make_context.clone(), make_readers.clone(), &mut rng)
                .and_then(|d| d.seal(b"", &mut rng))
        }),
        Workload::new("verenc.verify", move || {
            record.verify(&context, &readers).is_ok()
        }),
        Workload::new("verenc.body", move || {
            for (i, chunk) in (0..).zip(chunks.iter_mut()) {
                core::hint::black_box(cipher.seal(i, false, chunk));
            }
        })
        .amount((CHUNKS * CHUNK_BYTES) as u64)
        .unit(Unit::BytesPerSecond),
    ])
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_are_the_listed_ones_and_run() {
        let mut all = super::all();
        let ids: Vec<_> = all.iter().map(|w| w.id).collect();
        assert_eq!(ids, ["verenc.make", "verenc.verify", "verenc.body"]);
        all.iter_mut().for_each(|w| (w.run)());
    }
}
