use quil_keys::Entry;
use tokio::time::timeout;

use super::*;
use crate::config::Layers;
use crate::fixture;
use crate::home::NewHome;

const PASS: &str = "pass";

fn setup(root: std::path::PathBuf) -> Setup {
    let network = fixture::network();
    let config = "p2p:\n  listen: [/ip4/127.0.0.1/tcp/0]\n";
    let keys = fixture::sealed_keys(PASS);
    let content = NewHome {
        config,
        genesis: network.genesis(),
        keys: &keys,
        passphrase: Some(PASS),
    };
    let home = Home::create(root, &content).unwrap();
    let config = home.layers().unwrap().decode().unwrap();
    let passphrase = home.passphrase(None).unwrap();
    Setup::load(home, config, &passphrase).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_becomes_a_process_that_finalises_and_frees_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let setup = setup(dir.path().join("n0"));
    for number in [1, 2] {
        let process = Process::start(&setup, 0, false).await.unwrap();
        let mut status = process.line.status();
        let reached = status.wait_for(|s| s.final_number.get() >= number);
        timeout(Duration::from_secs(60), reached)
            .await
            .expect("a final frame")
            .unwrap();
        let second = Process::start(&setup, 0, false).await.unwrap_err();
        assert!(
            matches!(second, ProcessError::Home(HomeError::Store(_))),
            "{second}"
        );
        process.stop().await;
    }
    let worker = Process::start(&setup, 1, false).await.unwrap();
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process_whose_engine_ended_is_stopped_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let setup = setup(dir.path().join("n0"));
    let mut process = Process::start(&setup, 0, false).await.unwrap();
    process.engine.stop();
    for _ in 0..2 {
        let ended = timeout(Duration::from_secs(60), process.ended()).await;
        ended.expect("it ends with its engine").unwrap();
    }
    process.stop().await;
    let files = setup.home.open_files(&setup.config, 0, Chain::Global);
    assert!(files.is_ok(), "its files are free");
}

#[test]
fn keys_that_do_not_fit_the_genesis_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut setup = setup(dir.path().join("n0"));
    assert!(
        matches!(setup.boot(2, false), Err(ProcessError::Key(_))),
        "no such worker"
    );
    let mut keys = KeyStore::new();
    let peer = Entry::Peer(PeerKeypair::from_seed(&[77; 32]));
    keys.add(alias::peer(0).unwrap(), peer).unwrap();
    setup.keys = Arc::new(keys);
    assert!(
        setup.boot(0, false).unwrap().signer.is_none(),
        "without a prover key it observes"
    );
    let mut keys = fixture::keys();
    keys.remove(&alias::peer(0).unwrap()).unwrap();
    keys.add(
        alias::peer(0).unwrap(),
        Entry::Peer(PeerKeypair::from_seed(&[77; 32])),
    )
    .unwrap();
    setup.keys = Arc::new(keys);
    assert!(matches!(
        setup.boot(0, false),
        Err(ProcessError::WrongPeer(0))
    ));
}

#[test]
fn worker_listens_as_configured_or_on_a_free_port() {
    let layers = Layers::built_in().unwrap();
    let layers = layers
        .with_flag("p2p.worker_listen", "[/ip4/127.0.0.1/tcp/9001]")
        .unwrap();
    let config = layers.decode().unwrap();
    assert_eq!(listen(&config, 0), config.p2p.listen);
    assert_eq!(listen(&config, 1), ["/ip4/127.0.0.1/tcp/9001"]);
    assert_eq!(
        listen(&config, 2),
        ["/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"]
    );
}
