//! Passphrases and the derivation of the file key.

use core::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use borsh::{BorshDeserialize, BorshSerialize};
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

/// Longest passphrase, bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Least memory, KiB: 19 MiB, the smallest setting of the OWASP password storage recommendations.
const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// Most memory, KiB: 1 GiB. A file must not make the reader allocate more.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
/// Fewest passes at the least memory.
const PASSES_MIN: u32 = 2;
/// Most passes.
const PASSES_MAX: u32 = 16;
/// Most lanes.
const LANES_MAX: u32 = 4;
/// Most memory times passes, KiB: some seconds of work. A file must not make the reader work for minutes.
const WORK_KIB_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of the salt.
pub(crate) const SALT_BYTES: usize = 16;
/// Bytes of the key check.
pub(crate) const CHECK_BYTES: usize = 16;

const INFO: &[u8] = b"quil/v1/keystore";

/// What protects a key store. Never empty; erased on drop.
///
/// The bytes are used as given, so the same characters must be entered in the same encoding.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why a text is no passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing at all.
    #[error("the passphrase is empty")]
    Empty,
    /// Longer than [`PASSPHRASE_BYTES_MAX`].
    #[error("the passphrase has more than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
}

impl Passphrase {
    /// Takes a copy of the bytes.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn new(bytes: &[u8]) -> Result<Self, PassphraseError> {
        if bytes.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if bytes.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseError::TooLong);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

/// Cost of Argon2id (RFC 9106). Values outside the bounds cannot be constructed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize)]
pub struct KdfParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The cost is outside the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "key derivation cost out of bounds: {memory_kib} KiB, {passes} passes, {lanes} lanes; allowed are \
     {MEMORY_KIB_MIN} to {MEMORY_KIB_MAX} KiB, {PASSES_MIN} to {PASSES_MAX} passes, 1 to {LANES_MAX} lanes, \
     at most {WORK_KIB_MAX} KiB times passes"
)]
pub struct KdfParamsError {
    /// Memory given, KiB.
    pub memory_kib: u32,
    /// Passes given.
    pub passes: u32,
    /// Lanes given.
    pub lanes: u32,
}

impl KdfParams {
    /// 64 MiB and three passes: the second recommended option of RFC 9106 with one lane.
    pub const INTERACTIVE: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// The cheapest that is allowed.
    pub const MINIMUM: Self = Self {
        memory_kib: MEMORY_KIB_MIN,
        passes: PASSES_MIN,
        lanes: 1,
    };

    /// Checks a cost.
    ///
    /// # Errors
    /// [`KdfParamsError`].
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KdfParamsError> {
        // Widening cannot overflow: 2^32 * 2^32 fits.
        let work = (memory_kib as u64).saturating_mul(passes as u64);
        let inside = memory_kib >= MEMORY_KIB_MIN
            && memory_kib <= MEMORY_KIB_MAX
            && passes >= PASSES_MIN
            && passes <= PASSES_MAX
            && lanes >= 1
            && lanes <= LANES_MAX
            && work <= WORK_KIB_MAX;
        if inside {
            Ok(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            Err(KdfParamsError {
                memory_kib,
                passes,
                lanes,
            })
        }
    }

    /// Memory, KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

/// Cost as found in a file, not yet checked.
#[derive(Clone, Copy, Debug, BorshDeserialize)]
pub(crate) struct RawParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl RawParams {
    pub(crate) const fn check(self) -> Result<KdfParams, KdfParamsError> {
        KdfParams::new(self.memory_kib, self.passes, self.lanes)
    }
}

/// The memory for the derivation is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// The key of a file, and the value by which a wrong passphrase is told from a changed file.
pub(crate) struct FileKey {
    pub(crate) key: Zeroizing<[u8; 32]>,
    pub(crate) check: [u8; CHECK_BYTES],
}

/// Argon2id, then HKDF-SHA512 into two independent values. The check also commits the file to one key.
pub(crate) fn derive(
    passphrase: &Passphrase,
    salt: &[u8; SALT_BYTES],
    params: KdfParams,
) -> Result<FileKey, NoMemory> {
    let params = Params::new(params.memory_kib, params.passes, params.lanes, Some(32))
        .map_err(|_| NoMemory)?;
    let mut memory = Vec::new();
    memory
        .try_reserve_exact(params.block_count())
        .map_err(|_| NoMemory)?;
    memory.resize(params.block_count(), Block::default());
    let mut root = Zeroizing::new([0; 32]);
    let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(&passphrase.0, salt, &mut *root, &mut memory);
    memory.iter_mut().for_each(Zeroize::zeroize);
    done.map_err(|_| NoMemory)?;

    let mut okm = Zeroizing::new([0; 32 + CHECK_BYTES]);
    let expanded = Hkdf::<Sha512>::new(None, &*root).expand(INFO, &mut *okm);
    debug_assert!(expanded.is_ok(), "48 bytes are within the limit of HKDF");
    let mut out = FileKey {
        key: Zeroizing::new([0; 32]),
        check: [0; CHECK_BYTES],
    };
    let (key, check) = okm.split_at(32);
    out.key.copy_from_slice(key);
    out.check.copy_from_slice(check);
    Ok(out)
}
