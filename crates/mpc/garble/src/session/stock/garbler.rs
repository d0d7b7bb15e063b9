//! The side that holds the offset: base receiver, extension sender, silent sender.

use core::fmt;
use core::mem;

use quil_ot::base::{BaseReceiver, BaseReceiverCheck, OPENING_BYTES};
use quil_ot::block::Block;
use quil_ot::context::Context;
use quil_ot::extension::ExtensionSender;
use quil_ot::silent::{SilentSender, normalise_sent};
use quil_ot::stock::Stock;
use rand_chacha::ChaCha20Rng;
use zeroize::{Zeroize, Zeroizing};

use super::{Silent, StockSetup, stock_context};
use crate::halfgates::random_offset;
use crate::session::error::SessionError;
use crate::session::frame::{Kind, Link};
use crate::session::{Gates, Party, Phase, Role};

/// State of the party that will garble.
pub struct StockGarblerParty {
    setup: StockSetup,
    rng: ChaCha20Rng,
    offset: Block,
    context: Option<Context>,
    blocks: Zeroizing<Vec<Block>>,
    stock: Option<Stock>,
    step: Step,
}

enum Step {
    Hello,
    BaseKey,
    BaseChallenge(Box<BaseReceiver>),
    BaseOpening(Box<BaseReceiverCheck>),
    Extension(Box<ExtensionSender>),
    Silent(Box<SilentSender>),
    Done,
}

impl fmt::Debug for StockGarblerParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StockGarblerParty")
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl Drop for StockGarblerParty {
    fn drop(&mut self) {
        self.offset.zeroize();
    }
}

impl StockGarblerParty {
    pub(super) fn new(setup: &StockSetup, mut rng: ChaCha20Rng) -> Self {
        Self {
            offset: random_offset(&mut rng),
            setup: setup.clone(),
            rng,
            context: None,
            blocks: Zeroizing::default(),
            stock: None,
            step: Step::Hello,
        }
    }

    fn context(&self) -> Result<Context, SessionError> {
        self.context.ok_or(SessionError::Order)
    }

    fn base_key(
        &mut self,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let choices = ExtensionSender::base_choices(self.offset);
        let (receiver, message) = BaseReceiver::new(self.context()?, choices, body, &mut self.rng)?;
        link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
        self.step = Step::BaseChallenge(Box::new(receiver));
        Ok(())
    }

    fn base_opening(&mut self, check: BaseReceiverCheck, body: &[u8]) -> Result<(), SessionError> {
        let (openings, trees) = body
            .split_at_checked(OPENING_BYTES)
            .ok_or(SessionError::Frame)?;
        let seeds = Zeroizing::new(check.finish(openings)?);
        let isa = self.setup.isa;
        let sender = ExtensionSender::new(self.context()?, isa, self.offset, &seeds, trees)?;
        self.step = Step::Extension(Box::new(sender));
        Ok(())
    }

    fn extension(
        &mut self,
        mut sender: Box<ExtensionSender>,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let order = self.setup.order;
        sender.extend(order.chunk(self.blocks.len()), body, &mut self.blocks)?;
        if order.chunk(self.blocks.len()) > 0 {
            self.step = Step::Extension(sender);
            return Ok(());
        }
        normalise_sent(&mut self.blocks);
        match order.silent {
            Some(Silent { params, .. }) => {
                let reserve = mem::take(&mut *self.blocks);
                let (context, isa) = (self.context()?, self.setup.isa);
                let mut silent = SilentSender::new(params, context, isa, self.offset, reserve)?;
                silent.start(Block::random(&mut self.rng))?;
                self.step = Step::Silent(Box::new(silent));
            }
            None => {
                link.send(out, Kind::OtStock, |_| {});
                self.finish()?;
            }
        }
        Ok(())
    }

    /// The evaluator's answer closes a round.
    fn answer(
        &mut self,
        mut silent: Box<SilentSender>,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let digest = silent.answer(body)?;
        link.send(out, Kind::OtStock, |out| out.extend_from_slice(&digest));
        self.blocks
            .extend_from_slice(&Zeroizing::new(silent.finish()?));
        if self.blocks.len() < self.setup.order.total() {
            silent.start(Block::random(&mut self.rng))?;
            self.step = Step::Silent(silent);
            Ok(())
        } else {
            self.finish()
        }
    }

    fn finish(&mut self) -> Result<(), SessionError> {
        let blocks = mem::take(&mut *self.blocks);
        let context = stock_context(&self.context()?);
        self.stock = Some(Stock::sender(context, self.offset, blocks));
        self.step = Step::Done;
        Ok(())
    }
}

impl Party for StockGarblerParty {
    const ROLE: Role = Role::Garbler;
    const MAKES_STOCK: bool = true;

    fn phase(&self) -> Phase {
        match self.step {
            Step::Hello => Phase::Hello,
            Step::Done => Phase::Done,
            _ => Phase::Transfer,
        }
    }

    fn agreed(&mut self, context: Context, _: Option<u64>, _: &mut Link, _: &mut Vec<u8>) {
        self.context = Some(context);
        self.step = Step::BaseKey;
    }

    fn frame(
        &mut self,
        link: &mut Link,
        kind: Kind,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        match (mem::replace(&mut self.step, Step::Done), kind) {
            (Step::BaseKey, Kind::OtSetup) => self.base_key(link, body, out),
            (Step::BaseChallenge(receiver), Kind::OtSetup) => {
                let (check, message) = receiver.respond(body)?;
                link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
                self.step = Step::BaseOpening(Box::new(check));
                Ok(())
            }
            (Step::BaseOpening(check), Kind::OtSetup) => self.base_opening(*check, body),
            (Step::Extension(sender), Kind::OtExtension) => self.extension(sender, link, body, out),
            (Step::Silent(silent), Kind::OtStock) => self.answer(silent, link, body, out),
            _ => Err(SessionError::Order),
        }
    }

    fn produce(&mut self, link: &mut Link, out: &mut Vec<u8>) -> bool {
        let Step::Silent(silent) = &mut self.step else {
            return false;
        };
        match silent.next_piece() {
            Ok(Some(piece)) => {
                link.send(out, Kind::OtStock, |out| out.extend_from_slice(&piece));
                true
            }
            // All trees are out: work ahead while the answer is on its way.
            Ok(None) => {
                let _ = silent.expand();
                false
            }
            Err(_) => false,
        }
    }

    fn outputs(&self) -> Option<&[Option<Vec<bool>>]> {
        self.stock.as_ref().map(|_| &[][..])
    }

    fn gates(&self) -> Gates {
        Gates { done: 0, total: 0 }
    }

    fn stock(&mut self) -> &mut Option<Stock> {
        &mut self.stock
    }
}
