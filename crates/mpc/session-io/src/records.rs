//! Encrypted records on a byte stream.
//!
//! Each side sends a tag and an X25519 share; HKDF-SHA-256 over the shared secret, salted with the session key and bound
//! to both shares, gives one AES-256-GCM key per direction. A record is `u32 length of ciphertext, big-endian`, the
//! ciphertext and its 16-byte tag; the length is authenticated, the nonce is the number of the record.

use core::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::key::SessionKey;

/// First bytes of a connection.
const TAG: [u8; 8] = *b"quil2pc\x01";
/// Bytes of the first message of each side.
pub(crate) const GREETING: usize = TAG.len() + 32;
/// Most plain bytes of a record: a frame of tables with room to spare.
pub const MAX_RECORD: usize = 1 << 18;
/// Bytes of the length field.
pub(crate) const LENGTH: usize = 4;
/// Bytes of the authentication tag.
const SEAL: usize = 16;
/// Records under one key. The limit of AES-GCM with counted nonces is far above.
const MAX_RECORDS: u64 = 1 << 40;

/// Which end of the connection this side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Opened the connection.
    Connecting,
    /// Accepted it.
    Listening,
}

/// What is wrong with a connection before the session sees anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The other side speaks another protocol.
    #[error("the other side is no session of this kind")]
    Tag,
    /// A key share of small order.
    #[error("key share of small order")]
    Share,
    /// A record longer than allowed.
    #[error("record longer than {MAX_RECORD} bytes")]
    Length,
    /// A record that was not sealed with this key at this place: another session key, or bytes changed on the way.
    #[error("record not authentic: the session keys differ or bytes were changed")]
    Seal,
    /// More records than one key may seal.
    #[error("too many records under one key")]
    Exhausted,
}

/// An X25519 share and its secret.
pub(crate) struct Share {
    secret: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl Share {
    pub(crate) fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        let public = MontgomeryPoint::mul_base_clamped(*secret).to_bytes();
        Self { secret, public }
    }

    pub(crate) fn greeting(&self) -> [u8; GREETING] {
        let mut out = [0; GREETING];
        let (tag, share) = out.split_at_mut(TAG.len());
        tag.copy_from_slice(&TAG);
        share.copy_from_slice(&self.public);
        out
    }

    /// Keys from the other side's greeting.
    pub(crate) fn agree(
        &self,
        key: &SessionKey,
        end: End,
        greeting: &[u8; GREETING],
    ) -> Result<Records, RecordError> {
        let (tag, share) = greeting.split_at(TAG.len());
        if tag != TAG {
            return Err(RecordError::Tag);
        }
        let theirs: [u8; 32] = share.try_into().map_err(|_| RecordError::Tag)?;
        let shared = Zeroizing::new(MontgomeryPoint(theirs).mul_clamped(*self.secret).to_bytes());
        if *shared == [0; 32] {
            return Err(RecordError::Share);
        }
        let (first, second) = match end {
            End::Connecting => (&self.public, &theirs),
            End::Listening => (&theirs, &self.public),
        };
        let hkdf = Hkdf::<Sha256>::new(Some(key.bytes()), shared.as_ref());
        let derive = |label: &[u8]| direction(&hkdf, &[label, first, second]);
        let (out, back) = (
            derive(b"quil records from connecting")?,
            derive(b"quil records from listening")?,
        );
        Ok(match end {
            End::Connecting => Records {
                seal: out,
                open: back,
            },
            End::Listening => Records {
                seal: back,
                open: out,
            },
        })
    }
}

fn direction(hkdf: &Hkdf<Sha256>, info: &[&[u8]]) -> Result<Direction, RecordError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    hkdf.expand_multi_info(info, bytes.as_mut())
        .map_err(|_| RecordError::Exhausted)?;
    let key = UnboundKey::new(&AES_256_GCM, bytes.as_ref()).map_err(|_| RecordError::Exhausted)?;
    bytes.zeroize();
    Ok(Direction {
        key: LessSafeKey::new(key),
        number: 0,
    })
}

