//! Proofs of possession and worker certificates of the genesis (rules D2, D4, I2): made and verified here.

use quil_bls48581::{PointError, ProofOfPossession, PublicKey, Signature};
use quil_types::genesis::{
    NetworkBinding, PossessionStatement, ProverEntry, ShardMember, WorkerStatement,
};
use quil_types::{PeerKey, ProverId, ShardAddr, hash, tags};

use crate::bls::{BlsKey, ProverKey, WorkerKey};

/// Why a proof of possession or a certificate is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The public key does not decode.
    #[error("public key: {0}")]
    Key(PointError),
    /// The proof does not decode.
    #[error("proof of possession: {0}")]
    PossessionEncoding(PointError),
    /// The proof is not by this key for this network and operator.
    #[error("proof of possession does not verify")]
    Possession,
    /// The certificate does not decode.
    #[error("worker certificate: {0}")]
    CertificateEncoding(PointError),
    /// The certificate is not by this prover for this network, shard and key.
    #[error("worker certificate does not verify")]
    Certificate,
    /// The entry names another prover.
    #[error("worker entry names prover {found}, the certificate is checked against {expected}")]
    WrongProver {
        /// Prover whose key is used.
        expected: ProverId,
        /// Prover named in the entry.
        found: ProverId,
    },
    /// A worker must not vote with the key that certifies it.
    #[error("the worker key is the prover key or its negation")]
    ProverKeyAsWorker,
}

/// A prover whose possession of its key is proven for one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProver {
    id: ProverId,
    key: PublicKey,
    peer: PeerKey,
}

impl VerifiedProver {
    /// Address of the prover.
    #[must_use]
    pub const fn id(&self) -> ProverId {
        self.id
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Network identity of its master.
    #[must_use]
    pub const fn peer(&self) -> PeerKey {
        self.peer
    }
}

/// A worker certified by a verified prover for one shard of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWorker {
    prover: ProverId,
    shard: ShardAddr,
    key: PublicKey,
    peer: PeerKey,
}

impl VerifiedWorker {
    /// The prover behind it.
    #[must_use]
    pub const fn prover(&self) -> ProverId {
        self.prover
    }

    /// The shard it may vote in.
    #[must_use]
    pub const fn shard(&self) -> ShardAddr {
        self.shard
    }

    /// Its own key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Its network identity.
    #[must_use]
    pub const fn peer(&self) -> PeerKey {
        self.peer
    }
}

/// The genesis entry of a prover.
#[must_use]
pub fn prover_entry(prover: &ProverKey, binding: &NetworkBinding, peer: PeerKey) -> ProverEntry {
    prover.key().entry(binding, peer)
}

/// The genesis entry of a worker: its key with possession, certified by its prover.
#[must_use]
pub fn shard_member(
    prover: &ProverKey,
    worker: &WorkerKey,
    binding: &NetworkBinding,
    shard: ShardAddr,
    worker_peer: PeerKey,
) -> ShardMember {
    ShardMember {
        prover: prover.id(),
        worker: worker.key().entry(binding, worker_peer),
        certificate: prover.certify(binding, shard, &BlsKey::public_bytes(worker.key())),
    }
}

/// Verifies a prover's entry. Cost: decoding in G2 and two pairings.
///
/// # Errors
/// [`CertificateError::Key`], [`CertificateError::PossessionEncoding`], [`CertificateError::Possession`].
pub fn verify_prover(
    binding: &NetworkBinding,
    entry: &ProverEntry,
) -> Result<VerifiedProver, CertificateError> {
    let key = verify_possession(binding, entry)?;
    Ok(VerifiedProver {
        id: entry.id(),
        key,
        peer: entry.peer,
    })
}

/// Verifies a worker's entry against its prover. Cost: decoding in G2 and four pairings.
///
/// # Errors
/// [`CertificateError`], in order of cost.
pub fn verify_worker(
    binding: &NetworkBinding,
    shard: ShardAddr,
    prover: &VerifiedProver,
    member: &ShardMember,
) -> Result<VerifiedWorker, CertificateError> {
    if member.prover != prover.id {
        return Err(CertificateError::WrongProver {
            expected: prover.id,
            found: member.prover,
        });
    }
    let certificate = Signature::from_bytes(&member.certificate)
        .map_err(CertificateError::CertificateEncoding)?;
    let key = verify_possession(binding, &member.worker)?;
    if key == prover.key || key == prover.key.neg() {
        return Err(CertificateError::ProverKeyAsWorker);
    }
    let statement = WorkerStatement {
        binding: binding.clone(),
        shard,
        key: member.worker.key,
    };
    prover
        .key
        .verify(&hash::tagged(tags::WORKER, &statement), &certificate)
        .map_err(|_| CertificateError::Certificate)?;
    Ok(VerifiedWorker {
        prover: prover.id,
        shard,
        key,
        peer: member.worker.peer,
    })
}

fn verify_possession(
    binding: &NetworkBinding,
    entry: &ProverEntry,
) -> Result<PublicKey, CertificateError> {
    let proof = ProofOfPossession::from_bytes(&entry.possession)
        .map_err(CertificateError::PossessionEncoding)?;
    let key = PublicKey::from_bytes(&entry.key).map_err(CertificateError::Key)?;
    let statement = PossessionStatement {
        binding: binding.clone(),
        key: entry.key,
        peer: entry.peer,
    };
    proof
        .verify(&key, &hash::tagged(tags::POSSESSION, &statement))
        .map_err(|_| CertificateError::Possession)?;
    Ok(key)
}
