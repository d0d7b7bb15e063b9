//! Keys of the nodes and of the people of a local network.

use quil_bls48581::SecretKey;
use quil_keys::{
    Alias, BlsKey, Entry, KdfParams, KeyStore, Passphrase, PeerKeypair, ProverKey, Wallet,
    WorkerKey, prover_entry, shard_member,
};
use quil_node::home::alias;
use quil_types::bundle::PointBytes;
use quil_types::genesis::{NetworkBinding, ProverEntry, ShardMember};
use quil_types::{PeerKey, ShardAddr};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::error::DevnetError;

/// Accounts of every local network; the first is the mint authority of the native token.
pub const ACCOUNTS: [&str; 4] = [FAUCET, "alice", "bob", "carol"];
/// The account whose spend key may mint.
pub const FAUCET: &str = "faucet";
/// Random bytes of a passphrase, which is written as hexadecimal digits.
const PASSPHRASE_BYTES: usize = 24;

fn defect(e: impl core::fmt::Display) -> DevnetError {
    DevnetError::Genesis(e.to_string())
}

/// An encrypted key store with its passphrase.
#[derive(Debug)]
pub struct Sealed {
    /// Bytes of `keys.qks`.
    pub keys: Vec<u8>,
    /// Text of `passphrase`.
    pub passphrase: Zeroizing<String>,
}

/// Encrypts under a fresh passphrase. The derivation is the cheapest allowed: the passphrase is random and beside it.
fn seal(keys: &KeyStore, rng: &mut impl CryptoRng) -> Result<Sealed, DevnetError> {
    let mut random = Zeroizing::new([0; PASSPHRASE_BYTES]);
    rng.fill_bytes(&mut *random);
    let text = Zeroizing::new(hex::encode(*random));
    let passphrase = Passphrase::new(text.as_bytes()).map_err(defect)?;
    let keys = keys
        .seal(&passphrase, KdfParams::MINIMUM, rng)
        .map_err(defect)?;
    Ok(Sealed {
        keys,
        passphrase: text,
    })
}

/// Keys of one node: a prover, and an identity per process; a consensus key per worker.
#[derive(Debug)]
pub(crate) struct NodeKeys {
    prover: ProverKey,
    peers: Vec<PeerKeypair>,
    workers: Vec<WorkerKey>,
}

impl NodeKeys {
    pub(crate) fn generate(workers: u16, rng: &mut impl CryptoRng) -> Self {
        Self {
            prover: ProverKey::new(BlsKey::generate(rng)),
            peers: (0..=workers).map(|_| PeerKeypair::generate(rng)).collect(),
            workers: (0..workers)
                .map(|_| WorkerKey::new(BlsKey::generate(rng)))
                .collect(),
        }
    }

    /// The prover key as ceremonies take it.
    pub(crate) fn signer(&self) -> Result<SecretKey, DevnetError> {
        SecretKey::from_bytes(&self.prover.key().expose_bytes()).map_err(defect)
    }

    /// Network identities, by core.
    pub(crate) fn peers(&self) -> Vec<PeerKey> {
        self.peers.iter().map(PeerKeypair::public).collect()
    }

    /// The prover's place in the committee, with proof of possession.
    pub(crate) fn committee_entry(
        &self,
        binding: &NetworkBinding,
    ) -> Result<ProverEntry, DevnetError> {
        let master = self.peers.first().ok_or_else(|| defect("no master"))?;
        Ok(prover_entry(&self.prover, binding, master.public()))
    }

    /// The workers' places in a shard, certified by the prover.
    pub(crate) fn members(&self, binding: &NetworkBinding, shard: ShardAddr) -> Vec<ShardMember> {
        let identities = self.peers.iter().skip(1).map(PeerKeypair::public);
        let members = self.workers.iter().zip(identities);
        members
            .map(|(worker, peer)| shard_member(&self.prover, worker, binding, shard, peer))
            .collect()
    }

    pub(crate) fn seal(self, rng: &mut impl CryptoRng) -> Result<Sealed, DevnetError> {
        let mut keys = KeyStore::new();
        let mut add = |name: Option<Alias>, entry| {
            let name = name.ok_or_else(|| defect("alias"))?;
            keys.add(name, entry).map_err(defect)
        };
        add(alias::prover(), Entry::Prover(self.prover))?;
        for (core, peer) in (0..).zip(self.peers) {
            add(alias::peer(core), Entry::Peer(peer))?;
        }
        for (core, worker) in (1..).zip(self.workers) {
            add(alias::worker(core), Entry::Worker(worker))?;
        }
        seal(&keys, rng)
    }
}

/// Wallets of [`ACCOUNTS`] in one key store.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) sealed: Sealed,
    /// Name and address of account 0 of each wallet.
    pub(crate) accounts: Vec<(String, String)>,
    /// Spend key of the faucet.
    pub(crate) authority: PointBytes,
}

impl People {
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Result<Self, DevnetError> {
        let mut keys = KeyStore::new();
        let mut accounts = Vec::new();
        let mut authority = None;
        for name in ACCOUNTS {
            let wallet = Wallet::generate(rng).map_err(defect)?;
            let address = *wallet.account(0).map_err(defect)?.address();
            authority.get_or_insert_with(|| address.spend().compress().0);
            accounts.push((name.to_owned(), address.to_string()));
            let alias = name.parse().map_err(defect)?;
            keys.add(alias, Entry::Wallet(wallet)).map_err(defect)?;
        }
        Ok(Self {
            sealed: seal(&keys, rng)?,
            accounts,
            authority: authority.ok_or_else(|| defect("no accounts"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn people_can_be_opened_and_the_faucet_is_the_authority() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let people = People::generate(&mut rng).unwrap();
        let passphrase = Passphrase::new(people.sealed.passphrase.as_bytes()).unwrap();
        let keys = KeyStore::open(&people.sealed.keys, &passphrase).unwrap();
        for (name, address) in &people.accounts {
            let stored = keys.address(&name.parse().unwrap()).unwrap();
            assert_eq!(stored.to_string(), *address);
        }
        let faucet = keys.address(&FAUCET.parse().unwrap()).unwrap();
        assert_eq!(faucet.spend().compress().0, people.authority);
        assert_eq!(people.accounts.len(), ACCOUNTS.len());
    }

    #[test]
    fn passphrases_are_long_and_not_repeated() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut sealed = || NodeKeys::generate(1, &mut rng).seal(&mut rng).unwrap();
        let (a, b) = (sealed(), sealed());
        assert_eq!(a.passphrase.len(), 2 * PASSPHRASE_BYTES);
        assert_ne!(a.passphrase, b.passphrase);
        let wrong = Passphrase::new(b.passphrase.as_bytes()).unwrap();
        assert!(KeyStore::open(&a.keys, &wrong).is_err());
    }
}
