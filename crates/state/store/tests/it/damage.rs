//! Flipped bits: an error or the right content, never a panic of the caller; the safety file notices every one.

use std::fs;
use std::path::Path;

use quil_store::{
    Direction, KeyRange, SafetyFile, StateFile, StateOptions, Store, StoreError, rows,
};
use quil_types::Chain;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model;

fn read_all_and_write(path: &Path) -> Result<(), StoreError> {
    let store = StateFile::open(path, StateOptions::new(1))?;
    let view = store.view()?;
    for table in [&model::LOG, &model::SLOTS, &model::CURSOR] {
        for row in rows(&*view, table, KeyRange::all(), Direction::Forward) {
            row?;
        }
    }
    model::commit(&store, 41)
}

/// Positions to damage: the head byte by byte, then random bytes that are in use.
fn positions(bytes: &[u8], rng: &mut ChaCha20Rng, count: usize) -> Vec<usize> {
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut pick = || used[usize::try_from(rng.next_u64()).unwrap() % used.len()];
    (0..320)
        .step_by(4)
        .chain(std::iter::repeat_with(&mut pick).take(count))
        .collect()
}

#[test]
fn flipped_bit_in_the_state_file_is_never_a_panic_of_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = StateFile::open(&path, StateOptions::new(1)).unwrap();
    for n in 1..=40 {
        model::commit(&store, n).unwrap();
    }
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut errors = 0;
    for at in positions(&bytes, &mut rng, 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (rng.next_u64() % 8);
        fs::write(&path, &damaged).unwrap();
        errors += usize::from(read_all_and_write(&path).is_err());
    }
    assert!(errors > 10, "the damage reaches what is read: {errors}");
}

#[test]
fn verify_finds_a_flipped_value_bit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut store = StateFile::open(&path, StateOptions::new(1)).unwrap();
    let mut batch = quil_store::WriteBatch::new();
    batch
        .put(&model::LOG, b"k".to_vec(), vec![0xc3; 5000])
        .unwrap();
    store.commit(&batch).unwrap();
    store.verify().unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(5000)
        .position(|w| w.iter().all(|b| *b == 0xc3))
        .unwrap();
    bytes[at + 2500] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let found = StateFile::open(&path, StateOptions::new(1)).and_then(|mut store| store.verify());
    assert!(found.is_err());
}

#[test]
fn safety_file_with_a_flipped_record_bit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("safety");
    let file = SafetyFile::open(&path).unwrap();
    file.put(&Chain::Global, &[0xc3_u8; 200]).unwrap();
    drop(file);
    let bytes = fs::read(&path).unwrap();
    let copies: Vec<usize> = (0..bytes.len() - 200)
        .filter(|at| bytes[*at..at + 200].iter().all(|b| *b == 0xc3))
        .collect();
    assert!(!copies.is_empty());
    let mut damaged = bytes.clone();
    for at in copies {
        damaged[at + 100] ^= 1;
    }
    fs::write(&path, &damaged).unwrap();
    assert!(
        SafetyFile::open(&path).is_err(),
        "a wrong record must not be signed on"
    );
    fs::write(&path, &bytes).unwrap();
    assert_eq!(
        SafetyFile::open(&path)
            .unwrap()
            .get(&Chain::Global)
            .unwrap(),
        Some([0xc3_u8; 200])
    );
}
