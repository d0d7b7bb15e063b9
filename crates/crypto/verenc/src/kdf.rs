//! From the shared group element to the key of the body and its check.

use hkdf::SimpleHkdf;
use quil_decaf::{POINT_BYTES, Point};
use quil_types::{Bounded, Domain, GenesisHash, Sorted, canonical, hash, tags};
use sha3::Sha3_512;
use zeroize::Zeroizing;

use crate::{
    context::{Context, ObjectId},
    limits::{KEY_CHECK_BYTES, READERS_MAX},
    readers::Readers,
    record::Ciphertext,
};

/// Bytes of the body key.
pub(crate) const KEY_BYTES: usize = 32;

canonical! {
    /// What the keys are derived for.
    struct KeyInfo {
        genesis: GenesisHash,
        domain: Domain,
        object: ObjectId,
        readers: Sorted<[u8; POINT_BYTES], READERS_MAX>,
        ciphertexts: Bounded<Ciphertext, READERS_MAX>,
    }
}

/// K and kc.
pub(crate) struct Keys {
    pub(crate) body: Zeroizing<[u8; KEY_BYTES]>,
    pub(crate) check: [u8; KEY_CHECK_BYTES],
}

/// (K, kc) = HKDF-SHA3-512(enc(M); info). `None` cannot happen: 64 bytes are one block.
pub(crate) fn derive(
    context: &Context,
    readers: &Readers,
    ciphertexts: &Bounded<Ciphertext, READERS_MAX>,
    shared: &Point,
) -> Option<Keys> {
    let info = KeyInfo {
        genesis: context.genesis,
        domain: context.domain,
        object: context.object,
        readers: readers.encodings().clone(),
        ciphertexts: ciphertexts.clone(),
    };
    let ikm = Zeroizing::new(shared.compress().0);
    let mut okm = Zeroizing::new([0; KEY_BYTES + KEY_CHECK_BYTES]);
    SimpleHkdf::<Sha3_512>::new(None, ikm.as_slice())
        .expand(&hash::tagged(tags::DATA_KEY, &info), okm.as_mut_slice())
        .ok()?;
    let (key, check) = okm.split_at(KEY_BYTES);
    Some(Keys {
        body: Zeroizing::new(*key.first_chunk()?),
        check: *check.first_chunk()?,
    })
}
