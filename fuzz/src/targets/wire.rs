//! Everything that arrives by gossip, catch-up or from disk as one canonical value.

use quil_types::genesis::Genesis;
use quil_types::limits::{
    BUNDLE_BYTES_MAX, FINALITY_PROOF_BYTES_MAX, FRAMES_RESPONSE_BYTES_MAX, GENESIS_BYTES_MAX,
    HEADER_BYTES_MAX, PROPOSAL_BYTES_MAX, VOTE_MESSAGE_BYTES_MAX,
};
use quil_types::{
    Bundle, Canonical, Digest, Envelope, Equivocation, FinalFrame, FinalityProof, FramesRequest,
    FramesResponse, Header, Receipt, SettlementMessage, ShardRow, merkle, merkle::MerklePath,
};

use super::{SMALL, canonical, decoder, samples, verifier};
use crate::{Target, Verdict};

macro_rules! wire {
    ($($name:literal, $iterations:literal, $samples:path, $type:ty, $cap:expr;)*) => {
        pub(super) const TARGETS: &[Target] = &[
            $(decoder(
                $name,
                $iterations,
                SMALL,
                || $samples().iter().map(Canonical::encode).collect(),
                |bytes| Verdict::of(&canonical::<$type>(bytes, $cap)),
            ),)*
            verifier("wire.merkle", 2000, paths, path),
        ];
    };
}

wire! {
    "wire.header", 2000, samples::headers, Header, HEADER_BYTES_MAX;
    "wire.envelope", 4000, samples::envelopes, Envelope, PROPOSAL_BYTES_MAX;
    "wire.vote_envelope", 2000, samples::vote_envelopes, Envelope, VOTE_MESSAGE_BYTES_MAX;
    "wire.bundle", 3000, samples::bundles, Bundle, BUNDLE_BYTES_MAX;
    "wire.receipt", 2000, samples::receipts, Receipt, 1024;
    "wire.final_frame", 2000, samples::final_frames, FinalFrame, PROPOSAL_BYTES_MAX;
    "wire.settlement", 2000, samples::settlements, SettlementMessage, PROPOSAL_BYTES_MAX;
    "wire.finality_proof", 2000, samples::finality_proofs, FinalityProof, FINALITY_PROOF_BYTES_MAX;
    "wire.equivocation", 2000, samples::equivocations, Equivocation, VOTE_MESSAGE_BYTES_MAX;
    "wire.frames_request", 2000, samples::frames_requests, FramesRequest, 4096;
    "wire.frames_response", 2000, samples::frames_responses, FramesResponse, FRAMES_RESPONSE_BYTES_MAX;
    "wire.shard_row", 2000, samples::shard_rows, ShardRow, quil_types::SHARD_ROW_BYTES_MAX;
    "wire.genesis", 2000, samples::genesis, Genesis, GENESIS_BYTES_MAX;
}

const LEAVES: [u64; 7] = [3, 1, 4, 1, 5, 9, 2];

fn root() -> Digest {
    merkle::root(&LEAVES)
}

/// leaf || path.
fn paths() -> Vec<Vec<u8>> {
    (0..LEAVES.len())
        .map(|i| {
            let path = merkle::path(&LEAVES, i).expect("a leaf");
            (LEAVES[i], path).encode()
        })
        .collect()
}

fn path(bytes: &[u8]) -> Verdict {
    match canonical::<(u64, MerklePath)>(bytes, 1024) {
        Ok((leaf, path)) => Verdict::when(merkle::verify(&root(), &leaf, &path)),
        Err(_) => Verdict::Refused,
    }
}
