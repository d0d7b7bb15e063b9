use quil_store::MemStore;

use super::*;

fn files() -> Files {
    let safety = SafetyFile::over(Box::new(MemStore::new()));
    Files::new(Arc::new(MemStore::new()), safety, Chain::Global)
}

fn put(table: Table, key: &[u8], value: &[u8]) -> Write {
    Write {
        table,
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }
}

#[test]
fn batch_is_seen_by_later_readers_only() {
    let files = files();
    let before = files.reader().unwrap();
    files
        .write(
            File::State,
            vec![put(Table::Meta, b"a", b"1"), put(Table::Frames, b"b", b"2")],
        )
        .unwrap();
    assert_eq!(before.get(Table::Meta, b"a").unwrap(), None);
    let after = files.reader().unwrap();
    assert_eq!(after.get(Table::Meta, b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(
        after.get(Table::Meta, b"b").unwrap(),
        None,
        "tables are apart"
    );
    files
        .write(
            File::State,
            vec![Write {
                value: None,
                ..put(Table::Meta, b"a", b"")
            }],
        )
        .unwrap();
    assert_eq!(
        files.reader().unwrap().get(Table::Meta, b"a").unwrap(),
        None
    );
}

#[test]
fn range_ascends_from_its_key_and_last_is_the_highest() {
    let files = files();
    let rows = (0..10u8)
        .map(|i| put(Table::Frames, &[i], &[i, i]))
        .collect();
    files.write(File::State, rows).unwrap();
    let reader = files.reader().unwrap();
    let found = reader.range(Table::Frames, &[3], 4).unwrap();
    assert_eq!(
        found,
        (3..7u8).map(|i| (vec![i], vec![i, i])).collect::<Vec<_>>()
    );
    assert_eq!(reader.range(Table::Frames, &[], 100).unwrap().len(), 10);
    assert_eq!(
        reader.last(Table::Frames).unwrap(),
        Some((vec![9], vec![9, 9]))
    );
    assert_eq!(reader.last(Table::Candidates).unwrap(), None);
}

#[test]
fn safety_record_is_kept_apart_from_the_state() {
    let files = files();
    assert_eq!(files.safety_record().unwrap(), None);
    files
        .write(
            File::Safety,
            vec![put(Table::Safety, b"record", b"signed 1")],
        )
        .unwrap();
    files
        .write(
            File::Safety,
            vec![put(Table::Safety, b"record", b"signed 2")],
        )
        .unwrap();
    assert_eq!(files.safety_record().unwrap(), Some(b"signed 2".to_vec()));
    assert_eq!(
        files
            .reader()
            .unwrap()
            .get(Table::Safety, b"record")
            .unwrap(),
        None
    );
}

#[test]
fn safety_record_beyond_its_cap_is_an_error_and_changes_nothing() {
    let files = files();
    files
        .write(File::Safety, vec![put(Table::Safety, b"record", b"signed")])
        .unwrap();
    let long = vec![0; quil_store::limits::SAFETY_RECORD_BYTES_MAX];
    assert!(
        files
            .write(File::Safety, vec![put(Table::Safety, b"record", &long)])
            .is_err()
    );
    assert_eq!(files.safety_record().unwrap(), Some(b"signed".to_vec()));
}

#[test]
fn source_reads_the_last_batch() {
    let files = files();
    let source = files.source();
    assert_eq!(source.get(Table::Records, b"coin").unwrap(), None);
    files
        .write(File::State, vec![put(Table::Records, b"coin", b"value")])
        .unwrap();
    let found = source.get(Table::Records, b"coin").unwrap();
    assert_eq!(found, Some(b"value".to_vec()));
    assert_eq!(
        source.get(Table::Nodes, b"coin").unwrap(),
        None,
        "tables are apart"
    );
}
