use borsh::{BorshDeserialize, BorshSerialize};
use quil_bls48581::SECRET_KEY_BYTES;
use quil_types::limits::G2_BYTES;
use quil_types::{PeerKey, ProverId, Text};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::address::{ADDRESS_BYTES, Address};
use crate::alias::{ALIAS_BYTES_MAX, Alias};
use crate::bls::{BlsKey, ProverKey, WorkerKey};
use crate::peer::{PEER_SEED_BYTES, PeerKeypair};
use crate::wallet::{ENTROPY_BYTES, Wallet};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A wallet with its recovery phrase.
    Wallet,
    /// A network identity.
    Peer,
    /// A prover key.
    Prover,
    /// A worker key.
    Worker,
    /// A name for somebody's address; no secret.
    Contact,
}

/// A key or contact under an alias.
#[derive(Debug)]
pub enum Entry {
    /// A wallet.
    Wallet(Wallet),
    /// A network identity.
    Peer(PeerKeypair),
    /// A prover key.
    Prover(ProverKey),
    /// A worker key.
    Worker(WorkerKey),
    /// Somebody's address.
    Contact(Address),
}

/// The public side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Address of a wallet's account 0, or of a contact.
    Address(Box<Address>),
    /// Network identity.
    Peer(PeerKey),
    /// Address of a prover.
    Prover(ProverId),
    /// Public key of a worker.
    Worker(Box<[u8; G2_BYTES]>),
}

impl Entry {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Wallet(_) => Kind::Wallet,
            Self::Peer(_) => Kind::Peer,
            Self::Prover(_) => Kind::Prover,
            Self::Worker(_) => Kind::Worker,
            Self::Contact(_) => Kind::Contact,
        }
    }

    /// Its public side.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Self::Wallet(wallet) => wallet
                .account(0)
                .ok()
                .map(|account| Identity::Address(Box::new(*account.address()))),
            Self::Peer(peer) => Some(Identity::Peer(peer.public())),
            Self::Prover(prover) => Some(Identity::Prover(prover.id())),
            Self::Worker(worker) => Some(Identity::Worker(Box::new(worker.key().public_bytes()))),
            Self::Contact(address) => Some(Identity::Address(Box::new(*address))),
        }
    }

    pub(crate) fn stored(&self) -> Stored {
        match self {
            Self::Wallet(wallet) => Stored::Wallet(*wallet.expose_entropy()),
            Self::Peer(peer) => Stored::Peer(*peer.expose_seed()),
            Self::Prover(prover) => Stored::Prover(*prover.key().expose_bytes()),
            Self::Worker(worker) => Stored::Worker(*worker.key().expose_bytes()),
            Self::Contact(address) => Stored::Contact(address.to_bytes()),
        }
    }
}

/// The stored form of an entry.
#[derive(BorshSerialize, BorshDeserialize, Zeroize, ZeroizeOnDrop)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub(crate) enum Stored {
    Wallet([u8; ENTROPY_BYTES]) = 1,
    Peer([u8; PEER_SEED_BYTES]) = 2,
    Prover([u8; SECRET_KEY_BYTES]) = 3,
    Worker([u8; SECRET_KEY_BYTES]) = 4,
    Contact([u8; ADDRESS_BYTES]) = 5,
}

/// The next entry of a content; `None` when it is malformed.
pub(crate) fn read_entry(rest: &mut &[u8]) -> Option<(Alias, Entry)> {
    let alias = Text::<ALIAS_BYTES_MAX>::deserialize(rest).ok()?;
    let alias = alias.as_str().parse().ok()?;
    let entry = match &Stored::deserialize(rest).ok()? {
        Stored::Wallet(entropy) => {
            Entry::Wallet(Wallet::from_entropy(Zeroizing::new(*entropy)).ok()?)
        }
        Stored::Peer(seed) => Entry::Peer(PeerKeypair::from_seed(seed)),
        Stored::Prover(bytes) => Entry::Prover(ProverKey::new(BlsKey::from_bytes(bytes).ok()?)),
        Stored::Worker(bytes) => Entry::Worker(WorkerKey::new(BlsKey::from_bytes(bytes).ok()?)),
        Stored::Contact(bytes) => Entry::Contact(Address::from_bytes(bytes).ok()?),
    };
    Some((alias, entry))
}
