//! Power cuts on a simulated disk that loses unflushed sectors.

use quil_store::test_support::{DiskFault, FaultDisk};
use quil_store::{Fault, StateOptions, StoreError};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model;

const OPTIONS: StateOptions = StateOptions::new(1);

#[test]
fn power_cut_during_a_commit_loses_at_most_that_commit() {
    for seed in 0..30 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut disk = FaultDisk::new();
        let mut acked = 0;
        for _ in 0..4 {
            let store = disk.open_state(OPTIONS).unwrap();
            acked = model::check(&store, acked);
            // The plug is pulled after some writes: what the process does later never reaches the disk.
            let fault = match rng.next_u64() % 2 {
                0 => DiskFault::WritesAfter(rng.next_u64() % 120),
                _ => DiskFault::SyncsAfter(rng.next_u64() % 12),
            };
            disk.arm(fault);
            acked = model::commit_until_error(&store, acked).0;
            let after = disk.power_cut(rng.next_u64());
            drop(store);
            disk = after;
        }
        let store = disk.open_state(OPTIONS).unwrap();
        model::check(&store, acked);
    }
}

#[test]
fn power_cut_after_an_acknowledged_commit_keeps_it() {
    let disk = FaultDisk::new();
    let store = disk.open_state(OPTIONS).unwrap();
    for n in 1..=30 {
        model::commit(&store, n).unwrap();
        let cut = disk.power_cut(n).open_state(OPTIONS).unwrap();
        assert_eq!(model::check(&cut, n), n);
    }
}

#[test]
fn failed_flush_poisons_and_reopening_shows_a_whole_batch() {
    for (seed, syncs) in (0..24).zip((0..4).cycle()) {
        let disk = FaultDisk::new();
        let store = disk.open_state(OPTIONS).unwrap();
        model::commit(&store, 1).unwrap();
        disk.arm(DiskFault::SyncsAfter(syncs));
        let (acked, error) = model::commit_until_error(&store, 1);
        assert_eq!(error.fault(), Fault::Stop, "{error}");
        assert!(matches!(
            model::commit(&store, acked + 1),
            Err(StoreError::Poisoned { .. })
        ));
        let after = disk.power_cut(seed);
        drop(store);
        model::check(&after.open_state(OPTIONS).unwrap(), acked);
    }
}

#[test]
fn full_disk_is_named_and_loses_nothing() {
    let disk = FaultDisk::new();
    let store = disk.open_state(OPTIONS).unwrap();
    disk.arm(DiskFault::Capacity(disk.len() as u64));
    let big = quil_store::TableDef::new("big", 8, 1 << 20);
    let mut acked = 0;
    let error = loop {
        assert!(acked < 1000, "the fault never struck");
        let mut batch = model::batch(acked + 1);
        batch
            .put(&big, (acked + 1).to_be_bytes().to_vec(), vec![5; 300_000])
            .unwrap();
        match quil_store::Store::commit(&store, &batch) {
            Ok(()) => acked += 1,
            Err(e) => break e,
        }
    };
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    drop(store);
    let after = disk.power_cut(1).open_state(OPTIONS).unwrap();
    model::check(&after, acked);
}
