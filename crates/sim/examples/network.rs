//! A network of four nodes in one process: real engines, real proofs, simulated time. Mints, pays, settles.

use std::error::Error;
use std::io::Write as _;

use quil_sim::{Authority, EngineId, Person, SimGenesis, SimNet};

fn main() -> Result<(), Box<dyn Error>> {
    let mut authority = Authority::new(1);
    let choice = SimGenesis {
        nodes: 4,
        interval_ms: 2_000,
        epoch_frames: 1 << 20,
        authority: authority.public(),
    };
    let mut net = SimNet::with(42, &choice);
    let (mut alice, bob) = (Person::new(2)?, Person::new(3)?);
    let say = |net: &SimNet, what: &str| {
        let seconds = net.now_ms() / 1000;
        writeln!(
            std::io::stdout(),
            "{seconds:>4} s  frame {:>3}  {what}",
            net.final_number_everywhere()
        )
    };
    say(
        &net,
        "four nodes, each a master and a worker, start from genesis",
    )?;
    if !net.run_until(20_000, |n| n.final_number_everywhere() >= 1) {
        return Err("no frame became final".into());
    }
    say(
        &net,
        "the first frames of both chains are final on every node",
    )?;

    let mint = authority.mint(&net, &mut alice, 8_000_000_000)?;
    net.submit(0, &mint.bundle);
    if !net.run_until(20_000, |n| alice.balance(n) > 0) {
        return Err("the mint did not become final".into());
    }
    say(&net, &format!("alice has {} units", alice.balance(&net)))?;

    let sent = alice.pay(&net, bob.address(), 3_000_000_000)?;
    net.submit(2, &sent.bundle);
    if !net.run_until(20_000, |n| bob.balance(n) > 0) {
        return Err("the transfer did not become final".into());
    }
    say(
        &net,
        &format!(
            "final: bob has {} units, alice {}",
            bob.balance(&net),
            alice.balance(&net)
        ),
    )?;

    let height = net
        .final_number(EngineId { node: 0, core: 1 })
        .unwrap_or_default();
    let settled = move |n: &SimNet| {
        let state = n.state(EngineId { node: 1, core: 0 });
        state.is_some_and(|s| s.table().iter().all(|(_, row)| row.height >= height))
    };
    if !net.run_until(30_000, settled) {
        return Err("the shard frame was not settled".into());
    }
    say(
        &net,
        "settled: the shard frame is recorded in a final global frame",
    )?;
    net.check_agreement();
    say(&net, "all nodes agree on every final frame and its state")?;
    Ok(())
}
