//! Whole sessions over encrypted loopback TCP.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use quil_garble::Plan;
use quil_garble::bench::{aes, gates};
use quil_garble::session::{Agreement, EvaluatorSession, GarblerSession, Gates, Setup};
use quil_qcl::circuit::{Circuit, Recipients};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::memory::peak_of;
use super::{Sample, Watch, Work, text};
use crate::{SessionKey, connect, listen};

/// Blocks of the AES load.
const BLOCKS: u32 = 10_000;

/// Time from the connection to the first evaluated gate, and to the end.
struct Times {
    first: Duration,
    all: Duration,
    /// Processor time of the busier party.
    busy: Option<Duration>,
    ands: u64,
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(text)
}

fn session(circuit: &Circuit) -> Result<Times, String> {
    let plan = Arc::new(Plan::new(circuit).map_err(text)?);
    let [garbler, evaluator] = plan.widths();
    let ands = plan.ands();
    let setup = Setup::new(
        plan,
        Agreement {
            rendezvous: [1; 32],
            code_address: [0; 32],
        },
    );
    let key = SessionKey::new([5; 32]);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(text)?;
    listener.set_nonblocking(true).map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    let (other_setup, other_key) = (setup.clone(), key.clone());
    let other = thread::spawn(move || {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let mut session =
            EvaluatorSession::evaluator(other_setup, &vec![true; evaluator], &mut rng)
                .map_err(text)?;
        let (watch, begin, mut first) = (Watch::start(), Instant::now(), None);
        let observe = |gates: Gates| {
            if gates.done > 0 && first.is_none() {
                first = Some(begin.elapsed());
            }
        };
        runtime()?
            .block_on(connect(&mut session, address, &other_key, observe))
            .map_err(text)?;
        let all = begin.elapsed();
        Ok::<_, String>(Times {
            first: first.unwrap_or(all),
            all,
            busy: watch.busy(),
            ands,
        })
    });
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut own = GarblerSession::garbler(setup, &vec![false; garbler], &mut rng).map_err(text)?;
    let run = async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(text)?;
        listen(&mut own, &listener, &key, |_| {})
            .await
            .map_err(text)
    };
    let watch = Watch::start();
    runtime()?.block_on(run)?;
    let busy = watch.busy();
    let times = other.join().map_err(|_| "a side panicked".to_owned())??;
    Ok(Times {
        busy: times.busy.max(busy),
        ..times
    })
}

/// AES-128 under an expanded key, 10,000 blocks in a chain.
pub(super) fn ands() -> Sample {
    let circuit = aes::aes128(Recipients::BOTH)
        .and_then(|circuit| circuit.iterate(BLOCKS))
        .map_err(text)?;
    let times = session(&circuit)?;
    Ok(Work {
        count: times.ands,
        elapsed: times.all,
        busy: times.busy,
    })
}

/// 64 input bits of each party: connection, keys, handshake and transfers until the first gate is evaluated.
pub(super) fn setup() -> Sample {
    let times = session(&gates::ands(1).map_err(text)?)?;
    Ok(Work {
        count: 1,
        elapsed: times.first,
        busy: None,
    })
}

/// Largest resident memory of the process with both parties of [`setup`]: neither can have more.
pub(super) fn setup_memory() -> Result<u64, String> {
    peak_of(setup)
}
