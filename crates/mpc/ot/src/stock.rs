//! A stock of random correlations between two parties, for sessions to come.
//!
//! Both parties make a stock in the same run and name it by the same context. Correlations are handed out once, in order;
//! the position is part of the stored form, and a party stores it *before* it uses what it took. Two parties whose
//! positions differ skip to the larger one.

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::block::{Block, get_blocks, put_blocks};
use crate::context::Context;
use crate::error::OtError;
use crate::kernel::Isa;

/// Above this number a silent round costs less traffic than it saves work; below, the extension is faster to set up.
pub const SILENT_FROM: usize = 1 << 22;
/// First bytes of a stored stock.
const TAG: [u8; 8] = *b"quilcot\x01";
/// Most blocks of a stored stock.
const MAX_BLOCKS: usize = 1 << 26;

/// How to make correlations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `crate::extension`: 8 bytes each.
    Extension,
    /// `crate::silent`: a fifth of a byte each, in rounds of ten million.
    Silent,
}

/// The method for this many correlations.
#[must_use]
pub const fn method_for(count: usize) -> Method {
    if count < SILENT_FROM {
        Method::Extension
    } else {
        Method::Silent
    }
}

/// Correlations of one side; select bits carry the choices (see `crate::silent`).
pub struct Stock {
    context: Context,
    /// The offset on the sender's side, zero on the receiver's.
    delta: Block,
    blocks: Zeroizing<Vec<Block>>,
    /// Position of the first block held.
    base: u64,
    /// Blocks used up.
    next: usize,
}

impl fmt::Debug for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stock")
            .field("left", &self.left())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.delta.zeroize();
    }
}

/// Correlations taken from a stock: position of the first, and the blocks.
#[derive(Debug)]
pub struct Taken {
    /// Position of the first block; the tweak of everything derived from it.
    pub position: u64,
    /// The blocks.
    pub blocks: Zeroizing<Vec<Block>>,
}

impl Stock {
    /// The sender's side. The offset must have its select bit set.
    #[must_use]
    pub fn sender(context: Context, delta: Block, blocks: Vec<Block>) -> Self {
        Self {
            context,
            delta,
            blocks: Zeroizing::new(blocks),
            base: 0,
            next: 0,
        }
    }

    /// The receiver's side.
    #[must_use]
    pub fn receiver(context: Context, blocks: Vec<Block>) -> Self {
        Self {
            context,
            delta: Block::ZERO,
            blocks: Zeroizing::new(blocks),
            base: 0,
            next: 0,
        }
    }

