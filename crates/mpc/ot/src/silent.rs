//! Silent correlations for bulk: the extension of Ferret (Yang, Weng, Lan, Zhang, Wang 2020/924), regular noise.
//!
//! A round turns a *reserve* of correlations into some ten million fresh ones at a fifth of a byte each. The reserve is
//! cut into disjoint segments, and none serves twice: pads of the trees, masks of the check, input of the linear map. The
//! next reserve is the end of the output. Three messages:
//!
//! 1. S to R: for every noise position a tree, as masked level sums and a sum of leaves. In pieces of [`PIECE_TREES`], so
//!    that both sides work at the same time.
//! 2. R to S: masked sum of the challenge at the noise positions (16 bytes). The challenge is the hash of message 1.
//! 3. S to R: hash of the sender's sum of all leaves (32 bytes). The receiver stops if its own differs.
//!
//! Both sides can run the linear map (`expand`) while they wait; the receiver hands out nothing before the check.
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
use crate::context::{Context, Hasher};
use crate::error::{OtError, expect_len};
use crate::kernel::{AesKey, Isa};
use tree::Trees;

/// Trees of one piece of message 1.
pub const PIECE_TREES: usize = 16;
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

    fn usable(&self) -> Result<(), OtError> {
        if self.failed {
            Err(OtError::State)
        } else {
            Ok(())
        }
    }

    fn open(&self) -> Round {
        let context = self.round_context();
        Round {
            trees: Trees::new(&context, self.isa, self.params),
            pieces: context.hasher("silent check"),
            leaves: Vec::with_capacity(self.params.output()),
            done: 0,
            expanded: false,
            context,
        }
    }

    /// Runs the linear map over the leaves, once.
    fn expand(&self, round: &mut Round) -> Result<(), OtError> {
        if !round.expanded {
            let inputs = segments(&self.params, &self.reserve)?.inputs;
            linear::add_map(&round.context, self.isa, inputs, &mut round.leaves);
            round.expanded = true;
        }
        Ok(())
    }

    /// Keeps the end of the output as the next reserve and returns the rest.
    fn close(&mut self, mut round: Round) -> Result<Vec<Block>, OtError> {
        self.expand(&mut round)?;
        let mut leaves = core::mem::take(&mut round.leaves);
        self.reserve = Zeroizing::new(leaves.split_off(self.params.usable()));
        self.round = self.round.wrapping_add(1);
        Ok(leaves)
    }
}

/// A round under way.
struct Round {
    context: Context,
    trees: Trees,
    /// Hash of the pieces so far.
    pieces: Hasher,
    leaves: Vec<Block>,
    /// Trees done.
    done: usize,
    /// The leaves went through the linear map.
    expanded: bool,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.leaves.zeroize();
    }
}

/// Pads and leaves of the next piece.
struct Piece<'a> {
    pads: &'a [Block],
    leaves: &'a mut [Block],
    trees: usize,
}

fn next_piece<'a>(
    params: &Params,
    pads: &'a [Block],
    done: usize,
    leaves: &'a mut Vec<Block>,
) -> Option<Piece<'a>> {
    let trees = params.trees.saturating_sub(done).min(PIECE_TREES);
    let end = done.saturating_add(trees);
    let pads = pads.get(done.saturating_mul(params.depth)..end.saturating_mul(params.depth))?;
    // Room is touched piece by piece, so that neither side waits for all of it at the start.
    leaves.resize(end << params.depth, Block::ZERO);
    let leaves = leaves.get_mut(done << params.depth..)?;
    (trees > 0).then_some(Piece {
        pads,
        leaves,
        trees,
    })
}

/// The side that holds the offset.
pub struct SilentSender {
    common: Common,
    delta: Block,
    round: Option<Round>,
    seed: Option<AesKey>,
    /// The own sum of leaves and masks, once all trees are out.
    sum: Option<Block>,
}

