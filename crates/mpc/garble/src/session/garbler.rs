//! Steps of the garbler: base receiver, extension sender, then tables.

use core::fmt;
use core::mem;
use std::sync::Arc;

use quil_ot::base::{BaseReceiver, BaseReceiverCheck, OPENING_BYTES};
use quil_ot::block::{Block, get_blocks, put_blocks};
use quil_ot::context::Context;
use quil_ot::extension::{ExtensionSender, MAX_CHUNK};
use quil_ot::kernel::Isa;
use quil_ot::stock::{Stock, Taken};
use rand_chacha::ChaCha20Rng;
use zeroize::{Zeroize, Zeroizing};

use super::error::SessionError;
use super::frame::{Kind, Link};
use super::output::{self, DECODE_FRAME};
use super::{Gates, LABEL_FRAME, Party, Phase, Role, Setup, TABLE_FRAME};
use crate::halfgates::{Garbling, random_offset};
use crate::machine::Progress;
use crate::plan::Plan;

/// State of the garbling party.
pub struct GarblerParty {
    plan: Arc<Plan>,
    isa: Isa,
    input: Zeroizing<Vec<bool>>,
    rng: ChaCha20Rng,
    offset: Block,
    /// Zero-labels of the evaluator's inputs.
    labels: Vec<Block>,
    context: Option<Context>,
    stock: Option<Stock>,
    step: Step,
    outputs: Option<Vec<Option<Vec<bool>>>>,
}

enum Step {
    Hello,
    BaseKey,
    BaseChallenge(Box<BaseReceiver>),
    BaseOpening(Box<BaseReceiverCheck>),
    Extension(Box<ExtensionSender>),
    Stock(Taken),
    Tables(Box<Garbling>),
    OutLabels(Vec<Block>),
    Done,
}

impl fmt::Debug for GarblerParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GarblerParty")
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl Drop for GarblerParty {
    fn drop(&mut self) {
        self.offset.zeroize();
        self.labels.zeroize();
    }
}

impl GarblerParty {
    pub(super) fn new(
        setup: &Setup,
        input: &[bool],
        stock: Option<Stock>,
        mut rng: ChaCha20Rng,
    ) -> Self {
        let offset = random_offset(&mut rng);
        Self {
            plan: Arc::clone(&setup.plan),
            isa: setup.isa,
            stock,
            input: Zeroizing::new(input.to_vec()),
            rng,
            offset,
            labels: Vec::new(),
            context: None,
            step: Step::Hello,
            outputs: None,
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
        let sender = ExtensionSender::new(self.context()?, self.isa, self.offset, &seeds, trees)?;
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
        let [_, width] = self.plan.widths();
        let count = width.saturating_sub(self.labels.len()).min(MAX_CHUNK);
        sender.extend(count, body, &mut self.labels)?;
        if self.labels.len() < width {
            self.step = Step::Extension(sender);
        } else {
            self.start_tables(link, out);
        }
        Ok(())
    }

    /// Moves correlations of the stock to the evaluator's choices and to the offset of this run.
    fn use_stock(
        &mut self,
        taken: &Taken,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let stock = self.stock.as_ref().ok_or(SessionError::Order)?;
        let flips = get_blocks(body).ok_or(SessionError::Frame)?;
        if flips.len() != taken.blocks.len().div_ceil(128) {
            return Err(SessionError::Frame);
        }
        let (labels, corrections) = stock.send_correlated(self.isa, taken, &flips, self.offset);
        self.labels = labels;
        for corrections in corrections.chunks(LABEL_FRAME) {
            link.send(out, Kind::OtStock, |out| put_blocks(out, corrections));
        }
        self.start_tables(link, out);
        Ok(())
    }

    /// Draws the garbler's labels and the public seed, sends them, and starts the run.
    fn start_tables(&mut self, link: &mut Link, out: &mut Vec<u8>) {
        let mut zero_labels: Zeroizing<Vec<Block>> = Zeroizing::new(
            self.input
                .iter()
                .map(|_| Block::random(&mut self.rng))
                .collect(),
        );
        let bits = zero_labels.iter().zip(self.input.iter());
        let active: Vec<Block> = bits
            .map(|(zero, bit)| *zero ^ (self.offset & Block::mask(*bit)))
            .collect();
        let seed = Block::random(&mut self.rng);
        link.send(out, Kind::GarblerLabels, |out| put_blocks(out, &[seed]));
        for labels in active.chunks(LABEL_FRAME) {
            link.send(out, Kind::GarblerLabels, |out| put_blocks(out, labels));
        }
        zero_labels.append(&mut self.labels);
        let garbling = Garbling::new(&self.plan, self.isa, seed, self.offset, &zero_labels);
        self.step = Step::Tables(Box::new(garbling));
        self.finish_tables(link, out);
    }

    /// Behind the last AND gate: the evaluator may answer at once, so what is left is done before it can.
    fn finish_tables(&mut self, link: &mut Link, out: &mut Vec<u8>) {
        let Step::Tables(garbling) = &mut self.step else {
            return;
        };
        if garbling.tweak() < self.plan.ands().saturating_mul(2) {
            return;
        }
        let done = garbling.run(&self.plan, &mut Vec::new(), 0);
        if let (Step::Tables(garbling), Progress::Done) =
            (mem::replace(&mut self.step, Step::Done), done)
        {
            self.send_decoding(*garbling, link, out);
        }
    }

    fn send_decoding(&mut self, mut garbling: Garbling, link: &mut Link, out: &mut Vec<u8>) {
        let results = garbling.results(&self.plan);
        let labels = output::labels_of(&self.plan, Role::Evaluator, &results);
        for labels in labels.chunks(DECODE_FRAME) {
            let hashes = garbling.output_hashes(labels);
            link.send(out, Kind::OutDecode, |out| {
                output::encode_decoding(out, &hashes, labels)
            });
        }
        self.step = Step::OutLabels(output::labels_of(&self.plan, Role::Garbler, &results));
    }
}

impl Party for GarblerParty {
    const ROLE: Role = Role::Garbler;

