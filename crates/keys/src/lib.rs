#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod alias;
mod amount;
mod bls;
mod certificate;
mod container;
mod entry;
mod kdf;
mod key_store;
mod peer;
mod record;
mod record_sign;
mod wallet;

pub use crate::address::{ADDRESS_HRP, ADDRESS_TEXT_BYTES, Address, AddressError};
pub use crate::alias::{Alias, AliasError};
pub use crate::amount::{Amount, AmountError, UNITS_PER_QUIL};
pub use crate::bls::{BlsKey, ProverKey, WorkerKey};
pub use crate::certificate::{
    CertificateError, VerifiedProver, VerifiedWorker, prover_entry, shard_member, verify_prover,
    verify_worker,
};
pub use crate::container::{FORMAT_VERSION, OpenError, SealError};
pub use crate::entry::{Entry, Identity, Kind};
pub use crate::kdf::{
    KdfParams, KdfParamsError, PASSPHRASE_BYTES_MAX, Passphrase, PassphraseError,
};
pub use crate::key_store::{
    ENTRIES_MAX, EntryError, KeyStore, Listing, change_passphrase, verify_backup,
};
pub use crate::peer::{PEER_SIGNATURE_BYTES, PeerError, PeerKeypair, verify_peer};
pub use crate::record::{
    KEYS_MAX, KeyRecord, RECORD_BYTES_MAX, REVOKED_MAX, RecordError, RecordKey, SignedKeyRecord,
    VerifiedKeyRecord,
};
pub use crate::record_sign::{RecordSigner, sign_record};
pub use crate::wallet::{Account, PHRASE_WORDS, Purpose, Wallet, WalletError};
