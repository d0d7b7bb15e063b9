//! Opening, creating, locking and refusing files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quil_store::{
    FORMAT_VERSION, Fault, FileKind, Origin, SafetyFile, StateFile, StateOptions, Store, StoreError,
};

use crate::model;

fn open(path: &Path) -> Result<StateFile, StoreError> {
    StateFile::open(path, StateOptions::new(1))
}

#[test]
fn content_survives_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    for n in 1..=5 {
        let store = open(&path).unwrap();
        assert_eq!(
            store.origin(),
            if n == 1 {
                Origin::Created
            } else {
                Origin::Existing
            }
        );
        assert_eq!(store.path(), path);
        model::check(&store, n - 1);
        model::commit(&store, n).unwrap();
    }
}

#[test]
fn second_handle_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let first = open(&path).unwrap();
    let error = open(&path).unwrap_err();
    let pid = std::process::id();
    assert!(
        matches!(error, StoreError::Locked { holder: Some(holder), .. } if holder == pid),
        "{error}"
    );
    assert_eq!(error.exit_code(), 75);
    drop(first);
    open(&path).unwrap();
}

#[test]
fn engine_lock_stands_when_the_lock_file_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let _first = open(&path).unwrap();
    fs::remove_file(dir.path().join("state.lock")).unwrap();
    assert!(matches!(open(&path), Err(StoreError::Locked { .. })));
}

#[test]
fn files_are_private_to_their_owner() {
    let dir = tempfile::tempdir().unwrap();
    let _state = open(&dir.path().join("state")).unwrap();
    let _safety = SafetyFile::open(&dir.path().join("safety")).unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            entry.file_name()
        );
    }
}

#[test]
fn kinds_are_not_interchangeable() {
    let dir = tempfile::tempdir().unwrap();
    let (state, safety) = (dir.path().join("state"), dir.path().join("safety"));
    drop(open(&state).unwrap());
    drop(SafetyFile::open(&safety).unwrap());
    let error = SafetyFile::open(&state).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::WrongKind {
                found: FileKind::State,
                expected: FileKind::Safety,
                ..
            }
        ),
        "{error}"
    );
    let error = open(&safety).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a safety file, expected a state file"),
        "{error}"
    );
}

#[test]
fn unknown_table_layout_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    drop(open(&path).unwrap());
    let error = StateFile::open(&path, StateOptions::new(2)).unwrap_err();
    assert!(matches!(
        error,
        StoreError::UnknownSchema {
            found: 1,
            supported: 2,
            ..
        }
    ));
    assert_eq!(error.fault(), Fault::Refuse);
    assert!(
        error
            .to_string()
            .contains("run the program version that wrote it"),
        "{error}"
    );
}

/// Writes a format record by hand, through the engine, as a later version of this program might.
fn with_format_record(path: &Path, record: &[u8]) {
    const FORMAT: redb::TableDefinition<'_, &[u8], &[u8]> =
        redb::TableDefinition::new("quil.format");
    let db = redb::Database::create(path).unwrap();
    let tx = db.begin_write().unwrap();
    tx.open_table(FORMAT)
        .unwrap()
        .insert(b"format".as_slice(), record)
        .unwrap();
    tx.commit().unwrap();
}

#[test]
fn unknown_format_is_refused_whatever_follows_the_version() {
    let dir = tempfile::tempdir().unwrap();
    for (index, tail) in [&[][..], &[1, 1, 0], &[9; 40]].into_iter().enumerate() {
        let path = dir.path().join(format!("future{index}"));
        let mut record = b"QUILSTOR".to_vec();
        record.extend_from_slice(&(FORMAT_VERSION + 1).to_le_bytes());
        record.extend_from_slice(tail);
        with_format_record(&path, &record);
        let error = open(&path).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::UnknownFormat {
                    found: 2,
                    supported: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn damaged_format_records_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = [&b"QUILSTOR"[..], &[1, 0, 1, 1, 0]].concat();
    let mut cases: Vec<Vec<u8>> = (0..good.len()).map(|n| good[..n].to_vec()).collect();
    cases.push([&good[..], &[0]].concat());
    cases.push([&b"QUILSTOX"[..], &good[8..]].concat());
    cases.push([&good[..10], &[3, 1, 0]].concat());
    for (index, record) in cases.iter().enumerate() {
        let path = dir.path().join(format!("case{index}"));
        with_format_record(&path, record);
        assert!(
            matches!(open(&path), Err(StoreError::NotAStore { .. })),
            "{record:?}"
        );
    }
    let path = dir.path().join("good");
    with_format_record(&path, &good);
    open(&path).unwrap();
}

#[test]
fn foreign_and_empty_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("page", &[0x5a; 8192]),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::NotAStore { .. }),
            "{name}: {error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    // A file of the engine without our record is not ours either.
    let path = dir.path().join("other");
    drop(redb::Database::create(&path).unwrap());
    assert!(matches!(open(&path), Err(StoreError::NotAStore { .. })));
}

#[test]
fn cut_off_files_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    {
        let store = open(&path).unwrap();
        for n in 1..=40 {
            model::commit(&store, n).unwrap();
        }
    }
    let bytes = fs::read(&path).unwrap();
    for len in [
        1,
        9,
        63,
        64,
        200,
        320,
        511,
        512,
        4095,
        4096,
        5000,
        bytes.len() / 2,
    ] {
        let cut = dir.path().join(format!("cut{len}"));
        fs::write(&cut, &bytes[..len]).unwrap();
        let error = open(&cut).unwrap_err();
        assert_ne!(error.fault(), Fault::Caller, "{len}: {error}");
    }
}

#[test]
fn left_over_temporary_file_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    fs::write(dir.path().join("state.new"), b"half of a file").unwrap();
    assert_eq!(open(&path).unwrap().origin(), Origin::Created);
    assert!(!dir.path().join("state.new").exists());
}

#[test]
fn missing_directory_is_an_error_that_names_the_step() {
    let error = open(Path::new("/nonexistent-directory/state")).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Io {
                step: "lock the store",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn compaction_keeps_content_and_needs_no_live_view() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("state")).unwrap();
    for n in 1..=60 {
        model::commit(&store, n).unwrap();
    }
    let before = store.size_bytes().unwrap();
    store.compact().unwrap();
    assert!(store.size_bytes().unwrap() <= before);
    model::check(&store, 60);
    let view = store.view().unwrap();
    assert!(matches!(store.compact(), Err(StoreError::Engine { .. })));
    drop(view);
    assert!(matches!(
        model::commit(&store, 61),
        Err(StoreError::Poisoned {
            step: "compact the file"
        })
    ));
}

#[test]
fn default_cache_is_the_documented_one() {
    assert_eq!(StateOptions::new(3).cache_bytes, 16 << 20);
}
