//! The two-party session as a state machine: bytes in, bytes out, time as an argument.
//!
//! | step | garbler | | evaluator |
//! |---|---|---|---|
//! | hello | HELLO | both | HELLO |
//! | transfer | | from | OT-SETUP: base key |
//! | | OT-SETUP: shares | to | |
//! | | | from | OT-SETUP: challenges |
//! | | OT-SETUP: responses | to | |
//! | | | from | OT-SETUP: openings, seed trees; OT-EXTENSION: choices |
//! | tables | GARBLER-LABELS, TABLES .. | to | |
//! | outputs | OUT-DECODE .. | to | |
//! | | | from | OUT-LABELS, DONE(transcript) |
//! | done | DONE(transcript) | to | |
//!
//! With a stock that both parties have, the transfers are two frames: OT-STOCK with the evaluator's corrections, OT-STOCK
//! with the garbler's.
//!
//! The offset of the transfers is the offset of the garbling, so the evaluator's block of a transfer *is* its label.

mod error;
mod evaluator;
mod frame;
mod garbler;
mod hello;
mod local;
mod output;
mod stock;

use std::sync::Arc;

use quil_ot::context::Context;
use quil_ot::kernel::Isa;
use quil_ot::stock::Stock;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use error::SessionError;
pub use evaluator::EvaluatorParty;
use frame::Link;
pub use frame::{HEADER, Kind, MAX_BODY};
pub use garbler::GarblerParty;
use hello::Subject;
pub use hello::{Agreement, Role, SUITE, VERSION};
pub use local::run_pair;
pub use stock::{
    MAX_STOCK, StockEvaluatorParty, StockEvaluatorSession, StockGarblerParty, StockGarblerSession,
    StockOrder, StockSetup,
};

use crate::plan::Plan;

/// Bytes of tables in one frame: 4096 gates.
pub const TABLE_FRAME: usize = 1 << 17;
/// Labels in one frame.
const LABEL_FRAME: usize = 4096;
/// Keep-alive frames accepted in one session.
const MAX_KEEP_ALIVES: u32 = 1 << 16;

/// Milliseconds on a clock that never goes back; only differences matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// Longest time between two frames of the other party, per phase, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Waiting for the other party to come.
    pub hello: u64,
    /// Transfers.
    pub transfer: u64,
    /// Tables.
    pub tables: u64,
    /// Outputs and the end. Waiting for the evaluator to catch up belongs here.
    pub outputs: u64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            hello: 60_000,
            transfer: 30_000,
            tables: 30_000,
            outputs: 120_000,
        }
    }
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Handshake.
    Hello,
    /// Labels of the evaluator's inputs.
    Transfer,
    /// Tables.
    Tables,
    /// Outputs.
    Outputs,
    /// Nothing left but to compare transcripts, or over.
    Done,
}

/// How far the gates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// AND gates garbled or evaluated.
    pub done: u64,
    /// AND gates of the circuit.
    pub total: u64,
}

/// What a finished session gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One entry per output group of the circuit: its bits, or `None` where only the other party learns them.
    pub outputs: Vec<Option<Vec<bool>>>,
    /// Hash of all bytes of both directions; equal on both sides.
    pub transcript: [u8; 32],
}

/// What differs between the parties. Implemented by [`GarblerParty`] and [`EvaluatorParty`].
trait Party {
    const ROLE: Role;
    fn phase(&self) -> Phase;
    /// The handshake succeeded; transfers come from the stock at this position, or are made anew.
    fn agreed(&mut self, context: Context, stock: Option<u64>, link: &mut Link, out: &mut Vec<u8>);
    /// A frame of the steps between handshake and end. A failed call leaves the party unusable.
    fn frame(
        &mut self,
        link: &mut Link,
        kind: Kind,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError>;
    /// Appends what needs nothing from the other party; `false` when there was nothing.
    fn produce(&mut self, link: &mut Link, out: &mut Vec<u8>) -> bool;
    fn outputs(&self) -> Option<&[Option<Vec<bool>>]>;
    fn gates(&self) -> Gates;
    /// The stock that is left, or that was made.
    fn stock(&mut self) -> &mut Option<Stock>;
    /// The stock is the result of the session.
    const MAKES_STOCK: bool = false;
}

/// One side of a session. Give it what arrives, send what it appends.
#[derive(Debug)]
pub struct Session<P> {
    party: P,
    link: Link,
    hello: Vec<u8>,
    context: Option<Context>,
    deadlines: Deadlines,
    /// Time of the last frame of the other party.
    heard: Option<Millis>,
    keep_alives: u32,
    sent_done: bool,
    failed: bool,
    /// The other party may have deviated.
    deviation: bool,
    outcome: Option<Outcome>,
}

/// The garbler's side.
pub type GarblerSession = Session<GarblerParty>;
/// The evaluator's side.
pub type EvaluatorSession = Session<EvaluatorParty>;

/// What a session is set up with, the same on both sides but for the deadlines.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The circuit.
    pub plan: Arc<Plan>,
    /// What both parties agreed on.
    pub agreement: Agreement,
    /// Time limits of this side.
    pub deadlines: Deadlines,
    /// Instructions to use.
    pub isa: Isa,
}

