use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use borsh::{BorshDeserialize, BorshSerialize};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::address::{ADDRESS_BYTES, Address};
use crate::alias::{ALIAS_BYTES_MAX, Alias};
use crate::bls::{ProverKey, WorkerKey};
use crate::container::{self, CONTENT_BYTES_MAX, OpenError, SealError};
use crate::entry::{Entry, Identity, Kind, read_entry};
use crate::kdf::{KdfParams, Passphrase};
use crate::peer::PeerKeypair;
use crate::wallet::Wallet;

/// Most entries of a key store.
pub const ENTRIES_MAX: usize = 1024;

const _: () =
    assert!(ENTRIES_MAX * (4 + ALIAS_BYTES_MAX + 1 + ADDRESS_BYTES) + 2 <= CONTENT_BYTES_MAX);

/// A line of [`KeyStore::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<'a> {
    /// Name.
    pub alias: &'a Alias,
    /// What it is.
    pub kind: Kind,
    /// Its public side; `None` for a wallet without a usable account 0, which does not happen.
    pub identity: Option<Identity>,
}

/// Why an entry cannot be added, found or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The alias is taken.
    #[error("there is already an entry named {0}")]
    Exists(Alias),
    /// No such alias.
    #[error("there is no entry named {0}")]
    NotFound(Alias),
    /// The entry is of another kind.
    #[error("entry {alias} is a {found:?}, not a {expected:?}")]
    WrongKind {
        /// The alias.
        alias: Alias,
        /// What was asked for.
        expected: Kind,
        /// What it is.
        found: Kind,
    },
    /// The key store is full.
    #[error("the key store holds {ENTRIES_MAX} entries already")]
    Full,
}

/// Keys in memory, by alias. Becomes bytes by [`Self::seal`] and comes back by [`Self::open`].
#[derive(Debug, Default)]
pub struct KeyStore {
    entries: BTreeMap<Alias, Entry>,
}

impl KeyStore {
    /// An empty key store.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }

