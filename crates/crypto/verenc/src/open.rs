//! Reading an encrypted object.

use quil_decaf::SecretScalar;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    body::{Cipher, Layout},
    kdf,
    limits::TAG_BYTES,
    record::VerifiedRecord,
};

/// Why an object does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The secret belongs to no reader of the object.
    #[error("not a reader of this object")]
    NotAReader,
    /// The key check does not match: the writer gave the readers no key of this body.
    #[error("the key check does not match")]
    KeyCheck,
    /// The sealed body is not the one of the record.
    #[error("not the body of this record")]
    Body,
    /// There is no such chunk, or it has another size.
    #[error("no chunk {0} of this size")]
    NoChunk(u64),
    /// The tag of a chunk is wrong.
    #[error("chunk {0} does not open")]
    Chunk(u64),
}

/// The key of one version of one object.
pub struct BodyKey<'a> {
    record: &'a VerifiedRecord,
    cipher: Cipher,
}

impl VerifiedRecord {
    /// Recovers the key with a reader's secret: M = c2 - y c1, then the key check. Constant time in the secret.
    ///
    /// # Errors
    /// [`OpenError::NotAReader`], [`OpenError::KeyCheck`].
    pub fn unlock(&self, secret: &SecretScalar) -> Result<BodyKey<'_>, OpenError> {
        let (c1, c2) = self
            .readers
            .position(&secret.public().compress())
            .and_then(|i| self.ciphertexts.get(i))
            .ok_or(OpenError::NotAReader)?;
        let mut shared = *c2 - c1 * secret.expose();
        let keys = kdf::derive(
            &self.context,
            &self.readers,
            &self.record.ciphertexts(),
            &shared,
        );
        shared.zeroize();
        let keys = keys.ok_or(OpenError::KeyCheck)?;
        if !bool::from(keys.check.ct_eq(&self.record.key_check)) {
            return Err(OpenError::KeyCheck);
        }
        Ok(BodyKey {
            record: self,
            cipher: Cipher::new(&keys.body, &self.context),
        })
    }
}

impl BodyKey<'_> {
    /// Opens the whole body: size and digest are checked before anything is decrypted.
    ///
    /// # Errors
    /// [`OpenError::Body`]; [`OpenError::Chunk`] if the writer sealed it with another key.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if !self.record.has_body(sealed) {
            return Err(OpenError::Body);
        }
        let layout = self.record.layout();
        let mut out = Zeroizing::new(Vec::with_capacity(sealed.len()));
        for index in 0..layout.chunks() {
            let chunk = layout.sealed_range(index).and_then(|r| sealed.get(r));
            self.append(index, chunk.ok_or(OpenError::Body)?, &mut out)?;
        }
        Ok(out)
    }

    /// Opens one chunk. Number and size are bound by its tag; check [`VerifiedRecord::has_chunk`] first to be sure that
    /// it is what the record commits to.
    ///
    /// # Errors
    /// [`OpenError::NoChunk`], [`OpenError::Chunk`].
    pub fn open_chunk(
        &self,
        index: u64,
        sealed_chunk: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let range = self.record.layout().sealed_range(index);
        if range.map(|r| r.len()) != Some(sealed_chunk.len()) {
            return Err(OpenError::NoChunk(index));
        }
        let mut out = Zeroizing::new(Vec::with_capacity(sealed_chunk.len()));
        self.append(index, sealed_chunk, &mut out)?;
        Ok(out)
    }

    fn append(&self, index: u64, sealed_chunk: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let (text, tag) = sealed_chunk
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(OpenError::NoChunk(index))?;
        let start = out.len();
        out.extend_from_slice(text);
        let place = out.get_mut(start..).unwrap_or_default();
        let last = self.record.layout().is_last(index);
        self.cipher
            .open(index, last, place, tag)
            .ok_or(OpenError::Chunk(index))
    }

    /// Where the chunks lie.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.record.layout()
    }
}

impl core::fmt::Debug for BodyKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BodyKey(..)")
    }
}