    fn phase(&self) -> Phase {
        match self.step {
            Step::Hello => Phase::Hello,
            Step::BaseKey
            | Step::BaseChallenge(_)
            | Step::BaseOpening(_)
            | Step::Extension(_)
            | Step::Stock(_) => Phase::Transfer,
            Step::Tables(_) => Phase::Tables,
            Step::OutLabels(_) => Phase::Outputs,
            Step::Done => Phase::Done,
        }
    }

    fn agreed(&mut self, context: Context, stock: Option<u64>, link: &mut Link, out: &mut Vec<u8>) {
        self.context = Some(context);
        let [_, evaluator] = self.plan.widths();
        let taken = stock
            .zip(self.stock.as_mut())
            .and_then(|(position, stock)| {
                stock.skip_to(position);
                stock.take(evaluator).ok()
            });
        if let Some(taken) = taken {
            self.step = Step::Stock(taken);
        } else if evaluator == 0 {
            self.start_tables(link, out);
        } else {
            self.step = Step::BaseKey;
        }
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
            (Step::Stock(taken), Kind::OtStock) => self.use_stock(&taken, link, body, out),
            (Step::OutLabels(labels), Kind::OutLabels) => {
                let values = output::verify_labels(&self.context()?, &labels, self.offset, body)?;
                self.outputs = Some(output::assemble(&self.plan, Role::Garbler, &values));
                Ok(())
            }
            _ => Err(SessionError::Order),
        }
    }

    fn produce(&mut self, link: &mut Link, out: &mut Vec<u8>) -> bool {
        let Step::Tables(garbling) = &mut self.step else {
            return false;
        };
        link.send(out, Kind::Tables, |out| {
            let limit = out.len().saturating_add(TABLE_FRAME);
            garbling.run(&self.plan, out, limit);
        });
        self.finish_tables(link, out);
        true
    }

    fn stock(&mut self) -> &mut Option<Stock> {
        &mut self.stock
    }

    fn outputs(&self) -> Option<&[Option<Vec<bool>>]> {
        self.outputs.as_deref()
    }

    fn gates(&self) -> Gates {
        let total = self.plan.ands();
        let done = match &self.step {
            Step::Hello => 0,
            Step::Tables(garbling) => garbling.tweak() / 2,
            _ => {
                if self.phase() == Phase::Transfer {
                    0
                } else {
                    total
                }
            }
        };
        Gates { done, total }
    }
}
