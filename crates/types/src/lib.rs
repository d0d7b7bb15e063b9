#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bounded;
pub mod bundle;
mod certificate;
pub mod codec;
pub mod genesis;
pub mod hash;
mod header;
mod ids;
pub mod limits;
pub mod merkle;
mod message;
pub mod tags;

pub use bounded::{BadText, Bounded, Bytes, NotSorted, Sorted, Text, TooLong};
pub use bundle::{Bundle, Code, Receipt, Transfer};
pub use certificate::{
    Bitmask, Committee, EpochProof, Equivocation, FinalityProof, Member, MemberIndex, Qc,
    SignatureBytes, Tc, TcGroup, Timeout, TimeoutStatement, Vote, VoteStatement,
};
pub use codec::{Canonical, DecodeError};
pub use genesis::Genesis;
pub use header::{
    Anchor, BeaconWitness, Body, Header, Root, SHARD_ROW_BYTES_MAX, ShardRow, StateRoots,
};
pub use ids::{
    Beacon, Chain, CoinId, Digest, Domain, Epoch, FrameId, FrameNumber, GenesisHash, Millis,
    Nullifier, PeerKey, ProverId, Rank, ShardAddr, Timestamp, TxId,
};
pub use message::{
    ConsensusMessage, Envelope, FinalFrame, FramesRequest, FramesResponse, Justify, Proposal,
    SealedFrame, SettlementMessage, envelope_bytes,
};
