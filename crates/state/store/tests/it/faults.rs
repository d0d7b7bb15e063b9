//! `FaultStore` behaves like a store that fails, and poison is final until reopening.

use std::sync::Arc;

use quil_store::test_support::{FaultStore, StoreFault};
use quil_store::{EXIT_CANNOT_LOCK, EXIT_STORAGE, Fault, MemStore, Store, StoreError, WriteBatch};

use crate::model;

#[test]
fn faults_strike_when_armed_and_poison() {
    for (fault, survives) in [
        (StoreFault::DiskFull, false),
        (StoreFault::SyncFailedApplied, true),
        (StoreFault::SyncFailedLost, false),
    ] {
        let store = FaultStore::new(MemStore::new());
        model::commit(&store, 1).unwrap();
        store.fail_after(2, fault);
        model::commit(&store, 2).unwrap();
        model::commit(&store, 3).unwrap();
        let error = model::commit(&store, 4).unwrap_err();
        assert_eq!(error.fault(), Fault::Stop);
        assert_eq!(
            matches!(error, StoreError::NoSpace { .. }),
            fault == StoreFault::DiskFull
        );
        for _ in 0..3 {
            let error = store.clone().commit(&WriteBatch::new()).unwrap_err();
            assert!(matches!(error, StoreError::Poisoned { .. }));
            assert!(
                error.to_string().contains("the process must stop"),
                "{error}"
            );
        }
        assert_eq!(store.commits(), 3);
        // Reading what was acknowledged stays possible; a restart clears the poison.
        assert_eq!(model::check(&store, 3), if survives { 4 } else { 3 });
        model::commit(&store.reopen(), 5).unwrap();
    }
}

#[test]
fn shared_handles_share_the_poison() {
    let store: Arc<dyn Store> = Arc::new(FaultStore::new(MemStore::new()));
    model::commit(&store, 1).unwrap();
    let boxed: Box<dyn Store> = Box::new(Arc::clone(&store));
    assert_eq!(model::cursor(&boxed), 1);
    model::commit(&boxed, 2).unwrap();
    assert_eq!(model::cursor(&store), 2);
}

#[test]
fn exit_codes_tell_lock_from_failure() {
    let locked = StoreError::Locked {
        path: "x".into(),
        holder: Some(7),
    };
    assert_eq!(
        (locked.exit_code(), locked.fault()),
        (EXIT_CANNOT_LOCK, Fault::Refuse)
    );
    assert_eq!(EXIT_CANNOT_LOCK, 75);
    assert_eq!(
        locked.to_string(),
        "cannot lock x: it is in use by process 7"
    );
    assert_eq!(StoreError::Poisoned { step: "x" }.exit_code(), EXIT_STORAGE);
    assert_eq!(StoreError::TooManyViews { max: 1 }.fault(), Fault::Caller);
}
