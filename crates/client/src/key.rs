//! `quil key`: the encrypted key store of a home folder.

use std::path::{Path, PathBuf};

use quil_keys::{
    Account, Address, Alias, BlsKey, Entry, EntryError, Identity, KdfParams, KeyStore, Kind,
    OpenError, Passphrase, PeerKeypair, ProverKey, Wallet,
};
use serde_json::{Map, Value};

use crate::files;
use crate::output::{Document, Failure};
use crate::random::system_rng;

/// File name inside a home folder.
pub const FILE_NAME: &str = "keys.qks";
/// Largest key store read, bytes: its own limit is lower.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKind {
    /// 24 words, any number of accounts.
    Wallet,
    /// Network identity, Ed25519.
    Peer,
    /// Prover key, BLS48-581.
    Prover,
}

/// The key store of a home folder.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    passphrase: Passphrase,
    params: KdfParams,
}

impl KeyFile {
    /// The store below `home`, under a passphrase.
    ///
    /// # Errors
    /// [`Failure`] when the passphrase is empty or too long.
    pub fn new(home: &Path, passphrase: &str) -> Result<Self, Failure> {
        let passphrase = Passphrase::new(passphrase.as_bytes());
        let passphrase = passphrase.map_err(|e| {
            Failure::new(
                "passphrase",
                e.to_string(),
                "set QUIL_PASSPHRASE or --passphrase-file",
            )
            .usage()
        })?;
        Ok(Self {
            path: home.join(FILE_NAME),
            passphrase,
            params: KdfParams::INTERACTIVE,
        })
    }

    /// The same with the cheapest allowed key derivation, for tests and short-lived networks.
    #[must_use]
    pub const fn cheap(mut self) -> Self {
        self.params = KdfParams::MINIMUM;
        self
    }

    fn open(&self) -> Result<KeyStore, Failure> {
        if !self.path.exists() {
            return Ok(KeyStore::new());
        }
        let bytes = files::read(&self.path, FILE_BYTES_MAX)?;
        KeyStore::open(&bytes, &self.passphrase).map_err(|e| open_failure(&self.path, &e))
    }

    fn save(&self, keys: &KeyStore) -> Result<(), Failure> {
        let sealed = keys.seal(&self.passphrase, self.params, &mut system_rng()?);
        let sealed =
            sealed.map_err(|e| Failure::new("key.store", e.to_string(), "remove unused keys"))?;
        files::write(&self.path, &sealed, true)
    }

    /// `quil key new`: makes a key and stores it.
    ///
    /// # Errors
    /// [`Failure`]: an alias in use, a wrong passphrase, a file that cannot be written.
    pub fn create(&self, alias: &str, kind: NewKind) -> Result<Document, Failure> {
        let alias = parse_alias(alias)?;
        let mut rng = system_rng()?;
        let entry = match kind {
            NewKind::Wallet => {
                Entry::Wallet(Wallet::generate(&mut rng).map_err(|e| wallet_failure(&e))?)
            }
            NewKind::Peer => Entry::Peer(PeerKeypair::generate(&mut rng)),
            NewKind::Prover => Entry::Prover(ProverKey::new(BlsKey::generate(&mut rng))),
        };
        self.store(alias, entry)
    }

    /// `quil key import`: a wallet from its recovery phrase.
    ///
    /// # Errors
    /// As [`Self::create`], and a phrase that is none.
    pub fn import(&self, alias: &str, phrase: &str) -> Result<Document, Failure> {
        let alias = parse_alias(alias)?;
        let wallet = Wallet::from_phrase(phrase).map_err(|e| wallet_failure(&e))?;
        self.store(alias, Entry::Wallet(wallet))
    }

    fn store(&self, alias: Alias, entry: Entry) -> Result<Document, Failure> {
        let mut keys = self.open()?;
        let (kind, identity) = (entry.kind(), entry.identity());
        keys.add(alias.clone(), entry)
            .map_err(|e| entry_failure(&e))?;
        self.save(&keys)?;
        let doc = Document::new("quil.key/1")
            .with("alias", alias.as_str())
            .with("kind", kind_name(kind));
        Ok(doc.with("identity", identity_text(identity.as_ref())))
    }

    /// `quil key ls`: names, kinds, public sides.
    ///
    /// # Errors
    /// [`Failure`] when the store cannot be opened.
    pub fn list(&self) -> Result<Document, Failure> {
        let keys = self.open()?;
        let rows = keys.list().map(|l| {
            Map::from_iter([
                ("alias".to_owned(), Value::from(l.alias.as_str())),
                ("kind".to_owned(), Value::from(kind_name(l.kind))),
                (
                    "identity".to_owned(),
                    Value::from(identity_text(l.identity.as_ref())),
                ),
            ])
        });
        Ok(Document::new("quil.keys/1").with_rows("keys", rows.collect()))
    }

    /// `quil key export`: the recovery phrase of a wallet.
    ///
    /// # Errors
    /// [`Failure`] when there is no such wallet.
    pub fn export(&self, alias: &str) -> Result<Document, Failure> {
        let alias = parse_alias(alias)?;
        let keys = self.open()?;
        let wallet = keys.wallet(&alias).map_err(|e| entry_failure(&e))?;
        let phrase = wallet.phrase().map_err(|e| wallet_failure(&e))?;
        let doc = Document::new("quil.key.secret/1").with("alias", alias.as_str());
        Ok(doc.with("phrase", phrase.as_str()))
    }

