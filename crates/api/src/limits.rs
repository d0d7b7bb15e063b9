//! Bounds of the API. Sizes of network objects are those of [`quil_types::limits`].

use std::time::Duration;

use quil_types::limits::{BUNDLE_BYTES_MAX, GENESIS_BYTES_MAX, HEADER_BYTES_MAX, SHARDS_MAX};

/// Frames in one list.
pub const FRAMES_MAX: u16 = 64;
/// Frames in a list when the client does not say how many.
pub const FRAMES_DEFAULT: u16 = 16;
/// Coins of one answer, and coins or nullifiers of one question.
pub const COINS_MAX: u16 = 1024;
/// Coins of one page when the client does not say how many.
pub const COINS_DEFAULT: u16 = 256;
/// Encoded coin record, bytes.
pub const COIN_RECORD_BYTES_MAX: usize = 512;
/// Encoded light-client proof, bytes.
pub const PROOF_BYTES_MAX: usize = 1024 * 1024;
/// Workers that a status names: more than cores of one machine.
pub const WORKERS_MAX: usize = 1024;
/// Reasons for not being ready.
pub const REASONS_MAX: usize = 32;
/// A word or sentence inside an answer, bytes.
pub const TEXT_BYTES_MAX: usize = 512;

/// Room for field tags, lengths and small numbers of one message.
const ENVELOPE_BYTES: usize = 256;
/// Largest gRPC request: a bundle, or a question about coins (34 bytes each with tag and length).
pub const REQUEST_BYTES_MAX: usize = ENVELOPE_BYTES + 2 * COINS_MAX as usize * 34;
/// Largest gRPC answers, by method. They bound what a client allocates for a hostile node.
pub(crate) const STATUS_BYTES_MAX: usize = 1024 * 1024;
pub(crate) const FRAME_BYTES_MAX: usize = ENVELOPE_BYTES + 2 * HEADER_BYTES_MAX;
pub(crate) const FRAMES_BYTES_MAX: usize = FRAMES_MAX as usize * (FRAME_BYTES_MAX + 8);
pub(crate) const SHARDS_BYTES_MAX: usize = SHARDS_MAX * 512;
pub(crate) const COINS_BYTES_MAX: usize =
    ENVELOPE_BYTES + COINS_MAX as usize * (COIN_RECORD_BYTES_MAX + 64);
pub(crate) const PROOF_ANSWER_BYTES_MAX: usize = ENVELOPE_BYTES + PROOF_BYTES_MAX;
pub(crate) const GENESIS_ANSWER_BYTES_MAX: usize = ENVELOPE_BYTES + GENESIS_BYTES_MAX;
/// Largest REST answer that [`Client::rest_get`](crate::Client::rest_get) reads: the genesis document in hexadecimal.
pub const REST_ANSWER_BYTES_MAX: usize = 2 * GENESIS_BYTES_MAX + 4 * 1024;

/// A client waits this long for the connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A client waits this long for an answer; longer than a server works on one.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

const _: () = assert!(REQUEST_BYTES_MAX >= BUNDLE_BYTES_MAX + ENVELOPE_BYTES);
const _: () = assert!(FRAMES_DEFAULT <= FRAMES_MAX && COINS_DEFAULT <= COINS_MAX);
