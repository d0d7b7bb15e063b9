//! `garble` and `evaluate`: one party in this process, the other over TCP.

use core::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use quil_client::Document;
use quil_garble::session::{Drive, EvaluatorSession, GarblerSession, Outcome, Phase, Role};
use quil_session_io::{End, RecordError, RunError, SessionKey, run_sealed};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use crate::error::PartyError;
use crate::input::{bits_of, read_value};
use crate::local::{runtime, seeded, setup};
use crate::program::{Program, Sizes};
use crate::progress::{Meter, Say};
use crate::report::{about, output_of, with_value, with_work};
use crate::stop::{Stop, Stoppable};

/// Schema of the report.
const SCHEMA: &str = "quil.compute.result/1";
/// Time between two attempts to connect.
const RETRY: Duration = Duration::from_millis(200);
/// Most time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);

/// One party's side of a run.
#[derive(Clone)]
pub struct PeerRun {
    /// Source or circuit.
    pub file: PathBuf,
    /// Sizes of open types.
    pub sizes: Sizes,
    /// This party's input: JSON, or `@` and a file.
    pub input: Zeroizing<String>,
    /// The session key: 64 hexadecimal digits, or `@` and a file.
    pub key: Zeroizing<String>,
    /// `HOST:PORT` to listen on, or to connect to.
    pub address: String,
    /// How long to wait for the other party.
    pub wait: Duration,
}

impl fmt::Debug for PeerRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PeerRun");
        shown
            .field("file", &self.file)
            .field("address", &self.address);
        shown.finish_non_exhaustive()
    }
}

/// Everything of a run that needs no peer.
struct Ready<S> {
    program: Program,
    key: SessionKey,
    session: S,
}

impl PeerRun {
    fn ready<S>(
        &self,
        role: Role,
        say: &Say<'_>,
        session: impl Fn(&Program, &[bool]) -> Result<S, PartyError>,
    ) -> Result<Ready<S>, PartyError> {
        let key = SessionKey::parse(&self.key)?;
        let value = read_value(role, &self.input)?;
        let port = self.address.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(PartyError::Address(self.address.clone()));
        }
        let program = Program::read(&self.file, &self.sizes, say)?;
        let bits = bits_of(program.circuit(), role, &value)?;
        let session = session(&program, &bits)?;
        Ok(Ready {
            program,
            key,
            session,
        })
    }
}

/// Garbles: waits for the evaluator, runs the session, reports what this party learns.
///
/// # Errors
/// Something given is wrong, nobody came, or the session failed.
pub fn garble(run: &PeerRun, stop: &Stop, say: &Say<'_>) -> Result<Document, PartyError> {
    let ready = run.ready(Role::Garbler, say, |program, bits| {
        let setup = setup(program.circuit())?;
        let session = GarblerSession::garbler(setup, bits, &mut seeded()?);
        Ok(Stoppable::new(
            session.map_err(PartyError::Session)?,
            stop.clone(),
        ))
    })?;
    let Ready {
        program,
        key,
        mut session,
    } = ready;
    let done = runtime()?.block_on(async {
        let listener = bind(&run.address).await?;
        let shown = listener.local_addr().map_err(PartyError::System)?;
        say(&format!("listening on {shown}"));
        let begin = Instant::now();
        loop {
            let left = run.wait.saturating_sub(begin.elapsed());
            let (stream, peer) = accept(&listener, shown, left, run.wait).await?;
            say(&format!("{peer} connected"));
            let done = talk(&mut session, stream, peer, (&key, End::Listening), say).await;
            match done {
                Err(error) if is_foreign(&error) => say(&format!("{peer} ignored: {error}")),
                done => return done,
            }
        }
    })?;
    Ok(done.report(&program, Role::Garbler))
}