    /// Opens the store once for several questions. Cost: the key derivation, a tenth of a second and more.
    ///
    /// # Errors
    /// [`Failure`] when the store cannot be opened.
    pub fn unlock(&self) -> Result<Unlocked, Failure> {
        self.open().map(Unlocked)
    }

    /// The keys of an account of a wallet.
    ///
    /// # Errors
    /// [`Failure`] when there is no such wallet.
    pub fn account(&self, alias: &str, index: u32) -> Result<Account, Failure> {
        self.unlock()?.account(alias, index)
    }

    /// An address: the text of one, or the name of a wallet or contact in this store.
    ///
    /// # Errors
    /// [`Failure`] when it is neither.
    pub fn address(&self, text: &str) -> Result<Address, Failure> {
        match parse_address(text)? {
            Some(address) => Ok(address),
            None => self.unlock()?.address(text),
        }
    }

    /// Does something with a stored prover key.
    pub(crate) fn with_prover<T>(
        &self,
        alias: &str,
        f: impl FnOnce(&ProverKey) -> T,
    ) -> Result<T, Failure> {
        let alias = parse_alias(alias)?;
        let keys = self.open()?;
        keys.prover(&alias).map(f).map_err(|e| entry_failure(&e))
    }
}

/// A key store that was opened.
#[derive(Debug)]
pub struct Unlocked(KeyStore);

impl Unlocked {
    /// The keys of an account of a wallet.
    ///
    /// # Errors
    /// [`Failure`] when there is no such wallet.
    pub fn account(&self, alias: &str, index: u32) -> Result<Account, Failure> {
        let alias = parse_alias(alias)?;
        let wallet = self.0.wallet(&alias).map_err(|e| entry_failure(&e))?;
        wallet.account(index).map_err(|e| wallet_failure(&e))
    }

    /// An address: the text of one, or the name of a wallet or contact in this store.
    ///
    /// # Errors
    /// [`Failure`] when it is neither.
    pub fn address(&self, text: &str) -> Result<Address, Failure> {
        if let Some(address) = parse_address(text)? {
            return Ok(address);
        }
        let alias = parse_alias(text)?;
        self.0.address(&alias).map_err(|e| entry_failure(&e))
    }

    /// The name of the wallet that is meant when none is named: the only one.
    ///
    /// # Errors
    /// [`Failure`] when there is none, or more than one.
    pub fn only_wallet(&self) -> Result<String, Failure> {
        let wallets = self.0.list().filter(|l| l.kind == Kind::Wallet);
        let names: Vec<&str> = wallets.map(|l| l.alias.as_str()).collect();
        match names.as_slice() {
            [name] => Ok((*name).to_owned()),
            [] => Err(Failure::new(
                "key.unknown",
                "there is no wallet in the key store",
                "quil key new NAME, or quil key import NAME",
            )
            .not_found()),
            several => Err(Failure::new(
                "key.ambiguous",
                format!("there are several wallets: {}", several.join(", ")),
                "name one with --from",
            )
            .usage()),
        }
    }
}

/// The address that a text spells out; `None` when it does not look like one and may be a name.
///
/// # Errors
/// [`Failure`] when it begins like an address and is none: a mistyped address is never taken for a name.
pub fn parse_address(text: &str) -> Result<Option<Address>, Failure> {
    if !text.starts_with("qacc1") && text.len() <= 32 {
        return Ok(None);
    }
    let parsed = text.parse().map(Some);
    parsed.map_err(|e: quil_keys::AddressError| {
        Failure::new(
            "address.malformed",
            e.to_string(),
            "copy the whole address, it begins with qacc1",
        )
        .usage()
    })
}

fn parse_alias(text: &str) -> Result<Alias, Failure> {
    text.parse().map_err(|e: quil_keys::AliasError| {
        Failure::new(
            "key.alias",
            e.to_string(),
            "use a short name of letters, digits and dashes",
        )
        .usage()
    })
}

fn open_failure(path: &Path, e: &OpenError) -> Failure {
    let message = format!("{}: {e}", path.display());
    match e {
        OpenError::WrongPassphrase => Failure::new(
            "key.passphrase",
            message,
            "check QUIL_PASSPHRASE or --passphrase-file",
        )
        .denied(),
        _ => Failure::new("key.store", message, "restore the file from your backup"),
    }
}

fn entry_failure(e: &EntryError) -> Failure {
    match e {
        EntryError::NotFound(_) => {
            Failure::new("key.unknown", e.to_string(), "quil key ls").not_found()
        }
        EntryError::Exists(_) => Failure::new("key.exists", e.to_string(), "choose another alias"),
        _ => Failure::new("key.entry", e.to_string(), "quil key ls"),
    }
}

fn wallet_failure(e: &quil_keys::WalletError) -> Failure {
    Failure::new(
        "key.phrase",
        e.to_string(),
        "a recovery phrase is 24 English words",
    )
    .usage()
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Wallet => "wallet",
        Kind::Peer => "peer",
        Kind::Prover => "prover",
        Kind::Worker => "worker",
        Kind::Contact => "contact",
    }
}

fn identity_text(identity: Option<&Identity>) -> String {
    match identity {
        Some(Identity::Address(a)) => a.to_string(),
        Some(Identity::Peer(k)) => k.to_string(),
        Some(Identity::Prover(p)) => p.to_string(),
        Some(Identity::Worker(k)) => hex::encode(&k[..]),
        None => String::new(),
    }
}
