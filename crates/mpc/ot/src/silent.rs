//! Silent correlations for bulk: the extension of Ferret (Yang, Weng, Lan, Zhang, Wang 2020/924), regular noise.
//!
//! A round turns a *reserve* of correlations into some ten million fresh ones at a fifth of a byte each. The reserve is
//! cut into disjoint segments, and none serves twice: pads of the trees, masks of the check, input of the linear map. The
//! next reserve is the end of the output. Three messages:
//!
//! 1. S to R: for every noise position a tree, as masked level sums and a sum of leaves.
//! 2. R to S: masked sum of the challenge at the noise positions (16 bytes). The challenge is the hash of message 1.
//! 3. S to R: hash of the sender's sum of all leaves (32 bytes). The receiver stops if its own differs.
//!
//! Convention of all blocks here: the select bit carries the choice. Sender blocks have select bit 0, the offset has
//! select bit 1, so a receiver block is `sent ^ choice * delta` and its select bit *is* the choice.

mod check;
mod linear;
mod tree;

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::block::{Block, get_blocks, put_blocks};
use crate::context::Context;
use crate::error::{OtError, expect_len};
use crate::kernel::Isa;
use tree::Trees;

/// Masks of the check.
const CHECK: usize = 128;
/// Bytes of message 2.
pub const ANSWER_BYTES: usize = Block::BYTES;
/// Bytes of message 3.
pub const DIGEST_BYTES: usize = 32;

/// Sizes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// Noise positions, one per tree.
    pub trees: usize,
    /// Levels of a tree; a tree has `2^depth` leaves.
    pub depth: usize,
    /// Inputs of the linear map.
    pub inputs: usize,
}

impl Params {
    /// The set of 2020/924 with the shortest input: 10,180,608 correlations per round.
    pub const BULK: Self = Self {
        trees: 4971,
        depth: 11,
        inputs: 124_000,
    };
    /// A small set for tests of the protocol. **No security**: the noise is far too thin.
    pub const TOY: Self = Self {
        trees: 40,
        depth: 6,
        inputs: 500,
    };

    /// Correlations a round makes.
    #[must_use]
    pub const fn output(&self) -> usize {
        self.trees << self.depth
    }

    /// Correlations a round uses up.
    #[must_use]
    pub const fn reserve(&self) -> usize {
        self.trees * self.depth + CHECK + self.inputs
    }

    /// Correlations a round hands out: its output without the next reserve.
    #[must_use]
    pub const fn usable(&self) -> usize {
        self.output().saturating_sub(self.reserve())
    }

    /// Bytes of message 1.
    #[must_use]
    pub const fn tree_bytes(&self) -> usize {
        self.trees * (2 * self.depth + 1) * Block::BYTES
    }

    const fn valid(&self) -> bool {
        self.trees > 0
            && self.trees <= 1 << 16
            && self.depth > 0
            && self.depth <= 16
            && self.inputs > linear::WEIGHT
            && self.inputs <= 1 << 24
            && self.output() > self.reserve()
    }
}

const _: () = assert!(Params::BULK.valid() && Params::TOY.valid());
const _: () = assert!(Params::BULK.output() == 10_180_608 && Params::BULK.reserve() == 178_809);

/// Puts correlations of the extension into the convention of this module, sender's side.
pub fn normalise_sent(blocks: &mut [Block]) {
    for block in blocks {
        *block = block.with_select(false);
    }
}

/// Puts correlations of the extension into the convention of this module, receiver's side, with the packed choices.
pub fn normalise_received(blocks: &mut [Block], choices: &[Block]) {
    for (blocks, choices) in blocks.chunks_mut(128).zip(choices) {
        for (i, block) in blocks.iter_mut().enumerate() {
            *block = block.with_select((choices.value() >> (i % 128)) & 1 == 1);
        }
    }
}

/// The three segments of a reserve.
struct Segments<'a> {
    pads: &'a [Block],
    masks: &'a [Block],
    inputs: &'a [Block],
}

