//! Base transfers: 128 random 1-of-2 transfers of seeds over ristretto255.
//!
//! The transfer of Chou and Orlandi (2015/267) with the verification of Doerner, Kondi, Lee and shelat (2018/499):
//! the sender proves knowledge of its key, every key derivation takes in context, index and both group elements, and a
//! challenge, response and opening catch a party that does not follow. Five messages:
//!
//! 1. S to R: `A = aG`, Schnorr proof of `a` (96 bytes).
//! 2. R to S: `B_i = 2 b_i G + c_i A` (32 bytes each).
//! 3. S to R: `xi_i = H2(k_i0) ^ H2(k_i1)` (32 bytes each).
//! 4. R to S: `H2(k_ic) ^ c_i xi_i`, which is `H2(k_i0)` (32 bytes each).
//! 5. S to R: `H1(k_i0), H1(k_i1)` with `H2(k) = H(H1(k))` (64 bytes each).
//!
//! `k_ij` is the hash of `a B_i - j a A` under the context, the index, `A` and `B_i`.

use core::fmt;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use crate::block::Block;
use crate::context::Context;
use crate::error::{OtError, expect_len};

/// Transfers in one run: the security parameter.
pub const BASE_COUNT: usize = 128;
/// Bytes of message 1.
pub const KEY_BYTES: usize = 96;
/// Bytes of messages 2, 3 and 4.
pub const ROUND_BYTES: usize = 32 * BASE_COUNT;
/// Bytes of message 5.
pub const OPENING_BYTES: usize = 64 * BASE_COUNT;

type Key = [u8; 32];

fn random_scalar(rng: &mut impl CryptoRng) -> Scalar {
    let mut wide = Zeroizing::new([0_u8; 64]);
    rng.fill_bytes(wide.as_mut());
    Scalar::from_bytes_mod_order_wide(&wide)
}

fn decode_point(bytes: &[u8; 32]) -> Result<RistrettoPoint, OtError> {
    let point = CompressedRistretto(*bytes)
        .decompress()
        .ok_or(OtError::Encoding)?;
    if point.is_identity() {
        Err(OtError::Identity)
    } else {
        Ok(point)
    }
}

fn words(bytes: &[u8]) -> &[[u8; 32]] {
    bytes.as_chunks::<32>().0
}

fn xor(a: &Key, b: &Key) -> Key {
    core::array::from_fn(|i| a.get(i).copied().unwrap_or(0) ^ b.get(i).copied().unwrap_or(0))
}

/// Derivations under one context.
struct Derive<'a> {
    context: &'a Context,
    base: &'a [u8; 32],
}

impl Derive<'_> {
    fn key(&self, index: usize, share: &[u8; 32], point: &[u8; 32]) -> Key {
        self.context
            .hasher("base key")
            .number(index as u64)
            .part(self.base)
            .part(share)
            .part(point)
            .digest()
    }

    fn first(&self, index: usize, key: &Key) -> Key {
        self.context
            .hasher("base check 1")
            .number(index as u64)
            .part(key)
            .digest()
    }

    fn second(&self, index: usize, first: &Key) -> Key {
        self.context
            .hasher("base check 2")
            .number(index as u64)
            .part(first)
            .digest()
    }

    fn seed(&self, index: usize, key: &Key) -> Block {
        self.context
            .hasher("base seed")
            .number(index as u64)
            .part(key)
            .block()
    }

    fn proof(&self, commitment: &[u8; 32]) -> Scalar {
        let hasher = self
            .context
            .hasher("base proof")
            .part(self.base)
            .part(commitment);
        let (low, high) = (hasher.digest(), hasher.part(b"more").digest());
        let mut wide = [0_u8; 64];
        for (to, from) in wide.iter_mut().zip(low.iter().chain(&high)) {
            *to = *from;
        }
        Scalar::from_bytes_mod_order_wide(&wide)
    }
}

/// Sender before message 2.
pub struct BaseSender {
    context: Context,
    secret: Scalar,
    public: [u8; 32],
}

/// Sender before message 4.
pub struct BaseSenderCheck {
    context: Context,
    public: [u8; 32],
    keys: Vec<[Key; 2]>,
}

impl fmt::Debug for BaseSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseSender(..)")
    }
}

impl fmt::Debug for BaseSenderCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseSenderCheck(..)")
    }
}

