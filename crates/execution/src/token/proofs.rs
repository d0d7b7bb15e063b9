//! The last three checks of T8: sum, input signatures, ranges (T5, T6).

use quil_bulletproofs::excess::{ExcessProof, PublicAmounts, excess};
use quil_bulletproofs::image::SpendProof;
use quil_bulletproofs::{BatchItem, Commitment, RangeProof, RangeSuite, batch_verify};
use quil_decaf::{Point, schnorr};
use quil_types::bundle::{AccountDebit, FeePart, ProofBytes, Transfer};
use quil_types::{Code, Digest, TxId, tags};
use rayon::prelude::*;

use super::cache::ProofCache;
use super::check::{Checked, CheckedDebit, CheckedPart, CheckedTransfer};
use super::contextual::{Ready, SpentCoin, parse};
use super::records::CoinRecord;

type Verdict = Result<(), Code>;

/// Range proofs in one batch: large enough that the shared generators no longer count, small enough that one bad
/// proof costs its frame-mates little and that all cores have work.
const RANGE_BATCH: usize = 64;

/// Verifies the proofs of many bundles: sums and input signatures one by one on all cores, then the range proofs in
/// batches, singly only where a batch fails. Pure; variable time.
///
/// The verdict of a bundle does not depend on the others.
#[must_use]
pub fn verify_batch(suite: &RangeSuite, jobs: &[Ready<'_>]) -> Vec<Verdict> {
    let jobs: Vec<_> = jobs.iter().map(|j| (j.checked(), j.coins())).collect();
    verify_jobs(suite, &jobs)
}

/// As [`verify_batch`], asking and filling the cache.
#[must_use]
pub fn verify_cached(cache: &ProofCache, suite: &RangeSuite, jobs: &[Ready<'_>]) -> Vec<Verdict> {
    let known: Vec<_> = jobs.iter().map(|j| cache.get(j.checked().hash())).collect();
    let open = jobs.iter().zip(&known).filter(|(_, k)| k.is_none());
    let open: Vec<_> = open.map(|(j, _)| (j.checked(), j.coins())).collect();
    let mut fresh = verify_jobs(suite, &open).into_iter();
    for ((checked, _), verdict) in open.iter().zip(fresh.as_slice()) {
        cache.put(checked.hash(), *verdict);
    }
    let merged = known.into_iter().map(|k| k.or_else(|| fresh.next()));
    // `fresh` has one verdict per unknown job; a missing one would be a refusal, never an acceptance.
    merged
        .map(|v| v.unwrap_or(Err(Code::OutputRange)))
        .collect()
}

/// Verifies one bundle against coins that the caller vouches for: a wallet's check of its own work.
///
/// # Errors
/// The first of the three rules that is broken; `input.unknown` when a coin does not parse.
pub(crate) fn verify_with(suite: &RangeSuite, checked: &Checked, coins: &[CoinRecord]) -> Verdict {
    let coins = coins.iter().map(parse).collect::<Option<Vec<_>>>();
    let coins = coins.ok_or(Code::InputUnknown)?;
    let verdict = verify_jobs(suite, &[(checked, &coins)]).pop();
    verdict.unwrap_or(Err(Code::OutputRange))
}

type Job<'a> = (&'a Checked, &'a [SpentCoin]);

fn verify_jobs(suite: &RangeSuite, jobs: &[Job<'_>]) -> Vec<Verdict> {
    let signed = jobs
        .par_iter()
        .map(|(checked, coins)| signatures(suite, checked, coins));
    let mut verdicts: Vec<Verdict> = signed.collect();
    let good = jobs
        .iter()
        .zip(&verdicts)
        .enumerate()
        .filter(|(_, (_, v))| v.is_ok());
    let ranges: Vec<_> = good
        .filter_map(|(at, (job, _))| Some((at, range_of(job.0)?)))
        .collect();
    let checked: Vec<(usize, Verdict)> = ranges
        .par_chunks(RANGE_BATCH)
        .flat_map_iter(|chunk| range_chunk(suite, chunk))
        .collect();
    for (at, verdict) in checked {
        if let Some(v) = verdicts.get_mut(at) {
            *v = verdict;
        }
    }
    verdicts
}

fn signatures(suite: &RangeSuite, checked: &Checked, coins: &[SpentCoin]) -> Verdict {
    match (checked.part(), &checked.bundle().fee) {
        (CheckedPart::Transfer(t), FeePart::Transfer(raw)) => {
            if coins.len() != t.inputs.len() {
                return Err(Code::InputUnknown);
            }
            sum(suite, t, raw, coins)?;
            inputs(t, raw, coins)
        }
        (CheckedPart::Debit(d), FeePart::AccountDebit(raw)) => debit(d, raw),
        // `stateless` makes the part from the fee.
        _ => Err(Code::TxMalformed),
    }
}

/// T5: the excess is a multiple of the blinding generator.
fn sum(suite: &RangeSuite, t: &CheckedTransfer, raw: &Transfer, coins: &[SpentCoin]) -> Verdict {
    let body = &raw.body;
    let public = PublicAmounts {
        mint: body.mint.as_ref().map_or(0, |m| m.amount),
        fee: body.fee,
        burn: body.burn,
    };
    let spent = coins.iter().map(|c| &c.commitment);
    let made = t.commitments.iter().map(Commitment::point);
    let total = excess(suite.generators(), spent, made, public);
    let proof = ExcessProof::from_bytes(&raw.excess);
    let balanced = proof.is_ok_and(|p| p.verify(suite.generators(), &total, &t.message.0).is_ok());
    match (balanced, &body.mint) {
        (true, _) => Ok(()),
        (false, None) => Err(Code::SumUnbalanced),
        (false, Some(_)) => Err(Code::MintAmountMismatch),
    }
}

/// T6: every input knows its one-time key, and its image is made with it.
fn inputs(t: &CheckedTransfer, raw: &Transfer, coins: &[SpentCoin]) -> Verdict {
    let mut parts = t.inputs.iter().zip(coins).zip(&raw.input_proofs);
    let holds =
        |((input, coin), bytes): ((&super::check::CheckedInput, &SpentCoin), &ProofBytes)| {
            let proof = SpendProof::from_bytes(bytes);
            proof.is_ok_and(|p| {
                p.verify(&coin.key, &input.image, input.coin, &t.message.0)
                    .is_ok()
            })
        };
    if parts.all(holds) {
        Ok(())
    } else {
        Err(Code::InputSignature)
    }
}

fn debit(d: &CheckedDebit, raw: &AccountDebit) -> Verdict {
    if signed(tags::DEBIT, &d.key, &raw.signature, &d.message) {
        Ok(())
    } else {
        Err(Code::InputSignature)
    }
}

/// What a range proof is about.
struct Range<'a> {
    tx: TxId,
    commitments: &'a [Commitment],
    proof: &'a [u8],
}

/// The range statement of a bundle; none when it makes no outputs.
fn range_of(checked: &Checked) -> Option<Range<'_>> {
    match (checked.part(), &checked.bundle().fee) {
        (CheckedPart::Transfer(t), FeePart::Transfer(raw)) if !t.commitments.is_empty() => {
            Some(Range {
                tx: checked.tx(),
                commitments: &t.commitments,
                proof: &raw.range_proof,
            })
        }
        _ => None,
    }
}

fn range_chunk(suite: &RangeSuite, chunk: &[(usize, Range<'_>)]) -> Vec<(usize, Verdict)> {
    let parsed: Vec<Option<RangeProof>> = chunk
        .iter()
        .map(|(_, r)| {
            let fits = suite.proof_bytes(r.commitments.len()) == Some(r.proof.len());
            RangeProof::from_bytes(r.proof).ok().filter(|_| fits)
        })
        .collect();
    let items = chunk
        .iter()
        .zip(&parsed)
        .filter_map(|((_, r), p)| Some(item(r, p.as_ref()?)));
    let items: Vec<_> = items.collect();
    let all = batch_verify(suite, &items).is_ok();
    let verdict = |r: &Range<'_>, p: &RangeProof| {
        if all || p.verify(suite, &r.tx.0, r.commitments).is_ok() {
            Ok(())
        } else {
            Err(Code::OutputRange)
        }
    };
    let each = chunk.iter().zip(&parsed);
    each.map(|((at, r), p)| {
        (
            *at,
            p.as_ref().map_or(Err(Code::OutputRange), |p| verdict(r, p)),
        )
    })
    .collect()
}

fn item<'a>(range: &'a Range<'_>, proof: &'a RangeProof) -> BatchItem<'a> {
    BatchItem {
        binding: &range.tx.0,
        commitments: range.commitments,
        proof,
    }
}

/// Whether the authority signed the transfer (T9).
pub(super) fn authority_signed(key: &Point, signature: &ProofBytes, message: &Digest) -> bool {
    signed(tags::AUTHORITY, key, signature, message)
}

fn signed(tag: tags::Tag, key: &Point, signature: &ProofBytes, message: &Digest) -> bool {
    schnorr::Signature::from_bytes(signature)
        .is_ok_and(|s| schnorr::verify(tag.as_str(), key, &message.0, &s).is_ok())
}
