//! The Ed25519 identity of a process and its two spellings: [`PeerKey`] for us, [`PeerId`] for libp2p.

use core::fmt;

use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey, ed25519},
};
use quil_types::PeerKey;

/// Multihash head of an Ed25519 peer id: identity code, 36 bytes, protobuf of key type 1 with 32 bytes.
const PEER_ID_HEAD: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The key pair of a process.
#[derive(Clone)]
pub struct Identity(Keypair);

impl Identity {
    /// From the 32-byte secret, which is erased.
    ///
    /// # Panics
    /// Never: every 32 bytes are a valid secret.
    #[must_use]
    pub fn from_secret(secret: &mut [u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "the decoder refuses other lengths only")]
        let pair =
            Keypair::ed25519_from_bytes(&mut secret[..]).expect("32 bytes are an Ed25519 secret");
        Self(pair)
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        peer_key(&self.peer_id()).unwrap_or_default()
    }

    /// The libp2p peer id.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.0.public().to_peer_id()
    }

    pub(crate) const fn keypair(&self) -> &Keypair {
        &self.0
    }

    /// Signs a message that starts with a tag of `quil_types::tags`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        // Ed25519 signing is total; a zero signature, should the library ever disagree, verifies nowhere.
        self.0
            .sign(message)
            .ok()
            .and_then(|s| s.try_into().ok())
            .unwrap_or([0; 64])
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.peer_id())
    }
}

/// The key inside a peer id; `None` unless it is an Ed25519 one.
#[must_use]
pub fn peer_key(peer: &PeerId) -> Option<PeerKey> {
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&PEER_ID_HEAD)?;
    key.try_into().ok().map(PeerKey)
}

/// The peer id of a key; `None` if the bytes are no Ed25519 point.
#[must_use]
pub fn peer_id(key: &PeerKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&key.0).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// Checks an Ed25519 signature.
pub(crate) fn verify(key: &PeerKey, message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519::PublicKey::try_from_bytes(&key.0).is_ok_and(|k| k.verify(message, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_peer_id_are_two_spellings() {
        for n in 0..20 {
            let id = Identity::from_secret(&mut [n; 32]);
            assert_eq!(peer_id(&id.key()), Some(id.peer_id()));
            assert_eq!(peer_key(&id.peer_id()), Some(id.key()));
        }
        let points = (0..64)
            .filter(|n| peer_id(&PeerKey([*n; 32])).is_some())
            .count();
        assert!(
            (10..54).contains(&points),
            "about half of all strings are points: {points}"
        );
    }

    /// RFC 8032, 7.1, test 1.
    #[test]
    fn key_is_that_of_the_rfc() {
        let mut secret = [0; 32];
        hex(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            &mut secret,
        );
        let mut public = [0; 32];
        hex(
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            &mut public,
        );
        let id = Identity::from_secret(&mut secret);
        assert_eq!(id.key(), PeerKey(public));
        assert_eq!(secret, [0; 32], "the secret was erased");
        assert!(
            verify(&id.key(), b"m", &id.sign(b"m")) && !verify(&id.key(), b"n", &id.sign(b"m"))
        );
        assert!(!format!("{id:?}").contains("9d61"));
    }

    fn hex(text: &str, out: &mut [u8]) {
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
    }
}