fn segments<'a>(params: &Params, reserve: &'a [Block]) -> Result<Segments<'a>, OtError> {
    let short = OtError::Stock {
        have: reserve.len(),
        want: params.reserve(),
    };
    let (pads, rest) = reserve
        .split_at_checked(params.trees.saturating_mul(params.depth))
        .ok_or(short)?;
    let (masks, inputs) = rest.split_at_checked(CHECK).ok_or(short)?;
    if inputs.len() == params.inputs {
        Ok(Segments {
            pads,
            masks,
            inputs,
        })
    } else {
        Err(short)
    }
}

/// What both sides keep between rounds.
struct Common {
    params: Params,
    context: Context,
    isa: Isa,
    round: u64,
    reserve: Zeroizing<Vec<Block>>,
    failed: bool,
}

impl Common {
    fn new(
        params: Params,
        context: Context,
        isa: Isa,
        reserve: Vec<Block>,
    ) -> Result<Self, OtError> {
        let reserve = Zeroizing::new(reserve);
        if !params.valid() || reserve.len() != params.reserve() {
            return Err(OtError::Stock {
                have: reserve.len(),
                want: params.reserve(),
            });
        }
        Ok(Self {
            params,
            context,
            isa,
            round: 0,
            reserve,
            failed: false,
        })
    }

    fn round_context(&self) -> Context {
        self.context.child("silent round", self.round)
    }

    /// Runs the linear map over the leaves, keeps the end as the next reserve and returns the rest.
    fn expand(&mut self, mut leaves: Vec<Block>) -> Result<Vec<Block>, OtError> {
        let context = self.round_context();
        let inputs = segments(&self.params, &self.reserve)?.inputs;
        linear::add_map(&context, self.isa, inputs, &mut leaves);
        let next = leaves.split_off(self.params.usable());
        self.reserve = Zeroizing::new(next);
        self.round = self.round.wrapping_add(1);
        Ok(leaves)
    }

    fn usable(&self) -> Result<(), OtError> {
        if self.failed {
            Err(OtError::State)
        } else {
            Ok(())
        }
    }
}

/// The side that holds the offset.
pub struct SilentSender {
    common: Common,
    delta: Block,
    leaves: Option<Vec<Block>>,
    challenge: Option<check::Challenge>,
}

/// The side that holds the choices.
pub struct SilentReceiver {
    common: Common,
    leaves: Option<Vec<Block>>,
    digest: Option<[u8; 32]>,
}

impl fmt::Debug for SilentSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SilentSender")
            .field("round", &self.common.round)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SilentReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SilentReceiver")
            .field("round", &self.common.round)
            .finish_non_exhaustive()
    }
}

impl Drop for SilentSender {
    fn drop(&mut self) {
        self.delta.zeroize();
        self.leaves.zeroize();
    }
}

impl Drop for SilentReceiver {
    fn drop(&mut self) {
        self.leaves.zeroize();
    }
}

impl SilentSender {
    /// From a reserve in this module's convention; the offset must have its select bit set.
    ///
    /// # Errors
    /// The reserve has another size than the parameters say.
    pub fn new(
        params: Params,
        context: Context,
        isa: Isa,
        delta: Block,
        reserve: Vec<Block>,
    ) -> Result<Self, OtError> {
        if !delta.select() {
            return Err(OtError::State);
        }
        Ok(Self {
            common: Common::new(params, context, isa, reserve)?,
            delta,
            leaves: None,
            challenge: None,
        })
    }

