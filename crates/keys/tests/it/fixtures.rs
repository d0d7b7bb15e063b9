//! Keys and networks that several modules use.

use quil_keys::{Alias, Entry};
use quil_keys::{
    BlsKey, KdfParams, KeyStore, Passphrase, PeerKeypair, ProverKey, Wallet, WorkerKey,
};
use quil_types::genesis::{NetworkBinding, NetworkName};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) const COST: KdfParams = KdfParams::MINIMUM;

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn pass(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes()).unwrap()
}

pub(crate) fn alias(text: &str) -> Alias {
    text.parse().unwrap()
}

pub(crate) fn wallet(seed: u64) -> Wallet {
    Wallet::generate(&mut rng(seed)).unwrap()
}

pub(crate) fn peer(seed: u64) -> PeerKeypair {
    PeerKeypair::generate(&mut rng(seed))
}

pub(crate) fn prover(seed: u64) -> ProverKey {
    ProverKey::new(BlsKey::generate(&mut rng(seed)))
}

pub(crate) fn worker(seed: u64) -> WorkerKey {
    WorkerKey::new(BlsKey::generate(&mut rng(seed)))
}

pub(crate) fn binding(name: &str, seed: u8) -> NetworkBinding {
    NetworkBinding {
        name: NetworkName::new(name).unwrap(),
        seed: [seed; 32],
    }
}

/// One entry of each kind.
pub(crate) fn full_store() -> KeyStore {
    let mut store = KeyStore::new();
    let contact = *wallet(9).account(3).unwrap().address();
    for (name, entry) in [
        ("savings", Entry::Wallet(wallet(1))),
        ("node", Entry::Peer(peer(2))),
        ("prover", Entry::Prover(prover(3))),
        ("worker-1", Entry::Worker(worker(4))),
        ("bob", Entry::Contact(contact)),
    ] {
        store.add(alias(name), entry).unwrap();
    }
    store
}
