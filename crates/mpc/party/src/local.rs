//! `local`: both parties in this process, over the real protocol.

use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use quil_client::Document;
use quil_garble::Plan;
use quil_garble::session::{
    Agreement, Drive, EvaluatorSession, GarblerSession, Outcome, Phase, Role, SessionError, Setup,
};
use quil_qcl::circuit::Circuit;
use quil_session_io::{RunError, run_plain};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use crate::error::PartyError;
use crate::input::{bits_of, read_value};
use crate::program::{Program, Sizes};
use crate::progress::{Meter, Say};
use crate::report::{about, output_of, with_value, with_work};
use crate::stop::{Stop, Stoppable};

/// Schema of the report.
const SCHEMA: &str = "quil.compute.local/1";
/// Bytes on their way between the parties: some frames of tables.
const PIPE: usize = 1 << 19;

/// A program and both inputs.
#[derive(Clone)]
pub struct LocalRun {
    /// Source or circuit.
    pub file: PathBuf,
    /// Sizes of open types.
    pub sizes: Sizes,
    /// The garbler's input: JSON, or `@` and a file.
    pub garbler: Zeroizing<String>,
    /// The evaluator's.
    pub evaluator: Zeroizing<String>,
}

impl fmt::Debug for LocalRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LocalRun");
        shown.field("file", &self.file).finish_non_exhaustive()
    }
}

/// What both sides of a session are set up with. There is no registry of code yet, and no meeting place: the channel, or
/// its key, names the meeting, and the nonces of both parties make it fresh.
pub(crate) fn setup(circuit: &Circuit) -> Result<Setup, PartyError> {
    let agreement = Agreement {
        rendezvous: [0; 32],
        code_address: [0; 32],
    };
    Ok(Setup::new(Arc::new(Plan::new(circuit)?), agreement))
}

pub(crate) fn seeded() -> Result<ChaCha20Rng, PartyError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut()).map_err(|e| PartyError::System(std::io::Error::other(e)))?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

pub(crate) fn runtime() -> Result<Runtime, PartyError> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(PartyError::System)
}

/// Runs both parties, each on a thread of its own; reports what each learns.
///
/// # Errors
/// The program or an input is wrong, the run was stopped, or the machine failed.
pub fn local(run: &LocalRun, stop: &Stop, say: &Say<'_>) -> Result<Document, PartyError> {
    let inputs = [
        read_value(Role::Garbler, &run.garbler)?,
        read_value(Role::Evaluator, &run.evaluator)?,
    ];
    let program = Program::read(&run.file, &run.sizes, say)?;
    let circuit = program.circuit();
    let setup = setup(circuit)?;
    let [garbler, evaluator] = &inputs;
    let garbler = bits_of(circuit, Role::Garbler, garbler)?;
    let evaluator = bits_of(circuit, Role::Evaluator, evaluator)?;
    let garbler = GarblerSession::garbler(setup.clone(), &garbler, &mut seeded()?)
        .map_err(PartyError::Session)?;
    let evaluator = EvaluatorSession::evaluator(setup, &evaluator, &mut seeded()?)
        .map_err(PartyError::Session)?;

    let mut meter = Meter::new("evaluated", say);
    let begin = Instant::now();
    let outcomes = both(garbler, evaluator, stop, &mut meter)?;
    let (session, gates) = (begin.elapsed(), meter.elapsed());
    let mut document = about(SCHEMA, &program);
    for (role, name, outcome) in [
        (Role::Garbler, "garbler", &outcomes[0]),
        (Role::Evaluator, "evaluator", &outcomes[1]),
    ] {
        document = with_value(document, name, output_of(circuit, role, outcome));
    }
    Ok(with_work(document, circuit.stats().and, session, gates))
}

fn both(
    garbler: GarblerSession,
    evaluator: EvaluatorSession,
    stop: &Stop,
    meter: &mut Meter<'_>,
) -> Result<[Outcome; 2], PartyError> {
    let (left, right) = duplex(PIPE);
    let (own, other) = thread::scope(|scope| {
        let stop_garbler = stop.clone();
        let thread = scope.spawn(move || {
            let session = Stoppable::new(garbler, stop_garbler);
            side(session, left, &mut Meter::new("garbled", &|_| {}))
        });
        let own = side(Stoppable::new(evaluator, stop.clone()), right, meter);
        (own, thread.join())
    });
    let other = other.map_err(|_| PartyError::Ended)?;
    match (other, own) {
        (Ok(first), Ok(second)) => Ok([first, second]),
        (Err(first), Err(second)) => Err(if is_echo(&first) { second } else { first }),
        (Err(only), _) | (_, Err(only)) => Err(only),
    }
}

fn side<D: Drive>(
    mut session: Stoppable<D>,
    stream: DuplexStream,
    meter: &mut Meter<'_>,
) -> Result<Outcome, PartyError> {
    let run = run_plain(&mut session, stream, |gates| meter.observe(gates));
    let result = runtime()?.block_on(run);
    result.map_err(|error| PartyError::run(error, session.phase() != Phase::Hello))
}

/// This side only heard of the end.
fn is_echo(error: &PartyError) -> bool {
    let PartyError::Run { source, .. } = error else {
        return false;
    };
    matches!(
        **source,
        RunError::Closed | RunError::Io(_) | RunError::Session(SessionError::Peer(_))
    )
}
