use quil_engine::Identity;

use crate::boot::Boot;
use crate::fixture::{self, start_process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observer_follows_a_prover_over_the_network() {
    let prover = start_process(fixture::master(), 1, Vec::new()).await;
    // The observer comes late: what it missed it has to ask for.
    prover.finalises(2).await;
    let addresses = prover.host.listen_addrs().await.unwrap();
    let observer = Boot {
        identity: Identity::new(&[9; 32], None, quil_types::ProverId::ZERO),
        signer: None,
        ..fixture::master()
    };
    let observer = start_process(observer, 9, addresses).await;
    observer.finalises(3).await;
    assert!(
        observer.line.submit(vec![0xff; 4]).await.is_err(),
        "the global chain takes no bundles"
    );
    observer.stop().await;
    prover.stop().await;
}
