//! Whole committees: agreement, durability, accountability and progress under faults.

use quil_hotstuff::sim::{Behaviour, Report, Sim, SimConfig};

fn run(config: SimConfig) -> Report {
    let shown = format!("{config:?}");
    match Sim::new(config).run() {
        Ok(report) => report,
        Err(violation) => panic!("{violation}\n{shown}"),
    }
}

/// Runs per test; `QUIL_SIM_SEEDS` raises it.
fn seeds(default: u64) -> u64 {
    std::env::var("QUIL_SIM_SEEDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(default)
}

#[test]
fn calm_network_finalises_a_frame_per_interval() {
    for shard in [false, true] {
        let report = run(SimConfig {
            shard,
            ..SimConfig::calm(1)
        });
        eprintln!("{report:?}");
        assert!(report.final_number >= 20);
    }
}

#[test]
fn rough() {
    for seed in 0..seeds(20) {
        let shard = seed % 2 == 1;
        let report = run(SimConfig {
            shard,
            ..SimConfig::rough(seed)
        });
        eprintln!(
            "{seed} {} {} {} {} {}",
            report.ended, report.final_number, report.epoch, report.crashes, report.events
        );
    }
}

#[test]
fn byz() {
    for (i, behaviour) in Behaviour::ALL.into_iter().enumerate() {
        for seed in 0..seeds(4) {
            let report = run(SimConfig {
                byzantine: vec![(1, behaviour)],
                shard: (seed + i as u64) % 2 == 1,
                ..SimConfig::calm(seed)
            });
            eprintln!(
                "{behaviour:?} {seed} {} {} {} ev {} {:?}",
                report.ended, report.final_number, report.epoch, report.evidence, report.blame
            );
        }
    }
}

#[test]
fn byz_rough() {
    for (i, behaviour) in Behaviour::ALL.into_iter().enumerate() {
        for seed in 0..seeds(4) {
            let report = run(SimConfig {
                byzantine: vec![(1, behaviour)],
                shard: (seed + i as u64) % 2 == 1,
                ..SimConfig::rough(seed)
            });
            eprintln!(
                "{behaviour:?} {seed} {} {} {} ev {} {:?}",
                report.ended, report.final_number, report.epoch, report.evidence, report.blame
            );
        }
    }
}

#[test]
fn soak() {
    let from: u64 = std::env::var("QUIL_SIM_FROM")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let (mut worst, mut n, mut bad) = (0, 0, 0);
    for seed in from..from + seeds(200) {
        let c = SimConfig::random(seed);
        let shown = format!("{c:?}");
        let gst = c.gst_ms;
        match Sim::new(c).run() {
            Ok(r) => {
                n += r.events;
                let t = r.ended.get().saturating_sub(gst);
                if t > worst {
                    worst = t;
                    eprintln!("worst {t} {shown} {r:?}");
                }
            }
            Err(v) => {
                bad += 1;
                if bad < 6 {
                    eprintln!("BAD {v}\n{shown}");
                }
            }
        }
    }
    eprintln!("events {n} worst {worst} bad {bad}");
    assert_eq!(bad, 0);
}
