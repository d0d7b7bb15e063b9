//! Local bounds: what one peer, or all of them together, may make this router hold or do.
//!
//! Mesh degrees, timings and score weights are in [`crate::params`].

/// Longest mask, bytes. The longest one in use is `000000 || F`, 35 bytes (rule W2).
pub const MASK_BYTES_MAX: usize = 64;
/// Masks of more slices than this are broad: they accept every mask they cover.
pub const NARROW_SLICES_MAX: usize = 3;
/// Masks this router subscribes to at once.
pub const LOCAL_MASKS_MAX: usize = 256;
/// Slices this router subscribes to at once; also what it will ever announce to a peer.
pub const LOCAL_SLICES_MAX: usize = 1024;
/// Slices one peer may announce. Stops a peer from filling the holder index.
pub const PEER_SLICES_MAX: usize = 1024;
/// Connected peers. The driver's connection limits are lower.
pub const PEERS_MAX: usize = 1024;

/// Largest payload of any class, bytes (rule W2: proposals and frames).
pub const PAYLOAD_BYTES_MAX: usize = 8 << 20;
/// Largest payload of the classes that carry bundles, updates and beacons, bytes (rule W2).
pub const SMALL_PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// Largest encoded frame, bytes: one largest payload and every other list full.
pub const FRAME_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + (1 << 20);
/// An outgoing frame takes no further payload beyond this size, bytes, so that control is never far behind.
pub const FRAME_SOFT_BYTES: usize = 256 << 10;

/// Subscription changes in one frame.
pub const RPC_SUBS_MAX: usize = PEER_SLICES_MAX;
/// Payloads in one frame.
pub const RPC_MESSAGES_MAX: usize = 64;
/// GRAFTs, and PRUNEs, in one frame.
pub const RPC_MESH_MAX: usize = LOCAL_SLICES_MAX;
/// IHAVE lists in one frame.
pub const RPC_IHAVE_MAX: usize = 64;
/// Message ids in one IHAVE, IWANT or IDONTWANT list.
pub const RPC_IDS_MAX: usize = 1024;

/// Ids waiting in one peer's outgoing IHAVE, IWANT and IDONTWANT sets, each. Beyond it new ids are dropped.
pub const QUEUE_IDS_MAX: usize = RPC_IDS_MAX;
/// Payloads waiting for one peer.
pub const QUEUE_MESSAGES_MAX: usize = 512;
/// Payload bytes waiting for one peer (shared with the other queues, not copied).
pub const QUEUE_BYTES_MAX: usize = 3 * PAYLOAD_BYTES_MAX;

/// Messages under validation, over all peers.
pub const PENDING_MAX: usize = 1024;
/// Bytes under validation, over all peers.
pub const PENDING_BYTES_MAX: usize = 64 << 20;
/// Messages of one peer under validation: one peer cannot take the whole of [`PENDING_MAX`].
pub const PEER_PENDING_MAX: usize = 128;
/// Bytes of one peer under validation.
pub const PEER_PENDING_BYTES_MAX: usize = 2 * PAYLOAD_BYTES_MAX;
/// Peers remembered as forwarders of one message under validation.
pub const FORWARDERS_MAX: usize = 16;

/// Entries of the seen cache; the oldest leaves first.
pub const SEEN_MAX: usize = 1 << 16;
/// Payload bytes kept to answer IWANT; the oldest window leaves first.
pub const CACHE_BYTES_MAX: usize = 64 << 20;
/// Messages kept to answer IWANT.
pub const CACHE_MESSAGES_MAX: usize = 8192;
/// Unsubscribed masks with a fan-out set.
pub const FANOUT_MASKS_MAX: usize = 64;
/// (peer, slice) pairs in back-off, over all peers. Outlives the connection.
pub const BACKOFFS_MAX: usize = 1 << 16;
/// Ids for which an IWANT is under way.
pub const ASKED_MAX: usize = 1 << 14;
/// Ids one peer asked not to be sent.
pub const DONTWANT_MAX: usize = 4096;
/// Scores kept for peers that left with a bad one.
pub const RETAINED_SCORES_MAX: usize = 4096;

const _: () = assert!(
    LOCAL_SLICES_MAX <= PEER_SLICES_MAX,
    "what we announce must be acceptable"
);
const _: () = assert!(
    PEER_PENDING_BYTES_MAX <= PENDING_BYTES_MAX && PAYLOAD_BYTES_MAX <= PEER_PENDING_BYTES_MAX
);
const _: () = assert!(PAYLOAD_BYTES_MAX <= QUEUE_BYTES_MAX && PAYLOAD_BYTES_MAX <= CACHE_BYTES_MAX);
// Subscriptions, GRAFTs and PRUNEs (mask, length word, flag or duration), ids and list heads fit beside one payload.
const _: () = assert!(
    (RPC_SUBS_MAX + 2 * RPC_MESH_MAX) * (MASK_BYTES_MAX + 12)
        + (RPC_IHAVE_MAX + 2) * (MASK_BYTES_MAX + 8)
        + 4 * RPC_IDS_MAX * 32
        + FRAME_SOFT_BYTES
        <= FRAME_BYTES_MAX - PAYLOAD_BYTES_MAX
);
