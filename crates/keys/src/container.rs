//! The encrypted file, as bytes. A backup is a copy of these bytes.
//!
//! ```text
//! "QUILKEYS" | u16 version | u32 memory KiB | u32 passes | u32 lanes | salt 16 | nonce 24 | check 16
//!            | u32 length | ciphertext with tag | checksum 32
//! ```
//!
//! key, check = HKDF-SHA512(Argon2id(passphrase, salt), "quil/v1/keystore"); the cipher is XChaCha20-Poly1305; the
//! associated data is everything in front of the length; checksum = H("keystore", everything in front of it). The
//! checksum finds accidents, the check a wrong passphrase, the cipher's tag a change on purpose: three errors.

use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use quil_types::{hash, tags};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::kdf::{self, CHECK_BYTES, KdfParams, KdfParamsError, Passphrase, RawParams, SALT_BYTES};

/// Version of the file format that this crate reads and writes.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: [u8; 8] = *b"QUILKEYS";
const NONCE_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// Magic, version, cost, salt, nonce, check.
const HEADER_BYTES: usize = 8 + 2 + 12 + SALT_BYTES + NONCE_BYTES + CHECK_BYTES;
/// Largest content, bytes: [`crate::ENTRIES_MAX`] of the largest entries.
pub(crate) const CONTENT_BYTES_MAX: usize = 160 * 1024;
/// Largest file, bytes.
const FILE_BYTES_MAX: usize = HEADER_BYTES + 4 + CONTENT_BYTES_MAX + TAG_BYTES + CHECKSUM_BYTES;

/// Why a key store does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Larger than any key store.
    #[error("{len} bytes are more than a key store can have")]
    TooLarge {
        /// Bytes given.
        len: usize,
    },
    /// Does not begin like a key store.
    #[error("not a key store")]
    NotAKeyStore,
    /// Written by a later version.
    #[error("key store format {found}, this program reads format {FORMAT_VERSION}")]
    UnknownVersion {
        /// Version in the file.
        found: u16,
    },
    /// Cut off or changed by accident; the passphrase was not tried.
    #[error("the key store is damaged; use a backup copy")]
    Damaged,
    /// The cost in the file is outside the bounds; nothing was derived.
    #[error(transparent)]
    Params(#[from] KdfParamsError),
    /// Not enough memory to derive the key.
    #[error("not enough memory to derive the key of the key store")]
    Memory,
    /// The file is whole, the passphrase is not the one it was sealed with.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The passphrase is right and the checksum matches, but the content was changed on purpose.
    #[error("the key store was tampered with; use a backup copy")]
    Tampered,
    /// The content decrypts but is not a list of keys in the form that this crate writes.
    #[error("the content of the key store is malformed")]
    Content,
}

/// Why a key store cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Not enough memory to derive the key.
    #[error("not enough memory to derive the key of the key store")]
    Memory,
    /// The content is larger than a file may be.
    #[error("the key store is too large")]
    TooLarge,
}

#[derive(BorshDeserialize)]
struct RawHeader {
    magic: [u8; 8],
    version: u16,
    params: RawParams,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    check: [u8; CHECK_BYTES],
}

/// Encrypts a content. Salt and nonce are drawn anew each time, so no key is used twice.
pub(crate) fn seal<R: CryptoRng + ?Sized>(
    content: &[u8],
    passphrase: &Passphrase,
    params: KdfParams,
    rng: &mut R,
) -> Result<Vec<u8>, SealError> {
    if content.len() > CONTENT_BYTES_MAX {
        return Err(SealError::TooLarge);
    }
    let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let file_key = kdf::derive(passphrase, &salt, params).map_err(|_| SealError::Memory)?;
    let header = (MAGIC, FORMAT_VERSION, params, salt, nonce, file_key.check);
    let mut out = Vec::new();
    header.serialize(&mut out).map_err(|_| SealError::Memory)?;
    let ciphertext = XChaCha20Poly1305::new((&*file_key.key).into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: content,
                aad: &out,
            },
        )
        .map_err(|_| SealError::TooLarge)?;
    ciphertext
        .serialize(&mut out)
        .map_err(|_| SealError::Memory)?;
    let sum = hash::h_bytes(tags::KEY_STORE, &out);
    out.extend_from_slice(&sum);
    Ok(out)
}

/// Decrypts a file.
pub(crate) fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(OpenError::TooLarge { len: bytes.len() });
    }
    let (aad, header, ciphertext) = split(bytes)?;
    let params = header.params.check()?;
    let file_key = kdf::derive(passphrase, &header.salt, params).map_err(|_| OpenError::Memory)?;
    if !bool::from(file_key.check.ct_eq(&header.check)) {
        return Err(OpenError::WrongPassphrase);
    }
    XChaCha20Poly1305::new((&*file_key.key).into())
        .decrypt(
            &XNonce::from(header.nonce),
            Payload {
                msg: ciphertext,
                aad,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Tampered)
}

/// Magic and version first, so that a later format is named as such; then the checksum over everything.
fn split(bytes: &[u8]) -> Result<(&[u8], RawHeader, &[u8]), OpenError> {
    let mut rest = bytes.strip_prefix(&MAGIC).ok_or(OpenError::NotAKeyStore)?;
    let version = u16::deserialize(&mut rest).map_err(|_| OpenError::Damaged)?;
    if version != FORMAT_VERSION {
        return Err(OpenError::UnknownVersion { found: version });
    }
    let (body, sum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(OpenError::Damaged)?;
    if hash::h_bytes(tags::KEY_STORE, body) != *sum {
        return Err(OpenError::Damaged);
    }
    let (aad, mut rest) = body
        .split_at_checked(HEADER_BYTES)
        .ok_or(OpenError::Damaged)?;
    let header = RawHeader::try_from_slice(aad).map_err(|_| OpenError::Damaged)?;
    debug_assert!(
        header.magic == MAGIC && header.version == version,
        "checked above"
    );
    let len = u32::deserialize(&mut rest).map_err(|_| OpenError::Damaged)?;
    if usize::try_from(len).ok() != Some(rest.len()) {
        return Err(OpenError::Damaged);
    }
    Ok((aad, header, rest))
}
