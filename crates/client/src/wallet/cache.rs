//! What was scanned, kept between sessions.
//!
//! ```text
//! "QUILSCAN" | u16 version | nonce 24 | XChaCha20-Poly1305 ciphertext with tag
//! ```
//!
//! The content names the account's unspent coins and its transactions under way: no keys and no amounts, but what others
//! must not learn. It is sealed with a key from the view secret, and the tag binds network and account, so a file that
//! was damaged, changed or moved does not open. Then it is dropped and the account scanned again: nothing is lost.

use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use quil_execution::token::CoinRecord;
use quil_keys::Account;
use quil_types::hash::h_bytes;
use quil_types::limits::INPUTS_MAX;
use quil_types::{Bounded, Canonical as _, CoinId, GenesisHash, TxId, canonical, tags};
use rand_core::Rng as _;
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::files;
use crate::random::system_rng;

const MAGIC: [u8; 8] = *b"QUILSCAN";
const VERSION: u16 = 1;
const NONCE_BYTES: usize = 24;
/// Unspent coins of a cache; an account with more is scanned every time.
const COINS_MAX: usize = 100_000;
/// Transactions under way of a cache.
const PENDING_MAX: usize = 1024;
/// Largest file: about 300 bytes per coin, 2 KiB per transaction.
const FILE_BYTES_MAX: u64 = 64 << 20;

canonical! {
    /// An unspent coin.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct CachedCoin {
        pub(super) index: u64,
        pub(super) record: CoinRecord,
    }
}

canonical! {
    struct StoredPending {
        tx: TxId,
        valid_until: u64,
        coins: Bounded<CoinId, INPUTS_MAX>,
    }
}

canonical! {
    struct Stored {
        next: u64,
        frame: u64,
        coins: Bounded<CachedCoin, COINS_MAX>,
        pending: Bounded<StoredPending, PENDING_MAX>,
    }
}

/// A transaction under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CachedPending {
    pub(super) tx: TxId,
    pub(super) valid_until: u64,
    pub(super) coins: Vec<CoinId>,
}

/// What a cache holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) next: u64,
    pub(super) frame: u64,
    pub(super) coins: Vec<CachedCoin>,
    pub(super) pending: Vec<CachedPending>,
}

/// The cache of one account in one network.
#[derive(Debug)]
pub(super) struct CacheFile {
    path: PathBuf,
    key: Zeroizing<[u8; 32]>,
    /// Network and account.
    context: Vec<u8>,
}

impl CacheFile {
    pub(super) fn new(folder: &Path, genesis: GenesisHash, account: &Account) -> Self {
        let mut context = genesis.0.to_vec();
        context.extend_from_slice(&account.address().to_bytes());
        let name = h_bytes(tags::CONTENT, &context);
        let name = name.get(..16).map(hex::encode).unwrap_or_default();
        let secret = Zeroizing::new(account.view_secret().expose().to_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let derived = Hkdf::<Sha512>::new(None, &*secret);
        let expanded = derived.expand(b"quil/v1/client/scan", &mut *key);
        debug_assert!(expanded.is_ok(), "32 bytes are within the limit of HKDF");
        Self {
            path: folder.join(format!("{name}.qsc")),
            key,
            context,
        }
    }

    /// What the file holds; `None` when there is none or it does not open.
    pub(super) fn read(&self) -> Option<Content> {
        let bytes = files::read(&self.path, FILE_BYTES_MAX).ok()?;
        let (magic, rest) = bytes.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>()?;
        if *magic != MAGIC || *version != VERSION.to_le_bytes() {
            return None;
        }
        let aad = &self.context;
        let payload = Payload { msg, aad };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        let stored = Stored::decode(&plain, plain.len()).ok()?;
        let pending = stored.pending.into_iter().map(|p| CachedPending {
            tx: p.tx,
            valid_until: p.valid_until,
            coins: p.coins.into_vec(),
        });
        Some(Content {
            next: stored.next,
            frame: stored.frame,
            coins: stored.coins.into_vec(),
            pending: pending.collect(),
        })
    }

    /// Replaces the file. One that cannot be replaced is removed: an old one could offer coins for spending that a
    /// transaction under way has taken.
    pub(super) fn write(&self, content: &Content) {
        let sealed = self.seal(content);
        let written = sealed.is_some_and(|bytes| files::write(&self.path, &bytes, true).is_ok());
        if !written {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn seal(&self, content: &Content) -> Option<Vec<u8>> {
        let pending = content.pending.iter().map(|p| {
            let coins = Bounded::try_from(p.coins.clone()).ok()?;
            Some(StoredPending {
                tx: p.tx,
                valid_until: p.valid_until,
                coins,
            })
        });
        let stored = Stored {
            next: content.next,
            frame: content.frame,
            coins: Bounded::try_from(content.coins.clone()).ok()?,
            pending: Bounded::try_from(pending.collect::<Option<Vec<_>>>()?).ok()?,
        };
        let mut nonce = [0; NONCE_BYTES];
        system_rng().ok()?.fill_bytes(&mut nonce);
        let (msg, aad) = (&*stored.encode(), &*self.context);
        let payload = Payload { msg, aad };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&MAGIC[..], &VERSION.to_le_bytes(), &nonce, &sealed].concat())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}
