//! What the API needs from a node: one trait and the plain types of its answers.

use std::sync::Arc;

use quil_types::bundle::Home;
use quil_types::{
    Chain, CoinId, Domain, Epoch, FrameNumber, GenesisHash, Header, Nullifier, Rank, ShardAddr,
    ShardRow, TxId,
};

use crate::ApiError;

/// The node behind the API.
///
/// Arguments are within the bounds of [`limits`](crate::limits). Answers beyond them are a defect of the node; clients
/// refuse them. A method is dropped when its caller goes away or after ten seconds.
#[tonic::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Identity, synchronisation, workers.
    async fn status(&self) -> Result<NodeStatus, ApiError>;
    /// A final frame of a shard, or of the global chain; the latest one without a number.
    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ApiError>;
    /// The last final frames, newest first, 1 to [`FRAMES_MAX`](crate::limits::FRAMES_MAX).
    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ApiError>;
    /// The shard table as of the last final global frame.
    async fn shards(&self) -> Result<ShardList, ApiError>;
    /// Takes a canonical bundle of at most [`BUNDLE_BYTES_MAX`](quil_types::limits::BUNDLE_BYTES_MAX) bytes.
    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, ApiError>;
    /// Where a transaction stands; one never seen is [`TxState::Unknown`], not an error.
    async fn transaction(&self, tx: TxId) -> Result<TxView, ApiError>;
    /// Coins of a home in order of creation, 1 to [`COINS_MAX`](crate::limits::COINS_MAX).
    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, ApiError>;
    /// Coins by identity, and whether nullifiers are recorded.
    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, ApiError>;
    /// Proof of the record at `key` (domain, then address) against a settled root of a shard (S4).
    async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, ApiError>;
    /// The canonical genesis document and its hash.
    fn genesis(&self) -> (Arc<[u8]>, GenesisHash);
    /// Whether the node can serve now. Cheap: asked for every probe.
    fn readiness(&self) -> Readiness;
}

/// Whether a node can serve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// It can.
    pub ready: bool,
    /// What is missing, in words for people; empty when ready.
    pub reasons: Vec<String>,
}

/// What a node says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Network identity, as text.
    pub peer_id: String,
    /// Version of the program.
    pub version: String,
    /// Name of the network.
    pub network: String,
    /// Which network.
    pub genesis_hash: GenesisHash,
    /// Whether the genesis is one for development.
    pub devnet: bool,
    /// Whether it can serve.
    pub ready: bool,
    /// What is missing; empty when ready.
    pub not_ready_because: Vec<String>,
    /// The global chain.
    pub global: ChainView,
    /// Its workers, by core.
    pub workers: Vec<WorkerView>,
    /// Connected peers.
    pub peers: u32,
    /// Since the process started, milliseconds.
    pub uptime_ms: u64,
}

/// Where a chain stands on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainView {
    /// Which chain.
    pub chain: Chain,
    /// Highest executed frame.
    pub head: FrameNumber,
    /// Last final frame.
    pub final_number: FrameNumber,
    /// Current epoch.
    pub epoch: Epoch,
    /// Current rank.
    pub rank: Rank,
    /// Since the last final frame was built, milliseconds.
    pub final_age_ms: u64,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its core; the master is 0.
    pub core: u32,
    /// A word: what the supervisor thinks of it.
    pub state: String,
    /// Its process, while there is one.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Its shard, once it has said where it stands.
    pub chain: Option<ChainView>,
    /// Why it is in this state; empty when there is nothing to say.
    pub reason: String,
}

/// A final frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameView {
    /// Its header.
    pub header: Header,
    /// Number of items in its body.
    pub items: u32,
}

/// The shard table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardList {
    /// Rows, by address.
    pub shards: Vec<ShardView>,
    /// The global frame that the table is of.
    pub global_number: FrameNumber,
}

/// A row of the shard table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardView {
    /// Which shard.
    pub addr: ShardAddr,
    /// Its settled state.
    pub row: ShardRow,
    /// Members of its committee.
    pub members: u32,
}

/// Where a transaction stands (S2); later states are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TxState {
    /// Never seen, or dropped.
    #[default]
    Unknown,
    /// Waits for a frame.
    Accepted,
    /// In a frame that is not final.
    Included,
    /// In a final frame of its shard.
    Final,
    /// That frame is recorded in a final global frame.
    Settled,
}

impl TxState {
    /// All states, in order.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Accepted,
        Self::Included,
        Self::Final,
        Self::Settled,
    ];

    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Included => "included",
            Self::Final => "final",
            Self::Settled => "settled",
        }
    }
}

impl core::fmt::Display for TxState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A transaction as its node knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxView {
    /// Which one.
    pub tx: TxId,
    /// Where it stands.
    pub state: TxState,
    /// The shard that took it.
    pub shard: Option<ShardAddr>,
    /// The shard frame, from [`TxState::Included`] on.
    pub shard_frame: Option<FrameNumber>,
    /// Its index in that frame, from [`TxState::Final`] on.
    pub index: Option<u32>,
    /// Fee paid, units, from [`TxState::Final`] on.
    pub fee: Option<u64>,
    /// A global frame that it is known to be settled in.
    pub settled_at: Option<FrameNumber>,
}

/// A coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinView {
    /// Position in its home, when the coin was found by position.
    pub index: Option<u64>,
    /// Identity.
    pub id: CoinId,
    /// Encoded coin record, at most [`COIN_RECORD_BYTES_MAX`](crate::limits::COIN_RECORD_BYTES_MAX) bytes.
    pub record: Vec<u8>,
}

/// Coins of a home in order of creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinPage {
    /// The coins.
    pub coins: Vec<CoinView>,
    /// Index to continue from.
    pub next: u64,
    /// Final shard frame that the answer is about.
    pub shard_frame: FrameNumber,
}

/// Coins and nullifiers that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinLookup {
    /// Coins that exist, in the order asked.
    pub coins: Vec<CoinView>,
    /// Per nullifier asked, whether it is recorded.
    pub spent: Vec<bool>,
    /// Final shard frame that the answer is about.
    pub shard_frame: FrameNumber,
}

/// A light-client proof (S4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofView {
    /// Its canonical encoding.
    pub proof: Vec<u8>,
    /// The global frame whose shard table it is against.
    pub global_number: FrameNumber,
    /// The settled shard frame.
    pub shard_height: FrameNumber,
}
