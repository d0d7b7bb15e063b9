//! SHAKE256 blocks: every input is `u8 len(tag) || tag || encoded value`.

use rand_core::CryptoRng;
use shake::digest::{ExtendableOutput, Update, XofReader};
use zeroize::Zeroize;

use crate::{Point, Scalar, SecretScalar};

/// Bytes of one block: two field elements, or a scalar with negligible bias.
pub const BLOCK_BYTES: usize = 112;

/// Domain of hedged nonces.
const NONCE: &str = "nonce";
/// Fresh random bytes in a nonce.
const NONCE_RANDOM_BYTES: usize = 64;

/// A SHAKE256 stream of blocks.
pub struct BlockStream(<shake::Shake256 as ExtendableOutput>::Reader);

impl core::fmt::Debug for BlockStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BlockStream(..)")
    }
}

impl BlockStream {
    /// The stream of `u8 len(tag) || tag || parts`. A tag has at most 255 bytes.
    #[must_use]
    pub fn new(tag: &str, parts: &[&[u8]]) -> Self {
        debug_assert!(tag.len() <= 255, "tag length fits its prefix");
        let mut h = shake::Shake256::default();
        h.update(&[u8::try_from(tag.len()).unwrap_or(u8::MAX)]);
        h.update(tag.as_bytes());
        for p in parts {
            h.update(p);
        }
        Self(h.finalize_xof())
    }

    /// The next 112 bytes.
    pub fn next_block(&mut self) -> [u8; BLOCK_BYTES] {
        let mut out = [0; BLOCK_BYTES];
        self.0.read(&mut out);
        out
    }

    /// The next block as a uniform scalar.
    pub fn next_scalar(&mut self) -> Scalar {
        let mut b = self.next_block();
        let s = Scalar::from_wide_bytes(&b);
        b.zeroize();
        s
    }

    /// The next block as a point (RFC 9496 section 5.3.4).
    pub fn next_point(&mut self) -> Point {
        Point::from_uniform_bytes(&self.next_block())
    }
}

pub(crate) fn block(tag: &str, parts: &[&[u8]]) -> [u8; BLOCK_BYTES] {
    BlockStream::new(tag, parts).next_block()
}

/// A stream of secret nonces from secrets, 64 fresh random bytes and the whole statement: a broken generator alone does
/// not repeat a nonce for two statements.
///
/// `purpose` names the proof (at most 255 bytes); `secrets` and `statement` are encodings of fixed shape for it. The
/// caller erases the blocks it draws.
#[must_use]
pub fn hedged<R: CryptoRng + ?Sized>(
    purpose: &str,
    secrets: &[&[u8]],
    rng: &mut R,
    statement: &[&[u8]],
) -> BlockStream {
    let mut random = [0; NONCE_RANDOM_BYTES];
    rng.fill_bytes(&mut random);
    let purpose_len = [u8::try_from(purpose.len()).unwrap_or(u8::MAX)];
    let mut parts: Vec<&[u8]> = vec![&purpose_len, purpose.as_bytes(), &random];
    parts.extend_from_slice(secrets);
    parts.extend_from_slice(statement);
    let stream = BlockStream::new(NONCE, &parts);
    random.zeroize();
    stream
}

pub(crate) fn nonce<R: CryptoRng + ?Sized>(
    tag: &str,
    secret: &SecretScalar,
    rng: &mut R,
    statement: &[&[u8]],
) -> SecretScalar {
    let mut x = secret.expose().to_bytes();
    let k = hedged(tag, &[&x], rng, statement).next_scalar();
    x.zeroize();
    SecretScalar::new(k)
}
