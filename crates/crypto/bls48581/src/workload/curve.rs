//! Groups and what is built on them.

use core::convert::Infallible;
use core::hint::black_box;

use quil_workload::Workload;
use rand_core::{TryCryptoRng, TryRng};

use crate::{
    Dst, Fr, G1Affine, G1Projective, G2Affine, G2Projective, PublicKey, SecretKey, Signature,
    hash_to_g1, verify_aggregate_same_message, verify_batch,
};

/// Operations of a run that are shorter than a clock resolves.
const REPEATS: u64 = 200;
const SIGNERS: u8 = 100;
const BATCH: usize = 64;

/// The rows of the groups, of hashing and of signatures.
pub(super) fn rows() -> Vec<Workload> {
    let mut rows = g1();
    rows.extend(g2());
    rows.extend(signatures());
    rows
}

fn scalar(n: u64) -> Fr {
    Fr::from_u64(n.wrapping_add(2)).pow_vartime(&[0x1234_5678_9abc_def1, n, 7])
}

/// Applies `step` again and again: the latency of an operation.
fn chain<T: Copy + 'static>(
    id: &'static str,
    start: T,
    step: impl Fn(&T) -> T + 'static,
) -> Workload {
    let mut value = start;
    Workload::new(id, move || {
        for _ in 0..REPEATS {
            value = step(black_box(&value));
        }
    })
    .amount(REPEATS)
}

fn g1() -> Vec<Workload> {
    let k = scalar(1);
    let p = G1Projective::generator().mul_vartime(&k);
    let q = p.double().double();
    let a = q.to_affine();
    let bytes = a.to_bytes();
    vec![
        chain("g1.add", p, move |p| p.add(black_box(&q))),
        chain("g1.double", p, G1Projective::double),
        Workload::new("g1.mul", move || black_box(&p).mul_vartime(black_box(&k))),
        Workload::new("g1.subgroup", move || black_box(&a).is_in_subgroup()),
        Workload::new("g1.decode", move || {
            G1Affine::decode_checked(black_box(&bytes))
        }),
        Workload::new("g1.hash", || {
            hash_to_g1(black_box(b"message"), Dst::SIGNATURE)
        }),
    ]
}

fn g2() -> Vec<Workload> {
    let k = scalar(1);
    let p = G2Projective::generator().mul_vartime(&k);
    let a = p.to_affine();
    let bytes = a.to_bytes();
    vec![
        Workload::new("g2.subgroup", move || black_box(&a).is_in_subgroup()),
        Workload::new("g2.mul", move || black_box(&p).mul_vartime(black_box(&k))),
        Workload::new("g2.decode", move || {
            G2Affine::decode_checked(black_box(&bytes))
        }),
    ]
}

fn signatures() -> Vec<Workload> {
    const MESSAGE: &[u8] = b"message";
    let secrets: Vec<SecretKey> = (0..SIGNERS)
        .filter_map(|i| SecretKey::from_seed(&[i; 32], &[]).ok())
        .collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public_key).collect();
    let votes: Vec<Signature> = secrets.iter().map(|s| s.sign(MESSAGE)).collect();
    let aggregate = Signature::aggregate(&votes);
    let messages: Vec<[u8; 8]> = (0u64..).take(BATCH).map(u64::to_le_bytes).collect();
    let singles: Vec<Signature> = secrets
        .iter()
        .zip(&messages)
        .map(|(s, m)| s.sign(m))
        .collect();
    let batch_keys = keys.clone();
    let mut rng = Counter(1);
    let mut rows = Vec::new();
    if let Ok(signer) = SecretKey::from_seed(&[7; 32], &[]) {
        rows.push(Workload::new("bls.sign", move || {
            signer.sign(black_box(MESSAGE))
        }));
    }
    if let Ok(sum) = aggregate {
        rows.push(Workload::new("bls.verify_aggregate_100", move || {
            verify_aggregate_same_message(black_box(&keys), MESSAGE, &sum)
        }));
    }
    let batch = Workload::new("bls.batch_verify_64", move || {
        let triples: Vec<_> = batch_keys
            .iter()
            .zip(&messages)
            .zip(&singles)
            .map(|((key, message), signature)| (key, message.as_slice(), signature))
            .collect();
        verify_batch(black_box(&triples), &mut rng)
    });
    rows.push(batch.amount(u64::try_from(BATCH).unwrap_or(1)));
    rows
}

/// Weights that repeat from run to run. Predictable: for timing only, never for verification that matters.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64()
            .map(|v| u32::try_from(v >> 32).unwrap_or(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