impl Setup {
    /// Default deadlines, fastest instructions.
    #[must_use]
    pub fn new(plan: Arc<Plan>, agreement: Agreement) -> Self {
        Self {
            plan,
            agreement,
            deadlines: Deadlines::default(),
            isa: Isa::best(),
        }
    }

    fn check(&self, role: Role, input: &[bool]) -> Result<(), SessionError> {
        let [garbler, evaluator] = self.plan.widths();
        let expected = if role == Role::Garbler {
            garbler
        } else {
            evaluator
        };
        if input.len() == expected {
            Ok(())
        } else {
            Err(SessionError::Inputs {
                expected,
                found: input.len(),
            })
        }
    }

    fn begin<P: Party>(self, party: P, nonce: &[u8; 32]) -> Session<P> {
        let subject = Subject {
            code_id: *self.plan.code_id(),
            widths: self.plan.widths(),
        };
        Session::new(party, &self.agreement, &subject, self.deadlines, nonce)
    }
}

fn private_rng(rng: &mut impl CryptoRng) -> (ChaCha20Rng, [u8; 32]) {
    let (mut seed, mut nonce) = (Zeroizing::new([0_u8; 32]), [0_u8; 32]);
    rng.fill_bytes(seed.as_mut());
    rng.fill_bytes(&mut nonce);
    (ChaCha20Rng::from_seed(*seed), nonce)
}

/// The half of a stock that a role uses.
fn check_half(role: Role, stock: Option<&Stock>) -> Result<(), SessionError> {
    match stock {
        Some(stock) if stock.is_sender() != (role == Role::Garbler) => Err(SessionError::StockHalf),
        _ => Ok(()),
    }
}

