//! What a master and its workers say to each other over the local connection (W4): topics and requests.

use quil_api::limits as api;
use quil_types::limits::{BUNDLE_BYTES_MAX, PROPOSAL_BYTES_MAX, SHARDS_MAX};
use quil_types::{
    Bounded, Bytes, Code, CoinId, Domain, Epoch, FinalityProof, FrameNumber, Header, Nullifier,
    Rank, SealedFrame, ShardAddr, ShardRow, TxId, bundle::Home, canonical,
};

/// Topic, worker to master, first: a [`WorkerHello`].
pub const TOPIC_HELLO: &str = "worker.hello";
/// Topic, master to worker: a final global header.
pub const TOPIC_GLOBAL_FINAL: &str = "global.final";
/// Topic, worker to master: a shard frame became final.
pub const TOPIC_SHARD_FINAL: &str = "shard.final";
/// Topic, worker to master: where the shard stands.
pub const TOPIC_PROGRESS: &str = "shard.progress";

/// Coins in one answer.
pub const COINS_MAX: usize = api::COINS_MAX as usize;
/// Frames in one list.
pub const FRAMES_MAX: usize = api::FRAMES_MAX as usize;
/// Encoded coin record.
pub const COIN_RECORD_BYTES_MAX: usize = api::COIN_RECORD_BYTES_MAX;
/// An unopened path of a trie, or a proof.
pub const PROOF_BYTES_MAX: usize = api::PROOF_BYTES_MAX;

canonical! {
    /// A shard frame is final.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShardFinal {
        /// The frame.
        pub header: Header,
        /// Why; absent when a later frame's proof covers it.
        pub proof: Option<FinalityProof>,
    }
}

canonical! {
    /// Where a chain stands.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Progress {
        /// Highest executed frame.
        pub head: FrameNumber,
        /// Last final frame.
        pub final_number: FrameNumber,
        /// Its timestamp.
        pub final_ms: u64,
        /// Current epoch.
        pub epoch: Epoch,
        /// Current rank.
        pub rank: Rank,
    }
}

canonical! {
    /// What a master asks a worker on behalf of a client.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum WorkerRequest {
        /// Take a bundle.
        Submit(Bytes<BUNDLE_BYTES_MAX>) = 0,
        /// A final frame; the latest when absent.
        Frame(Option<FrameNumber>) = 1,
        /// Final headers, newest first.
        Frames {
            /// At most this many.
            limit: u16,
        } = 2,
        /// Where a transaction stands.
        Transaction(TxId) = 3,
        /// Coins of a home in order of creation.
        Scan {
            /// Token.
            domain: Domain,
            /// Home.
            home: Home,
            /// First index.
            from: u64,
            /// At most this many.
            limit: u16,
        } = 4,
        /// Coins by identity, and whether nullifiers are recorded.
        Coins {
            /// Token.
            domain: Domain,
            /// Home.
            home: Home,
            /// Identities.
            coins: Bounded<CoinId, COINS_MAX>,
            /// Nullifiers.
            nullifiers: Bounded<Nullifier, COINS_MAX>,
        } = 5,
        /// A record's proof against the state after a settled frame, together with the path of the shard's row, in one
        /// multi-opening (S4).
        Prove {
            /// Settled height.
            height: FrameNumber,
            /// Key of the record.
            key: [u8; 64],
            /// The whole shard table of the global frame: its trie is rebuilt from it, so that both memberships go into
            /// one opening.
            rows: Bounded<(ShardAddr, ShardRow), SHARDS_MAX>,
        } = 6,
    }
}

canonical! {
    /// A coin as clients get it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CoinEntry {
        /// Position in its home, when it was found by position.
        pub index: Option<u64>,
        /// Identity.
        pub id: CoinId,
        /// Encoded coin record.
        pub record: Bytes<COIN_RECORD_BYTES_MAX>,
    }
}

canonical! {
    /// Where a transaction stands on its shard.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum TxStanding {
        /// Never seen, or dropped.
        Unknown = 0,
        /// In the mempool.
        Accepted = 1,
        /// In a frame that is not final.
        Included {
            /// The frame.
            number: FrameNumber,
        } = 2,
        /// In a final frame.
        Final {
            /// The frame.
            number: FrameNumber,
            /// Index in its body.
            index: u32,
            /// Fee paid.
            fee: u64,
        } = 3,
    }
}

canonical! {
    /// Why a bundle was not taken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SubmitRefusal {
        /// By a rule (T8).
        Rule(Code) = 0,
        /// Not a bundle.
        Malformed = 1,
        /// Full, try again.
        Busy = 2,
        /// Not caught up.
        NotReady = 3,
    }
}

canonical! {
    /// A worker's answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum WorkerResponse {
        /// The bundle was taken.
        Submitted(TxId) = 0,
        /// The bundle was refused.
        Refused(SubmitRefusal) = 1,
        /// A frame, if there is one.
        Frame(Option<Box<SealedFrame>>) = 2,
        /// Headers with the number of items.
        Frames(Bounded<(Header, u32), FRAMES_MAX>) = 3,
        /// Where the transaction stands.
        Transaction(TxStanding) = 4,
        /// Coins.
        Coins {
            /// The coins found.
            coins: Bounded<CoinEntry, COINS_MAX>,
            /// Index behind the last one looked at.
            next: u64,
            /// Per nullifier asked, whether it is recorded.
            spent: Bounded<bool, COINS_MAX>,
            /// Final frame that the answer is about.
            number: FrameNumber,
        } = 5,
        /// An encoded [`quil_execution::light::RecordProof`]; absent when the state after that frame is not kept any more.
        Proof(Option<Bytes<PROOF_BYTES_MAX>>) = 6,
        /// The local store or state cannot answer.
        Failed = 7,
    }
}

canonical! {
    /// What a worker says first, beside its certificate: where it stands, so that the master sends what it misses.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WorkerHello {
        /// Last final global header it has.
        pub global: FrameNumber,
        /// Its last final shard frame.
        pub number: FrameNumber,
    }
}

/// Largest message of any kind, bytes.
pub const MESSAGE_BYTES_MAX: usize = PROPOSAL_BYTES_MAX;
