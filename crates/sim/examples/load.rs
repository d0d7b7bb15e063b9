//! How much computing a transfer costs a network, by engine and kind of work.
//!
//! `load [nodes] [transfers] [interval_ms]`; with `RAYON_NUM_THREADS=1` times are CPU times. Links and disks are
//! simulated and consensus signatures are keyed hashes, so what is measured is everything else: checking, building,
//! executing, committing, encoding, handling.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use quil_engine::io::SubmitError;
use quil_execution::wallet::{BuiltTransfer, OwnedCoin};
use quil_sim::{Authority, EngineId, Observation, Person, SimGenesis, SimNet};

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

fn main() -> Fallible<()> {
    let (nodes, n, interval) = (arg(1, 4u16), arg(2, 120usize), arg(3, 1_000u64));
    let mut out = std::io::stdout();
    let mut authority = Authority::new(1);
    let choice = SimGenesis {
        nodes,
        interval_ms: interval,
        epoch_frames: 1 << 20,
        authority: authority.public(),
    };
    let mut net = SimNet::with(42, &choice);
    let (mut alice, bob) = (Person::new(2)?, Person::new(3)?);
    wait(&mut net, |n| n.final_number_everywhere() >= 1)?;
    prepare(&mut net, &mut authority, &mut alice, n)?;
    let start = Instant::now();
    let mine = coins(&net, &alice, COIN);
    let mine = mine.iter().filter(|c| c.amount() < COIN.saturating_mul(2));
    let built: Result<Vec<_>, _> = mine
        .take(n)
        .map(|c| alice.spend(&net, c, bob.address(), 1_000))
        .collect();
    let built = built?;
    let proving = start.elapsed();
    net.reset_costs();
    let (began, from) = (Instant::now(), net.now_ms());
    for (i, tx) in built.iter().enumerate() {
        net.submit(u16::try_from(i)? % nodes, &tx.bundle);
    }
    let limit = 600_000;
    if !net.run_until(limit, |net| executed(net, &built)) {
        return Err(format!("not all final; refused: {:?}", refused(&net)).into());
    }
    let real = began.elapsed();
    let each = |d: Duration| d.as_secs_f64() * 1e3 / n as f64;
    writeln!(
        out,
        "{n} transfers, {nodes} nodes, final after {} virtual ms",
        net.now_ms() - from
    )?;
    writeln!(
        out,
        "bundle {} bytes, proved in {:.1} ms each by the sender",
        quil_types::Canonical::encode(&built[0].bundle).len(),
        each(proving)
    )?;
    writeln!(
        out,
        "real time {:.2} s, {:.2} ms per transfer over all engines",
        real.as_secs_f64(),
        each(real)
    )?;
    writeln!(
        out,
        "core  work              count      total ms   ms per transfer and node"
    )?;
    for (core, group, label, count, time) in net.costs().iter() {
        writeln!(
            out,
            "{core:>4}  {:<16} {count:>6} {:>13.1} {:>10.3}",
            format!("{group} {label}"),
            time.as_secs_f64() * 1e3,
            each(time) / f64::from(nodes),
        )?;
    }
    for core in 0..2 {
        let total = net.costs().total(core);
        writeln!(
            out,
            "core {core}: {:.2} ms per transfer and node",
            each(total) / f64::from(nodes)
        )?;
    }
    net.check_agreement();
    Ok(())
}
