//! Sizes and counts that every node agrees on. Each says what it stops.

/// Compressed G1 point: BLS signature, KZG commitment and proof, bytes.
pub const G1_BYTES: usize = 74;
/// Compressed G2 point: BLS public key, bytes.
pub const G2_BYTES: usize = 585;
/// Compressed Decaf448 point, bytes (RFC 9496).
pub const DECAF_POINT_BYTES: usize = 56;
/// Decaf448 scalar, bytes.
pub const DECAF_SCALAR_BYTES: usize = 56;
/// Schnorr or DLEQ proof `c || s`, bytes (T6).
pub const DECAF_PROOF_BYTES: usize = 112;
/// Trie slot value and root, bytes (K1).
pub const ROOT_BYTES: usize = 64;
/// Longest scheme signature: BLS is 74, simulations use 32 (C9).
pub const SIGNATURE_BYTES_MAX: usize = 96;

/// Members of one committee. Bounds bitmasks and certificate checks; member indices are u16.
pub const COMMITTEE_MAX: usize = 512;
/// Bytes of a committee bitmask.
pub const BITMASK_BYTES_MAX: usize = COMMITTEE_MAX / 8;
/// Distinct qc ranks in a timeout certificate: each costs one pairing.
pub const TC_GROUPS_MAX: usize = 64;
/// Shards of one network. Bounds the genesis and the body of a global frame.
pub const SHARDS_MAX: usize = 256;
/// Shard updates in one global body (S1).
pub const SHARD_UPDATES_MAX: usize = 64;
/// Descendant headers inside an epoch proof, at most 1 MiB: bounds how long a closing epoch may struggle before its proof must use
/// a later pair of consecutive ranks (C1).
pub const EPOCH_LINKS_MAX: usize = 1024;

/// Largest vote or timeout message (W2), bytes.
pub const VOTE_MESSAGE_BYTES_MAX: usize = 2 * 1024;
/// Largest bundle (W2), bytes.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024;
/// Largest proposal or frame message (W2), bytes.
pub const PROPOSAL_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Largest encoded header, bytes; the real size is about 700.
pub const HEADER_BYTES_MAX: usize = 1024;
/// Largest finality proof: header, certificate.
pub const FINALITY_PROOF_BYTES_MAX: usize = 2 * 1024;
/// Largest class-group form: two 1024-bit coefficients and a sign, with room for the encoding.
pub const FORM_BYTES_MAX: usize = 320;
/// Largest catch-up answer (W3), bytes.
pub const FRAMES_RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Frames in one catch-up answer (W3).
pub const FRAMES_PER_RESPONSE_MAX: usize = 64;
/// Proposals in one catch-up answer (W3).
pub const PROPOSALS_PER_REQUEST_MAX: usize = 16;
/// Bundles in one shard body, a bound for decoding; the cost limit of the genesis is lower.
pub const BUNDLES_PER_BODY_MAX: usize = 4096;

/// Inputs of a transfer (T5).
pub const INPUTS_MAX: usize = 64;
/// Outputs of a transfer (T5).
pub const OUTPUTS_MAX: usize = 16;
/// Actions of a bundle (F1).
pub const ACTIONS_MAX: usize = 16;
/// Range proof bytes: 16 values need 1624.
pub const RANGE_PROOF_BYTES_MAX: usize = 2048;

/// Genesis document, bytes: committees of 585-byte keys and the ceremony transcript.
pub const GENESIS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// SRS file with its transcript, bytes.
pub const SRS_BYTES_MAX: usize = 1024 * 1024;

const _: () = assert!(COMMITTEE_MAX.is_multiple_of(8) && COMMITTEE_MAX <= u16::MAX as usize);
