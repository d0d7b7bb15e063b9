//! Local bounds of the host and of the IPC link. Bounds of the router are in `quil_blossomsub::limits`.

use std::time::Duration;

/// Largest catch-up request, bytes.
pub const REQUEST_BYTES_MAX: usize = 16 << 10;
/// Largest catch-up response, bytes (W3 needs 4 MiB and a proof).
pub const RESPONSE_BYTES_MAX: usize = 8 << 20;
/// Requests a peer may send at once after a pause.
pub const REQUEST_BURST: u64 = 64;
/// Requests a peer may send per second in the long run.
pub const REQUESTS_PER_SECOND: u64 = 16;
/// Points a request beyond the rate costs the peer.
pub const REQUEST_FLOOD_POINTS: u32 = 5;
/// Requests of all peers that wait for our answer. Further ones are refused.
pub const INBOUND_REQUESTS_MAX: usize = 64;
/// Requests of this node that wait for an answer, over all peers and per peer.
pub const OUTBOUND_REQUESTS_MAX: usize = 256;
/// The same, per peer.
pub const PEER_OUTBOUND_REQUESTS_MAX: usize = 8;
/// Requests and responses under way on one connection.
pub const CONNECTION_STREAMS_MAX: usize = 32;

/// Commands of the node that wait for the host. A full queue makes the caller wait.
pub const COMMANDS_MAX: usize = 256;
/// Events that wait for the node.
pub const EVENTS_MAX: usize = 1024;
/// Of these, kept free for events about peers and requests; messages beyond are ignored and may come again.
pub const EVENTS_RESERVED: usize = 256;

/// Time to read the rest of a gossip frame once its length has arrived, and to write one.
pub const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
/// Gossip frames of at least so many bytes are decoded on the blocking pool: hashing them takes above a millisecond.
pub const OFFLOAD_BYTES_MIN: usize = 64 << 10;

/// Peer records kept.
pub const RECORDS_MAX: usize = 1024;
/// Largest encoded peer record, bytes.
pub const RECORD_BYTES_MAX: usize = 4 << 10;
/// Addresses used of one record.
pub const RECORD_ADDRESSES_MAX: usize = 8;
/// Failed dials after which a record is forgotten.
pub const RECORD_FAILURES_MAX: u32 = 8;
/// Bootstrap addresses.
pub const BOOTSTRAP_MAX: usize = 64;
/// First and longest pause before an address is dialled again, milliseconds.
pub const REDIAL_MS: (u64, u64) = (500, 60_000);
/// Pause between dials from the peer records, milliseconds.
pub const RECORD_DIAL_MS: u64 = 10_000;
/// Pings in a row that may fail before a peer is disconnected.
pub const PING_FAILURES_MAX: u32 = 3;
/// How long a graylisted peer is kept away, milliseconds.
pub const BAN_MS: u64 = 300_000;
/// Bans remembered; the one that ends first leaves.
pub const BANS_MAX: usize = 1024;

/// Largest IPC frame, bytes (W4).
pub const IPC_FRAME_BYTES_MAX: usize = 8 << 20;
/// Largest payload of an IPC frame, bytes: the frame without its heads.
pub const IPC_DATA_BYTES_MAX: usize = IPC_FRAME_BYTES_MAX - 1024;
/// Longest IPC topic, bytes.
pub const IPC_TOPIC_BYTES_MAX: usize = 64;
/// Frames that wait to be written to an IPC link, and events that wait for its user.
pub const IPC_QUEUE_MAX: usize = 64;
/// Requests that wait for an answer on one IPC link.
pub const IPC_REQUESTS_MAX: usize = 256;
/// IPC handshakes under way at once. Further dials wait in the listener's backlog.
pub const IPC_HANDSHAKES_MAX: usize = 16;

const _: () = assert!(EVENTS_RESERVED < EVENTS_MAX);
const _: () = assert!(
    INBOUND_REQUESTS_MAX <= EVENTS_RESERVED,
    "a request always finds room"
);