/// The side that holds the choices.
pub struct SilentReceiver {
    common: Common,
    round: Option<Round>,
    noise: Zeroizing<Vec<usize>>,
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
        let common = Common::new(params, context, isa, reserve)?;
        Ok(Self {
            common,
            delta,
            round: None,
            seed: None,
            sum: None,
        })
    }

    /// Opens a round. `seed` is a fresh uniform block.
    ///
    /// # Errors
    /// A round is open.
    pub fn start(&mut self, seed: Block) -> Result<(), OtError> {
        if self.round.is_some() {
            return Err(OtError::State);
        }
        self.seed = Some(AesKey::new(self.common.isa, seed));
        self.round = Some(self.common.open());
        Ok(())
    }

    /// The next piece of message 1; `None` after the last.
    ///
    /// # Errors
    /// No round is open.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, OtError> {
        let (Some(round), Some(seed)) = (&mut self.round, &self.seed) else {
            return Err(OtError::State);
        };
        let Common { params, isa, .. } = self.common;
        let parts = segments(&params, &self.common.reserve)?;
        let Some(piece) = next_piece(&params, parts.pads, round.done, &mut round.leaves) else {
            return Ok(None);
        };
        let blocks = round
            .trees
            .grow(seed, self.delta, round.done, piece.pads, piece.leaves);
        let mut message = Vec::new();
        put_blocks(&mut message, &blocks);
        round.pieces = round.pieces.clone().part(&message);
        round.done = round.done.saturating_add(piece.trees);
        if round.done == params.trees {
            let challenge = check::Challenge::new(&round.pieces, isa, &params);
            self.sum = Some(challenge.sum(isa, &round.leaves) ^ check::pack(isa, parts.masks));
        }
        Ok(Some(message))
    }

    /// Runs the linear map ahead of the end. Call it while waiting for message 2.
    ///
    /// # Errors
    /// Pieces are left.
    pub fn expand(&mut self) -> Result<(), OtError> {
        match (&mut self.round, self.sum) {
            (Some(round), Some(_)) => self.common.expand(round),
            _ => Err(OtError::State),
        }
    }

    /// Takes message 2, returns message 3.
    ///
    /// # Errors
    /// Wrong length, or pieces are left.
    pub fn answer(&self, answer: &[u8]) -> Result<Vec<u8>, OtError> {
        expect_len(answer, ANSWER_BYTES)?;
        let (Some(round), Some(sum)) = (&self.round, self.sum) else {
            return Err(OtError::State);
        };
        let answer = answer
            .first_chunk()
            .map_or(Block::ZERO, |bytes| Block::from_bytes(*bytes));
        let sum = sum ^ self.common.isa.multiply(answer, self.delta);
        Ok(check::digest(&round.context, sum).to_vec())
    }

    /// Closes the round and returns its correlations.
    ///
    /// # Errors
    /// Pieces are left.
    pub fn finish(&mut self) -> Result<Vec<Block>, OtError> {
        let (Some(round), Some(_)) = (self.round.take(), self.sum.take()) else {
            return Err(OtError::State);
        };
        self.common.close(round)
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
        let common = Common::new(params, context, isa, reserve)?;
        Ok(Self {
            common,
            round: None,
            noise: Zeroizing::new(Vec::new()),
            digest: None,
        })
    }

    /// Takes a piece of message 1; after the last one returns message 2.
    ///
    /// # Errors
    /// Wrong length, a piece too many, or a failed round.
    pub fn take_piece(&mut self, message: &[u8]) -> Result<Option<Vec<u8>>, OtError> {
        self.common.usable()?;
        let Common { params, isa, .. } = self.common;
        let common = &self.common;
        let round = self.round.get_or_insert_with(|| common.open());
        let parts = segments(&params, &common.reserve)?;
        let piece =
            next_piece(&params, parts.pads, round.done, &mut round.leaves).ok_or(OtError::State)?;
        expect_len(message, params.tree_bytes() / params.trees * piece.trees)?;
        let blocks = get_blocks(message).unwrap_or_default();
        round.trees.puncture(
            round.done,
            piece.pads,
            &blocks,
            piece.leaves,
            &mut self.noise,
        );
        round.pieces = round.pieces.clone().part(message);
        round.done = round.done.saturating_add(piece.trees);
        if round.done < params.trees {
            return Ok(None);
        }
        let challenge = check::Challenge::new(&round.pieces, isa, &params);
        let (packed, bits) = check::pack_received(isa, parts.masks);
        let answer = challenge.at_noise(isa, &self.noise) ^ bits;
        self.noise.zeroize();
        self.digest = Some(check::digest(
            &round.context,
            challenge.sum(isa, &round.leaves) ^ packed,
        ));
        Ok(Some(answer.to_bytes().to_vec()))
    }

    /// Runs the linear map ahead of the end. Call it while waiting for message 3.
    ///
    /// # Errors
    /// Pieces are missing.
    pub fn expand(&mut self) -> Result<(), OtError> {
        match (&mut self.round, self.digest) {
            (Some(round), Some(_)) => self.common.expand(round),
            _ => Err(OtError::State),
        }
    }

    /// Takes message 3; returns the round's correlations, choices in the select bits.
    ///
    /// # Errors
    /// Pieces are missing, or the check failed; after a failed check every later call fails.
    pub fn finish(&mut self, digest: &[u8]) -> Result<Vec<Block>, OtError> {
        self.common.usable()?;
        let (Some(round), Some(own)) = (self.round.take(), self.digest.take()) else {
            return Err(OtError::State);
        };
        if !bool::from(own.ct_eq(digest)) {
            self.common.failed = true;
            return Err(OtError::SilentCheck);
        }
        self.common.close(round)
    }
}

#[cfg(test)]
mod tests;
