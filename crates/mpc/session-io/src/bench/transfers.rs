//! Transfers between two threads.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use quil_ot::OtError;
use quil_ot::base::{BaseReceiver, BaseSender};
use quil_ot::block::Block;
use quil_ot::context::Context;
use quil_ot::extension::{ExtensionReceiver, ExtensionSender, MAX_CHUNK};
use quil_ot::kernel::Isa;
use quil_ot::silent::{Params, SilentReceiver, SilentSender, normalise_received, normalise_sent};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Sample, Watch, Work, text};

/// Transfers of one sample.
const COUNT: usize = 10_000_000;
/// Messages on their way.
const QUEUE: usize = 8;
const DELTA: Block = Block::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

/// One side of a pair of bounded channels.
struct Pipe {
    send: SyncSender<Vec<u8>>,
    receive: Receiver<Vec<u8>>,
}

fn pipes() -> (Pipe, Pipe) {
    let ((to_b, from_a), (to_a, from_b)) = (sync_channel(QUEUE), sync_channel(QUEUE));
    (
        Pipe {
            send: to_b,
            receive: from_b,
        },
        Pipe {
            send: to_a,
            receive: from_a,
        },
    )
}

impl Pipe {
    /// The other side gone means that it failed and says so itself.
    fn send(&self, message: Vec<u8>) -> Result<(), OtError> {
        self.send.send(message).map_err(|_| OtError::State)
    }

    fn receive(&self) -> Result<Vec<u8>, OtError> {
        self.receive.recv().map_err(|_| OtError::State)
    }
}

const CONTEXT: Context = Context::new([1; 32]);

/// Base transfers and seed trees of the side that holds the offset.
fn sender(pipe: &Pipe, rng: &mut ChaCha20Rng) -> Result<ExtensionSender, OtError> {
    let choices = ExtensionSender::base_choices(DELTA);
    let (state, message) = BaseReceiver::new(CONTEXT, choices, &pipe.receive()?, rng)?;
    pipe.send(message)?;
    let (state, message) = state.respond(&pipe.receive()?)?;
    pipe.send(message)?;
    let seeds = state.finish(&pipe.receive()?)?;
    ExtensionSender::new(CONTEXT, Isa::best(), DELTA, &seeds, &pipe.receive()?)
}

fn receiver(pipe: &Pipe, rng: &mut ChaCha20Rng) -> Result<ExtensionReceiver, OtError> {
    let (state, message) = BaseSender::new(CONTEXT, rng);
    pipe.send(message)?;
    let (state, message) = state.challenge(&pipe.receive()?)?;
    pipe.send(message)?;
    let (pairs, message) = state.open(&pipe.receive()?)?;
    pipe.send(message)?;
    let (state, message) = ExtensionReceiver::new(CONTEXT, Isa::best(), &pairs);
    pipe.send(message)?;
    Ok(state)
}

fn chunks(count: usize) -> impl Iterator<Item = usize> {
    (0..count)
        .step_by(MAX_CHUNK)
        .map(move |from| MAX_CHUNK.min(count.saturating_sub(from)))
}

fn extend_sender(
    pipe: &Pipe,
    state: &mut ExtensionSender,
    count: usize,
    keep: bool,
) -> Result<Vec<Block>, OtError> {
    let mut out = Vec::with_capacity(if keep { count } else { MAX_CHUNK });
    for chunk in chunks(count) {
        if !keep {
            out.clear();
        }
        state.extend(chunk, &pipe.receive()?, &mut out)?;
    }
    Ok(out)
}

/// With random choices; returns blocks and packed choices.
fn extend_receiver(
    pipe: &Pipe,
    state: &mut ExtensionReceiver,
    count: usize,
    keep: bool,
    rng: &mut ChaCha20Rng,
) -> Result<(Vec<Block>, Vec<Block>), OtError> {
    let mut out = Vec::with_capacity(if keep { count } else { MAX_CHUNK });
    let mut all = Vec::new();
    for chunk in chunks(count) {
        if !keep {
            out.clear();
            all.clear();
        }
        let choices: Vec<Block> = (0..chunk.div_ceil(128))
            .map(|_| Block::random(rng))
            .collect();
        let mut message = Vec::new();
        state.extend(chunk, &choices, &mut out, &mut message, rng)?;
        all.extend_from_slice(&choices);
        pipe.send(message)?;
    }
    Ok((out, all))
}

