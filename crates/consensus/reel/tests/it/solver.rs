use quil_reel::{ReelEpoch, Solver, SolverInput, SolverOutput, Step, genesis_beacon};
use quil_types::{BeaconWitness, Bytes, FrameId, FrameNumber, GenesisHash};

fn step(number: u64) -> Step {
    let genesis = GenesisHash([7; 32]);
    let [epoch, _] = ReelEpoch::initial(genesis, 500);
    Step {
        genesis,
        epoch: epoch.epoch,
        number: FrameNumber::new(number),
        t: 500,
        previous: genesis_beacon(genesis),
        epoch_anchor: FrameId::ZERO,
        discriminant: epoch.discriminant,
    }
}

fn witness(number: u64, y: u8) -> BeaconWitness {
    BeaconWitness {
        number: FrameNumber::new(number),
        y: Bytes::from_slice(&[y]).unwrap(),
        pi: Bytes::new(),
    }
}

fn run(solver: &mut Solver, input: SolverInput) -> Vec<SolverOutput> {
    let mut out = Vec::new();
    solver.handle(input, &mut out);
    out
}

fn ready(w: &BeaconWitness) -> SolverOutput {
    SolverOutput::Ready(Step::beacon(w), w.clone())
}

#[test]
fn only_leaders_solve_until_the_timer_fires() {
    let mut s = Solver::new();
    assert!(run(&mut s, SolverInput::Next(step(1))).is_empty());
    assert_eq!(
        run(&mut s, SolverInput::Leading(true)),
        [SolverOutput::Start(step(1))]
    );
    assert!(
        run(&mut s, SolverInput::TimerFired).is_empty(),
        "it runs already"
    );

    let mut s = Solver::new();
    assert!(run(&mut s, SolverInput::Next(step(1))).is_empty());
    assert_eq!(
        run(&mut s, SolverInput::TimerFired),
        [SolverOutput::Start(step(1))]
    );
}

#[test]
fn own_result_is_gossiped_and_known() {
    let mut s = Solver::new();
    let _ = run(&mut s, SolverInput::Leading(true));
    assert_eq!(
        run(&mut s, SolverInput::Next(step(1))),
        [SolverOutput::Start(step(1))]
    );
    let w = witness(1, 1);
    assert_eq!(
        run(&mut s, SolverInput::Solved(w.clone())),
        [SolverOutput::Gossip(w.clone()), ready(&w)]
    );
    assert_eq!(s.witness(&step(1)), Some(&w));
    assert_eq!(
        s.witness(&Step { t: 1, ..step(1) }),
        None,
        "known by step, not by number"
    );
}

#[test]
fn valid_witness_from_others_cancels_the_own_evaluation() {
    let mut s = Solver::new();
    let _ = run(&mut s, SolverInput::Leading(true));
    let _ = run(&mut s, SolverInput::Next(step(1)));
    let w = witness(1, 1);
    assert_eq!(
        run(&mut s, SolverInput::Received(w.clone())),
        [SolverOutput::Check(step(1), w.clone())]
    );
    let out = run(
        &mut s,
        SolverInput::Checked {
            witness: w.clone(),
            valid: true,
        },
    );
    assert_eq!(out, [SolverOutput::Cancel, ready(&w)]);
    assert!(
        run(&mut s, SolverInput::Solved(witness(1, 2))).is_empty(),
        "a late own result is dropped"
    );
}

#[test]
fn invalid_witness_is_blamed_and_changes_nothing() {
    let mut s = Solver::new();
    let _ = run(&mut s, SolverInput::Next(step(1)));
    let w = witness(1, 9);
    let _ = run(&mut s, SolverInput::Received(w.clone()));
    assert_eq!(
        run(
            &mut s,
            SolverInput::Checked {
                witness: w.clone(),
                valid: false
            }
        ),
        [SolverOutput::Invalid(w)]
    );
    assert_eq!(s.witness(&step(1)), None);
}

#[test]
fn checks_in_flight_are_bounded_and_other_numbers_are_ignored() {
    let mut s = Solver::new();
    let _ = run(&mut s, SolverInput::Next(step(1)));
    let checks: usize = (0..20)
        .map(|y| run(&mut s, SolverInput::Received(witness(1, y))).len())
        .sum();
    assert_eq!(checks, 4);
    assert!(run(&mut s, SolverInput::Received(witness(2, 0))).is_empty());
}

#[test]
fn known_step_is_ready_at_once() {
    let mut s = Solver::new();
    let _ = run(&mut s, SolverInput::Leading(true));
    let _ = run(&mut s, SolverInput::Next(step(1)));
    let w = witness(1, 1);
    let _ = run(&mut s, SolverInput::Solved(w.clone()));
    assert_eq!(
        run(&mut s, SolverInput::Next(step(2))),
        [SolverOutput::Start(step(2))]
    );
    assert_eq!(
        run(&mut s, SolverInput::Next(step(1))),
        [SolverOutput::Cancel, ready(&w)]
    );
    assert!(
        run(&mut s, SolverInput::Next(step(1))).is_empty(),
        "the same step again is no news"
    );
}
