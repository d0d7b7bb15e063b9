//! How much computing a transfer costs a network, by engine and kind of work.
//!
//! `load [nodes] [transfers] [interval_ms] [ms between submissions]`; with `RAYON_NUM_THREADS=1` times are CPU times. Links and disks are
//! simulated and consensus signatures are keyed hashes, so what is measured is everything else: checking, building,
//! executing, committing, encoding, handling.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use quil_engine::io::SubmitError;
use quil_execution::wallet::{BuiltTransfer, OwnedCoin};
use quil_sim::{Authority, EngineId, Observation, Person, SimGenesis, SimNet};
use quil_types::Canonical as _;

/// Coins made by one splitting transfer.
const PARTS: usize = 15;
/// Value of a coin that is spent later.
const COIN: u64 = 1_000_000;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn arg<T: std::str::FromStr>(at: usize, default: T) -> T {
    let given = std::env::args().nth(at).and_then(|a| a.parse().ok());
    given.unwrap_or(default)
}

/// Coins of a person that are worth spending.
fn coins(net: &SimNet, person: &Person, least: u64) -> Vec<OwnedCoin> {
    let all = person.coins(net).into_iter();
    all.filter(|c| c.amount() >= least).collect()
}

fn prepare(
    net: &mut SimNet,
    authority: &mut Authority,
    alice: &mut Person,
    n: usize,
) -> Fallible<()> {
    let splits = n.div_ceil(PARTS);
    let grain = COIN.saturating_mul(20);
    for _ in 0..splits.div_ceil(PARTS) {
        let mint = authority.mint(net, alice, grain.saturating_mul(20))?;
        net.submit(0, &mint.bundle);
    }
    wait(net, |net| {
        coins(net, alice, grain).len() >= splits.div_ceil(PARTS)
    })?;
    for coin in coins(net, alice, grain) {
        let split = alice.split(net, &coin, PARTS, grain)?;
        net.submit(0, &split.bundle);
    }
    wait(net, |net| coins(net, alice, grain).len() >= splits)?;
    for coin in coins(net, alice, grain).iter().take(splits) {
        let split = alice.split(net, coin, PARTS, COIN)?;
        net.submit(0, &split.bundle);
    }
    wait(net, |net| coins(net, alice, COIN).len() >= n)
}

fn wait(net: &mut SimNet, done: impl Fn(&SimNet) -> bool) -> Fallible<()> {
    for _ in 0..60 {
        if done(net) {
            return Ok(());
        }
        net.run_until(1_000, |_| false);
    }
    Err("not final within a minute".into())
}

fn executed(net: &SimNet, txs: &[BuiltTransfer]) -> bool {
    let worker = EngineId { node: 0, core: 1 };
    txs.iter().all(|t| net.transaction(worker, t.tx).is_some())
}

fn refused(net: &SimNet) -> Vec<SubmitError> {
    let answers = net.observations().iter();
    let error = |o: &Observation| match o {
        Observation::Answer(_, Err(e)) => Some(*e),
        _ => None,
    };
    answers.filter_map(error).collect()
}

/// What the measured part took.
struct Measured {
    transfers: usize,
    nodes: u16,
    bytes: usize,
    virtual_ms: u64,
    proving: Duration,
    real: Duration,
}

fn measure(
    net: &mut SimNet,
    alice: &mut Person,
    bob: &Person,
    load: (u16, usize, u64),
) -> Fallible<Measured> {
    let (nodes, n, pause_ms) = load;
    let mine = coins(net, alice, COIN);
    let mine = mine.iter().filter(|c| c.amount() < COIN.saturating_mul(2));
    let start = Instant::now();
    let built: Result<Vec<_>, _> = mine
        .take(n)
        .map(|c| alice.spend(net, c, bob.address(), 1_000))
        .collect();
    let (built, proving) = (built?, start.elapsed());
    net.reset_costs();
    let (began, from) = (Instant::now(), net.now_ms());
    for (i, tx) in built.iter().enumerate() {
        net.submit(u16::try_from(i % usize::from(nodes))?, &tx.bundle);
        net.run_until(pause_ms, |_| pause_ms == 0);
    }
    if !net.run_until(600_000, |net| executed(net, &built)) {
        return Err(format!("not all final; refused: {:?}", refused(net)).into());
    }
    Ok(Measured {
        transfers: n,
        nodes,
        bytes: built.first().map_or(0, |t| t.bundle.encode().len()),
        virtual_ms: net.now_ms() - from,
        proving,
        real: began.elapsed(),
    })
}

fn report(net: &SimNet, m: &Measured) -> Fallible<()> {
    let mut out = std::io::stdout();
    let each = |d: Duration| d.as_secs_f64() * 1e3 / m.transfers as f64;
    let own = |d: Duration| each(d) / f64::from(m.nodes);
    writeln!(
        out,
        "{} transfers of {} bytes, {} nodes, final after {} virtual ms",
        m.transfers, m.bytes, m.nodes, m.virtual_ms
    )?;
    writeln!(
        out,
        "{:.1} ms each for the sender, {:.2} ms each for all engines together",
        each(m.proving),
        each(m.real)
    )?;
    writeln!(
        out,
        "core  work              count      total ms   ms per transfer and node"
    )?;
    for (core, group, label, count, time) in net.costs().iter() {
        let (total, own) = (time.as_secs_f64() * 1e3, own(time));
        let work = format!("{group} {label}");
        writeln!(
            out,
            "{core:>4}  {work:<20} {count:>6} {total:>10.1} {own:>10.3}"
        )?;
    }
    for core in 0..2 {
        let total = own(net.costs().total(core));
        writeln!(out, "core {core}: {total:.2} ms per transfer and node")?;
    }
    Ok(())
}

fn main() -> Fallible<()> {
    let (nodes, n, interval_ms) = (arg(1, 4u16), arg(2, 120usize), arg(3, 1_000u64));
    let pause_ms = arg(4, 0u64);
    let mut authority = Authority::new(1);
    let choice = SimGenesis {
        nodes,
        interval_ms,
        epoch_frames: 1 << 20,
        authority: authority.public(),
    };
    let mut net = SimNet::with(42, &choice);
    let (mut alice, bob) = (Person::new(2)?, Person::new(3)?);
    wait(&mut net, |n| n.final_number_everywhere() >= 1)?;
    prepare(&mut net, &mut authority, &mut alice, n)?;
    let measured = measure(&mut net, &mut alice, &bob, (nodes, n, pause_ms))?;
    net.check_agreement();
    report(&net, &measured)
}
