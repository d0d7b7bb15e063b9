//! A peer that opens the gossip stream by hand and writes what it likes.

use std::io;

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, noise,
    request_response::{Behaviour, Codec, Config, ProtocolSupport},
    tcp, yamux,
};
use quil_p2p::{HostEvent, Multiaddr, PeerId, blossomsub::Verdict};

use crate::nodes::{Node, Via, config, connected, disconnected, key, spawn, until};

/// Writes its request and takes whatever comes.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = ();

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        // The host writes its hello here; never reading it must not trouble the host.
        std::future::pending().await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<()> {
        std::future::pending().await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&request).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        (): (),
    ) -> io::Result<()> {
        Ok(())
    }
}

fn attacker() -> Swarm<Behaviour<Raw>> {
    let pair = libp2p::identity::Keypair::ed25519_from_bytes(&mut [66u8; 32][..]).unwrap();
    SwarmBuilder::with_existing_identity(pair)
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|_| {
            let protocol = StreamProtocol::new("/quil/11111111/blossomsub/1");
            Behaviour::with_codec(Raw, [(protocol, ProtocolSupport::Full)], Config::default())
        })
        .unwrap()
        .build()
}

/// Dials the host and writes each stream's bytes.
fn attack(host: PeerId, address: Multiaddr, streams: Vec<Vec<u8>>) {
    let mut swarm = attacker();
    swarm.dial(address).unwrap();
    for bytes in streams {
        swarm.behaviour_mut().send_request(&host, bytes);
    }
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat()
}

async fn is_banned_after(streams: Vec<Vec<u8>>) {
    let (host, mut events) = spawn(config(1, Via::Tcp, &[])).await;
    attack(
        host.peer_id(),
        host.listen_addrs().await.unwrap().remove(0),
        streams,
    );
    connected(&mut events, key(66)).await;
    until("ban", &mut events, |e| {
        matches!(e, HostEvent::PeerBanned { peer } if peer == key(66)).then_some(())
    })
    .await;
    disconnected(&mut events, key(66)).await;
    let stats = host.stats().await.unwrap();
    assert_eq!((stats.gossip.graylisted, stats.gossip.peers), (1, 0));
    assert!(stats.gossip.malformed >= 3);
}

#[tokio::test]
async fn frames_of_garbage_are_counted_until_the_ban() {
    is_banned_after(vec![frame(&[0xff; 50]).repeat(5)]).await;
}

#[tokio::test]
async fn impossible_lengths_are_counted_until_the_ban() {
    // Each ends its stream, so each needs one. The host reads the newest stream of a connection.
    let streams = vec![vec![0xff; 4]; 8];
    let (host, mut events) = spawn(config(1, Via::Tcp, &[])).await;
    for bytes in streams {
        if host.stats().await.unwrap().gossip.graylisted > 0 {
            break;
        }
        let before = host.stats().await.unwrap().gossip.malformed;
        attack(
            host.peer_id(),
            host.listen_addrs().await.unwrap().remove(0),
            vec![bytes],
        );
        crate::nodes::eventually("count", || async {
            host.stats().await.unwrap().gossip.malformed > before
        })
        .await;
        let _gone = host.disconnect(key(66)).await;
        if host.stats().await.unwrap().gossip.graylisted == 0 {
            disconnected(&mut events, key(66)).await;
        }
    }
    until("ban", &mut events, |e| {
        matches!(e, HostEvent::PeerBanned { peer } if peer == key(66)).then_some(())
    })
    .await;
}

/// A peer that never reads and announces frames it never finishes holds its own connection and nothing else.
#[tokio::test]
async fn unfinished_frame_and_unread_stream_do_not_hinder_others() {
    let mut a = Node::start(config(1, Via::Tcp, &[]), Verdict::Accept).await;
    let address = a.address().await;
    let unfinished = [&8_000_000u32.to_le_bytes()[..], &[1; 100]].concat();
    attack(a.handle.peer_id(), address.clone(), vec![unfinished]);
    let mut b = Node::start(config(2, Via::Tcp, &[address]), Verdict::Accept).await;
    for n in 0..20u8 {
        a.publish_to(1, vec![n; 30_000].into()).await;
        assert_eq!(b.next().await[0], n);
    }
    b.publish_to(1, "back".into()).await;
    assert_eq!(a.next().await, "back");
}
