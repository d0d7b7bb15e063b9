#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod entry;
mod error;
mod overlay;
mod replica;
mod routing;
mod shard;
mod shards;
mod verify;
mod writes;

pub use address::{AtomId, DataAddr, Family, Phase};
pub use entry::{ATOMS_MAX, CONTENT_BYTES_MAX, ENTRY_BYTES_MAX, Entry, EntryRef, Hyperedge, Mode};
pub use error::StateError;
pub use overlay::{
    EdgeKey, MarkKey, Overlay, RecordKey, SPECULATION_MAX, Savepoint, Snapshot, TokenKey,
};
pub use replica::Replica;
pub use routing::{PREFIX_BITS_MAX, Part, Prefix, Routes, RoutingError};
pub use shard::{
    ContentSource, ContentWrite, NoContents, ShardRecord, ShardState, StateBatch, StateUpdate,
};
pub use shards::{Row, ShardTable, row_key};
pub use verify::{ShardRoots, row_claim, verify_settled, verify_visible};
pub use writes::{Place, Value, Write, WriteSet};
