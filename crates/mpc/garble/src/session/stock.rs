//! A session that makes a stock of correlations for sessions to come.
//!
//! | step | garbler | | evaluator |
//! |---|---|---|---|
//! | hello, transfers of the base | as in any session, under an offset of the stock | | |
//! | extension | | from | OT-EXTENSION: random choices .. |
//! | small stocks | OT-STOCK: empty, the check passed | to | |
//! | large stocks, per round | OT-STOCK: trees .. | to | |
//! | | | from | OT-STOCK: answer |
//! | | OT-STOCK: digest | to | |
//! | done | DONE(transcript) | both | DONE(transcript) |
//!
//! The evaluator's choices are random; a session that uses the stock moves them to its inputs.

mod evaluator;
mod garbler;

use quil_ot::context::Context;
use quil_ot::extension::MAX_CHUNK;
use quil_ot::kernel::Isa;
use quil_ot::silent::Params;
use quil_ot::stock::{Method, method_for};
use rand_core::CryptoRng;

use super::error::SessionError;
use super::hello::{Agreement, Subject};
use super::{Deadlines, Session, private_rng};

pub use evaluator::StockEvaluatorParty;
pub use garbler::StockGarblerParty;

/// Most correlations of one stock (16 bytes each on either side).
pub const MAX_STOCK: usize = 1 << 24;

/// How many correlations to make, and how. Both parties need the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockOrder {
    /// Transfers of the extension: the stock itself, or what silent rounds start from.
    extension: usize,
    silent: Option<Silent>,
}

/// Silent rounds of a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Silent {
    params: Params,
    rounds: usize,
}

impl StockOrder {
    /// At least `count` correlations, by the cheaper method: extension, or from [`quil_ot::stock::SILENT_FROM`] on whole
    /// silent rounds.
    ///
    /// # Errors
    /// [`SessionError::StockSize`] for none or more than [`MAX_STOCK`].
    pub const fn new(count: usize) -> Result<Self, SessionError> {
        match method_for(count) {
            _ if count == 0 || count > MAX_STOCK => Err(SessionError::StockSize(count)),
            Method::Extension => Ok(Self {
                extension: count,
                silent: None,
            }),
            Method::Silent => Self::silent(Params::BULK, count.div_ceil(Params::BULK.usable())),
        }
    }

    /// Silent rounds with these parameters. Use [`StockOrder::new`] unless another set of parameters is wanted.
    ///
    /// # Errors
    /// [`SessionError::StockSize`] for no round or more than two times [`MAX_STOCK`].
    pub const fn silent(params: Params, rounds: usize) -> Result<Self, SessionError> {
        let total = params.usable().saturating_mul(rounds);
        if total == 0 || total > 2 * MAX_STOCK {
            return Err(SessionError::StockSize(total));
        }
        Ok(Self {
            extension: params.reserve(),
            silent: Some(Silent { params, rounds }),
        })
    }

    /// Correlations of the stock.
    #[must_use]
    pub const fn total(&self) -> usize {
        match &self.silent {
            Some(Silent { params, rounds }) => params.usable().saturating_mul(*rounds),
            None => self.extension,
        }
    }

    /// Transfers of the next message of the extension, with this many done.
    fn chunk(&self, done: usize) -> usize {
        self.extension.saturating_sub(done).min(MAX_CHUNK)
    }

    /// What takes the place of the circuit in the handshake.
    fn subject(&self) -> Subject {
        let mut bytes = Vec::new();
        let silent = self.silent.as_ref();
        let params = silent.map_or([0; 4], |s| {
            [s.params.trees, s.params.depth, s.params.inputs, s.rounds]
        });
        for number in [self.extension].into_iter().chain(params) {
            bytes.extend_from_slice(&(number as u64).to_be_bytes());
        }
        Subject {
            code_id: blake3::derive_key("quil correlation stock v1", &bytes),
            widths: [0, 0],
        }
    }
}

/// What a stock session is set up with, the same on both sides but for the deadlines.
#[derive(Debug, Clone)]
pub struct StockSetup {
    /// What to make.
    pub order: StockOrder,
    /// What both parties agreed on; there is no code, so its address is zero.
    pub agreement: Agreement,
    /// Time limits of this side.
    pub deadlines: Deadlines,
    /// Instructions to use.
    pub isa: Isa,
}

impl StockSetup {
    /// Default deadlines, fastest instructions.
    #[must_use]
    pub fn new(order: StockOrder, agreement: Agreement) -> Self {
        Self {
            order,
            agreement,
            deadlines: Deadlines::default(),
            isa: Isa::best(),
        }
    }
}

/// Context of the stock: the session that made it.
fn stock_context(session: &Context) -> Context {
    session.child("stock", 0)
}

/// The side that will garble; after its end [`Session::into_stock`] gives its half.
pub type StockGarblerSession = Session<StockGarblerParty>;
/// The side that will evaluate; after its end [`Session::into_stock`] gives its half.
pub type StockEvaluatorSession = Session<StockEvaluatorParty>;

impl StockGarblerSession {
    /// The side that will garble.
    pub fn stock_garbler(setup: &StockSetup, rng: &mut impl CryptoRng) -> Self {
        let (private, nonce) = private_rng(rng);
        let party = StockGarblerParty::new(setup, private);
        let subject = setup.order.subject();
        Self::new(party, &setup.agreement, &subject, setup.deadlines, &nonce)
    }
}

impl StockEvaluatorSession {
    /// The side that will evaluate.
    pub fn stock_evaluator(setup: &StockSetup, rng: &mut impl CryptoRng) -> Self {
        let (private, nonce) = private_rng(rng);
        let party = StockEvaluatorParty::new(setup, private);
        let subject = setup.order.subject();
        Self::new(party, &setup.agreement, &subject, setup.deadlines, &nonce)
    }
}