impl GarblerSession {
    /// The garbler with its input bits.
    ///
    /// # Errors
    /// [`SessionError::Inputs`].
    pub fn garbler(
        setup: Setup,
        input: &[bool],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SessionError> {
        Self::garbler_with(setup, input, None, rng)
    }

    /// The garbler with its input bits and its half of a stock. The stock is used if the other party brings the other
    /// half; without, transfers are made anew. [`Session::into_stock`] gives back what is left.
    ///
    /// # Errors
    /// [`SessionError::Inputs`], [`SessionError::StockHalf`].
    pub fn garbler_with(
        setup: Setup,
        input: &[bool],
        stock: Option<Stock>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SessionError> {
        setup.check(Role::Garbler, input)?;
        check_half(Role::Garbler, stock.as_ref())?;
        let (private, nonce) = private_rng(rng);
        let party = GarblerParty::new(&setup, input, stock, private);
        Ok(setup.begin(party, &nonce))
    }
}

impl EvaluatorSession {
    /// The evaluator with its input bits.
    ///
    /// # Errors
    /// [`SessionError::Inputs`].
    pub fn evaluator(
        setup: Setup,
        input: &[bool],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SessionError> {
        Self::evaluator_with(setup, input, None, rng)
    }

    /// The evaluator with its input bits and its half of a stock; see [`GarblerSession::garbler_with`].
    ///
    /// # Errors
    /// [`SessionError::Inputs`], [`SessionError::StockHalf`].
    pub fn evaluator_with(
        setup: Setup,
        input: &[bool],
        stock: Option<Stock>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SessionError> {
        setup.check(Role::Evaluator, input)?;
        check_half(Role::Evaluator, stock.as_ref())?;
        let (private, nonce) = private_rng(rng);
        let party = EvaluatorParty::new(&setup, input, stock, private);
        Ok(setup.begin(party, &nonce))
    }
}

/// What a driver calls; the same for both roles.
pub trait Drive {
    /// Appends the first bytes to send. Call once, before anything else.
    fn start(&mut self, now: Millis, out: &mut Vec<u8>);
    /// Takes bytes that arrived, in pieces of any size, and appends the answers.
    ///
    /// # Errors
    /// The session is over; `out` may end with an ABORT frame that should be sent.
    fn receive(&mut self, now: Millis, bytes: &[u8], out: &mut Vec<u8>)
    -> Result<(), SessionError>;
    /// Appends what needs nothing from the other party, at most [`TABLE_FRAME`] bytes of tables; `false` when there was
    /// nothing. Call it when everything before is sent: that bounds memory, and it counts as a sign of life.
    fn produce(&mut self, now: Millis, out: &mut Vec<u8>) -> bool;
    /// To be called when [`Drive::deadline`] passed.
    ///
    /// # Errors
    /// [`SessionError::Deadline`] when it did.
    fn tick(&mut self, now: Millis, out: &mut Vec<u8>) -> Result<(), SessionError>;
    /// When [`Drive::tick`] is due; `None` once the session is over.
    fn deadline(&self) -> Option<Millis>;
    /// Appends a keep-alive frame.
    fn keep_alive(&mut self, out: &mut Vec<u8>);
    /// Stops the session and tells the other party.
    fn cancel(&mut self, out: &mut Vec<u8>);
    /// Where the session stands.
    fn phase(&self) -> Phase;
    /// AND gates done and in all.
    fn gates(&self) -> Gates;
    /// The result, once both parties are done.
    fn outcome(&self) -> Option<&Outcome>;
}

#[expect(
    private_bounds,
    reason = "the parties are public, what they have in common is not"
)]
impl<P: Party> Session<P> {
    fn new(
        mut party: P,
        agreement: &Agreement,
        subject: &Subject,
        deadlines: Deadlines,
        nonce: &[u8; 32],
    ) -> Self {
        let stock = party.stock().as_ref();
        Self {
            hello: hello::encode(P::ROLE, agreement, subject, stock, nonce),
            party,
            link: Link::default(),
            context: None,
            deadlines,
            heard: None,
            keep_alives: 0,
            sent_done: false,
            failed: false,
            deviation: false,
            outcome: None,
        }
    }

    /// What is left of the stock that the session was given, or the stock that it made. `None` without one; also if the
    /// other party may have deviated, or if the session that should make the stock did not end well.
    #[must_use]
    pub fn into_stock(mut self) -> Option<Stock> {
        if self.deviation || (P::MAKES_STOCK && self.outcome.is_none()) {
            None
        } else {
            self.party.stock().take()
        }
    }

    fn one_frame(
        &mut self,
        kind: Kind,
        body: &[u8],
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        match kind {
            Kind::Abort => {
                let code = body
                    .try_into()
                    .map(u16::from_be_bytes)
                    .map_err(|_| SessionError::Frame)?;
                Err(SessionError::Peer(code))
            }
            Kind::KeepAlive => {
                self.keep_alives = self.keep_alives.saturating_add(1);
                let good = body.is_empty() && self.keep_alives <= MAX_KEEP_ALIVES;
                if good {
                    Ok(())
                } else {
                    Err(SessionError::Frame)
                }
            }
            Kind::Hello if self.context.is_none() => self.take_hello(body, link, out),
            Kind::Done => self.take_done(body, link, out),
            _ if self.context.is_none() => Err(SessionError::Order),
            _ => {
                self.party.frame(link, kind, body, out)?;
                if P::ROLE == Role::Evaluator && self.party.outputs().is_some() {
                    self.send_done(link, out);
                }
                Ok(())
            }
        }
    }

    fn take_hello(
        &mut self,
        body: &[u8],
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        hello::compare(&self.hello, body)?;
        let context = match P::ROLE {
            Role::Garbler => hello::context(&self.hello, body),
            Role::Evaluator => hello::context(body, &self.hello),
        };
        self.context = Some(context);
        let stock = hello::stock_position(&self.hello, body);
        self.party.agreed(context, stock, link, out);
        Ok(())
    }

    fn transcript(&self, link: &Link) -> Option<[u8; 32]> {
        self.context
            .map(|context| link.transcript(&context, P::ROLE == Role::Garbler))
    }

    fn send_done(&mut self, link: &mut Link, out: &mut Vec<u8>) {
        if let Some(transcript) = self.transcript(link).filter(|_| !self.sent_done) {
            link.send(out, Kind::Done, |out| out.extend_from_slice(&transcript));
            self.sent_done = true;
        }
    }

    fn take_done(
        &mut self,
        body: &[u8],
        link: &mut Link,
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        let (Some(outputs), Some(transcript)) = (self.party.outputs(), self.transcript(link))
        else {
            return Err(SessionError::Order);
        };
        if body.len() != transcript.len() {
            return Err(SessionError::Frame);
        }
        if !bool::from(transcript.ct_eq(body)) {
            return Err(SessionError::Transcript);
        }
        let outcome = Outcome {
            outputs: outputs.to_vec(),
            transcript,
        };
        self.send_done(link, out);
        self.outcome = Some(outcome);
        Ok(())
    }

    fn fail(&mut self, error: SessionError, out: &mut Vec<u8>) -> SessionError {
        self.failed = true;
        self.deviation |= error.is_deviation();
        if let Some(code) = error.code() {
            self.link.send(out, Kind::Abort, |out| {
                out.extend_from_slice(&code.to_be_bytes())
            });
        }
        error
    }

    fn receive_all(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), SessionError> {
        while !bytes.is_empty() {
            if self.outcome.is_some() {
                return Err(SessionError::Order);
            }
            let mut link = core::mem::take(&mut self.link);
            let next = link.next(&mut bytes, |link, kind, body| {
                self.one_frame(kind, body, link, out)
            });
            self.link = link;
            next?;
        }
        Ok(())
    }

    const fn over(&self) -> bool {
        self.failed || self.outcome.is_some()
    }
}

impl<P: Party> Drive for Session<P> {
    fn start(&mut self, now: Millis, out: &mut Vec<u8>) {
        self.heard = Some(now);
        let hello = core::mem::take(&mut self.hello);
        self.link
            .send(out, Kind::Hello, |out| out.extend_from_slice(&hello));
        self.hello = hello;
    }

    fn receive(
        &mut self,
        now: Millis,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SessionError> {
        if self.failed {
            return Err(SessionError::Over);
        }
        self.tick(now, out)?;
        let before = self.link.frames();
        let result = self.receive_all(bytes, out);
        if self.link.frames() != before {
            self.heard = Some(now);
        }
        result.map_err(|error| self.fail(error, out))
    }

    fn produce(&mut self, now: Millis, out: &mut Vec<u8>) -> bool {
        if self.over() {
            return false;
        }
        let mut link = core::mem::take(&mut self.link);
        let more = self.party.produce(&mut link, out);
        self.link = link;
        if more {
            self.heard = Some(now);
        }
        more
    }

    fn tick(&mut self, now: Millis, out: &mut Vec<u8>) -> Result<(), SessionError> {
        if self.failed {
            return Err(SessionError::Over);
        }
        match self.deadline() {
            Some(deadline) if now > deadline => Err(self.fail(SessionError::Deadline, out)),
            _ => Ok(()),
        }
    }

    fn deadline(&self) -> Option<Millis> {
        if self.over() {
            return None;
        }
        let limit = match self.party.phase() {
            Phase::Hello => self.deadlines.hello,
            Phase::Transfer => self.deadlines.transfer,
            Phase::Tables => self.deadlines.tables,
            Phase::Outputs | Phase::Done => self.deadlines.outputs,
        };
        self.heard
            .map(|heard| Millis(heard.0.saturating_add(limit)))
    }

    fn keep_alive(&mut self, out: &mut Vec<u8>) {
        if !self.over() {
            self.link.send(out, Kind::KeepAlive, |_| {});
        }
    }

    fn cancel(&mut self, out: &mut Vec<u8>) {
        if !self.over() {
            self.fail(SessionError::Cancelled, out);
        }
    }

    fn phase(&self) -> Phase {
        self.party.phase()
    }

    fn gates(&self) -> Gates {
        self.party.gates()
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }
}
