//! The certificate by which a master knows its workers.

use quil_types::{GenesisHash, PeerKey, Timestamp, canonical, hash, tags};

use crate::identity::{Identity, verify};

canonical! {
    /// What the master signs, under the tag `ipc.cert`.
    struct Statement {
        genesis: GenesisHash,
        master: PeerKey,
        worker: PeerKey,
        core: u16,
        expires: Timestamp,
    }
}

canonical! {
    /// Permission for one worker process, signed by its master (W4).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WorkerCert {
        /// Network identity of the worker.
        pub worker: PeerKey,
        /// Its core; the master is core 0.
        pub core: u16,
        /// First moment at which the certificate is void.
        pub expires: Timestamp,
        signature: [u8; 64],
    }
}

/// Why a certificate does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertError {
    /// Issued to another key than the one the handshake proved.
    #[error("certificate of another worker")]
    WrongWorker,
    /// Expired.
    #[error("certificate expired")]
    Expired,
    /// Not signed by this master for this network and these fields.
    #[error("certificate signature does not verify")]
    Signature,
}

impl WorkerCert {
    /// Signs a certificate.
    #[must_use]
    pub fn issue(
        master: &Identity,
        genesis: GenesisHash,
        worker: PeerKey,
        core: u16,
        expires: Timestamp,
    ) -> Self {
        let mut cert = Self {
            worker,
            core,
            expires,
            signature: [0; 64],
        };
        cert.signature = master.sign(&cert.statement(genesis, master.key()));
        cert
    }

    fn statement(&self, genesis: GenesisHash, master: PeerKey) -> Vec<u8> {
        let statement = Statement {
            genesis,
            master,
            worker: self.worker,
            core: self.core,
            expires: self.expires,
        };
        hash::tagged(tags::IPC_CERT, &statement)
    }

    /// Checks worker, expiry, signature, in this order.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(
        &self,
        master: PeerKey,
        genesis: GenesisHash,
        worker: PeerKey,
        now: Timestamp,
    ) -> Result<(), CertError> {
        if self.worker != worker {
            return Err(CertError::WrongWorker);
        }
        if now >= self.expires {
            return Err(CertError::Expired);
        }
        if verify(&master, &self.statement(genesis, master), &self.signature) {
            Ok(())
        } else {
            Err(CertError::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use quil_types::Canonical as _;

    use super::*;

    const G: GenesisHash = GenesisHash([7; 32]);

    fn identity(n: u8) -> Identity {
        Identity::from_secret(&mut [n; 32])
    }

    #[test]
    fn certificate_binds_every_field_and_the_network() {
        let (master, worker) = (identity(1), identity(2).key());
        let cert = WorkerCert::issue(&master, G, worker, 3, Timestamp::new(100));
        let now = Timestamp::new(99);
        let check = |c: &WorkerCert| c.check(master.key(), G, worker, now);
        assert_eq!(check(&cert), Ok(()));
        assert_eq!(
            cert.check(master.key(), G, worker, Timestamp::new(100)),
            Err(CertError::Expired)
        );
        assert_eq!(
            cert.check(master.key(), G, identity(3).key(), now),
            Err(CertError::WrongWorker)
        );
        assert_eq!(
            cert.check(identity(3).key(), G, worker, now),
            Err(CertError::Signature)
        );
        assert_eq!(
            cert.check(master.key(), GenesisHash([8; 32]), worker, now),
            Err(CertError::Signature)
        );
        assert_eq!(
            check(&WorkerCert { core: 4, ..cert }),
            Err(CertError::Signature)
        );
        assert_eq!(
            check(&WorkerCert {
                expires: Timestamp::new(101),
                ..cert
            }),
            Err(CertError::Signature)
        );
    }

    #[test]
    fn every_mutated_byte_is_refused() {
        let (master, worker) = (identity(1), identity(2).key());
        let bytes = WorkerCert::issue(&master, G, worker, 3, Timestamp::new(u64::MAX)).encode();
        for at in 0..bytes.len() {
            let mut m = bytes.clone();
            m[at] ^= 0x40;
            let holds = WorkerCert::decode(&m, 256)
                .is_ok_and(|c| c.check(master.key(), G, worker, Timestamp::ZERO).is_ok());
            assert!(!holds, "byte {at}");
        }
    }
}
