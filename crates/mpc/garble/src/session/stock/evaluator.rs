//! The side that holds the choices: base sender, extension receiver, silent receiver.

use core::fmt;
use core::mem;

use quil_ot::base::{BaseSender, BaseSenderCheck};
use quil_ot::block::Block;
use quil_ot::context::Context;
use quil_ot::extension::ExtensionReceiver;
use quil_ot::silent::{SilentReceiver, normalise_received};
use quil_ot::stock::Stock;
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

use super::{Silent, StockSetup, stock_context};
use crate::session::error::SessionError;
use crate::session::frame::{Kind, Link};
use crate::session::{Gates, Party, Phase, Role};

/// State of the party that will evaluate.
pub struct StockEvaluatorParty {
    setup: StockSetup,
    rng: ChaCha20Rng,
    context: Option<Context>,
    blocks: Zeroizing<Vec<Block>>,
    stock: Option<Stock>,
    step: Step,
}

enum Step {
    Hello,
    BaseShares(Box<BaseSender>),
    BaseResponses(Box<BaseSenderCheck>),
    Extension(Box<ExtensionReceiver>),
    /// The last choices are out; waits for the garbler's check.
    Checked,
    /// In a silent round; `answered` once all trees are in.
    Silent {
        silent: Box<SilentReceiver>,
        answered: bool,
    },
    Done,
}

impl fmt::Debug for StockEvaluatorParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StockEvaluatorParty")
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl StockEvaluatorParty {
    pub(super) fn new(setup: &StockSetup, rng: ChaCha20Rng) -> Self {
        Self {
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

    fn open(
        &mut self,
        check: BaseSenderCheck,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let (pairs, mut opening) = check.open(body)?;
        let pairs = Zeroizing::new(pairs);
        let (receiver, trees) = ExtensionReceiver::new(self.context()?, self.setup.isa, &pairs);
        opening.extend_from_slice(&trees);
        link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&opening));
        self.step = Step::Extension(Box::new(receiver));
        Ok(())
    }

    /// One message of the extension with random choices, which end up in the select bits.
    fn extend(
        &mut self,
        mut receiver: Box<ExtensionReceiver>,
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let (order, done) = (self.setup.order, self.blocks.len());
        let count = order.chunk(done);
        let choices: Zeroizing<Vec<Block>> = Zeroizing::new(
            (0..count.div_ceil(128))
                .map(|_| Block::random(&mut self.rng))
                .collect(),
        );
        let (blocks, mut message) = (&mut *self.blocks, Vec::new());
        receiver.extend(count, &choices, blocks, &mut message, &mut self.rng)?;
        normalise_received(blocks.get_mut(done..).unwrap_or_default(), &choices);
        link.send(out, Kind::OtExtension, |out| {
            out.extend_from_slice(&message)
        });
        if order.chunk(self.blocks.len()) > 0 {
            self.step = Step::Extension(receiver);
            return Ok(());
        }
        self.step = match order.silent {
            Some(Silent { params, .. }) => {
                let reserve = mem::take(&mut *self.blocks);
                let (context, isa) = (self.context()?, self.setup.isa);
                let silent = Box::new(SilentReceiver::new(params, context, isa, reserve)?);
                let answered = false;
                Step::Silent { silent, answered }
            }
            None => Step::Checked,
        };
        Ok(())
    }

    /// A piece of trees, or the digest that closes a round.
    fn silent(
        &mut self,
        mut silent: Box<SilentReceiver>,
        mut answered: bool,
        (link, body, out): (&mut Link, &[u8], &mut Vec<u8>),
    ) -> Result<(), SessionError> {
        if !answered {
            if let Some(answer) = silent.take_piece(body)? {
                link.send(out, Kind::OtStock, |out| out.extend_from_slice(&answer));
                answered = true;
            }
        } else {
            self.blocks
                .extend_from_slice(&Zeroizing::new(silent.finish(body)?));
            if self.blocks.len() >= self.setup.order.total() {
                return self.finish();
            }
            answered = false;
        }
        self.step = Step::Silent { silent, answered };
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SessionError> {
        let blocks = mem::take(&mut *self.blocks);
        let context = stock_context(&self.context()?);
        self.stock = Some(Stock::receiver(context, blocks));
        self.step = Step::Done;
        Ok(())
    }
}

impl Party for StockEvaluatorParty {
    const ROLE: Role = Role::Evaluator;
    const MAKES_STOCK: bool = true;

    fn phase(&self) -> Phase {
        match self.step {
            Step::Hello => Phase::Hello,
            Step::Done => Phase::Done,
            _ => Phase::Transfer,
        }
    }

    fn agreed(&mut self, context: Context, _: Option<u64>, link: &mut Link, out: &mut Vec<u8>) {
        self.context = Some(context);
        let (sender, message) = BaseSender::new(context, &mut self.rng);
        link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
        self.step = Step::BaseShares(Box::new(sender));
    }

    fn frame(
        &mut self,
        link: &mut Link,
        kind: Kind,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        match (mem::replace(&mut self.step, Step::Done), kind) {
            (Step::BaseShares(sender), Kind::OtSetup) => {
                let (check, message) = sender.challenge(body)?;
                link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
                self.step = Step::BaseResponses(Box::new(check));
                Ok(())
            }
            (Step::BaseResponses(check), Kind::OtSetup) => self.open(*check, link, body, out),
            (Step::Checked, Kind::OtStock) if body.is_empty() => self.finish(),
            (Step::Silent { silent, answered }, Kind::OtStock) => {
                self.silent(silent, answered, (link, body, out))
            }
            _ => Err(SessionError::Order),
        }
    }

    fn produce(&mut self, link: &mut Link, out: &mut Vec<u8>) -> bool {
        match mem::replace(&mut self.step, Step::Done) {
            Step::Extension(receiver) => self.extend(receiver, link, out).is_ok(),
            Step::Silent {
                mut silent,
                answered,
            } => {
                if answered {
                    // Work ahead while the digest is on its way.
                    let _ = silent.expand();
                }
                self.step = Step::Silent { silent, answered };
                false
            }
            step => {
                self.step = step;
                false
            }
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
