//! Whole committees: agreement, durability, accountability and progress under faults. `QUIL_SIM_SEEDS` raises the
//! number of runs, `QUIL_SIM_FROM` moves the first seed.

use quil_hotstuff::sim::{Behaviour, Report, Sim, SimConfig, Violation};

fn run(config: SimConfig) -> Report {
    let shown = format!("{config:?}");
    match Sim::new(config).run() {
        Ok(report) => report,
        Err(violation) => panic!("{violation}\n{shown}"),
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(default)
}

fn seeds(default: u64) -> std::ops::Range<u64> {
    let from = number("QUIL_SIM_FROM", 0);
    from..from + number("QUIL_SIM_SEEDS", default)
}

#[test]
fn calm_network_finalises_a_frame_per_interval() {
    for shard in [false, true] {
        let report = run(SimConfig {
            shard,
            ..SimConfig::calm(1)
        });
        assert!(report.final_number >= 20);
        // The last frame needs its child; each of two changes of epoch costs less than one interval.
        assert!(report.ended.get() <= 24_000, "{report:?}");
        assert_eq!((report.evidence, report.crashes), (0, 0));
    }
}

#[test]
fn one_seed_is_one_run() {
    for config in [
        SimConfig::calm(3),
        SimConfig::rough(4),
        SimConfig::random(5),
    ] {
        let (a, b) = (run(config.clone()), run(config.clone()));
        assert_eq!(a, b);
        let other = run(SimConfig {
            seed: config.seed + 100,
            ..config
        });
        assert_ne!(a.digest, other.digest);
    }
}

#[test]
fn rough_networks_agree_and_recover() {
    let mut crashes = 0;
    for seed in seeds(40) {
        let report = run(SimConfig {
            shard: seed % 2 == 1,
            ..SimConfig::rough(seed)
        });
        crashes += report.crashes;
    }
    assert!(crashes > 20, "the faults were injected: {crashes}");
}

#[test]
fn two_hundred_different_networks_agree() {
    let (mut crashes, mut evidence, mut epochs) = (0, 0, 0);
    for seed in seeds(200) {
        let report = run(SimConfig::random(seed));
        crashes += report.crashes;
        evidence += report.evidence;
        epochs += report.epoch.get();
    }
    assert!(
        crashes > 200 && evidence > 100 && epochs > 200,
        "{crashes} {evidence} {epochs}"
    );
}

#[test]
fn crash_at_every_durable_write_contradicts_nothing() {
    for seed in seeds(20) {
        let config = SimConfig {
            crashes: 300,
            loss: 50,
            ..SimConfig::rough(seed)
        };
        assert!(run(config).crashes >= 5);
    }
}

#[test]
fn byzantine_members_are_blamed_and_stop_nobody() {
    for (i, behaviour) in Behaviour::ALL.into_iter().enumerate() {
        for seed in 0..3 {
            for base in [SimConfig::calm(seed), SimConfig::rough(seed)] {
                let shard = (seed + i as u64) % 2 == 1;
                let report = run(SimConfig {
                    byzantine: vec![(1, behaviour)],
                    shard,
                    ..base
                });
                let blamed = |what: &str| report.blame.keys().any(|k| k.contains(what));
                match behaviour {
                    Behaviour::DoubleVote => assert!(report.evidence > 0),
                    Behaviour::SelfSigned => assert!(blamed("weight 1, quorum is 3")),
                    Behaviour::NonLeader => assert!(blamed("not by the leader")),
                    Behaviour::Equivocate
                    | Behaviour::WrongEpoch
                    | Behaviour::Silent
                    | Behaviour::ConflictingTimeouts => {}
                }
            }
        }
    }
}

#[test]
fn equivocating_leader_leaves_evidence() {
    let evidence: u64 = (0..4)
        .map(|seed| {
            let byzantine = vec![(1, Behaviour::Equivocate)];
            run(SimConfig {
                byzantine,
                ..SimConfig::calm(seed)
            })
            .evidence
        })
        .sum();
    assert!(evidence > 0);
}

/// The checks can fail: with more traitors than a third, agreement or progress is lost and noticed.
#[test]
fn too_many_traitors_are_noticed() {
    let broken = (0..6)
        .filter(|seed| {
            let byzantine = vec![(0, Behaviour::Equivocate), (1, Behaviour::DoubleVote)];
            let config = SimConfig {
                byzantine,
                stride: 0,
                pool: 4,
                patience_ms: 60_000,
                ..SimConfig::calm(*seed)
            };
            matches!(
                Sim::new(config).run(),
                Err(Violation::Fork { .. } | Violation::Halted { .. } | Violation::Stalled { .. })
            )
        })
        .count();
    assert!(broken > 0);
    let silent = SimConfig {
        byzantine: vec![(0, Behaviour::Silent), (1, Behaviour::Silent)],
        stride: 0,
        pool: 4,
        patience_ms: 60_000,
        ..SimConfig::calm(1)
    };
    assert!(matches!(
        Sim::new(silent).run(),
        Err(Violation::Stalled { .. })
    ));
}

#[test]
fn single_member_and_large_committee_work() {
    run(SimConfig {
        pool: 1,
        committee: 1,
        ..SimConfig::calm(1)
    });
    let large = SimConfig {
        pool: 22,
        committee: 19,
        stride: 3,
        target: 10,
        ..SimConfig::calm(2)
    };
    run(SimConfig {
        byzantine: vec![(0, Behaviour::Silent), (5, Behaviour::DoubleVote)],
        ..large
    });
}
