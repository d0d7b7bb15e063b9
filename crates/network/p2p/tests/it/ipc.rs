use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::{core::upgrade::OutboundConnectionUpgrade as _, noise, tcp};
use quil_p2p::{
    ipc::{
        CertError, ClientConfig, IpcError, IpcEvent, IpcFrame, IpcServer, IpcSession, PROTOCOL,
        ServerConfig, Timing, WorkerCert, connect,
    },
    limits,
};
use quil_types::{Canonical as _, GenesisHash, Timestamp};
use tokio::net::TcpStream;

use crate::nodes::{GENESIS, identity, key, within};

const MASTER: u8 = 1;
const WORKER: u8 = 2;

fn timing() -> Timing {
    Timing {
        handshake: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        ..Timing::default()
    }
}

async fn server(timing: Timing) -> (IpcServer, SocketAddr) {
    let listen = ([127, 0, 0, 1], 0).into();
    let config = ServerConfig {
        identity: identity(MASTER),
        genesis: GENESIS,
        listen,
        timing,
    };
    let server = IpcServer::bind(config).await.unwrap();
    let address = server.local_addr().unwrap();
    (server, address)
}

fn cert() -> WorkerCert {
    WorkerCert::issue(
        &identity(MASTER),
        GENESIS,
        key(WORKER),
        3,
        Timestamp::new(u64::MAX),
    )
}

fn client(address: SocketAddr, timing: Timing) -> ClientConfig {
    ClientConfig {
        identity: identity(WORKER),
        master: key(MASTER),
        address,
        cert: cert(),
        timing,
    }
}

async fn link(timing: Timing) -> (IpcSession, IpcSession) {
    let (mut server, address) = server(timing).await;
    let (m, w) = within("link", async {
        tokio::join!(server.accept(), connect(client(address, timing)))
    })
    .await;
    (m.unwrap(), w.unwrap())
}

async fn next(session: &mut IpcSession) -> IpcEvent {
    within("event", session.next())
        .await
        .expect("an event before the end")
}

async fn ended(session: &mut IpcSession) -> IpcError {
    loop {
        if let IpcEvent::Ended(error) = next(session).await {
            assert!(session.next().await.is_none(), "nothing after the end");
            return error;
        }
    }
}

#[tokio::test]
async fn both_sides_know_each_other() {
    let (master, worker) = link(timing()).await;
    assert_eq!((master.peer(), worker.peer()), (key(WORKER), key(MASTER)));
    assert_eq!((master.cert().core, worker.cert()), (3, master.cert()));
}

#[tokio::test]
async fn messages_and_requests_pass_both_ways() {
    let (mut master, mut worker) = link(timing()).await;
    let (to_worker, to_master) = (master.sender(), worker.sender());
    to_worker
        .publish(b"frames", "frame 7".into())
        .await
        .unwrap();
    let IpcEvent::Publish { topic, data } = next(&mut worker).await else {
        panic!("a message")
    };
    assert_eq!((topic, data), ("frames".into(), "frame 7".into()));
    let large = Bytes::from(vec![5; limits::IPC_DATA_BYTES_MAX]);
    to_master.try_publish(b"update", large.clone()).unwrap();
    let IpcEvent::Publish { data, .. } = next(&mut master).await else {
        panic!("a message")
    };
    assert_eq!(data, large);
    for (asker, answerer) in [(to_master, &mut master), (to_worker, &mut worker)] {
        let asked = tokio::spawn(async move { asker.request("2+2".into()).await });
        let IpcEvent::Request { data, reply } = next(answerer).await else {
            panic!("a request")
        };
        assert_eq!(data, "2+2");
        reply.send("4".into()).await.unwrap();
        assert_eq!(within("answer", asked).await.unwrap(), Ok("4".into()));
    }
}

