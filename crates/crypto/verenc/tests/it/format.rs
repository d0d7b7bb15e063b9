//! The documented format, computed by hand from hashes and the cipher.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::Aead, aead::Payload};
use quil_types::Canonical;
use sha3::{Digest, Sha3_256, Sha3_512};

use crate::support::{Object, context, point, readers, secret, text};

fn tagged(tag: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag.len() as u8];
    out.extend(tag.as_bytes());
    parts.iter().for_each(|p| out.extend_from_slice(p));
    out
}

/// HMAC (RFC 2104) over SHA3-512, whose block has 72 bytes.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 64] {
    let mut block = [0; 72];
    block[..key.len()].copy_from_slice(key);
    let pad = |x: u8| block.map(|b| b ^ x);
    let inner = Sha3_512::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha3_512::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[test]
fn record_and_body_are_as_documented() {
    let plain = text(70_000);
    let o = Object::new(context(), readers(&[1, 2]).0, &plain, 21);
    let at = o.readers.position(&crate::support::key(2)).expect("reader");
    let count = 2u32.to_le_bytes();

    let y = o.readers.encodings().concat();
    let ciphertexts: Vec<u8> = o
        .record
        .shares
        .iter()
        .flat_map(|s| [s.ciphertext.c1, s.ciphertext.c2].concat())
        .collect();

    // M = c2 - y c1; (K, kc) = HKDF-SHA3-512(enc(M); info).
    let own = o.record.shares[at].ciphertext;
    let m = point(&own.c2) - point(&own.c1) * *secret(2).expose();
    let c = &o.context;
    let info = tagged(
        "data.key",
        &[
            &c.genesis.0,
            &c.domain.0,
            &c.object.0,
            &count,
            &y,
            &count,
            &ciphertexts,
        ],
    );
    let prk = hmac(&[0; 64], m.compress().as_bytes());
    let okm = hmac(&prk, &[&info[..], &[1]].concat());
    assert_eq!(okm[32..], o.record.key_check);

    // The body, chunk by chunk.
    let aead = XChaCha20Poly1305::new_from_slice(&okm[..32]).expect("32 bytes");
    let aad = Sha3_256::digest(tagged("data.context", &[&c.encode()]));
    let mut opened = Vec::new();
    for (i, chunk) in o.sealed.chunks(65_552).enumerate() {
        let mut nonce = [0; 24];
        nonce[15] = i as u8;
        nonce[23] = u8::from(i == 1);
        let payload = Payload {
            msg: chunk,
            aad: &aad,
        };
        opened.extend(aead.decrypt(&nonce.into(), payload).expect("opens"));
    }
    assert_eq!(opened, plain);

    // Its digest: two leaves.
    let leaves: Vec<[u8; 32]> = o
        .sealed
        .chunks(65_552)
        .map(|chunk| {
            let len = (chunk.len() as u32).to_le_bytes();
            let d = Sha3_256::digest(tagged("data.chunk", &[&len, chunk]));
            Sha3_256::digest(tagged("merkle.leaf", &[&32u32.to_le_bytes(), &d])).into()
        })
        .collect();
    let top = Sha3_256::digest(tagged("merkle.inner", &[&leaves[0], &leaves[1]]));
    let root = Sha3_256::digest(tagged("merkle.root", &[&count, &top]));
    assert_eq!(o.record.body.0[..], root[..]);

    // The object commitment.
    let commitment = Sha3_256::digest(tagged(
        "data.object",
        &[
            &c.encode(),
            &count,
            &y,
            &count,
            &ciphertexts,
            &o.record.key_check,
            &o.record.body.0,
            &70_000u64.to_le_bytes(),
        ],
    ));
    assert_eq!(o.verified().commitment().0[..], commitment[..]);
}
