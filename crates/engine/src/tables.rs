//! Where an engine keeps what (C4, K6). A process keeps one chain, so keys do not name it.

/// A table of the store. The store sees names and bytes; the meaning is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Safety record of the chain; in the safety file (C8).
    Safety,
    /// Single values by short name.
    Meta,
    /// Final frames by number (u64 big-endian).
    Frames,
    /// Identity of a final frame by number.
    FrameIds,
    /// Finality proof of a final frame by number.
    FinalityProofs,
    /// Proposals that are not final: epoch, rank, identity.
    Candidates,
    /// Receipts of a final frame by number.
    Receipts,
    /// Number and index of an executed bundle by identity.
    Transactions,
    /// Values of the state by set, key and content hash: those of the kept final states.
    Records,
    /// Trie nodes by set and node key: those of the kept final states.
    Nodes,
    /// Root records of the tries of a kept final state by number.
    Roots,
    /// Nodes and values that the state of a number does not read and the one before does: by number and position.
    Obsolete,
    /// Epoch proofs by epoch.
    EpochProofs,
    /// Frozen committees by epoch.
    Committees,
    /// Headers of final global frames by number; shards only.
    GlobalHeaders,
    /// Reel steps: T and discriminant seeds by epoch.
    Reel,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 16] = [
        Self::Safety,
        Self::Meta,
        Self::Frames,
        Self::FrameIds,
        Self::FinalityProofs,
        Self::Candidates,
        Self::Receipts,
        Self::Transactions,
        Self::Records,
        Self::Nodes,
        Self::Roots,
        Self::Obsolete,
        Self::EpochProofs,
        Self::Committees,
        Self::GlobalHeaders,
        Self::Reel,
    ];

    /// Name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Meta => "meta",
            Self::Frames => "frames",
            Self::FrameIds => "frame_ids",
            Self::FinalityProofs => "finality_proofs",
            Self::Candidates => "candidates",
            Self::Receipts => "receipts",
            Self::Transactions => "transactions",
            Self::Records => "records",
            Self::Nodes => "nodes",
            Self::Roots => "roots",
            Self::Obsolete => "obsolete",
            Self::EpochProofs => "epoch_proofs",
            Self::Committees => "committees",
            Self::GlobalHeaders => "global_headers",
            Self::Reel => "reel",
        }
    }
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Reads of what is durable. Implemented over the store's read views and over memory in simulations.
pub trait Reader {
    /// Why a read failed.
    type Error: core::fmt::Display;

    /// The value of a key.
    ///
    /// # Errors
    /// The store's.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Up to `max` entries with `from <= key` in ascending order.
    ///
    /// # Errors
    /// The store's.
    fn range(&self, table: Table, from: &[u8], max: usize) -> Result<Vec<Row>, Self::Error>;

    /// The last entry of a table.
    ///
    /// # Errors
    /// The store's.
    fn last(&self, table: Table) -> Result<Option<Row>, Self::Error>;
}
