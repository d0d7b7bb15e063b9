//! The file format: bounds before work, three different failures, no byte without protection.

use quil_keys::{
    Entry, KdfParams, KeyStore, OpenError, PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError,
    change_passphrase, verify_backup,
};
use quil_types::{hash, tags};

use crate::fixtures::{COST, alias, full_store, pass, peer, rng};

/// Where the parts of a file lie.
const VERSION: usize = 8;
const MEMORY: usize = 10;
const PASSES: usize = 14;
const LANES: usize = 18;
const SALT: usize = 22;
const NONCE: usize = 38;
const CHECK: usize = 62;
const LENGTH: usize = 78;
const CIPHERTEXT: usize = 82;
const SUM_BYTES: usize = 32;

fn small_file() -> Vec<u8> {
    let mut store = KeyStore::new();
    store.add(alias("node"), Entry::Peer(peer(1))).unwrap();
    store
        .seal(&pass("correct horse"), COST, &mut rng(1))
        .unwrap()
}

/// Makes the checksum right again, as somebody who changes the file on purpose would.
fn fix_sum(mut file: Vec<u8>) -> Vec<u8> {
    let body = file.len() - SUM_BYTES;
    let sum = hash::h_bytes(tags::KEY_STORE, &file[..body]);
    file[body..].copy_from_slice(&sum);
    file
}

fn open(file: &[u8]) -> Result<KeyStore, OpenError> {
    KeyStore::open(file, &pass("correct horse"))
}

fn set_u32(file: &mut [u8], at: usize, value: u32) {
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn layout_is_the_documented_one() {
    let file = small_file();
    assert!(file.starts_with(b"QUILKEYS\x01\x00"));
    assert_eq!(
        file[MEMORY..SALT],
        [0x00, 0x4c, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]
    );
    let len = u32::from_le_bytes(file[LENGTH..CIPHERTEXT].try_into().unwrap());
    assert_eq!(
        file.len(),
        CIPHERTEXT + usize::try_from(len).unwrap() + SUM_BYTES
    );
    // u16 count, u32 length and text of the alias, kind, seed, tag of the cipher.
    assert_eq!(len, 2 + 4 + 4 + 1 + 32 + 16);
    assert_eq!(fix_sum(file.clone()), file);
}

#[test]
fn recorded_file_opens() {
    // Written by the first version of the format; later versions must read it or refuse it by its version.
    let file = hex::decode(include_str!("../vectors/key_store_v1.hex").trim()).unwrap();
    let store = open(&file).unwrap();
    assert_eq!(
        store.peer(&alias("node")).unwrap().public(),
        peer(1).public()
    );
    assert_eq!(file, small_file());
}

#[test]
fn flipped_byte_anywhere_is_damage_and_costs_no_derivation() {
    let file = small_file();
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        let error = open(&damaged).unwrap_err();
        match at {
            0..VERSION => assert_eq!(error, OpenError::NotAKeyStore),
            VERSION..MEMORY => assert!(matches!(error, OpenError::UnknownVersion { .. })),
            _ => assert_eq!(error, OpenError::Damaged, "byte {at}"),
        }
    }
}

#[test]
fn truncation_and_extension_are_damage() {
    let file = small_file();
    for len in 0..file.len() {
        let error = open(&file[..len]).unwrap_err();
        let expected = if len < VERSION {
            OpenError::NotAKeyStore
        } else {
            OpenError::Damaged
        };
        assert_eq!(error, expected, "{len} bytes");
        if len >= LENGTH + SUM_BYTES {
            assert_eq!(
                open(&fix_sum(file[..len].to_vec())).unwrap_err(),
                OpenError::Damaged
            );
        }
    }
    let mut long = file;
    long.push(0);
    assert_eq!(open(&long).unwrap_err(), OpenError::Damaged);
    assert_eq!(open(&fix_sum(long)).unwrap_err(), OpenError::Damaged);
    assert!(matches!(
        open(&vec![0; 1 << 20]),
        Err(OpenError::TooLarge { len: 1_048_576 })
    ));
}

#[test]
fn wrong_passphrase_is_told_from_damage_and_from_tampering() {
    let file = small_file();
    for other in ["correct hors", "correct horse ", "Correct horse", "\0"] {
        assert_eq!(
            KeyStore::open(&file, &pass(other)).unwrap_err(),
            OpenError::WrongPassphrase
        );
    }
    for at in [
        NONCE,
        NONCE + 23,
        CIPHERTEXT,
        CIPHERTEXT + 20,
        file.len() - SUM_BYTES - 1,
    ] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert_eq!(
            open(&fix_sum(changed)).unwrap_err(),
            OpenError::Tampered,
            "byte {at}"
        );
    }
    // Salt, check and cost take part in the derivation: with another one no passphrase fits.
    for at in [SALT, SALT + 15, CHECK, CHECK + 15, MEMORY] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert_eq!(
            open(&fix_sum(changed)).unwrap_err(),
            OpenError::WrongPassphrase,
            "byte {at}"
        );
    }
}

