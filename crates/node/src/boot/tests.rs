use quil_engine::io::Write;
use quil_engine::tables::Table;
use quil_store::{MemStore, SafetyFile, Store};
use quil_types::FrameNumber;

use super::*;
use crate::fixture;

fn files(state: &Arc<MemStore>, safety: &Arc<MemStore>) -> Files {
    let state: Arc<dyn Store> = Arc::<MemStore>::clone(state);
    Files::new(
        state,
        SafetyFile::over(Box::new(Arc::clone(safety))),
        Chain::Global,
    )
}

#[test]
fn empty_files_start_at_genesis_and_are_written_before_the_first_input() {
    let files = files(&Arc::default(), &Arc::default());
    let engine = fixture::master().start(BlsScheme::new(), &files).unwrap();
    assert_eq!(engine.ledger().last().number(), FrameNumber::ZERO);
    let last = queries::last_final(&files.reader().unwrap()).unwrap();
    assert_eq!(last.map(|h| h.id()), Some(engine.ledger().last().id()));
    assert_eq!(files.safety_record().unwrap(), Some(Vec::new()));
}

#[test]
fn process_that_died_before_it_signed_starts_again() {
    let (state, safety) = (Arc::default(), Arc::default());
    for _ in 0..2 {
        let files = files(&state, &safety);
        assert!(fixture::master().start(BlsScheme::new(), &files).is_ok());
    }
}

#[test]
fn lost_safety_record_never_counts_as_a_fresh_key() {
    let state = Arc::default();
    fixture::master()
        .start(BlsScheme::new(), &files(&state, &Arc::default()))
        .unwrap();
    for _ in 0..2 {
        let lost = files(&state, &Arc::default());
        let _ = fixture::master().start(BlsScheme::new(), &lost);
        assert_eq!(
            lost.safety_record().unwrap(),
            None,
            "the loss is not papered over by a restart"
        );
    }
    let lost = files(&state, &Arc::default());
    let accepted = Boot {
        accept_lost_safety: true,
        ..fixture::master()
    };
    assert!(accepted.start(BlsScheme::new(), &lost).is_ok());
    assert_eq!(lost.safety_record().unwrap(), Some(Vec::new()));
}

#[test]
fn damaged_safety_record_is_refused() {
    let (state, safety) = (Arc::default(), Arc::default());
    let files = files(&state, &safety);
    let record = Write {
        table: Table::Safety,
        key: b"record".to_vec(),
        value: Some(vec![0xff; 3]),
    };
    files.write(File::Safety, vec![record]).unwrap();
    let refused = fixture::master()
        .start(BlsScheme::new(), &files)
        .unwrap_err();
    assert!(matches!(refused, BootError::Fault(_)), "{refused}");
}
