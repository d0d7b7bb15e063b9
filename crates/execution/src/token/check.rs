//! Checks that need nothing but the bundle and the genesis (T8, up to `output.key_reused`).

use std::collections::BTreeSet;
use std::sync::Arc;

use quil_bulletproofs::Commitment;
use quil_decaf::{CompressedPoint, Point};
use quil_types::bundle::{
    AccountDebit, FeePart, Input, Output, PointBytes, Transfer, TransferBody,
};
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{Bundle, Canonical, Code, CoinId, Digest, Nullifier, TxId};

use super::ids::{BundleHash, bundle_hash, debit_message, nullifier, rho, tx_message};
use crate::cost::bundle_cost_us;
use crate::rules::Rules;

/// An input with its parsed image.
#[derive(Clone, Debug)]
pub struct CheckedInput {
    /// The coin.
    pub coin: CoinId,
    /// Its key image, not the identity.
    pub image: Point,
    /// What spending it leaves behind.
    pub nullifier: Nullifier,
}

/// The parsed part of a transfer.
#[derive(Clone, Debug)]
pub struct CheckedTransfer {
    /// Inputs in order.
    pub inputs: Vec<CheckedInput>,
    /// Amount commitments of the outputs in order, none of them the identity.
    pub commitments: Vec<Commitment>,
    /// rho of its coins (T1).
    pub rho: Digest,
    /// What its proofs sign (T6).
    pub message: Digest,
    /// Key of the mint authority, when it mints.
    pub authority: Option<Point>,
}

/// The parsed part of an account debit.
#[derive(Clone, Debug)]
pub struct CheckedDebit {
    /// The owner.
    pub key: Point,
    /// What the owner signs.
    pub message: Digest,
}

/// The parsed fee part.
#[derive(Clone, Debug)]
pub enum CheckedPart {
    /// A transfer.
    Transfer(CheckedTransfer),
    /// A debit of a fee balance.
    Debit(CheckedDebit),
}

/// A bundle that passed [`stateless`]: well-formed, for this network, every point on the curve.
#[derive(Clone, Debug)]
pub struct Checked {
    bundle: Arc<Bundle>,
    hash: BundleHash,
    tx: TxId,
    bytes: usize,
    cost_us: u64,
    part: CheckedPart,
}

impl Checked {
    /// The bundle.
    #[must_use]
    pub const fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// Hash of all its bytes.
    #[must_use]
    pub const fn hash(&self) -> BundleHash {
        self.hash
    }

    /// The identity users wait for.
    #[must_use]
    pub const fn tx(&self) -> TxId {
        self.tx
    }

    /// Encoded size.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Cost in microseconds (C4).
    #[must_use]
    pub const fn cost_us(&self) -> u64 {
        self.cost_us
    }

    /// The public fee, units.
    #[must_use]
    pub fn fee(&self) -> u64 {
        match &self.bundle.fee {
            FeePart::Transfer(t) => t.body.fee,
            FeePart::AccountDebit(d) => d.fee,
        }
    }

    /// Last global frame at which it may be executed.
    #[must_use]
    pub fn valid_until(&self) -> u64 {
        match &self.bundle.fee {
            FeePart::Transfer(t) => t.body.valid_until.get(),
            FeePart::AccountDebit(d) => d.valid_until.get(),
        }
    }

    /// The parsed fee part.
    #[must_use]
    pub const fn part(&self) -> &CheckedPart {
        &self.part
    }
}

/// Everything about a bundle that no state decides (T8: `tx.network`, `tx.malformed`, `input.duplicate`,
/// `output.key_reused`, in this order).
///
/// `version` is the one that the frame's epoch demands. Cost: hashing the bundle and decoding three points per
/// output and one per input, each about a square root.
///
/// # Errors
/// The first rule that is broken.
pub fn stateless(bundle: Arc<Bundle>, rules: &Rules, version: u16) -> Result<Checked, Code> {
    let encoded = bundle.encode();
    if encoded.len() > BUNDLE_BYTES_MAX {
        return Err(Code::TxNetwork);
    }
    let part = match &bundle.fee {
        FeePart::Transfer(t) => {
            network(&t.body, rules, version)?;
            CheckedPart::Transfer(transfer(t)?)
        }
        FeePart::AccountDebit(d) => CheckedPart::Debit(debit(d, &bundle, rules)?),
    };
    Ok(Checked {
        hash: bundle_hash(&encoded),
        tx: bundle.id(),
        bytes: encoded.len(),
        cost_us: bundle_cost_us(&bundle),
        part,
        bundle,
    })
}