impl Drop for BaseSender {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Drop for BaseSenderCheck {
    fn drop(&mut self) {
        self.keys.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl BaseSender {
    /// Draws a key; returns the state and message 1. Two fixed-base multiplications.
    pub fn new(context: Context, rng: &mut impl CryptoRng) -> (Self, Vec<u8>) {
        let secret = random_scalar(rng);
        let public = (&secret * RISTRETTO_BASEPOINT_TABLE).compress().to_bytes();
        let mut nonce = random_scalar(rng);
        let commitment = (&nonce * RISTRETTO_BASEPOINT_TABLE).compress().to_bytes();
        let challenge = Derive {
            context: &context,
            base: &public,
        }
        .proof(&commitment);
        let response = nonce + challenge * secret;
        nonce.zeroize();
        let message = [public, commitment, response.to_bytes()].concat();
        (
            Self {
                context,
                secret,
                public,
            },
            message,
        )
    }

    /// Takes message 2, returns message 3. 128 variable-base multiplications.
    ///
    /// # Errors
    /// Wrong length, non-canonical or neutral elements.
    pub fn challenge(self, shares: &[u8]) -> Result<(BaseSenderCheck, Vec<u8>), OtError> {
        expect_len(shares, ROUND_BYTES)?;
        let shift = self.secret * (&self.secret * RISTRETTO_BASEPOINT_TABLE);
        let mut points = Zeroizing::new(Vec::with_capacity(2 * BASE_COUNT));
        for share in words(shares) {
            let point = self.secret * decode_point(share)?;
            points.push(point);
            points.push(point - shift);
        }
        let encoded = RistrettoPoint::double_and_compress_batch(points.iter());
        let derive = Derive {
            context: &self.context,
            base: &self.public,
        };
        let mut keys = Vec::with_capacity(BASE_COUNT);
        let mut message = Vec::with_capacity(ROUND_BYTES);
        for (i, (share, pair)) in words(shares)
            .iter()
            .zip(encoded.as_chunks::<2>().0)
            .enumerate()
        {
            let pair = [
                derive.key(i, share, pair[0].as_bytes()),
                derive.key(i, share, pair[1].as_bytes()),
            ];
            let check = pair.map(|key| derive.second(i, &derive.first(i, &key)));
            message.extend_from_slice(&xor(&check[0], &check[1]));
            keys.push(pair);
        }
        Ok((
            BaseSenderCheck {
                context: self.context,
                public: self.public,
                keys,
            },
            message,
        ))
    }
}

impl BaseSenderCheck {
    /// Takes message 4, returns the 128 pairs of seeds and message 5.
    ///
    /// # Errors
    /// Wrong length or a wrong answer to the challenge.
    pub fn open(self, responses: &[u8]) -> Result<(Vec<[Block; 2]>, Vec<u8>), OtError> {
        expect_len(responses, ROUND_BYTES)?;
        let derive = Derive {
            context: &self.context,
            base: &self.public,
        };
        let mut good = Choice::from(1);
        let mut message = Vec::with_capacity(OPENING_BYTES);
        let mut seeds = Vec::with_capacity(BASE_COUNT);
        for (i, (pair, response)) in self.keys.iter().zip(words(responses)).enumerate() {
            let first = pair.map(|key| derive.first(i, &key));
            good &= derive.second(i, &first[0]).ct_eq(response);
            message.extend_from_slice(first.as_flattened());
            seeds.push(pair.map(|key| derive.seed(i, &key)));
        }
        if bool::from(good) {
            Ok((seeds, message))
        } else {
            Err(OtError::BaseResponse)
        }
    }
}

/// Receiver before message 3.
pub struct BaseReceiver {
    context: Context,
    public: [u8; 32],
    choices: Block,
    keys: Vec<Key>,
}

/// Receiver before message 5.
pub struct BaseReceiverCheck {
    inner: BaseReceiver,
    challenges: Vec<Key>,
}

impl fmt::Debug for BaseReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseReceiver(..)")
    }
}

impl fmt::Debug for BaseReceiverCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseReceiverCheck(..)")
    }
}

impl Drop for BaseReceiver {
    fn drop(&mut self) {
        self.choices.zeroize();
        self.keys.iter_mut().for_each(Zeroize::zeroize);
    }
}

fn choice(choices: Block, index: usize) -> Choice {
    Choice::from(u8::from((choices.value() >> (index % BASE_COUNT)) & 1 == 1))
}

fn select(a: &Key, b: &Key, choice: Choice) -> Key {
    Key::conditional_select(a, b, choice)
}

