//! Operations worth timing, with their inputs ready.

use core::{convert::Infallible, hint::black_box};

use quil_decaf::{SecretScalar, hash::BlockStream};
use quil_workload::Workload;
use rand_core::{TryCryptoRng, TryRng};

use crate::{BatchItem, Commitment, Generators, Opening, RangeProof, RangeSuite, batch_verify};

/// Domain of the inputs: any will do.
const TAG: &str = "workload";
/// What the proofs are bound to.
const BINDING: [u8; 32] = [7; 32];
/// Proofs of the batch.
const BATCH: u64 = 100;

/// The rows of this crate over the suite of the network. Every one of them runs on one core; proofs are decoded as part
/// of their verification.
#[must_use]
pub fn all() -> Vec<Workload> {
    vec![
        prove("range.prove_1", 1),
        verify("range.verify_1", 1),
        prove("range.prove_16", 16),
        verify("range.verify_16", 16),
        batch("range.batch_verify_100"),
    ]
}

/// A stream of the same bytes in every run.
struct Fixed(BlockStream);

impl Fixed {
    fn new(seed: u64) -> Self {
        Self(BlockStream::new(TAG, &[&seed.to_le_bytes()]))
    }
}

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut b = [0; 4];
        self.try_fill_bytes(&mut b)?;
        Ok(u32::from_le_bytes(b))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut b = [0; 8];
        self.try_fill_bytes(&mut b)?;
        Ok(u64::from_le_bytes(b))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(quil_decaf::hash::BLOCK_BYTES) {
            for (o, b) in chunk.iter_mut().zip(self.0.next_block()) {
                *o = b;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

fn openings(values: u64, rng: &mut Fixed) -> Vec<Opening> {
    let opening = |i: u64| Opening {
        amount: u64::MAX >> i,
        blinding: SecretScalar::random(rng),
    };
    (0..values).map(opening).collect()
}

/// Commitments and the encoded proof of that many values; nothing if there is no proof.
fn proven(values: u64, rng: &mut Fixed) -> (Vec<Commitment>, Vec<u8>) {
    let open = openings(values, rng);
    let commit = |o: &Opening| o.commit(Generators::standard());
    let proof = RangeProof::prove(RangeSuite::standard(), &BINDING, &open, rng);
    (
        open.iter().map(commit).collect(),
        proof.map(|p| p.to_bytes()).unwrap_or_default(),
    )
}

fn prove(id: &'static str, values: u64) -> Workload {
    let mut rng = Fixed::new(values);
    let open = openings(values, &mut rng);
    Workload::new(id, move || {
        RangeProof::prove(RangeSuite::standard(), &BINDING, black_box(&open), &mut rng)
    })
}

fn verify(id: &'static str, values: u64) -> Workload {
    let (commitments, bytes) = proven(values, &mut Fixed::new(values));
    Workload::new(id, move || {
        RangeProof::from_bytes(black_box(&bytes))?.verify(
            RangeSuite::standard(),
            &BINDING,
            &commitments,
        )
    })
}

fn batch(id: &'static str) -> Workload {
    let mut rng = Fixed::new(0);
    let all: Vec<_> = (0..BATCH).map(|_| proven(1, &mut rng)).collect();
    let operation = move || {
        let decode = |(_, bytes): &(_, Vec<u8>)| RangeProof::from_bytes(bytes);
        let proofs: Vec<_> = black_box(&all)
            .iter()
            .map(decode)
            .collect::<Result<_, _>>()?;
        let statements = all.iter().map(|(commitments, _)| commitments);
        let items: Vec<_> = statements
            .zip(&proofs)
            .map(|(commitments, proof)| BatchItem {
                binding: &BINDING,
                commitments,
                proof,
            })
            .collect();
        batch_verify(RangeSuite::standard(), &items)
    };
    Workload::new(id, operation).amount(BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_named_ones_and_run() {
        let mut rows = all();
        let ids: Vec<_> = rows.iter().map(|r| (r.id, r.amount)).collect();
        let want = [
            ("range.prove_1", 1),
            ("range.verify_1", 1),
            ("range.prove_16", 1),
            ("range.verify_16", 1),
            ("range.batch_verify_100", 100),
        ];
        assert_eq!(ids, want);
        rows.iter_mut().for_each(|r| (r.run)());
    }

    #[test]
    fn timed_proofs_are_valid() {
        for values in [1, 16] {
            let (v, bytes) = proven(values, &mut Fixed::new(values));
            let proof = RangeProof::from_bytes(&bytes).unwrap();
            assert_eq!(proof.verify(RangeSuite::standard(), &BINDING, &v), Ok(()));
        }
    }
}
