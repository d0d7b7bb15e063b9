//! The record of an encrypted object: what goes on the wire and into the state.

use quil_decaf::{CompressedPoint, DecodePointError, POINT_BYTES, Point, SCALAR_BYTES, Scalar};
use quil_types::{Bounded, Digest, Sorted, canonical, hash, merkle, merkle::MerklePath, tags};

use crate::{
    body::{self, Layout},
    context::Context,
    limits::{BODY_BYTES_MAX, KEY_CHECK_BYTES, READERS_MAX},
    proof::{self, DecodedShare},
    readers::Readers,
};

canonical! {
    /// M for one reader.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Ciphertext {
        /// r_i G.
        pub c1: [u8; POINT_BYTES],
        /// M + r_i Y_i.
        pub c2: [u8; POINT_BYTES],
    }
}

canonical! {
    /// What a record holds for one reader.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Share {
        /// M for this reader.
        pub ciphertext: Ciphertext,
        /// s_i = k_i + c r_i of the proof.
        pub response: [u8; SCALAR_BYTES],
    }
}

canonical! {
    /// An encrypted object without its body: unverified. 300 bytes for one reader, 168 more for each further one.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Record {
        /// One share per reader, in the order of the readers.
        pub shares: Bounded<Share, READERS_MAX>,
        /// kc: tells a reader that the key is the writer's, before anything is decrypted.
        pub key_check: [u8; KEY_CHECK_BYTES],
        /// Digest of the sealed body.
        pub body: Digest,
        /// Plaintext bytes of the body.
        pub length: u64,
        /// c of the proof that the writer knows every r_i and that M is the same for all readers; bound to everything
        /// above but the responses, and to the context.
        pub challenge: [u8; SCALAR_BYTES],
    }
}

canonical! {
    /// Everything that the object commitment covers.
    pub(crate) struct Statement {
        pub(crate) context: Context,
        pub(crate) readers: Sorted<[u8; POINT_BYTES], READERS_MAX>,
        pub(crate) ciphertexts: Bounded<Ciphertext, READERS_MAX>,
        pub(crate) key_check: [u8; KEY_CHECK_BYTES],
        pub(crate) body: Digest,
        pub(crate) length: u64,
    }
}

impl Statement {
    pub(crate) fn commitment(&self) -> Digest {
        Digest(hash::h(tags::DATA_OBJECT, self))
    }
}

/// Why a record is not accepted (V1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not one share per reader.
    #[error("the record has {found} shares for {readers} readers")]
    ReaderCount {
        /// Shares of the record.
        found: usize,
        /// Readers of the domain.
        readers: usize,
    },
    /// More plaintext than a body may have.
    #[error("a body has at most {BODY_BYTES_MAX} bytes")]
    Length,
    /// c1 or a c2 is not canonical or the identity.
    #[error("a ciphertext: {0}")]
    Ciphertext(DecodePointError),
    /// The writer key is not canonical or the identity.
    #[error("the writer key: {0}")]
    Writer(DecodePointError),
    /// A scalar of the proof is not below the group order.
    #[error("the proof's encoding is not canonical")]
    ProofEncoding,
    /// The equations do not hold: another object, version, writer, reader or body, or different keys for the readers.
    #[error("the proof does not verify")]
    Proof,
}

/// A record whose proof holds in its context.
#[derive(Clone, Debug)]
pub struct VerifiedRecord {
    pub(crate) record: Record,
    pub(crate) context: Context,
    pub(crate) readers: Readers,
    pub(crate) ciphertexts: Vec<(Point, Point)>,
    commitment: Digest,
    layout: Layout,
}

impl Record {
    /// The object commitment `H("data.object", context, readers, record without its proof)`.
    #[must_use]
    pub fn commitment(&self, context: &Context, readers: &Readers) -> Digest {
        Statement {
            context: context.clone(),
            readers: readers.encodings().clone(),
            ciphertexts: self.ciphertexts(),
            key_check: self.key_check,
            body: self.body,
            length: self.length,
        }
        .commitment()
    }

    pub(crate) fn ciphertexts(&self) -> Bounded<Ciphertext, READERS_MAX> {
        let all: Vec<_> = self.shares.iter().map(|s| s.ciphertext).collect();
        // The shares have the same bound.
        all.try_into().unwrap_or_default()
    }

    /// Checks the record for its context and the readers of the domain. Variable time: all of it is public.
    ///
    /// What holds then: the writer of this record knew M for this object, version, writer and these readers, and every
    /// reader finds the same M. That the body opens is not proven.
    ///
    /// # Errors
    /// [`RecordError`], cheap rules first.
    pub fn verify(
        &self,
        context: &Context,
        readers: &Readers,
    ) -> Result<VerifiedRecord, RecordError> {
        if self.shares.len() != readers.count() {
            return Err(RecordError::ReaderCount {
                found: self.shares.len(),
                readers: readers.count(),
            });
        }
        let layout = Layout::new(self.length).ok_or(RecordError::Length)?;
        let challenge = Scalar::from_bytes(&self.challenge).ok_or(RecordError::ProofEncoding)?;
        decode(&context.writer).map_err(RecordError::Writer)?;
        let shares: Vec<DecodedShare> = self
            .shares
            .iter()
            .map(decode_share)
            .collect::<Result<_, _>>()?;
        let commitment = self.commitment(context, readers);
        if !proof::verify(readers, commitment.as_bytes(), &challenge, &shares) {
            return Err(RecordError::Proof);
        }
        Ok(VerifiedRecord {
            record: self.clone(),
            context: context.clone(),
            readers: readers.clone(),
            ciphertexts: shares.iter().map(|s| (s.c1, s.c2)).collect(),
            commitment,
            layout,
        })
    }
}

impl VerifiedRecord {
    /// The object commitment: what the next version names as `previous`.
    #[must_use]
    pub const fn commitment(&self) -> Digest {
        self.commitment
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Where the chunks of the body lie.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether this is the sealed body: what a node that stores it checks, without any key. Cost: SHA3-256 over it.
    #[must_use]
    pub fn has_body(&self, sealed: &[u8]) -> bool {
        Layout::of_sealed(sealed.len()) == Some(self.layout)
            && body::digest(sealed) == Some(self.record.body)
    }

    /// Whether this is one chunk of the sealed body.
    #[must_use]
    pub fn has_chunk(&self, index: u64, sealed_chunk: &[u8], path: &MerklePath) -> bool {
        u64::from(path.index) == index
            && u64::from(path.count) == self.layout.chunks()
            && self.layout.sealed_range(index).map(|r| r.len()) == Some(sealed_chunk.len())
            && merkle::verify(&self.record.body, &body::chunk_digest(sealed_chunk), path)
    }
}

fn decode_share(share: &Share) -> Result<DecodedShare, RecordError> {
    Ok(DecodedShare {
        response: Scalar::from_bytes(&share.response).ok_or(RecordError::ProofEncoding)?,
        c1: decode(&share.ciphertext.c1).map_err(RecordError::Ciphertext)?,
        c2: decode(&share.ciphertext.c2).map_err(RecordError::Ciphertext)?,
    })
}

fn decode(bytes: &[u8; POINT_BYTES]) -> Result<Point, DecodePointError> {
    CompressedPoint(*bytes).decompress_nonidentity()
}
