use quil_sim::{EngineId, SimGenesis, SimNet};

fn epochs(nodes: u16, epoch_frames: u64) -> SimGenesis {
    SimGenesis {
        nodes,
        interval_ms: 1_000,
        epoch_frames,
        authority: [0; 56],
    }
}

#[test]
fn four_nodes_finalise_both_chains_at_the_frame_interval() {
    let mut net = SimNet::new(1, 4);
    assert!(
        net.run_until(40_000, |n| n.final_number_everywhere() >= 10),
        "{}",
        net.final_number_everywhere()
    );
    net.check_agreement();
    assert!(
        net.now_ms() < 20_000,
        "10 final frames took {} ms",
        net.now_ms()
    );
}

#[test]
fn shard_frames_are_settled_in_the_global_chain() {
    let mut net = SimNet::new(2, 4);
    let settled = |n: &SimNet| {
        let state = n.state(EngineId { node: 0, core: 0 }).expect("running");
        let height = state
            .table()
            .iter()
            .map(|(_, row)| row.height.get())
            .min()
            .unwrap_or(0);
        height >= 3
    };
    assert!(net.run_until(30_000, settled));
    net.check_agreement();
}

#[test]
fn same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut net = SimNet::new(seed, 4);
        net.faults.loss_per_mille = 20;
        net.run_until(8_000, |_| false);
        (net.trace(), net.final_number_everywhere())
    };
    let first = run(7);
    assert_eq!(first, run(7));
    assert_ne!(first.0, run(8).0);
}

#[test]
fn one_node_network_is_paced() {
    let mut net = SimNet::new(3, 1);
    assert!(net.run_until(20_000, |n| n.final_number_everywhere() >= 5));
    assert!(net.now_ms() >= 5_000, "{} ms", net.now_ms());
}

#[test]
fn epochs_follow_each_other() {
    let mut net = SimNet::with(4, &epochs(4, 4));
    assert!(
        net.run_until(60_000, |n| n.final_number_of(0) >= 14),
        "{}",
        net.final_number_of(0)
    );
    net.check_agreement();
}

#[test]
fn rows_name_final_frames_in_every_epoch() {
    // Every settled row is compared with the frame that is final at its height.
    let mut net = SimNet::with(9, &epochs(4, 4));
    net.faults.loss_per_mille = 50;
    let row = |n: &SimNet| {
        let state = n.state(EngineId { node: 0, core: 0 }).expect("running");
        let first = state.table().iter().next().map(|(_, row)| row.clone());
        first.expect("one shard")
    };
    assert!(
        net.run_until(120_000, |n| row(n).epoch.get() >= 4),
        "{:?}",
        row(&net)
    );
    net.check_agreement();
}

#[test]
fn crashed_node_catches_up_and_no_vote_is_contradicted() {
    let mut net = SimNet::new(5, 4);
    assert!(net.run_until(20_000, |n| n.final_number_everywhere() >= 3));
    net.crash_node(2);
    let before = net.final_number_everywhere();
    assert!(
        net.run_until(60_000, move |n| n.final_number_everywhere() >= before + 6),
        "three of four go on"
    );
    net.start_node(2);
    let target = net.final_number_everywhere().max(before + 6) + 3;
    assert!(
        net.run_until(60_000, move |n| n.final_number_everywhere() >= target),
        "it catches up: {:?}",
        net.finals_of_all()
    );
    net.check_agreement();
}

#[test]
fn network_without_a_quorum_stops_and_goes_on_when_it_is_back() {
    let mut net = SimNet::new(6, 4);
    assert!(net.run_until(20_000, |n| n.final_number_everywhere() >= 2));
    net.faults.island = [0, 1].into();
    net.run_until(5_000, |_| false);
    let stalled = net.final_number_everywhere();
    net.run_until(15_000, |_| false);
    assert!(
        net.final_number_everywhere() <= stalled + 1,
        "nobody has a quorum"
    );
    net.faults.island.clear();
    assert!(net.run_until(120_000, move |n| n.final_number_everywhere() >= stalled + 4));
    net.check_agreement();
}

#[test]
fn lossy_links_slow_the_network_and_do_not_break_it() {
    let mut net = SimNet::new(8, 4);
    net.faults.loss_per_mille = 100;
    net.faults.jitter_ms = 200;
    assert!(
        net.run_until(180_000, |n| n.final_number_everywhere() >= 5),
        "{}",
        net.final_number_everywhere()
    );
    net.check_agreement();
}
