use quil_p2p::{
    Connections, DialError, Host, HostConfig, HostError, HostEvent, Penalty, RecordError,
    blossomsub::{Params, ParamsError, Verdict},
};
use quil_types::GenesisHash;

use crate::nodes::{
    MASK, Node, Via, config, connected, disconnected, eventually, identity, key, spawn, until,
    within,
};

#[tokio::test]
async fn bound_addresses_have_real_ports_and_the_peer_id() {
    let both = HostConfig::loopback(identity(1), GenesisHash([1; 32]), [1; 32]);
    let (a, _events) = spawn(both).await;
    let addresses = a.listen_addrs().await.unwrap();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let text = address.to_string();
        assert!(
            text.ends_with(&format!("/p2p/{}", a.peer_id())) && !text.contains("/0/"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn address_in_use_and_bad_parameters_are_errors() {
    let (a, _events) = spawn(config(1, Via::Tcp, &[])).await;
    let mut taken = a.listen_addrs().await.unwrap().remove(0);
    taken.pop();
    let second = HostConfig {
        listen: vec![taken.clone()],
        ..config(2, Via::Tcp, &[])
    };
    let error = within("error", Host::spawn(second)).await.unwrap_err();
    assert!(matches!(error, HostError::Listen { address, .. } if address == taken));
    let bad = Params {
        degree_low: 99,
        ..Params::default()
    };
    let error = Host::spawn(HostConfig {
        gossip: bad,
        ..config(2, Via::Tcp, &[])
    })
    .await
    .unwrap_err();
    assert!(matches!(error, HostError::Params(ParamsError::Degrees)));
}

#[tokio::test]
async fn peer_of_another_network_is_disconnected() {
    let (a, mut a_events) = spawn(config(1, Via::Tcp, &[])).await;
    let other = HostConfig {
        genesis: GenesisHash([0x22; 32]),
        ..config(2, Via::Tcp, &a.listen_addrs().await.unwrap())
    };
    let (b, mut b_events) = spawn(other).await;
    connected(&mut a_events, key(2)).await;
    disconnected(&mut a_events, key(2)).await;
    disconnected(&mut b_events, key(1)).await;
    let foreign = a.stats().await.unwrap().foreign_peers + b.stats().await.unwrap().foreign_peers;
    assert!(foreign >= 1);
}

/// The bootstrap peer ends and comes back on the same port; nobody tells the other to dial.
#[tokio::test]
async fn bootstrap_peer_is_dialled_again_after_its_restart() {
    let mut b_config = config(2, Via::Tcp, &[]);
    let (b, _b_events) = spawn(b_config.clone()).await;
    let addresses = b.listen_addrs().await.unwrap();
    let mut a = Node::start(config(1, Via::Tcp, &addresses), Verdict::Accept).await;
    let (_watch, mut watched) = spawn(config(3, Via::Tcp, &addresses)).await;
    connected(&mut watched, key(2)).await;
    b.shutdown().await;
    disconnected(&mut watched, key(2)).await;
    let mut port = addresses[0].clone();
    port.pop();
    b_config.listen = vec![port];
    // The port may take a moment to become free.
    let b = within("rebind", async {
        loop {
            match Host::spawn(b_config.clone()).await {
                Ok((handle, events)) => return (handle, events),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    b.0.subscribe(MASK).await.unwrap();
    connected(&mut watched, key(2)).await;
    within("publish", async {
        while b
            .0
            .republish(MASK, "back".into())
            .await
            .unwrap()
            .is_lonely()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(a.next().await, "back");
}

#[tokio::test]
async fn both_dialling_at_once_leaves_one_working_peer() {
    for _ in 0..3 {
        let mut a = Node::start(config(1, Via::Tcp, &[]), Verdict::Accept).await;
        let mut b = Node::start(config(2, Via::Tcp, &[]), Verdict::Accept).await;
        let (to_b, to_a) = (b.address().await, a.address().await);
        let (x, y) = tokio::join!(a.handle.dial(to_b), b.handle.dial(to_a));
        assert!(x.is_ok() && y.is_ok());
        a.publish_to(1, "a".into()).await;
        b.publish_to(1, "b".into()).await;
        assert_eq!(b.next().await, "a");
        assert_eq!(a.next().await, "b");
        assert_eq!(a.handle.peers().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn inbound_connections_are_limited() {
    let limits = Connections {
        inbound_max: 2,
        ..Connections::default()
    };
    let (a, mut events) = spawn(HostConfig {
        connections: limits,
        ..config(1, Via::Tcp, &[])
    })
    .await;
    let address = a.listen_addrs().await.unwrap();
    let mut others = Vec::new();
    for n in 2..6 {
        others.push(spawn(config(n, Via::Tcp, &address)).await);
    }
    for _ in 0..2 {
        until("connection", &mut events, |e| {
            matches!(e, HostEvent::PeerConnected { .. }).then_some(())
        })
        .await;
    }
    // Others keep trying; when one of the two leaves, another gets in.
    let first = a.peers().await.unwrap()[0].peer;
    assert_eq!(a.peers().await.unwrap().len(), 2);
    let at = others.iter().position(|o| o.0.key() == first).unwrap();
    others.remove(at).0.shutdown().await;
    until("replacement", &mut events, |e| {
        matches!(e, HostEvent::PeerConnected { .. }).then_some(())
    })
    .await;
    assert!(a.peers().await.unwrap().len() <= 2);
}

/// A peer record is learnt from its peer, persisted as bytes, and leads a later run to that peer without a bootstrap list.
#[tokio::test]
async fn persisted_record_finds_the_peer_again() {
    let (a, mut a_events) = spawn(config(1, Via::Quic, &[])).await;
    let (b, mut b_events) = spawn(config(2, Via::Quic, &a.listen_addrs().await.unwrap())).await;
    connected(&mut a_events, key(2)).await;
    connected(&mut b_events, key(1)).await;
    eventually("record of a", || async {
        !b.records().await.unwrap().is_empty()
    })
    .await;
    let records = b.records().await.unwrap();
    b.shutdown().await;
    let later = HostConfig {
        records: records.clone(),
        ..config(3, Via::Quic, &[])
    };
    let (c, mut c_events) = spawn(later).await;
    connected(&mut c_events, key(1)).await;
    assert_eq!(c.add_record(records[0].clone()).await.unwrap(), Ok(key(1)));
    assert_eq!(
        c.add_record("no record".into()).await.unwrap(),
        Err(RecordError::Invalid)
    );
    assert_eq!(
        c.stats().await.unwrap().records,
        c.records().await.unwrap().len()
    );
}

#[tokio::test]
async fn disconnect_disconnects_and_a_banned_peer_is_not_dialled() {
    let (a, mut a_events) = spawn(config(1, Via::Tcp, &[])).await;
    let (b, _b_events) = spawn(config(2, Via::Tcp, &[])).await;
    let to_b = b.listen_addrs().await.unwrap().remove(0);
    a.dial(to_b.clone()).await.unwrap();
    connected(&mut a_events, key(2)).await;
    a.disconnect(key(2)).await.unwrap();
    disconnected(&mut a_events, key(2)).await;
    a.dial(to_b.clone()).await.unwrap();
    connected(&mut a_events, key(2)).await;
    a.penalise(key(2), Penalty::Malicious).await.unwrap();
    disconnected(&mut a_events, key(2)).await;
    assert_eq!(a.dial(to_b).await, Err(DialError::Refused));
}

#[tokio::test]
async fn host_ends_with_its_last_handle() {
    let (a, mut events) = spawn(config(1, Via::Tcp, &[])).await;
    drop(a.clone());
    assert!(a.peers().await.is_ok());
    drop(a);
    within("end", async { while events.next().await.is_some() {} }).await;
}
