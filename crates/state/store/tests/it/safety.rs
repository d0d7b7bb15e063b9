//! The safety file: small records, durable before `put` returns, one process.

use borsh::{BorshDeserialize, BorshSerialize};
use quil_store::limits::{SAFETY_CHAINS_MAX, SAFETY_RECORD_BYTES_MAX};
use quil_store::test_support::{FaultStore, StoreFault};
use quil_store::{MemStore, Origin, SafetyFile, StoreError};
use quil_types::{Chain, ShardAddr};

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Record {
    epoch: u64,
    voted: Option<(u64, [u8; 32])>,
}

const G: Chain = Chain::Global;

fn shard(n: u32) -> Chain {
    let mut addr = [0; 32];
    addr[..4].copy_from_slice(&n.to_be_bytes());
    Chain::Shard(ShardAddr(addr))
}

fn record(epoch: u64) -> Record {
    Record {
        epoch,
        voted: Some((epoch + 1, [7; 32])),
    }
}

#[test]
fn records_survive_reopening_per_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("safety");
    {
        let file = SafetyFile::open(&path).unwrap();
        assert_eq!(file.origin(), Origin::Created);
        assert_eq!(file.get::<Record>(&G).unwrap(), None);
        file.put(&G, &record(1)).unwrap();
        file.put(&shard(7), &record(2)).unwrap();
        file.put(&G, &record(3)).unwrap();
    }
    let file = SafetyFile::open(&path).unwrap();
    assert_eq!(file.origin(), Origin::Existing);
    assert_eq!(file.get(&G).unwrap(), Some(record(3)));
    assert_eq!(file.get(&shard(7)).unwrap(), Some(record(2)));
    assert_eq!(file.chains().unwrap(), [G, shard(7)]);
}

#[test]
fn second_process_cannot_sign() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("safety");
    let _held = SafetyFile::open(&path).unwrap();
    let error = SafetyFile::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    assert_eq!(error.exit_code(), 75);
}

#[test]
fn undecodable_record_is_an_error_not_an_absence() {
    let file = SafetyFile::over(Box::new(MemStore::new()));
    file.put(&G, &vec![1_u8, 2]).unwrap();
    assert!(matches!(
        file.get::<Record>(&G),
        Err(StoreError::Decode { what: "value", .. })
    ));
    file.put(&G, &(record(1), 0_u8)).unwrap();
    assert!(
        matches!(file.get::<Record>(&G), Err(StoreError::Decode { .. })),
        "a trailing byte"
    );
}

#[test]
fn bounds_hold_and_leave_the_file_usable() {
    let file = SafetyFile::over(Box::new(MemStore::new()));
    file.put(&G, &1_u8).unwrap();
    let big = vec![0_u8; SAFETY_RECORD_BYTES_MAX];
    assert!(matches!(
        file.put(&G, &big),
        Err(StoreError::ValueTooLong { .. })
    ));
    for n in 0..u32::try_from(SAFETY_CHAINS_MAX - 1).unwrap() {
        file.put(&shard(n), &n).unwrap();
    }
    assert!(matches!(
        file.put(&shard(u32::MAX), &1_u8),
        Err(StoreError::TooManyChains { .. })
    ));
    file.put(&shard(7), &8_u32).unwrap();
    assert_eq!(file.get::<u32>(&shard(7)).unwrap(), Some(8));
    assert_eq!(file.chains().unwrap().len(), SAFETY_CHAINS_MAX);
}

#[test]
fn failed_put_poisons() {
    let store = FaultStore::new(MemStore::new());
    let file = SafetyFile::over(Box::new(store.clone()));
    file.put(&G, &record(1)).unwrap();
    store.fail_after(0, StoreFault::SyncFailedLost);
    assert!(matches!(
        file.put(&G, &record(2)),
        Err(StoreError::Io { .. })
    ));
    assert!(matches!(
        file.put(&G, &record(2)),
        Err(StoreError::Poisoned { .. })
    ));
    assert_eq!(file.get(&G).unwrap(), Some(record(1)));
}
