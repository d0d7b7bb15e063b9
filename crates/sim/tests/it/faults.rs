//! Processes that die at any write, and disks that fail.

use quil_engine::io::Halt;
use quil_engine::tables::Table;
use quil_engine::{HISTORY_MAX, LocalFault};
use quil_execution::state::StateFault;
use quil_sim::{Authority, EngineId, Observation, Person, SimGenesis, SimNet};

fn choice(epoch_frames: u64, authority: [u8; 56]) -> SimGenesis {
    SimGenesis {
        nodes: 4,
        interval_ms: 1_000,
        epoch_frames,
        authority,
    }
}

/// Kills, loss and epochs of eight frames. Along the way the simulation checks that no two nodes finalise different
/// frames, that every settled row names the final frame of its height, and that nobody votes twice; here: that the
/// network goes on, and that all states are equal.
fn survives_kills_at_any_write(seed: u64) {
    let mut net = SimNet::with(seed, &choice(8, [0; 56]));
    net.faults.loss_per_mille = 50;
    net.faults.crash_per_mille = 12;
    let rough = net.run_until(400_000, |n| n.final_number_of(0) >= 20 && n.killed() >= 8);
    assert!(
        rough,
        "seed {seed}: frame {} after {} kills",
        net.final_number_of(0),
        net.killed()
    );
    net.faults.crash_per_mille = 0;
    net.faults.loss_per_mille = 0;
    let calm = |n: &SimNet, above: u64| n.all_run() && n.final_number_everywhere() >= above;
    assert!(net.run_until(10_000, |n| calm(n, 0)), "seed {seed}");
    let target = net.final_number_of(0).max(net.final_number_of(1)) + 3;
    assert!(
        net.run_until(60_000, |n| calm(n, target)),
        "seed {seed}: all go on to {target}: {:?}",
        net.finals_of_all()
    );
    net.check_agreement();
}

#[test]
fn kills_between_any_two_writes_lose_nothing_seed_21() {
    survives_kills_at_any_write(21);
}

#[test]
fn kills_between_any_two_writes_lose_nothing_seed_22() {
    survives_kills_at_any_write(22);
}

#[test]
fn kills_between_any_two_writes_lose_nothing_seed_23() {
    survives_kills_at_any_write(23);
}

#[test]
fn failing_disk_stops_the_engine_before_it_votes() {
    let mut authority = Authority::new(1);
    let mut net = SimNet::with(31, &choice(1 << 20, authority.public()));
    let mut alice = Person::new(2).expect("an account");
    assert!(net.run_until(10_000, |n| n.final_number_everywhere() >= 1));
    // After a restart nothing of the state is in memory, so the next bundle makes it read.
    let victim = EngineId { node: 1, core: 1 };
    net.crash(victim);
    net.start(victim);
    net.run_until(100, |_| false);
    net.break_disk(victim);
    let mint = authority.mint(&net, &mut alice, 1_000_000).expect("built");
    net.submit(0, &mint.bundle);
    let watcher = EngineId { node: 0, core: 1 };
    assert!(
        net.run_until(20_000, |n| n.transaction(watcher, mint.tx).is_some()),
        "three of four go on"
    );
    let halts: Vec<_> = net
        .observations()
        .iter()
        .filter_map(|o| match o {
            Observation::Halted(id, reason) => Some((*id, reason.clone())),
            _ => None,
        })
        .collect();
    let fault = LocalFault::Execution(StateFault::Unavailable);
    assert_eq!(halts, [(victim, Halt::Local(fault))]);
    let position = net.transaction(watcher, mint.tx).expect("executed");
    let frame = net.final_frame(watcher, position.number).expect("final");
    assert!(
        net.votes(victim).all(|voted| *voted != frame),
        "it did not vote for what it could not execute"
    );
    net.check_agreement();
}

#[test]
fn store_of_a_long_chain_keeps_what_the_last_states_need() {
    let mut net = SimNet::with(32, &choice(16, [0; 56]));
    let master = EngineId { node: 0, core: 0 };
    let many = u64::try_from(HISTORY_MAX).expect("small") + 40;
    assert!(net.run_until(400_000, |n| n.final_number_of(0) >= many));
    let rows = |table| net.rows(master, table);
    // Each frame replaces the one row of the table of shards.
    assert_eq!(rows(Table::Roots), HISTORY_MAX);
    assert!(
        rows(Table::Records) <= HISTORY_MAX + 8,
        "{}",
        rows(Table::Records)
    );
    assert!(rows(Table::Obsolete) <= HISTORY_MAX);
    assert!(rows(Table::Candidates) <= 8, "{}", rows(Table::Candidates));
    net.crash_node(0);
    net.start_node(0);
    let target = net.final_number_of(0) + 4;
    assert!(net.run_until(60_000, |n| n.final_number_everywhere() >= target));
    net.check_agreement();
}

