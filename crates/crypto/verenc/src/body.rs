//! The sealed body: 64 KiB chunks, each with its own tag, in the order of their nonces.
//!
//! A body of n bytes has max(1, ceil(n / 64 KiB)) chunks; all but the last are full. Chunk i is XChaCha20-Poly1305 of
//! its plaintext under nonce `0^15 || u64 little-endian i || last` with the hash of the context as associated data, written as
//! ciphertext || tag. Number and flag in the nonce make a body that is cut, extended or reordered fail (STREAM).
//!
//! Its digest is the Merkle root (D3) over `H("data.chunk", chunk)`, so a part of a body can be checked on its own.

use core::ops::Range;

use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce, aead::AeadInOut};
use quil_types::{
    Digest, hash,
    merkle::{self, MerklePath},
    tags,
};

use crate::{
    context::Context,
    kdf::KEY_BYTES,
    limits::{BODY_BYTES_MAX, CHUNK_BYTES, TAG_BYTES},
};

/// Bytes of a sealed chunk that is not the last.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// Where the chunks of a body of known length lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    length: u64,
}

impl Layout {
    /// For plaintext bytes; `None` above [`BODY_BYTES_MAX`].
    #[must_use]
    pub const fn new(length: u64) -> Option<Self> {
        if length > BODY_BYTES_MAX {
            None
        } else {
            Some(Self { length })
        }
    }

    /// For a sealed body; `None` if no plaintext gives this size.
    #[must_use]
    pub fn of_sealed(bytes: usize) -> Option<Self> {
        let chunks = bytes.div_ceil(SEALED_CHUNK_BYTES).max(1);
        let overhead = chunks.checked_mul(TAG_BYTES)?;
        let layout = Self::new(u64::try_from(bytes.checked_sub(overhead)?).ok()?)?;
        (layout.sealed_bytes() == u64::try_from(bytes).ok()?).then_some(layout)
    }

    /// Plaintext bytes.
    #[must_use]
    pub const fn length(self) -> u64 {
        self.length
    }

    /// Number of chunks, at least 1.
    #[must_use]
    pub const fn chunks(self) -> u64 {
        let n = self.length.div_ceil(CHUNK_BYTES as u64);
        if n == 0 { 1 } else { n }
    }

    /// Bytes of the sealed body.
    #[must_use]
    pub const fn sealed_bytes(self) -> u64 {
        // At most 2^36 + 2^24: `new` bounds the length.
        self.length
            .saturating_add(self.chunks().saturating_mul(TAG_BYTES as u64))
    }

    /// Whether this is the index of the last chunk.
    #[must_use]
    pub const fn is_last(self, index: u64) -> bool {
        index.saturating_add(1) == self.chunks()
    }

