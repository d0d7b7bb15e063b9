use quil_reel::{Asert, DifficultyAdjuster, EpochMeasure, Fixed, Median};

fn measure(spacing: u64, frames: u64) -> EpochMeasure {
    let n = usize::try_from(frames).unwrap();
    EpochMeasure {
        spacings_ms: vec![spacing; n],
        elapsed_ms: spacing * frames,
        frames,
    }
}

#[test]
fn fixed_never_moves() {
    assert_eq!(Fixed(123).adjust(&measure(1, 10), 5, 6), 123);
}

#[test]
fn median_ignores_outliers_and_an_empty_epoch() {
    let m = Median {
        target_ms: 1_000,
        floor: 16,
    };
    let mut mixed = measure(1_000, 9);
    mixed.spacings_ms.extend([60_000; 4]);
    assert_eq!(m.adjust(&mixed, 1_600, 1_600), 1_600);
    assert_eq!(m.adjust(&EpochMeasure::default(), 1_600, 1_700), 1_700);
}

#[test]
fn median_moves_at_most_one_eighth_and_keeps_its_floor() {
    let m = Median {
        target_ms: 1_000,
        floor: 160,
    };
    assert_eq!(
        m.adjust(&measure(1, 9), 8_000, 8_000),
        9_140,
        "8/7, quantised to 10"
    );
    assert_eq!(m.adjust(&measure(1_000_000, 9), 8_000, 8_000), 7_000);
    assert_eq!(m.adjust(&measure(1_000_000, 9), 160, 160), 160);
}

/// A prover of a given speed with network overhead: the frame interval settles at the target (R3).
#[test]
fn median_settles_on_the_target() {
    for (speed_per_ms, overhead_ms) in [(40u64, 100u64), (100, 300), (15, 20)] {
        let m = Median {
            target_ms: 2_000,
            floor: 1_000,
        };
        let mut t = vec![5_000u64, 5_000];
        let spacing = |t: u64| (t / speed_per_ms + overhead_ms).max(1_600);
        for e in 0..120 {
            let next = m.adjust(&measure(spacing(t[e]), 30), t[e], t[e + 1]);
            t.push(next);
        }
        let tail: Vec<u64> = t[100..].iter().map(|t| spacing(*t)).collect();
        assert!(
            tail.iter().all(|s| (1_850..=2_150).contains(s)),
            "{speed_per_ms}: {tail:?}"
        );
    }
}

#[test]
fn asert_halves_after_one_half_life_of_lag_and_doubles_after_one_of_lead() {
    let a = Asert {
        target_ms: 1_000,
        half_life_ms: 10_000,
        floor: 16,
    };
    assert_eq!(a.adjust(&measure(1_000, 10), 1_600, 0), 1_600);
    assert_eq!(a.adjust(&measure(2_000, 10), 1_600, 0), 800);
    let lead = EpochMeasure {
        spacings_ms: vec![],
        elapsed_ms: 0,
        frames: 10,
    };
    assert_eq!(a.adjust(&lead, 1_600, 0), 3_200);
    let half = EpochMeasure {
        spacings_ms: vec![],
        elapsed_ms: 15_000,
        frames: 10,
    };
    let t = a.adjust(&half, 16_000, 0);
    assert!((11_300..=11_330).contains(&t), "{t}: 16000 / sqrt 2");
}

#[test]
fn asert_is_monotone_and_never_overflows() {
    let a = Asert {
        target_ms: 1_000,
        half_life_ms: 7_777,
        floor: 16,
    };
    let mut last = u64::MAX;
    for elapsed in (0..200_000).step_by(777) {
        let t = a.adjust(
            &EpochMeasure {
                spacings_ms: vec![],
                elapsed_ms: elapsed,
                frames: 50,
            },
            1 << 20,
            0,
        );
        assert!(t <= last);
        last = t;
    }
    let extreme = EpochMeasure {
        spacings_ms: vec![],
        elapsed_ms: u64::MAX,
        frames: u64::MAX,
    };
    assert!(a.adjust(&extreme, u64::MAX, 0) >= 16);
    let extreme = EpochMeasure {
        spacings_ms: vec![],
        elapsed_ms: 0,
        frames: u64::MAX,
    };
    assert!(a.adjust(&extreme, u64::MAX, 0) >= 16);
}
