//! Sessions over TCP, always encrypted.

use std::net::SocketAddr;

use quil_garble::session::{Drive, Gates, Outcome};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::drive::{RunError, run_sealed};
use crate::key::SessionKey;
use crate::records::End;

/// Connects and runs the session.
///
/// # Errors
/// As [`run_sealed`].
pub async fn connect<D: Drive>(
    session: &mut D,
    address: impl ToSocketAddrs,
    key: &SessionKey,
    observe: impl FnMut(Gates),
) -> Result<Outcome, RunError> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    run_sealed(session, stream, key, End::Connecting, observe).await
}

/// Accepts one connection and runs the session on it. Says who came.
///
/// # Errors
/// As [`run_sealed`].
pub async fn listen<D: Drive>(
    session: &mut D,
    listener: &TcpListener,
    key: &SessionKey,
    observe: impl FnMut(Gates),
) -> Result<(Outcome, SocketAddr), RunError> {
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let outcome = run_sealed(session, stream, key, End::Listening, observe).await?;
    Ok((outcome, peer))
}