impl BaseReceiver {
    /// Takes message 1 and the choice bits (bit `i` of the block for transfer `i`), returns message 2.
    /// 256 fixed-base multiplications and one table.
    ///
    /// # Errors
    /// Wrong length, non-canonical or neutral key, wrong proof.
    pub fn new(
        context: Context,
        choices: Block,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), OtError> {
        expect_len(message, KEY_BYTES)?;
        let [public, commitment, response] = words(message) else {
            return Err(OtError::Length {
                got: message.len(),
                want: KEY_BYTES,
            });
        };
        let base = verify_key(&context, public, commitment, response)?;
        let table = RistrettoBasepointTable::create(&base);
        let half = base * Scalar::from(2_u64).invert();
        let (mut shares, mut points) = (
            Vec::with_capacity(BASE_COUNT),
            Zeroizing::new(Vec::with_capacity(BASE_COUNT)),
        );
        for i in 0..BASE_COUNT {
            let mut secret = random_scalar(rng);
            let shift = RistrettoPoint::conditional_select(
                &RistrettoPoint::default(),
                &half,
                choice(choices, i),
            );
            shares.push(&secret * RISTRETTO_BASEPOINT_TABLE + shift);
            points.push(&(secret + secret) * &table);
            secret.zeroize();
        }
        let shares = RistrettoPoint::double_and_compress_batch(&shares);
        let points = RistrettoPoint::double_and_compress_batch(points.iter());
        let derive = Derive {
            context: &context,
            base: public,
        };
        let keys = shares.iter().zip(&points).enumerate();
        let keys = keys
            .map(|(i, (share, point))| derive.key(i, share.as_bytes(), point.as_bytes()))
            .collect();
        let message = shares.iter().flat_map(|share| share.to_bytes()).collect();
        Ok((
            Self {
                context,
                public: *public,
                choices,
                keys,
            },
            message,
        ))
    }

    /// Takes message 3, returns message 4.
    ///
    /// # Errors
    /// Wrong length.
    pub fn respond(self, challenges: &[u8]) -> Result<(BaseReceiverCheck, Vec<u8>), OtError> {
        expect_len(challenges, ROUND_BYTES)?;
        let derive = Derive {
            context: &self.context,
            base: &self.public,
        };
        let mut message = Vec::with_capacity(ROUND_BYTES);
        for (i, (key, challenge)) in self.keys.iter().zip(words(challenges)).enumerate() {
            let own = derive.second(i, &derive.first(i, key));
            message.extend_from_slice(&select(
                &own,
                &xor(&own, challenge),
                choice(self.choices, i),
            ));
        }
        Ok((
            BaseReceiverCheck {
                inner: self,
                challenges: words(challenges).to_vec(),
            },
            message,
        ))
    }
}

fn verify_key(
    context: &Context,
    public: &[u8; 32],
    commitment: &[u8; 32],
    response: &[u8; 32],
) -> Result<RistrettoPoint, OtError> {
    let base = decode_point(public)?;
    let commitment_point = decode_point(commitment)?;
    let response =
        Option::<Scalar>::from(Scalar::from_canonical_bytes(*response)).ok_or(OtError::Encoding)?;
    let challenge = Derive {
        context,
        base: public,
    }
    .proof(commitment);
    if &response * RISTRETTO_BASEPOINT_TABLE == commitment_point + challenge * base {
        Ok(base)
    } else {
        Err(OtError::KeyProof)
    }
}

impl BaseReceiverCheck {
    /// Takes message 5, returns the 128 chosen seeds.
    ///
    /// # Errors
    /// Wrong length or an opening that contradicts challenge or key.
    pub fn finish(self, openings: &[u8]) -> Result<Vec<Block>, OtError> {
        expect_len(openings, OPENING_BYTES)?;
        let own = &self.inner;
        let derive = Derive {
            context: &own.context,
            base: &own.public,
        };
        let mut good = Choice::from(1);
        let mut seeds = Vec::with_capacity(BASE_COUNT);
        let pairs = words(openings).as_chunks::<2>().0;
        for (i, ((key, challenge), pair)) in
            own.keys.iter().zip(&self.challenges).zip(pairs).enumerate()
        {
            let both = xor(&derive.second(i, &pair[0]), &derive.second(i, &pair[1]));
            good &= both.ct_eq(challenge);
            good &= select(&pair[0], &pair[1], choice(own.choices, i)).ct_eq(&derive.first(i, key));
            seeds.push(derive.seed(i, key));
        }
        if bool::from(good) {
            Ok(seeds)
        } else {
            Err(OtError::BaseOpening)
        }
    }
}
