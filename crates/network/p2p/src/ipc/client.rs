//! The worker's side.

use std::net::SocketAddr;

use libp2p::{core::upgrade::OutboundConnectionUpgrade as _, noise, tcp};
use quil_types::PeerKey;
use tokio::{net::TcpStream, time::timeout};

use super::{IpcError, IpcFrame, IpcSession, PROTOCOL, Timing, WorkerCert, frame};
use crate::identity::{Identity, peer_key};

/// Largest answer to `Hello`: a heartbeat is one byte.
const ANSWER_BYTES_MAX: usize = 16;

/// What a worker dials with.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Identity of the worker, which the certificate names.
    pub identity: Identity,
    /// The master to accept, and no other.
    pub master: PeerKey,
    /// Where it listens.
    pub address: SocketAddr,
    /// Permission signed by the master.
    pub cert: WorkerCert,
    /// Times.
    pub timing: Timing,
}

/// Dials the master and waits until it has accepted the certificate. Cancel safe: dropped, no link remains.
///
/// # Errors
/// [`IpcError::WrongMaster`] before anything about this worker but its key is told; [`IpcError::Refused`] if the master
/// does not accept; otherwise what went wrong on the way.
pub async fn connect(config: ClientConfig) -> Result<IpcSession, IpcError> {
    let limit = config.timing.handshake;
    timeout(limit, dial(config))
        .await
        .unwrap_or(Err(IpcError::HandshakeTimeout))
}

async fn dial(config: ClientConfig) -> Result<IpcSession, IpcError> {
    let stream = TcpStream::connect(config.address).await?;
    stream.set_nodelay(true)?;
    let noise = noise::Config::new(config.identity.keypair())?.with_prologue(PROTOCOL.into());
    let (peer, mut io) = noise
        .upgrade_outbound(tcp::tokio::TcpStream(stream), "")
        .await?;
    let master = peer_key(&peer).ok_or(IpcError::Handshake)?;
    if master != config.master {
        return Err(IpcError::WrongMaster(master));
    }
    frame::write(&mut io, &IpcFrame::Hello(config.cert.clone())).await?;
    match frame::read(&mut io, ANSWER_BYTES_MAX).await {
        Ok(IpcFrame::Heartbeat) => Ok(IpcSession::start(io, master, config.cert, config.timing)),
        Ok(_) => Err(IpcError::Unexpected),
        Err(IpcError::Eof) => Err(IpcError::Refused),
        Err(error) => Err(error),
    }
}
