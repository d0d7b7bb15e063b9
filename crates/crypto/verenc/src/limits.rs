//! Sizes that every node agrees on (rule V1).

use quil_types::merkle::DEPTH_MAX;

/// Readers of one object: each costs 168 bytes of the record and two products in its check.
pub const READERS_MAX: usize = 16;
/// Plaintext bytes of every chunk of a body but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes that sealing adds to a chunk.
pub const TAG_BYTES: usize = 16;
/// Chunks of one body: what a Merkle path reaches.
pub const CHUNKS_MAX: u64 = 1 << DEPTH_MAX;
/// Plaintext bytes of one body: 64 GiB.
pub const BODY_BYTES_MAX: u64 = CHUNKS_MAX * CHUNK_BYTES as u64;
/// Bytes of the key check.
pub const KEY_CHECK_BYTES: usize = 32;
/// Largest encoded record: shares, key check, body digest, length, challenge.
pub const RECORD_BYTES_MAX: usize = 4 + READERS_MAX * 168 + KEY_CHECK_BYTES + 32 + 8 + 56;