/// Runs both sides; the time is from the first common moment to the end of both.
fn both(
    first: impl FnOnce(Pipe) -> Result<Side, OtError> + Send + 'static,
    second: impl FnOnce(Pipe) -> Result<Side, OtError>,
    count: usize,
) -> Sample {
    let (a, b) = pipes();
    let other = thread::spawn(move || first(a));
    let own = second(b);
    let other = other
        .join()
        .map_err(|_| "a side panicked".to_owned())?
        .map_err(text)?;
    let own = own.map_err(text)?;
    let elapsed = other
        .end
        .max(own.end)
        .duration_since(other.begin.min(own.begin));
    Ok(Work {
        count: count as u64,
        elapsed,
        busy: other.busy.max(own.busy),
    })
}

/// When one side worked.
struct Side {
    begin: Instant,
    end: Instant,
    busy: Option<Duration>,
}

impl From<Watch> for Side {
    fn from(watch: Watch) -> Self {
        Self {
            begin: watch.begin,
            end: Instant::now(),
            busy: watch.busy(),
        }
    }
}

/// Extension of 10^7 with random choices; base transfers are before the clock.
pub(super) fn extension() -> Sample {
    both(
        |pipe| {
            let mut rng = ChaCha20Rng::from_seed([1; 32]);
            let mut state = sender(&pipe, &mut rng)?;
            let watch = Watch::start();
            extend_sender(&pipe, &mut state, COUNT, false)?;
            Ok(watch.into())
        },
        |pipe| {
            let mut rng = ChaCha20Rng::from_seed([2; 32]);
            let mut state = receiver(&pipe, &mut rng)?;
            let watch = Watch::start();
            extend_receiver(&pipe, &mut state, COUNT, false, &mut rng)?;
            Ok(watch.into())
        },
        COUNT,
    )
}

/// One bulk round from nothing: base transfers, reserve by extension, trees, check and map, all inside the clock.
pub(super) fn silent() -> Sample {
    let params = Params::BULK;
    both(
        move |pipe| {
            let watch = Watch::start();
            let mut rng = ChaCha20Rng::from_seed([1; 32]);
            let mut state = sender(&pipe, &mut rng)?;
            let mut reserve = extend_sender(&pipe, &mut state, params.reserve(), true)?;
            normalise_sent(&mut reserve);
            let mut silent = SilentSender::new(params, CONTEXT, Isa::best(), DELTA, reserve)?;
            silent.start(Block::random(&mut rng))?;
            while let Some(piece) = silent.next_piece()? {
                pipe.send(piece)?;
            }
            silent.expand()?;
            pipe.send(silent.answer(&pipe.receive()?)?)?;
            let out = silent.finish()?;
            let side = watch.into();
            drop(out);
            Ok(side)
        },
        move |pipe| {
            let watch = Watch::start();
            let mut rng = ChaCha20Rng::from_seed([2; 32]);
            let mut state = receiver(&pipe, &mut rng)?;
            let (mut reserve, choices) =
                extend_receiver(&pipe, &mut state, params.reserve(), true, &mut rng)?;
            normalise_received(&mut reserve, &choices);
            let mut silent = SilentReceiver::new(params, CONTEXT, Isa::best(), reserve)?;
            loop {
                if let Some(answer) = silent.take_piece(&pipe.receive()?)? {
                    pipe.send(answer)?;
                    break;
                }
            }
            silent.expand()?;
            let out = silent.finish(&pipe.receive()?)?;
            let side = watch.into();
            drop(out);
            Ok(side)
        },
        params.usable(),
    )
}