    /// Decrypts a file. Cost: the key derivation (a tenth of a second and more), and one multiplication in G2 per
    /// BLS key.
    ///
    /// # Errors
    /// [`OpenError`]; a wrong passphrase, an accident and tampering are told apart.
    pub fn open(bytes: &[u8], passphrase: &Passphrase) -> Result<Self, OpenError> {
        let content = container::open(bytes, passphrase)?;
        let mut rest = content.as_slice();
        let count = u16::deserialize(&mut rest).map_err(|_| OpenError::Content)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let (alias, entry) = read_entry(&mut rest).ok_or(OpenError::Content)?;
            let ascending = entries
                .last_key_value()
                .is_none_or(|(last, _)| *last < alias);
            if !ascending || entries.len() >= ENTRIES_MAX {
                return Err(OpenError::Content);
            }
            entries.insert(alias, entry);
        }
        if rest.is_empty() {
            Ok(Self { entries })
        } else {
            Err(OpenError::Content)
        }
    }

    /// Encrypts everything into one file. The same bytes are the backup.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        passphrase: &Passphrase,
        params: KdfParams,
        rng: &mut R,
    ) -> Result<Vec<u8>, SealError> {
        container::seal(&self.content()?, passphrase, params, rng)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`EntryError::Exists`], [`EntryError::Full`]; the entry is dropped and erased.
    pub fn add(&mut self, alias: Alias, entry: Entry) -> Result<(), EntryError> {
        let full = self.entries.len() >= ENTRIES_MAX;
        match self.entries.entry(alias) {
            Slot::Occupied(slot) => Err(EntryError::Exists(slot.key().clone())),
            Slot::Vacant(_) if full => Err(EntryError::Full),
            Slot::Vacant(slot) => {
                slot.insert(entry);
                Ok(())
            }
        }
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// [`EntryError::NotFound`].
    pub fn remove(&mut self, alias: &Alias) -> Result<Entry, EntryError> {
        self.entries
            .remove(alias)
            .ok_or_else(|| EntryError::NotFound(alias.clone()))
    }

    /// Gives an entry another name.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::Exists`]; nothing changes.
    pub fn rename(&mut self, from: &Alias, to: Alias) -> Result<(), EntryError> {
        if from != &to && self.entries.contains_key(&to) {
            return Err(EntryError::Exists(to));
        }
        let entry = self.remove(from)?;
        self.entries.insert(to, entry);
        Ok(())
    }

    /// Names, kinds and public sides of all entries, by alias. Shows no secret.
    pub fn list(&self) -> impl Iterator<Item = Listing<'_>> {
        self.entries.iter().map(|(alias, entry)| Listing {
            alias,
            kind: entry.kind(),
            identity: entry.identity(),
        })
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry.
    ///
    /// # Errors
    /// [`EntryError::NotFound`].
    pub fn get(&self, alias: &Alias) -> Result<&Entry, EntryError> {
        self.entries
            .get(alias)
            .ok_or_else(|| EntryError::NotFound(alias.clone()))
    }

    /// A wallet.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::WrongKind`].
    pub fn wallet(&self, alias: &Alias) -> Result<&Wallet, EntryError> {
        match self.get(alias)? {
            Entry::Wallet(wallet) => Ok(wallet),
            other => Err(wrong_kind(alias, Kind::Wallet, other)),
        }
    }

    /// A network identity.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::WrongKind`].
    pub fn peer(&self, alias: &Alias) -> Result<&PeerKeypair, EntryError> {
        match self.get(alias)? {
            Entry::Peer(peer) => Ok(peer),
            other => Err(wrong_kind(alias, Kind::Peer, other)),
        }
    }

    /// A prover key.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::WrongKind`].
    pub fn prover(&self, alias: &Alias) -> Result<&ProverKey, EntryError> {
        match self.get(alias)? {
            Entry::Prover(prover) => Ok(prover),
            other => Err(wrong_kind(alias, Kind::Prover, other)),
        }
    }

    /// A worker key.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::WrongKind`].
    pub fn worker(&self, alias: &Alias) -> Result<&WorkerKey, EntryError> {
        match self.get(alias)? {
            Entry::Worker(worker) => Ok(worker),
            other => Err(wrong_kind(alias, Kind::Worker, other)),
        }
    }

    /// The address of a contact, or of account 0 of a wallet: what a person means by a name.
    ///
    /// # Errors
    /// [`EntryError::NotFound`], [`EntryError::WrongKind`].
    pub fn address(&self, alias: &Alias) -> Result<Address, EntryError> {
        let entry = self.get(alias)?;
        match entry.identity() {
            Some(Identity::Address(address)) => Ok(*address),
            _ => Err(wrong_kind(alias, Kind::Contact, entry)),
        }
    }

    /// All entries in the order of their aliases, in a buffer that never grows, so that no copy stays behind.
    fn content(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut out = Zeroizing::new(Vec::with_capacity(CONTENT_BYTES_MAX));
        let count = u16::try_from(self.entries.len()).map_err(|_| SealError::TooLarge)?;
        let written = count.serialize(&mut *out).and_then(|()| {
            self.entries.iter().try_for_each(|(alias, entry)| {
                (alias.as_str(), entry.stored()).serialize(&mut *out)
            })
        });
        written.map_err(|_| SealError::TooLarge)?;
        Ok(out)
    }
}

fn wrong_kind(alias: &Alias, expected: Kind, found: &Entry) -> EntryError {
    EntryError::WrongKind {
        alias: alias.clone(),
        expected,
        found: found.kind(),
    }
}

/// Seals a file anew under another passphrase and cost. Write the result beside the old file and replace it only
/// when it opens; copies of the old file still open with the old passphrase.
///
/// # Errors
/// As [`KeyStore::open`]; [`OpenError::Memory`] when sealing fails.
pub fn change_passphrase<R: CryptoRng + ?Sized>(
    bytes: &[u8],
    old: &Passphrase,
    new: &Passphrase,
    params: KdfParams,
    rng: &mut R,
) -> Result<Vec<u8>, OpenError> {
    let store = KeyStore::open(bytes, old)?;
    store.seal(new, params, rng).map_err(|_| OpenError::Memory)
}

/// Checks that a copy opens and holds exactly the keys of the original.
///
/// # Errors
/// As [`KeyStore::open`] for either; [`OpenError::Content`] when they differ.
pub fn verify_backup(
    original: &[u8],
    copy: &[u8],
    passphrase: &Passphrase,
) -> Result<(), OpenError> {
    KeyStore::open(copy, passphrase)?;
    if original == copy {
        return Ok(());
    }
    let (ours, theirs) = (
        container::open(original, passphrase)?,
        container::open(copy, passphrase)?,
    );
    if bool::from(subtle::ConstantTimeEq::ct_eq(
        ours.as_slice(),
        theirs.as_slice(),
    )) {
        Ok(())
    } else {
        Err(OpenError::Content)
    }
}
