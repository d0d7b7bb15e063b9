use quil_engine::io::SubmitError;
use quil_sim::{Authority, EngineId, Observation, Person, SimGenesis, SimNet};
use quil_types::{Code, TxId};

fn market(seed: u64) -> (SimNet, Authority, Person, Person) {
    let authority = Authority::new(1);
    let choice = SimGenesis {
        nodes: 4,
        interval_ms: 1_000,
        epoch_frames: 1 << 20,
        authority: authority.public(),
    };
    (
        SimNet::with(seed, &choice),
        authority,
        Person::new(2).expect("an account"),
        Person::new(3).expect("an account"),
    )
}

fn answer(net: &SimNet, token: quil_engine::io::RequestToken) -> Option<Result<TxId, SubmitError>> {
    net.observations().iter().find_map(|o| match o {
        Observation::Answer(t, result) if *t == token => Some(*result),
        _ => None,
    })
}

/// Submits at a node and waits for the answer.
fn submit(net: &mut SimNet, node: u16, bundle: &quil_types::Bundle) -> Result<TxId, SubmitError> {
    let token = net.submit(node, bundle);
    assert!(
        net.run_until(10_000, |n| answer(n, token).is_some()),
        "no answer"
    );
    answer(net, token).expect("answered")
}

#[test]
fn confidential_transfer_becomes_final_on_every_node_and_settles() {
    let (mut net, mut authority, mut alice, bob) = market(11);
    assert!(net.run_until(10_000, |n| n.final_number_everywhere() >= 1));
    let mint = authority.mint(&net, &mut alice, 1_000_000).unwrap();
    submit(&mut net, 0, &mint.bundle).unwrap();
    assert!(
        net.run_until(10_000, |n| alice.balance(n) > 0),
        "the mint becomes final"
    );
    let before = alice.balance(&net);

    let sent = alice.pay(&net, bob.address(), 250_000).unwrap();
    let at = net.now_ms();
    submit(&mut net, 2, &sent.bundle).unwrap();
    assert!(
        net.run_until(10_000, |n| bob.balance(n) == 250_000),
        "the transfer becomes final"
    );
    assert!(
        net.now_ms() - at <= 3_500,
        "final after {} ms",
        net.now_ms() - at
    );
    assert_eq!(alice.balance(&net), before - 250_000 - sent.fee);

    let worker = EngineId { node: 0, core: 1 };
    let height = net.final_number(worker).unwrap();
    let settled = move |n: &SimNet| {
        let state = n.state(EngineId { node: 3, core: 0 }).unwrap();
        state.table().iter().all(|(_, row)| row.height >= height)
    };
    assert!(
        net.run_until(10_000, settled),
        "the shard frame is recorded in the global chain"
    );
    net.check_agreement();
}

#[test]
fn double_spend_and_replay_are_refused_with_their_codes() {
    let (mut net, mut authority, mut alice, bob) = market(12);
    assert!(net.run_until(10_000, |n| n.final_number_everywhere() >= 1));
    let mint = authority.mint(&net, &mut alice, 1_000_000).unwrap();
    submit(&mut net, 0, &mint.bundle).unwrap();
    assert!(net.run_until(10_000, |n| alice.balance(n) > 0));

    let first = alice.pay(&net, bob.address(), 100).unwrap();
    let second = alice.pay(&net, bob.address(), 200).unwrap();
    submit(&mut net, 1, &first.bundle).unwrap();
    let rejected = |code| Err(SubmitError::Rejected(code));
    assert_eq!(
        submit(&mut net, 1, &second.bundle),
        rejected(Code::InputSpent),
        "while the first one is pending"
    );
    assert!(net.run_until(10_000, |n| bob.balance(n) == 100));
    assert_eq!(
        submit(&mut net, 1, &second.bundle),
        rejected(Code::InputSpent),
        "across frames"
    );
    assert_eq!(
        submit(&mut net, 1, &first.bundle),
        rejected(Code::TxReplayed)
    );
    assert_eq!(
        submit(&mut net, 1, &mint.bundle),
        rejected(Code::TxReplayed)
    );
    net.check_agreement();
}

#[test]
fn transfer_survives_the_crash_of_the_node_that_took_it() {
    let (mut net, mut authority, mut alice, bob) = market(13);
    assert!(net.run_until(10_000, |n| n.final_number_everywhere() >= 1));
    let mint = authority.mint(&net, &mut alice, 1_000_000).unwrap();
    submit(&mut net, 0, &mint.bundle).unwrap();
    assert!(net.run_until(10_000, |n| alice.balance(n) > 0));
    let sent = alice.pay(&net, bob.address(), 777).unwrap();
    submit(&mut net, 3, &sent.bundle).unwrap();
    net.run_until(300, |_| false);
    net.crash_node(3);
    assert!(
        net.run_until(30_000, |n| bob.balance(n) == 777),
        "gossip had it"
    );
    net.start_node(3);
    let target = net.final_number_everywhere().max(1) + 4;
    assert!(net.run_until(60_000, move |n| n.final_number_everywhere() >= target));
    net.check_agreement();
}