/// Evaluates: looks for the garbler, runs the session, reports what this party learns.
///
/// # Errors
/// Something given is wrong, nobody is there, or the session failed.
pub fn evaluate(run: &PeerRun, stop: &Stop, say: &Say<'_>) -> Result<Document, PartyError> {
    let ready = run.ready(Role::Evaluator, say, |program, bits| {
        let setup = setup(program.circuit())?;
        let session = EvaluatorSession::evaluator(setup, bits, &mut seeded()?);
        Ok(Stoppable::new(
            session.map_err(PartyError::Session)?,
            stop.clone(),
        ))
    })?;
    let Ready {
        program,
        key,
        mut session,
    } = ready;
    let done = runtime()?.block_on(async {
        let stream = connect(&run.address, run.wait, say).await?;
        let peer = stream.peer_addr().map_err(PartyError::System)?;
        say(&format!("connected to {peer}"));
        talk(&mut session, stream, peer, (&key, End::Connecting), say).await
    })?;
    Ok(done.report(&program, Role::Evaluator))
}

async fn bind(address: &str) -> Result<TcpListener, PartyError> {
    let failed = |source| PartyError::Listen {
        address: address.to_owned(),
        source,
    };
    TcpListener::bind(address).await.map_err(failed)
}

async fn accept(
    listener: &TcpListener,
    address: SocketAddr,
    left: Duration,
    waited: Duration,
) -> Result<(TcpStream, SocketAddr), PartyError> {
    let nobody = |_| PartyError::NoPeer {
        address: address.to_string(),
        waited,
    };
    let accepted = timeout(left, listener.accept()).await.map_err(nobody)?;
    accepted.map_err(PartyError::System)
}

/// Tries until somebody listens there or the time is over.
async fn connect(address: &str, wait: Duration, say: &Say<'_>) -> Result<TcpStream, PartyError> {
    let begin = Instant::now();
    let mut told = false;
    loop {
        let attempt = timeout(ATTEMPT, TcpStream::connect(address)).await;
        let source = match attempt {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(source)) => source,
            Err(_) => std::io::ErrorKind::TimedOut.into(),
        };
        if begin.elapsed() >= wait {
            return Err(PartyError::Unreachable {
                address: address.to_owned(),
                waited: wait,
                source,
            });
        }
        if !told {
            say(&format!("waiting for {address}: {source}"));
            told = true;
        }
        sleep(RETRY.min(wait)).await;
    }
}

/// What did not speak the protocol at all: not the party that is awaited.
fn is_foreign(error: &PartyError) -> bool {
    let PartyError::Run { source, .. } = error else {
        return false;
    };
    matches!(
        **source,
        RunError::Greeting | RunError::Record(RecordError::Tag | RecordError::Share)
    )
}

/// A finished session.
struct Done {
    outcome: Outcome,
    peer: SocketAddr,
    session: Duration,
    gates: Duration,
}

async fn talk<D: Drive>(
    session: &mut Stoppable<D>,
    stream: TcpStream,
    peer: SocketAddr,
    (key, end): (&SessionKey, End),
    say: &Say<'_>,
) -> Result<Done, PartyError> {
    stream.set_nodelay(true).map_err(PartyError::System)?;
    let verb = match end {
        End::Listening => "garbled",
        End::Connecting => "evaluated",
    };
    let begin = Instant::now();
    let mut meter = Meter::new(verb, say);
    let observe = |gates| meter.observe(gates);
    let result = run_sealed(session, stream, key, end, observe).await;
    let failed = |error| PartyError::run(error, session.phase() != Phase::Hello);
    Ok(Done {
        outcome: result.map_err(failed)?,
        peer,
        session: begin.elapsed(),
        gates: meter.elapsed(),
    })
}

impl Done {
    fn report(&self, program: &Program, role: Role) -> Document {
        let circuit = program.circuit();
        let name = match role {
            Role::Garbler => "garbler",
            Role::Evaluator => "evaluator",
        };
        let document = about(SCHEMA, program)
            .with("role", name)
            .with("peer", self.peer.to_string());
        let output = output_of(circuit, role, &self.outcome);
        let document = with_value(document, "output", output)
            .with_detail("transcript", hex::encode(self.outcome.transcript));
        with_work(document, circuit.stats().and, self.session, self.gates)
    }
}
