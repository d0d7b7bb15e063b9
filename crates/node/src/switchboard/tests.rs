use std::time::Duration;

use quil_engine::Identity as EngineIdentity;
use quil_hotstuff::BlsScheme;
use quil_p2p::{Host, HostConfig, Identity, Multiaddr};
use quil_store::{MemStore, SafetyFile};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::boot::Boot;
use crate::drive::{Driver, spawn};
use crate::fixture;
use crate::persist::Files;

struct Process {
    line: Line,
    host: HostHandle,
    run: JoinHandle<Result<(), SwitchError>>,
    engine: std::thread::JoinHandle<()>,
}

async fn start(boot: Boot, peer: u8, bootstrap: Vec<Multiaddr>) -> Process {
    let (network, chain) = (Arc::clone(&boot.network), boot.chain);
    let safety = SafetyFile::over(Box::new(MemStore::new()));
    let files = Files::new(Arc::new(MemStore::new()), safety, chain);
    let scheme = BlsScheme::new();
    let engine = boot.start(scheme.clone(), &files).unwrap();
    let state = files.state();
    let (port, socket) = port();
    let driver = Driver {
        engine,
        network: Arc::clone(&network),
        scheme: Arc::new(scheme),
        files,
        pool: Arc::new(
            rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .unwrap(),
        ),
        outside: Box::new(port),
    };
    let identity = Identity::from_secret(&mut [peer; 32]);
    let config = HostConfig {
        bootstrap,
        ..HostConfig::loopback(identity, network.hash(), [peer; 32])
    };
    let (host, events) = Host::spawn(config).await.unwrap();
    let (handle, join) = spawn(driver).unwrap();
    let wiring = Wiring {
        network,
        chain,
        engine: handle,
        socket,
        host: host.clone(),
        events,
        state,
    };
    let (board, line) = Switchboard::connect(wiring).await.unwrap();
    Process {
        line,
        host,
        run: tokio::spawn(board.run()),
        engine: join,
    }
}

impl Process {
    async fn finalises(&self, number: u64) {
        let mut status = self.line.status();
        let reached = status.wait_for(|s| s.final_number.get() >= number);
        timeout(Duration::from_secs(60), reached)
            .await
            .expect("a final frame")
            .unwrap();
    }

    async fn stop(self) {
        drop(self.line);
        self.run.await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || self.engine.join())
            .await
            .unwrap()
            .unwrap();
        self.host.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observer_follows_a_prover_over_the_network() {
    let prover = start(fixture::master(), 1, Vec::new()).await;
    // The observer comes late: what it missed it has to ask for.
    prover.finalises(2).await;
    let addresses = prover.host.listen_addrs().await.unwrap();
    let observer = Boot {
        identity: EngineIdentity::new(&[9; 32], None, quil_types::ProverId::ZERO),
        signer: None,
        ..fixture::master()
    };
    let observer = start(observer, 9, addresses).await;
    observer.finalises(3).await;
    assert!(
        observer.line.submit(vec![0xff; 4]).await.is_err(),
        "the global chain takes no bundles"
    );
    observer.stop().await;
    prover.stop().await;
}