    /// Where a sealed chunk lies; `None` if there is no such chunk or this machine cannot address it.
    #[must_use]
    pub fn sealed_range(self, index: u64) -> Option<Range<usize>> {
        if index >= self.chunks() {
            return None;
        }
        let size = SEALED_CHUNK_BYTES as u64;
        let start = index.checked_mul(size)?;
        let end = start.checked_add(size)?.min(self.sealed_bytes());
        Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

/// `H("data.chunk", chunk)` of a sealed chunk.
#[must_use]
pub fn chunk_digest(sealed_chunk: &[u8]) -> [u8; 32] {
    hash::h_bytes(tags::DATA_CHUNK, sealed_chunk)
}

/// Digest of a sealed body; `None` if no plaintext gives its size. Cost: SHA3-256 over all of it.
#[must_use]
pub fn digest(sealed: &[u8]) -> Option<Digest> {
    Layout::of_sealed(sealed.len())?;
    Some(merkle::root(&chunk_digests(sealed)))
}

/// Path from a chunk to the digest of a sealed body: what a storer sends along with a part.
#[must_use]
pub fn path(sealed: &[u8], index: u64) -> Option<MerklePath> {
    Layout::of_sealed(sealed.len())?;
    merkle::path(&chunk_digests(sealed), usize::try_from(index).ok()?)
}

fn chunk_digests(sealed: &[u8]) -> Vec<[u8; 32]> {
    sealed
        .chunks(SEALED_CHUNK_BYTES)
        .map(chunk_digest)
        .collect()
}

/// Seals and opens chunks under one key and context.
pub(crate) struct Cipher {
    aead: XChaCha20Poly1305,
    associated: [u8; 32],
}

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_BYTES], context: &Context) -> Self {
        Self {
            aead: XChaCha20Poly1305::new(key.into()),
            associated: hash::h(tags::DATA_CONTEXT, context),
        }
    }

    /// Encrypts in place; the tag goes behind the chunk. `None` cannot happen for a chunk of at most 64 KiB.
    pub(crate) fn seal(&self, index: u64, last: bool, chunk: &mut [u8]) -> Option<[u8; TAG_BYTES]> {
        let nonce = nonce(index, last);
        self.aead
            .encrypt_inout_detached(&nonce, &self.associated, chunk.into())
            .ok()
            .map(Into::into)
    }

    /// Checks the tag, then decrypts in place. `None` if the tag is wrong; the chunk is then unchanged.
    #[must_use]
    pub(crate) fn open(
        &self,
        index: u64,
        last: bool,
        chunk: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Option<()> {
        let nonce = nonce(index, last);
        self.aead
            .decrypt_inout_detached(&nonce, &self.associated, chunk.into(), &Tag::from(*tag))
            .ok()
    }
}

fn nonce(index: u64, last: bool) -> XNonce {
    let mut nonce = [0; 24];
    let (_, rest) = nonce.split_at_mut(15);
    if let Some((flag, number)) = rest.split_last_mut() {
        number.copy_from_slice(&index.to_le_bytes());
        *flag = u8::from(last);
    }
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_hold_number_and_flag() {
        let n: [u8; 24] = nonce(0x0102, true).into();
        assert_eq!(n[..15], [0; 15]);
        assert_eq!(n[15..], [2, 1, 0, 0, 0, 0, 0, 0, 1]);
        let n: [u8; 24] = nonce(u64::MAX, false).into();
        assert_eq!(n[15..], [255, 255, 255, 255, 255, 255, 255, 255, 0]);
    }

    #[test]
    fn layout_of_every_edge() {
        let full = CHUNK_BYTES as u64;
        for (length, chunks) in [
            (0, 1),
            (1, 1),
            (full - 1, 1),
            (full, 1),
            (full + 1, 2),
            (2 * full, 2),
            (2 * full + 1, 3),
            (BODY_BYTES_MAX, 1 << 20),
        ] {
            let l = Layout::new(length).unwrap();
            assert_eq!(l.chunks(), chunks);
            assert_eq!(l.sealed_bytes(), length + 16 * chunks);
            assert_eq!(
                Layout::of_sealed(usize::try_from(l.sealed_bytes()).unwrap()),
                Some(l)
            );
            let last = l.sealed_range(chunks - 1).unwrap();
            assert_eq!(last.end as u64, l.sealed_bytes());
            assert!(l.is_last(chunks - 1) && !l.is_last(chunks));
            assert_eq!(l.sealed_range(chunks), None);
        }
        assert_eq!(Layout::new(BODY_BYTES_MAX + 1), None);
    }

    #[test]
    fn sizes_that_no_plaintext_gives_have_no_layout() {
        for bad in (0..TAG_BYTES).chain(SEALED_CHUNK_BYTES + 1..=SEALED_CHUNK_BYTES + TAG_BYTES) {
            assert_eq!(Layout::of_sealed(bad), None, "{bad}");
        }
        for good in [16, 17, SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES + 17] {
            assert!(Layout::of_sealed(good).is_some(), "{good}");
        }
    }
}
