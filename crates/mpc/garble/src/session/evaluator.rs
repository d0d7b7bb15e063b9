//! Steps of the evaluator: base sender, extension receiver, then evaluation.

use core::fmt;
use core::mem;
use std::sync::Arc;

use quil_ot::base::{BaseSender, BaseSenderCheck};
use quil_ot::block::{Block, get_blocks, put_blocks};
use quil_ot::context::Context;
use quil_ot::extension::{ExtensionReceiver, MAX_CHUNK, pack_choices};
use quil_ot::kernel::Isa;
use quil_ot::stock::{Stock, Taken};
use rand_chacha::ChaCha20Rng;
use zeroize::{Zeroize, Zeroizing};

use super::error::SessionError;
use super::frame::{Kind, Link};
use super::output::{self, DECODE_BYTES, DECODE_FRAME};
use super::{Gates, Party, Phase, Role, Setup};
use crate::halfgates::{Evaluation, TABLE_BYTES};
use crate::machine::Progress;
use crate::plan::Plan;

/// State of the evaluating party.
pub struct EvaluatorParty {
    plan: Arc<Plan>,
    isa: Isa,
    input: Zeroizing<Vec<bool>>,
    rng: ChaCha20Rng,
    /// Labels of the own inputs.
    own: Vec<Block>,
    /// Labels of the garbler's inputs, as far as they arrived.
    labels: Vec<Block>,
    seed: Option<Block>,
    context: Option<Context>,
    stock: Option<Stock>,
    step: Step,
    outputs: Option<Vec<Option<Vec<bool>>>>,
}

enum Step {
    Hello,
    BaseShares(Box<BaseSender>),
    BaseResponses(Box<BaseSenderCheck>),
    /// Waits for the garbler's corrections.
    Stock {
        taken: Taken,
        corrections: Vec<Block>,
    },
    Labels,
    Tables(Box<Evaluation>),
    Decode {
        evaluation: Box<Evaluation>,
        labels: Vec<Block>,
        values: Vec<bool>,
    },
    Done,
}

impl fmt::Debug for EvaluatorParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvaluatorParty")
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl Drop for EvaluatorParty {
    fn drop(&mut self) {
        self.own.zeroize();
        self.labels.zeroize();
    }
}

impl EvaluatorParty {
    pub(super) fn new(
        setup: &Setup,
        input: &[bool],
        stock: Option<Stock>,
        rng: ChaCha20Rng,
    ) -> Self {
        Self {
            plan: Arc::clone(&setup.plan),
            isa: setup.isa,
            stock,
            input: Zeroizing::new(input.to_vec()),
            rng,
            own: Vec::new(),
            labels: Vec::new(),
            seed: None,
            context: None,
            step: Step::Hello,
            outputs: None,
        }
    }

    fn context(&self) -> Result<Context, SessionError> {
        self.context.ok_or(SessionError::Order)
    }

