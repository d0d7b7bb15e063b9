//! Every bound of this crate. All are local: changing one changes no consensus rule.

/// Longest key, bytes. A trie node path is 86 bytes behind at most 64 bytes of shard prefix; the rest is room.
pub const KEY_BYTES_MAX: usize = 1024;

/// Longest value, bytes: a stored candidate is one proposal (8 MiB on the wire, rule W2) with its witnesses.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// Most operations in one batch. One batch is one frame: about four rows per changed branch.
pub const BATCH_OPS_MAX: usize = 1 << 20;

/// Most key and value bytes in one batch; bounds the memory a commit holds twice (batch and dirty pages).
pub const BATCH_BYTES_MAX: usize = 256 << 20;

/// Most rows of one page of a scan.
pub const SCAN_ROWS_MAX: usize = 1 << 16;

/// Key and value bytes after which a page of a scan ends early (it always holds at least one row).
pub const SCAN_BYTES_MAX: usize = 32 << 20;

/// Rows per page of the lazy row iterators.
pub const ITER_PAGE_ROWS: usize = 256;

/// Most views that may live at once. A view pins pages of the file, so a leak would grow it without end.
pub const VIEWS_MAX: usize = 256;

/// Longest table name, bytes.
pub const TABLE_NAME_BYTES_MAX: usize = 64;

/// Page cache of the state file, bytes. The worker budget is "tens of MB"; hot trie nodes have a cache of their own.
pub const STATE_CACHE_BYTES: usize = 16 << 20;

/// Page cache of the safety file, bytes: a few records per chain.
pub const SAFETY_CACHE_BYTES: usize = 1 << 20;

/// Longest safety record, bytes: the last timeout message is kept whole (2 KiB on the wire, rule W2) beside fixed fields.
pub const SAFETY_RECORD_BYTES_MAX: usize = 16 << 10;

/// Most chains in one safety file.
pub const SAFETY_CHAINS_MAX: usize = 1024;

const _: () = assert!(KEY_BYTES_MAX + VALUE_BYTES_MAX < BATCH_BYTES_MAX);
const _: () = assert!(SAFETY_RECORD_BYTES_MAX <= VALUE_BYTES_MAX);
const _: () = assert!(SAFETY_CHAINS_MAX <= SCAN_ROWS_MAX && ITER_PAGE_ROWS <= SCAN_ROWS_MAX);
