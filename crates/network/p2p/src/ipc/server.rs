//! The master's side.

use std::{
    io,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use libp2p::{core::upgrade::InboundConnectionUpgrade as _, noise, tcp};
use quil_types::{GenesisHash, Timestamp};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use super::{IpcError, IpcFrame, IpcSession, PROTOCOL, Timing, frame};
use crate::{
    identity::{Identity, peer_key},
    limits::IPC_HANDSHAKES_MAX,
};

/// Largest first frame: a certificate is 106 bytes.
const HELLO_BYTES_MAX: usize = 256;

/// What a master listens with.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Identity of the master, which signed its workers' certificates.
    pub identity: Identity,
    /// The network.
    pub genesis: GenesisHash,
    /// Where to listen, normally a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Times.
    pub timing: Timing,
}

/// Accepts workers.
#[derive(Debug)]
pub struct IpcServer {
    config: ServerConfig,
    listener: TcpListener,
    handshakes: JoinSet<Result<IpcSession, IpcError>>,
}

impl IpcServer {
    /// Binds the listener.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(config: ServerConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        Ok(Self {
            config,
            listener,
            handshakes: JoinSet::new(),
        })
    }

    /// The bound address, with its real port.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next worker, or why a dial was refused; call it in a loop. A slow dialler delays nobody. Cancel safe:
    /// handshakes under way continue.
    ///
    /// # Errors
    /// Never ends the listener; [`IpcError::Io`] may mean that the process has no file handles left.
    pub async fn accept(&mut self) -> Result<IpcSession, IpcError> {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    return done.unwrap_or(Err(IpcError::Handshake));
                }
                dial = self.listener.accept(), if self.handshakes.len() < IPC_HANDSHAKES_MAX => {
                    let (stream, _) = dial?;
                    let config = self.config.clone();
                    self.handshakes.spawn(async move {
                        let limit = config.timing.handshake;
                        timeout(limit, admit(stream, config)).await.unwrap_or(Err(IpcError::HandshakeTimeout))
                    });
                }
            }
        }
    }
}

async fn admit(stream: TcpStream, config: ServerConfig) -> Result<IpcSession, IpcError> {
    stream.set_nodelay(true)?;
    let noise = noise::Config::new(config.identity.keypair())?.with_prologue(PROTOCOL.into());
    let (peer, mut io) = noise
        .upgrade_inbound(tcp::tokio::TcpStream(stream), "")
        .await?;
    let peer = peer_key(&peer).ok_or(IpcError::Handshake)?;
    let IpcFrame::Hello(cert) = frame::read(&mut io, HELLO_BYTES_MAX).await? else {
        return Err(IpcError::Unexpected);
    };
    cert.check(config.identity.key(), config.genesis, peer, now())?;
    frame::write(&mut io, &IpcFrame::Heartbeat).await?;
    Ok(IpcSession::start(io, peer, cert, config.timing))
}

/// Milliseconds since the UNIX epoch; certificates are void before it and far beyond it.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::new(since.map_or(u64::MAX, |d| {
        u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
    }))
}