    /// Public name of the stock, the same on both sides.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.context.hasher("stock id").digest()
    }

    /// Whether this is the half that holds the offset.
    #[must_use]
    pub fn is_sender(&self) -> bool {
        // An offset is public in this one bit: it is odd.
        self.delta.select()
    }

    /// Correlations left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.blocks.len().saturating_sub(self.next)
    }

    /// Position of the next correlation.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.base.saturating_add(self.next as u64)
    }

    /// Gives up everything before a position. Never goes back.
    pub fn skip_to(&mut self, position: u64) {
        let ahead = usize::try_from(position.saturating_sub(self.position())).unwrap_or(usize::MAX);
        // Taking is what wipes.
        let _ = self.take(ahead.min(self.left()));
    }

    /// Takes correlations out; they are wiped here.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take(&mut self, count: usize) -> Result<Taken, OtError> {
        let short = OtError::Stock {
            have: self.left(),
            want: count,
        };
        let end = self.next.checked_add(count).ok_or(short)?;
        let range = self.blocks.get_mut(self.next..end).ok_or(short)?;
        let blocks = Zeroizing::new(range.to_vec());
        range.zeroize();
        let position = self.base.saturating_add(self.next as u64);
        self.next = end;
        Ok(Taken { position, blocks })
    }

    /// Sender: masks a pair of messages `(m, m ^ offset)` per correlation, for receivers that choose later. `flips` are
    /// the receiver's packed corrections `choice ^ select bit`. Returns the zero-messages and one block per correlation
    /// for the receiver.
    #[must_use]
    pub fn send_correlated(
        &self,
        isa: Isa,
        taken: &Taken,
        flips: &[Block],
        offset: Block,
    ) -> (Vec<Block>, Vec<Block>) {
        let seed = self.context.hasher("stock pads").block();
        let mut plain = taken.blocks.to_vec();
        let mut shifted = vec![Block::ZERO; plain.len()];
        isa.hash_both(seed, taken.position, self.delta, &mut plain, &mut shifted);
        let mut corrections = Vec::with_capacity(plain.len());
        for (i, (plain, shifted)) in plain.iter_mut().zip(&shifted).enumerate() {
            let flip = Block::mask(bit(flips, i));
            // The pad of choice zero is the message itself; the other pad is moved to the message plus offset.
            let (zero, one) = (
                *plain ^ ((*plain ^ *shifted) & flip),
                *shifted ^ ((*plain ^ *shifted) & flip),
            );
            corrections.push(zero ^ one ^ offset);
            *plain = zero;
        }
        (plain, corrections)
    }

    /// Receiver: the packed corrections for these choices.
    #[must_use]
    pub fn flips(taken: &Taken, choices: &[Block]) -> Vec<Block> {
        let mut flips = vec![Block::ZERO; taken.blocks.len().div_ceil(128)];
        for (i, block) in taken.blocks.iter().enumerate() {
            let flip = u128::from(block.select() != bit(choices, i));
            if let Some(word) = flips.get_mut(i / 128) {
                *word ^= Block::new(flip << (i % 128));
            }
        }
        flips
    }

    /// Receiver: the chosen messages from the sender's corrections.
    ///
    /// # Errors
    /// Another number of corrections than correlations.
    pub fn receive_correlated(
        &self,
        isa: Isa,
        taken: &Taken,
        choices: &[Block],
        corrections: &[Block],
    ) -> Result<Vec<Block>, OtError> {
        if corrections.len() != taken.blocks.len() {
            return Err(OtError::Length {
                got: corrections.len(),
                want: taken.blocks.len(),
            });
        }
        let seed = self.context.hasher("stock pads").block();
        let mut pads = taken.blocks.to_vec();
        isa.hash(seed, taken.position, &mut pads);
        for (i, (pad, correction)) in pads.iter_mut().zip(corrections).enumerate() {
            *pad ^= *correction & Block::mask(bit(choices, i));
        }
        Ok(pads)
    }

    /// The stored form: secret.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::new());
        out.extend_from_slice(&TAG);
        out.extend_from_slice(self.context.digest());
        out.extend_from_slice(&self.position().to_le_bytes());
        put_blocks(&mut out, &[self.delta]);
        put_blocks(&mut out, self.blocks.get(self.next..).unwrap_or_default());
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Not a stock.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OtError> {
        let rest = bytes.strip_prefix(&TAG).ok_or(OtError::StockEncoding)?;
        let (digest, rest) = rest
            .split_first_chunk::<32>()
            .ok_or(OtError::StockEncoding)?;
        let (position, rest) = rest
            .split_first_chunk::<8>()
            .ok_or(OtError::StockEncoding)?;
        let base = u64::from_le_bytes(*position);
        let stored = Zeroizing::new(get_blocks(rest).ok_or(OtError::StockEncoding)?);
        let (delta, stored) = stored.split_first().ok_or(OtError::StockEncoding)?;
        if stored.len() > MAX_BLOCKS || base > u64::MAX >> 1 {
            return Err(OtError::StockEncoding);
        }
        let blocks = Zeroizing::new(stored.to_vec());
        Ok(Self {
            context: Context::new(*digest),
            delta: *delta,
            blocks,
            base,
            next: 0,
        })
    }
}

fn bit(packed: &[Block], index: usize) -> bool {
    packed
        .get(index / 128)
        .is_some_and(|word| (word.value() >> (index % 128)) & 1 == 1)
}
