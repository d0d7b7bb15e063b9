//! Writing an encrypted object.

use quil_decaf::{CompressedPoint, SecretScalar, hash};
use quil_types::{Bounded, Canonical, Digest, merkle, tags};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    body::{Cipher, Layout, chunk_digest},
    context::Context,
    kdf,
    limits::{BODY_BYTES_MAX, CHUNK_BYTES, KEY_CHECK_BYTES, READERS_MAX},
    proof,
    readers::Readers,
    record::{Ciphertext, Record, Share, Statement},
};

/// A fresh data key for one version of one object. It seals exactly one body, so that no key is used for two.
pub struct Draft {
    context: Context,
    readers: Readers,
    secrets: Vec<SecretScalar>,
    ciphertexts: Bounded<Ciphertext, READERS_MAX>,
    key_check: [u8; KEY_CHECK_BYTES],
    cipher: Cipher,
}

/// Seals a body piece by piece.
pub struct Sealer {
    draft: Draft,
    pending: Zeroizing<Vec<u8>>,
    digests: Vec<[u8; 32]>,
    length: u64,
}

/// Why an object cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The writer key is not canonical or the identity: no node would accept the record.
    #[error("the writer key is not a point")]
    Writer,
    /// More plaintext than a body may have.
    #[error("a body has at most {BODY_BYTES_MAX} bytes")]
    TooLong,
    /// The cipher or the key derivation refused; bounded inputs do not lead here.
    #[error("the cipher refused")]
    Cipher,
}

impl Draft {
    /// A fresh M and one fresh r per reader. All are derived from 64 random bytes and the whole context, so a generator that repeats itself
    /// does not repeat a key for another object or version. Constant time in M and every r.
    ///
    /// # Errors
    /// [`SealError::Writer`].
    pub fn new<R: CryptoRng + ?Sized>(
        context: Context,
        readers: Readers,
        rng: &mut R,
    ) -> Result<Self, SealError> {
        CompressedPoint(context.writer)
            .decompress_nonidentity()
            .map_err(|_| SealError::Writer)?;
        let statement = (context.encode(), readers.encodings().encode());
        let mut stream = hash::hedged(
            tags::DATA_KEY.as_str(),
            &[],
            rng,
            &[&statement.0, &statement.1],
        );
        let mut shared = stream.next_point();
        let mut secrets = Vec::with_capacity(readers.count());
        let mut ciphertexts = Bounded::new();
        for y in readers.points() {
            let r = SecretScalar::new(stream.next_scalar());
            let ciphertext = Ciphertext {
                c1: r.public().compress().0,
                c2: (shared + y * r.expose()).compress().0,
            };
            // As many ciphertexts as readers, which have the same bound.
            ciphertexts
                .try_push(ciphertext)
                .map_err(|_| SealError::Cipher)?;
            secrets.push(r);
        }
        let keys = kdf::derive(&context, &readers, &ciphertexts, &shared);
        shared.zeroize();
        let keys = keys.ok_or(SealError::Cipher)?;
        Ok(Self {
            cipher: Cipher::new(&keys.body, &context),
            key_check: keys.check,
            context,
            readers,
            secrets,
            ciphertexts,
        })
    }

    /// Seals a whole body. Returns the record and the sealed body.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<R: CryptoRng + ?Sized>(
        self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<(Record, Vec<u8>), SealError> {
        let size = u64::try_from(plaintext.len())
            .ok()
            .and_then(Layout::new)
            .and_then(|l| usize::try_from(l.sealed_bytes()).ok())
            .ok_or(SealError::TooLong)?;
        let mut out = Vec::with_capacity(size);
        let mut sealer = self.into_sealer();
        sealer.push(plaintext, &mut out)?;
        let record = sealer.finish(&mut out, rng)?;
        Ok((record, out))
    }

    /// Seals a body that arrives in pieces.
    #[must_use]
    pub fn into_sealer(self) -> Sealer {
        Sealer {
            draft: self,
            pending: Zeroizing::default(),
            digests: Vec::new(),
            length: 0,
        }
    }
}

impl Sealer {
    /// Takes the next plaintext bytes, in pieces of any size; appends every sealed chunk that is complete to `out`.
    ///
    /// At most one chunk of plaintext is held back, because only the end shows which one is the last.
    ///
    /// # Errors
    /// [`SealError`]; the sealer is of no use then.
    pub fn push(&mut self, mut plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.length = u64::try_from(plaintext.len())
            .ok()
            .and_then(|n| self.length.checked_add(n))
            .filter(|n| *n <= BODY_BYTES_MAX)
            .ok_or(SealError::TooLong)?;
        while !plaintext.is_empty() {
            if self.pending.len() == CHUNK_BYTES {
                let chunk = core::mem::take(&mut self.pending);
                self.chunk(&chunk, false, out)?;
            }
            // A chunk that is whole and followed by more is sealed without being copied first.
            if self.pending.is_empty() && plaintext.len() > CHUNK_BYTES {
                let (chunk, rest) = plaintext.split_at(CHUNK_BYTES);
                self.chunk(chunk, false, out)?;
                plaintext = rest;
                continue;
            }
            let room = CHUNK_BYTES.saturating_sub(self.pending.len());
            // Room for all of it at once: a vector that grows leaves copies behind.
            self.pending.reserve_exact(room);
            let (now, rest) = plaintext.split_at(room.min(plaintext.len()));
            self.pending.extend_from_slice(now);
            plaintext = rest;
        }
        Ok(())
    }

    /// Seals the last chunk and proves the record.
    ///
    /// # Errors
    /// [`SealError::Cipher`].
    pub fn finish<R: CryptoRng + ?Sized>(
        mut self,
        out: &mut Vec<u8>,
        rng: &mut R,
    ) -> Result<Record, SealError> {
        let last = core::mem::take(&mut self.pending);
        self.chunk(&last, true, out)?;
        let body = merkle::root(&self.digests);
        Ok(self.draft.record(body, self.length, rng))
    }

    fn chunk(&mut self, plaintext: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), SealError> {
        let index = u64::try_from(self.digests.len()).map_err(|_| SealError::TooLong)?;
        let start = out.len();
        out.extend_from_slice(plaintext);
        let place = out.get_mut(start..).unwrap_or_default();
        let tag = self
            .draft
            .cipher
            .seal(index, last, place)
            .ok_or(SealError::Cipher)?;
        out.extend_from_slice(&tag);
        let sealed = out.get(start..).unwrap_or_default();
        self.digests.push(chunk_digest(sealed));
        Ok(())
    }
}

impl Draft {
    /// The record of a body with this digest and length.
    fn record<R: CryptoRng + ?Sized>(self, body: Digest, length: u64, rng: &mut R) -> Record {
        let statement = Statement {
            context: self.context,
            readers: self.readers.encodings().clone(),
            ciphertexts: self.ciphertexts,
            key_check: self.key_check,
            body,
            length,
        };
        let commitment = statement.commitment();
        let (c, responses) = proof::prove(&self.readers, commitment.as_bytes(), &self.secrets, rng);
        let shares: Vec<Share> = statement
            .ciphertexts
            .iter()
            .zip(&responses)
            .map(|(ciphertext, s)| Share {
                ciphertext: *ciphertext,
                response: s.to_bytes(),
            })
            .collect();
        Record {
            // As many as ciphertexts, which have the same bound.
            shares: shares.try_into().unwrap_or_default(),
            key_check: self.key_check,
            body,
            length,
            challenge: c.to_bytes(),
        }
    }
}

impl core::fmt::Debug for Draft {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Draft")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sealer")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