    /// Message 1 of a round. `seed` is a fresh uniform block.
    ///
    /// # Errors
    /// A round is open or failed.
    pub fn start(&mut self, seed: Block) -> Result<Vec<u8>, OtError> {
        self.common.usable()?;
        if self.leaves.is_some() {
            return Err(OtError::State);
        }
        let Common { params, isa, .. } = self.common;
        let context = self.common.round_context();
        let parts = segments(&params, &self.common.reserve)?;
        let mut leaves = vec![Block::ZERO; params.output()];
        let trees = Trees::new(&context, isa, params);
        let blocks = trees.grow(seed, self.delta, parts.pads, &mut leaves);
        let mut message = Vec::with_capacity(params.tree_bytes());
        put_blocks(&mut message, &blocks);
        self.challenge = Some(check::Challenge::new(&context, isa, &params, &message));
        self.leaves = Some(leaves);
        Ok(message)
    }

    /// Takes message 2; returns message 3 and the round's correlations.
    ///
    /// # Errors
    /// Wrong length or no round open.
    pub fn finish(&mut self, answer: &[u8]) -> Result<(Vec<u8>, Vec<Block>), OtError> {
        self.common.usable()?;
        expect_len(answer, ANSWER_BYTES)?;
        let (Some(leaves), Some(challenge)) = (self.leaves.take(), self.challenge.take()) else {
            return Err(OtError::State);
        };
        let context = self.common.round_context();
        let parts = segments(&self.common.params, &self.common.reserve)?;
        let answer = answer
            .first_chunk()
            .map_or(Block::ZERO, |bytes| Block::from_bytes(*bytes));
        let sum = challenge.sum(self.common.isa, &leaves)
            ^ check::pack_sent(self.common.isa, parts.masks, answer, self.delta);
        let digest = check::digest(&context, sum);
        let out = self.common.expand(leaves)?;
        Ok((digest.to_vec(), out))
    }
}

impl SilentReceiver {
    /// From a reserve in this module's convention.
    ///
    /// # Errors
    /// The reserve has another size than the parameters say.
    pub fn new(
        params: Params,
        context: Context,
        isa: Isa,
        reserve: Vec<Block>,
    ) -> Result<Self, OtError> {
        Ok(Self {
            common: Common::new(params, context, isa, reserve)?,
            leaves: None,
            digest: None,
        })
    }

    /// Takes message 1, returns message 2.
    ///
    /// # Errors
    /// Wrong length, or a round is open or failed.
    pub fn respond(&mut self, message: &[u8]) -> Result<Vec<u8>, OtError> {
        self.common.usable()?;
        if self.leaves.is_some() {
            return Err(OtError::State);
        }
        let Common { params, isa, .. } = self.common;
        expect_len(message, params.tree_bytes())?;
        let context = self.common.round_context();
        let parts = segments(&params, &self.common.reserve)?;
        let blocks = get_blocks(message).unwrap_or_default();
        let mut leaves = vec![Block::ZERO; params.output()];
        let trees = Trees::new(&context, isa, params);
        let noise = Zeroizing::new(trees.puncture(parts.pads, &blocks, &mut leaves));
        let challenge = check::Challenge::new(&context, isa, &params, message);
        let (packed, bits) = check::pack_received(isa, parts.masks);
        let answer = challenge.at_noise(isa, &noise) ^ bits;
        self.digest = Some(check::digest(
            &context,
            challenge.sum(isa, &leaves) ^ packed,
        ));
        self.leaves = Some(leaves);
        Ok(answer.to_bytes().to_vec())
    }

    /// Takes message 3; returns the round's correlations, choices in the select bits.
    ///
    /// # Errors
    /// Wrong length, no round open, or a failed check; after a failed check every later call fails.
    pub fn finish(&mut self, digest: &[u8]) -> Result<Vec<Block>, OtError> {
        self.common.usable()?;
        let (Some(mut leaves), Some(own)) = (self.leaves.take(), self.digest.take()) else {
            return Err(OtError::State);
        };
        if !bool::from(own.ct_eq(digest)) {
            self.common.failed = true;
            leaves.zeroize();
            return Err(OtError::SilentCheck);
        }
        self.common.expand(leaves)
    }
}

#[cfg(test)]
mod tests;
