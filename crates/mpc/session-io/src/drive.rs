//! Moves bytes between a session and a stream.

use std::time::{Duration, Instant};

use quil_garble::session::{Drive, Gates, Millis, Outcome, SessionError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{sleep_until, timeout};
use zeroize::Zeroizing;

use crate::key::SessionKey;
use crate::records::{End, GREETING, LENGTH, MAX_RECORD, RecordError, Records, Share};

/// Room for what arrives: several records.
const READ_BUFFER: usize = 1 << 20;
/// Most time to tell the other side why a session failed.
const FAREWELL: Duration = Duration::from_secs(2);
/// Most time to hear why the other side left.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Most time without a byte to the other side.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Most time for the greeting.
const GREETING_TIME: Duration = Duration::from_secs(30);

/// Why a run gave no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The stream failed.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The other side closed the stream before the end.
    #[error("the other side closed the connection")]
    Closed,
    /// Greeting or records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No greeting in time.
    #[error("no greeting in time")]
    Greeting,
}

/// How plain bytes travel.
enum Layer {
    Plain,
    Sealed(Box<Records>),
}

impl Layer {
    /// Bytes in front of the plain ones that a record needs.
    const fn reserve(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Sealed(_) => LENGTH,
        }
    }

    /// Moves everything from `plain` to `wire`; where it lies, if the wire is free and one record holds it.
    fn seal(&mut self, plain: &mut Outbox, wire: &mut Vec<u8>) -> Result<(), RecordError> {
        if plain.is_empty() {
            return Ok(());
        }
        let whole = wire.is_empty() && plain.bytes().len() <= MAX_RECORD;
        match self {
            Self::Plain if wire.is_empty() => core::mem::swap(&mut plain.buffer, wire),
            Self::Plain => wire.extend_from_slice(plain.bytes()),
            Self::Sealed(records) if whole => {
                records.seal_in_place(&mut plain.buffer)?;
                core::mem::swap(&mut plain.buffer, wire);
            }
            Self::Sealed(records) => records.seal(plain.bytes(), wire)?,
        }
        plain.clear();
        Ok(())
    }

    /// Gives the session what is complete of `bytes`; says how many bytes that took.
    fn open(
        &mut self,
        bytes: &mut [u8],
        session: &mut impl Drive,
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Result<usize, RunError> {
        let Self::Sealed(records) = self else {
            session.receive(now, bytes, out)?;
            return Ok(bytes.len());
        };
        let mut at = 0_usize;
        while let Some((plain, taken)) = records.open(bytes.get_mut(at..).unwrap_or_default())? {
            session.receive(now, plain, out)?;
            at = at.saturating_add(taken);
        }
        Ok(at)
    }
}

/// What the session wants to send, behind room for the start of a record.
struct Outbox {
    buffer: Vec<u8>,
    reserve: usize,
}