#[tokio::test]
async fn answers_find_their_requests_in_any_order() {
    let (mut master, worker) = link(timing()).await;
    let asker = worker.sender();
    let asked: Vec<_> = (0..20u8)
        .map(|n| {
            let asker = asker.clone();
            tokio::spawn(async move { asker.request(vec![n].into()).await })
        })
        .collect();
    let mut requests = Vec::new();
    while requests.len() < 20 {
        let IpcEvent::Request { data, reply } = next(&mut master).await else {
            panic!("a request")
        };
        requests.push((data, reply));
    }
    requests.reverse();
    for (data, reply) in requests {
        reply.send(vec![data[0]; 2].into()).await.unwrap();
    }
    for (n, asked) in (0..20u8).zip(asked) {
        assert_eq!(
            within("answer", asked).await.unwrap(),
            Ok(vec![n; 2].into())
        );
    }
}

#[tokio::test]
async fn dropped_request_is_told_and_an_unanswered_one_times_out() {
    let (mut master, worker) = link(Timing {
        request: Duration::from_secs(2),
        ..timing()
    })
    .await;
    let asker = worker.sender();
    let asked = tokio::spawn({
        let asker = asker.clone();
        async move { asker.request("x".into()).await }
    });
    let IpcEvent::Request { reply, .. } = next(&mut master).await else {
        panic!("a request")
    };
    drop(reply);
    assert_eq!(
        within("answer", asked).await.unwrap(),
        Err(IpcError::Dropped)
    );
    let asked = tokio::spawn(async move { asker.request("y".into()).await });
    let IpcEvent::Request { reply, .. } = next(&mut master).await else {
        panic!("a request")
    };
    assert_eq!(
        within("timeout", asked).await.unwrap(),
        Err(IpcError::RequestTimeout)
    );
    assert_eq!(reply.send("late".into()).await, Ok(()), "and harms nobody");
}

/// Each bent certificate is refused by the master; the worker only learns that it was.
#[tokio::test]
async fn wrong_certificates_are_refused() {
    let (me, other, void) = (identity(MASTER), identity(9), Timestamp::new(u64::MAX));
    let worker = key(WORKER);
    let mut bent = cert();
    bent.core = 4;
    let cases = [
        (
            WorkerCert::issue(&other, GENESIS, worker, 3, void),
            CertError::Signature,
        ),
        (
            WorkerCert::issue(&me, GenesisHash([9; 32]), worker, 3, void),
            CertError::Signature,
        ),
        (
            WorkerCert::issue(&me, GENESIS, key(9), 3, void),
            CertError::WrongWorker,
        ),
        (
            WorkerCert::issue(&me, GENESIS, worker, 3, Timestamp::new(1)),
            CertError::Expired,
        ),
        (bent, CertError::Signature),
    ];
    let (mut server, address) = server(timing()).await;
    for (cert, why) in cases {
        let config = ClientConfig {
            cert,
            ..client(address, timing())
        };
        let (m, w) = within("refusal", async {
            tokio::join!(server.accept(), connect(config))
        })
        .await;
        assert_eq!(m.unwrap_err(), IpcError::Cert(why));
        assert_eq!(w.unwrap_err(), IpcError::Refused);
    }
    // A good one is accepted afterwards.
    let (m, w) = within("link", async {
        tokio::join!(server.accept(), connect(client(address, timing())))
    })
    .await;
    assert!(m.is_ok() && w.is_ok());
}

/// Somebody who stole the certificate but not the worker's key.
#[tokio::test]
async fn stolen_certificate_is_useless() {
    let (mut server, address) = server(timing()).await;
    let thief = ClientConfig {
        identity: identity(9),
        ..client(address, timing())
    };
    let (m, w) = within("refusal", async {
        tokio::join!(server.accept(), connect(thief))
    })
    .await;
    assert_eq!(m.unwrap_err(), IpcError::Cert(CertError::WrongWorker));
    assert_eq!(w.unwrap_err(), IpcError::Refused);
}

#[tokio::test]
async fn worker_refuses_another_master() {
    let (mut server, address) = server(timing()).await;
    let config = ClientConfig {
        master: key(9),
        ..client(address, timing())
    };
    let (m, w) = within("refusal", async {
        tokio::join!(server.accept(), connect(config))
    })
    .await;
    assert_eq!(w.unwrap_err(), IpcError::WrongMaster(key(MASTER)));
    assert_eq!(m.unwrap_err(), IpcError::Eof, "no certificate was shown");
}

