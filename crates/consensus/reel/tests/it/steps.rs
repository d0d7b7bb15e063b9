use quil_reel::{
    ReelEpoch, ReelMachine, Step, WorkTask, discriminant_seed, genesis_beacon, sampled,
};
use quil_types::{
    Beacon, BeaconWitness, Bytes, Epoch, FrameId, FrameNumber, GenesisHash, ProverId,
};

fn machine() -> ReelMachine {
    ReelMachine::new(256)
}

fn step() -> Step {
    let genesis = GenesisHash([7; 32]);
    let [epoch, _] = ReelEpoch::initial(genesis, 500);
    Step {
        genesis,
        epoch: epoch.epoch,
        number: FrameNumber::new(1),
        t: epoch.t,
        previous: genesis_beacon(genesis),
        epoch_anchor: FrameId::ZERO,
        discriminant: epoch.discriminant,
    }
}

fn solve(machine: &ReelMachine, step: &Step) -> BeaconWitness {
    machine.solve(step, &|| false).expect("not cancelled")
}

#[test]
fn witness_is_bound_to_every_part_of_the_step() {
    let machine = machine();
    let step = step();
    let witness = solve(&machine, &step);
    assert!(machine.check(&step, &witness));
    let other = |f: &dyn Fn(&mut Step)| {
        let mut s = step.clone();
        f(&mut s);
        s
    };
    for bent in [
        other(&|s| s.genesis.0[0] ^= 1),
        other(&|s| s.epoch = Epoch::new(1)),
        other(&|s| s.t += 1),
        other(&|s| s.previous.0[0] ^= 1),
        other(&|s| s.epoch_anchor.0[0] ^= 1),
        other(&|s| s.discriminant[0] ^= 1),
    ] {
        assert!(!machine.check(&bent, &witness), "{bent:?}");
    }
    let renumbered = other(&|s| s.number = FrameNumber::new(2));
    let moved = BeaconWitness {
        number: FrameNumber::new(2),
        ..witness
    };
    assert!(!machine.check(&renumbered, &moved));
}

#[test]
fn mutated_witness_is_rejected() {
    let machine = machine();
    let step = step();
    let witness = solve(&machine, &step);
    for i in 0..witness.y.len() {
        let mut y = witness.y.clone().into_vec();
        y[i] ^= 1;
        let bent = BeaconWitness {
            y: y.try_into().unwrap(),
            ..witness.clone()
        };
        assert!(!machine.check(&step, &bent));
        let mut pi = witness.pi.clone().into_vec();
        pi[i] ^= 0x40;
        let bent = BeaconWitness {
            pi: pi.try_into().unwrap(),
            ..witness.clone()
        };
        assert!(!machine.check(&step, &bent));
    }
    let swapped = BeaconWitness {
        y: witness.pi.clone(),
        pi: witness.y.clone(),
        number: witness.number,
    };
    assert!(!machine.check(&step, &swapped));
    let empty = BeaconWitness {
        y: Bytes::new(),
        pi: Bytes::new(),
        ..witness
    };
    assert!(!machine.check(&step, &empty));
}

#[test]
fn beacon_depends_on_the_output_and_not_on_the_proof() {
    let witness = solve(&machine(), &step());
    let other_proof = BeaconWitness {
        pi: Bytes::new(),
        ..witness.clone()
    };
    assert_eq!(Step::beacon(&witness), Step::beacon(&other_proof));
    let other_output = BeaconWitness {
        y: Bytes::new(),
        ..witness.clone()
    };
    assert_ne!(Step::beacon(&witness), Step::beacon(&other_output));
}

#[test]
fn cancelled_evaluation_gives_nothing() {
    assert_eq!(
        machine().solve(
            &Step {
                t: u64::MAX,
                ..step()
            },
            &|| true
        ),
        None
    );
}

#[test]
fn first_two_epochs_share_a_discriminant_and_later_ones_need_a_beacon() {
    let genesis = GenesisHash([1; 32]);
    let seed = |e, b| discriminant_seed(genesis, Epoch::new(e), b);
    assert_eq!(seed(0, None), seed(1, None));
    assert_ne!(seed(1, None), seed(2, Some(Beacon([1; 32]))));
    assert_ne!(
        seed(2, Some(Beacon([1; 32]))),
        seed(2, Some(Beacon([2; 32])))
    );
    assert_ne!(
        seed(2, Some(Beacon([1; 32]))),
        seed(3, Some(Beacon([1; 32])))
    );
}

#[test]
fn work_proof_is_bound_to_core_prover_and_challenge() {
    let machine = machine();
    let task = WorkTask {
        genesis: GenesisHash([7; 32]),
        epoch: Epoch::new(3),
        prover: ProverId([1; 32]),
        core: 2,
        challenge: Beacon([9; 32]),
        t: 200,
    };
    let proof = task.prove(&machine).unwrap();
    assert!(task.verify(&machine, &proof));
    for bent in [
        WorkTask {
            core: 3,
            ..task.clone()
        },
        WorkTask {
            prover: ProverId([2; 32]),
            ..task.clone()
        },
        WorkTask {
            challenge: Beacon([8; 32]),
            ..task.clone()
        },
        WorkTask {
            epoch: Epoch::new(4),
            ..task.clone()
        },
        WorkTask { t: 201, ..task },
    ] {
        assert!(!bent.verify(&machine, &proof));
    }
}

#[test]
fn two_members_are_sampled_per_frame_on_average() {
    let frames = 2_000u32;
    let total: usize = (0..frames)
        .map(|i| {
            let mut b = [0; 32];
            b[..4].copy_from_slice(&i.to_le_bytes());
            sampled(Beacon(b), 40).len()
        })
        .sum();
    let mean = total as f64 / f64::from(frames);
    assert!((1.85..2.15).contains(&mean), "{mean}");
    assert_eq!(sampled(Beacon::ZERO, 1).len(), 1);
    assert!(sampled(Beacon::ZERO, 0).is_empty());
}