/// Value moves while processes die: every transfer is executed exactly once, and no unit is lost or made.
fn transfers_survive_kills(seed: u64) {
    let mut authority = Authority::new(1);
    let mut net = SimNet::with(seed, &choice(8, authority.public()));
    let mut alice = Person::new(2).expect("an account");
    let bob = Person::new(3).expect("an account");
    for _ in 0..3 {
        let mint = authority.mint(&net, &mut alice, 1_000_000).expect("built");
        net.submit(0, &mint.bundle);
    }
    assert!(net.run_until(20_000, |n| alice.coins(n).len() == 3));
    let before = alice.balance(&net);
    let sent: Vec<_> = alice
        .coins(&net)
        .iter()
        .map(|coin| alice.spend(&net, coin, bob.address(), 1_000))
        .collect::<Result<_, _>>()
        .expect("built");
    net.faults.loss_per_mille = 50;
    net.faults.crash_per_mille = 25;
    let watcher = EngineId { node: 0, core: 1 };
    let done = |n: &SimNet| sent.iter().all(|t| n.transaction(watcher, t.tx).is_some());
    for round in 0..40 {
        // As clients do: again, to another node, until it is final.
        for t in &sent {
            net.submit(round % 4, &t.bundle);
        }
        if net.run_until(3_000, |n| done(n) && n.killed() >= 6) {
            break;
        }
    }
    assert!(done(&net), "seed {seed}: executed");
    net.faults.crash_per_mille = 0;
    net.faults.loss_per_mille = 0;
    let target = net.final_number_of(1) + 4;
    let calm = |n: &SimNet| n.all_run() && n.final_number_everywhere() >= target;
    assert!(
        net.run_until(90_000, calm),
        "seed {seed}: all go on to {target}: {:?}",
        net.finals_of_all()
    );
    net.check_agreement();
    assert_eq!(bob.balance(&net), 3_000, "seed {seed}");
    let fees: u64 = sent.iter().map(|t| t.fee).sum();
    assert_eq!(alice.balance(&net) + fees + 3_000, before, "seed {seed}");
}

#[test]
fn transfers_are_executed_once_while_processes_die() {
    transfers_survive_kills(41);
}

/// Everybody dies at once, again and again, at moments that fall on every step of a frame and of an epoch's end.
fn survives_power_failures(seed: u64, nodes: u16) {
    let mut net = SimNet::with(
        seed,
        &SimGenesis {
            nodes,
            ..choice(4, [0; 56])
        },
    );
    for round in 0..25u64 {
        let before = net.final_number_of(0).min(net.final_number_of(1));
        net.run_until(700 + seed % 97 + round * 131 % 1_500, |_| false);
        (0..nodes).for_each(|n| net.crash_node(n));
        net.run_until(500, |_| false);
        (0..nodes).for_each(|n| net.start_node(n));
        assert!(
            net.run_until(60_000, |n| n.final_number_everywhere() > before),
            "seed {seed}, round {round}: {:?}",
            net.finals_of_all()
        );
    }
    net.check_agreement();
}

#[test]
fn network_goes_on_after_power_failures_at_any_moment() {
    survives_power_failures(51, 4);
}

#[test]
fn single_node_goes_on_after_power_failures_at_any_moment() {
    survives_power_failures(52, 1);
}

/// As the tests above, for as many seeds as `QUIL_SIM_SEEDS` says (`from..to`).
#[test]
#[ignore = "takes as long as it is told to"]
fn kills_between_any_two_writes_lose_nothing_many_seeds() {
    let range = std::env::var("QUIL_SIM_SEEDS").unwrap_or_else(|_| "100..110".to_owned());
    let (from, to) = range.split_once("..").expect("from..to");
    for seed in from.parse().expect("a number")..to.parse().expect("a number") {
        survives_kills_at_any_write(seed);
        survives_power_failures(seed, 1);
        survives_power_failures(seed, 4);
        transfers_survive_kills(seed);
    }
}
