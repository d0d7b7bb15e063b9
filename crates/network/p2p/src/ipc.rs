//! The link between a worker and its master (W4): one TCP stream, Noise XX with the two Ed25519 identities, frames of u32
//! little-endian length and a `Canonical` body.
//!
//! The worker dials. Noise proves both identities; the prologue is the protocol id `/quil/ipc/1`. The worker continues
//! only if the other side is its master, and sends `Hello` with a certificate the master signed for its key, its core
//! and this network until some time; the master checks it and answers with a first `Heartbeat`. From then on both sides
//! publish, ask and answer. Each sends a `Heartbeat` when it has nothing else to say; silence ends the link.
//!
//! Queues hold [`crate::limits::IPC_QUEUE_MAX`]; a full one makes the writer wait, on both ends of the link. So a side that does not
//! take its events stalls the other's publishing, and after the silence limit loses the link. Do not await a request in
//! the loop that takes the events: its response may stand behind them.

mod cert;
mod client;
mod frame;
mod server;
mod session;

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncWrite};
use libp2p::noise;
use quil_types::PeerKey;

pub use cert::{CertError, WorkerCert};
pub use client::{ClientConfig, connect};
pub use frame::IpcFrame;
pub use server::{IpcServer, ServerConfig};
pub use session::{IpcEvent, IpcReply, IpcSender, IpcSession};

/// Protocol id, and prologue of the handshake.
pub const PROTOCOL: &str = "/quil/ipc/1";

/// Times of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// For connecting, the handshake, and `Hello` with its answer.
    pub handshake: Duration,
    /// A heartbeat is sent after so much silence of ours.
    pub heartbeat: Duration,
    /// The link ends after so much silence of the other side, or when a frame cannot be written for so long.
    pub silence: Duration,
    /// For a request until its response.
    pub request: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            heartbeat: Duration::from_secs(1),
            silence: Duration::from_secs(10),
            request: Duration::from_secs(10),
        }
    }
}

/// Why a link was not made or has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IpcError {
    /// Connecting, reading or writing failed.
    #[error("io: {0}")]
    Io(io::ErrorKind),
    /// Noise did not come to an end: no such identity, another protocol, or no peer of ours.
    #[error("handshake failed")]
    Handshake,
    /// The handshake or `Hello` took too long.
    #[error("handshake took too long")]
    HandshakeTimeout,
    /// The listener is not our master.
    #[error("not our master but {0}")]
    WrongMaster(PeerKey),
    /// The worker's certificate.
    #[error(transparent)]
    Cert(#[from] CertError),
    /// The first frame was no `Hello`, or a later one was.
    #[error("unexpected frame")]
    Unexpected,
    /// The master closed the stream instead of accepting.
    #[error("refused by the master")]
    Refused,
    /// A frame of no bytes or above the cap.
    #[error("frame of {0} bytes")]
    FrameSize(u64),
    /// Bytes that are no frame.
    #[error("malformed frame")]
    Malformed,
    /// A payload or topic above its cap.
    #[error("payload or topic too large")]
    TooLarge,
    /// The queue is full.
    #[error("queue is full")]
    Full,
    /// Too many requests wait for an answer.
    #[error("too many requests under way")]
    Busy,
    /// The other side did not answer a request in time.
    #[error("no response in time")]
    RequestTimeout,
    /// The other side dropped a request.
    #[error("request was dropped")]
    Dropped,
    /// Nothing was heard, or nothing could be written, for too long.
    #[error("the other side is silent")]
    Silence,
    /// The other side closed the stream.
    #[error("the other side closed the link")]
    Eof,
    /// This side closed the link.
    #[error("the link is closed")]
    Closed,
}

impl From<io::Error> for IpcError {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => Self::Eof,
            kind => Self::Io(kind),
        }
    }
}

impl From<noise::Error> for IpcError {
    fn from(_: noise::Error) -> Self {
        Self::Handshake
    }
}

/// A stream after the handshake.
trait Secured: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Secured for T {}