fn network(body: &TransferBody, rules: &Rules, version: u16) -> Result<(), Code> {
    let fits =
        body.version == version && body.genesis == rules.genesis && body.domain == rules.domain;
    if fits { Ok(()) } else { Err(Code::TxNetwork) }
}

/// A point that is none of the curve's odd cases: canonical and not the identity (T7).
fn point(bytes: &PointBytes) -> Result<Point, Code> {
    let point = CompressedPoint(*bytes).decompress_nonidentity();
    point.map_err(|_| Code::TxMalformed)
}

fn transfer(t: &Transfer) -> Result<CheckedTransfer, Code> {
    let body = &t.body;
    counts(t)?;
    if body
        .inputs
        .windows(2)
        .any(|w| matches!(w, [a, b] if a.coin > b.coin))
    {
        return Err(Code::TxMalformed);
    }
    let inputs = body.inputs.iter().map(|i| input(i, body));
    let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
    let commitments = body.outputs.iter().map(output);
    let commitments = commitments.collect::<Result<Vec<_>, _>>()?;
    let authority = body
        .mint
        .as_ref()
        .map(|m| point(&m.authority))
        .transpose()?;
    duplicates(body)?;
    Ok(CheckedTransfer {
        inputs,
        commitments,
        rho: rho(body),
        message: tx_message(body.id(), &t.range_proof),
        authority,
    })
}

fn counts(t: &Transfer) -> Result<(), Code> {
    let body = &t.body;
    let creates = !body.inputs.is_empty() || body.mint.is_some();
    let mints_something = body.mint.as_ref().is_none_or(|m| m.amount > 0);
    let proofs = t.input_proofs.len() == body.inputs.len()
        && t.range_proof.is_empty() == body.outputs.is_empty()
        && t.mint_signature.is_some() == body.mint.is_some();
    if creates && mints_something && proofs {
        Ok(())
    } else {
        Err(Code::TxMalformed)
    }
}

fn input(i: &Input, body: &TransferBody) -> Result<CheckedInput, Code> {
    Ok(CheckedInput {
        coin: i.coin,
        image: point(&i.image)?,
        nullifier: nullifier(body.genesis, body.domain, &i.image),
    })
}

/// The commitment of an output whose three points all decode.
fn output(o: &Output) -> Result<Commitment, Code> {
    point(&o.key)?;
    point(&o.ephemeral)?;
    Commitment::from_bytes(&o.commitment).map_err(|_| Code::TxMalformed)
}

fn duplicates(body: &TransferBody) -> Result<(), Code> {
    let distinct = |keys: BTreeSet<&[u8]>, of: usize| keys.len() == of;
    let n = body.inputs.len();
    let coins = body.inputs.iter().map(|i| i.coin.0.as_slice()).collect();
    let images = body.inputs.iter().map(|i| i.image.as_slice()).collect();
    if !distinct(coins, n) || !distinct(images, n) {
        return Err(Code::InputDuplicate);
    }
    let keys = body.outputs.iter().map(|o| o.key.as_slice()).collect();
    if distinct(keys, body.outputs.len()) {
        Ok(())
    } else {
        Err(Code::OutputKeyReused)
    }
}

fn debit(d: &AccountDebit, bundle: &Bundle, rules: &Rules) -> Result<CheckedDebit, Code> {
    if d.genesis != rules.genesis {
        return Err(Code::TxNetwork);
    }
    Ok(CheckedDebit {
        key: point(&d.key)?,
        message: debit_message(d, bundle),
    })
}
