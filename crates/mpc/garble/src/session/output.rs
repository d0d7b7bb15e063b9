//! Who learns which output, and how an output is proved.

use quil_ot::block::Block;
use quil_ot::context::Context;
use subtle::{Choice, ConstantTimeEq};

use super::Role;
use super::error::SessionError;
use crate::plan::{OutputBit, Plan};

/// Bytes that decode one output: hashes of both labels (select bit zero first) and the select bit that means zero.
pub(super) const DECODE_BYTES: usize = 2 * Block::BYTES + 1;
/// Outputs decoded by one frame.
pub(super) const DECODE_FRAME: usize = 2048;

/// Result indexes that a party learns, in the order of the output groups.
pub(super) fn wires_of(plan: &Plan, role: Role) -> Vec<usize> {
    let groups = plan
        .outputs
        .iter()
        .filter(|group| group.to.includes(role as u8));
    let bits = groups.flat_map(|group| &group.bits);
    bits.filter_map(|bit| {
        if let OutputBit::Wire(index) = bit {
            Some(*index)
        } else {
            None
        }
    })
    .collect()
}

/// The labels of the wires that a party learns.
pub(super) fn labels_of(plan: &Plan, role: Role, results: &[Block]) -> Vec<Block> {
    wires_of(plan, role)
        .into_iter()
        .map(|index| results.get(index).copied().unwrap_or_default())
        .collect()
}

/// Puts values, in the order of [`wires_of`], into their groups; `None` for groups of the other party.
pub(super) fn assemble(plan: &Plan, role: Role, values: &[bool]) -> Vec<Option<Vec<bool>>> {
    let mut values = values.iter().copied();
    let mut bit = |bit: &OutputBit| match *bit {
        OutputBit::Constant(value) => value,
        OutputBit::Wire(_) => values.next().unwrap_or_default(),
    };
    let group = |group: &crate::plan::OutputPlan| {
        group
            .to
            .includes(role as u8)
            .then(|| group.bits.iter().map(&mut bit).collect())
    };
    plan.outputs.iter().map(group).collect()
}

/// Bytes of the garbler's decoding of some outputs.
pub(super) fn encode_decoding(out: &mut Vec<u8>, hashes: &[[Block; 2]], zero_labels: &[Block]) {
    for (pair, zero) in hashes.iter().zip(zero_labels) {
        out.extend_from_slice(&pair[0].to_bytes());
        out.extend_from_slice(&pair[1].to_bytes());
        out.push(u8::from(zero.select()));
    }
}

/// Values of the evaluator's outputs; every label must have the hash that the garbler named for its select bit.
pub(super) fn decode(
    decoding: &[u8],
    hashes: &[Block],
    labels: &[Block],
) -> Result<Vec<bool>, SessionError> {
    let mut authentic = Choice::from(1);
    let mut values = Vec::with_capacity(labels.len());
    for ((entry, hash), label) in decoding
        .as_chunks::<DECODE_BYTES>()
        .0
        .iter()
        .zip(hashes)
        .zip(labels)
    {
        let [hashes @ .., bit] = entry;
        // The own select bit is no secret of this party.
        let named = hashes
            .as_chunks::<16>()
            .0
            .get(usize::from(label.select()))
            .copied()
            .unwrap_or_default();
        authentic &= named.ct_eq(&hash.to_bytes());
        match bit {
            0 => values.push(label.select()),
            1 => values.push(!label.select()),
            _ => return Err(SessionError::Frame),
        }
    }
    if bool::from(authentic) && values.len() == labels.len() {
        Ok(values)
    } else {
        Err(SessionError::Output)
    }
}

fn labels_digest(context: &Context, labels: &[Block]) -> [u8; 32] {
    let bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_bytes()).collect();
    context.hasher("output labels").part(&bytes).digest()
}

/// The evaluator's proof of the garbler's outputs: packed select bits, hash of the labels.
pub(super) fn encode_labels(context: &Context, labels: &[Block]) -> Vec<u8> {
    let pack = |eight: &[Block]| {
        eight
            .iter()
            .rev()
            .fold(0_u8, |sum, label| (sum << 1) | u8::from(label.select()))
    };
    let mut out: Vec<u8> = labels.chunks(8).map(pack).collect();
    out.extend_from_slice(&labels_digest(context, labels));
    out
}

/// Values of the garbler's outputs: the labels with the named select bits must have the named hash.
pub(super) fn verify_labels(
    context: &Context,
    zero_labels: &[Block],
    offset: Block,
    proof: &[u8],
) -> Result<Vec<bool>, SessionError> {
    let packed = zero_labels.len().div_ceil(8);
    let (bits, digest) = proof.split_at_checked(packed).ok_or(SessionError::Frame)?;
    if digest.len() != 32 {
        return Err(SessionError::Frame);
    }
    let mut labels = Vec::with_capacity(zero_labels.len());
    let mut values = Vec::with_capacity(zero_labels.len());
    let selects = bits
        .iter()
        .flat_map(|byte| (0..8).map(move |i| (byte >> i) & 1 == 1));
    for (zero, select) in zero_labels.iter().zip(selects) {
        let value = select != zero.select();
        values.push(value);
        labels.push(*zero ^ (offset & Block::mask(value)));
    }
    if bool::from(labels_digest(context, &labels).ct_eq(digest)) {
        Ok(values)
    } else {
        Err(SessionError::Output)
    }
}
