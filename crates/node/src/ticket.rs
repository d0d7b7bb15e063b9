//! What a master gives a worker process on its way: where to call and by what right (W4).
//!
//! One environment variable of the child. It names public things only: the certificate is worth nothing without the worker's
//! own network key.

use std::net::SocketAddr;

use quil_p2p::ipc::WorkerCert;
use quil_types::{Bytes, Canonical as _, PeerKey, canonical};

/// The environment variable.
pub const TICKET_VARIABLE: &str = "QUIL_WORKER_TICKET";
/// Largest encoding, bytes.
const TICKET_BYTES_MAX: usize = 512;
/// Longest text of an address, bytes.
const ADDRESS_BYTES_MAX: usize = 64;

canonical! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Encoded {
        master: PeerKey,
        pid: u32,
        address: Bytes<ADDRESS_BYTES_MAX>,
        cert: WorkerCert,
    }
}

/// See the module documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Network identity of the master.
    pub master: PeerKey,
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// Permission signed by the master.
    pub cert: WorkerCert,
}

/// The variable does not hold a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{TICKET_VARIABLE} holds no ticket of a master; workers are started by `quil node run`, not by hand"
)]
pub struct TicketError;

impl Ticket {
    /// The text of the variable.
    ///
    /// # Errors
    /// [`TicketError`], never in practice: an address has no 64 bytes.
    pub fn to_text(&self) -> Result<String, TicketError> {
        let address = self.address.to_string().into_bytes();
        let encoded = Encoded {
            master: self.master,
            pid: self.pid,
            address: address.try_into().map_err(|_| TicketError)?,
            cert: self.cert.clone(),
        };
        Ok(hex::encode(encoded.encode()))
    }

    /// Reads the text of the variable.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn from_text(text: &str) -> Result<Self, TicketError> {
        if text.len() > TICKET_BYTES_MAX.saturating_mul(2) {
            return Err(TicketError);
        }
        let bytes = hex::decode(text).map_err(|_| TicketError)?;
        let encoded = Encoded::decode(&bytes, TICKET_BYTES_MAX).map_err(|_| TicketError)?;
        let address = core::str::from_utf8(&encoded.address).map_err(|_| TicketError)?;
        Ok(Self {
            master: encoded.master,
            pid: encoded.pid,
            address: address.parse().map_err(|_| TicketError)?,
            cert: encoded.cert,
        })
    }
}

#[cfg(test)]
mod tests {
    use quil_p2p::Identity;
    use quil_types::{GenesisHash, Timestamp};

    use super::*;

    #[test]
    fn ticket_survives_its_text_and_nothing_else_does() {
        let master = Identity::from_secret(&mut [1; 32]);
        let worker = Identity::from_secret(&mut [2; 32]).key();
        let expires = Timestamp::new(5);
        let ticket = Ticket {
            master: master.key(),
            pid: 7,
            address: "[::1]:4000".parse().unwrap(),
            cert: WorkerCert::issue(&master, GenesisHash([3; 32]), worker, 1, expires),
        };
        let text = ticket.to_text().unwrap();
        assert_eq!(Ticket::from_text(&text), Ok(ticket));
        for cut in 0..text.len() {
            let (front, _) = text.split_at(cut);
            assert_eq!(Ticket::from_text(front), Err(TicketError));
        }
        assert_eq!(Ticket::from_text(&format!("{text}00")), Err(TicketError));
        assert_eq!(Ticket::from_text(&"00".repeat(4096)), Err(TicketError));
        assert_eq!(Ticket::from_text("zz"), Err(TicketError));
    }
}
