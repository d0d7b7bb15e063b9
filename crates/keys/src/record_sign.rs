use quil_decaf::SecretScalar;
use quil_decaf::schnorr;
use quil_types::{Bounded, Bytes, hash, tags};
use rand_core::CryptoRng;

use crate::bls::{BlsKey, ProverKey, WorkerKey};
use crate::peer::PeerKeypair;
use crate::record::{KeyRecord, RecordError, RecordKey, SignedKeyRecord, check_shape};
use crate::wallet::Account;

/// A secret that signs for one or two keys of a record.
#[derive(Clone, Copy, Debug)]
pub enum RecordSigner<'a> {
    /// Network identity.
    Peer(&'a PeerKeypair),
    /// View and spend key of an account.
    Account(&'a Account),
    /// Worker.
    Worker(&'a WorkerKey),
    /// Prover.
    Prover(&'a ProverKey),
}

impl RecordSigner<'_> {
    /// The keys it signs for.
    #[must_use]
    pub fn keys(&self) -> Vec<RecordKey> {
        match self {
            Self::Peer(pair) => vec![RecordKey::Peer(pair.public())],
            Self::Account(account) => {
                let address = account.address();
                vec![
                    RecordKey::View(address.view().compress().0),
                    RecordKey::Spend(address.spend().compress().0),
                ]
            }
            Self::Worker(worker) => vec![RecordKey::Worker(worker.key().public_bytes())],
            Self::Prover(prover) => vec![RecordKey::Prover(prover.key().public_bytes())],
        }
    }

    fn sign<R: CryptoRng + ?Sized>(&self, key: &RecordKey, message: &[u8], rng: &mut R) -> Vec<u8> {
        let bls = |key: &BlsKey| key.sign_bytes(message).to_vec();
        let mut decaf = |secret: &SecretScalar| {
            schnorr::sign(tags::KEY_RECORD.as_str(), secret, message, rng)
                .to_bytes()
                .to_vec()
        };
        match (self, key) {
            (Self::Peer(pair), _) => pair.sign_bytes(message).to_vec(),
            (Self::Account(account), RecordKey::View(_)) => decaf(account.view_secret()),
            (Self::Account(account), _) => decaf(account.spend_secret()),
            (Self::Worker(worker), _) => bls(worker.key()),
            (Self::Prover(prover), _) => bls(prover.key()),
        }
    }
}

/// Signs a record with all of its keys.
///
/// # Errors
/// The record breaks a rule of shape, or [`RecordError::MissingSigner`].
pub fn sign_record<R: CryptoRng + ?Sized>(
    record: KeyRecord,
    signers: &[RecordSigner<'_>],
    rng: &mut R,
) -> Result<SignedKeyRecord, RecordError> {
    check_shape(&record)?;
    let message = hash::tagged(tags::KEY_RECORD, &record);
    let mut signatures = Bounded::new();
    for (index, key) in record.keys.iter().enumerate() {
        let missing = || RecordError::MissingSigner { index };
        let signer = signers
            .iter()
            .find(|s| s.keys().contains(key))
            .ok_or_else(missing)?;
        let signature = Bytes::from_slice(&signer.sign(key, &message, rng));
        signatures
            .try_push(signature.map_err(|_| missing())?)
            .map_err(|_| missing())?;
    }
    Ok(SignedKeyRecord { record, signatures })
}
