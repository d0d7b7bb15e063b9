//! Hosts with a node that answers their events.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use quil_p2p::{
    Host, HostConfig, HostEvent, HostEvents, HostHandle, Identity, Multiaddr,
    blossomsub::{Mask, Verdict},
};
use quil_types::{GenesisHash, PeerKey};
use tokio::{sync::mpsc, time::timeout};

pub(crate) const GENESIS: GenesisHash = GenesisHash([0x11; 32]);
pub(crate) const MASK: Mask = Mask::GLOBAL_FRAMES;
/// The test machine may be busy with other builds.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    Tcp,
    Quic,
}

/// Waits for an event, not for ever.
pub(crate) async fn within<T>(what: &str, f: impl Future<Output = T>) -> T {
    timeout(LIMIT, f)
        .await
        .unwrap_or_else(|_| panic!("no {what} in time"))
}

pub(crate) fn identity(n: u8) -> Identity {
    Identity::from_secret(&mut [n; 32])
}

pub(crate) fn key(n: u8) -> PeerKey {
    identity(n).key()
}

pub(crate) fn config(n: u8, via: Via, bootstrap: &[Multiaddr]) -> HostConfig {
    let listen = match via {
        Via::Tcp => "/ip4/127.0.0.1/tcp/0",
        Via::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
    };
    HostConfig {
        listen: vec![listen.parse().unwrap()],
        bootstrap: bootstrap.to_vec(),
        ..HostConfig::loopback(identity(n), GENESIS, [n; 32])
    }
}

pub(crate) async fn spawn(config: HostConfig) -> (HostHandle, HostEvents) {
    within("host", Host::spawn(config)).await.unwrap()
}

/// The next event that `pick` takes; others are passed over.
pub(crate) async fn until<T>(
    what: &str,
    events: &mut HostEvents,
    mut pick: impl FnMut(HostEvent) -> Option<T>,
) -> T {
    within(what, async {
        loop {
            let event = events.next().await.expect("the host runs");
            if let Some(found) = pick(event) {
                return found;
            }
        }
    })
    .await
}

pub(crate) async fn connected(events: &mut HostEvents, to: PeerKey) {
    until("connection", events, |e| match e {
        HostEvent::PeerConnected { peer, .. } if peer == to => Some(()),
        _ => None,
    })
    .await;
}

pub(crate) async fn disconnected(events: &mut HostEvents, from: PeerKey) {
    until("disconnection", events, |e| match e {
        HostEvent::PeerDisconnected { peer } if peer == from => Some(()),
        _ => None,
    })
    .await;
}

/// A node that subscribes to [`MASK`], gives every message the same verdict and hands out what it got.
pub(crate) struct Node {
    pub(crate) handle: HostHandle,
    pub(crate) got: mpsc::Receiver<Bytes>,
}

impl Node {
    pub(crate) async fn start(config: HostConfig, verdict: Verdict) -> Self {
        let (handle, mut events) = spawn(config).await;
        handle.subscribe(MASK).await.unwrap();
        let (tx, got) = mpsc::channel(1024);
        let judge = handle.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let HostEvent::Message { id, data, .. } = event {
                    let _ended = judge.report_validation(id, verdict).await;
                    let _full = tx.try_send(data);
                }
            }
        });
        Self { handle, got }
    }

    pub(crate) async fn next(&mut self) -> Bytes {
        within("message", self.got.recv())
            .await
            .expect("the node runs")
    }

    pub(crate) async fn address(&self) -> Multiaddr {
        self.handle.listen_addrs().await.unwrap().remove(0)
    }

    /// Publishes until at least `n` peers are there to take it.
    pub(crate) async fn publish_to(&self, n: usize, data: Bytes) {
        within("peers to publish to", async {
            while self
                .handle
                .republish(MASK, data.clone())
                .await
                .unwrap()
                .queued
                < n
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Waits until a condition on the host holds; asks again as soon as the host has answered.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    within(what, async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