#[tokio::test]
async fn end_of_the_other_side_is_detected_by_both_and_fails_requests() {
    let (master, mut worker) = link(timing()).await;
    let asker = worker.sender();
    let asked = tokio::spawn({
        let asker = asker.clone();
        async move { asker.request("x".into()).await }
    });
    drop(master);
    assert_eq!(ended(&mut worker).await, IpcError::Eof);
    assert!(matches!(
        within("failure", asked).await.unwrap(),
        Err(IpcError::Eof)
    ));
    assert!(
        matches!(
            asker.publish(b"t", "x".into()).await,
            Err(IpcError::Eof | IpcError::Closed)
        ) || {
            // The writer may still have taken one frame before it noticed.
            asker.request("y".into()).await.is_err()
        }
    );
    let (mut master, worker) = link(timing()).await;
    drop(worker);
    assert_eq!(ended(&mut master).await, IpcError::Eof);
}

#[tokio::test]
async fn close_writes_what_waits_first() {
    let (master, mut worker) = link(timing()).await;
    let sender = master.sender();
    for n in 0..50u8 {
        sender.publish(b"t", vec![n; 1000].into()).await.unwrap();
    }
    let closing = tokio::spawn(master.close());
    for n in 0..50u8 {
        let IpcEvent::Publish { data, .. } = next(&mut worker).await else {
            panic!("a message")
        };
        assert_eq!(data[0], n);
    }
    assert_eq!(ended(&mut worker).await, IpcError::Eof);
    within("close", closing).await.unwrap();
    assert!(sender.publish(b"t", "x".into()).await.is_err());
}

