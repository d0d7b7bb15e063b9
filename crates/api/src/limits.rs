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

/// JSON body of a submit: a bundle in hexadecimal.
pub(crate) const BUNDLE_JSON_BYTES_MAX: usize = ENVELOPE_BYTES + 2 * BUNDLE_BYTES_MAX;
/// JSON body of a question about coins: 64 digits, quotes, a comma and a space each.
pub(crate) const COINS_JSON_BYTES_MAX: usize = ENVELOPE_BYTES + 2 * COINS_MAX as usize * 68;
/// Largest request of the health and reflection services, bytes: names.
pub(crate) const PROBE_BYTES_MAX: usize = 4 * 1024;

/// HTTP/2 streams of one connection, and so its requests in flight.
pub(crate) const STREAMS_PER_CONNECTION_MAX: u32 = 32;
/// Header list of a request, bytes, decoded (stops compression bombs).
pub(crate) const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// Header lines of an HTTP/1 request.
pub(crate) const HEADERS_MAX: usize = 64;
/// HTTP/1 head and buffered answer, bytes.
pub(crate) const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// HTTP/2 flow control, bytes: what one stream may send ahead, about one request.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// HTTP/2 flow control, bytes: what one connection may send ahead.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Answers are handed to the connection in pieces of this size, so that a slow reader keeps its request in flight.
pub(crate) const PIECE_BYTES: usize = 16 * 1024;
/// Probing of a silent HTTP/2 connection.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Answer to such a probe.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept: descriptors are short.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a connection looks at its clock.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// How often a health watch looks at the readiness.
pub(crate) const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// What a server allows. All fields are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at once; further ones wait in the backlog.
    pub connections: usize,
    /// Connections at once of one address (IPv6: of one /64), loopback excepted; further ones are closed.
    pub connections_per_peer: usize,
    /// Requests at once, from the first byte of the body to the last of the answer; further ones are `busy`.
    pub requests: usize,
    /// Streams (reflection, health watch) at once; further ones are `busy`.
    pub streams: usize,
    /// From the connection to the first whole request head.
    pub first_request: Duration,
    /// For the body of a REST request.
    pub body: Duration,
    /// For a request with its body until the answer is there.
    pub work: Duration,
    /// For a request until the client has taken the answer.
    pub answer: Duration,
    /// Without a request.
    pub idle: Duration,
    /// Life of a connection.
    pub age: Duration,
    /// To finish requests when a connection is closed or the server stops.
    pub grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_peer: 64,
            requests: 128,
            streams: 32,
            first_request: Duration::from_secs(10),
            body: Duration::from_secs(8),
            work: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            age: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(5),
        }
    }
}

/// A client waits this long for the connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A client waits this long for an answer; longer than a server works on one.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

const _: () = assert!(REQUEST_BYTES_MAX >= BUNDLE_BYTES_MAX + ENVELOPE_BYTES);
const _: () = assert!(FRAMES_DEFAULT <= FRAMES_MAX && COINS_DEFAULT <= COINS_MAX);
