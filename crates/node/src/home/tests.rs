use std::os::unix::fs::PermissionsExt as _;

use quil_keys::{Entry, KdfParams, PeerKeypair};
use quil_store::EXIT_CANNOT_LOCK;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::fixture;

fn sealed() -> Vec<u8> {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut keys = KeyStore::new();
    keys.add(
        alias::peer(0).unwrap(),
        Entry::Peer(PeerKeypair::from_seed(&[1; 32])),
    )
    .unwrap();
    keys.seal(
        &Passphrase::new(b"pass").unwrap(),
        KdfParams::MINIMUM,
        &mut rng,
    )
    .unwrap()
}

fn create(root: PathBuf, passphrase: Option<&str>) -> Result<Home, HomeError> {
    let network = fixture::network();
    let content = NewHome {
        config: "workers:\n  count: 0\n",
        genesis: network.genesis(),
        keys: &sealed(),
        passphrase,
    };
    Home::create(root, &content)
}

#[test]
fn created_home_opens_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = create(dir.path().join("n0"), Some("pass\n")).unwrap();
    let config = home.layers().unwrap().decode().unwrap();
    assert_eq!(config.workers.count, 0);
    assert_eq!(
        &home.genesis(&config).unwrap(),
        fixture::network().genesis()
    );
    let keys = home.keys(&home.passphrase(None).unwrap()).unwrap();
    let peer = keys.peer(&alias::peer(0).unwrap()).unwrap();
    assert_eq!(peer.public(), fixture::master().identity.peer());
}

#[test]
fn existing_home_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("n0");
    create(root.clone(), None).unwrap();
    let before = std::fs::read(root.join("keys.qks")).unwrap();
    assert!(matches!(
        create(root.clone(), None),
        Err(HomeError::Exists(_))
    ));
    assert_eq!(std::fs::read(root.join("keys.qks")).unwrap(), before);
}

#[test]
fn nobody_else_can_read_a_new_home() {
    let dir = tempfile::tempdir().unwrap();
    let home = create(dir.path().join("n0"), Some("pass")).unwrap();
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.root()), 0o700);
    for path in [home.config_path(), home.keys_path(), home.passphrase_path()] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn passphrase_comes_from_the_variable_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let home = create(dir.path().join("n0"), Some("other\r\n")).unwrap();
    assert!(home.keys(&home.passphrase(Some("pass")).unwrap()).is_ok());
    let wrong = home.keys(&home.passphrase(None).unwrap()).unwrap_err();
    assert!(
        matches!(
            wrong,
            HomeError::Keys {
                source: OpenError::WrongPassphrase,
                ..
            }
        ),
        "{wrong}"
    );
    assert!(matches!(
        home.passphrase(Some("")),
        Err(HomeError::Passphrase(_))
    ));
    std::fs::remove_file(home.passphrase_path()).unwrap();
    assert!(matches!(
        home.passphrase(None),
        Err(HomeError::NoPassphrase(_))
    ));
}

#[test]
fn passphrase_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let home = create(dir.path().join("n0"), Some("pass")).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        let path = home.passphrase_path();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            matches!(home.passphrase(None), Err(HomeError::Exposed(_))),
            "{mode:o}"
        );
    }
}

#[test]
fn second_process_on_the_files_is_told_to_exit_with_75() {
    let dir = tempfile::tempdir().unwrap();
    let home = create(dir.path().join("n0"), None).unwrap();
    let config = Config::built_in();
    let first = home.open_files(&config, 1, Chain::Global).unwrap();
    let Err(HomeError::Store(e)) = home.open_files(&config, 1, Chain::Global) else {
        panic!("locked");
    };
    assert_eq!(e.exit_code(), EXIT_CANNOT_LOCK);
    assert!(
        home.open_files(&config, 2, Chain::Global).is_ok(),
        "every process has its own"
    );
    drop(first);
    assert!(home.open_files(&config, 1, Chain::Global).is_ok());
}

#[test]
fn oversized_and_damaged_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new(dir.path().to_owned());
    assert_eq!(
        home.layers().unwrap().decode().unwrap(),
        Config::built_in(),
        "no file: the defaults"
    );
    let missing = home.genesis(&Config::built_in()).unwrap_err().to_string();
    assert!(missing.contains("genesis.bin"), "{missing}");
    std::fs::write(dir.path().join("genesis.bin"), b"no document").unwrap();
    assert!(matches!(
        home.genesis(&Config::built_in()),
        Err(HomeError::Genesis(_))
    ));
    std::fs::write(home.config_path(), vec![b'#'; FILE_BYTES_MAX + 1]).unwrap();
    assert!(matches!(home.layers(), Err(HomeError::TooLarge { .. })));
    std::fs::write(home.config_path(), b"log:\n  filter: \xff\n").unwrap();
    assert!(matches!(home.layers(), Err(HomeError::Text(_))));
}