#[tokio::test]
async fn full_queue_is_told_and_large_payloads_refused() {
    let (_master, worker) = link(timing()).await;
    let sender = worker.sender();
    let over = Bytes::from(vec![0; limits::IPC_DATA_BYTES_MAX + 1]);
    assert_eq!(sender.try_publish(b"t", over), Err(IpcError::TooLarge));
    assert_eq!(
        sender.try_publish(&[0; 65], "x".into()),
        Err(IpcError::TooLarge)
    );
    // The master takes no events: queues, then socket buffers, then this queue fill up.
    let data = Bytes::from(vec![0; 1 << 20]);
    let mut sent = 0;
    within("full queue", async {
        loop {
            match sender.try_publish(b"t", data.clone()) {
                Ok(()) => sent += 1,
                Err(error) => break assert_eq!(error, IpcError::Full),
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(sent >= limits::IPC_QUEUE_MAX);
}

/// A peer of the test that speaks the protocol by hand.
struct Raw<T>(T);

impl<T: futures::AsyncRead + futures::AsyncWrite + Unpin> Raw<T> {
    async fn write(&mut self, len: u32, body: &[u8]) {
        self.0.write_all(&len.to_le_bytes()).await.unwrap();
        self.0.write_all(body).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn frame(&mut self, frame: &IpcFrame) {
        let body = frame.encode();
        self.write(u32::try_from(body.len()).unwrap(), &body).await;
    }
}

async fn raw(
    address: SocketAddr,
    prologue: &str,
) -> Option<Raw<impl futures::AsyncRead + futures::AsyncWrite + Unpin + use<>>> {
    let mut secret = [WORKER; 32];
    let pair = libp2p::identity::Keypair::ed25519_from_bytes(&mut secret[..]).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let noise = noise::Config::new(&pair)
        .unwrap()
        .with_prologue(prologue.into());
    noise
        .upgrade_outbound(tcp::tokio::TcpStream(stream), "")
        .await
        .ok()
        .map(|(_, io)| Raw(io))
}

#[tokio::test]
async fn oversized_malformed_and_unexpected_frames_end_the_link() {
    let over = u32::try_from(limits::IPC_FRAME_BYTES_MAX).unwrap() + 1;
    let hello = IpcFrame::Hello(cert()).encode();
    let cases: [(u32, &[u8], IpcError); 4] = [
        (over, &[], IpcError::FrameSize(over.into())),
        (0, &[], IpcError::FrameSize(0)),
        (3, &[77, 0, 0], IpcError::Malformed),
        (
            u32::try_from(hello.len()).unwrap(),
            &hello,
            IpcError::Unexpected,
        ),
    ];
    let (mut server, address) = server(timing()).await;
    for (len, body, why) in cases {
        let dial = async {
            let mut raw = raw(address, PROTOCOL).await.unwrap();
            raw.frame(&IpcFrame::Hello(cert())).await;
            raw
        };
        let (accepted, mut raw) =
            within("link", async { tokio::join!(server.accept(), dial) }).await;
        let mut master = accepted.unwrap();
        raw.write(len, body).await;
        assert_eq!(ended(&mut master).await, why);
        drop(master);
        let mut rest = Vec::new();
        let _reset = within("end of the stream", raw.0.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn first_frame_must_be_a_small_hello() {
    let (mut server, address) = server(timing()).await;
    for (len, body, why) in [
        (1u32, vec![5u8], IpcError::Unexpected),
        (1 << 20, vec![], IpcError::FrameSize(1 << 20)),
        (2, vec![1, 2], IpcError::Malformed),
    ] {
        let dial = async {
            let mut raw = raw(address, PROTOCOL).await.unwrap();
            raw.write(len, &body).await;
            raw
        };
        let (accepted, _raw) =
            within("refusal", async { tokio::join!(server.accept(), dial) }).await;
        assert_eq!(accepted.unwrap_err(), why);
    }
}

#[tokio::test]
async fn another_protocol_or_plain_text_fails_the_handshake() {
    let (mut server, address) = server(timing()).await;
    let dial = raw(address, "/quil/ipc/2");
    let (accepted, raw) = within("refusal", async { tokio::join!(server.accept(), dial) }).await;
    assert!(raw.is_none() && matches!(accepted.unwrap_err(), IpcError::Handshake | IpcError::Eof));
    let dial = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream)
            .await
            .unwrap();
    };
    let (accepted, ()) = within("refusal", async { tokio::join!(server.accept(), dial) }).await;
    assert!(accepted.is_err());
}

/// A dialler that says nothing is dropped after the handshake time and delays nobody meanwhile.
#[tokio::test]
async fn silent_dialler_does_not_block_others() {
    let short = Timing {
        handshake: Duration::from_secs(3),
        ..timing()
    };
    let (mut server, address) = server(short).await;
    let _silent = TcpStream::connect(address).await.unwrap();
    let (m, w) = within("link", async {
        tokio::join!(server.accept(), connect(client(address, timing())))
    })
    .await;
    assert!(m.is_ok() && w.is_ok());
    assert_eq!(
        within("timeout", server.accept()).await.unwrap_err(),
        IpcError::HandshakeTimeout
    );
}

#[tokio::test]
async fn silence_after_hello_ends_the_link_heartbeats_keep_it() {
    let quick = Timing {
        heartbeat: Duration::from_millis(100),
        silence: Duration::from_secs(1),
        ..timing()
    };
    let (mut server, address) = server(quick).await;
    let dial = async {
        let mut raw = raw(address, PROTOCOL).await.unwrap();
        raw.frame(&IpcFrame::Hello(cert())).await;
        raw
    };
    let (accepted, mut raw) = within("link", async { tokio::join!(server.accept(), dial) }).await;
    let mut master = accepted.unwrap();
    // The acceptance, and three heartbeats of a master that has nothing to say.
    let mut beats = [0; 20];
    within("heartbeats", raw.0.read_exact(&mut beats))
        .await
        .unwrap();
    assert!(beats.chunks(5).all(|b| b == [1, 0, 0, 0, 5]));
    assert_eq!(ended(&mut master).await, IpcError::Silence);
    // Two real sides stay silent for far longer than the limit without losing each other.
    let (mut master, mut worker) = link(quick).await;
    let quiet = tokio::time::timeout(Duration::from_millis(2500), async {
        tokio::join!(master.next(), worker.next())
    });
    assert!(quiet.await.is_err(), "no event, no end");
}

#[tokio::test]
async fn nobody_listening_is_an_io_error() {
    let (server, address) = server(timing()).await;
    drop(server);
    assert!(matches!(
        within("error", connect(client(address, timing()))).await,
        Err(IpcError::Io(_))
    ));
}