struct Direction {
    key: LessSafeKey,
    number: u64,
}

impl Direction {
    fn nonce(&mut self) -> Result<Nonce, RecordError> {
        if self.number >= MAX_RECORDS {
            return Err(RecordError::Exhausted);
        }
        let mut nonce = [0_u8; 12];
        for (to, from) in nonce.iter_mut().zip(self.number.to_le_bytes()) {
            *to = from;
        }
        self.number = self.number.saturating_add(1);
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}

/// Both directions of a connection.
pub(crate) struct Records {
    seal: Direction,
    open: Direction,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records(..)")
    }
}

impl Records {
    /// Appends `plain` as records.
    pub(crate) fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        for plain in plain.chunks(MAX_RECORD) {
            let start = out.len();
            out.extend_from_slice(&[0; LENGTH]);
            out.extend_from_slice(plain);
            self.seal_from(out, start)?;
        }
        Ok(())
    }

    /// Makes a record of what follows the first [`LENGTH`] bytes, at most [`MAX_RECORD`] of it, where it lies.
    pub(crate) fn seal_in_place(&mut self, record: &mut Vec<u8>) -> Result<(), RecordError> {
        self.seal_from(record, 0)
    }

    fn seal_from(&mut self, out: &mut Vec<u8>, start: usize) -> Result<(), RecordError> {
        let record = out.get_mut(start..).unwrap_or_default();
        let (field, body) = record
            .split_first_chunk_mut::<LENGTH>()
            .ok_or(RecordError::Length)?;
        if body.len() > MAX_RECORD {
            return Err(RecordError::Length);
        }
        let length = u32::try_from(body.len()).map_err(|_| RecordError::Length)?;
        *field = length.to_be_bytes();
        let (nonce, aad) = (self.seal.nonce()?, Aad::from(*field));
        let key = &self.seal.key;
        let tag = key
            .seal_in_place_separate_tag(nonce, aad, body)
            .map_err(|_| RecordError::Seal)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens the first record of `bytes` in place: its plain text, and the bytes it took. `None` while it is incomplete.
    pub(crate) fn open<'a>(
        &mut self,
        bytes: &'a mut [u8],
    ) -> Result<Option<(&'a [u8], usize)>, RecordError> {
        let Some((length, rest)) = bytes.split_first_chunk_mut::<LENGTH>() else {
            return Ok(None);
        };
        let plain =
            usize::try_from(u32::from_be_bytes(*length)).map_err(|_| RecordError::Length)?;
        if plain > MAX_RECORD {
            return Err(RecordError::Length);
        }
        let sealed = plain.saturating_add(SEAL);
        let Some(body) = rest.get_mut(..sealed) else {
            return Ok(None);
        };
        let nonce = self.open.nonce()?;
        let plain = self
            .open
            .key
            .open_in_place(nonce, Aad::from(*length), body)
            .map_err(|_| RecordError::Seal)?;
        Ok(Some((plain, sealed.saturating_add(LENGTH))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(first: u8, second: u8) -> Result<(Records, Records), RecordError> {
        let (a, b) = (
            Share::new(Zeroizing::new([1; 32])),
            Share::new(Zeroizing::new([2; 32])),
        );
        let client = a.agree(
            &SessionKey::new([first; 32]),
            End::Connecting,
            &b.greeting(),
        )?;
        let server = b.agree(
            &SessionKey::new([second; 32]),
            End::Listening,
            &a.greeting(),
        )?;
        Ok((client, server))
    }

    #[test]
    fn records_pass_in_both_directions() {
        let (mut client, mut server) = pair(7, 7).unwrap();
        let long = vec![5; MAX_RECORD + 10];
        let mut wire = Vec::new();
        client.seal(&long, &mut wire).unwrap();
        let mut got = Vec::new();
        let mut at = 0;
        while at < wire.len() {
            let (plain, taken) = server.open(&mut wire[at..]).unwrap().unwrap();
            got.extend_from_slice(plain);
            at += taken;
        }
        assert_eq!(got, long);
        let mut wire = Vec::new();
        server.seal(b"back", &mut wire).unwrap();
        assert_eq!(client.open(&mut wire).unwrap().unwrap().0, b"back");
    }

    #[test]
    fn sealing_in_place_gives_the_same_bytes() {
        for length in [0, 1, 100, MAX_RECORD] {
            let plain = vec![7; length];
            let (mut copied, mut placed) = (Vec::new(), vec![0; LENGTH]);
            placed.extend_from_slice(&plain);
            pair(7, 7).unwrap().0.seal(&plain, &mut copied).unwrap();
            pair(7, 7).unwrap().0.seal_in_place(&mut placed).unwrap();
            // Nothing is no record, but a record may be empty.
            assert!(copied == placed || length == 0);
            let (_, mut server) = pair(7, 7).unwrap();
            assert_eq!(server.open(&mut placed).unwrap().unwrap().0, plain);
        }
        let mut long = vec![0; LENGTH + MAX_RECORD + 1];
        let error = pair(7, 7).unwrap().0.seal_in_place(&mut long).unwrap_err();
        assert_eq!(error, RecordError::Length);
        let error = pair(7, 7)
            .unwrap()
            .0
            .seal_in_place(&mut vec![0; 3])
            .unwrap_err();
        assert_eq!(error, RecordError::Length);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let mut wire = Vec::new();
        pair(7, 7).unwrap().0.seal(b"hello", &mut wire).unwrap();
        for at in 0..wire.len() {
            let mut bad = wire.clone();
            bad[at] ^= 1;
            let (_, mut server) = pair(7, 7).unwrap();
            assert!(!matches!(server.open(&mut bad), Ok(Some(_))), "byte {at}");
        }
    }

    #[test]
    fn replayed_and_reflected_records_are_refused() {
        let (mut client, mut server) = pair(7, 7).unwrap();
        let mut wire = Vec::new();
        client.seal(b"once", &mut wire).unwrap();
        assert_eq!(
            client.open(&mut wire.clone()).unwrap_err(),
            RecordError::Seal
        );
        let mut copy = wire.clone();
        assert!(server.open(&mut wire).unwrap().is_some());
        assert_eq!(server.open(&mut copy).unwrap_err(), RecordError::Seal);
    }

    #[test]
    fn another_session_key_opens_nothing() {
        let (mut client, mut server) = pair(7, 8).unwrap();
        let mut wire = Vec::new();
        client.seal(b"hello", &mut wire).unwrap();
        assert_eq!(server.open(&mut wire).unwrap_err(), RecordError::Seal);
    }

    #[test]
    fn foreign_greetings_and_weak_shares_are_refused() {
        let share = Share::new(Zeroizing::new([1; 32]));
        let key = SessionKey::new([0; 32]);
        let mut greeting = share.greeting();
        greeting[7] = 2;
        assert_eq!(
            share.agree(&key, End::Listening, &greeting).unwrap_err(),
            RecordError::Tag
        );
        let mut greeting = share.greeting();
        greeting[8..].fill(0);
        assert_eq!(
            share.agree(&key, End::Listening, &greeting).unwrap_err(),
            RecordError::Share
        );
    }

    #[test]
    fn incomplete_records_wait_and_long_ones_are_refused() {
        let (mut client, mut server) = pair(7, 7).unwrap();
        let mut wire = Vec::new();
        client.seal(b"hello", &mut wire).unwrap();
        for cut in 0..wire.len() {
            assert!(server.open(&mut wire.clone()[..cut]).unwrap().is_none());
        }
        assert_eq!(
            server.open(&mut [0xff; 40]).unwrap_err(),
            RecordError::Length
        );
    }

    #[test]
    fn x25519_known_answer() {
        // RFC 7748, section 5.2.
        let bytes = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
        let scalar = bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
        let point = bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
        let out = MontgomeryPoint(point).mul_clamped(scalar).to_bytes();
        assert_eq!(
            out,
            bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
        );
    }
}
