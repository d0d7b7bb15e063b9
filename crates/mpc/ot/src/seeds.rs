//! Seed trees of the extension: each pair of base transfers becomes one 3-of-4 transfer of seeds.
//!
//! Two-level trees with the check of SoftSpokenOT (Roy 2022/192, punctured functions): the tree owner sends, per group,
//! the sum of every leaf's check value and a hash of all of them, so leaves that depend on the other side's secret are
//! caught.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::base::BASE_COUNT;
use crate::block::Block;
use crate::context::Context;
use crate::error::{OtError, expect_len};

/// Groups of two columns.
pub(crate) const GROUPS: usize = BASE_COUNT / 2;
/// Bytes of the message of one group: two corrections, sum of check values, hash of check values.
const GROUP_BYTES: usize = 2 * Block::BYTES + 64;
/// Bytes of the message that sets the trees up.
pub const SEED_BYTES: usize = GROUPS * GROUP_BYTES;

/// All four leaves of every group; leaf `2 a + b` is child `b` of node `a`.
pub(crate) type AllLeaves = Zeroizing<Vec<[Block; 4]>>;
/// The three known leaves of every group, by their distance `e = y ^ missing` (1, 2, 3).
pub(crate) type ThreeLeaves = Zeroizing<Vec<[Block; 3]>>;

fn leaf(context: &Context, group: usize, node: Block, child: u8) -> Block {
    context
        .hasher("seed leaf")
        .number(group as u64)
        .part(&node.to_bytes())
        .part(&[child])
        .block()
}

fn pad(context: &Context, group: usize, seed: Block) -> Block {
    context
        .hasher("seed pad")
        .number(group as u64)
        .part(&seed.to_bytes())
        .block()
}

fn check(context: &Context, group: usize, leaf: Block) -> [u8; 32] {
    context
        .hasher("seed check")
        .number(group as u64)
        .part(&leaf.to_bytes())
        .digest()
}

fn check_hash(context: &Context, group: usize, checks: &[[u8; 32]; 4]) -> [u8; 32] {
    context
        .hasher("seed checks")
        .number(group as u64)
        .part(checks.as_flattened())
        .digest()
}

fn add(sum: &mut [u8; 32], other: &[u8; 32]) {
    for (a, b) in sum.iter_mut().zip(other) {
        *a ^= b;
    }
}

fn pick(a: Block, b: Block, second: bool) -> Block {
    a ^ ((a ^ b) & Block::mask(second))
}

/// Leaves and message of the party that holds both base seeds.
pub(crate) fn grow(context: &Context, pairs: &[[Block; 2]]) -> (AllLeaves, Vec<u8>) {
    let mut all = Zeroizing::new(Vec::with_capacity(GROUPS));
    let mut message = Vec::with_capacity(SEED_BYTES);
    for (group, [nodes, pads]) in pairs.as_chunks::<2>().0.iter().enumerate() {
        let [a, b] =
            nodes.map(|node| [leaf(context, group, node, 0), leaf(context, group, node, 1)]);
        let leaves = [a[0], a[1], b[0], b[1]];
        for (sum, seed) in [a[0] ^ b[0], a[1] ^ b[1]].into_iter().zip(pads) {
            message.extend_from_slice(&(sum ^ pad(context, group, *seed)).to_bytes());
        }
        let checks = leaves.map(|leaf| check(context, group, leaf));
        let mut sum = [0_u8; 32];
        checks.iter().for_each(|one| add(&mut sum, one));
        message.extend_from_slice(&sum);
        message.extend_from_slice(&check_hash(context, group, &checks));
        all.push(leaves);
    }
    (all, message)
}

/// Leaves of the party that holds one seed of each pair; `delta` bit `i` is the complement of base choice `i`.
pub(crate) fn puncture(
    context: &Context,
    delta: Block,
    seeds: &[Block],
    message: &[u8],
) -> Result<ThreeLeaves, OtError> {
    expect_len(message, SEED_BYTES)?;
    let mut known = Zeroizing::new(Vec::with_capacity(GROUPS));
    let mut good = Choice::from(1);
    let groups = seeds
        .as_chunks::<2>()
        .0
        .iter()
        .zip(message.as_chunks::<GROUP_BYTES>().0)
        .enumerate();
    for (group, ([node, pad_seed], bytes)) in groups {
        let first = (delta.value() >> (2 * group)) & 1 == 1;
        let second = (delta.value() >> (2 * group + 1)) & 1 == 1;
        let (corrections, sums) = bytes.split_at(2 * Block::BYTES);
        let [correction_0, correction_1] = corrections.as_chunks::<16>().0 else {
            continue;
        };
        let [sum, hash] = sums.as_chunks::<32>().0 else {
            continue;
        };
        let correction = pick(
            Block::from_bytes(*correction_1),
            Block::from_bytes(*correction_0),
            second,
        );
        let children = [
            leaf(context, group, *node, 0),
            leaf(context, group, *node, 1),
        ];
        let same = pick(children[0], children[1], second);
        let other = pick(children[1], children[0], second);
        let across = correction ^ pad(context, group, *pad_seed) ^ other;
        // Distance bit 0 belongs to the node, distance bit 1 to the child.
        known.push([same, across, other]);
        good &= verify(
            context,
            group,
            [first, second],
            [same, across, other],
            (*sum, hash),
        );
    }
    if bool::from(good) && known.len() == GROUPS {
        Ok(known)
    } else {
        Err(OtError::SeedTrees)
    }
}

fn verify(
    context: &Context,
    group: usize,
    missing: [bool; 2],
    known: [Block; 3],
    (mut lost, hash): ([u8; 32], &[u8; 32]),
) -> Choice {
    let [same, across, other] = known.map(|leaf| check(context, group, leaf));
    for one in [&same, &across, &other] {
        add(&mut lost, one);
    }
    // By distance: index 2 * (node distance) + (child distance); then moved to the true index without a branch.
    let mut checks = [lost, across, same, other];
    let [first, second] = missing.map(|bit| Choice::from(u8::from(bit)));
    let [c0, c1, c2, c3] = &mut checks;
    <[u8; 32]>::conditional_swap(c0, c2, first);
    <[u8; 32]>::conditional_swap(c1, c3, first);
    <[u8; 32]>::conditional_swap(c0, c1, second);
    <[u8; 32]>::conditional_swap(c2, c3, second);
    check_hash(context, group, &checks).ct_eq(hash)
}