impl Outbox {
    fn new(reserve: usize) -> Self {
        Self {
            buffer: vec![0; reserve],
            reserve,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(self.reserve..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.resize(self.reserve, 0);
    }
}

/// What arrived and is not used yet.
struct Inbox {
    buffer: Vec<u8>,
    filled: usize,
}

impl Inbox {
    fn new() -> Self {
        Self {
            buffer: vec![0; READ_BUFFER],
            filled: 0,
        }
    }

    fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    fn bytes(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..self.filled).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.buffer
            .copy_within(count.min(self.filled)..self.filled, 0);
        self.filled = self.filled.saturating_sub(count);
    }
}

/// Runs a session over a stream that is already authenticated and encrypted. `observe` hears of progress after every
/// piece of work. Not cancel safe: a dropped future leaves the other side waiting for its deadline. Steps take up to some
/// milliseconds of processor time; give the run its own thread or runtime when others share it.
///
/// # Errors
/// The stream or the session failed; the other side was told where possible.
pub async fn run_plain<S, D>(
    session: &mut D,
    stream: S,
    observe: impl FnMut(Gates),
) -> Result<Outcome, RunError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Drive,
{
    run(session, stream, Layer::Plain, observe).await
}

/// Like [`run_plain`] over any stream: agrees on keys with the other holder of `key` first, then encrypts everything.
///
/// # Errors
/// As [`run_plain`], and when the other side does not have the key.
pub async fn run_sealed<S, D>(
    session: &mut D,
    mut stream: S,
    key: &SessionKey,
    end: End,
    observe: impl FnMut(Gates),
) -> Result<Outcome, RunError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Drive,
{
    let mut secret = Zeroizing::new([0_u8; 32]);
    getrandom::fill(secret.as_mut()).map_err(std::io::Error::other)?;
    let share = Share::new(secret);
    let greet = async {
        stream.write_all(&share.greeting()).await?;
        stream.flush().await?;
        let mut greeting = [0_u8; GREETING];
        stream.read_exact(&mut greeting).await?;
        Ok::<_, RunError>(share.agree(key, end, &greeting)?)
    };
    let records = timeout(GREETING_TIME, greet)
        .await
        .map_err(|_| RunError::Greeting)??;
    run(session, stream, Layer::Sealed(Box::new(records)), observe).await
}

async fn run<S, D>(
    session: &mut D,
    stream: S,
    layer: Layer,
    observe: impl FnMut(Gates),
) -> Result<Outcome, RunError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Drive,
{
    let mut pump = Pump::new(stream, layer);
    let result = pump.drive(session, observe).await;
    pump.finish(session, result).await
}

/// A stream and what is on its way in both directions.
struct Pump<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    layer: Layer,
    inbox: Inbox,
    /// What the session wants to send.
    plain: Outbox,
    /// The same as records, and how much of it is sent.
    wire: Vec<u8>,
    sent: usize,
    begin: Instant,
    last_sent: Instant,
    keep_alive: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pump<S> {
    fn new(stream: S, layer: Layer) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let begin = Instant::now();
        Self {
            reader,
            writer,
            plain: Outbox::new(layer.reserve()),
            layer,
            inbox: Inbox::new(),
            wire: Vec::new(),
            sent: 0,
            begin,
            last_sent: begin,
            keep_alive: KEEP_ALIVE,
        }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Until both parties are done and everything is sent.
    async fn drive<D: Drive>(
        &mut self,
        session: &mut D,
        mut observe: impl FnMut(Gates),
    ) -> Result<Outcome, RunError> {
        session.start(self.now(), &mut self.plain.buffer);
        loop {
            if self.sent >= self.wire.len() {
                self.wire.clear();
                self.sent = 0;
                if self.plain.is_empty() {
                    session.produce(self.now(), &mut self.plain.buffer);
                    observe(session.gates());
                }
                self.layer.seal(&mut self.plain, &mut self.wire)?;
            }
            if let Some(outcome) = session.outcome().filter(|_| self.wire.is_empty()) {
                return Ok(outcome.clone());
            }
            self.step(session).await?;
            observe(session.gates());
        }
    }

    /// Sends something, takes something in, or notices that time is up.
    async fn step<D: Drive>(&mut self, session: &mut D) -> Result<(), RunError> {
        let due = session
            .deadline()
            .map_or(0, |deadline| deadline.0.saturating_add(1));
        let due = self.begin + Duration::from_millis(due);
        let due = due.min(self.last_sent + self.keep_alive).into();
        let open = session.outcome().is_none();
        tokio::select! {
            biased;
            count = self.writer.write(self.wire.get(self.sent..).unwrap_or_default()), if !self.wire.is_empty() => {
                match count? {
                    0 => return Err(RunError::Closed),
                    count => self.sent = self.sent.saturating_add(count),
                }
                self.last_sent = Instant::now();
            }
            count = self.reader.read(self.inbox.room()), if open => {
                match count? {
                    0 => return Err(RunError::Closed),
                    count => self.inbox.filled = self.inbox.filled.saturating_add(count),
                }
                self.take_in(session)?;
            }
            () = sleep_until(due), if open => self.wake(session)?,
        }
        Ok(())
    }

    /// Nothing happened for a while: a deadline passed, or it is time for a sign of life.
    fn wake<D: Drive>(&mut self, session: &mut D) -> Result<(), RunError> {
        session.tick(self.now(), &mut self.plain.buffer)?;
        if self.last_sent.elapsed() >= self.keep_alive {
            session.keep_alive(&mut self.plain.buffer);
            self.last_sent = Instant::now();
        }
        Ok(())
    }

    fn take_in<D: Drive>(&mut self, session: &mut D) -> Result<(), RunError> {
        let now = self.now();
        let taken = self
            .layer
            .open(self.inbox.bytes(), session, now, &mut self.plain.buffer)?;
        self.inbox.consume(taken);
        Ok(())
    }

    /// Tells the other side why the session failed, or finds out why the other side left.
    async fn finish<D: Drive>(
        mut self,
        session: &mut D,
        mut result: Result<Outcome, RunError>,
    ) -> Result<Outcome, RunError> {
        if let Err(RunError::Io(_)) = result {
            let last = timeout(LAST_WORDS, self.reader.read(self.inbox.room())).await;
            let count = last.ok().and_then(Result::ok).unwrap_or(0);
            self.inbox.filled = self.inbox.filled.saturating_add(count);
            if let Err(RunError::Session(reason)) = self.take_in(session) {
                result = Err(RunError::Session(reason));
            }
        } else if result.is_err() && self.layer.seal(&mut self.plain, &mut self.wire).is_ok() {
            let rest = self.wire.get(self.sent..).unwrap_or_default();
            // Best effort: the error that ended the session is what counts.
            let _ = timeout(FAREWELL, self.writer.write_all(rest)).await;
        }
        let _ = timeout(FAREWELL, self.writer.shutdown()).await;
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quil_garble::Plan;
    use quil_garble::bench::gates;
    use quil_garble::session::{Agreement, EvaluatorSession, Kind, Setup};
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[tokio::test]
    async fn waiting_side_gives_signs_of_life() {
        let plan = Plan::new(&gates::ands(1).unwrap()).unwrap();
        let agreement = Agreement {
            rendezvous: [1; 32],
            code_address: [0; 32],
        };
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let setup = Setup::new(Arc::new(plan), agreement);
        let mut session = EvaluatorSession::evaluator(setup, &[true; 64], &mut rng).unwrap();
        let (near, mut far) = tokio::io::duplex(1 << 12);
        let mut pump = Pump::new(near, Layer::Plain);
        pump.keep_alive = Duration::from_millis(15);
        let listen = async {
            let mut hello = [0; 198];
            far.read_exact(&mut hello).await.unwrap();
            assert_eq!(hello[0], Kind::Hello as u8);
            for _ in 0..2 {
                let mut frame = [0; 5];
                far.read_exact(&mut frame).await.unwrap();
                assert_eq!(frame, [Kind::KeepAlive as u8, 0, 0, 0, 0]);
            }
            drop(far);
        };
        let (end, ()) = tokio::join!(pump.drive(&mut session, |_| {}), listen);
        assert!(matches!(end, Err(RunError::Closed)));
    }
}