    /// Opens the base transfers and sends all choices.
    fn extend(
        &mut self,
        check: BaseSenderCheck,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let (pairs, mut opening) = check.open(body)?;
        let pairs = Zeroizing::new(pairs);
        let (mut receiver, trees) = ExtensionReceiver::new(self.context()?, self.isa, &pairs);
        opening.extend_from_slice(&trees);
        link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&opening));
        let mut message = Vec::new();
        for bits in self.input.chunks(MAX_CHUNK) {
            let choices = Zeroizing::new(pack_choices(bits));
            receiver.extend(
                bits.len(),
                &choices,
                &mut self.own,
                &mut message,
                &mut self.rng,
            )?;
            link.send(out, Kind::OtExtension, |out| {
                out.extend_from_slice(&message)
            });
        }
        self.step = Step::Labels;
        Ok(())
    }

    /// Takes correlations out of the stock and sends the corrections of the choices.
    fn start_stock(&mut self, position: u64, link: &mut Link, out: &mut Vec<u8>) -> Option<Step> {
        let stock = self.stock.as_mut()?;
        stock.skip_to(position);
        let taken = stock.take(self.input.len()).ok()?;
        let choices = Zeroizing::new(pack_choices(&self.input));
        let flips = Stock::flips(&taken, &choices);
        link.send(out, Kind::OtStock, |out| put_blocks(out, &flips));
        Some(Step::Stock {
            taken,
            corrections: Vec::new(),
        })
    }

    fn take_corrections(
        &mut self,
        taken: Taken,
        mut corrections: Vec<Block>,
        body: &[u8],
    ) -> Result<(), SessionError> {
        let more = get_blocks(body).ok_or(SessionError::Frame)?;
        corrections.extend_from_slice(&more);
        let due = taken.blocks.len();
        if more.is_empty() || corrections.len() > due {
            return Err(SessionError::Frame);
        }
        if corrections.len() < due {
            self.step = Step::Stock { taken, corrections };
            return Ok(());
        }
        let stock = self.stock.as_ref().ok_or(SessionError::Order)?;
        let choices = Zeroizing::new(pack_choices(&self.input));
        self.own = stock.receive_correlated(self.isa, &taken, &choices, &corrections)?;
        self.step = Step::Labels;
        Ok(())
    }

    /// Takes the seed first, then the garbler's labels.
    fn take_labels(
        &mut self,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let blocks = get_blocks(body).ok_or(SessionError::Frame)?;
        let [garbler, _] = self.plan.widths();
        match (self.seed, blocks.as_slice()) {
            (None, [seed]) => self.seed = Some(*seed),
            (None, _) | (Some(_), []) => return Err(SessionError::Frame),
            (Some(_), labels) => self.labels.extend_from_slice(labels),
        }
        if self.labels.len() > garbler {
            return Err(SessionError::Frame);
        }
        self.step = Step::Labels;
        let Some(seed) = self.seed.filter(|_| self.labels.len() == garbler) else {
            return Ok(());
        };
        let mut labels = Zeroizing::new(mem::take(&mut self.labels));
        labels.append(&mut self.own);
        let mut evaluation = Box::new(Evaluation::new(&self.plan, self.isa, seed, &labels));
        match evaluation.run(&self.plan, &[]).0 {
            Progress::Done => self.decoding(evaluation, link, out),
            Progress::Paused => {
                self.step = Step::Tables(evaluation);
                Ok(())
            }
        }
    }

    fn tables(
        &mut self,
        mut evaluation: Box<Evaluation>,
        link: &mut Link,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        if body.is_empty() || !body.len().is_multiple_of(TABLE_BYTES) {
            return Err(SessionError::Frame);
        }
        match evaluation.run(&self.plan, body) {
            (Progress::Paused, 0) => {
                self.step = Step::Tables(evaluation);
                Ok(())
            }
            (Progress::Done, 0) => self.decoding(evaluation, link, out),
            _ => Err(SessionError::Frame),
        }
    }

    fn decoding(
        &mut self,
        evaluation: Box<Evaluation>,
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let labels =
            output::labels_of(&self.plan, Role::Evaluator, &evaluation.results(&self.plan));
        if labels.is_empty() {
            return self.finish(&evaluation, &[], link, out);
        }
        self.step = Step::Decode {
            evaluation,
            labels,
            values: Vec::new(),
        };
        Ok(())
    }

    fn finish(
        &mut self,
        evaluation: &Evaluation,
        values: &[bool],
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        self.outputs = Some(output::assemble(&self.plan, Role::Evaluator, values));
        let labels = output::labels_of(&self.plan, Role::Garbler, &evaluation.results(&self.plan));
        let proof = output::encode_labels(&self.context()?, &labels);
        link.send(out, Kind::OutLabels, |out| out.extend_from_slice(&proof));
        self.step = Step::Done;
        Ok(())
    }
}

impl Party for EvaluatorParty {
    const ROLE: Role = Role::Evaluator;

    fn phase(&self) -> Phase {
        match self.step {
            Step::Hello => Phase::Hello,
            Step::BaseShares(_) | Step::BaseResponses(_) | Step::Stock { .. } | Step::Labels => {
                Phase::Transfer
            }
            Step::Tables(_) => Phase::Tables,
            Step::Decode { .. } => Phase::Outputs,
            Step::Done => Phase::Done,
        }
    }

    fn agreed(&mut self, context: Context, stock: Option<u64>, link: &mut Link, out: &mut Vec<u8>) {
        self.context = Some(context);
        let from_stock = stock.and_then(|position| self.start_stock(position, link, out));
        if let Some(step) = from_stock {
            self.step = step;
        } else if self.input.is_empty() {
            self.step = Step::Labels;
        } else {
            let (sender, message) = BaseSender::new(context, &mut self.rng);
            link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
            self.step = Step::BaseShares(Box::new(sender));
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
            (Step::BaseShares(sender), Kind::OtSetup) => {
                let (check, message) = sender.challenge(body)?;
                link.send(out, Kind::OtSetup, |out| out.extend_from_slice(&message));
                self.step = Step::BaseResponses(Box::new(check));
                Ok(())
            }
            (Step::BaseResponses(check), Kind::OtSetup) => self.extend(*check, link, body, out),
            (Step::Stock { taken, corrections }, Kind::OtStock) => {
                self.take_corrections(taken, corrections, body)
            }
            (Step::Labels, Kind::GarblerLabels) => self.take_labels(link, body, out),
            (Step::Tables(evaluation), Kind::Tables) => self.tables(evaluation, link, body, out),
            (
                Step::Decode {
                    mut evaluation,
                    labels,
                    mut values,
                },
                Kind::OutDecode,
            ) => {
                let due = labels.get(values.len()..).unwrap_or_default();
                let due = due.get(..due.len().min(DECODE_FRAME)).unwrap_or_default();
                if body.len() != due.len().saturating_mul(DECODE_BYTES) {
                    return Err(SessionError::Frame);
                }
                let hashes = evaluation.output_hashes(due);
                values.extend(output::decode(body, &hashes, due)?);
                if values.len() == labels.len() {
                    return self.finish(&evaluation, &values, link, out);
                }
                self.step = Step::Decode {
                    evaluation,
                    labels,
                    values,
                };
                Ok(())
            }
            _ => Err(SessionError::Order),
        }
    }

    fn produce(&mut self, _link: &mut Link, _out: &mut Vec<u8>) -> bool {
        false
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
            Step::Hello | Step::Labels => 0,
            Step::Tables(evaluation) => evaluation.tweak() / 2,
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
