//! Range, excess and spend proofs, one-time outputs.

use std::sync::LazyLock;

use quil_bulletproofs::{
    Commitment, Generators, Opening, RangeProof, RangeSuite,
    excess::{ExcessProof, PublicAmounts, excess},
    image::{SpendProof, key_image},
    stealth::{Position, ViewKey},
};
use quil_decaf::{CompressedPoint, Point, SecretScalar};
use quil_types::{Canonical, CoinId, Digest, bundle::Output};

use super::{Fields, LARGE, SMALL, canonical, decoder, one_encoding, rng, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("bulletproofs.proof", 600, SMALL, proofs, proof),
    verifier("bulletproofs.range", 60, ranges, range),
    verifier("bulletproofs.excess", 300, excesses, excess_proof),
    verifier("bulletproofs.spend", 200, spends, spend),
    decoder("bulletproofs.scan", 300, LARGE, outputs, scan),
];

const TX: [u8; 32] = [9; 32];

fn openings(amounts: &[u64]) -> Vec<Opening> {
    let mut rng = rng(4);
    amounts
        .iter()
        .map(|amount| Opening {
            amount: *amount,
            blinding: SecretScalar::random(&mut rng),
        })
        .collect()
}

/// Commitments with their proof, for one and for two amounts.
static PROVEN: LazyLock<Vec<(Vec<Commitment>, Vec<u8>)>> = LazyLock::new(|| {
    [&[7][..], &[u64::MAX, 0]]
        .iter()
        .map(|amounts| {
            let openings = openings(amounts);
            let suite = RangeSuite::standard();
            let proof = RangeProof::prove(suite, &TX, &openings, &mut rng(5)).expect("in range");
            let commitments = openings
                .iter()
                .map(|o| o.commit(Generators::standard()))
                .collect();
            (commitments, proof.to_bytes())
        })
        .collect()
});

fn proofs() -> Vec<Vec<u8>> {
    PROVEN.iter().map(|(_, proof)| proof.clone()).collect()
}

fn proof(bytes: &[u8]) -> Verdict {
    one_encoding(bytes, RangeProof::from_bytes(bytes), RangeProof::to_bytes)
}

/// count || commitments || proof.
fn ranges() -> Vec<Vec<u8>> {
    PROVEN
        .iter()
        .map(|(commitments, proof)| {
            let mut out = vec![commitments.len() as u8];
            commitments.iter().for_each(|c| out.extend(c.to_bytes()));
            out.extend(proof);
            out
        })
        .collect()
}

fn range(bytes: &[u8]) -> Verdict {
    Verdict::when(range_holds(bytes).is_some())
}

fn range_holds(bytes: &[u8]) -> Option<()> {
    let mut f = Fields(bytes);
    let count = f.array::<1>()?[0];
    let commitments: Vec<Commitment> = (0..count)
        .map(|_| Commitment::from_bytes(f.array()?).ok())
        .collect::<Option<_>>()?;
    let proof = RangeProof::from_bytes(f.0).ok()?;
    proof.verify(RangeSuite::standard(), &TX, &commitments).ok()
}

/// excess || message || proof.
fn excesses() -> Vec<Vec<u8>> {
    let generators = Generators::standard();
    let (spent, made) = (openings(&[100, 50]), openings(&[140]));
    let points = |all: &[Opening]| -> Vec<Point> {
        all.iter().map(|o| *o.commit(generators).point()).collect()
    };
    let public = PublicAmounts {
        mint: 0,
        fee: 10,
        burn: 0,
    };
    let sum = excess(generators, &points(&spent), &points(&made), public);
    let proof = ExcessProof::prove(
        generators,
        spent.iter().map(|o| &o.blinding),
        made.iter().map(|o| &o.blinding),
        &TX,
        &mut rng(6),
    );
    let mut out = sum.compress().0.to_vec();
    out.extend(TX);
    out.extend(proof.to_bytes());
    vec![out]
}

fn excess_proof(bytes: &[u8]) -> Verdict {
    Verdict::when(excess_holds(bytes).is_some())
}

fn excess_holds(bytes: &[u8]) -> Option<()> {
    let mut f = Fields(bytes);
    let sum = CompressedPoint(*f.array()?).decompress().ok()?;
    let message = f.array()?;
    let encoded = f.array()?;
    let proof = ExcessProof::from_bytes(encoded).ok()?;
    assert_eq!(proof.to_bytes(), *encoded);
    proof.verify(Generators::standard(), &sum, message).ok()?;
    f.0.is_empty().then_some(())
}

/// key || image || coin || message || proof.
fn spends() -> Vec<Vec<u8>> {
    (1..3u64)
        .map(|s| {
            let (x, coin) = (SecretScalar::random(&mut rng(s)), CoinId([s as u8; 32]));
            let proof = SpendProof::prove(&x, coin, &TX, &mut rng(s + 9));
            let mut out = x.public().compress().0.to_vec();
            out.extend(key_image(&x, coin).compress().0);
            out.extend(coin.0);
            out.extend(TX);
            out.extend(proof.to_bytes());
            out
        })
        .collect()
}

fn spend(bytes: &[u8]) -> Verdict {
    Verdict::when(spend_holds(bytes).is_some())
}

fn spend_holds(bytes: &[u8]) -> Option<()> {
    let mut f = Fields(bytes);
    let key = CompressedPoint(*f.array()?).decompress().ok()?;
    let image = CompressedPoint(*f.array()?).decompress().ok()?;
    let (coin, message) = (CoinId(*f.array()?), f.array()?);
    let proof = SpendProof::from_bytes(f.array()?).ok()?;
    proof.verify(&key, &image, coin, message).ok()?;
    f.0.is_empty().then_some(())
}

const POSITION: Position = Position {
    rho: Digest([3; 32]),
    index: 1,
};

static VIEW: LazyLock<ViewKey> = LazyLock::new(|| {
    let spend = SecretScalar::random(&mut rng(8)).public();
    ViewKey::new(SecretScalar::random(&mut rng(7)), spend)
});

const PAID: [u64; 3] = [0, 12, u64::MAX];

fn outputs() -> Vec<Vec<u8>> {
    let to = VIEW.recipient().expect("keys");
    PAID.iter()
        .map(|amount| {
            let (output, _) = to.pay(Generators::standard(), *amount, POSITION, &mut rng(*amount));
            output.encode()
        })
        .collect()
}

/// A bent output is another's, or it holds the amount that its commitment holds.
fn scan(bytes: &[u8]) -> Verdict {
    let Ok(output) = canonical::<Output>(bytes, 512) else {
        return Verdict::Refused;
    };
    let generators = Generators::standard();
    let found = VIEW.scan(generators, &output, POSITION);
    if let Some(coin) = &found {
        assert_eq!(
            coin.opening.commit(generators).to_bytes(),
            output.commitment
        );
        assert!(PAID.contains(&coin.opening.amount));
    }
    Verdict::when(found.is_some())
}
