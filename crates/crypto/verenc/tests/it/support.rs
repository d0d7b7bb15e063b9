use core::ops::{Deref, DerefMut};

use quil_decaf::{CompressedPoint, Point, SCALAR_BYTES, Scalar, SecretScalar};
use quil_types::{Digest, Domain, GenesisHash};
use quil_verenc::{Context, Draft, ObjectId, Readers, Record, Share, VerifiedRecord, Version};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn secret(seed: u64) -> SecretScalar {
    SecretScalar::random(&mut rng(0x5ec2_e700 + seed))
}

pub(crate) fn key(seed: u64) -> CompressedPoint {
    secret(seed).public().compress()
}

pub(crate) fn context() -> Context {
    Context {
        genesis: GenesisHash([1; 32]),
        domain: Domain([2; 32]),
        object: ObjectId([3; 32]),
        version: Version::new(7),
        writer: key(100).0,
        previous: Digest([4; 32]),
    }
}

/// Readers with these seeds, and the seeds in the order of the set.
pub(crate) fn readers(seeds: &[u64]) -> (Readers, Vec<u64>) {
    let mut order = seeds.to_vec();
    order.sort_by_key(|s| key(*s));
    let keys: Vec<_> = order.iter().map(|s| key(*s)).collect();
    (Readers::new(&keys).expect("readers"), order)
}

pub(crate) struct Object {
    pub(crate) context: Context,
    pub(crate) readers: Readers,
    pub(crate) record: Record,
    pub(crate) sealed: Vec<u8>,
}

impl Object {
    pub(crate) fn new(context: Context, readers: Readers, plaintext: &[u8], seed: u64) -> Self {
        let mut rng = rng(seed);
        let draft = Draft::new(context.clone(), readers.clone(), &mut rng).expect("draft");
        let (record, sealed) = draft.seal(plaintext, &mut rng).expect("sealed");
        Self {
            context,
            readers,
            record,
            sealed,
        }
    }

    /// One reader (seed 1), the standard context.
    pub(crate) fn simple(plaintext: &[u8]) -> Self {
        Self::new(context(), readers(&[1]).0, plaintext, 11)
    }

    pub(crate) fn verified(&self) -> VerifiedRecord {
        self.record
            .verify(&self.context, &self.readers)
            .expect("verifies")
    }
}

/// The first share of a record, to bend it: written back when it goes out of scope.
pub(crate) struct Bend<'a> {
    record: &'a mut Record,
    share: Share,
}

pub(crate) fn share(record: &mut Record) -> Bend<'_> {
    let share = record.shares[0];
    Bend { record, share }
}

impl Deref for Bend<'_> {
    type Target = Share;
    fn deref(&self) -> &Share {
        &self.share
    }
}

impl DerefMut for Bend<'_> {
    fn deref_mut(&mut self) -> &mut Share {
        &mut self.share
    }
}

impl Drop for Bend<'_> {
    fn drop(&mut self) {
        let mut all = self.record.shares.clone().into_vec();
        all[0] = self.share;
        self.record.shares = all.try_into().expect("as many as before");
    }
}

pub(crate) fn point(bytes: &[u8; 56]) -> Point {
    CompressedPoint(*bytes).decompress().expect("point")
}

/// The group order as bytes: the smallest scalar that is not canonical.
pub(crate) fn order() -> [u8; SCALAR_BYTES] {
    let mut bytes = (-Scalar::ONE).to_bytes();
    bytes[0] += 1; // the order is odd, so its predecessor ends in an even byte
    assert_eq!(Scalar::from_bytes(&bytes), None);
    bytes
}

/// Encodings of 56 bytes that no group element has: above the prime, negative, off the curve.
pub(crate) fn bad_points() -> Vec<[u8; 56]> {
    let mut negative = [0; 56];
    negative[0] = 1;
    let mut zero_plus_p = [0xff; 56];
    zero_plus_p[28] = 0xfe;
    vec![[0xff; 56], negative, zero_plus_p]
}

/// A deterministic plaintext.
pub(crate) fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}
