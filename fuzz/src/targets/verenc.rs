//! Records and bodies of encrypted objects.

use std::sync::LazyLock;

use quil_decaf::SecretScalar;
use quil_types::{Canonical, Digest, Domain, GenesisHash, merkle::MerklePath};
use quil_verenc::{
    Context, Draft, ObjectId, Readers, Record, VerifiedRecord, Version, body,
    limits::RECORD_BYTES_MAX,
};

use super::{LARGE, SMALL, canonical, decoder, rng, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("verenc.record", 4000, SMALL, records, record),
    verifier("verenc.verify", 300, records, verified),
    verifier("verenc.body", 150, bodies, opened),
    decoder("verenc.chunk", 150, LARGE, bodies, chunk),
    verifier("verenc.path", 300, paths, path),
];

struct Fixture {
    context: Context,
    readers: Readers,
    secret: SecretScalar,
    record: Record,
    verified: VerifiedRecord,
    sealed: Vec<u8>,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let mut rng = rng(3);
    let secrets = [1, 2].map(|_| SecretScalar::random(&mut rng));
    let mut keys = secrets.each_ref().map(|s| s.public().compress());
    keys.sort();
    let readers = Readers::new(&keys).expect("two keys");
    let context = Context {
        genesis: GenesisHash([1; 32]),
        domain: Domain([2; 32]),
        object: ObjectId([3; 32]),
        version: Version::new(4),
        writer: SecretScalar::random(&mut rng).public().compress().0,
        previous: Digest([5; 32]),
    };
    let draft = Draft::new(context.clone(), readers.clone(), &mut rng).expect("a writer");
    let (record, sealed) = draft.seal(&[6; 70_000], &mut rng).expect("short");
    let [secret, _] = secrets;
    Fixture {
        verified: record.verify(&context, &readers).expect("honest"),
        context,
        readers,
        secret,
        record,
        sealed,
    }
});

fn records() -> Vec<Vec<u8>> {
    vec![FIXTURE.record.encode()]
}

fn record(bytes: &[u8]) -> Verdict {
    Verdict::of(&canonical::<Record>(bytes, RECORD_BYTES_MAX))
}

fn verified(bytes: &[u8]) -> Verdict {
    match Record::decode(bytes, RECORD_BYTES_MAX) {
        Ok(r) => Verdict::of(&r.verify(&FIXTURE.context, &FIXTURE.readers)),
        Err(_) => Verdict::Refused,
    }
}

fn bodies() -> Vec<Vec<u8>> {
    vec![FIXTURE.sealed.clone()]
}

fn opened(bytes: &[u8]) -> Verdict {
    let key = FIXTURE.verified.unlock(&FIXTURE.secret).expect("a reader");
    let result = key.open(bytes);
    assert_eq!(result.is_ok(), FIXTURE.verified.has_body(bytes));
    if let Ok(plain) = &result {
        assert_eq!(plain.as_slice(), [6; 70_000]);
    }
    Verdict::of(&result)
}

/// Chunks at their places open to what was sealed, or not at all.
fn chunk(bytes: &[u8]) -> Verdict {
    let key = FIXTURE.verified.unlock(&FIXTURE.secret).expect("a reader");
    let mut all = true;
    for (index, sealed) in (0..).zip(bytes.chunks(body::SEALED_CHUNK_BYTES).take(4)) {
        match key.open_chunk(index, sealed) {
            Ok(plain) => assert!(plain.iter().all(|b| *b == 6)),
            Err(_) => all = false,
        }
    }
    if let Some(layout) = body::Layout::of_sealed(bytes.len()) {
        assert_eq!(layout.sealed_bytes(), bytes.len() as u64);
    }
    Verdict::when(all)
}

/// Paths of both chunks.
fn paths() -> Vec<Vec<u8>> {
    (0..2)
        .map(|i| body::path(&FIXTURE.sealed, i).expect("a chunk").encode())
        .collect()
}

fn path(bytes: &[u8]) -> Verdict {
    let Ok(path) = canonical::<MerklePath>(bytes, 1024) else {
        return Verdict::Refused;
    };
    let index = u64::from(path.index);
    let chunk = FIXTURE
        .verified
        .layout()
        .sealed_range(index)
        .map(|r| &FIXTURE.sealed[r]);
    Verdict::when(chunk.is_some_and(|c| FIXTURE.verified.has_chunk(index, c, &path)))
}