#[test]
fn cost_is_bounded_before_it_is_paid() {
    let file = small_file();
    for (at, value) in [
        (MEMORY, 0),
        (MEMORY, 19 * 1024 - 1),
        (MEMORY, (1 << 20) + 1),
        (MEMORY, u32::MAX),
        (PASSES, 0),
        (PASSES, 1),
        (PASSES, 17),
        (PASSES, u32::MAX),
        (LANES, 0),
        (LANES, 5),
        (LANES, u32::MAX),
    ] {
        let mut changed = file.clone();
        set_u32(&mut changed, at, value);
        assert!(
            matches!(open(&fix_sum(changed)), Err(OpenError::Params(_))),
            "{at}: {value}"
        );
    }
    assert!(KdfParams::new(1 << 20, 4, 1).is_ok());
    let error = KdfParams::new(1 << 20, 5, 1).unwrap_err();
    assert_eq!(
        (error.memory_kib, error.passes, error.lanes),
        (1 << 20, 5, 1)
    );
    let default = KdfParams::INTERACTIVE;
    assert_eq!(
        (default.memory_kib(), default.passes(), default.lanes()),
        (65_536, 3, 1)
    );
    assert_eq!(KdfParams::new(65_536, 3, 1), Ok(default));
    assert_eq!(KdfParams::new(19_456, 2, 1), Ok(KdfParams::MINIMUM));
}

#[test]
fn lanes_are_part_of_the_derivation() {
    let store = full_store();
    let cost = KdfParams::new(19_456, 2, 2).unwrap();
    let file = store
        .seal(&pass("correct horse"), cost, &mut rng(3))
        .unwrap();
    assert_eq!(open(&file).unwrap().len(), store.len());
    let mut changed = file;
    set_u32(&mut changed, LANES, 1);
    assert_eq!(
        open(&fix_sum(changed)).unwrap_err(),
        OpenError::WrongPassphrase
    );
}

#[test]
fn later_format_is_named_whatever_follows() {
    let mut file = small_file();
    file[VERSION] = 2;
    assert_eq!(
        open(&file).unwrap_err(),
        OpenError::UnknownVersion { found: 2 }
    );
    let error = open(b"QUILKEYS\xff\xff").unwrap_err();
    assert_eq!(
        error.to_string(),
        "key store format 65535, this program reads format 1"
    );
}

#[test]
fn sealing_twice_shares_no_salt_nonce_or_ciphertext() {
    let store = full_store();
    let mut random = rng(1);
    let a = store.seal(&pass("x"), COST, &mut random).unwrap();
    let b = store.seal(&pass("x"), COST, &mut random).unwrap();
    assert_eq!(a.len(), b.len());
    for range in [
        SALT..NONCE,
        NONCE..CHECK,
        CHECK..LENGTH,
        CIPHERTEXT..CIPHERTEXT + 32,
    ] {
        assert_ne!(a[range.clone()], b[range]);
    }
}

#[test]
fn file_shows_no_alias_and_no_secret() {
    let store = full_store();
    let file = store.seal(&pass("x"), COST, &mut rng(1)).unwrap();
    let seed = store.peer(&alias("node")).unwrap().expose_seed();
    for needle in [&b"savings"[..], b"prover", &seed[..8]] {
        assert!(!file.windows(needle.len()).any(|w| w == needle));
    }
}

#[test]
fn changed_passphrase_replaces_the_old_one() {
    let file = full_store().seal(&pass("old"), COST, &mut rng(1)).unwrap();
    let cost = KdfParams::new(20_000, 2, 1).unwrap();
    let new = change_passphrase(&file, &pass("old"), &pass("new"), cost, &mut rng(2)).unwrap();
    assert_eq!(
        KeyStore::open(&new, &pass("old")).unwrap_err(),
        OpenError::WrongPassphrase
    );
    assert_eq!(KeyStore::open(&new, &pass("new")).unwrap().len(), 5);
    assert_ne!(new[SALT..NONCE], file[SALT..NONCE]);
    let wrong = change_passphrase(&file, &pass("guess"), &pass("new"), cost, &mut rng(2));
    assert_eq!(wrong.unwrap_err(), OpenError::WrongPassphrase);
}

#[test]
fn backup_is_checked_by_opening_it() {
    let store = full_store();
    let file = store.seal(&pass("x"), COST, &mut rng(1)).unwrap();
    verify_backup(&file, &file.clone(), &pass("x")).unwrap();
    let sealed_again = store.seal(&pass("x"), COST, &mut rng(2)).unwrap();
    verify_backup(&file, &sealed_again, &pass("x")).unwrap();
    let mut fewer = full_store();
    fewer.remove(&alias("bob")).unwrap();
    let other = fewer.seal(&pass("x"), COST, &mut rng(3)).unwrap();
    assert_eq!(
        verify_backup(&file, &other, &pass("x")),
        Err(OpenError::Content)
    );
    assert_eq!(
        verify_backup(&file, &file[..90], &pass("x")),
        Err(OpenError::Damaged)
    );
    assert_eq!(
        verify_backup(&file, &file, &pass("y")),
        Err(OpenError::WrongPassphrase)
    );
}

#[test]
fn passphrases_are_bounded() {
    assert_eq!(Passphrase::new(b"").unwrap_err(), PassphraseError::Empty);
    assert_eq!(
        Passphrase::new(&[1; PASSPHRASE_BYTES_MAX + 1]).unwrap_err(),
        PassphraseError::TooLong
    );
    Passphrase::new(&[1; PASSPHRASE_BYTES_MAX]).unwrap();
}
