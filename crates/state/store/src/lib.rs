#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod error;
mod files;
mod format;
mod gate;
mod key;
mod key_ids;
mod key_tuples;
pub mod limits;
mod lock;
mod memory;
mod range;
mod redb_store;
mod rows;
mod safety;
mod state;
mod store;
mod table;
#[cfg(feature = "test-support")]
pub mod test_support;
mod typed;

pub use crate::batch::{Op, WriteBatch};
pub use crate::error::{EXIT_CANNOT_LOCK, EXIT_STORAGE, EngineError, Fault, StoreError};
pub use crate::files::Origin;
pub use crate::format::{FORMAT_VERSION, FileKind};
pub use crate::key::{Desc, FixedKey, Key, Prefix, Tail};
pub use crate::memory::MemStore;
pub use crate::range::{Direction, KeyRange};
pub use crate::rows::{Rows, prune, rows};
pub use crate::safety::SafetyFile;
pub use crate::state::{StateFile, StateOptions};
pub use crate::store::{Page, Row, Scan, Store, View};
pub use crate::table::TableDef;
pub use crate::typed::{TypedRows, TypedTable};
